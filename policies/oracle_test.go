package policies

import (
	"reflect"
	"slices"
	"strings"
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
	for name, change := range limitChanges() {
		out[name] = change
	}
	return out
}()

// limitChanges are conditions members make, and what requests say about them.
func limitChanges() map[string]func(*Input) {
	limit := func(change func(*Limits)) func(*Input) {
		return func(in *Input) { in.eachRecord(func(r *Record) { change(&r.Limits) }) }
	}
	study := func(change func(*Study)) func(*Input) { return func(in *Input) { change(&in.Request.Study) } }
	out := map[string]func(*Input){
		"limit methods":       limit(func(l *Limits) { l.NoMethods = true }),
		"limit genetic":       limit(func(l *Limits) { l.GeneticOnly = true }),
		"limit profit":        limit(func(l *Limits) { l.NonProfitUse = true }),
		"limit publication":   limit(func(l *Limits) { l.Publication = true }),
		"limit collaboration": limit(func(l *Limits) { l.Collaboration = true }),
		"limit ethics":        limit(func(l *Limits) { l.Ethics = true }),
		"limit return":        limit(func(l *Limits) { l.Return = true }),
		"limit ancestry":      limit(func(l *Limits) { l.NoAncestry = true }),
		"limit organisation":  limit(func(l *Limits) { l.NonProfit = true }),
		"limit commerce":      limit(func(l *Limits) { l.NonCommercial = true }),
		"limit ask":           limit(func(l *Limits) { l.Ask = true }),
		"limit once":          limit(func(l *Limits) { l.Once = OnceUnused }),
		"limit once used":     limit(func(l *Limits) { l.Once = OnceUsed }),
		"limit users":         limit(func(l *Limits) { l.Users = []string{"requester"} }),
		"limit other users":   limit(func(l *Limits) { l.Users = []string{"somebody"} }),
		"limit projects":      limit(func(l *Limits) { l.Projects = []string{"p1"} }),
		"limit institutions":  limit(func(l *Limits) { l.Institutions = []string{"i1"} }),
		"limit studies":       limit(func(l *Limits) { l.Studies = []string{"genetic", "methods"} }),
		"limit categories":    limit(func(l *Limits) { l.Categories = []string{"MedicalHealth"} }),
		"limit other data":    limit(func(l *Limits) { l.Categories = []string{"Financial"} }),
		"limit diabetes":      limit(func(l *Limits) { l.Diseases = []string{"MONDO:0005015"} }),
		"limit cancer":        limit(func(l *Limits) { l.Diseases = []string{"MONDO:0004992"} }),
		"study ethics":        study(func(s *Study) { s.Ethics = true }),
		"study publishes":     study(func(s *Study) { s.Publishes = true }),
		"study returns":       study(func(s *Study) { s.Returns = true }),
		"study collaborates":  study(func(s *Study) { s.Collaborates = true }),
		"study project":       study(func(s *Study) { s.Project = "p1" }),
		"study type 2":        study(func(s *Study) { s.Disease = "MONDO:0005148" }),
		"study rare":          study(func(s *Study) { s.Disease = "MONDO:9999999" }),
		"institution":         func(in *Input) { in.Request.Requester.Institution = "i1" },
		"no categories":       func(in *Input) { in.Dataset.Categories = nil },
		"odd categories":      func(in *Input) { in.Dataset.Categories = []string{"HealthRecord", "Unheard"} },
		"member yes":          func(in *Input) { in.eachRecord(func(r *Record) { r.Answer = AnswerYes }) },
		"member no":           func(in *Input) { in.eachRecord(func(r *Record) { r.Answer = AnswerNo }) },
	}
	for _, kinds := range [][]string{{"genetic"}, {"methods"}, {"ancestry"}, {"phenotype"}, {"genetic", "methods"}, {"magic"}} {
		out["study "+strings.Join(kinds, "+")] = study(func(s *Study) { s.Kinds = kinds })
	}
	for i, at := range []int64{testNow - 1, testNow, testNow + 1} {
		out["limit moratorium"+string(rune('0'+i))] = limit(func(l *Limits) { l.PublishFrom = at })
		out["study published"+string(rune('0'+i))] = study(func(s *Study) { s.PublishFrom = at })
	}
	for _, days := range []int64{364, 365, 366} {
		out["limit days"+coop.Money(days).Decimal("JPY")] = limit(func(l *Limits) { l.KeepDays = days })
	}
	return out
}

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
		case record.Paused, record.Answer == AnswerNo, record.Effect == Withdrawn, record.Withdrawn <= r.Time,
			record.Effect == Refused && touched,
			record.Effect == Given && slices.ContainsFunc(record.Except, func(p string) bool { return Touches(p, r.DUO) }):
			return false
		}
	}
	return r.Requester.Vetted && slices.Contains(terms.Kinds, r.Requester.Kind) &&
		slices.Contains(terms.DUO.Requestable, r.DUO) && slices.Contains(terms.DPV.Requestable, r.DPV) &&
		!slices.Contains(Forbidden(), r.DPV) &&
		(r.Commercial || !coop.Purpose{DPV: r.DPV}.Commercial()) && sound(r) &&
		r.PriceMinor >= 0 && r.RetentionDays >= 1 && r.RetentionDays <= MaxRetentionDays() &&
		r.Pool != "" && r.Pool == in.Dataset.Pool &&
		in.Dataset.Sealed > 0 && in.Dataset.Sealed <= r.Time && r.Time < in.Dataset.Closed &&
		slices.ContainsFunc(in.Records, func(record Record) bool { return agrees(record, r) && unlimited(record, in) })
}

// sound is whether what a request says of its study fits its purpose.
func sound(r Request) bool {
	kinds := r.Study.Kinds
	if r.DUO == "DUO:0000007" && r.Study.Disease == "" || slices.Contains(kinds, "magic") {
		return false
	}
	switch r.DUO {
	case "DUO:0000043":
		return len(kinds) == 0
	case "DUO:0000011":
		return len(kinds) == 0 || slices.Contains(kinds, "ancestry")
	case "DUO:0000006", "DUO:0000007":
		return !slices.Contains(kinds, "ancestry")
	}
	return true
}

// unlimited is whether every condition of a record is met and all people have
// been heard.
func unlimited(record Record, in Input) bool {
	l, r, s := record.Limits, in.Request, in.Request.Study
	steward, member := r.Reviewed, record.Answer == AnswerYes
	care, silent := r.DUO == "DUO:0000043", len(s.Kinds) == 0
	has := func(kind string) bool { return slices.Contains(s.Kinds, kind) }
	charitable := r.Requester.Kind != "company"
	diseases := slices.ContainsFunc(l.Diseases, func(d string) bool { return CoversDisease(d, s.Disease) })
	within := func(c string) bool {
		return slices.ContainsFunc(l.Categories, func(a string) bool { return slices.Contains(terms.Covering["category"][c], a) })
	}
	foreign := func(list []string, x string) bool { return len(list) > 0 && !slices.Contains(list, x) }
	for _, broken := range []bool{
		l.NoMethods && !care && (has("methods") || silent && !member),
		l.GeneticOnly && (care || silent && !member || !silent && !has("genetic")),
		l.NoAncestry && (r.DUO == "DUO:0000011" || has("ancestry") || r.DUO == "DUO:0000042" && silent && !member),
		len(l.Studies) > 0 && (care || silent && !member || slices.ContainsFunc(s.Kinds, func(k string) bool { return foreign(l.Studies, k) })),
		(l.NonProfit || l.NonProfitUse) && !charitable, (l.NonCommercial || l.NonProfitUse) && r.Commercial,
		l.Publication && !s.Publishes, l.Return && !s.Returns,
		l.Collaboration && !(s.Collaborates && steward), l.Ethics && !(s.Ethics && steward),
		l.PublishFrom > r.Time && s.PublishFrom < l.PublishFrom, l.KeepDays > 0 && r.RetentionDays > l.KeepDays,
		foreign(l.Users, r.Requester.ID), foreign(l.Institutions, r.Requester.Institution),
		len(l.Projects) > 0 && !(slices.Contains(l.Projects, s.Project) && steward),
		len(l.Categories) > 0 && (len(in.Dataset.Categories) == 0 || slices.ContainsFunc(in.Dataset.Categories, func(c string) bool { return !within(c) })),
		len(l.Diseases) > 0 && r.DUO == "DUO:0000007" && !diseases && (KnownDisease(s.Disease) || !member),
		l.Ask && !member, l.Once == OnceUsed,
	} {
		if broken {
			return false
		}
	}
	return true
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
	if refusals := len(changes) - yes; yes < 10 || refusals < 60 {
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

// Two changes at once: what one condition grants another must not take away,
// and questions of one class have one answer.
func TestPairsOfChangesAreDecidedAsByHand(t *testing.T) {
	revision := compiled(t, Default())
	answers := map[string]Outcome{}
	names := sortedKeys(changes)
	for i := range names {
		for j := i + 1 + i%3; j < len(names); j += 3 {
			in := released()
			changes[names[i]](&in)
			changes[names[j]](&in)
			class, err := in.Class()
			if err != nil {
				t.Fatal(err)
			}
			out, err := revision.Decide(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			if explained(t, out); out.Allow != oracle(in) {
				t.Errorf("%s, %s: law %v: %v", names[i], names[j], out.Allow, out.Reasons)
			}
			if other, ok := answers[class]; ok && !reflect.DeepEqual(other, out) {
				t.Errorf("%s, %s: %+v and %+v are of one class", names[i], names[j], other, out)
			}
			answers[class] = out
		}
	}
}
