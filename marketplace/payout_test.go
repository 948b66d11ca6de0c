package marketplace

import (
	"encoding/xml"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/internal/once"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/marketplace/ledger"
)

const (
	ibanDE = "DE89 3704 0044 0532 0130 00"
	ibanGB = "GB29NWBK60161331926819"
)

func TestAppealsHaveTheirTimeAndOneVoiceEach(t *testing.T) {
	h := story(t)
	members, _ := h.earned(3)
	_, err := h.Appeal(h.ctx(), members[0], "P0001", "Too early.")
	h.refused(err, ErrChallengeClosed)
	_, err = h.Appeal(h.ctx(), members[0], "P0007", "No such period.")
	h.refused(err, ErrNotFound)
	h.closed("P0001")
	for _, text := range []string{"", " \n", strings.Repeat("x", 4001), "\xff"} {
		_, err := h.Appeal(h.ctx(), members[0], "P0001", text)
		h.refused(err, ErrAppealText)
	}
	a := must[Appeal](t)(h.Appeal(h.ctx(), members[0], "P0001", " "+strings.Repeat("ü", 4000)+" "))
	if a.State != AppealOpen || a.OpenedAt != h.now() || a.Text != strings.Repeat("ü", 4000) {
		t.Errorf("appeal %+v", a)
	}
	_, err = h.Appeal(h.ctx(), members[0], "P0001", "And another thing.")
	h.refused(err, ErrAppealTwice)
	other := must[Appeal](t)(h.Appeal(h.ctx(), members[1], "P0001", "Me too."))
	if list := must[[]Appeal](t)(h.Appeals(h.ctx(), members[0])); len(list) != 1 || list[0] != a {
		t.Errorf("my appeals %+v", list)
	}
	if list := must[[]Appeal](t)(h.Appeals(h.ctx(), h.dan)); len(list) != 2 || list[0] != other {
		t.Errorf("all appeals %+v", list)
	}
	if list := must[[]Appeal](t)(h.Appeals(h.ctx(), h.bea)); len(list) != 0 {
		t.Errorf("a treasurer sees %+v", list)
	}
	h.clock.Advance(240 * time.Hour)
	_, err = h.Appeal(h.ctx(), members[2], "P0001", "Too late.")
	h.refused(err, ErrChallengeClosed)
}

func TestAnAppealIsDecidedOnceAndByNobodyForThemselves(t *testing.T) {
	h := story(t)
	h.earned(3)
	h.closed("P0001")
	own := must[Appeal](t)(h.Appeal(h.ctx(), h.dan, "P0001", "I should have earned."))
	a := must[Appeal](t)(h.Appeal(h.ctx(), h.bea, "P0001", "So should I."))
	for _, m := range []coop.MemberID{h.bea, h.ada, ""} {
		_, err := h.DecideAppeal(h.ctx(), m, a.ID, true, "Yes.")
		h.refused(err, ErrOffice)
	}
	_, err := h.DecideAppeal(h.ctx(), h.dan, own.ID, true, "Yes.")
	h.refused(err, ErrOwnAppeal)
	_, err = h.DecideAppeal(h.ctx(), h.dan, a.ID, true, " ")
	h.refused(err, ErrAppealText)
	_, err = h.DecideAppeal(h.ctx(), h.dan, coop.NewID(), true, "Yes.")
	h.refused(err, ErrNotFound)
	p := must[[]Period](t)(h.Periods(h.ctx()))[1]
	a = must[Appeal](t)(h.DecideAppeal(h.ctx(), h.dan, a.ID, false, "Nothing of yours was read."))
	if a.State != AppealDismissed || a.Answer != "Nothing of yours was read." {
		t.Errorf("decided as %+v", a)
	}
	if after := must[[]Period](t)(h.Periods(h.ctx()))[1]; after != p {
		t.Errorf("a dismissed appeal changed the period to %+v", after)
	}
	_, err = h.DecideAppeal(h.ctx(), h.dan, a.ID, true, "On reflection, yes.")
	h.refused(err, ErrState)
	_, err = h.Appeal(h.ctx(), h.bea, "P0001", "Again.")
	h.refused(err, ErrAppealTwice)
}

func TestAnUpheldAppealHasTheStatementComputedAgain(t *testing.T) {
	h := story(t)
	members, _ := h.earned(3)
	first := h.closed("P0001")
	a := must[Appeal](t)(h.Appeal(h.ctx(), members[0], "P0001", "One share is missing."))
	h.clock.Advance(300 * time.Hour)
	a = must[Appeal](t)(h.DecideAppeal(h.ctx(), h.dan, a.ID, true, "It was."))
	p := h.statement("P0001").Period
	if a.State != AppealUpheld || p.State != PeriodClosed || p.ChallengeEndsAt != h.now()+240*3600*1000 || p.Revenue != first.Revenue {
		t.Errorf("upheld: %+v, %+v", a, p)
	}
	_, err := h.Settle(h.ctx(), h.bea, "P0001")
	h.refused(err, ErrChallengeOpen)
	again := must[Appeal](t)(h.Appeal(h.ctx(), members[0], "P0001", "Still missing."))
	must[Appeal](t)(h.DecideAppeal(h.ctx(), h.dan, again.ID, false, "It is there."))
	_, err = h.Appeal(h.ctx(), members[0], "P0001", "No.")
	h.refused(err, ErrAppealTwice)
	h.settled("P0001")
	h.holds(ledger.Access, 0)
}

func TestAnInterruptedComputationHoldsSettlementBack(t *testing.T) {
	h := story(t)
	members, _ := h.earned(3)
	h.closed("P0001")
	a := must[Appeal](t)(h.Appeal(h.ctx(), members[0], "P0001", "One share is missing."))
	h.clock.Advance(300 * time.Hour)
	must[Appeal](t)(h.DecideAppeal(h.ctx(), h.dan, a.ID, true, "It was."))
	h.ok(h.DB.Update(h.ctx(), func(tx *db.Tx) error { return reopenPeriod(tx, "P0001") })) // as if the power had failed before it was published
	_, err := h.Settle(h.ctx(), h.bea, "P0001")
	h.refused(err, ErrState)
	h.statement("P0001") // the old one stays to be read
	p := must[Period](t)(h.Close(h.ctx(), h.bea, "P0001"))
	if p.ChallengeEndsAt != h.now()+240*3600*1000 {
		t.Errorf("finished as %+v", p)
	}
	h.settled("P0001")
}

func TestMoneyLeavesWhenTwoHaveReleasedIt(t *testing.T) {
	h := story(t)
	members, _ := h.earned(3)
	must[PayoutAccount](t)(h.SetPayoutAccount(h.ctx(), members[0], "Gül Özdemir", ibanDE))
	must[PayoutAccount](t)(h.SetPayoutAccount(h.ctx(), members[1], `<b>Bob</b> & "Sons"`, ibanGB))
	h.closed("P0001")
	_, err := h.Release(h.ctx(), h.bea, "P0001")
	h.refused(err, ErrState)
	h.settled("P0001")
	due := []coop.Money{}
	for _, m := range members {
		due = append(due, h.balance(ledger.Member(m)))
	}
	for _, m := range []coop.MemberID{h.ada, h.dan, members[0], ""} {
		_, err := h.Release(h.ctx(), m, "P0001")
		h.refused(err, ErrOffice)
		_, err = h.PayoutFile(h.ctx(), m, "P0001")
		h.refused(err, ErrOffice)
	}
	_, err = h.Release(h.ctx(), h.bea, "P0008")
	h.refused(err, ErrNotFound)
	if p := must[Period](t)(h.Release(h.ctx(), h.bea, "P0001")); p.State != PeriodSettled || p.Released != 1 {
		t.Errorf("after one: %+v", p)
	}
	_, err = h.Release(h.ctx(), h.bea, "P0001")
	h.refused(err, ErrReleasedTwice)
	_, err = h.PayoutFile(h.ctx(), h.bea, "P0001")
	h.refused(err, ErrState)
	h.holds(ledger.Payout, 0)
	if p := must[Period](t)(h.Release(h.ctx(), h.cem, "P0001")); p.State != PeriodReleased || p.Released != 2 {
		t.Errorf("after two: %+v", p)
	}
	for _, m := range []coop.MemberID{h.bea, h.cem} {
		_, err = h.Release(h.ctx(), m, "P0001")
		h.refused(err, ErrState)
	}
	h.holds(ledger.Payout, due[0]+due[1])
	h.holds(ledger.Member(members[0]), 0)
	h.holds(ledger.Member(members[2]), due[2]) // no account: it stays theirs
	file := must[[]byte](t)(h.PayoutFile(h.ctx(), h.cem, "P0001"))
	doc := readPain(t, file)
	if len(doc.Transfers) != 2 || doc.Sum != (due[0]+due[1]).Decimal("EUR") || doc.Payer != "Riverside Data Cooperative" || doc.IBAN != "DE89370400440532013000" {
		t.Errorf("file %+v", doc)
	}
	for _, transfer := range doc.Transfers {
		if transfer.IBAN == "DE89370400440532013000" && (transfer.Name != "Gul Ozdemir" || transfer.Amount != due[0].Decimal("EUR")) ||
			transfer.IBAN == ibanGB && (transfer.Name != ".b.Bob./b. + .Sons." || transfer.Amount != due[1].Decimal("EUR")) {
			t.Errorf("transfer %+v", transfer)
		}
	}
	validate(t, file)
}

// pain is what the tests read in a payment file.
type pain struct {
	ID        string `xml:"CstmrCdtTrfInitn>GrpHdr>MsgId"`
	Sum       string `xml:"CstmrCdtTrfInitn>GrpHdr>CtrlSum"`
	Payer     string `xml:"CstmrCdtTrfInitn>PmtInf>Dbtr>Nm"`
	IBAN      string `xml:"CstmrCdtTrfInitn>PmtInf>DbtrAcct>Id>IBAN"`
	Transfers []struct {
		EndToEnd string `xml:"PmtId>EndToEndId"`
		Amount   string `xml:"Amt>InstdAmt"`
		Name     string `xml:"Cdtr>Nm"`
		IBAN     string `xml:"CdtrAcct>Id>IBAN"`
	} `xml:"CstmrCdtTrfInitn>PmtInf>CdtTrfTxInf"`
}

func readPain(t *testing.T, file []byte) (doc pain) {
	t.Helper()
	if err := xml.Unmarshal(file, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

func validate(t *testing.T, file []byte) {
	t.Helper()
	xmllint, err := exec.LookPath("xmllint")
	if err != nil {
		t.Log("xmllint is not installed: the payment file is not validated against its schema")
		return
	}
	path := filepath.Join(t.TempDir(), "payout.xml")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	schema := testkit.Fixture(t, "19-protocol-vectors/pain001/pain.001.001.09.xsd")
	if said, err := exec.CommandContext(t.Context(), xmllint, "--noout", "--nonet", "--schema", schema, path).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, said)
	}
}

func TestReleasingAtOncePaysOnce(t *testing.T) {
	h := story(t)
	members, _ := h.earned(3)
	must[PayoutAccount](t)(h.SetPayoutAccount(h.ctx(), members[0], "Ada Adams", ibanDE))
	h.closed("P0001")
	h.settled("P0001")
	due := h.balance(ledger.Member(members[0]))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			_, err := h.Release(h.ctx(), []coop.MemberID{h.bea, h.cem}[i%2], "P0001")
			if err != nil && fault.KindOf(err) != fault.Conflict {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	h.holds(ledger.Payout, due)
	if h.rows("marketplace_payouts") != 1 {
		t.Errorf("%d payouts", h.rows("marketplace_payouts"))
	}
}

func TestSmallBalancesAreCarriedForward(t *testing.T) {
	h := story(t, func(c *coop.Charter) { c.MinimumPayout = 1500 })
	members, s := h.earned(3)
	for _, m := range members {
		must[PayoutAccount](t)(h.SetPayoutAccount(h.ctx(), m, "Ada Adams", ibanDE))
	}
	h.closed("P0001")
	h.settled("P0001")
	h.released("P0001")
	h.holds(ledger.Payout, 0)
	_, err := h.PayoutFile(h.ctx(), h.bea, "P0001")
	h.refused(err, ErrNothingToPay)
	_, files := h.paid(s)
	h.fetchAll(s, files)
	h.closed("P0002")
	h.settled("P0002")
	sum := coop.Money(0)
	for _, m := range members {
		sum += h.balance(ledger.Member(m))
	}
	h.released("P0002")
	h.holds(ledger.Payout, sum)
	h.holds(ledger.Member(members[0]), 0)
	if doc := readPain(t, must[[]byte](t)(h.PayoutFile(h.ctx(), h.bea, "P0002"))); doc.Sum != sum.Decimal("EUR") {
		t.Errorf("file %+v, want %s", doc, sum.Decimal("EUR"))
	}
}

func TestWhoLeftIsPaidTheRestAndForgotten(t *testing.T) {
	h := story(t, func(c *coop.Charter) { c.MinimumPayout = 1_000_000 })
	members, _ := h.earned(3)
	for _, m := range members {
		must[PayoutAccount](t)(h.SetPayoutAccount(h.ctx(), m, "Ada Adams", ibanDE))
	}
	h.clock.Advance(time.Hour)
	h.ok(h.gov.CloseAccount(h.ctx(), members[0]))
	h.closed("P0001")
	h.settled("P0001")
	due := h.balance(ledger.Member(members[0]))
	h.released("P0001")
	h.holds(ledger.Payout, due)
	if must[PayoutAccount](t)(h.PayoutAccount(h.ctx(), members[0])).IBAN == "" {
		t.Error("forgotten while something may still be due")
	}
	h.closed("P0002")
	h.settled("P0002")
	h.released("P0002")
	if got := must[PayoutAccount](t)(h.PayoutAccount(h.ctx(), members[0])); got.IBAN != "" || got.Holder != "" {
		t.Errorf("kept %+v", got)
	}
	if must[PayoutAccount](t)(h.PayoutAccount(h.ctx(), members[1])).IBAN == "" {
		t.Error("somebody who stays was forgotten")
	}
}

func TestWhoLeftIsForgottenThoughTheirPaymentBounced(t *testing.T) {
	h := story(t)
	m, due, order := h.sent()
	h.clock.Advance(time.Hour)
	h.ok(h.gov.CloseAccount(h.ctx(), m))
	h.imports(bounce("r", due, order))
	h.closed("P0002")
	h.settled("P0002")
	h.released("P0002")
	if must[PayoutAccount](t)(h.PayoutAccount(h.ctx(), m)).IBAN == "" {
		t.Error("forgotten while something may still be due")
	}
	h.closed("P0003")
	h.settled("P0003")
	h.released("P0003")
	if got := must[PayoutAccount](t)(h.PayoutAccount(h.ctx(), m)); got.IBAN != "" || got.Holder != "" {
		t.Errorf("kept %+v", got)
	}
	h.holds(ledger.Member(m), due) // and nothing was sent where it bounced
	h.holds(ledger.Payout, 0)
}

func TestTheBankSaysWhenAPayoutIsCarriedOut(t *testing.T) {
	h := story(t)
	members, s := h.earned(3)
	for _, m := range members[:2] {
		must[PayoutAccount](t)(h.SetPayoutAccount(h.ctx(), m, "Ada Adams", ibanDE))
	}
	h.closed("P0001")
	h.settled("P0001")
	h.released("P0001")
	first := h.balance(ledger.Payout)
	bank := h.balance(ledger.Bank)
	for _, other := range []string{debit("x", first, "rent"), debit("x", first-1, "datacoop-P0001"), debit("x", first, "datacoop-P0002")} {
		if got := h.imports(other); got.PaidOut != 0 {
			t.Errorf("taken for the payout: %+v", got)
		}
	}
	if got := h.imports(debit("x", first, "datacoop-P0001")); got.PaidOut != first || got.Matched != 0 {
		t.Errorf("import %+v", got)
	}
	if got := h.imports(debit("x", first, "datacoop-P0001"), debit("y", first, "datacoop-P0001")); got.PaidOut != 0 {
		t.Errorf("told again: %+v", got)
	}
	h.holds(ledger.Payout, 0)
	h.holds(ledger.Bank, bank-first)

	_, files := h.paid(s) // and where the bank lists each payment alone
	h.fetchAll(s, files)
	h.closed("P0002")
	h.settled("P0002")
	h.released("P0002")
	bank = h.balance(ledger.Bank)
	doc := readPain(t, must[[]byte](t)(h.PayoutFile(h.ctx(), h.bea, "P0002")))
	second := h.balance(ledger.Payout)
	for i, transfer := range doc.Transfers {
		amount := must[coop.Money](t)(coop.ParseMoney(transfer.Amount, "EUR"))
		if got := h.imports(debit("z"+transfer.EndToEnd, amount, transfer.EndToEnd)); got.PaidOut != amount {
			t.Errorf("payment %d: %+v", i, got)
		}
	}
	h.holds(ledger.Payout, 0)
	h.holds(ledger.Bank, bank-second)
}

func TestBadAccountsAreRefusedAndTheFormerStays(t *testing.T) {
	h := story(t)
	m := h.member("eva")
	if got := must[PayoutAccount](t)(h.PayoutAccount(h.ctx(), m)); got.IBAN != "" || got.Ending() != "" {
		t.Errorf("an account nobody set: %+v", got)
	}
	good := must[PayoutAccount](t)(h.SetPayoutAccount(h.ctx(), m, " Eva Öz ", ibanDE))
	if good.Holder != "Eva Öz" || good.Ending() != "3000" || good.UpdatedAt != h.now() {
		t.Errorf("set %+v", good)
	}
	for _, iban := range []string{"", "DE", "DE89 3704 0044 0532 0130 01", "nonsense"} {
		_, err := h.SetPayoutAccount(h.ctx(), m, "Eva", iban)
		h.refused(err, ErrIBAN)
	}
	for _, holder := range []string{"", "  ", strings.Repeat("x", 71), "Eva\nÖz", "\xff", "王芳", "…", "12"} {
		_, err := h.SetPayoutAccount(h.ctx(), m, holder, ibanGB)
		h.refused(err, ErrHolder)
	}
	if got := must[PayoutAccount](t)(h.PayoutAccount(h.ctx(), m)); got != good {
		t.Errorf("changed to %+v", got)
	}
	must[PayoutAccount](t)(h.SetPayoutAccount(h.keyed("key-0001"), m, strings.Repeat("ü", 70), ibanGB))
	if n := h.rows("once_answers"); n != 0 {
		t.Error("an account number lies among the answers")
	}
}

func TestWithoutAnAccountOfTheCoopThereIsNoFile(t *testing.T) {
	h := story(t, func(c *coop.Charter) { c.IBAN = "" })
	members, _ := h.earned(3)
	must[PayoutAccount](t)(h.SetPayoutAccount(h.ctx(), members[0], "Ada Adams", ibanDE))
	h.closed("P0001")
	h.settled("P0001")
	h.released("P0001")
	_, err := h.PayoutFile(h.ctx(), h.bea, "P0001")
	h.refused(err, ErrNoAccount)
}

func TestACallRepeatedUnderItsKeyHasOneEffectAndOneAnswer(t *testing.T) {
	h := story(t)
	members, _ := h.shared(3)
	draft := Researcher{Name: "Example University", Kind: "university", Region: "DE"}
	if a, b := must[Researcher](t)(h.Vet(h.keyed("vet"), h.ada, draft)), must[Researcher](t)(h.Vet(h.keyed("vet"), h.ada, draft)); a != b {
		t.Errorf("vetted %+v, then %+v", a, b)
	}
	s := h.scientist()
	req := must[Request](t)(h.Submit(h.keyed("submit"), s.draft()))
	if again := must[Request](t)(h.Submit(h.keyed("submit"), s.draft())); !reflect.DeepEqual(again, req) || len(h.decisions(members[0])) != 1 {
		t.Errorf("submitted %+v, then %+v", req, again)
	}
	other := once.Key{Caller: "caller", Key: "submit", Body: [32]byte{1}}
	_, err := h.Submit(once.With(h.ctx(), other), s.draft())
	h.refused(err, once.ErrReused)
	inv := must[Invoice](t)(h.Accept(h.keyed("accept"), s.ID, req.ID))
	if again := must[Invoice](t)(h.Accept(h.keyed("accept"), s.ID, req.ID)); again != inv {
		t.Errorf("accepted %+v, then %+v", inv, again)
	}
	entry := credit("B", inv.Total, "<Ref>"+inv.Reference+"</Ref>")
	for range 2 {
		got := must[Import](t)(h.ImportBankStatement(h.keyed("import"), h.bea, camt("S", entry)))
		if got.Matched != 1 || got.Known != 0 {
			t.Errorf("imported %+v", got)
		}
	}
	h.fetchAll(s, must[[]FileView](t)(h.Files(h.ctx(), s.ID, req.ID)))
	h.clock.Advance(time.Hour)
	p := must[Period](t)(h.Close(h.keyed("close"), h.bea, "P0001"))
	if again := must[Period](t)(h.Close(h.keyed("close"), h.bea, "P0001")); again != p {
		t.Errorf("closed %+v, then %+v", p, again)
	}
	a := must[Appeal](t)(h.Appeal(h.keyed("appeal"), members[0], "P0001", "Too little."))
	if again := must[Appeal](t)(h.Appeal(h.keyed("appeal"), members[0], "P0001", "Too little.")); again != a {
		t.Errorf("appealed %+v, then %+v", a, again)
	}
	for range 2 {
		if got := must[Appeal](t)(h.DecideAppeal(h.keyed("decide"), h.dan, a.ID, true, "Yes.")); got.State != AppealUpheld {
			t.Errorf("decided %+v", got)
		}
	}
	h.clock.Advance(240 * time.Hour)
	for range 2 {
		if got := must[Period](t)(h.Settle(h.keyed("settle"), h.bea, "P0001")); got.State != PeriodSettled {
			t.Errorf("settled %+v", got)
		}
	}
	for range 2 {
		if got := must[Period](t)(h.Release(h.keyed("release"), h.bea, "P0001")); got.Released != 1 {
			t.Errorf("released %+v", got)
		}
	}
	h.holds(ledger.Payout, 0)
	_, err = h.Release(h.keyed("release-again"), h.bea, "P0001")
	h.refused(err, ErrReleasedTwice)
}
