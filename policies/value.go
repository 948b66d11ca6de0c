package policies

import (
	"encoding/json"
	"strconv"

	"github.com/open-policy-agent/opa/v1/ast"
)

// value builds what OPA evaluates straight from the typed input, so that no
// field can be missing. It says the same as Canonical, and also what Canonical
// leaves out because it says nothing; a test compares them.
func (in Input) value() ast.Value {
	records := make([]*ast.Term, 0, len(in.Records))
	for _, r := range in.Records {
		records = append(records, r.term())
	}
	return ast.NewObject(
		field("request", in.Request.term()),
		field("dataset", in.Dataset.term()),
		field("records", ast.ArrayTerm(records...)),
	)
}

func (r Request) term() *ast.Term {
	return ast.ObjectTerm(
		text("id", r.ID),
		text("pool", r.Pool),
		field("requester", r.Requester.term()),
		text("duo", r.DUO),
		text("dpv", r.DPV),
		truth("commercial", r.Commercial),
		number("price_minor", r.PriceMinor),
		number("retention_days", r.RetentionDays),
		truth("reviewed", r.Reviewed),
		field("study", r.Study.term()),
		number("time", r.Time),
	)
}

func (r Requester) term() *ast.Term {
	return ast.ObjectTerm(
		text("id", r.ID),
		text("kind", r.Kind),
		truth("vetted", r.Vetted),
		text("region", r.Region),
		text("institution", r.Institution),
	)
}

func (d Dataset) term() *ast.Term {
	return ast.ObjectTerm(
		text("id", d.ID),
		text("member", d.Member),
		text("pool", d.Pool),
		texts("categories", d.Categories),
		text("region", d.Region),
		number("sealed", d.Sealed),
		number("closed", d.Closed),
	)
}

func (r Record) term() *ast.Term {
	return ast.ObjectTerm(
		text("id", r.ID),
		text("effect", r.Effect),
		text("scope", r.Scope),
		texts("purposes", r.Purposes),
		texts("except", r.Except),
		texts("dpv", r.DPV),
		texts("requester_kinds", r.RequesterKinds),
		texts("regions", r.Regions),
		truth("commercial", r.Commercial),
		number("min_price_minor", r.MinPriceMinor),
		number("not_before", r.NotBefore),
		number("expires", r.Expires),
		number("withdrawn", r.Withdrawn),
		truth("paused", r.Paused),
		field("limits", r.Limits.term()),
		text("answer", r.Answer),
	)
}

func field(name string, value *ast.Term) [2]*ast.Term {
	return [2]*ast.Term{ast.InternedTerm(name), value}
}

func text(name, value string) [2]*ast.Term { return field(name, ast.StringTerm(value)) }

func truth(name string, value bool) [2]*ast.Term { return field(name, ast.InternedTerm(value)) }

func number(name string, value int64) [2]*ast.Term {
	return field(name, ast.NumberTerm(json.Number(strconv.FormatInt(value, 10))))
}

func texts(name string, values []string) [2]*ast.Term {
	terms := make([]*ast.Term, 0, len(values))
	for _, v := range values {
		terms = append(terms, ast.StringTerm(v))
	}
	return field(name, ast.ArrayTerm(terms...))
}
