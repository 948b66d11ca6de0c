package policies

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"strconv"
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/policies/condition"
)

// Kinds of a Part; each is also the column of a record that holds its number.
const (
	PartPurposes = "purposes"
	PartExcept   = "except"
	PartDPV      = "dpv"
	PartKinds    = "requester_kinds"
	PartRegions  = "regions"
	PartLimits   = "limits"
)

// Part is a list or the limits of a record, judged once for all rows that have
// it.
type Part struct {
	ID     int64
	Kind   string   // one of the kinds
	List   []string // unless Kind is PartLimits
	Limits Limits
}

// CohortQuestion is a request for datasets that are all of the same categories,
// open, sealed and in the pool asked for.
type CohortQuestion struct {
	Request    Request
	Categories []string
	Parts      []Part
}

// CohortLaw is the law about one question, ready to be compared with rows. A
// row has the fields record.effect (with "" for no record), record.paused,
// record.commercial, record.not_before, record.expires, record.withdrawn and
// record.min_price_minor of the governing record; record.later, the effect of a
// second record that governs besides it, or "", and record.later_purposes; the
// number of a Part under record.purposes and so on; and dataset.region.
type CohortLaw struct {
	Allow Condition   // holds exactly where Decide allows
	Bits  []Condition // rows that agree in all of them have one Outcome
}

// cohort is what a revision keeps to answer cohort questions.
type cohort struct {
	judgement             rego.PreparedEvalQuery
	permit, settled       rego.PreparedPartialQuery
	rows                  []rego.PreparedPartialQuery
	forbid, review, duty  []rego.PreparedPartialQuery
	categories, forbidden bool // the policy reads categories; it has a rule that forbids
}

var unknowns = []*ast.Term{ast.MustParseTerm("input.record"), ast.MustParseTerm("input.dataset.region")}

// rowPackage holds the rules that tell rows apart.
const rowPackage = "data.coop.cohort.row"

// cohortOf prepares the queries, the first time they are needed.
func cohortOf(compiler *ast.Compiler, store storage.Store, accessFile *ast.Module) func() (*cohort, error) {
	return sync.OnceValues(func() (*cohort, error) {
		c := &cohort{categories: readsCategories(accessFile)}
		ctx := context.Background()
		partial := func(query string) (rego.PreparedPartialQuery, error) {
			return rego.New(rego.Query(query), rego.Compiler(compiler), rego.Store(store), rego.StrictBuiltinErrors(true)).PrepareForPartial(ctx)
		}
		var err error
		c.judgement, err = rego.New(rego.Query("data.coop.cohort.judgement"), rego.Compiler(compiler), rego.Store(store),
			rego.StrictBuiltinErrors(true)).PrepareForEval(ctx)
		errs := []error{err}
		prepare := func(query string) rego.PreparedPartialQuery {
			p, err := partial(query)
			errs = append(errs, err)
			return p
		}
		c.permit, c.settled = prepare("data.coop.cohort.permit == true"), prepare("data.coop.cohort.settled == true")
		for _, name := range rowRules(compiler) {
			c.rows = append(c.rows, prepare(rowPackage+"."+name+" == true"))
		}
		for _, law := range laws(accessFile) {
			query := prepare("data.coop.access." + law.rule + "[" + law.key.String() + "]")
			switch law.rule {
			case ruleForbid:
				c.forbid, c.forbidden = append(c.forbid, query), true
			case ruleReview:
				c.review = append(c.review, query)
			case ruleObligation:
				c.duty = append(c.duty, query)
			}
		}
		if len(c.rows) == 0 {
			errs = append(errs, fmt.Errorf("%w: a kernel from before there were cohorts", ErrFragment))
		}
		return c, errors.Join(errs...)
	})
}

// rowRules lists the rules that tell rows apart, by name.
func rowRules(compiler *ast.Compiler) (names []string) {
	for _, module := range compiler.Modules {
		if module.Package.Path.String() != rowPackage {
			continue
		}
		for _, rule := range module.Rules {
			if name, _ := plainName(rule); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names
}

type votedLaw struct {
	rule string
	key  *ast.Term
}

// laws lists what an access policy can say, each once.
func laws(module *ast.Module) (out []votedLaw) {
	for _, rule := range module.Rules {
		name, _ := plainName(rule)
		if openings[name] == "" || rule.Head.Key == nil {
			continue
		}
		law := votedLaw{name, rule.Head.Key}
		if !slices.ContainsFunc(out, func(o votedLaw) bool { return o.rule == law.rule && o.key.Equal(law.key) }) {
			out = append(out, law)
		}
	}
	return out
}

func readsCategories(module *ast.Module) (reads bool) {
	ast.WalkRefs(module, func(ref ast.Ref) bool {
		leaf, ok := leafOf(ref)
		reads = reads || ok && leaf.Path == "input.dataset.categories"
		return false
	})
	return reads
}

// ReadsCategories reports whether the answer about a row can depend on the
// categories of its dataset, so that there must be one question for each list
// of them. Part by part, the limits of records are looked at too.
func (r *Revision) ReadsCategories(parts []Part) (bool, error) {
	if r == nil {
		return false, ErrSealed
	}
	c, err := r.cohort()
	if err != nil {
		return false, err
	}
	return c.categories || slices.ContainsFunc(parts, func(p Part) bool { return len(p.Limits.Categories) > 0 }), nil
}

// oneByOne warns voters of a policy outside the fragment.
const oneByOne = "This policy cannot be asked of all datasets at once, so each is decided by itself; requests for large pools take longer."

// compiles reports whether the voted law of a revision can be turned into
// conditions on rows, for one request of each purpose and kind of organisation.
func (r *Revision) compiles(ctx context.Context) bool {
	for _, duo := range terms.DUO.Requestable {
		for _, kind := range terms.Kinds {
			in := probe(duo, terms.DPV.Requestable[0], kind)
			if _, err := r.Cohort(ctx, CohortQuestion{Request: in.Request, Categories: in.Dataset.Categories}); err != nil {
				return ctx.Err() != nil
			}
		}
	}
	return true
}

// judgement is the shape of data.coop.cohort.judgement, where 1 is yes.
type judgement struct {
	Base  *int `json:"base"`
	Parts []struct {
		Covers  int `json:"covers"`
		Refuses int `json:"refuses"`
		Settled int `json:"settled"`
		class   string
	} `json:"parts"`
}

// Cohort turns the law into conditions on the rows of datasets. The error is
// ErrFragment where that cannot be done for this request; the datasets are then
// decided one by one.
func (r *Revision) Cohort(ctx context.Context, q CohortQuestion) (CohortLaw, error) {
	if r == nil {
		return CohortLaw{}, ErrSealed
	}
	c, err := r.cohort()
	if err != nil {
		return CohortLaw{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, cohortDeadline)
	defer cancel()
	input := [][2]*ast.Term{
		field("request", q.Request.term()),
		field("dataset", ast.ObjectTerm(text("pool", q.Request.Pool), texts("categories", q.Categories))),
	}
	judged, err := c.judge(ctx, q, input)
	if err != nil {
		return CohortLaw{}, fmt.Errorf("policies: judging a cohort: %w", err)
	}
	input = append(input, field("covers", numbersBy(q.Parts, func(i int) bool { return judged.Parts[i].Covers > 0 })),
		field("refuses", numbersBy(q.Parts, func(i int) bool { return judged.Parts[i].Refuses > 0 })),
		field("settled", numbersBy(q.Parts, func(i int) bool { return judged.Parts[i].Settled > 0 })))
	law, err := c.conditions(ctx, ast.NewObject(input...), q.Request.Reviewed, *judged.Base > 0)
	if err != nil {
		return CohortLaw{}, err
	}
	law.Bits = append(law.Bits, classBits(q.Parts, func(i int) string { return judged.Parts[i].class })...)
	return law, nil
}

// cohortDeadline bounds the work before any row is looked at.
const cohortDeadline = 30 * evalDeadline

// judge asks what base law and every part answer. The dataset it asks base law
// about is open and sealed, as all that are asked for are.
func (c *cohort) judge(ctx context.Context, q CohortQuestion, input [][2]*ast.Term) (judgement, error) {
	parts := make([]*ast.Term, 0, len(q.Parts))
	for _, p := range q.Parts {
		value := texts("value", p.List)
		if p.Kind == PartLimits {
			value = field("value", p.Limits.term())
		}
		parts = append(parts, ast.ObjectTerm(text("kind", p.Kind), value))
	}
	open := Dataset{Pool: q.Request.Pool, Categories: q.Categories, Sealed: min(q.Request.Time, 1), Closed: coop.Forever}
	rs, err := c.judgement.Eval(ctx, rego.EvalParsedInput(ast.NewObject(input[0], field("dataset", open.term()), field("parts", ast.ArrayTerm(parts...)))))
	if err := errors.Join(err, ctx.Err()); err != nil {
		return judgement{}, err
	}
	if len(rs) != 1 || len(rs[0].Expressions) != 1 {
		return judgement{}, errUndefined
	}
	answer, err := json.Marshal(rs[0].Expressions[0].Value)
	if err != nil {
		return judgement{}, err
	}
	return readJudgement(answer, len(parts))
}

// readJudgement reads the answers; the whole answer of a part is its class.
func readJudgement(answer []byte, parts int) (judgement, error) {
	var out judgement
	var raw struct {
		Parts []json.RawMessage `json:"parts"`
	}
	if err := errors.Join(json.Unmarshal(answer, &out), json.Unmarshal(answer, &raw)); err != nil {
		return judgement{}, err
	}
	if out.Base == nil || len(out.Parts) != parts {
		return judgement{}, errUndefined
	}
	for i := range out.Parts {
		out.Parts[i].class = string(raw.Parts[i])
	}
	return out, nil
}

// numbersBy lists the numbers of the chosen parts by kind, every kind having a
// list.
func numbersBy(parts []Part, chosen func(int) bool) *ast.Term {
	lists := map[string][]*ast.Term{PartPurposes: nil, PartExcept: nil, PartDPV: nil, PartKinds: nil, PartRegions: nil, PartLimits: nil}
	for i, p := range parts {
		if chosen(i) {
			lists[p.Kind] = append(lists[p.Kind], ast.NumberTerm(json.Number(strconv.FormatInt(p.ID, 10))))
		}
	}
	var fields [][2]*ast.Term
	for _, kind := range sortedKeys(lists) {
		fields = append(fields, field(kind, ast.ArrayTerm(lists[kind]...)))
	}
	return ast.ObjectTerm(fields...)
}

// conditions compiles the rules for one question.
func (c *cohort) conditions(ctx context.Context, input ast.Value, reviewed, base bool) (CohortLaw, error) {
	var failed error
	one := func(query rego.PreparedPartialQuery) Condition {
		what, err := left(ctx, query, input)
		failed = errors.Join(failed, err)
		return what
	}
	each := func(queries []rego.PreparedPartialQuery) (list []Condition) {
		for _, query := range queries {
			list = append(list, one(query))
		}
		return list
	}
	forbid, review, duty := each(c.forbid), each(c.review), each(c.duty)
	law := CohortLaw{Allow: Never(), Bits: each(c.rows)}
	law.Bits = slices.Concat(law.Bits, forbid, review, duty)
	if base && c.forbidden { // an access policy that forbids nothing leaves the count undefined
		people := Not(Any(review...))
		if reviewed {
			people = Always()
		}
		law.Allow = All(one(c.settled), Not(Any(forbid...)), people)
	}
	return law, failed
}

// left is what partial evaluation leaves of a query.
func left(ctx context.Context, query rego.PreparedPartialQuery, input ast.Value) (Condition, error) {
	queries, err := query.Partial(ctx, rego.EvalParsedInput(input), rego.EvalParsedUnknowns(unknowns), rego.EvalRuleIndexing(false))
	if err := errors.Join(err, ctx.Err()); err != nil {
		return Condition{}, fmt.Errorf("policies: compiling a cohort: %w", err)
	}
	return condition.From(queries)
}

// classBits numbers the classes of parts, kind by kind, and makes a condition
// of every binary digit, for records that were given.
func classBits(parts []Part, class func(int) string) (out []Condition) {
	classes, members := map[string]map[string]int{}, map[string]map[int][]any{}
	for i, p := range parts {
		if classes[p.Kind] == nil {
			classes[p.Kind], members[p.Kind] = map[string]int{}, map[int][]any{}
		}
		n, known := classes[p.Kind][class(i)]
		if !known {
			n = len(classes[p.Kind])
			classes[p.Kind][class(i)] = n
		}
		for digit := range bits.Len(uint(n)) {
			if n>>digit&1 == 1 {
				members[p.Kind][digit] = append(members[p.Kind][digit], p.ID)
			}
		}
	}
	for _, kind := range sortedKeys(members) {
		for _, digit := range slices.Sorted(maps.Keys(members[kind])) {
			out = append(out, All(Compare("record.effect", OpEq, Given), Compare("record."+kind, OpIn, members[kind][digit])))
		}
	}
	return out
}
