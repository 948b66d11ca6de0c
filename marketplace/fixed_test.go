package marketplace

import (
	"bytes"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/appraisal/jury"
	"distributed.ai/datacoop/marketplace/closing"
)

// amended runs the co-op by another charter, as after a restart.
func (h *house) amended(change func(*coop.Charter)) {
	change(&h.Charter)
	change(&h.desk.Charter)
}

// recomputed has an appeal upheld that mends nothing, and answers the statement
// before and after.
func (h *house) recomputed(m coop.MemberID) (before, after []byte) {
	h.t.Helper()
	before = h.statement("P0001").Bundle
	a := must[Appeal](h.t)(h.Appeal(h.ctx(), m, "P0001", "Look again."))
	must[Appeal](h.t)(h.DecideAppeal(h.ctx(), h.dan, a.ID, true, "We looked."))
	if p := h.period("P0001"); p.reopened != 1 || p.due() {
		h.t.Fatalf("not computed again: %+v", p)
	}
	return before, h.statement("P0001").Bundle
}

// TestTheCharterOfTheClosingHoldsHoweverOftenAStatementIsComputed: a co-op that
// opens its doors and moves every number after a period closed computes that
// period's statement again, byte for byte the same, whichever way the doors were
// before.
func TestTheCharterOfTheClosingHoldsHoweverOftenAStatementIsComputed(t *testing.T) {
	for name, identified := range map[string]bool{appraisal.VouchedAll: true, appraisal.VouchedPaid: false} {
		t.Run(name, func(t *testing.T) {
			h := story(t, func(c *coop.Charter) { c.Admission, c.Identified = "open", identified })
			members, _ := h.earned(3)
			h.worked(members[0])
			h.closed("P0001")
			window := h.Charter.ChallengeHours
			h.amended(func(c *coop.Charter) {
				c.Identified, c.ChallengeHours = !identified, 1
				c.Split.Data, c.Split.Work, c.CommissionPermille = c.Split.Data-100, c.Split.Work+100, c.CommissionPermille/2
				c.Judge.BetaWork, c.Judge.Gamma = 1, 1
			})
			before, after := h.recomputed(members[0])
			if p := h.period("P0001"); p.ChallengeEndsAt < h.now()+(window-1)*time.Hour.Milliseconds() {
				t.Error("the window is that of a charter that came later")
			}
			if !bytes.Equal(before, after) {
				t.Errorf("it was\n%s\nand is\n%s", before, after)
			}
			b := must[appraisal.Bundle](t)(appraisal.ParseBundle(after))
			for _, u := range b.Evidence.Data {
				if b.Evidence.Vouched != name || (u.Grade == appraisal.GradeSelf) == identified {
					t.Errorf("%q: a use of grade %s", b.Evidence.Vouched, u.Grade)
				}
			}
		})
	}
}

// TestAPanelIsHeldToTheCapOfTheClosing: neither what a panel may add nor what is
// set aside for appeals moves with a charter that came later.
func TestAPanelIsHeldToTheCapOfTheClosing(t *testing.T) {
	h := story(t)
	members, _ := h.earned(8)
	h.worked(members[0])
	h.closed("P0001")
	was := h.Charter.Hearing()
	share := must[MemberStatement](t)(h.MemberStatement(h.ctx(), members[0], "P0001")).Share
	var line AppealLine
	for _, l := range share.Lines {
		if l.Kind == appraisal.KindWork {
			line = AppealLine{Kind: l.Kind, Ref: l.Ref}
		}
	}
	must[Appeal](t)(h.Appeal(h.ctx(), members[0], "P0001", "It helped many.", line))
	h.amended(func(c *coop.Charter) { c.Appeals = coop.Hearing{Reserve: 1, Beyond: 1, AnswerHours: 1} })
	h.run()
	h.clock.Advance(2 * time.Hour)
	waiting := 0
	for m := range h.everybody() {
		waiting += must[int](t)(h.PanelsWaiting(h.ctx(), m))
	}
	if waiting == 0 {
		t.Error("panellists have the hour of a charter that came later")
	}
	for range 4 {
		h.clock.Advance(130 * time.Hour)
		h.run()
	}
	h.settled("P0001")
	r := must[jury.Record](t)(jury.Parse(must[[]byte](t)(h.Record(h.ctx(), "P0001"))))
	if r.Permille != was.Reserve || len(r.Cases) != 1 || r.Cases[0].Beyond != was.Beyond {
		t.Errorf("%d set aside, %d cases by %+v", r.Permille, len(r.Cases), r.Cases)
	}
}

// TestAPeriodFromBeforeTheRecordGoesByTheCharter: nothing was fixed for it, so it
// is computed as it was.
func TestAPeriodFromBeforeTheRecordGoesByTheCharter(t *testing.T) {
	h := story(t)
	members, _ := h.earned(3)
	h.closed("P0001")
	h.ok(h.DB.Update(h.ctx(), func(tx *db.Tx) error {
		_, err := tx.Exec("DELETE FROM closing_periods")
		return err
	}))
	if before, after := h.recomputed(members[0]); !bytes.Equal(before, after) {
		t.Error("it changed although nothing had")
	}
	h.ok(h.DB.View(h.ctx(), func(tx *db.Tx) error {
		f, err := closing.For(tx, "P0001", h.Charter)
		if f.Params.Data != h.Charter.Split.Data || f.Vouched != appraisal.VouchedAll {
			t.Errorf("%+v", f.Params)
		}
		return err
	}))
	if err := h.DB.Update(h.ctx(), func(tx *db.Tx) error { return closing.Fix(tx, "P0002", h.Charter) }); err != nil {
		t.Fatal(err)
	}
	if err := h.DB.Update(h.ctx(), func(tx *db.Tx) error { return closing.Fix(tx, "P0002", h.Charter) }); err == nil {
		t.Error("a period was fixed twice")
	}
}
