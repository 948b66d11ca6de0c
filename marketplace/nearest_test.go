package marketplace

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
)

// carefully allows research of universities and companies, but nothing
// commercial; widely allows that too.
func carefully() *consent.Terms {
	return &consent.Terms{Effect: consent.Given, Purposes: []string{"DUO:0000042"}, RequesterKinds: []string{"university", "company"}}
}

func widely() *consent.Terms {
	t := carefully()
	t.Commercial = true
	return t
}

// What a dry run suggests is what a researcher gets who follows it.
func TestTheNearestRequestPassesWhatItPromises(t *testing.T) {
	h := story(t)
	for i, m := range h.members(8) {
		terms := widely()
		if i >= 4 {
			terms = carefully()
		}
		h.share(m, terms)
	}
	s := h.scientist()
	draft := s.draft()
	draft.Purpose.DPV = "CommercialResearch"
	r := must[CheckResult](t)(h.Check(h.ctx(), draft))
	if r.Datasets != 4 || len(r.Nearest) != 1 {
		t.Fatalf("the dry run says %+v", r)
	}
	n := r.Nearest[0]
	if n.Datasets != 8 || n.More != 4 || fmt.Sprint(n.Layers, n.Fields) != "[member] [dpv]" || (coop.Purpose{DPV: n.DPV}).Commercial() ||
		!strings.HasPrefix(n.Sentence, "With the use “") {
		t.Errorf("the dry run suggests %+v", n)
	}
	draft.Purpose, draft.RetentionDays = coop.Purpose{DUO: n.DUO, DPV: n.DPV}, n.RetentionDays
	if req := must[Request](t)(h.Submit(h.ctx(), draft)); req.Granted != n.Datasets {
		t.Errorf("%d were promised, %d are granted", n.Datasets, req.Granted)
	}
}

// Three members are the least that figures are about in this pool: what two of
// them allow is not suggested, nor does another purpose's figure show it.
func TestTheNearestRequestGivesNoFewMembersAway(t *testing.T) {
	for _, careful := range []int{1, 2} {
		h := story(t)
		for i, m := range h.members(4 + careful) {
			terms := widely()
			if i >= 4 {
				terms = carefully()
			}
			h.share(m, terms)
		}
		s := h.scientist()
		draft := s.draft()
		draft.Purpose.DPV = "CommercialResearch"
		r := must[CheckResult](t)(h.Check(h.ctx(), draft))
		if r.Datasets != 4 || len(r.Nearest) != 0 || slices.ContainsFunc(r.Yield, func(y Yield) bool { return y.Datasets != 4 }) {
			t.Errorf("with %d careful members the dry run says %+v", careful, r)
		}
	}
}
