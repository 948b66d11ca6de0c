package policies

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
)

const allowQuery = "data.coop.decision.allow"

// allowOf prepares the question whether a release is allowed, the first time it
// is asked.
func allowOf(compiler *ast.Compiler, store storage.Store) func() (rego.PreparedEvalQuery, error) {
	return sync.OnceValues(func() (rego.PreparedEvalQuery, error) {
		return rego.New(rego.Query(allowQuery), rego.Compiler(compiler), rego.Store(store),
			rego.StrictBuiltinErrors(true)).PrepareForEval(context.Background())
	})
}

// Allows answers whether Decide would allow, and never why not: where only
// the answer counts, it costs a part of a decision. Whatever is not a plain yes
// is a no; err then says what Decide's says.
func (r *Revision) Allows(ctx context.Context, in Input) (bool, error) {
	if r == nil {
		return false, ErrSealed
	}
	if err := in.check(); err != nil {
		return false, err
	}
	query, err := r.allow()
	if err != nil {
		return false, fmt.Errorf("policies: preparing: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, evalDeadline)
	defer cancel()
	rs, err := query.Eval(ctx, rego.EvalParsedInput(in.value()))
	if err := errors.Join(err, ctx.Err()); err != nil {
		return false, fmt.Errorf("policies: deciding: %w", err)
	}
	if len(rs) != 1 || len(rs[0].Expressions) != 1 {
		return false, errUndefined
	}
	yes, ok := rs[0].Expressions[0].Value.(bool)
	if !ok {
		return false, errUndefined
	}
	return yes, nil
}

// Anew answers as Decide does and reads, compiles and prepares everything for
// this one answer: what a decision costs somebody who keeps nothing ready. It is
// the anchor benchmarks measure Decide against.
func (r *Revision) Anew(ctx context.Context, in Input) (Outcome, error) {
	data, err := termsData(r.sources[termsPath])
	if err != nil {
		return Outcome{}, err
	}
	options := []func(*rego.Rego){rego.Query(decisionQuery), rego.Store(inmem.NewFromObject(data)),
		rego.StrictBuiltinErrors(true), rego.ParsedInput(in.value())}
	for _, name := range sortedKeys(r.sources) {
		if name != termsPath {
			options = append(options, rego.Module(name, string(r.sources[name])))
		}
	}
	rs, err := rego.New(options...).Eval(ctx)
	if err != nil {
		return Outcome{}, fmt.Errorf("policies: deciding anew: %w", err)
	}
	return outcome(rs)
}
