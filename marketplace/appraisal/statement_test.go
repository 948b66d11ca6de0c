package appraisal

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write golden documents anew")

// TestAPeriodByHand follows the package comment with a pencil:
//
//	revenue 100.00, commission 10.00, net 90.00
//	reserve, purpose, investors 4.50 each, members 76.50
//	data 53.55: uses 50.8725, stipend 2.6775; work 15.30; governance 7.65
//	uses: r1 gives ann 40.00 and bob 20.00, r2 gives ann 40.00
//	ann 40.698 + 1.33875            = 42.03675
//	bob 10.1745 + 1.33875 + 11.475  = 22.98825
//	cec 3.825 + 7.65                = 11.475
//
// and the two cents left over go to the largest remainders, bob and ann.
func TestAPeriodByHand(t *testing.T) {
	ev, p := example()
	s, err := Close(ev, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int64{
		StepCommission: 10_00, StepReserve: 4_50, StepPurpose: 4_50, StepMembers: 76_50, StepInvestors: 4_50, StepUnclaimed: 0, "": 0,
	} {
		if got := s.Step(name); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
	for member, want := range map[string]int64{"ann": 42_04, "bob": 22_99, "cec": 11_47} {
		if got := members(s)[member]; got != want {
			t.Errorf("%s gets %d, want %d", member, got, want)
		}
	}
	if s.Judged || s.OpinionSHA256 != "" {
		t.Error("a statement without an opinion claims one")
	}
	if _, ok := s.Share("dan"); ok {
		t.Error("a share for somebody without evidence")
	}
}

func TestGoldenBundle(t *testing.T) {
	ev, p := example()
	op := &Opinion{
		Models: []Model{{Family: "llama", Name: "llama3:8b"}},
		Scores: []Score{
			{Dossier: DossierID(ev.Salt, KindData, "d-bob"), Score: 1000, Reason: "fills a gap & is recent"},
			{Dossier: DossierID(ev.Salt, KindWork, "w1"), Score: 0},
			{Dossier: DossierID(ev.Salt, KindWork, "w2"), Score: 1000, Flag: FlagSuspect},
		},
		Split: []PartScore{{Part: KindGovernance, Score: 750, Reason: "a period of many reviews"}},
	}
	got := bundle(t, ev, voted(ev, p), op)
	path := filepath.Join("testdata", "bundle.golden.json")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, bytes.TrimSpace(want)) {
		t.Errorf("the bundle changed; if that is meant, the formula needs a new name and -update\n%s", got)
	}
	if err := Verify(got); err != nil {
		t.Error(err)
	}
}

func TestEveryMemberReadsWhatTheFormulaSetAndWhatTheModelMoved(t *testing.T) {
	ev, p := example()
	op := &Opinion{Scores: []Score{{Dossier: DossierID(ev.Salt, KindWork, "w1"), Score: 1000}}}
	s, err := Close(ev, p, op)
	if err != nil {
		t.Fatal(err)
	}
	for _, share := range s.Shares {
		if !strings.Contains(share.Sentence, "A formula set ") || !strings.Contains(share.Sentence, "the model moved it by ") {
			t.Errorf("%s reads: %s", share.Member, share.Sentence)
		}
		if share.Moved != share.Amount-share.Baseline {
			t.Errorf("%s: moved %d", share.Member, share.Moved)
		}
		for _, line := range share.Lines {
			if !strings.Contains(line.Sentence, "A formula set ") {
				t.Errorf("%s reads: %s", share.Member, line.Sentence)
			}
		}
	}
	if bob, _ := s.Share("bob"); bob.Moved <= 0 {
		t.Errorf("praise moved bob by %d", bob.Moved)
	}
}

// Parts without evidence go to the others in proportion to their own.
func TestAPartNobodyEarnsGoesToTheOthers(t *testing.T) {
	ev, p := example()
	ev.Work, ev.Duties = nil, nil
	s, err := Close(ev, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.Parts[0].Amount+s.Parts[1].Amount != 76_50 || s.Parts[1].Amount != 3_82 && s.Parts[1].Amount != 3_83 {
		t.Errorf("data alone, 5%% of it stipend: %+v", s.Parts)
	}
	ev.Data = nil
	if s, err = Close(ev, p, nil); err != nil || s.Parts[1].Amount != 76_50 {
		t.Errorf("stipend alone: %+v, %v", s.Parts, err)
	}
	ev, _ = example()
	ev.Available = nil
	if s, err = Close(ev, p, nil); err != nil || s.Parts[0].Amount < 53_54 || s.Parts[0].Amount > 53_56 {
		t.Errorf("without availability its part stays with the data: %+v, %v", s.Parts, err)
	}
}

func TestWithoutAnyEvidenceTheMembersPartIsUnclaimed(t *testing.T) {
	ev, p := example()
	ev.Data, ev.Available, ev.Work, ev.Duties = nil, nil, nil, nil
	s, err := Close(ev, p, &Opinion{Split: []PartScore{{Part: KindWork, Score: 1000}}})
	if err != nil || s.Step(StepUnclaimed) != 76_50 || s.Step(StepMembers) != 0 || len(s.Shares) != 0 {
		t.Errorf("%+v, %v", s.Waterfall, err)
	}
}

func TestWhatWeighsNothingIsNotPaidButExplained(t *testing.T) {
	ev, p := example()
	ev.Requests = append(ev.Requests, Request{Request: "r3", Related: true})
	add := func(u DataUse) { ev.Data = append(ev.Data, u) }
	base := DataUse{Member: "dan", Coverage: 1000, Fresh: 1000, Unique: 1000, Trust: 1000, Grade: "A", Request: "r1"}
	related, self, empty := base, base, base
	related.Dataset, related.Request = "d1", "r3"
	self.Dataset, self.Grade = "d2", GradeSelf
	empty.Dataset, empty.Unique = "d3", 0
	add(related)
	add(self)
	add(empty)
	ev.Work = append(ev.Work, Work{Contribution: "w9", Member: "dan", Kind: "git", Grade: GradeSelf, Points: 5})
	ev.Duties = append(ev.Duties, Duty{Member: "dan", Kind: "review", Grade: GradeSelf, Points: 5})
	s, err := Close(ev, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	dan, ok := s.Share("dan")
	if !ok || dan.Amount != 0 || dan.Ceil != 0 || len(dan.Lines) != 5 {
		t.Fatalf("%+v", dan)
	}
	for _, line := range dan.Lines {
		if !strings.Contains(line.Sentence, "does not count") && !strings.Contains(line.Sentence, "counts for nobody") {
			t.Errorf("unexplained: %s", line.Sentence)
		}
	}
	if members(s)["ann"] != 42_04 {
		t.Errorf("what weighs nothing moved ann to %d", members(s)["ann"])
	}
}

func TestOnePersonCountsOnceInARequest(t *testing.T) {
	ev, p := example()
	again := ev.Data[1] // bob, half as complete
	again.Dataset = "d-bob-2"
	ev.Data = append(ev.Data, again)
	s, err := Close(ev, p, nil)
	if err != nil || members(s)["bob"] != 22_99 {
		t.Errorf("a second copy moved bob to %d, %v", members(s)["bob"], err)
	}
	again.Coverage, ev.Data[len(ev.Data)-1].Coverage = 1000, 1000
	if s, err = Close(ev, p, nil); err != nil || members(s)["bob"] <= 22_99 {
		t.Errorf("a better dataset left bob at %d, %v", members(s)["bob"], err)
	}
}

func TestCurrenciesWithoutAndWithThreeDecimals(t *testing.T) {
	for currency, want := range map[string]string{"JPY": "7650 JPY", "KWD": "7.650 KWD"} {
		ev, p := example()
		ev.Currency = currency
		s, err := Close(ev, p, nil)
		if err != nil || !strings.Contains(s.Sentences[0], "members get "+want) {
			t.Errorf("%s: %v, %v", currency, s.Sentences, err)
		}
	}
}

// TestOneMemberHasItAll: nobody else is there to lose anything to, whatever a
// judge says, and the accounts that count as that member change nothing.
func TestOneMemberHasItAll(t *testing.T) {
	ev, p := example()
	ev.Data, ev.Available, ev.Work, ev.Duties = ev.Data[:1], ev.Available[:1], nil, nil
	op := &Opinion{Scores: []Score{{Dossier: DossierID(ev.Salt, KindData, "d-ann"), Score: 0}}}
	for _, judge := range []*Opinion{nil, op} {
		s, err := Close(ev, p, judge)
		if err != nil {
			t.Fatal(err)
		}
		if share, _ := s.Share("ann"); share.Amount != s.Step(StepMembers) || share.Moved != 0 {
			t.Errorf("%d of %d, moved by %d", share.Amount, s.Step(StepMembers), share.Moved)
		}
	}
}

// TestWhatCountsOnceSaysWhy: in the words of a statement's lines.
func TestWhatCountsOnceSaysWhy(t *testing.T) {
	ev, p := example()
	ev.Data[0].Cluster, ev.Data[1].Unique = "account", 0
	ev.Available[0].Cluster, ev.Available[1].Copy = "account", true
	ev.Available[2].Confirmed, ev.Available[2].Grade = true, GradeSelf
	s, err := Close(ev, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	for member, said := range map[string][]string{
		"ann": {"are paid to the same bank account", "used or not. It counts together"},
		"bob": {"repeats data that another member shared first, so it does not count", "shared first, so it earns no stipend"},
		"cec": {"own word stands for the account behind it, so it earns no stipend"},
	} {
		share, _ := s.Share(member)
		text := ""
		for _, line := range share.Lines {
			text += line.Sentence + "\n"
		}
		for _, want := range said {
			if !strings.Contains(text, want) {
				t.Errorf("%s is not told %q: %s", member, want, text)
			}
		}
	}
	for _, member := range []string{"bob", "cec"} {
		share, _ := s.Share(member)
		for _, line := range share.Lines {
			if (line.Kind == KindData || line.Kind == KindStipend) && line.Amount != 0 {
				t.Errorf("%s gets %d for %s", member, line.Amount, line.Kind)
			}
		}
	}
}

// TestOneDayIsSpokenOfAsOne: in the sentence about keeping data there.
func TestOneDayIsSpokenOfAsOne(t *testing.T) {
	for days, want := range map[int64]string{0: "on no day of the period", 1: "on one day, used or not", 2: "on 2 days, used or not"} {
		ev, p := example()
		ev.Data, ev.Available[0].Days = nil, days
		s, err := Close(ev, p, nil)
		if err != nil {
			t.Fatal(err)
		}
		share, _ := s.Share(ev.Available[0].Member)
		if !slices.ContainsFunc(share.Lines, func(l Line) bool { return l.Kind == KindStipend && strings.Contains(l.Sentence, want) }) {
			t.Errorf("%d days: %+v", days, share.Lines)
		}
	}
}

func TestRevenueOfNothingAndOfTheMost(t *testing.T) {
	ev, p := example()
	for i := range ev.Requests {
		ev.Requests[i].Revenue = 0
	}
	for _, revenue := range []int64{0, 1, MaxRevenue} {
		ev.Revenue = revenue
		s, err := Close(ev, p, nil)
		sum := int64(0)
		for _, step := range s.Waterfall {
			sum += step.Amount
		}
		if err != nil || sum != revenue {
			t.Errorf("%d divides into %d, %v", revenue, sum, err)
		}
	}
	ev.Requests[0].Revenue = MaxRevenue
	s, err := Close(ev, p, nil)
	if ann, _ := s.Share("ann"); err != nil || ann.Lines[0].Weight != MaxRevenue/3*2*1000 {
		t.Errorf("the greatest weight is %d, %v", ann.Lines[0].Weight, err)
	}
}

func TestWhatTwoMadeIsJudgedOnceAndPaidInParts(t *testing.T) {
	ev, p := example()
	ev.Work[1].Points = 0 // bob's three points are all there are
	alone, err := Close(ev, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	ev.Work[0].Points = 2
	ev.Work = append(ev.Work, Work{Contribution: "w1", Member: "ann", Kind: "git", Grade: "D", Points: 1})
	task, err := NewTask(ev, p, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	dossiers := 0
	for _, d := range task.Dossiers {
		if d.ID == DossierID(ev.Salt, KindWork, "w1") {
			dossiers++
			if d.Facts[0].Value != 3 {
				t.Errorf("judged as %+v", d)
			}
		}
	}
	together, err := Close(ev, p, nil)
	if err != nil || dossiers != 1 {
		t.Fatalf("%d dossiers, %v", dossiers, err)
	}
	gained := members(together)["ann"] - members(alone)["ann"]
	if lost := members(alone)["bob"] - members(together)["bob"]; lost != gained || lost <= 0 {
		t.Errorf("bob gave %d, ann got %d", lost, gained)
	}
	for _, wrong := range []Work{ev.Work[0], {Contribution: "w1", Member: "cec", Kind: "document", Grade: "D"}} {
		bad := clone(ev)
		bad.Work = append(bad.Work, wrong)
		if _, err := Close(bad, p, nil); !errors.Is(err, errEvidence) {
			t.Errorf("%+v: %v", wrong, err)
		}
	}
}
