package consent

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/consent/terms"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

// dice are random and the same every time.
type dice struct{ *rand.Rand }

func roll(seed uint64) dice { return dice{rand.New(rand.NewPCG(seed, 7))} }

func (d dice) one(of ...string) string { return of[d.IntN(len(of))] }

func (d dice) some(most int, of ...string) []string {
	out := []string{}
	for _, s := range of {
		if len(out) < most && d.IntN(len(of)) < most {
			out = append(out, s)
		}
	}
	return out
}

func (d dice) in(n int) bool { return d.IntN(n) == 0 }

var (
	studyKinds   = []string{"genetic", "phenotype", "methods", "ancestry", "population-health"}
	someDiseases = []string{"MONDO:0004992", "MONDO:0007254", "MONDO:0005015", "MONDO:0005148"}
	someRegions  = []string{"DE", "FR", "AT", "US", "EU", "EEA"}
)

// wishes are terms a member could have, though the forms would not take all.
func (d dice) wishes() Terms {
	t := Terms{
		Effect: Given, Purposes: d.some(3, codes(coop.DUOPurposes())...), RequesterKinds: d.some(3, codes(coop.RequesterKinds())...),
		Commercial: d.in(2), MinPrice: coop.Money(500 * d.IntN(3)),
	}
	if d.in(2) {
		t.Purposes = []string{"DUO:0000004"}
	}
	if d.in(4) {
		t.Except = d.some(1, codes(coop.DUOPurposes())...)
	}
	if d.in(4) {
		t.DPV = d.some(3, "AcademicResearch", "CommercialResearch", "ImproveHealthcare", "NonCommercialResearch")
	}
	if d.in(4) {
		t.Regions = d.some(2, someRegions...)
	}
	if d.in(3) {
		d.conditions(&t)
	}
	return t
}

func (d dice) conditions(t *Terms) {
	t.Conditions = d.some(2, "DUO:0000015", "DUO:0000016", "DUO:0000018", "DUO:0000019", "DUO:0000020", "DUO:0000021", "DUO:0000029",
		"DUO:0000044", "DUO:0000045", "DUO:0000046")
	t.Mode = d.one("", "", ModeStanding, ModeAsk, ModeOnce)
	t.Diseases = d.some(1, someDiseases...)
	t.KeepMonths = int64(d.IntN(3) * 6)
	switch d.IntN(6) {
	case 0:
		t.Studies = d.some(2, studyKinds...)
	case 1:
		t.Projects = []string{"P-1"}
	case 2:
		t.Institutions = []string{"https://ror.org/1"}
	case 3:
		t.Categories = d.some(2, "MedicalHealth", "Location", "DNACode")
	case 4:
		t.PublishFrom = "2026-03-03"
	case 5:
		t.Users = []string{string(asker)}
	}
}

const asker coop.ResearcherID = "019f0000-0000-7000-8000-000000000001"

// nation fills a pool: members who shared once or twice, answered or not, for
// the pool and for datasets, changed their minds, withdrew, paused and left. It
// returns the moments at which something begins or ends.
func (h *house) nation(d dice, members int) (edges []int64) {
	h.t.Helper()
	h.update(func(tx *db.Tx) error {
		for range members {
			m := newMember()
			for range 1 + d.IntN(2) {
				more, err := h.person(tx, d, m)
				if err != nil {
					return err
				}
				edges = append(edges, more...)
			}
			if d.in(12) {
				if err := h.SetPausedTx(tx, m, true); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return edges
}

func (h *house) person(tx *db.Tx, d dice, m coop.MemberID) (edges []int64, err error) {
	ds, now := coop.DatasetID(coop.NewID()), h.now()
	e := Enrolment{Dataset: ds, Member: m, Pool: "wearables", Region: d.one("DE", "DE", "FR", "US", ""), Sealed: now - int64(d.IntN(3)),
		Categories: d.some(2, "PhysicalHealth", "Location", "DNACode")}
	if err := h.Enrol(tx, e); err != nil {
		return nil, err
	}
	for range d.IntN(4) {
		at := scope{m, "wearables", ""}
		if d.in(2) {
			at.dataset = ds
		}
		r := Record{Terms: d.wishes().Normal(), effect: policies.Given, NotBefore: now - int64(d.IntN(3)), Expires: coop.Forever, WithdrawnAt: coop.Forever}
		switch d.IntN(9) {
		case 8:
			if at.dataset != "" {
				r.effect, r.WithdrawnAt = StateAsPool, now
			}
		case 0:
			r.effect, r.Terms = policies.Refused, Terms{Effect: Refused}.Normal()
		case 1:
			r.effect, r.WithdrawnAt = policies.Withdrawn, now
		case 2:
			r.NotBefore = now + int64(d.IntN(5000))
		case 3:
			r.effect, r.WithdrawnAt = policies.Given, now+int64(d.IntN(5000)) // no form makes one
		}
		if d.in(3) {
			r.Expires = now + int64(d.IntN(5000))
		}
		r.Effect = d.one(Given, Refused)
		if r, err = h.append(tx, at, r); err != nil {
			return nil, err
		}
		edges = append(edges, r.NotBefore, r.Expires, r.WithdrawnAt)
		if r.Mode == ModeOnce && d.in(2) {
			if err := useUp(tx, Decision{Dataset: ds, Member: m, Pool: "wearables", once: []string{r.ID}}); err != nil {
				return nil, err
			}
		}
	}
	if d.in(10) {
		return edges, h.Close(tx, ds, time.UnixMilli(now+int64(d.IntN(5000))))
	}
	return edges, nil
}

// anyAsk asks at, just before or just after a moment, and around prices.
func (d dice) anyAsk() Ask {
	a := Ask{
		Request:    coop.RequestID(coop.NewID()),
		Researcher: Requester{ID: asker, Kind: d.one(codes(coop.RequesterKinds())...), Vetted: !d.in(8), Region: d.one("DE", "FR", "AT", "US", ""), Institution: d.one("", "https://ror.org/1")},
		Pool:       "wearables",
		Purpose:    coop.Purpose{DUO: d.one(codes(coop.DUOPurposes())...), DPV: d.one("AcademicResearch", "AcademicResearch", "NonCommercialResearch", "CommercialResearch", "ImproveHealthcare")},
		Price:      coop.Money(500*d.IntN(3) + d.IntN(3)), RetentionDays: []int64{30, 182, 183, 365, 366}[d.IntN(5)],
		Reviewed: d.in(3),
	}
	if d.in(2) {
		a.Study = policies.Study{Kinds: d.some(2, studyKinds...), Ethics: d.in(2), Publishes: d.in(2), Returns: d.in(2), Collaborates: d.in(2), Project: d.one("", "P-1"),
			PublishFrom: []int64{0, terms.Day("2026-03-03"), terms.Day("2026-03-03") - 1}[d.IntN(3)]}
	}
	if d.in(2) { // one that many allow
		a.Researcher.Kind, a.Researcher.Vetted, a.Purpose, a.Price = "university", true, coop.Purpose{DUO: "DUO:0000006", DPV: "AcademicResearch"}, 1000
		a.Study.Kinds = nil
	}
	if a.Purpose.DUO == "DUO:0000007" && !d.in(8) {
		a.Study.Disease = d.one(append([]string{"MONDO:9999999"}, someDiseases...)...)
	}
	return a
}

// mutant is an access policy within the fragment: a few rules, each one small
// change away from the others.
func (d dice) mutant(t testing.TB) *policies.Revision {
	t.Helper()
	conditions := []string{
		`input.request.requester.vetted == %[1]s`, `input.request.commercial == %[1]s`, `input.dataset.region == %[2]s`,
		`input.dataset.region != %[2]s`, `input.dataset.region in [%[2]s, "AT"]`, `not input.dataset.region in [%[2]s, "AT"]`,
		`not input.dataset.region == %[2]s`, `input.dataset.region != input.request.requester.region`,
		`input.dataset.region in data.terms.covering.region[%[2]s]`, `"EU" in data.terms.covering.region[input.dataset.region]`,
		`"Location" in input.dataset.categories`, `count(input.dataset.categories) > %[3]d`, `not "DNACode" in input.dataset.categories`,
		`input.request.price_minor < %[4]d`, `input.request.price_minor <= %[4]d`, `input.request.retention_days > 182`,
		`input.request.requester.kind == "company"`, `not local`, `local`, `not input.request.requester.region == %[2]s`,
	}
	var text strings.Builder
	text.WriteString("package coop.access\n")
	for i := range 2 + d.IntN(3) {
		rule := d.one("forbid", "forbid", "review", "obligation")
		if i == 0 {
			rule = "forbid"
		}
		fmt.Fprintf(&text, "\n%s contains {\"code\": \"voted-%s-%d\", \"sentence\": \"The members voted about this.\"} if {\n", rule, rule, i)
		for _, c := range []string{d.one(conditions...), d.one(conditions...), d.one(conditions...)}[d.IntN(2):] {
			line := fmt.Sprintf(c, d.one("true", "false"), `"`+d.one("DE", "FR", "US")+`"`, d.IntN(3), 499+d.IntN(3))
			text.WriteString("\t" + line[:strings.Index(line+"%!(EXTRA", "%!(EXTRA")] + "\n")
		}
		text.WriteString("\tinput.request.pool == \"wearables\"\n}\n")
	}
	if strings.Contains(text.String(), "local\n") {
		text.WriteString("\nlocal if input.dataset.region == input.request.requester.region\n\nlocal if input.dataset.region == \"DE\"\n")
	}
	laid, err := policies.Format([]byte(text.String()))
	if err != nil {
		t.Fatalf("%v\n%s", err, text.String())
	}
	law, err := policies.Compile(t.Context(), laid)
	if err != nil {
		t.Fatalf("%v\n%s", err, laid)
	}
	return law
}

// agrees compares what a cohort records, and the figures of a dry run, with the
// law asked about each dataset by itself, and says how they differ.
func (h *house) agrees(a Ask, law *policies.Revision) (granted int, err error) {
	h.engine.Swap(law)
	want, sum := h.check(a, law), must[Tally](h.t)(h.Tally(h.t.Context(), a, law))
	passing := must[[]Passing](h.t)(h.Passing(h.t.Context(), []Ask{a}, law))[0]
	if got := (Passing{len(want.Granted), want.Members}); passing != got {
		return 0, fmt.Errorf("%+v pass, %+v by law", passing, got)
	}
	if !reflect.DeepEqual(sum, want.Tally) {
		return 0, fmt.Errorf("the filter counts %+v, the law %+v", sum, want.Tally)
	}
	got := h.decideCohort(a)
	if !reflect.DeepEqual(got.Tally, want.Tally) || !strings.HasPrefix(got.Filter, "[") {
		return 0, fmt.Errorf("the cohort counts %+v, the law %+v, by %.20s", got.Tally, want.Tally, got.Filter)
	}
	all, recorded := want.all(), got.all()
	if len(all) != len(recorded) {
		return 0, fmt.Errorf("%d datasets recorded, %d by law", len(recorded), len(all))
	}
	for i, d := range all {
		if !reflect.DeepEqual(recorded[i].said(), d.said()) {
			return 0, fmt.Errorf("the cohort says %+v, the law %+v of %s", recorded[i], d, d.input)
		}
	}
	return len(want.Granted), nil
}

// The filter is the law: whatever members have said, whatever was voted and
// whatever is asked, at every edge of time, it answers for every dataset as the
// law does, with the same reasons, duties and people to ask.
func TestFilterIsTheLaw(t *testing.T) {
	h, d := open(t), roll(2026)
	edges := h.nation(d, 40)
	granted, decided, compared, begun := 0, 0, 0, h.clock.Now()
	for range 8 {
		law := d.mutant(t)
		for range 3 {
			moment := edges[d.IntN(len(edges))] + int64(d.IntN(3)) - 1
			if moment < coop.Forever-2 {
				h.clock.Advance(time.UnixMilli(moment).Sub(h.clock.Now()))
			}
			n, err := h.agrees(d.anyAsk(), law)
			if err != nil {
				t.Fatalf("after %d comparisons: %v", compared, err)
			}
			granted, compared = granted+n, compared+1
			h.clock.Advance(begun.Sub(h.clock.Now()))
		}
	}
	if granted < 20 || compared != 24 {
		t.Errorf("%d released in %d comparisons: the property was not tried", granted, compared)
	}
	if decided = must[int](t)(h.ReplayAll(t.Context())); decided < 24*40 {
		t.Errorf("%d replayed", decided)
	}
	t.Logf("%d laws, %d requests at the edges of time, %d decisions compared and replayed, %d released", 8, compared, decided, granted)
}
