package policies

import (
	"encoding/csv"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"distributed.ai/datacoop/internal/coop"
)

// The golden set, testdata/duo_golden.csv, pairs what a dataset's terms say with
// what a request says, and what must follow from the definitions of the Data Use
// Ontology. Both sides are written in the ontology's shorthands:
//
//	dataset  NRES GRU HMB DS=codes POA CC, and IRB PUB COL RTN NMDS GSO NPOA NPU
//	         NCU NPUNCU RS=kinds GS=regions MOR=days from now TS=months US=users
//	         PS=projects IS=institutions
//	request  one of GRU HMB DS=code POA CC, and kinds= ethics publishes
//	         publish=days from now returns collaborates project= kind= commercial
//	         from=country user= institution= keep=days reviewed answered=yes or no
//
// A request that says nothing of it is a university's in Germany, not
// commercial, for thirty days.
type golden struct {
	id, term, rule, dataset, request, expected, who, reason, rationale string
}

func readGolden(t *testing.T) []golden {
	t.Helper()
	f, err := os.Open("testdata/duo_golden.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []golden
	for _, r := range rows[1:] {
		out = append(out, golden{r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8]})
	}
	return out
}

func codeOf(t *testing.T, shorthand string) string {
	t.Helper()
	for _, term := range coop.DUOTerms() {
		if term.Shorthand == shorthand {
			return term.Code
		}
	}
	t.Fatalf("%q is no shorthand", shorthand)
	return ""
}

func whole(t *testing.T, s string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// ask is the question a row is about.
func (g golden) ask(t *testing.T) Input {
	t.Helper()
	in := released()
	in.Request.DUO, in.Request.RetentionDays = "", 30
	record := Record{ID: "record", Effect: Given, Scope: "pool", RequesterKinds: terms.Kinds, Commercial: true,
		NotBefore: testNow - testDay, Expires: coop.Forever, Withdrawn: coop.Forever}
	for word := range strings.FieldsSeq(g.dataset) {
		name, value, _ := strings.Cut(word, "=")
		g.limit(t, &record, name, value)
	}
	for word := range strings.FieldsSeq(g.request) {
		name, value, valued := strings.Cut(word, "=")
		if name == "answered" {
			record.Answer = value
			continue
		}
		g.say(t, &in.Request, name, value, valued)
	}
	in.Records = []Record{record}
	return in
}

func (g golden) limit(t *testing.T, r *Record, name, value string) {
	t.Helper()
	l, list := &r.Limits, strings.Split(value, "|")
	flags := map[string]*bool{"IRB": &l.Ethics, "PUB": &l.Publication, "COL": &l.Collaboration, "RTN": &l.Return, "NMDS": &l.NoMethods,
		"GSO": &l.GeneticOnly, "NPOA": &l.NoAncestry, "NPU": &l.NonProfit, "NCU": &l.NonCommercial, "NPUNCU": &l.NonProfitUse}
	lists := map[string]*[]string{"RS": &l.Studies, "GS": &r.Regions, "US": &l.Users, "PS": &l.Projects, "IS": &l.Institutions}
	switch {
	case flags[name] != nil:
		*flags[name] = true
	case lists[name] != nil:
		*lists[name] = list
	case name == "MOR":
		l.PublishFrom = testNow + whole(t, value)*testDay
	case name == "TS":
		l.KeepDays = whole(t, value) * 365 / 12
	default:
		r.Purposes = append(r.Purposes, codeOf(t, name))
		if name == "DS" {
			l.Diseases = list
		}
	}
}

func (g golden) say(t *testing.T, r *Request, name, value string, valued bool) {
	t.Helper()
	s := &r.Study
	flags := map[string]*bool{"ethics": &s.Ethics, "publishes": &s.Publishes, "returns": &s.Returns, "collaborates": &s.Collaborates,
		"commercial": &r.Commercial, "reviewed": &r.Reviewed}
	texts := map[string]*string{"project": &s.Project, "kind": &r.Requester.Kind, "from": &r.Requester.Region, "user": &r.Requester.ID,
		"institution": &r.Requester.Institution}
	switch {
	case flags[name] != nil:
		*flags[name] = true
	case texts[name] != nil:
		*texts[name] = value
	case name == "kinds":
		s.Kinds = strings.Split(value, "|")
	case name == "publish":
		s.PublishFrom = testNow + whole(t, value)*testDay
	case name == "keep":
		r.RetentionDays = whole(t, value)
	default:
		if r.DUO != "" || valued && name != "DS" {
			t.Fatalf("row %s: %q", g.id, g.request)
		}
		r.DUO, s.Disease = codeOf(t, name), value
	}
}

func TestGoldenSetOfTheDataUseOntology(t *testing.T) {
	rows, revision := readGolden(t), compiled(t, Default())
	counts, cited := map[string]int{}, map[string]bool{}
	for _, g := range rows {
		in := g.ask(t)
		out, err := revision.Decide(t.Context(), in)
		if err != nil {
			t.Fatalf("row %s: %v", g.id, err)
		}
		explained(t, out)
		got, who := "refuse", strings.Join(out.Asks, "+")
		switch {
		case out.Allow:
			got = "permit"
		case out.NeedsReview:
			got = "people"
		}
		if who == "member+steward" {
			who = "both"
		}
		told := g.reason == "" && out.Allow || slices.ContainsFunc(out.Reasons, func(r Reason) bool { return r.Code == g.reason })
		if got != g.expected || who != g.who || !told {
			t.Errorf("row %s, %s against %s: %s (%s) %v; wanted %s (%s) because %s", g.id, g.request, g.dataset, got, who, out.Reasons, g.expected, g.who, g.rationale)
		}
		if g.rule == "" || g.rationale == "" {
			t.Errorf("row %s gives no reason", g.id)
		}
		counts[g.expected]++
		cited[g.term] = true
	}
	if len(rows) < 200 || counts["people"] < 20 || counts["refuse"] < 100 || counts["permit"] < 100 {
		t.Errorf("the set is lopsided: %v", counts)
	}
	for _, term := range coop.DUOTerms() {
		if term.Role != coop.DUOHeading && !cited[term.Code] {
			t.Errorf("no row is about %s, %s", term.Code, term.Label)
		}
	}
}
