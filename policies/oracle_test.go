package policies

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"distributed.ai/datacoop/internal/coop"
)

const (
	testNow = int64(1_767_225_600_000)
	testDay = int64(86_400_000)
)

// released is a question that the default law answers with yes.
func released() Input {
	return Input{
		Request: Request{
			ID: "request", Pool: "wearables", DUO: "DUO:0000006", DPV: "AcademicResearch",
			PriceMinor: 500, RetentionDays: 365, Time: testNow,
			Requester: Requester{ID: "requester", Kind: "university", Vetted: true, Region: "DE"},
		},
		Dataset: Dataset{
			ID: "dataset", Member: "member", Pool: "wearables", Categories: []string{"HealthRecord"},
			Region: "DE", Sealed: testNow - testDay, Closed: coop.Forever,
		},
		Records: []Record{consenting()},
	}
}

func consenting() Record {
	return Record{
		ID: "record", Effect: Given, Scope: "pool", Purposes: []string{"DUO:0000006"},
		RequesterKinds: []string{"university"}, MinPriceMinor: 500,
		NotBefore: testNow - testDay, Expires: coop.Forever, Withdrawn: coop.Forever,
	}
}

// changes are small steps away from (and back to) a released question, many of
// them one unit beyond an edge.
var changes = func() map[string]func(*Input) {
	out := map[string]func(*Input){
		"unvetted":       func(in *Input) { in.Request.Requester.Vetted = false },
		"commercial":     func(in *Input) { in.Request.Commercial = true },
		"reviewed":       func(in *Input) { in.Request.Reviewed = true },
		"other pool":     func(in *Input) { in.Dataset.Pool = "glucose" },
		"sealed now":     func(in *Input) { in.Dataset.Sealed = testNow },
		"sealed later":   func(in *Input) { in.Dataset.Sealed = testNow + 1 },
		"closed now":     func(in *Input) { in.Dataset.Closed = testNow },
		"closed later":   func(in *Input) { in.Dataset.Closed = testNow + 1 },
		"no record":      func(in *Input) { in.Records = nil },
		"second record":  func(in *Input) { in.Records = append(in.Records, consenting()) },
		"second refusal": func(in *Input) { in.Records = append(in.Records, Record{Effect: Refused}) },
		"other refusal": func(in *Input) {
			in.Records = append(in.Records, Record{Effect: Refused, Purposes: []string{"DUO:0000043"}, Withdrawn: coop.Forever})
		},
		"no requirements": func(in *Input) { in.eachRecord(func(r *Record) { r.RequesterKinds = nil }) },
		"all kinds":       func(in *Input) { in.eachRecord(func(r *Record) { r.RequesterKinds = terms.Kinds }) },
		"allow commerce":  func(in *Input) { in.eachRecord(func(r *Record) { r.Commercial = true }) },
		"paused":          func(in *Input) { in.eachRecord(func(r *Record) { r.Paused = true }) },
		"withdrawn":       func(in *Input) { in.eachRecord(func(r *Record) { r.Effect = Withdrawn }) },
		"refused":         func(in *Input) { in.eachRecord(func(r *Record) { r.Effect = Refused }) },
	}
	for _, n := range []int64{-1, 0, 1, 3650, 3651} {
		out["retention"+coop.Money(n).Decimal("JPY")] = func(in *Input) { in.Request.RetentionDays = n }
	}
	for _, n := range []int64{-1, 0, 499, 500, 501} {
		out["price"+coop.Money(n).Decimal("JPY")] = func(in *Input) { in.Request.PriceMinor = n }
		out["floor"+coop.Money(n).Decimal("JPY")] = func(in *Input) { in.eachRecord(func(r *Record) { r.MinPriceMinor = n }) }
	}
	for i, at := range []int64{0, testNow - 1, testNow, testNow + 1} {
		step := string(rune('0' + i))
		out["from"+step] = func(in *Input) { in.eachRecord(func(r *Record) { r.NotBefore = at }) }
		out["until"+step] = func(in *Input) { in.eachRecord(func(r *Record) { r.Expires = at }) }
		out["withdrawn"+step] = func(in *Input) { in.eachRecord(func(r *Record) { r.Withdrawn = at }) }
	}
	for _, duo := range append([]string{"", "DUO:0000099", "DUO:0000004"}, terms.DUO.Requestable...) {
		out["ask "+duo] = func(in *Input) { in.Request.DUO = duo }
		out["allow "+duo] = func(in *Input) { in.eachRecord(func(r *Record) { r.Purposes = []string{duo} }) }
		out["except "+duo] = func(in *Input) { in.eachRecord(func(r *Record) { r.Except = []string{duo} }) }
	}
	for _, dpv := range append([]string{"", "Curiosity", "ResearchAndDevelopment"}, terms.DPV.Requestable...) {
		out["ask "+dpv] = func(in *Input) { in.Request.DPV = dpv }
		out["allow "+dpv] = func(in *Input) { in.eachRecord(func(r *Record) { r.DPV = []string{dpv} }) }
	}
	for _, kind := range append([]string{"", "agency"}, terms.Kinds...) {
		out["asks "+kind] = func(in *Input) { in.Request.Requester.Kind = kind }
	}
	for _, region := range []string{"", "US", "NO", "FR", "EU", "EEA"} {
		out["from "+region] = func(in *Input) { in.Request.Requester.Region = region }
		out["only "+region] = func(in *Input) { in.eachRecord(func(r *Record) { r.Regions = []string{region} }) }
	}
	return out
}()

func (in *Input) eachRecord(change func(*Record)) {
	in.Records = slices.Clone(in.Records)
	for i := range in.Records {
		change(&in.Records[i])
	}
}

// anyInput draws a question a few changes away from a released one.
func anyInput(t *rapid.T) Input {
	in := released()
	for _, name := range rapid.SliceOfN(rapid.SampledFrom(sortedKeys(changes)), 0, 4).Draw(t, "changes") {
		changes[name](&in)
	}
	return in
}

// oracle is the law once more, by hand, sharing nothing with the Rego but the
// closures of the terms.
func oracle(in Input) bool {
	r := in.Request
	for _, record := range in.Records {
		touched := len(record.Purposes) == 0 || slices.ContainsFunc(record.Purposes, func(p string) bool { return Touches(p, r.DUO) })
		switch {
		case record.Paused, record.Effect == Withdrawn, record.Withdrawn <= r.Time,
			record.Effect == Refused && touched,
			record.Effect == Given && slices.ContainsFunc(record.Except, func(p string) bool { return Touches(p, r.DUO) }):
			return false
		}
	}
	return r.Requester.Vetted && slices.Contains(terms.Kinds, r.Requester.Kind) &&
		slices.Contains(terms.DUO.Requestable, r.DUO) && slices.Contains(terms.DPV.Requestable, r.DPV) &&
		!slices.Contains(Forbidden(), r.DPV) &&
		(r.Commercial || !coop.Purpose{DPV: r.DPV}.Commercial()) &&
		r.PriceMinor >= 0 && r.RetentionDays >= 1 && r.RetentionDays <= MaxRetentionDays() &&
		r.Pool != "" && r.Pool == in.Dataset.Pool &&
		in.Dataset.Sealed > 0 && in.Dataset.Sealed <= r.Time && r.Time < in.Dataset.Closed &&
		slices.ContainsFunc(in.Records, func(record Record) bool { return agrees(record, r) })
}

func agrees(record Record, r Request) bool {
	region := func(term string) bool {
		return term == r.Requester.Region || slices.Contains(terms.Covering["region"][r.Requester.Region], term)
	}
	use := func(term string) bool { return slices.Contains(terms.Covering["dpv"][r.DPV], term) }
	return record.Effect == Given && record.NotBefore <= r.Time && r.Time < record.Expires &&
		slices.ContainsFunc(record.Purposes, func(p string) bool { return Covers(p, r.DUO) }) &&
		(len(record.DPV) == 0 || slices.ContainsFunc(record.DPV, use)) &&
		slices.Contains(record.RequesterKinds, r.Requester.Kind) &&
		(len(record.Regions) == 0 || slices.ContainsFunc(record.Regions, region)) &&
		(record.Commercial || !r.Commercial) && record.MinPriceMinor <= r.PriceMinor
}

func compiled(t testing.TB, text []byte) *Revision {
	t.Helper()
	r, err := Compile(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// explained fails if a refusal has no reason or a release has one.
func explained(t interface{ Fatalf(string, ...any) }, out Outcome) {
	if out.Allow != (len(out.Reasons) == 0) || (out.Allow && out.NeedsReview) {
		t.Fatalf("allow %v with reasons %v", out.Allow, out.Reasons)
	}
	for _, r := range out.Reasons {
		if r.Code == "" || r.Sentence == "" || !slices.Contains([]string{LayerBase, LayerCoop, LayerMember}, r.Layer) {
			t.Fatalf("a reason that explains nothing: %+v", r)
		}
		if r.Code == CodeUnexplained || r.Code == CodeUnavailable {
			t.Fatalf("the law has no reason of its own: %+v", r)
		}
	}
}

func TestEveryChangeAloneIsDecidedAsByHand(t *testing.T) {
	revision := compiled(t, Default())
	yes := 0
	for name, change := range changes {
		in := released()
		change(&in)
		out, err := revision.Decide(t.Context(), in)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if explained(t, out); out.Allow != oracle(in) {
			t.Errorf("%s: law %v, by hand %v: %v", name, out.Allow, oracle(in), out.Reasons)
		}
		if out.Allow {
			yes++
		}
	}
	if refusals := len(changes) - yes; yes < 10 || refusals <= yes {
		t.Errorf("%d releases, %d refusals: the changes are lopsided", yes, refusals)
	}
}

func TestAnyChangesAreDecidedAsByHand(t *testing.T) {
	revision := compiled(t, Default())
	rapid.Check(t, func(t *rapid.T) {
		in := anyInput(t)
		out, err := revision.Decide(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		if explained(t, out); out.Allow != oracle(in) {
			t.Fatalf("law %v, by hand %v: %+v", out.Allow, oracle(in), out.Reasons)
		}
	})
}

// A vote can only narrow: whatever passes under voted law passes without it.
func TestVotedLawOnlyNarrows(t *testing.T) {
	var voted []*Revision
	for _, condition := range []string{
		"input.request.commercial", "input.request.price_minor < 501", "not input.request.requester.region in {\"FR\"}",
		"input.request.requester.vetted == false", "count(input.dataset.categories) == 0",
	} {
		text, err := Format([]byte(law(ban(condition))))
		if err != nil {
			t.Fatal(err)
		}
		voted = append(voted, compiled(t, text))
	}
	rapid.Check(t, func(t *rapid.T) {
		in := anyInput(t)
		for _, r := range voted {
			out, err := r.Decide(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			if explained(t, out); out.Allow && !oracle(in) {
				t.Fatalf("released what base law or the member refuses")
			}
		}
	})
}
