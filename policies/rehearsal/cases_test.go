package rehearsal

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/policies"
)

// cases are questions near the edge of what is released: requests that pass or
// only just do not, and everything that comes of them when one part is changed,
// whatever part that is: of the request, the dataset, or the member's records.
func cases() (out []policies.Input) {
	seen := map[string]bool{}
	add := func(in policies.Input) {
		text, err := in.Canonical()
		if err == nil && !seen[string(text)] { // what the engine refuses to read is no question
			seen[string(text)] = true
			out = append(out, in)
		}
	}
	for i, in := range edges() {
		add(in)
		eachChange(in, add, func(name string) bool {
			return i < 3 && !strings.Contains(name, ".Limits.") || central.MatchString(name)
		})
	}
	for _, in := range conditioned() {
		add(in)
		eachChange(in, add, func(name string) bool { return conditional.MatchString(name) })
	}
	return out
}

// central are the parts that nearly every rule is about.
var central = regexp.MustCompile(`\.(DUO|DPV|Region|Reviewed|Commercial|RetentionDays|Effect|Expires|Withdrawn|Paused|Answer)$`)

// conditional are the parts that conditions are about.
var conditional = regexp.MustCompile(`\.(Study\..*|DUO|Kind|Requester\.ID|Institution|Commercial|RetentionDays|Reviewed|Request\.Time|Answer|Dataset\.Categories)$`)

// strictRecord is a record that allows just what the first story asks.
func strictRecord() policies.Record {
	return policies.Record{
		ID: "record", Effect: policies.Given, Scope: "pool", Purposes: []string{"DUO:0000006"}, RequesterKinds: []string{"university"},
		MinPriceMinor: 10_000, NotBefore: now - day, Expires: coop.Forever, Withdrawn: coop.Forever,
	}
}

// edges are the stories and what a member can make of them.
func edges() (out []policies.Input) {
	first := stories[0].question()
	first.Request.Study = policies.Study{}
	first.Request.ID, first.Request.Requester.ID, first.Dataset.ID, first.Dataset.Member = "request", "requester", "dataset", "member"
	with := func(change func(*policies.Input)) {
		in := first
		in.Records = []policies.Record{strictRecord()}
		change(&in)
		out = append(out, in)
	}
	rec := func(change func(*policies.Record)) func(*policies.Input) {
		return func(in *policies.Input) { change(&in.Records[0]) }
	}
	with(func(*policies.Input) {})
	with(rec(func(r *policies.Record) { r.DPV, r.Regions = []string{"AcademicResearch"}, []string{"EU"} }))
	with(rec(func(r *policies.Record) {
		r.Purposes, r.Except = []string{"DUO:0000042"}, []string{"DUO:0000011"}
		r.DPV, r.Regions = []string{"ResearchAndDevelopment"}, []string{"DE", "NO"}
	}))
	with(rec(func(r *policies.Record) { r.Effect, r.Purposes = policies.Refused, nil }))
	with(rec(func(r *policies.Record) { r.Effect, r.Purposes = policies.Refused, []string{"DUO:0000043"} }))
	with(rec(func(r *policies.Record) { r.Effect = policies.Withdrawn }))
	with(func(in *policies.Input) { // two records, one of them about something else
		other := strictRecord()
		other.Effect, other.Purposes, other.Withdrawn = policies.Refused, []string{"DUO:0000043"}, coop.Forever
		in.Records = append(in.Records, other)
	})
	with(func(in *policies.Input) { // two records, neither of which is enough alone
		in.Records = append(in.Records, strictRecord())
		in.Records[0].RequesterKinds, in.Records[1].Expires = []string{"company"}, now
	})
	with(func(in *policies.Input) { in.Records = nil })
	with(func(in *policies.Input) {
		in.Request.DPV, in.Request.Commercial, in.Request.Requester.Kind = "CommercialResearch", true, "company"
		in.Records = []policies.Record{agreeing()}
	})
	with(func(in *policies.Input) {
		in.Request.DUO, in.Request.Study.Kinds = "DUO:0000011", []string{"ancestry", "genetic"}
		in.Records = []policies.Record{agreeing()}
	})
	with(func(in *policies.Input) { in.Request.RetentionDays, in.Request.Reviewed = 3650, true })
	with(func(in *policies.Input) { in.Request.Pool, in.Dataset.Pool = "", "" })
	with(func(in *policies.Input) { in.Request.DUO, in.Request.DPV = "", "" })
	with(func(in *policies.Input) {
		in.Request.Requester.Vetted, in.Request.PriceMinor, in.Dataset.Closed = false, -1, now
	})
	for _, s := range stories[1:] {
		out = append(out, s.question())
	}
	return out
}

// conditioned are requests to members who make one condition, or two.
func conditioned() (out []policies.Input) {
	limits := []policies.Limits{
		{Diseases: []string{"MONDO:0005015"}}, {Studies: []string{"genetic", "methods"}}, {NoMethods: true}, {GeneticOnly: true},
		{NonProfitUse: true}, {Publication: true}, {Collaboration: true}, {Ethics: true}, {PublishFrom: now + 10}, {KeepDays: 365},
		{Users: []string{"requester", "another"}}, {Projects: []string{"p1"}}, {Institutions: []string{"i1"}}, {Return: true},
		{NoAncestry: true}, {NonProfit: true}, {NonCommercial: true}, {Categories: []string{"MedicalHealth"}}, {Ask: true},
		{Once: policies.OnceUnused}, {Once: policies.OnceUsed}, {Ask: true, Collaboration: true}, {Ethics: true, Publication: true},
	}
	for _, duo := range []string{"DUO:0000042", "DUO:0000007"} {
		for _, l := range limits {
			in := stories[0].question()
			in.Request.DUO, in.Request.Requester.ID = duo, "requester"
			in.Records[0].Limits = l
			out = append(out, in)
		}
	}
	both := stories[0].question()
	both.Records = append(both.Records, agreeing())
	both.Records[0].Limits = policies.Limits{Ask: true}
	return append(out, both)
}

// eachChange calls use with everything that comes of changing one of the parts
// that are wanted.
func eachChange(in policies.Input, use func(policies.Input), wanted func(name string) bool) {
	for i := range in.Records {
		without := in
		without.Records = slices.Delete(slices.Clone(in.Records), i, i+1)
		use(without)
	}
	for _, path := range leaves(reflect.TypeOf(in), len(in.Records)) {
		p := at(&in, path)
		if !wanted(p.name) {
			continue
		}
		for _, v := range variants(p) {
			changed := in
			changed.Records = slices.Clone(in.Records)
			at(&changed, path).value.Set(reflect.ValueOf(v))
			use(changed)
		}
	}
}

// place is a part of a question: its name in Go and its value.
type place struct {
	name  string
	value reflect.Value
	in    *policies.Input
}

// leaves lists the paths to everything that is no struct, with one for each
// record.
func leaves(t reflect.Type, records int) (out [][]int) {
	for i := range t.NumField() {
		switch f := t.Field(i); {
		case f.Type == reflect.TypeFor[[]policies.Record]():
			for r := range records {
				for _, rest := range leaves(f.Type.Elem(), 0) {
					out = append(out, append([]int{i, r}, rest...))
				}
			}
		case f.Type.Kind() == reflect.Struct:
			for _, rest := range leaves(f.Type, records) {
				out = append(out, append([]int{i}, rest...))
			}
		default:
			out = append(out, []int{i})
		}
	}
	return out
}

func at(in *policies.Input, path []int) place {
	p := place{value: reflect.ValueOf(in).Elem(), in: in}
	for _, i := range path {
		if p.value.Kind() == reflect.Slice {
			p.value = p.value.Index(i)
			continue
		}
		p.name += "." + p.value.Type().Field(i).Name
		p.value = p.value.Field(i)
	}
	return p
}

// words that may stand at a part, by the end of its name.
var words = []struct {
	end  string
	list []string
}{
	{"DUO", []string{"", "DUO:0000004", "DUO:0000099", "DUO:0000042", "DUO:0000006", "DUO:0000007", "DUO:0000011", "DUO:0000043"}},
	{"DPV", []string{"", "Purpose", "ResearchAndDevelopment", "Curiosity", "AcademicResearch", "CommercialResearch", "Marketing", "Personalisation", "SellDataToThirdParties"}},
	{"Kind", []string{"", "agency", "university", "public-body", "non-profit", "company"}},
	{"RequesterKinds", []string{"university", "company"}},
	{"Region", []string{"", "DE", "FR", "NO", "US", "JP", "EU"}},
	{"Regions", []string{"DE", "EU", "EEA", "WORLD", "US"}},
	{"Effect", []string{policies.Given, policies.Refused, policies.Withdrawn}},
	{"Pool", []string{"", "glucose", "wearables"}},
	{"Purposes", []string{"DUO:0000004", "DUO:0000042", "DUO:0000006", "DUO:0000007", "DUO:0000011", "DUO:0000043"}},
	{"Except", []string{"DUO:0000004", "DUO:0000042", "DUO:0000006", "DUO:0000007", "DUO:0000043"}},
	{"Disease", []string{"", "MONDO:0005015", "MONDO:0005148", "MONDO:0005066", "MONDO:9999999"}},
	{"Diseases", []string{"MONDO:0000001", "MONDO:0005015", "MONDO:0004992"}},
	{"Study.Kinds", []string{"genetic", "ancestry", "methods", "phenotype", "astrology"}},
	{"Studies", []string{"genetic", "ancestry", "methods"}},
	{"Project", []string{"", "p1", "p2"}},
	{"Projects", []string{"p1", "p2"}},
	{"Institution", []string{"", "i1", "i2"}},
	{"Institutions", []string{"i1", "i2"}},
	{"Requester.ID", []string{"", "requester", "another", "third"}},
	{"Users", []string{"requester", "third"}},
	{"Categories", []string{"PersonalData", "MedicalHealth", "PhysicalHealth", "HealthRecord", "Location", "Unheard"}},
	{"Answer", []string{"", policies.AnswerYes, policies.AnswerNo}},
	{"Once", []string{"", policies.OnceUnused, policies.OnceUsed}},
	{"ID", []string{"", "another"}},
	{"Member", []string{"", "another"}},
	{"Scope", []string{"", "dataset"}},
}

// variants are the values to try at a part.
func variants(p place) (out []any) {
	list := []string(nil)
	for _, w := range words {
		if strings.HasSuffix(p.name, "."+w.end) {
			list = w.list
			break
		}
	}
	switch v := p.value.Interface().(type) {
	case bool:
		return []any{!v}
	case int64:
		r := p.in.Request
		switch {
		case strings.HasSuffix(p.name, "Minor"):
			return []any{int64(-1), int64(0), r.PriceMinor - 1, r.PriceMinor, r.PriceMinor + 1}
		case strings.HasSuffix(p.name, "Days"):
			return []any{int64(-1), int64(0), int64(1), r.RetentionDays - 1, r.RetentionDays + 1, policies.MaxRetentionDays(), policies.MaxRetentionDays() + 1}
		}
		return []any{int64(0), int64(1), now - 1, now, now + 1, now + 9, now + 10, coop.Forever}
	case string:
		for _, s := range list {
			out = append(out, s)
		}
	case []string:
		out = append(out, []string(nil), list)
		for i, s := range list {
			out = append(out, []string{s}, append(slices.Clone(v), s))
			if i > 0 {
				out = append(out, []string{list[i-1], s})
			}
		}
	}
	return out
}

func TestCasesAreNearTheEdge(t *testing.T) {
	j := newJudge(t)
	count := map[verdict]int{}
	parts := map[string]bool{}
	for _, out := range j.answers {
		count[verdictOf(out)]++
		for _, r := range out.Reasons {
			parts[r.Code] = true
		}
	}
	t.Logf("%d released, %d wait, %d refused, for %d reasons", count[released], count[waits], count[refused], len(parts))
	if count[released] < 500 || count[waits] < 100 || count[refused] < 500 || len(parts) < 30 {
		t.Error("the cases are lopsided")
	}
	in := edges()[0]
	for _, path := range leaves(reflect.TypeOf(in), 1) {
		if p := at(&in, path); len(variants(p)) == 0 {
			t.Errorf("%s is never changed", p.name)
		}
	}
}
