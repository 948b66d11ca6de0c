package marketplace

import (
	"errors"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/ledger"
)

// period reads a period as it stands.
func (h *house) period(id coop.PeriodID) Period {
	h.t.Helper()
	return must[Period](h.t)(read(h.ctx(), h.Service, func(tx *db.Tx) (Period, error) { return getPeriod(tx, id) }))
}

// unjudged puts the baseline in the place of the first period's statement, as a
// vote against its judges does.
func (h *house) unjudged(tx *db.Tx) error {
	pub, err := published(tx, "P0001")
	h.ok(err)
	before := must[appraisal.Bundle](h.t)(appraisal.ParseBundle(pub.Bundle))
	after := must[appraisal.Bundle](h.t)(appraisal.NewBundle(before.Evidence, before.Params, nil))
	_, names := h.blind(must[appraisal.Evidence](h.t)(h.evidence(tx.Context(), pub.Period)))
	return errors.Join(replaceBundle(tx, pub.Period, must[[]byte](h.t)(after.JSON()), after.Statement.Waterfall),
		putShares(tx, "P0001", names.Shares(after.Statement)))
}

// silent is a judge that gives no answer, so that the baseline pays.
func silent(appraisal.Task) (appraisal.Opinion, error) {
	return appraisal.Opinion{}, errors.New("no answer")
}

func TestADisputeUpheldWhileAModelWeighsIsInTheStatement(t *testing.T) {
	h := story(t)
	h.shared(3)
	s := h.scientist()
	_, files := h.fetched(s)
	d := h.disputed(s, files[0].ID)
	must[Dispute](t)(h.ReviewDispute(h.ctx(), h.dan, d.ID))
	weighed := 0
	pub := h.judged(asked(func(task appraisal.Task) (appraisal.Opinion, error) {
		if weighed++; weighed == 1 {
			must[Dispute](t)(h.DecideDispute(h.ctx(), h.dan, d.ID, true, "It does not open."))
		}
		return silent(task)
	}))
	if pub.Period.Revenue != 2*price || sumSteps(pub.Statement) != 2*price || weighed != 2 {
		t.Errorf("%d of %d divided after %d weighings", sumSteps(pub.Statement), pub.Period.Revenue, weighed)
	}
	h.settled("P0001")
	h.holds(ledger.Access, 0)
	h.holds(ledger.Credit, price)
}

func TestAStatementThatIsNeverFreshIsLeftToTheQueue(t *testing.T) {
	h := story(t)
	h.earned(3)
	h.Judge = asked(func(task appraisal.Task) (appraisal.Opinion, error) {
		h.ok(h.DB.Update(h.ctx(), func(tx *db.Tx) error { return reopenPeriod(tx, "P0001") }))
		return silent(task)
	})
	h.closed("P0001")
	if _, err := h.queue.RunDue(h.ctx()); !errors.Is(err, ErrStale) {
		t.Fatalf("the queue says %v", err)
	}
	if p := h.period("P0001"); !p.due() || p.BundleSHA256 != "" {
		t.Errorf("stored as %+v", p)
	}
	h.Judge = nil
	h.closed("P0001")
	h.settled("P0001")
}

func TestAStatementComputedBeforeASecondReopeningIsNotStored(t *testing.T) {
	h := story(t)
	h.shared(3)
	s := h.scientist()
	_, files := h.fetched(s)
	first, second := h.disputed(s, files[0].ID), h.disputed(s, files[1].ID)
	old := h.closed("P0001")
	h.Judge = asked(silent) // so that the queue publishes, and not the decision
	uphold := func(d Dispute) {
		t.Helper()
		must[Dispute](t)(h.ReviewDispute(h.ctx(), h.dan, d.ID))
		must[Dispute](t)(h.DecideDispute(h.ctx(), h.dan, d.ID, true, "It does not open."))
	}
	uphold(first)
	slow := must[computed](t)(h.compute(h.ctx(), h.period("P0001")))
	uphold(second)
	_, err := h.put(h.ctx(), slow, h.bea)
	h.refused(err, ErrStale)
	if p := h.period("P0001"); !p.due() || p.BundleSHA256 != old.BundleSHA256 {
		t.Errorf("stored as %+v", p)
	}
	h.run()
	if pub := h.statement("P0001"); pub.Period.Revenue != price || sumSteps(pub.Statement) != price {
		t.Errorf("%d divided", sumSteps(pub.Statement))
	}
	h.settled("P0001")
	h.holds(ledger.Access, 0)
	h.holds(ledger.Credit, 2*price)
}

func TestAnOpinionThatWasRejectedMeanwhileIsNotStoredAgain(t *testing.T) {
	h := story(t)
	h.contested()
	h.ok(h.DB.Update(h.ctx(), func(tx *db.Tx) error { return reopenPeriod(tx, "P0001") }))
	h.clock.Advance(time.Hour)
	slow := must[computed](t)(h.compute(h.ctx(), h.period("P0001")))
	if !slow.bundle.Statement.Judged {
		t.Fatal("no opinion was heard")
	}
	h.ok(h.DB.Update(h.ctx(), h.unjudged))
	_, err := h.put(h.ctx(), slow, h.bea)
	h.refused(err, ErrStale)
	must[Period](t)(h.publish(h.ctx(), "P0001", h.bea))
	if pub := h.statement("P0001"); pub.Statement.Judged || pub.Period.ChallengeEndsAt == 0 {
		t.Errorf("published %+v", pub.Period)
	}
}

func TestSettlingPaysNoSharesThatItsOwnCommitReplaces(t *testing.T) {
	h := story(t)
	members, _ := h.earned(4)
	h.worked(members[0])
	h.judged(asked(func(task appraisal.Task) (appraisal.Opinion, error) {
		return favour(task.Dossiers[0].ID, task), nil
	}))
	h.voted("yes")
	h.clock.Advance(240 * time.Hour)
	entries := h.entries()
	err := h.DB.Update(h.ctx(), func(tx *db.Tx) error { // what one commit holds is seen in it, and not in a snapshot
		h.ok(h.unjudged(tx))
		_, err := h.settle(h.ctx(), tx, h.bea, "P0001")
		return err
	})
	h.refused(err, ErrStale)
	if p := h.period("P0001"); p.State != PeriodClosed || h.entries() != entries {
		t.Errorf("refused and yet %s with %d entries", p.State, h.entries()-entries)
	}
	h.ok(h.DB.Update(h.ctx(), h.unjudged))
	must[Period](t)(h.Settle(h.ctx(), h.bea, "P0001"))
	for m := range h.everybody() {
		if st, err := h.MemberStatement(h.ctx(), m, "P0001"); err == nil {
			h.holds(ledger.Member(m), coop.Money(st.Share.Baseline))
		}
	}
	h.holds(ledger.Access, 0)
}
