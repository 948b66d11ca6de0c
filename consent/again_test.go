package consent

import (
	"context"
	"errors"
	"testing"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

// asked is the question about a dataset, as a delivery would put it.
func (h *house) asked(a Ask, ds coop.DatasetID) (in policies.Input) {
	h.t.Helper()
	h.update(func(tx *db.Tx) error {
		m, err := h.matter(tx, ds)
		if err == nil {
			in, err = questionFor(tx, a, m, h.now())
		}
		return err
	})
	return in
}

// An answer that is known is not worked out again: a context that has ended lets
// nothing be worked out.
func TestQuestionsWithOneAnswerAreAskedOnce(t *testing.T) {
	h := open(t)
	var in []policies.Input
	for range 2 {
		m := newMember()
		ds := h.share(m, "wearables")
		must[Record](t)(h.PutPool(t.Context(), m, "wearables", agree()))
		in = append(in, h.asked(study(), ds))
	}
	over, cancel := context.WithCancel(t.Context())
	bench := h.bench(h.engine.Current())
	if out, err := bench.ask(t.Context(), in[0]); err != nil || !out.Allow {
		t.Fatalf("%+v, %v", out, err)
	}
	cancel()
	if out, err := bench.ask(over, in[1]); err != nil || !out.Allow {
		t.Errorf("another member's like question was asked anew: %+v, %v", out, err)
	}
	in[1].Request.PriceMinor = 0
	if out, err := bench.ask(over, in[1]); err != nil || out.Allow {
		t.Errorf("another question has the same answer: %+v, %v", out, err)
	}
}

func TestAReplayTellsHowFarItIs(t *testing.T) {
	h, a := open(t), study()
	for range 3 {
		m := newMember()
		ds := h.share(m, "wearables")
		must[Record](t)(h.PutPool(t.Context(), m, "wearables", agree()))
		h.released(a, ds)
	}
	h.update(func(tx *db.Tx) error { _, err := h.DecideCohort(tx, a); return err })
	var said [][2]int
	tell := func(done, total int) { said = append(said, [2]int{done, total}) }
	if n := must[int](t)(h.ReplayAll(t.Context(), tell)); n != 6 || len(said) != 1 || said[0] != [2]int{6, 6} {
		t.Errorf("%d decisions, told %v", n, said)
	}
	if flips, total, err := h.Replay(t.Context(), lawWith(t, "forbid", "input.request.retention_days > 90"), 0, tell); err != nil || total != 6 || len(flips) != 6 || len(said) != 2 {
		t.Errorf("%d of %d, told %v (%v)", len(flips), total, said, err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.ReplayAll(over); !errors.Is(err, context.Canceled) {
		t.Errorf("a replay that was stopped: %v", err)
	}
}
