package policies

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"sync"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/topdown"

	"distributed.ai/datacoop/internal/coop"
)

const decisionQuery = "data.coop.decision.result"

// evalDeadline is a thousand times what a decision takes; whatever needs longer
// is refused.
const evalDeadline = 2 * time.Second

// Revision is law ready to be asked. It never changes and is safe for
// concurrent use.
type Revision struct {
	hash      string
	sources   map[string][]byte // by path: kernel, access file and terms
	restored  bool              // from an archive: replays, never in force
	foreign   bool              // of another release of this program
	sentences []string
	query     rego.PreparedEvalQuery
	cohort    func() (*cohort, error) // prepared when first asked for
	allow     func() (rego.PreparedEvalQuery, error)
}

// Compile makes a revision of an access policy and the embedded kernel. The
// error of a file that breaks a rule is a Broken with every finding.
func Compile(ctx context.Context, access []byte) (*Revision, error) {
	if _, findings := shape(access); len(findings) > 0 {
		return nil, &Broken{findings}
	}
	sources := Base()
	sources[accessPath] = bytes.Clone(access)
	return compile(ctx, sources)
}

// Broken is the error of an access policy that breaks a rule.
type Broken struct{ Findings []string }

// Error returns the first finding.
func (b *Broken) Error() string { return "policies: access policy: " + b.Findings[0] }

func compile(ctx context.Context, sources map[string][]byte) (*Revision, error) {
	modules, err := parse(sources)
	if err != nil {
		return nil, err
	}
	store, err := storeOf(sources[termsPath])
	if err != nil {
		return nil, err
	}
	compiler, err := strict(modules)
	if err != nil {
		return nil, err
	}
	query, err := prepare(ctx, compiler, store)
	if err != nil {
		return nil, err
	}
	return &Revision{
		hash:      hash(sources),
		sources:   sources,
		sentences: sentences(modules[accessPath]),
		query:     query,
		cohort:    cohortOf(compiler, store, compiler.Modules[accessPath]),
		allow:     allowOf(compiler, store),
	}, nil
}

var errNoAccess = errors.New("policies: there is no access policy")

// parse reads all Rego of the sources. What is this program's own has been read
// before; nobody changes it.
func parse(sources map[string][]byte) (map[string]*ast.Module, error) {
	if sources[accessPath] == nil {
		return nil, errNoAccess
	}
	own, modules := kernel(), map[string]*ast.Module{}
	for name, text := range sources {
		if path.Ext(name) != ".rego" {
			continue
		}
		if known, ok := own[name]; ok && known.text == string(text) {
			modules[name] = known.module
			continue
		}
		module, err := ast.ParseModuleWithOpts(name, string(text), parserOptions())
		if err != nil {
			return nil, fmt.Errorf("policies: parsing %s: %w", name, err)
		}
		modules[name] = module
	}
	return modules, nil
}

// parsed is a file of the kernel that has been read.
type parsed struct {
	text   string
	module *ast.Module
}

var kernel = sync.OnceValue(func() map[string]parsed {
	out := map[string]parsed{}
	for name, text := range regoIn("kernel", false) {
		module, err := ast.ParseModuleWithOpts(name, string(text), parserOptions())
		if err != nil {
			panic("policies: the kernel: " + err.Error())
		}
		out[name] = parsed{string(text), module}
	}
	return out
})

// storeOf makes the data that law reads. Nothing is ever written to it, so all
// revisions with this program's terms share one.
func storeOf(text []byte) (storage.Store, error) {
	if bytes.Equal(text, mustRead(termsPath)) {
		return ownTerms()
	}
	return termsStore(text)
}

var ownTerms = sync.OnceValues(func() (storage.Store, error) { return termsStore(mustRead(termsPath)) })

func termsStore(text []byte) (storage.Store, error) {
	data, err := termsData(text)
	if err != nil {
		return nil, err
	}
	return inmem.NewFromObjectWithOpts(data, inmem.OptReturnASTValuesOnRead(true)), nil
}

// strict compiles modules under the allow-list and names the rules of law in
// them. What the access file breaks is reported as Broken; the kernel is ours.
func strict(modules map[string]*ast.Module) (*ast.Compiler, error) {
	room := make(map[string]*ast.Module, len(modules))
	for name, module := range modules {
		room[name] = namable(module)
	}
	compiler := ast.NewCompiler().WithStrict(true).WithCapabilities(capabilities())
	compiler.Compile(room)
	if compiler.Failed() && slices.ContainsFunc(compiler.Errors, inKernel) {
		return nil, fmt.Errorf("policies: compiling the kernel: %w", compiler.Errors)
	}
	if compiler.Failed() {
		return nil, &Broken{complaints(compiler.Errors)}
	}
	nameRules(compiler)
	return compiler, nil
}

func inKernel(e *ast.Error) bool { return e.Location != nil && e.Location.File != accessPath }

func parserOptions() ast.ParserOptions {
	return ast.ParserOptions{ProcessAnnotation: true, RegoVersion: ast.RegoV1, Capabilities: capabilities()}
}

func prepare(ctx context.Context, compiler *ast.Compiler, store storage.Store) (rego.PreparedEvalQuery, error) {
	query, err := rego.New(
		rego.Query(decisionQuery),
		rego.Compiler(compiler),
		rego.Store(store),
		rego.StrictBuiltinErrors(true),
	).PrepareForEval(ctx)
	if err != nil {
		return rego.PreparedEvalQuery{}, fmt.Errorf("policies: preparing: %w", err)
	}
	return query, nil
}

func termsData(text []byte) (map[string]any, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var terms map[string]any
	if err := dec.Decode(&terms); err != nil {
		return nil, fmt.Errorf("policies: reading terms: %w", err)
	}
	return map[string]any{"terms": terms}, nil
}

// hash is the SHA-256, in hex, over the sources in order of their paths, each
// path and text preceded by its length in eight bytes, big end first.
func hash(sources map[string][]byte) string {
	h := sha256.New()
	for _, name := range sortedKeys(sources) {
		for _, part := range [][]byte{[]byte(name), sources[name]} {
			var length [8]byte
			binary.BigEndian.PutUint64(length[:], uint64(len(part)))
			h.Write(length[:])
			h.Write(part)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Hash names the revision: SHA-256 in hex over everything that can change an
// answer, the kernel and terms included.
func (r *Revision) Hash() string { return r.hash }

// Source returns the access policy of the revision.
func (r *Revision) Source() []byte { return bytes.Clone(r.sources[accessPath]) }

// Sentences says in plain English what the access policy adds to base law, one
// sentence for each rule, as the file states it in its titles and sentences.
func (r *Revision) Sentences() []string { return slices.Clone(r.sentences) }

// Archive returns everything the revision consists of as canonical JSON, so
// that its decisions can be replayed after the kernel has changed (Restore).
func (r *Revision) Archive() ([]byte, error) {
	texts := make(map[string]string, len(r.sources))
	for name, text := range r.sources {
		texts[name] = string(text)
	}
	out, err := coop.Canonical(texts)
	if err != nil {
		return nil, fmt.Errorf("policies: archiving: %w", err)
	}
	return out, nil
}

// Restore compiles an archive exactly as it was, for replaying past decisions.
// An Engine never puts it in force: its kernel is the archive's, not this
// program's.
func Restore(ctx context.Context, archive []byte) (*Revision, error) {
	var texts map[string]string
	if err := json.Unmarshal(archive, &texts); err != nil {
		return nil, fmt.Errorf("policies: reading an archive: %w", err)
	}
	sources := make(map[string][]byte, len(texts))
	for name, text := range texts {
		sources[name] = []byte(text)
	}
	r, err := compile(ctx, sources)
	if err != nil {
		return nil, err
	}
	_, findings := shape(sources[accessPath])
	r.restored, r.foreign = true, len(findings) > 0 || !sameKernel(sources)
	return r, nil
}

func sameKernel(sources map[string][]byte) bool {
	own := Base()
	own[accessPath] = sources[accessPath]
	return hash(own) == hash(sources)
}

// Classes reports whether Input.Class holds for the revision: whether its kernel
// and its rules for access policies are this program's. It is false only for
// archives of another release.
func (r *Revision) Classes() bool { return !r.foreign }

// Decide answers one question. The outcome of a nil revision, a malformed
// input, an error or a deadline refuses, with a reason that says so; err then
// tells the operator more and must not reach the requester.
func (r *Revision) Decide(ctx context.Context, in Input) (Outcome, error) {
	if r == nil {
		return unavailable(), ErrSealed
	}
	if err := in.check(); err != nil {
		return refusal(CodeMalformed, "The question was not put in a form the law can read."), err
	}
	out, err := r.eval(ctx, in)
	if err != nil {
		return unavailable(), fmt.Errorf("policies: deciding: %w", err)
	}
	return out, nil
}

func (r *Revision) eval(ctx context.Context, in Input, options ...rego.EvalOption) (Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, evalDeadline)
	defer cancel()
	tracker := &topdown.EvaluatedRuleTracker{}
	rs, err := r.query.Eval(ctx, append(options, rego.EvalParsedInput(in.value()), rego.EvalEvaluatedRuleTracker(tracker))...)
	if err := errors.Join(err, ctx.Err()); err != nil {
		return Outcome{}, err
	}
	return outcome(rs, fired(tracker))
}
