package marketplace

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/ledger"
)

// TestALargeStatementIsSettledWholeOrNotAtAll has a line of the last page
// tampered with, when thousands of members before it are in the books already.
func TestALargeStatementIsSettledWholeOrNotAtAll(t *testing.T) {
	h := open(t) // the statement is made up, and does not verify
	const size, each, kept = 9001, 7, 100
	members := make([]ledger.Due, size)
	for i := range members {
		members[i] = ledger.Due{Member: coop.MemberID(fmt.Sprintf("01900000-0000-7000-8000-%012x", i)), Amount: each}
	}
	h.ok(h.Populate(h.ctx(), "P0001", members, []appraisal.Step{{Name: appraisal.StepReserve, Amount: kept}, {Name: appraisal.StepMembers, Amount: size * each}}))
	entries, leaves, last := h.entries(), must[int64](t)(h.log.Verify(h.ctx())), members[size-1].Member
	untouched := func(why string, err error) {
		t.Helper()
		if err == nil {
			t.Errorf("%s: it was settled", why)
		}
		h.holds(ledger.Access, size*each+kept)
		h.holds(ledger.Reserve, 0)
		owed := must[[]ledger.Balance](t)(h.books.Balances(h.ctx(), ledger.Members))
		p := h.period("P0001")
		if len(owed) != 0 || h.entries() != entries || must[int64](t)(h.log.Verify(h.ctx())) != leaves || p.State != PeriodClosed || p.SettledAt != 0 {
			t.Errorf("%s: %d members are owed something, %d entries, %+v", why, len(owed), h.entries(), p)
		}
	}
	for _, c := range []struct{ tamper, mend string }{
		{`UPDATE marketplace_shares SET amount = amount + 1 WHERE member = ?`, `UPDATE marketplace_shares SET amount = amount - 1 WHERE member = ?`},
		{`UPDATE marketplace_shares SET amount = amount - 1 WHERE member = ?`, `UPDATE marketplace_shares SET amount = amount + 1 WHERE member = ?`},
		{`UPDATE marketplace_shares SET amount = 0 WHERE member = ?`, `UPDATE marketplace_shares SET amount = 7 WHERE member = ?`},
		{`UPDATE marketplace_shares SET member = 'somebody' WHERE member = ?`, `UPDATE marketplace_shares SET member = ? WHERE member = 'somebody'`},
	} {
		h.line(c.tamper, last)
		_, err := h.Settle(h.ctx(), h.bea, "P0001")
		untouched(c.tamper, err)
		h.line(c.mend, last)
	}
	ctx, cancel := context.WithCancel(h.ctx())
	cancel()
	_, err := h.Settle(ctx, h.bea, "P0001")
	if untouched("cancelled", err); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	must[Period](t)(h.Settle(h.ctx(), h.bea, "P0001"))
	h.holds(ledger.Access, 0)
	h.holds(ledger.Reserve, kept)
	h.holds(ledger.Member(last), each)
	if n, err := h.books.Verify(h.ctx()); n != int64(entries)+1 || err != nil {
		t.Errorf("the books: %d entries, %v", n, err)
	}
}

// line edits the share of one member behind everybody's back.
func (h *house) line(statement string, m coop.MemberID) {
	h.t.Helper()
	h.ok(h.DB.Update(h.ctx(), func(tx *db.Tx) error { return tx.ExecOne(statement, string(m)) }))
}
