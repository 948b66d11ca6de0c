package governance

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/policies/rehearsal"
)

// Members read who would no longer get data before they vote, and nothing of
// the kind once the law is in force.
func TestMembersSeeWhomAPolicyWouldChange(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(4)
	p := w.propose(ids[0], narrower("no-companies"))
	im, err := w.Impact(t.Context(), p.ID)
	must(t, err)
	told := func(s string) bool {
		return strings.Contains(s, "When a company in ") && strings.Contains(s, "today released; under the proposal refused (“The co-op releases nothing to companies.”).")
	}
	if !slices.ContainsFunc(im.Changes, told) {
		t.Errorf("the members read %q", im.Changes)
	}
	report, preview, err := w.Preview(t.Context(), narrower("no-companies"))
	must(t, err)
	if !report.OK || !slices.Equal(preview.Changes, im.Changes) {
		t.Errorf("before it is proposed they read %q", preview.Changes)
	}
	w.vote(p, Yes, ids...)
	w.pass(week)
	w.pass(pause)
	again, err := w.Impact(t.Context(), p.ID)
	must(t, err)
	if w.state(p.ID).State != Enacted || !slices.Equal(again.Changes, im.Changes) {
		t.Errorf("once it is law: %q", again.Changes)
	}
}

func TestAComparisonThatFailsIsNoImpact(t *testing.T) {
	w := newWorld(t)
	broken := errors.New("no room for another process")
	w.Rehearse = func(context.Context, []byte, []byte, coop.Currency) (rehearsal.Result, error) {
		return rehearsal.Result{}, broken
	}
	if _, _, err := w.Preview(t.Context(), narrower("no-companies")); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	w.Engine.Seal()
	if _, im, err := w.Preview(t.Context(), narrower("no-companies")); err != nil || len(im.Changes) > 0 || im.Law != "" {
		t.Errorf("without law in force: %q, %v", im.Changes, err)
	}
}
