package marketplace

import (
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/marketplace/bank"
	"distributed.ai/datacoop/marketplace/ledger"
)

func TestAPriceIsQuotedInvoicedAndPaid(t *testing.T) {
	h := story(t)
	h.shared(3)
	s := h.scientist()
	req := must[Request](t)(h.Submit(h.ctx(), s.draft()))
	quote := must[Quote](t)(h.Quote(h.ctx(), s.ID, req.ID))
	if quote != (Quote{Request: req.ID, Datasets: 3, Each: price, Total: 3 * price}) {
		t.Errorf("quote %+v", quote)
	}
	inv := must[Invoice](t)(h.Accept(h.ctx(), s.ID, req.ID))
	if inv.Total != quote.Total || inv.Paid != 0 || inv.SettledAt != 0 || inv.DueAt != h.now()+30*24*3600*1000 || !bank.ValidReference(inv.Reference) {
		t.Errorf("invoice %+v", inv)
	}
	h.holds(ledger.Receivable, 3*price)
	h.holds(ledger.Prepaid, 3*price)
	_, err := h.Accept(h.ctx(), s.ID, req.ID)
	h.refused(err, ErrState)
	if again := must[Quote](t)(h.Quote(h.ctx(), s.ID, req.ID)); again != quote {
		t.Errorf("the quote changed: %+v", again)
	}
	got := h.pay(inv)
	if got.Entries != 1 || got.Matched != 1 || got.Received != inv.Total || len(got.Unmatched) != 0 {
		t.Errorf("import %+v", got)
	}
	inv = must[Invoice](t)(h.Invoice(h.ctx(), s.ID, inv.ID))
	if inv.Paid != inv.Total || inv.SettledAt != h.now() {
		t.Errorf("paid invoice %+v", inv)
	}
	h.holds(ledger.Receivable, 0)
	h.holds(ledger.Bank, 3*price)
	h.holds(ledger.Access, 0) // nothing is earned before it is delivered
	_, err = h.Accept(h.ctx(), s.ID, req.ID)
	h.refused(err, ErrState)

	other := h.scientist()
	_, err = h.Invoice(h.ctx(), other.ID, inv.ID)
	h.refused(err, ErrNotFound)
	_, err = h.Invoice(h.ctx(), s.ID, coop.InvoiceID(coop.NewID()))
	h.refused(err, ErrNotFound)
	if list := must[[]Invoice](t)(h.Invoices(h.ctx(), other.ID)); len(list) != 0 {
		t.Errorf("another's invoices %+v", list)
	}
	_, second := h.invoiced(s)
	if list := must[[]Invoice](t)(h.Invoices(h.ctx(), s.ID)); len(list) != 2 || list[0] != second || second.Reference == inv.Reference {
		t.Errorf("invoices %+v", list)
	}
}

func TestAFreePoolOpensAtOnce(t *testing.T) {
	h := story(t, func(c *coop.Charter) { c.Pools[0].Price = 0 })
	members, _ := h.shared(3)
	s := h.scientist()
	req, inv := h.invoiced(s)
	if inv.Total != 0 || inv.SettledAt != h.now() || h.entries() != 0 {
		t.Errorf("invoice %+v, %d entries", inv, h.entries())
	}
	if stored := must[Invoice](t)(h.Invoice(h.ctx(), s.ID, inv.ID)); stored != inv {
		t.Errorf("stored as %+v", stored)
	}
	h.fetchAll(s, must[[]FileView](t)(h.Files(h.ctx(), s.ID, req.ID)))
	if h.entries() != 0 {
		t.Error("a free file was charged")
	}
	// A free use earns nothing, confirms nothing, and the period still closes.
	p := h.closed("P0001")
	st := must[Published](t)(h.Statement(h.ctx(), p.ID)).Statement
	if p.Revenue != 0 || len(st.Shares) != 3 || slices.ContainsFunc(must[[]MemberStatement](t)(h.MemberStatements(h.ctx(), members[0])),
		func(m MemberStatement) bool { return m.Share.Amount != 0 }) {
		t.Errorf("revenue %d, statement %+v", p.Revenue, st)
	}
	// Whoever pays for nothing has paid for nothing: the money is unassigned.
	if got := h.imports(credit("B", 500, "<Ref>"+inv.Reference+"</Ref>")); got.Matched != 0 || len(got.Unmatched) != 1 {
		t.Errorf("import %+v", got)
	}
	h.holds(ledger.Unassigned, 500)
}

func TestAcceptingTwiceAtOnceMakesOneInvoice(t *testing.T) {
	h := story(t)
	h.shared(3)
	s := h.scientist()
	req := must[Request](t)(h.Submit(h.ctx(), s.draft()))
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() { _, errs[i] = h.Accept(h.ctx(), s.ID, req.ID) })
	}
	wg.Wait()
	accepted := 0
	for _, err := range errs {
		switch {
		case err == nil:
			accepted++
		case !errors.Is(err, ErrState):
			t.Errorf("refused with %v", err)
		}
	}
	if accepted != 1 || h.rows("marketplace_invoices") != 1 {
		t.Errorf("%d accepted, %d invoices", accepted, h.rows("marketplace_invoices"))
	}
	h.holds(ledger.Receivable, 3*price)
}

func TestOnlyATreasurerImportsStatements(t *testing.T) {
	h := story(t)
	h.shared(3)
	_, inv := h.invoiced(h.scientist())
	entry := credit("B", inv.Total, "<Ref>"+inv.Reference+"</Ref>")
	for _, m := range []coop.MemberID{h.ada, h.dan, h.member("eva"), ""} {
		_, err := h.ImportBankStatement(h.ctx(), m, camt("S", entry))
		h.refused(err, ErrOffice)
		_, err = h.ImportBankStatement(h.ctx(), m, strings.NewReader("nonsense"))
		h.refused(err, ErrOffice)
	}
	h.holds(ledger.Bank, 0)
}

func TestAStatementWithOneBadEntryBooksNothing(t *testing.T) {
	h := story(t)
	h.shared(3)
	s := h.scientist()
	_, inv := h.invoiced(s)
	good := credit("B", inv.Total, "<Ref>"+inv.Reference+"</Ref>")
	for bad, want := range map[string]*fault.Error{
		strings.Replace(good, "EUR", "USD", 1):       bank.ErrStatement,
		strings.Replace(good, "38.25", "-38.25", 1):  bank.ErrNegative,
		strings.Replace(good, "38.25", "38.255", 1):  bank.ErrStatement,
		strings.Replace(good, "38.25", "&cents;", 1): bank.ErrStatement,
		"<Ntry>": bank.ErrStatement,
	} {
		_, err := h.ImportBankStatement(h.ctx(), h.bea, camt("S", good, bad))
		h.refused(err, want)
	}
	_, err := h.ImportBankStatement(h.ctx(), h.bea, camt("S", good, credit("C", 1<<62, "")))
	h.refused(err, ledger.ErrTurnover)
	if h.entries() != 1 || h.rows("marketplace_bank_entries") != 0 || must[Invoice](t)(h.Invoice(h.ctx(), s.ID, inv.ID)).Paid != 0 {
		t.Error("something was booked")
	}
	_, err = h.ImportBankStatement(h.ctx(), h.bea, io.MultiReader(strings.NewReader("<Document>"), brokenReader{}))
	if err == nil || fault.KindOf(err) != fault.Internal {
		t.Errorf("a broken connection: %v", err)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("connection lost") }

func TestTheSameMoneyIsBookedOnce(t *testing.T) {
	h := story(t)
	h.shared(3)
	_, inv := h.invoiced(h.scientist())
	entry := credit("B-7", inv.Total, "<Ref>"+inv.Reference+"</Ref>")
	h.imports(entry)
	for _, id := range []string{"S", "S", "another statement"} {
		got := must[Import](t)(h.ImportBankStatement(h.ctx(), h.cem, camt(id, entry)))
		if got.Known != 1 || got.Matched != 0 || got.Received != 0 || len(got.Unmatched) != 0 {
			t.Errorf("again: %+v", got)
		}
	}
	h.holds(ledger.Bank, inv.Total)
	h.holds(ledger.Unassigned, 0)
	// What differs in anything is other money.
	got := h.imports(entry, credit("B-8", inv.Total, "<Ref>"+inv.Reference+"</Ref>"), credit("B-7", inv.Total+1, "<Ref>"+inv.Reference+"</Ref>"))
	if got.Known != 1 || len(got.Unmatched) != 2 {
		t.Errorf("other money: %+v", got)
	}
	h.holds(ledger.Unassigned, 2*inv.Total+1)
}

func TestTwoPaymentsAlikeWithoutANameAreTwo(t *testing.T) {
	h := story(t)
	h.shared(4)
	s := h.scientist()
	req, inv := h.invoiced(s)
	half := strings.Replace(credit("", inv.Total/2, "<Ref>"+inv.Reference+"</Ref>"), "<AcctSvcrRef></AcctSvcrRef>", "", 1)
	got := h.imports(half, half)
	if got.Matched != 2 || got.Received != inv.Total {
		t.Errorf("import %+v", got)
	}
	if got := must[Decided](t)(h.Request(h.ctx(), s.ID, req.ID)); got.State != StateOpen {
		t.Errorf("the request is %s", got.State)
	}
	if again := h.imports(half, half); again.Known != 2 {
		t.Errorf("again: %+v", again)
	}
}

func TestAnInvoiceIsPaidInPartsAndNothingTooMuchIsLost(t *testing.T) {
	h := story(t)
	h.shared(3)
	s := h.scientist()
	req, inv := h.invoiced(s)
	ref := "<Ref>" + inv.Reference + "</Ref>"
	h.imports(credit("1", 1000, ref))
	if got := must[Decided](t)(h.Request(h.ctx(), s.ID, req.ID)); got.State != StateAccepted {
		t.Errorf("open after a part: %s", got.State)
	}
	h.holds(ledger.Receivable, inv.Total-1000)
	// The rest and a little more, both in one statement.
	got := h.imports(credit("2", 2000, ref), credit("3", 2000, ref), credit("4", 50, ref))
	if got.Matched != 2 || got.Received != inv.Total-1000 || len(got.Unmatched) != 1 {
		t.Errorf("import %+v", got)
	}
	h.holds(ledger.Receivable, 0)
	h.holds(ledger.Unassigned, 5000+50-inv.Total)
	h.holds(ledger.Bank, 5050)
	if got := must[Decided](t)(h.Request(h.ctx(), s.ID, req.ID)); got.State != StateOpen || got.ExpiresAt != h.now()+30*24*3600*1000 {
		t.Errorf("after payment: %+v", got.Request)
	}
}

func TestMoneyNobodyWasInvoicedForIsKept(t *testing.T) {
	h := story(t)
	got := h.imports(credit("1", 700, "<Ref>"+bank.Reference(99999)+"</Ref>"), credit("2", 300, ""), credit("3", 1, "<Ref>hello</Ref>"))
	if got.Entries != 3 || got.Matched != 0 || got.Received != 0 || !slices.Equal(got.Unmatched, []string{bank.Reference(99999), "", "hello"}) {
		t.Errorf("import %+v", got)
	}
	h.holds(ledger.Unassigned, 1001)
	h.holds(ledger.Bank, 1001)
}

func TestOneTransferPaysSeveralInvoices(t *testing.T) {
	h := story(t)
	h.shared(3)
	s := h.scientist()
	_, a := h.invoiced(s)
	_, b := h.invoiced(s)
	part := func(inv Invoice) string {
		return `<TxDtls><Amt Ccy="EUR">` + inv.Total.Decimal("EUR") + `</Amt><RmtInf><Ustrd>Invoice ` + inv.Reference + ` thanks</Ustrd></RmtInf></TxDtls>`
	}
	whole := credit("1", a.Total+b.Total, "")
	from, to := strings.Index(whole, "<TxDtls>"), strings.Index(whole, "</NtryDtls>")
	got := h.imports(whole[:from] + part(a) + part(b) + whole[to:])
	if got.Entries != 2 || got.Matched != 2 || got.Received != a.Total+b.Total {
		t.Errorf("import %+v", got)
	}
	h.holds(ledger.Receivable, 0)
}

func TestFixturesAreImportedOrRefused(t *testing.T) {
	h := story(t)
	got := must[Import](t)(h.ImportBankStatement(h.ctx(), h.bea,
		strings.NewReader(string(testkit.FixtureBytes(t, "12-bank/camt-csv/golden/camt053_duplicate_same_day.xml")))))
	if got.Entries != 2 || got.Matched != 0 || h.entries() != 0 {
		t.Errorf("card payments of the co-op: %+v", got)
	}
	for _, name := range []string{"camt.053.001.02.xml", "golden/camt053_garbled_amount.xml", "golden/camt053_multicurrency.xml",
		"golden/camt053_no_namespace.xml", "invalid.xml", "camt_file.csv"} {
		_, err := h.ImportBankStatement(h.ctx(), h.bea, strings.NewReader(string(testkit.FixtureBytes(t, "12-bank/camt-csv/"+name))))
		h.refused(err, bank.ErrStatement)
	}
	if h.entries() != 0 {
		t.Error("something was booked")
	}
	swedish := story(t, func(c *coop.Charter) { c.Currency = "SEK" })
	got = must[Import](t)(swedish.ImportBankStatement(h.ctx(), swedish.bea,
		strings.NewReader(string(testkit.FixtureBytes(t, "12-bank/camt-csv/camt.053.001.02.xml")))))
	if got.Entries != 3 || len(got.Unmatched) != 2 {
		t.Errorf("import %+v", got)
	}
	swedish.holds(ledger.Bank, 10567850+3000000)
}

func TestAnUnpaidRequestStaysAndCanStillBePaid(t *testing.T) {
	h := story(t)
	h.shared(3)
	s := h.scientist()
	req, inv := h.invoiced(s)
	h.clock.Advance(90 * 24 * time.Hour)
	must[int](t)(h.queue.RunDue(h.ctx()))
	h.pay(inv)
	if got := must[Decided](t)(h.Request(h.ctx(), s.ID, req.ID)); got.State != StateOpen {
		t.Errorf("paid late: %s", got.State)
	}
}
