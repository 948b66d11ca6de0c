package appraisal

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"distributed.ai/datacoop/marketplace/appraisal/learning"
)

// voices are what families f0, f1, … said.
func voices(scores ...int64) (out []Voice) {
	for i, s := range scores {
		out = append(out, Voice{Family: fmt.Sprintf("f%d", i), Score: s, Told: true})
	}
	return out
}

// Equal weights are no weights, and whatever the weights are, the score lies
// between what families said and moves no further than one of them.
func TestAWeightedMedianIsAMedian(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := rapid.Int64Range(0, 700).Draw(t, "base")
		scores := rapid.SliceOfN(rapid.Int64Range(base, base+300), 1, 7).Draw(t, "scores")
		var families []learning.Agreement
		for i := range scores {
			families = append(families, learning.Agreement{Family: fmt.Sprintf("f%d", i), Agreed: rapid.IntRange(0, 40).Draw(t, "agreed"), Pairs: 40})
		}
		sorted := slices.Sorted(slices.Values(scores))
		n := len(sorted)
		plain, _ := Combine(KindData, voices(scores...), nil)
		if want := (sorted[(n-1)/2] + sorted[n/2]) / 2; plain != want {
			t.Fatalf("%v: %d, not %d", scores, plain, want)
		}
		got, _ := Combine(KindData, voices(scores...), Reliabilities(families))
		if got < sorted[max(0, (n-1)/2-1)] && n <= 4 || got < sorted[0] || got > sorted[n-1] {
			t.Fatalf("%v weigh %v: %d", families, scores, got)
		}
	})
}

// A statement's scores are computed again from their voices by the weights in
// its own parameters, and the weights from what they were learned from.
func TestWeightsAndScoresAreComputedAgain(t *testing.T) {
	ev := Evidence{Period: "P0001", Currency: "EUR", Revenue: 1000, Salt: strings.Repeat("0", 64),
		Requests: []Request{{Request: "r", Revenue: 1000}},
		Data: []DataUse{{Member: "a", Dataset: "d1", Request: "r", Coverage: 900, Fresh: 900, Trust: 1000, Unique: 1000, Grade: GradeServer},
			{Member: "b", Dataset: "d2", Request: "r", Coverage: 900, Fresh: 900, Trust: 1000, Unique: 1000, Grade: GradeServer}}}
	p := Params{BetaData: 100, Gamma: 100, Data: 1000, Members: 1000,
		Reliability: Reliabilities([]learning.Agreement{{Family: "f0", Agreed: 10, Pairs: 40}, {Family: "f1", Agreed: 30, Pairs: 40}, {Family: "f2", Agreed: 38, Pairs: 40}})}
	said := voices(300, 400, 600)
	score, flag := Combine(KindData, said, p.Reliability)
	op := Opinion{Commitment: strings.Repeat("0", 64), Scores: []Score{{Dossier: DossierID(ev.Salt, KindData, "d1"), Score: score, Flag: flag, Voices: said}}}
	b, err := NewBundle(ev, p, &op)
	if err != nil {
		t.Fatal(err)
	}
	text, err := b.JSON()
	if err != nil {
		t.Fatal(err)
	}
	if err := Verify(text); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][2]string{
		"a score that its voices do not give": {fmt.Sprintf(`"score":%d,"voices"`, score), fmt.Sprintf(`"score":%d,"voices"`, score+1)},
		"a voice that says something else":    {`"family":"f0","score":300`, `"family":"f0","score":100`},
		"a weight nobody earned":              {fmt.Sprintf(`"weight":%d`, p.Reliability[0].Weight), `"weight":399`},
		"an agreement that was not":           {`"agreed":10`, `"agreed":40`},
	} {
		forged := strings.Replace(string(text), change[0], change[1], 1)
		if forged == string(text) {
			t.Fatalf("%s: nothing changed", name)
		}
		if err := Verify([]byte(forged)); !errors.Is(err, errOpinion) && !errors.Is(err, errParams) && !errors.Is(err, ErrDiffers) {
			t.Errorf("%s: %v", name, err)
		}
	}
	silent := op
	silent.Scores = []Score{{Dossier: op.Scores[0].Dossier, Score: score}}
	if _, err := NewBundle(ev, p, &silent); !errors.Is(err, errOpinion) {
		t.Errorf("of a score by models that were asked nobody knows what they said: %v", err)
	}
	if got := op.Reweigh(ev, nil); got.Scores[0].Score != 400 || op.Scores[0].Score != score {
		t.Errorf("%+v", got)
	}
}

// TestABetterDatasetOfLowerRenownCostsNothing: Ann shares a second dataset, which
// the judge thinks little of and which takes the first one's place. It lends the
// first one's factor; else her better evidence would have cost her.
func TestABetterDatasetOfLowerRenownCostsNothing(t *testing.T) {
	ev, p := example()
	ev.Data[0].Coverage = 990
	more := clone(ev)
	more.Data = append(more.Data, DataUse{Request: "r1", Dataset: "d-new", Member: "ann", Grade: "A", Coverage: 1000, Fresh: 1000, Unique: 1000, Trust: 1000})
	liked := Score{Dossier: DossierID(ev.Salt, KindData, "d-ann"), Score: 1000}
	before, err := Close(ev, p, &Opinion{Scores: []Score{liked}})
	if err != nil {
		t.Fatal(err)
	}
	after, err := Close(more, p, &Opinion{Scores: []Score{liked, {Dossier: DossierID(ev.Salt, KindData, "d-new")}}})
	if err != nil {
		t.Fatal(err)
	}
	if was, is := members(before)["ann"], members(after)["ann"]; is < was {
		t.Errorf("a better dataset lowered ann's share from %d to %d", was, is)
	}
	share, _ := after.Share("ann")
	for _, l := range share.Lines {
		lent := l.Ref == "d-new" && l.Factor == 1_100_000
		if strings.Contains(l.Sentence, "thinks most of among this member's datasets") != lent || l.Ref == "d-new" && !lent {
			t.Errorf("%s counts %d: %s", l.Ref, l.Factor, l.Sentence)
		}
	}
}

// TestAPanelStartsFromTheScoreThatCounted: a panel that thinks less of a dataset than
// what it was counted by has nothing to add.
func TestAPanelStartsFromTheScoreThatCounted(t *testing.T) {
	ev, p := example()
	ev.Data = append(ev.Data, DataUse{Request: "r1", Dataset: "d-new", Member: "ann", Grade: "A", Coverage: 900, Fresh: 1000, Unique: 1000, Trust: 1000})
	own, other := DossierID(ev.Salt, KindData, "d-ann"), DossierID(ev.Salt, KindData, "d-new")
	b, err := NewBundle(ev, p, &Opinion{Scores: []Score{{Dossier: own, Score: 0}, {Dossier: other, Score: 800}}})
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := b.Standing("ann", own); !ok || got.Score != 800 {
		t.Errorf("lent: %+v, %v", got, ok)
	}
	b, err = NewBundle(ev, p, &Opinion{Scores: []Score{{Dossier: own, Score: 900}, {Dossier: other, Score: 100}}})
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := b.Standing("ann", own); got.Score != 900 {
		t.Errorf("its own: %+v", got)
	}
	for score := int64(0); score <= 1000; score++ {
		if got := scoreOf(250, factor(250, score)); got != score {
			t.Fatalf("the score of the factor of %d is %d", score, got)
		}
	}
}
