package consent

import (
	"slices"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

// Whatever is wrong with a question, an answer or the law: it is refused for a
// reason, written down with its entry in the log, told to the member, and it
// replays.
func TestBadInputIsRefusedAndRecorded(t *testing.T) {
	ask := func(change func(*Ask)) func(*house, *Ask) {
		return func(_ *house, a *Ask) { change(a) }
	}
	stored := func(query string) func(*house, *Ask) {
		return func(h *house, _ *Ask) { h.update(func(tx *db.Tx) error { _, err := tx.Exec(query); return err }) }
	}
	for name, c := range map[string]struct {
		spoil func(*house, *Ask)
		code  string
	}{
		"an unknown purpose":            {ask(func(a *Ask) { a.Purpose.DUO = "DUO:0000099" }), "purpose-unknown"},
		"a purpose its study denies":    {ask(func(a *Ask) { a.Study.Kinds = []string{"ancestry"} }), "purpose-contradictory"},
		"no purpose":                    {ask(func(a *Ask) { a.Purpose = coop.Purpose{} }), "purpose-missing"},
		"a price below zero":            {ask(func(a *Ask) { a.Price = -1 }), "price-missing"},
		"a window that has passed":      {func(h *house, _ *Ask) { h.clock.Advance(31 * 24 * time.Hour) }, "consent-expired"},
		"a window that was never open":  {stored(`UPDATE consent_records SET expires = not_before`), "consent-expired"},
		"a record that says nothing":    {stored(`UPDATE consent_records SET terms = '{}'`), "purpose-not-allowed"},
		"a record without requesters":   {stored(`UPDATE consent_records SET terms = '{"effect":"given","purposes":["DUO:0000042"]}'`), "requester-kind-not-allowed"},
		"no law":                        {func(h *house, _ *Ask) { h.engine.Seal() }, policies.CodeUnavailable},
		"a law that contradicts itself": {func(h *house, _ *Ask) { h.engine.Swap(twoValues(h.t)) }, policies.CodeUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			h, m := open(t), newMember()
			ds := h.share(m, "wearables")
			terms := agree()
			terms.Days = 30
			must[Record](t)(h.PutPool(t.Context(), m, "wearables", terms))
			a := study()
			c.spoil(h, &a)
			before := must[int64](t)(h.log.Verify(t.Context()))
			d, p := h.deliver(a, ds)
			if d.Allow || p != (Permit{}) || !slices.Contains(reasonCodes(d), c.code) {
				t.Errorf("%v: %v", d.Allow, reasonCodes(d))
			}
			uses := must[[]Decision](t)(h.Uses(t.Context(), m, "", 10))
			if len(uses) != 1 || uses[0].ID != d.ID || !slices.Equal(uses[0].Reasons, d.Reasons) {
				t.Errorf("recorded %+v", uses)
			}
			if after := must[int64](t)(h.log.Verify(t.Context())); after != before+1 {
				t.Errorf("%d entries in the log for one refusal", after-before)
			}
			if n := must[int](t)(h.ReplayAll(t.Context())); n != 1 {
				t.Errorf("%d replayed", n)
			}
		})
	}
}

// twoValues is law whose evaluation ends in an error.
func twoValues(t testing.TB) *policies.Revision {
	t.Helper()
	law, err := policies.Compile(t.Context(), []byte(`package coop.access

forbid contains {
	"code": "voted",
	"sentence": "The members voted about this.",
} if limit > 1

limit := 1

limit := 2 if input.request.requester.kind == "university"
`))
	if err != nil {
		t.Fatal(err)
	}
	return law
}

// A record nobody can read is a fault of ours: nothing is decided, nothing is
// released and nothing is written.
func TestARecordThatCannotBeReadReleasesNothing(t *testing.T) {
	for _, terms := range []string{"", "[]", `{"min_price":"500"}`, `{"purposes":"DUO:0000042"}`, `{"effect":"given"`} {
		h, m := open(t), newMember()
		ds := h.share(m, "wearables")
		must[Record](t)(h.PutPool(t.Context(), m, "wearables", agree()))
		h.update(func(tx *db.Tx) error { _, err := tx.Exec(`UPDATE consent_records SET terms = ?`, terms); return err })
		var p Permit
		err := h.db.Update(t.Context(), func(tx *db.Tx) (err error) { _, p, err = h.Decide(tx, study(), ds); return err })
		if err == nil || p != (Permit{}) {
			t.Errorf("%q: released %v", terms, err)
		}
		if uses := must[[]Decision](t)(h.Uses(t.Context(), m, "", 10)); len(uses) != 0 {
			t.Errorf("%q: recorded %+v", terms, uses)
		}
	}
}
