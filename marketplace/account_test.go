package marketplace

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/bank"
	"distributed.ai/datacoop/marketplace/ledger"
	"distributed.ai/datacoop/marketplace/patronage"
	"distributed.ai/datacoop/marketplace/treasury"
	"distributed.ai/datacoop/vault"
)

// bounce is money in under the id of a payment of ours.
func bounce(name string, amount coop.Money, order string) string {
	return strings.Replace(debit(name, amount, order), "DBIT", "CRDT", 1)
}

// ordered is a released period with a payout to one member.
func (h *house) ordered() (m coop.MemberID, due coop.Money, order string) {
	h.t.Helper()
	members, _ := h.earned(3)
	m = members[0]
	must[PayoutAccount](h.t)(h.SetPayoutAccount(h.ctx(), m, "Ada Adams", ibanDE))
	h.closed("P0001")
	h.settled("P0001")
	due = h.balance(ledger.Member(m))
	h.released("P0001")
	return m, due, readPain(h.t.(*testing.T), must[[]byte](h.t)(h.PayoutFile(h.ctx(), h.bea, "P0001"))).Transfers[0].EndToEnd
}

// sent is such a period whose payouts the bank has carried out.
func (h *house) sent() (m coop.MemberID, due coop.Money, order string) {
	h.t.Helper()
	m, due, order = h.ordered()
	h.imports(debit("out", due, "datacoop-P0001"))
	return m, due, order
}

func TestWhatTheBankReturnsIsOwedAgain(t *testing.T) {
	h := story(t)
	m, due, order := h.sent()
	before := h.balance(ledger.Bank)
	for name, other := range map[string]string{"another amount": bounce("a", due-1, order), "another payment": bounce("b", due, order+"9")} {
		if got := h.imports(other); got.Returned != 0 || len(got.Unmatched) != 1 {
			t.Errorf("%s: %+v", name, got)
		}
	}
	h.holds(ledger.Member(m), 0)
	h.holds(ledger.Unassigned, 2*due-1)
	if got := h.imports(bounce("r", due, order)); got.Returned != due || got.Received != 0 || len(got.Unmatched) != 0 {
		t.Errorf("returned: %+v", got)
	}
	// Another credit like it is other money; told again, it is not.
	if got := h.imports(bounce("r", due, order), bounce("s", due, order)); got.Returned != 0 || got.Known != 1 || len(got.Unmatched) != 1 {
		t.Errorf("another like it: %+v", got)
	}
	if got := h.imports(bounce("r", due, order), bounce("s", due, order)); got.Returned != 0 || got.Known != 2 || len(got.Unmatched) != 0 {
		t.Errorf("told again: %+v", got)
	}
	h.holds(ledger.Member(m), due)
	h.holds(ledger.Unassigned, 3*due-1)
	h.holds(ledger.Bank, before+4*due-1)
	if a := must[PayoutAccount](t)(h.PayoutAccount(h.ctx(), m)); !a.Bounced {
		t.Error("the member is not told")
	}
	h.closed("P0002")
	h.settled("P0002")
	h.released("P0002")
	h.holds(ledger.Payout, 0) // nothing to an account that money came back from
	must[PayoutAccount](t)(h.SetPayoutAccount(h.ctx(), m, "Ada Adams", ibanGB))
	h.closed("P0003")
	h.settled("P0003")
	h.released("P0003")
	h.holds(ledger.Payout, due)
	h.holds(ledger.Member(m), 0)
}

func TestAReturnImportedBeforeItsDebitReachesTheMember(t *testing.T) {
	h := story(t)
	m, due, order := h.ordered()
	_, inv := h.invoiced(h.scientist())
	before := h.balance(ledger.Bank)
	if got := h.imports(bounce("r", due, order)); got.Returned != 0 || len(got.Unmatched) != 1 {
		t.Errorf("nothing had left yet: %+v", got)
	}
	h.holds(ledger.Unassigned, due)
	h.imports(debit("out", due, "datacoop-P0001"))
	h.holds(ledger.Member(m), 0)
	later := credit("B", inv.Total, "<Ref>"+inv.Reference+"</Ref>")
	if got := h.imports(bounce("r", due, order), later); got.Returned != due || got.Known != 0 || got.Matched != 1 {
		t.Errorf("returned: %+v", got)
	}
	for range 2 {
		if got := h.imports(bounce("r", due, order), later); got.Returned != 0 || got.Known != 2 {
			t.Errorf("told again: %+v", got)
		}
	}
	h.holds(ledger.Member(m), due)
	h.holds(ledger.Unassigned, 0)
	h.holds(ledger.Payout, 0)
	h.holds(ledger.Bank, before+inv.Total)
	if a := must[PayoutAccount](t)(h.PayoutAccount(h.ctx(), m)); !a.Bounced {
		t.Error("the member is not told")
	}
}

// What once paid an invoice is not a member's, whatever payment it also names.
func TestWhatPaidAnInvoiceIsNoReturn(t *testing.T) {
	h := story(t)
	m, due, order := h.ordered()
	_, inv := h.invoiced(h.scientist())
	entry := strings.Replace(bounce("r", due, order), "</NtryDtls>", "<TxDtls><RmtInf><Ustrd>"+inv.Reference+"</Ustrd></RmtInf></TxDtls></NtryDtls>", 1)
	if got := h.imports(entry); got.Received != due {
		t.Fatalf("import %+v", got)
	}
	h.imports(debit("out", due, "datacoop-P0001"))
	if got := h.imports(entry); got.Returned != 0 || got.Known != 1 {
		t.Errorf("told again: %+v", got)
	}
	h.holds(ledger.Member(m), 0)
	h.holds(ledger.Receivable, inv.Total-due)
}

func TestADebitThatWasTakenBackIsAReturn(t *testing.T) {
	h := story(t)
	m, due, order := h.sent()
	reversed := func(order string) string {
		return strings.Replace(bounce("v"+order, due, order), "<Sts>", "<RvslInd>true</RvslInd><Sts>", 1)
	}
	if got := h.imports(reversed("rent")); got.Returned != 0 || len(got.Unmatched) != 0 {
		t.Errorf("the rent came back: %+v", got)
	}
	h.imports(reversed(order))
	again := strings.Replace(reversed(order), "<AcctSvcrRef>v", "<AcctSvcrRef>w", 1) // of a debit that was not booked
	if got := h.imports(reversed(order), again); got.Returned != 0 || got.Known != 2 || len(got.Unmatched) != 0 {
		t.Errorf("taken back again: %+v", got)
	}
	h.holds(ledger.Member(m), due)
	h.holds(ledger.Unassigned, 0)
}

func TestAPaymentFileIsWrittenAsTheBankTakesIt(t *testing.T) {
	h := story(t)
	h.sent()
	for _, version := range bank.Versions() {
		file := must[[]byte](t)(h.PayoutFileAs(h.ctx(), h.bea, "P0001", version))
		if !bytes.Contains(file, []byte("xsd:"+version+`"`)) {
			t.Errorf("%s: %.200s", version, file)
		}
	}
	_, err := h.PayoutFileAs(h.ctx(), h.bea, "P0001", "pain.001.001.02")
	h.refused(err, bank.ErrVersion)
}

func TestAGiftLeavesAtOnceAndOnlyFromWhatOneHas(t *testing.T) {
	h := story(t)
	members, _ := h.earned(3)
	h.closed("P0001")
	h.settled("P0001")
	m, purpose := members[0], h.balance(ledger.Purpose)
	due := h.balance(ledger.Member(m))
	for _, amount := range []coop.Money{0, -1} {
		_, err := h.Give(h.ctx(), m, amount)
		h.refused(err, treasury.ErrGift)
	}
	_, err := h.Give(h.ctx(), m, due+1)
	h.refused(err, treasury.ErrTooMuch)
	_, err = h.Give(h.ctx(), h.bea, 1)
	h.refused(err, treasury.ErrTooMuch)
	a := must[treasury.Gift](t)(h.Give(h.keyed("give"), m, 100))
	if b := must[treasury.Gift](t)(h.Give(h.keyed("give"), m, 100)); a != b {
		t.Errorf("given twice under one key: %+v, %+v", a, b)
	}
	h.holds(ledger.Purpose, purpose+100)
	if left := must[coop.Money](t)(h.Owed(h.ctx(), m)); left != due-100 {
		t.Errorf("left %d of %d", left, due)
	}
	if p := must[patronage.Account](t)(h.Patronage(h.ctx(), m)); p.Units != int64(due) {
		t.Errorf("a gift changed patronage to %d", p.Units)
	}
}

func TestAYearAddsUpAndIsCarriedIntoTheNext(t *testing.T) {
	h := story(t)
	m, due, order := h.sent()
	h.imports(bounce("r", due, order))
	must[treasury.Gift](t)(h.Give(h.ctx(), m, 75))
	year := h.clock.Now().UTC().Year()
	got := must[treasury.Year](t)(h.Year(h.ctx(), m, year))
	if got.Opening != 0 || got.Earned != due || got.PaidOut != 0 || got.Given != 75 || got.Closing != due-75 || len(got.Lines) != 4 {
		t.Errorf("this year %+v", got)
	}
	h.holds(ledger.Member(m), got.Closing)
	next := must[treasury.Year](t)(h.Year(h.ctx(), m, year+1))
	if next.Opening != got.Closing || next.Closing != got.Closing || len(next.Lines) != 0 {
		t.Errorf("next year %+v", next)
	}
	rows, err := csv.NewReader(bytes.NewReader(must[[]byte](t)(got.CSV()))).ReadAll()
	h.ok(err)
	if len(rows) != 7 || rows[2][1] != "share" || rows[2][3] != due.Decimal("EUR") || rows[6][4] != got.Closing.Decimal("EUR") || rows[6][0] != fmt.Sprintf("%d-12-31", year) {
		t.Errorf("table %q", rows)
	}
	for _, year := range []int{1999, 10000, -1} {
		_, err := h.Year(h.ctx(), m, year)
		h.refused(err, treasury.ErrYear)
	}
	if other := must[treasury.Year](t)(h.Year(h.ctx(), h.bea, year)); len(other.Lines) != 0 {
		t.Errorf("somebody else reads %+v", other)
	}
}

func TestPatronageIsWhatStatementsGave(t *testing.T) {
	h := story(t)
	m, due, _ := h.sent()
	all := int64(0)
	for _, share := range h.statement("P0001").Statement.Shares {
		all += share.Amount
	}
	p := must[patronage.Account](t)(h.Patronage(h.ctx(), m))
	if p.Units != int64(due) || p.All != all || len(p.Credits) != 1 || p.Credits[0].Period != "P0001" || p.Permille() != int64(due)*1000/all {
		t.Errorf("account %+v of %d", p, all)
	}
	if p := must[patronage.Account](t)(h.Patronage(h.ctx(), h.bea)); p.Units != 0 || p.Permille() != 0 || len(p.Credits) != 0 {
		t.Errorf("somebody without shares has %+v", p)
	}
	if n := must[int](t)(h.VerifyPatronage(h.ctx())); n != 3 {
		t.Errorf("%d accounts", n)
	}
	var out bytes.Buffer
	for _, nobody := range []coop.MemberID{h.ada, h.dan, m, ""} {
		h.refused(h.Journal(h.ctx(), nobody, true, &out), ErrOffice)
		h.refused(h.Journal(h.ctx(), nobody, false, &out), ErrOffice)
	}
	h.ok(h.Journal(h.ctx(), h.bea, true, &out))
	if !strings.Contains(out.String(), fmt.Sprintf("memorandum:patronage:issued  -%d units", all)) {
		t.Errorf("journal\n%s", out.String())
	}
	hledger, err := exec.LookPath("hledger")
	if err != nil {
		t.Log("hledger is not installed: the journal of patronage is not checked by it")
		return
	}
	var books bytes.Buffer
	h.ok(h.Journal(h.ctx(), h.bea, false, &books))
	for name, text := range map[string][]byte{"patronage": out.Bytes(), "books": books.Bytes()} {
		path := filepath.Join(t.TempDir(), name+".journal")
		h.ok(os.WriteFile(path, text, 0o600))
		if said, err := exec.CommandContext(t.Context(), hledger, "-f", path, "check", "--strict").CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s\n%s", name, err, said, text)
		}
	}
}

func TestVerifyFindsWhatIsOwedToSomebodyElse(t *testing.T) {
	for name, change := range map[string]string{
		"a gift forgotten":  `DELETE FROM treasury_gifts`,
		"a payout enlarged": `UPDATE marketplace_payouts SET amount = amount + 1`,
		"a return invented": `INSERT INTO treasury_returns (end_to_end, member, amount, at) SELECT end_to_end, member, amount, 1 FROM marketplace_payouts`,
	} {
		h := open(t)
		members, _ := h.earned(3)
		must[PayoutAccount](t)(h.SetPayoutAccount(h.ctx(), members[0], "Ada Adams", ibanDE))
		h.closed("P0001")
		h.settled("P0001")
		must[treasury.Gift](t)(h.Give(h.ctx(), members[1], 1))
		h.released("P0001")
		must[int](t)(h.Verify(h.ctx()))
		h.ok(h.DB.Update(h.ctx(), func(tx *db.Tx) error {
			_, err := tx.Exec(change)
			return err
		}))
		if _, err := h.Verify(h.ctx()); err == nil {
			t.Errorf("%s: nobody noticed", name)
		}
	}
}

func TestNoVoteLowersWhatMembersGetForUsesAlreadyMade(t *testing.T) {
	h := story(t)
	h.earned(3)
	h.Service.Charter.CommissionPermille += 100 // voted while the period runs
	h.Service.Charter.Waterfall.Members -= 200
	h.Service.Charter.Waterfall.Investors += 200
	h.closed("P0001")
	st := h.statement("P0001").Statement
	for _, step := range st.Waterfall {
		if step.Name == appraisal.StepMembers && step.Permille != h.desk.Charter.Waterfall.Members {
			t.Errorf("members take %d thousandths", step.Permille)
		}
		if step.Name == appraisal.StepCommission && step.Permille != h.desk.Charter.CommissionPermille {
			t.Errorf("the platform takes %d thousandths", step.Permille)
		}
	}
	h.settled("P0001")
	h.Service.Charter.Waterfall = h.desk.Charter.Waterfall
	h.Service.Charter.CommissionPermille = 0 // more for members holds at once, for the period that runs
	h.closed("P0002")
	if got := h.statement("P0002").Statement.Waterfall[0].Permille; got != 0 {
		t.Errorf("the platform takes %d thousandths of the second period", got)
	}
}

func TestWhatAPeriodBroughtSoFarIsWhatItsStatementAttributes(t *testing.T) {
	h := story(t)
	members, _ := h.shared(3)
	h.share(members[0], yes(), func(in *vault.SealInput) { in.Profile.Coverage = 350 }) // a second, poorer dataset counts for nothing
	h.share(h.member("eva"), yes(), func(in *vault.SealInput) { in.Profile.Coverage = 470 })
	s := h.scientist()
	entries := map[int]int{}
	for _, n := range []int{1, 2} {
		before := h.entries()
		h.fetched(s)
		entries[n] = h.entries() - before
	}
	if entries[1] != entries[2] {
		t.Errorf("arrivals are %v entries", entries)
	}
	var told []int64
	for _, m := range append(members, h.member("eva")) {
		told = append(told, must[int64](t)(h.SoFar(h.ctx(), m)))
	}
	h.closed("P0001")
	for i, m := range append(members, h.member("eva")) {
		attributed := int64(0)
		for _, line := range must[MemberStatement](t)(h.MemberStatement(h.ctx(), m, "P0001")).Share.Lines {
			if line.Kind == appraisal.KindData {
				attributed += line.Weight
			}
		}
		if more := told[i] - attributed; more < 0 || more > 2 || attributed == 0 { // a thousandth for each request
			t.Errorf("member %d: told %d, attributed %d", i, told[i], attributed)
		}
		if left := must[int64](t)(h.SoFar(h.ctx(), m)); left != 0 {
			t.Errorf("member %d: %d is carried into the next period", i, left)
		}
	}
}

// TestWhatArrivesIsAFixedNumberOfRows counts postings while the pool grows.
func TestWhatArrivesIsAFixedNumberOfRows(t *testing.T) {
	rows := map[int]int{}
	for _, n := range []int{3, 9} {
		h := story(t)
		h.shared(n)
		s := h.scientist()
		_, inv := h.invoiced(s)
		before := h.rows("ledger_postings")
		h.pay(inv)
		rows[n] = h.rows("ledger_postings") - before
	}
	if rows[3] != 2 || rows[9] != 2 {
		t.Errorf("postings of one payment by members: %v", rows)
	}
}

// TestMoneyWithoutAndWithThreeDecimals goes from the invoice to the payment file
// in yen and in dinars.
func TestMoneyWithoutAndWithThreeDecimals(t *testing.T) {
	for _, c := range []coop.Currency{"JPY", "KWD"} {
		h := story(t, func(charter *coop.Charter) { charter.Currency, charter.MinimumPayout = c, 1 })
		members, _ := h.shared(3)
		s := h.scientist()
		req, inv := h.invoiced(s)
		entry := strings.NewReplacer(`"EUR"`, `"`+string(c)+`"`, ">"+inv.Total.Decimal("EUR")+"<", ">"+inv.Total.Decimal(c)+"<").
			Replace(credit(inv.Reference, inv.Total, "<Ref>"+inv.Reference+"</Ref>"))
		if got := h.imports(entry); got.Received != inv.Total || got.Matched != 1 {
			t.Fatalf("%s: %+v", c, got)
		}
		h.fetchAll(s, must[[]FileView](t)(h.Files(h.ctx(), s.ID, req.ID)))
		must[PayoutAccount](t)(h.SetPayoutAccount(h.ctx(), members[0], "Ada Adams", ibanDE))
		h.closed("P0001")
		h.settled("P0001")
		h.holds(ledger.Access, 0)
		due := h.balance(ledger.Member(members[0]))
		h.released("P0001")
		if doc := readPain(t, must[[]byte](t)(h.PayoutFile(h.ctx(), h.bea, "P0001"))); doc.Sum != due.Decimal(c) || due == 0 {
			t.Errorf("%s: %s is paid of %s", c, doc.Sum, due.Decimal(c))
		}
		var journal bytes.Buffer
		h.ok(h.Journal(h.ctx(), h.bea, false, &journal))
		if j := must[ledger.Journaled](t)(ledger.VerifyJournal(&journal)); j.Currency != c || j.Balances[ledger.Payout] != due {
			t.Errorf("%s: journal of %s with %d", c, j.Currency, j.Balances[ledger.Payout])
		}
	}
}

// TestWorkWithoutRevenueIsSettledOnceForNothing settles a period in which a member
// worked and nothing came in.
func TestWorkWithoutRevenueIsSettledOnceForNothing(t *testing.T) {
	h := story(t)
	h.earned(3)
	h.closed("P0001")
	h.settled("P0001")
	m := h.member("eva")
	h.worked(m)
	_, files := h.paid(h.scientist())
	if len(files) == 0 {
		t.Fatal("nothing is for sale")
	}
	h.closed("P0002") // worked, and nothing came in
	h.settled("P0002")
	h.holds(ledger.Member(m), 0)
	if p := h.statement("P0002"); p.Period.Revenue != 0 || len(p.Statement.Shares) == 0 {
		t.Errorf("a period without revenue: %+v", p.Period)
	}
	entries := h.entries()
	_, err := h.Settle(h.ctx(), h.bea, "P0002")
	h.refused(err, ErrState)
	if h.entries() != entries {
		t.Error("settled a second time")
	}
}
