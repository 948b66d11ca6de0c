package marketplace

import (
	"strings"
	"testing"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/ledger"
	"distributed.ai/datacoop/marketplace/veil"
)

// carried closes a period, pays it out and has the bank carry that out.
func (h *house) carried(id coop.PeriodID) {
	h.t.Helper()
	h.closed(id)
	h.settled(id)
	before := h.balance(ledger.Payout)
	h.released(id)
	sum := h.balance(ledger.Payout) - before
	if got := h.imports(debit("carried "+string(id), sum, "datacoop-"+string(id))); sum == 0 || got.PaidOut != sum {
		h.t.Fatalf("%d of %d carried out", got.PaidOut, sum)
	}
	h.clock.Advance(1)
}

// lineOf is what a member's data earned in a period.
func (h *house) lineOf(m coop.MemberID, id coop.PeriodID) (amount int64, said string) {
	h.t.Helper()
	share := must[MemberStatement](h.t)(h.MemberStatement(h.ctx(), m, id)).Share
	for _, line := range share.Lines {
		if line.Kind == appraisal.KindData {
			amount, said = amount+line.Amount, said+line.Sentence
		}
	}
	return amount, said
}

// TestANumberThatIsOnlyNamedChangesNothing: neither another member's, which would
// make them earn less, nor any that is named between the end of a period and a new
// computation of it.
func TestANumberThatIsOnlyNamedChangesNothing(t *testing.T) {
	h := story(t)
	members, _ := h.earned(4)
	must[PayoutAccount](t)(h.SetPayoutAccount(h.ctx(), members[0], "Ada Adams", ibanDE))
	h.carried("P0001")
	must[PayoutAccount](t)(h.SetPayoutAccount(h.ctx(), members[1], "Eve Evans", ibanDE))
	h.read()
	h.closed("P0002")
	own, said := h.lineOf(members[0], "P0002")
	if other, _ := h.lineOf(members[2], "P0002"); own < other-1 || strings.Contains(said, "bank account") {
		t.Errorf("whose number another one names earns %d, others %d: %q", own, other, said)
	}
}

// TestSharesOfOthersAreNotTheStatements: two members' parts, exchanged in the
// table, are found.
func TestSharesOfOthersAreNotTheStatements(t *testing.T) {
	h := open(t)
	st := appraisal.Statement{Period: "P0001"}
	name := func(m string) string { return appraisal.Pseudonym(h.secret("blind"), "P0001", "member", m) }
	st.Shares = []appraisal.MemberShare{{Member: name("a"), Amount: 1}, {Member: name("b"), Amount: 2}}
	if !veil.Stated(st, []Share{{Member: "a", Amount: 1}, {Member: "b", Amount: 2}}, h.secret("blind")) {
		t.Error("the statement's own shares are refused")
	}
	for _, wrong := range [][]Share{{{Member: "a", Amount: 2}, {Member: "b", Amount: 1}}, {{Member: "a", Amount: 1}}, {{Member: "a", Amount: 1}, {Member: "c", Amount: 2}}} {
		if veil.Stated(st, wrong, h.secret("blind")) {
			t.Errorf("%+v", wrong)
		}
	}
}

// TestAStatementByEarlierRulesIsHeld: it does not keep the others from
// being computed again, and its own digest and shares are looked at.
func TestAStatementByEarlierRulesIsHeld(t *testing.T) {
	h := open(t)
	h.earned(3)
	h.closed("P0001")
	text := strings.Replace(string(h.statement("P0001").Bundle), `"formula":"`+appraisal.Formula+`"`, `"formula":"patronage-1"`, 1)
	set := func(digest string) {
		h.ok(h.DB.Update(h.ctx(), func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE marketplace_periods SET bundle = ?, bundle_sha256 = ? WHERE id = 'P0001'`, []byte(text), digest)
			return err
		}))
	}
	set(coop.Digest([]byte(text)))
	if n, err := h.Verify(h.ctx()); n != 0 || err != nil {
		t.Errorf("%d computed again: %v", n, err)
	}
	set(strings.Repeat("0", 64))
	if _, err := h.Verify(h.ctx()); err == nil {
		t.Error("a digest that is not its own goes unnoticed")
	}
}

// TestAStatementComputedAgainKeepsItsWeights, whatever was learned since.
func TestAStatementComputedAgainKeepsItsWeights(t *testing.T) {
	h := story(t)
	h.earned(3)
	h.closed("P0001")
	p := h.period("P0001")
	text := string(h.statement("P0001").Bundle)
	b := must[appraisal.Bundle](t)(appraisal.ParseBundle([]byte(text)))
	b.Params.Reliability = []appraisal.Reliability{{Family: "f0", Pairs: 1, Weight: 7}}
	changed := must[[]byte](t)(b.JSON())
	put := func(text []byte) {
		h.ok(h.DB.Update(h.ctx(), func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE marketplace_periods SET bundle = ? WHERE id = 'P0001'`, text)
			return err
		}))
	}
	put(changed)
	if got := must[[]appraisal.Reliability](t)(h.weights(h.ctx(), p)); len(got) != 1 || got[0].Weight != 7 {
		t.Errorf("%+v", got)
	}
	put([]byte(text))
}
