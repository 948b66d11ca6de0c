package agreement

import (
	"cmp"
	"encoding/json"
	"errors"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"distributed.ai/datacoop/internal/testkit"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > tolerance*math.Abs(want) {
		t.Errorf("%s is %.6f, want %.6f", what, got, want)
	}
}

func rounds(t *testing.T) []Round {
	t.Helper()
	out, err := ReadRounds(os.DirFS(testkit.Fixture(t, "16-human-judgements-filrpgf1")))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// F10 of the published answers: 958 votes of badgeholders on 106 projects.
func TestHowMuchPeopleAgreeComesOutAsPublished(t *testing.T) {
	var want struct {
		Tolerance float64 `json:"relative_tolerance"`
		Expected  struct {
			Reliability
			Projects int      `json:"projects"`
			Mean     float64  `json:"mean_votes_per_project"`
			Matched  int      `json:"projects_matched_by_name"`
			Official float64  `json:"spearman_mean_vote_vs_official_score"`
			Best     []string `json:"top5_by_mean_vote"`
		} `json:"expected"`
	}
	var answers map[string]json.RawMessage
	if err := json.Unmarshal(testkit.FixtureBytes(t, "answers.json"), &answers); err != nil {
		t.Fatal(err)
	}
	found := findAnswer(answers, "F10_human_agreement_filrpgf1")
	if err := json.Unmarshal(found, &want); err != nil {
		t.Fatal(err)
	}
	r := rounds(t)[0]
	report, err := Evaluate(r)
	if err != nil {
		t.Fatal(err)
	}
	got, e := report.Reliability, want.Expected
	if got.Items != e.Projects || got.Votes != e.Votes || report.Official.Items != e.Matched {
		t.Errorf("%d items, %d votes, %d with a published score", got.Items, got.Votes, report.Official.Items)
	}
	near(t, "votes per item", got.VotesPerItem, e.Mean, want.Tolerance)
	near(t, "ICC(1)", got.ICC1, e.ICC1, want.Tolerance)
	near(t, "reliability of the mean", got.OfMean, e.OfMean, want.Tolerance)
	near(t, "one person against the mean", got.SingleVsMean, e.SingleVsMean, want.Tolerance)
	near(t, "ceiling", got.Ceiling, e.Ceiling, want.Tolerance)
	near(t, "mean vote against the published score", *report.Official.Spearman, e.Official, want.Tolerance)
	items := slices.Clone(r.Items)
	slices.SortStableFunc(items, func(a, b Item) int { return cmp.Compare(b.Mean(), a.Mean()) })
	for i, name := range e.Best {
		if items[i].Name != name {
			t.Errorf("number %d is %q, want %q", i+1, items[i].Name, name)
		}
	}
}

// findAnswer looks a key up at any depth.
func findAnswer(in map[string]json.RawMessage, key string) json.RawMessage {
	if v, ok := in[key]; ok {
		return v
	}
	for _, v := range in {
		var deeper map[string]json.RawMessage
		if json.Unmarshal(v, &deeper) == nil {
			if found := findAnswer(deeper, key); found != nil {
				return found
			}
		}
	}
	return nil
}

func TestAJudgeStandsBetweenFloorsAndCeiling(t *testing.T) {
	r := rounds(t)[0]
	perfect, reversed, blind := Scores{}, Scores{}, Scores{}
	for _, i := range r.Items {
		perfect[i.ID], reversed[i.ID], blind[i.ID] = i.Mean(), -i.Mean(), 500
	}
	report, err := Evaluate(r, Named{"perfect", perfect}, Named{"reversed", reversed}, Named{"blind", blind}, Named{"silent", nil})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "perfect", *report.Judges[0].Spearman, 1, 1e-12)
	near(t, "reversed", *report.Judges[1].Spearman, -1, 1e-12)
	if m := report.Judges[2]; m.Spearman != nil || m.Pairs.Tied != 106*105/2 || *m.Pairwise != 0.5 {
		t.Errorf("a judge who says the same of everything: %+v", m)
	}
	if m := report.Judges[3]; m.Items != 0 || m.Spearman != nil || m.Pairwise != nil {
		t.Errorf("a judge who says nothing: %+v", m)
	}
	if one := *report.OneHuman; one <= 0 || one >= report.Reliability.Ceiling {
		t.Errorf("one person against the others: %.3f", one)
	}
}

func TestRanksAndPairsTreatTiesAsTies(t *testing.T) {
	rho, ok := Spearman([]float64{1, 2, 2, 3}, []float64{10, 20, 30, 40}) // worked by hand: 4.5 / sqrt(4.5 * 5)
	if !ok {
		t.Fatal("no figure")
	}
	near(t, "Spearman", rho, 4.5/math.Sqrt(4.5*5), 1e-12)
	if p := Pairwise([]float64{1, 2, 2, 3}, []float64{4, 3, 2, 5}); p != (Pairs{Agree: 3, Disagree: 2, Tied: 1}) {
		t.Errorf("%+v", p)
	}
}

func TestVotesThatSayTheSameAgreeFully(t *testing.T) {
	r, err := Reliable([]Item{{Votes: []float64{1, 1}}, {Votes: []float64{2, 2, 2}}, {Votes: []float64{5, 5}}, {Votes: []float64{9}}})
	if err != nil || r.ICC1 != 1 || r.Ceiling != 1 || r.Items != 3 || r.Votes != 7 {
		t.Fatalf("%+v, %v", r, err)
	}
}

func TestThereIsNoFigureWhereThereIsNone(t *testing.T) {
	if _, err := Reliable([]Item{{Votes: []float64{1, 2}}, {Votes: []float64{1, 2}}, {Votes: []float64{1}}}); !errors.Is(err, errTooFew) {
		t.Error(err)
	}
	for _, pair := range [][2][]float64{{{1, 2}, {1, 2}}, {{1, 1, 1}, {1, 2, 3}}, {{1, 2, 3}, {1, 2}}, {nil, nil}} {
		if _, ok := Spearman(pair[0], pair[1]); ok {
			t.Errorf("%v has a figure", pair)
		}
	}
	// All votes alike: nothing to agree about.
	r, err := Reliable([]Item{{Votes: []float64{1, 1}}, {Votes: []float64{1, 1}}, {Votes: []float64{1, 1}}})
	if err != nil || r.ICC1 != 0 || r.Ceiling != 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestWhatIsNoRoundIsRefused(t *testing.T) {
	for name, file := range map[string]string{
		"no such columns":  "a,b\n1,2\n",
		"no list":          "name,amount\nx,many\n",
		"null":             "name,amount\nx,null\n",
		"not a number":     "name,amount\nx,[NaN]\n",
		"text in the list": "name,amount\nx,\"[1, \"\"2\"\"]\"\n",
		"endless":          "name,amount\nx,[1e400]\n",
		"huge":             "name,amount\nx,[1e10]\n",
		"ragged":           "name,amount\nx\n",
		"open quote":       "name,amount\n\"x,[1]\n",
	} {
		t.Run(name, func(t *testing.T) {
			if r, err := ReadRounds(fstest.MapFS{"r.csv": {Data: []byte(file)}}); err == nil {
				t.Fatalf("%+v", r)
			}
		})
	}
	if _, err := ReadRounds(fstest.MapFS{}); !errors.Is(err, errNoRound) {
		t.Fatal(err)
	}
	bad := fstest.MapFS{"r.csv": {Data: []byte("name,amount\nx,[1]\n")}, "s.csv": {Data: []byte("Project Name,Score\nx,NaN\n")}}
	if _, err := ReadRounds(bad); err == nil || !strings.Contains(err.Error(), "s.csv") {
		t.Fatal(err)
	}
}

func FuzzReadRounds(f *testing.F) {
	f.Add([]byte("name,amount,contribution\nx,\"[1, 2]\",did it\n"))
	f.Add([]byte("Project Name,Score\nx,1.5\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		found, err := ReadRounds(fstest.MapFS{"r.csv": {Data: file}})
		if err != nil {
			return
		}
		for _, r := range found {
			if report, err := Evaluate(r); err == nil && (math.IsNaN(report.Reliability.ICC1) || report.Reliability.Ceiling > 1+1e-9) {
				t.Fatalf("%+v", report.Reliability)
			}
		}
	})
}
