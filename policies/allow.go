package policies

import (
	"context"
	"encoding/json"
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

// Anew answers as Decide does, without the rules that fired, and reads, compiles
// and prepares everything for this one answer: what a decision costs somebody
// who keeps nothing ready. It is the anchor benchmarks measure Decide against.
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
	return outcome(rs, []string{})
}

// Evaluated is the input as JSON with every field the law may read, also those
// that Canonical leaves out because they say nothing: what another engine with
// the same law must be asked to be asked the same.
func (in Input) Evaluated() ([]byte, error) {
	document, err := ast.JSON(in.value())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errInput, err)
	}
	return json.Marshal(document)
}

// CompileStrictly parses what the revision consists of and has so many strict
// compiles of it timed, which keep nothing: the anchor that benchmarks measure
// putting a revision in force against.
func (r *Revision) CompileStrictly(times int, timed func(compile func() error) error) error {
	modules, err := parse(r.sources)
	if err != nil {
		return err
	}
	return timed(func() error {
		for range times {
			if _, err := strict(modules); err != nil {
				return err
			}
		}
		return nil
	})
}
