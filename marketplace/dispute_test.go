package marketplace

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/dispute"
	"distributed.ai/datacoop/marketplace/ledger"
	"distributed.ai/datacoop/marketplace/treasury"
	"distributed.ai/datacoop/vault"
)

// fetched is a paid request of which everything was fetched.
func (h *house) fetched(s scientist) (Request, []FileView) {
	h.t.Helper()
	req, files := h.paid(s)
	h.fetchAll(s, files)
	return req, files
}

// disputed is a dispute about a file whose member has answered.
func (h *house) disputed(s scientist, file coop.FileID) Dispute {
	h.t.Helper()
	d := must[Dispute](h.t)(h.OpenDispute(h.ctx(), s.ID, file, dispute.Undecryptable, "The header opens nothing."))
	return must[Dispute](h.t)(h.AnswerDispute(h.ctx(), d.Member, d.ID, "It opens for me."))
}

// upheld is a dispute that a steward has taken and upheld.
func (h *house) upheld(s scientist, file coop.FileID) Dispute {
	h.t.Helper()
	d := h.disputed(s, file)
	must[Dispute](h.t)(h.ReviewDispute(h.ctx(), h.dan, d.ID))
	return must[Dispute](h.t)(h.DecideDispute(h.ctx(), h.dan, d.ID, true, "The steward could not open it either."))
}

func TestADisputeIsAboutAFetchedFileOfOnesOwn(t *testing.T) {
	h := story(t)
	h.shared(3)
	s, other := h.scientist(), h.scientist()
	_, files := h.paid(s)
	file := files[0].ID
	open := func(r coop.ResearcherID, id coop.FileID, kind, text string) error {
		_, err := h.OpenDispute(h.ctx(), r, id, kind, text)
		return err
	}
	h.refused(open(s.ID, file, dispute.Undecryptable, "It does not open."), dispute.ErrNotFetched)
	h.fetchAll(s, files)
	h.refused(open(other.ID, file, dispute.Undecryptable, "It does not open."), ErrNotFound)
	h.refused(open(s.ID, "nobody's", dispute.Undecryptable, "It does not open."), ErrNotFound)
	h.refused(open(s.ID, file, "ugly", "It does not open."), dispute.ErrKind)
	for _, text := range []string{"", " \n", "\xff", strings.Repeat("x", 4001)} {
		h.refused(open(s.ID, file, dispute.NotAsDescribed, text), dispute.ErrText)
	}
	h.ok(open(s.ID, file, dispute.NotAsDescribed, "Half the columns are empty."))
	h.refused(open(s.ID, file, dispute.Undecryptable, "And it does not open."), dispute.ErrTwice)
	h.clock.Advance(dispute.Window)
	h.refused(open(s.ID, files[1].ID, dispute.Undecryptable, "It does not open."), dispute.ErrTooLate)
	if list := must[[]Dispute](t)(h.OwnDisputes(h.ctx(), other.ID)); len(list) != 0 {
		t.Errorf("another researcher reads %+v", list)
	}
}

func TestTheMemberIsToldAndHeardBeforeAnythingIsDecided(t *testing.T) {
	h := story(t)
	members, _ := h.shared(3)
	s := h.scientist()
	_, files := h.fetched(s)
	d := must[Dispute](t)(h.OpenDispute(h.ctx(), s.ID, files[0].ID, dispute.Undecryptable, "The header opens nothing."))
	if list := must[[]Dispute](t)(h.MemberDisputes(h.ctx(), d.Member)); len(list) != 1 || list[0] != d {
		t.Fatalf("the member reads %+v", list)
	}
	decide := func(steward coop.MemberID, reason string) error {
		_, err := h.DecideDispute(h.ctx(), steward, d.ID, true, reason)
		return err
	}
	h.refused(decide(h.dan, "So it is."), ErrState) // nobody has taken it
	for _, m := range []coop.MemberID{h.ada, h.bea, members[0], ""} {
		_, err := h.ReviewDispute(h.ctx(), m, d.ID)
		h.refused(err, ErrOffice)
		_, err = h.Disputes(h.ctx(), m)
		h.refused(err, ErrOffice)
		h.refused(decide(m, "So it is."), ErrOffice)
	}
	must[Dispute](t)(h.ReviewDispute(h.ctx(), h.dan, d.ID))
	_, err := h.ReviewDispute(h.ctx(), h.dan, d.ID)
	h.refused(err, ErrState)
	h.refused(decide(h.dan, "So it is."), dispute.ErrAwaiting)
	for _, m := range members {
		if m != d.Member {
			_, err := h.AnswerDispute(h.ctx(), m, d.ID, "It is fine.")
			h.refused(err, ErrNotFound)
		}
	}
	_, err = h.AnswerDispute(h.ctx(), d.Member, d.ID, " ")
	h.refused(err, dispute.ErrText)
	must[Dispute](t)(h.AnswerDispute(h.ctx(), d.Member, d.ID, "It opens for me."))
	_, err = h.AnswerDispute(h.ctx(), d.Member, d.ID, "And another thing.")
	h.refused(err, ErrState)
	h.refused(decide(h.dan, ""), dispute.ErrText)
	d = must[Dispute](t)(h.DecideDispute(h.ctx(), h.dan, d.ID, false, "It opens."))
	if d.State != dispute.Dismissed || d.Note != 0 || d.Answer != "It opens for me." || d.Reason != "It opens." {
		t.Errorf("decided as %+v", d)
	}
	h.refused(decide(h.dan, "On reflection."), ErrState)
	h.holds(ledger.Access, 3*price)
	h.holds(ledger.Credit, 0)
}

func TestSilenceOfAMemberHoldsNothingUpForEver(t *testing.T) {
	h := story(t)
	h.shared(3)
	s := h.scientist()
	_, files := h.fetched(s)
	d := must[Dispute](t)(h.OpenDispute(h.ctx(), s.ID, files[0].ID, dispute.Undecryptable, "The header opens nothing."))
	must[Dispute](t)(h.ReviewDispute(h.ctx(), h.dan, d.ID))
	h.clock.Advance(dispute.AnswerTime - time.Millisecond)
	_, err := h.DecideDispute(h.ctx(), h.dan, d.ID, true, "Nobody says otherwise.")
	h.refused(err, dispute.ErrAwaiting)
	h.clock.Advance(time.Millisecond)
	must[Dispute](t)(h.DecideDispute(h.ctx(), h.dan, d.ID, true, "Nobody says otherwise."))
	h.holds(ledger.Credit, price)
	_, err = h.AnswerDispute(h.ctx(), d.Member, d.ID, "Wait!")
	h.refused(err, ErrState)
}

func TestAnUndecidedDisputeStaysInSightHoweverOld(t *testing.T) {
	h := story(t)
	h.shared(3)
	s := h.scientist()
	_, files := h.fetched(s)
	taken := h.disputed(s, files[0].ID)
	must[Dispute](t)(h.ReviewDispute(h.ctx(), h.dan, taken.ID))
	waiting := h.disputed(s, files[1].ID)
	h.ok(h.DB.Update(h.ctx(), func(tx *db.Tx) error { // many that came later and are dismissed
		for i := range 501 {
			id := fmt.Sprintf("z%03d", i)
			if err := tx.ExecOne(`INSERT INTO dispute_cases (id, file, request, researcher, dataset, member, kind, text, state, opened_at, decided_at)
				VALUES (?, ?, ?, ?, '', '', 'undecryptable', 'No.', 'dismissed', 1, 1)`, id, id, waiting.Request, s.ID); err != nil {
				return err
			}
		}
		return nil
	}))
	list := must[[]Dispute](t)(h.Disputes(h.ctx(), h.dan))
	if len(list) != 502 || list[0].ID != waiting.ID || list[1].ID != taken.ID || list[2].ID != "z500" || list[501].ID != "z001" {
		t.Errorf("%d disputes, beginning with %+v", len(list), list[:min(3, len(list))])
	}
}

func TestAnInvolvedStewardJudgesNothing(t *testing.T) {
	h := story(t, func(c *coop.Charter) {
		c.Offices = append(c.Offices, coop.Holder{Office: coop.Appeals, Subject: "ada"})
	})
	h.shared(2)
	h.share(h.dan, yes())
	s := h.scientist() // vetted by ada
	_, files := h.fetched(s)
	for _, f := range files {
		d := h.disputed(s, f.ID)
		_, err := h.ReviewDispute(h.ctx(), h.ada, d.ID)
		h.refused(err, dispute.ErrInvolved)
		if d.Member == h.dan {
			_, err = h.ReviewDispute(h.ctx(), h.dan, d.ID)
			h.refused(err, dispute.ErrInvolved)
			continue
		}
		must[Dispute](t)(h.ReviewDispute(h.ctx(), h.dan, d.ID))
		_, err = h.DecideDispute(h.ctx(), h.ada, d.ID, false, "My researcher is right.")
		h.refused(err, dispute.ErrInvolved)
	}
}

func TestBeforeSettlementTheMoneyLeavesTheRevenue(t *testing.T) {
	h := story(t)
	h.shared(3)
	s := h.scientist()
	_, files := h.fetched(s)
	d := h.upheld(s, files[0].ID)
	if d.State != dispute.Upheld || d.Amount != price || d.Note != 1 {
		t.Errorf("upheld as %+v", d)
	}
	h.holds(ledger.Access, 2*price)
	h.holds(ledger.Credit, price)
	h.closed("P0001")
	st := h.statement("P0001").Statement
	if int64(2*price) != sumSteps(st) {
		t.Errorf("revenue of %d divided", sumSteps(st))
	}
	h.settled("P0001")
	h.holds(ledger.Access, 0)
	h.holds(ledger.Member(d.Member), 0)
}

func sumSteps(st appraisal.Statement) (sum int64) {
	for _, step := range st.Waterfall {
		sum += step.Amount
	}
	return sum
}

func TestAPublishedStatementIsComputedAgain(t *testing.T) {
	h := story(t)
	h.shared(3)
	s := h.scientist()
	_, files := h.fetched(s)
	d := h.disputed(s, files[0].ID)
	before := h.closed("P0001")
	must[Dispute](t)(h.ReviewDispute(h.ctx(), h.dan, d.ID))
	h.clock.Advance(24 * time.Hour)
	must[Dispute](t)(h.DecideDispute(h.ctx(), h.dan, d.ID, true, "It does not open."))
	after := h.statement("P0001").Period
	if after.Revenue != 2*price || before.Revenue != 3*price || after.ChallengeEndsAt <= before.ChallengeEndsAt {
		t.Errorf("before %+v, after %+v", before, after)
	}
	h.settled("P0001")
	h.holds(ledger.Access, 0)
	h.holds(ledger.Credit, price)
}

func TestAfterSettlementTheReserveBearsItAndMembersKeepTheirs(t *testing.T) {
	h := story(t)
	h.shared(3)
	s := h.scientist()
	_, files := h.fetched(s)
	h.closed("P0001")
	h.settled("P0001")
	reserve := h.balance(ledger.Reserve)
	d := h.disputed(s, files[0].ID)
	due := h.balance(ledger.Member(d.Member))
	must[Dispute](t)(h.ReviewDispute(h.ctx(), h.dan, d.ID))
	must[Dispute](t)(h.DecideDispute(h.ctx(), h.dan, d.ID, true, "It does not open."))
	h.holds(ledger.Member(d.Member), due)
	h.holds(ledger.Reserve, reserve-price)
	h.holds(ledger.Credit, price)
	if p := h.statement("P0001").Period; p.State != PeriodSettled {
		t.Errorf("the period is %s again", p.State)
	}
}

func TestAnUpheldDisputeLowersTrustAndConfirmsNothing(t *testing.T) {
	h := story(t)
	h.shared(3)
	s := h.scientist()
	_, files := h.fetched(s)
	d := h.upheld(s, files[0].ID)
	_, files = h.fetched(s) // and once more, with nothing to complain of
	h.closed("P0001")
	bundle := must[appraisal.Bundle](t)(appraisal.ParseBundle(h.statement("P0001").Bundle))
	var figures []string
	for _, u := range bundle.Evidence.Data {
		figures = append(figures, u.Grade+" "+map[int64]string{0: "0", 700: "700", 1000: "1000"}[u.Trust])
	}
	if got := strings.Join(figures, ", "); strings.Count(got, "A 1000") != 4 || strings.Count(got, "C 0") != 1 || strings.Count(got, "C 700") != 1 {
		t.Errorf("evidence %s", got)
	}
	if len(bundle.Evidence.Available) != 3 { // by now every dataset has a use that nobody disputes
		t.Errorf("%d datasets are confirmed", len(bundle.Evidence.Available))
	}
	for _, f := range files {
		if must[Dispute](t)(h.OpenDispute(h.ctx(), s.ID, f.ID, dispute.NotAsDescribed, "Empty.")).Dataset == d.Dataset {
			one := must[[]Dispute](t)(h.OwnDisputes(h.ctx(), s.ID))[0]
			must[Dispute](t)(h.ReviewDispute(h.ctx(), h.dan, one.ID))
			h.clock.Advance(dispute.AnswerTime)
			must[Dispute](t)(h.DecideDispute(h.ctx(), h.dan, one.ID, true, "It is."))
		}
	}
	bundle = must[appraisal.Bundle](t)(appraisal.ParseBundle(h.statement("P0001").Bundle))
	if len(bundle.Evidence.Available) != 2 {
		t.Errorf("%d datasets earn a stipend; one was never confirmed by a use that stood", len(bundle.Evidence.Available))
	}
}

func TestCreditPaysTheNextInvoice(t *testing.T) {
	h := story(t)
	h.shared(3)
	s := h.scientist()
	_, files := h.fetched(s)
	h.upheld(s, files[0].ID)
	_, inv := h.invoiced(s)
	if inv.Paid != price || inv.SettledAt != 0 {
		t.Fatalf("invoiced %+v", inv)
	}
	h.holds(ledger.Credit, 0)
	h.holds(ledger.Receivable, 2*price)
	h.imports(credit(inv.Reference, inv.Total-inv.Paid, "<Ref>"+inv.Reference+"</Ref>"))
	notes := must[[]treasury.Note](t)(h.Notes(h.ctx(), s.ID))
	if len(notes) != 1 || notes[0].Used != price || notes[0].Reason != treasury.ReasonDispute {
		t.Errorf("notes %+v", notes)
	}
	if got := must[Invoice](t)(h.Invoice(h.ctx(), s.ID, inv.ID)); got.SettledAt == 0 || got.Paid != got.Total {
		t.Errorf("paid as %+v", got)
	}
	h.holds(ledger.Receivable, 0)
}

func TestCreditThatCoversAnInvoiceOpensItsRequest(t *testing.T) {
	h := story(t)
	h.shared(3)
	s := h.scientist()
	req, _ := h.paid(s)
	h.clock.Advance(400 * 24 * time.Hour)
	must[int](t)(h.queue.RunDue(h.ctx()))
	if notes := must[[]treasury.Note](t)(h.Notes(h.ctx(), s.ID)); len(notes) != 1 || notes[0].Amount != 3*price || notes[0].Request != req.ID {
		t.Fatalf("notes %+v", notes)
	}
	next, inv := h.invoiced(s)
	if inv.Paid != inv.Total || inv.SettledAt == 0 {
		t.Errorf("invoiced %+v", inv)
	}
	if got := must[Decided](t)(h.Request(h.ctx(), s.ID, next.ID)); got.State != StateOpen {
		t.Errorf("the request is %s", got.State)
	}
	h.holds(ledger.Credit, 0)
	h.holds(ledger.Receivable, 0)
}

func TestANoteIsUsedUpOverSeveralInvoices(t *testing.T) {
	h := story(t)
	members, datasets := h.shared(4)
	s := h.scientist()
	h.paid(s)
	h.clock.Advance(400 * 24 * time.Hour)
	must[int](t)(h.queue.RunDue(h.ctx()))
	must[vault.Receipt](t)(h.vault.Revoke(h.ctx(), members[0], datasets[0]))
	for _, want := range []coop.Money{3 * price, price, 0} { // of four prices
		if _, inv := h.invoiced(s); inv.Paid != want {
			t.Errorf("%d of %d is paid, want %d", inv.Paid, inv.Total, want)
		}
	}
	h.holds(ledger.Credit, 0)
}
