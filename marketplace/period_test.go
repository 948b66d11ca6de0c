package marketplace

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/marketplace/accrual"
	"distributed.ai/datacoop/marketplace/appeals"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/ledger"
	"distributed.ai/datacoop/vault"
)

func TestAPeriodClosesOnceAndTheNextBegins(t *testing.T) {
	h := story(t)
	h.earned(3)
	for _, m := range []coop.MemberID{h.ada, h.dan, h.member("eva"), ""} {
		_, err := h.Close(h.ctx(), m, "P0001")
		h.refused(err, ErrOffice)
	}
	for _, id := range []coop.PeriodID{"P0002", "P9999", "", "x"} {
		_, err := h.Close(h.ctx(), h.bea, id)
		h.refused(err, ErrNotFound)
		_, err = h.Statement(h.ctx(), id)
		h.refused(err, ErrNotFound)
	}
	_, err := h.Statement(h.ctx(), "P0001")
	h.refused(err, ErrNotFound)
	p := h.closed("P0001")
	if p.State != PeriodClosed || p.Revenue != 3*price || p.ClosedAt != h.now() || p.ChallengeEndsAt != h.now()+240*3600*1000 || len(p.BundleSHA256) != 64 {
		t.Errorf("closed as %+v", p)
	}
	leaves := must[int64](t)(h.log.Verify(h.ctx()))
	h.clock.Advance(time.Hour)
	if again := must[Period](t)(h.Close(h.ctx(), h.cem, "P0001")); again != p {
		t.Errorf("closed again as %+v", again)
	}
	if after := must[int64](t)(h.log.Verify(h.ctx())); after != leaves {
		t.Error("closing again was recorded")
	}
	list := must[[]Period](t)(h.Periods(h.ctx()))
	if len(list) != 2 || list[0].ID != "P0002" || list[0].State != PeriodOpen || list[0].OpenedAt != p.ClosedAt || list[1] != p {
		t.Errorf("periods %+v", list)
	}
	if _, err := New(h.ctx(), Config{}); err == nil {
		t.Error("a market of nothing was opened")
	}
}

func TestTheStatementIsWhatTheEvidenceGives(t *testing.T) {
	h := story(t)
	members, _ := h.earned(4)
	h.worked(members[0])
	p := h.closed("P0001")
	h.holds(ledger.Access, p.Revenue)
	pub := h.statement(p.ID)
	ev := must[appraisal.Evidence](t)(h.evidence(h.ctx(), p))
	blind, _ := h.blind(ev)
	if again := must[appraisal.Statement](t)(appraisal.Close(blind, must[appraisal.Params](t)(h.terms(h.ctx(), p)), nil)); fmt.Sprint(again) != fmt.Sprint(pub.Statement) {
		t.Error("the evidence gives another statement")
	}
	if len(ev.Data) != 4 || len(ev.Available) != 4 || ev.Available[0].Days != 1 || len(ev.Work) != 1 || len(ev.Duties) != 2 || ev.Revenue != 4*price {
		t.Errorf("evidence %+v", ev)
	}
	sum := coop.Money(0)
	for _, m := range append(members, h.ada, h.dan) {
		mine := must[MemberStatement](t)(h.MemberStatement(h.ctx(), m, p.ID))
		lines := int64(0)
		for _, line := range mine.Share.Lines {
			lines += line.Amount
		}
		if mine.Period != pub.Period || mine.Share.Member != m || lines != int64(mine.Share.Amount) {
			t.Errorf("%+v", mine)
		}
		sum += mine.Share.Amount
	}
	if int64(sum) != pub.Statement.Step(appraisal.StepMembers) || sum == 0 {
		t.Errorf("members get %d of %d", sum, pub.Statement.Step(appraisal.StepMembers))
	}
	_, err := h.MemberStatement(h.ctx(), h.bea, p.ID)
	h.refused(err, ErrNotFound)
	_, err = h.MemberStatement(h.ctx(), members[0], "P0002")
	h.refused(err, ErrNotFound)
}

func TestMembersReadTheirOwnReferencesAndOnlyPseudonymsOfOthers(t *testing.T) {
	h := story(t)
	members, datasets := h.shared(3)
	s := h.scientist()
	req, files := h.paid(s)
	h.fetchAll(s, files)
	work := h.worked(members[0])
	p := h.closed("P0001")
	pub := h.statement(p.ID)
	secrets := []string{string(req.ID), string(work), string(s.ID), string(h.ada), string(h.dan), s.Name}
	for i := range members {
		secrets = append(secrets, string(members[i]), string(datasets[i]), string(files[i].ID), files[i].SHA256)
	}
	for _, secret := range secrets {
		if bytes.Contains(pub.Bundle, []byte(secret)) || strings.Contains(fmt.Sprint(pub.Statement), secret) {
			t.Errorf("the bundle tells %s", secret)
		}
	}
	mine := must[MemberStatement](t)(h.MemberStatement(h.ctx(), members[0], p.ID))
	refs := map[string]string{}
	for _, line := range mine.Share.Lines {
		refs[line.Kind] = line.Ref
		if line.Kind == appraisal.KindData && line.Request != string(req.ID) {
			t.Errorf("the use was for %s", line.Request)
		}
	}
	if refs[appraisal.KindData] != string(datasets[0]) || refs[appraisal.KindStipend] != string(datasets[0]) || refs[appraisal.KindWork] != string(work) {
		t.Errorf("my references are %v", refs)
	}
	duty := must[MemberStatement](t)(h.MemberStatement(h.ctx(), h.ada, p.ID)).Share.Lines[0]
	if duty.Ref != "review:"+string(work) {
		t.Errorf("a duty's reference is %s", duty.Ref)
	}
	text := must[[]byte](t)(json.Marshal(mine))
	for _, other := range append(members[1:], h.ada) {
		if bytes.Contains(text, []byte(other)) {
			t.Error("my statement names another member")
		}
	}
	// The same member has another pseudonym in the next period.
	_, files = h.paid(s)
	h.fetchAll(s, files)
	h.closed("P0002")
	names := map[string]bool{}
	for _, share := range append(pub.Statement.Shares, h.statement("P0002").Statement.Shares...) {
		if names[share.Member] {
			t.Error("a pseudonym outlives its period")
		}
		names[share.Member] = true
	}
}

func TestWhatADatasetEarnedIsTold(t *testing.T) {
	h := story(t)
	members, _ := h.shared(3)
	s := h.scientist()
	_, files := h.paid(s)
	h.fetchAll(s, files)
	h.worked(members[0])
	h.closed("P0001")
	if got := must[map[coop.DatasetID]coop.Money](t)(h.Earned(h.ctx(), members[0])); len(got) != 0 {
		t.Errorf("earned before it is settled: %v", got)
	}
	h.settled("P0001")
	got := must[map[coop.DatasetID]coop.Money](t)(h.Earned(h.ctx(), members[0]))
	d := must[[]vault.Dataset](t)(h.vault.Mine(h.ctx(), members[0]))[0].ID
	if len(got) != 1 || got[d] <= 0 || got[d] >= h.balance(ledger.Member(members[0])) { // work earned something too
		t.Errorf("earned %v of %d", got, h.balance(ledger.Member(members[0])))
	}
}

func TestSettlementEmptiesIncomeExactly(t *testing.T) {
	for n := 3; n <= 7; n++ {
		h := story(t, func(c *coop.Charter) { c.Pools[0].Price = 1009 })
		h.earned(n)
		p := h.closed("P0001")
		h.holds(ledger.Access, p.Revenue)
		h.settled("P0001")
		h.holds(ledger.Access, 0)
		sum := h.balance(ledger.Commission) + h.balance(ledger.Reserve) + h.balance(ledger.Purpose) + h.balance(ledger.Investors)
		for _, b := range must[[]ledger.Balance](t)(h.books.Balances(h.ctx(), ledger.Members)) {
			sum += b.Amount
		}
		if sum != p.Revenue {
			t.Errorf("%d datasets: %d of %d", n, sum, p.Revenue)
		}
	}
}

func TestWhatIsDeliveredLaterBelongsToTheNextPeriod(t *testing.T) {
	h := story(t)
	h.shared(3)
	s := h.scientist()
	_, files := h.paid(s)
	h.fetch(s, files[0].ID)
	h.closed("P0001")
	h.fetch(s, files[0].ID) // again: not revenue again
	h.fetch(s, files[1].ID)
	h.settled("P0001")
	h.holds(ledger.Access, price)
	if p := h.closed("P0002"); p.Revenue != price {
		t.Errorf("the second period earned %d", p.Revenue)
	}
	h.settled("P0002")
	h.holds(ledger.Access, 0)
}

func TestAClockSetBackLosesNoRevenue(t *testing.T) {
	h := story(t)
	h.shared(3)
	s := h.scientist()
	_, files := h.paid(s)
	h.fetch(s, files[0].ID)
	h.closed("P0001")
	h.clock.Advance(-2 * time.Hour)
	h.fetch(s, files[1].ID)
	if p := must[Period](t)(h.Close(h.ctx(), h.bea, "P0002")); p.ClosedAt < p.OpenedAt {
		t.Errorf("the period ends before it begins: %+v", p)
	}
	h.clock.Advance(4 * time.Hour)
	h.fetch(s, files[2].ID)
	h.closed("P0003")
	h.clock.Advance(300 * time.Hour)
	for _, id := range []coop.PeriodID{"P0001", "P0002", "P0003"} {
		must[Period](t)(h.Settle(h.ctx(), h.bea, id))
	}
	h.holds(ledger.Access, 0)
}

func TestAnEmptyPeriodSettlesWithoutAnEntry(t *testing.T) {
	h := story(t)
	p := h.closed("P0001")
	if p.Revenue != 0 || len(h.statement("P0001").Statement.Shares) != 0 {
		t.Errorf("statement %+v", p)
	}
	if p := h.settled("P0001"); p.State != PeriodSettled || h.entries() != 0 {
		t.Errorf("settled as %+v with %d entries", p, h.entries())
	}
	if p := h.released("P0001"); p.State != PeriodReleased {
		t.Errorf("released as %+v", p)
	}
	_, err := h.PayoutFile(h.ctx(), h.bea, "P0001")
	h.refused(err, ErrNothingToPay)
}

func TestWhatNobodyEarnedGoesToTheReserve(t *testing.T) {
	h := story(t)
	for _, m := range h.members(3) { // tables without a single cell weigh nothing
		h.share(m, yes(), func(in *vault.SealInput) { in.Profile.Coverage = 0 })
	}
	s := h.scientist()
	_, files := h.paid(s)
	h.fetchAll(s, files)
	h.clock.Advance(time.Hour) // too short for a day of availability
	p := must[Period](t)(h.Close(h.ctx(), h.bea, "P0001"))
	st := h.statement("P0001").Statement
	unclaimed := st.Step(appraisal.StepUnclaimed)
	if p.Revenue != 3*price || unclaimed <= 0 || st.Step(appraisal.StepMembers) != 0 {
		t.Errorf("waterfall %+v", st.Waterfall)
	}
	h.settled("P0001")
	h.holds(ledger.Access, 0)
	h.holds(ledger.Reserve, coop.Money(unclaimed+st.Step(appraisal.StepReserve)))
}

func TestARawFileEarnsLikeAFullTable(t *testing.T) {
	h := story(t)
	members := h.members(3)
	for i, m := range members {
		h.share(m, yes(), func(in *vault.SealInput) {
			in.Profile.Coverage = 1000
			if i == 0 {
				in.Raw, in.Profile = true, vault.Profile{Format: "unknown"}
			}
		})
	}
	s := h.scientist()
	_, files := h.paid(s)
	h.fetchAll(s, files)
	h.closed("P0001")
	var amounts []coop.Money
	for _, m := range members {
		amounts = append(amounts, must[MemberStatement](t)(h.MemberStatement(h.ctx(), m, "P0001")).Share.Amount)
	}
	if slices.Max(amounts)-slices.Min(amounts) > 1 { // rounding
		t.Errorf("shares differ: %v", amounts)
	}
}

func TestRevokingAndLeavingAfterAUseCostNothingEarned(t *testing.T) {
	h := story(t)
	members, datasets := h.shared(3)
	s := h.scientist()
	_, files := h.paid(s)
	h.fetchAll(s, files)
	h.clock.Advance(49 * time.Hour)
	must[vault.Receipt](t)(h.vault.Revoke(h.ctx(), members[0], datasets[0]))
	h.ok(h.gov.CloseAccount(h.ctx(), members[0]))
	h.clock.Advance(48 * time.Hour)
	p := h.closed("P0001")
	ev := must[appraisal.Evidence](t)(h.evidence(h.ctx(), p))
	for _, a := range ev.Available {
		want := int64(5)
		if a.Member == string(members[0]) {
			want = 2
		}
		if a.Days != want {
			t.Errorf("%d days of availability, want %d", a.Days, want)
		}
	}
	h.settled("P0001")
	if h.balance(ledger.Member(members[0])) <= 0 {
		t.Error("who left gets nothing")
	}
	h.closed("P0002")
	if ev := must[appraisal.Evidence](t)(h.evidence(h.ctx(), must[[]Period](t)(h.Periods(h.ctx()))[1])); len(ev.Available) != 2 {
		t.Errorf("a revoked dataset is available: %+v", ev.Available)
	}
}

func TestOldDataStayWorthSomething(t *testing.T) {
	const year = 365 * 24 * 3600 * 1000
	for age, want := range map[int64]int64{-5: 1000, 0: 1000, year - 1: 1000, year: 900, 3 * year: 700, 5 * year: 500, 50 * year: 500} {
		if got := accrual.Freshness(0, age); got != want {
			t.Errorf("after %d years: %d", age/year, got)
		}
	}
}

func TestAnInterruptedCloseIsFinished(t *testing.T) {
	h := story(t)
	members, _ := h.earned(3)
	h.clock.Advance(time.Hour)
	h.ok(h.DB.Update(h.ctx(), func(tx *db.Tx) error { return h.endPeriod(tx, "P0001") })) // and then the power fails
	_, err := h.Statement(h.ctx(), "P0001")
	h.refused(err, ErrNotFound)
	_, err = h.Settle(h.ctx(), h.bea, "P0001")
	h.refused(err, ErrState)
	_, err = h.Appeal(h.ctx(), members[0], "P0001", "Where is it?")
	h.refused(err, ErrChallengeClosed)
	h.clock.Advance(time.Hour)
	p := must[Period](t)(h.Close(h.ctx(), h.bea, "P0001"))
	if p.Revenue != 3*price || p.ClosedAt != h.now()-3600*1000 || len(must[[]Period](t)(h.Periods(h.ctx()))) != 2 {
		t.Errorf("finished as %+v", p)
	}
	h.settled("P0001")
	h.holds(ledger.Access, 0)
}

func TestClosingAtOncePublishesOnce(t *testing.T) {
	h := story(t)
	h.earned(3)
	h.clock.Advance(time.Hour)
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			if p, err := h.Close(h.ctx(), h.bea, "P0001"); err != nil || p.Revenue != 3*price || p.ChallengeEndsAt == 0 {
				t.Errorf("%+v, %v", p, err)
			}
		})
	}
	wg.Wait()
	published := 0
	h.ok(h.DB.View(h.ctx(), func(tx *db.Tx) (err error) {
		records, err := testkit.Dump(tx, `SELECT record FROM audit_records`)
		published = strings.Count(records, "bundle_sha256")
		return err
	}))
	if published != 1 {
		t.Errorf("published %d times", published)
	}
}

func TestASlowCloseDoesNotUndoAnAppeal(t *testing.T) {
	h := story(t)
	members, _ := h.earned(3)
	p := h.closed("P0001")
	must[Appeal](t)(h.Appeal(h.ctx(), members[0], "P0001", "Too little."))
	late := p
	late.BundleSHA256, late.ChallengeEndsAt = "other", h.now()+1
	h.ok(h.DB.Update(h.ctx(), func(tx *db.Tx) error {
		due, err := publishPeriod(tx, p, late, []byte("other"), nil)
		if due {
			t.Error("a statement was overwritten")
		}
		return err
	}))
}

func TestSettlingHasItsTimeAndItsOffice(t *testing.T) {
	h := story(t)
	members, _ := h.earned(3)
	_, err := h.Settle(h.ctx(), h.bea, "P0001")
	h.refused(err, ErrState)
	_, err = h.Settle(h.ctx(), h.bea, "P0009")
	h.refused(err, ErrNotFound)
	p := h.closed("P0001")
	for _, m := range []coop.MemberID{h.ada, h.dan, members[0]} {
		_, err := h.Settle(h.ctx(), m, "P0001")
		h.refused(err, ErrOffice)
	}
	_, err = h.Settle(h.ctx(), h.bea, "P0001")
	h.refused(err, ErrChallengeOpen)
	h.clock.Advance(240*time.Hour - time.Millisecond)
	_, err = h.Settle(h.ctx(), h.bea, "P0001")
	h.refused(err, ErrChallengeOpen)
	a := must[Appeal](t)(h.Appeal(h.ctx(), members[0], "P0001", "Too little.")) // in the last moment
	h.clock.Advance(time.Millisecond)
	_, err = h.Settle(h.ctx(), h.bea, "P0001")
	h.refused(err, ErrAppealOpen)
	must[Appeal](t)(h.DecideAppeal(h.ctx(), h.dan, a.ID, false, "It is what the rules give."))
	_, err = h.Settle(h.ctx(), h.bea, "P0001") // it can still be taken to a panel
	h.refused(err, ErrAppealOpen)
	h.clock.Advance(appeals.Escalation)
	got := must[Period](t)(h.Settle(h.ctx(), h.cem, "P0001"))
	if got.State != PeriodSettled || got.SettledAt != h.now() || got.BundleSHA256 != p.BundleSHA256 {
		t.Errorf("settled as %+v", got)
	}
	entries := h.entries()
	for _, m := range []coop.MemberID{h.bea, h.cem} {
		_, err = h.Settle(h.ctx(), m, "P0001")
		h.refused(err, ErrState)
	}
	if again := must[Period](t)(h.Close(h.ctx(), h.bea, "P0001")); again.State != PeriodSettled || h.entries() != entries {
		t.Errorf("closed after settlement: %+v", again)
	}
}

func TestTamperingWithAStatementIsFound(t *testing.T) {
	bundle := func(tx *db.Tx) error {
		_, err := testkit.Tamper(tx, "marketplace_periods", "bundle", "state = 'closed'", func(b []byte) []byte {
			return bytes.ReplaceAll(b, []byte(`"amount":`), []byte(`"amount":1`))
		})
		return err
	}
	run := func(query string) func(*db.Tx) error { return func(tx *db.Tx) error { return tx.ExecOne(query) } }
	for name, change := range map[string]func(*db.Tx) error{
		"a share":      run(`UPDATE marketplace_shares SET amount = amount + 1 WHERE member = (SELECT min(member) FROM marketplace_shares)`),
		"a lost share": run(`DELETE FROM marketplace_shares WHERE member = (SELECT min(member) FROM marketplace_shares)`),
		"the digest":   run(`UPDATE marketplace_periods SET bundle_sha256 = 'x' WHERE state = 'closed'`),
		"the bundle":   bundle,
	} {
		h := open(t)
		h.earned(3)
		h.closed("P0001")
		if n, err := h.Verify(h.ctx()); n != 1 || err != nil {
			t.Fatalf("%d statements, %v", n, err)
		}
		h.ok(h.DB.Update(h.ctx(), change))
		if _, err := h.Verify(h.ctx()); err == nil {
			t.Errorf("%s was changed and nobody noticed", name)
		}
	}
}

func TestAMarketNeedsEveryRoomAndTheKey(t *testing.T) {
	h := open(t)
	for _, change := range []func(*Config){
		func(c *Config) { c.DB = nil }, func(c *Config) { c.Consent = nil }, func(c *Config) { c.Vault = nil },
		func(c *Config) { c.Governance = nil }, func(c *Config) { c.Ledger = nil }, func(c *Config) { c.Log = nil },
		func(c *Config) { c.Jobs = nil }, func(c *Config) { c.Clock = nil }, func(c *Config) { c.Key = ed25519.PrivateKey{1} },
	} {
		c := h.Config
		change(&c)
		if _, err := New(h.ctx(), c); err == nil {
			t.Error("an incomplete market was opened")
		}
	}
	if ids := must[[]Period](t)(h.Periods(h.ctx())); !slices.Equal([]string{string(ids[0].ID)}, []string{"P0001"}) {
		t.Errorf("periods %+v", ids)
	}
}
