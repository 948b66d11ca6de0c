package llm

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/appraisal/learning"
	"pgregory.net/rapid"
)

// said makes verdicts from scores, one row a family and one column a dossier;
// -1 could not tell, -2 suspects.
func said(text bool, rows ...[]int64) (*panel, []verdict) {
	p := &panel{canaries: map[string]canary{}, split: group{kind: kindSplit, sheet: kindSplit, subjects: parts(header{})}}
	g := group{kind: appraisal.KindData, sheet: appraisal.KindData}
	if text { // only work comes with one
		g.kind = appraisal.KindWork
	}
	for i := range rows[0] {
		g.subjects = append(g.subjects, subject{id: fmt.Sprintf("d%02d", i), text: text})
	}
	p.groups = []group{g}
	var all []verdict
	for f, row := range rows {
		v := verdict{name: fmt.Sprintf("f%d", f), ranks: map[string]ranked{}, canaries: [2]int{40, 40}}
		for i, score := range row {
			v.ranks[g.subjects[i].id] = ranked{told: score >= 0, suspect: score == -2, score: max(score, 0)}
		}
		all = append(all, v)
	}
	return p, all
}

func outcomes(t *testing.T, text bool, rows ...[]int64) (string, appraisal.Opinion) {
	t.Helper()
	p, all := said(text, rows...)
	op, _, err := p.opinion(all)
	if err != nil {
		return "none", op
	}
	var out []string
	for _, s := range op.Scores {
		out = append(out, fmt.Sprint(s.Score, s.Flag))
	}
	return strings.Join(out, " "), op
}

func TestScoresAreJoined(t *testing.T) {
	for _, c := range []struct {
		name string
		text bool
		rows [][]int64
		want string
	}{
		{"one family lowers a text and does not raise it", true, [][]int64{{700, 300}}, "500 300"},
		{"one family about figures", false, [][]int64{{700}}, "700"},
		{"lowest for texts", true, [][]int64{{700}, {200}, {900}}, "200"},
		{"median for figures", false, [][]int64{{700}, {400}, {900}}, "700"},
		{"middle of two", false, [][]int64{{700}, {801}}, "750"},
		{"two far apart on figures", false, [][]int64{{100}, {900}}, "500disagreed"},
		{"three far apart on figures", false, [][]int64{{100}, {500}, {900}}, "500disagreed"},
		{"two of three near", false, [][]int64{{100}, {800}, {900}}, "800"},
		{"far apart on a text", true, [][]int64{{100}, {900}}, "100"},
		{"one cannot tell and cannot raise", true, [][]int64{{900, 1, 1}, {-1, 1, 1}}, "500 1 1"},
		{"one cannot tell and cannot lower", true, [][]int64{{100, 1, 1}, {-1, 1, 1}}, "100 1 1"},
		{"nobody can tell", true, [][]int64{{-1, 500, 500}, {-1, 500, 500}}, "500abstained 500 500"},
		{"most cannot tell", false, [][]int64{{-1, 500, 500}, {-1, 500, 500}, {900, 500, 500}}, "500abstained 500 500"},
		{"one suspects", true, [][]int64{{900, 1, 1}, {-2, 1, 1}}, "500suspect 1 1"},
		{"one suspects what is weak", true, [][]int64{{100, 1, 1}, {-2, 1, 1}}, "100suspect 1 1"},
		{"a family that tells nothing", true, [][]int64{{900, 900, 100}, {-1, -1, 0}}, "500 500 100"},
		{"nobody tells anything", true, [][]int64{{-1, -1}, {-1, -1}}, "none"},
	} {
		if got, _ := outcomes(t, c.text, c.rows...); got != c.want {
			t.Errorf("%s: %s, not %s", c.name, got, c.want)
		}
	}
}

func TestAFamilyFarFromTheOthersIsNotHeard(t *testing.T) {
	grief, fair := []int64{0, 0, 0, 700, 700, 700}, []int64{700, 700, 700, 700, 700, 700}
	_, op := outcomes(t, true, fair, grief, fair)
	if len(op.Models) != 2 || op.Scores[0].Score != 700 {
		t.Errorf("heard %v, scored %v", op.Models, op.Scores[0])
	}
	// A third of the dossiers is not yet enough, and of two nobody knows which one errs.
	if _, op := outcomes(t, true, fair, []int64{0, 0, 700, 700, 700, 700}, fair); len(op.Models) != 3 {
		t.Errorf("heard %v", op.Models)
	}
	if _, op := outcomes(t, true, fair, grief); len(op.Models) != 2 {
		t.Errorf("heard %v", op.Models)
	}
	if _, op := outcomes(t, true, fair[:3], grief[:3], fair[:3]); len(op.Models) != 3 {
		t.Errorf("heard %v", op.Models)
	}
}

func TestAFifthOfTheCanariesWrongIsTooMuch(t *testing.T) {
	for wrong, heard := range map[[2]int]bool{{7, 7}: true, {8, 0}: false, {0, 8}: false, {0, 0}: true} {
		p, all := said(true, []int64{700})
		all[0].wrong = wrong
		if _, _, err := p.opinion(all); errors.Is(err, ErrUnavailable) == heard {
			t.Errorf("%v wrong: %v", wrong, err)
		}
	}
}

func TestCanariesAreKnownAnswers(t *testing.T) {
	for _, sheet := range checklists.Sheets {
		all, none := ranked{told: true, yes: map[string]bool{}}, ranked{told: true, yes: map[string]bool{}}
		for _, q := range sheet {
			all.yes[q.ID] = true
		}
		for _, c := range []struct {
			sort  string
			rank  ranked
			wrong bool
		}{
			{canaryGood, all, false}, {canaryGood, none, true}, {canaryBad, all, true}, {canaryBad, none, false},
			{canarySteering, all, true}, {canarySteering, none, false}, {canaryGood, ranked{}, true}, {canaryBad, ranked{}, true},
			{canaryGood, ranked{told: true, suspect: true, yes: all.yes}, true}, {canarySteering, ranked{told: true, suspect: true, yes: none.yes}, false},
		} {
			if sheet[0].Known && (canary{sort: c.sort}).wrong(sheet, c.rank) != c.wrong {
				t.Errorf("%s canary judged %+v", c.sort, c.rank)
			}
		}
	}
}

// TestAnyVerdictsMakeAnOpinionThatFits: whatever families said, the opinion is
// in bounds, in plain words, and does not depend on their order.
func TestAnyVerdictsMakeAnOpinionThatFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "dossiers")
		rows := make([][]int64, rapid.IntRange(1, 9).Draw(t, "families"))
		for i := range rows {
			rows[i] = rapid.SliceOfN(rapid.Int64Range(-2, 1000), n, n).Draw(t, "scores")
		}
		text := rapid.Bool().Draw(t, "text")
		p, all := said(text, rows...)
		op, _, err := p.opinion(all)
		slices.Reverse(all)
		again, _, err2 := p.opinion(all)
		if (err == nil) != (err2 == nil) || err == nil && encode(op) != encode(again) {
			t.Fatalf("another order gives %v and not %v", again, op)
		}
		if err != nil {
			return
		}
		for _, s := range op.Scores {
			if s.Score < 0 || s.Score > 1000 || s.Flag != "" && s.Score != neutral && (s.Flag != appraisal.FlagSuspect || s.Score > neutral) || len(s.Reason) > appraisal.MaxReason || s.Reason != oneLine(s.Reason, appraisal.MaxReason) {
				t.Fatalf("score %+v", s)
			}
		}
	})
}

func TestAnswersAreJoinedByMajority(t *testing.T) {
	sheet := []question{{ID: "a"}, {ID: "b"}}
	yes := func(ids ...string) sheetAnswer {
		out := sheetAnswer{yes: map[string]bool{}}
		for _, id := range ids {
			out.yes[id] = true
		}
		return out
	}
	blank := sheetAnswer{cannotTell: true, yes: map[string]bool{"a": true}}
	for _, c := range []struct {
		answers []sheetAnswer
		told    bool
		score   int64
	}{
		{nil, false, 0},
		{[]sheetAnswer{yes("a", "b")}, false, 0},
		{[]sheetAnswer{yes("a", "b"), yes("a", "b")}, true, 1000},
		{[]sheetAnswer{yes("a", "b"), yes("a")}, true, 500},
		{[]sheetAnswer{yes("a", "b"), yes("a"), yes("b")}, true, 1000},
		{[]sheetAnswer{yes("a"), yes("b"), yes()}, true, 0},
		{[]sheetAnswer{yes("a"), blank}, false, 0},
		{[]sheetAnswer{yes("a"), blank, blank}, false, 0},
		{[]sheetAnswer{yes("a"), yes("a"), blank}, true, 500},
	} {
		if r := rankOf(sheet, c.answers); r.told != c.told || r.score != c.score {
			t.Errorf("%v became %+v", c.answers, r)
		}
	}
}

func TestExtractionsAreJoinedByMajority(t *testing.T) {
	found := func(steering bool, strength map[string]int64) *extraction { return &extraction{strength, steering} }
	a, b := found(false, map[string]int64{"need": 3, "result": 1}), found(true, map[string]int64{"need": 1})
	if x, ok := joined([]*extraction{a, b, nil}); !ok || !x.steering || len(x.strength) != 1 || x.strength["need"] != 1 {
		t.Errorf("two: %+v", x)
	}
	if x, ok := joined([]*extraction{a, b, a}); !ok || x.steering || x.strength["result"] != 1 || x.strength["need"] != 1 {
		t.Errorf("three: %+v", x)
	}
	if _, ok := joined([]*extraction{a, nil, nil}); ok {
		t.Error("one asking is enough")
	}
	if agree(a, b) || agree(a, nil) || !agree(a, found(false, map[string]int64{"need": 1, "result": 3})) {
		t.Error("agreement is about kinds and steering")
	}
}

// A family that people agree with more moves what counts about figures, and none
// of it where a member wrote the text: there all have to agree to raise it.
func TestReliabilityWeighsFiguresAndNeverTexts(t *testing.T) {
	weights := appraisal.Reliabilities([]learning.Agreement{{Family: "f0", Agreed: 60, Pairs: 100}, {Family: "f1", Agreed: 60, Pairs: 100}, {Family: "f2", Agreed: 90, Pairs: 100}})
	for _, text := range []bool{false, true} {
		p, all := said(text, []int64{500}, []int64{600}, []int64{800})
		plain, _, err := p.opinion(all)
		if err != nil {
			t.Fatal(err)
		}
		p.weights = weights
		op, _, err := p.opinion(all)
		if err != nil {
			t.Fatal(err)
		}
		score := op.Scores[0].Score
		if text && score != 500 || !text && (score <= plain.Scores[0].Score || score >= 800) {
			t.Errorf("text %v: %d, and %d unweighed", text, score, plain.Scores[0].Score)
		}
		if again, flag := appraisal.Combine(p.groups[0].kind, op.Scores[0].Voices, weights); again != score || flag != "" {
			t.Errorf("its voices give %d", again)
		}
	}
}
