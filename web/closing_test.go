package web_test

import (
	"context"
	"crypto/ed25519"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/web"
	"distributed.ai/datacoop/web/client"
	"distributed.ai/datacoop/web/farewell"
)

// earned is a house in which eva, finn and gül are owed money for data that
// were fetched.
func earned(t *testing.T) (h *house, s *study, request string) {
	h = openHouse(t)
	ctx := context.Background()
	for i, name := range []string{"eva", "finn", "guel"} {
		api, _ := h.member(name)
		h.share(api, uint64(i)+1)
	}
	s = h.study(30)
	request = s.ask().ID
	s.pay(request)
	s.fetch(request, 3, 0)
	h.clock.Advance(time.Hour)
	bea, _ := h.member("bea")
	_, err := bea.ClosePeriod(ctx, "P0001")
	ok(t, err)
	h.clock.Advance(30 * 24 * time.Hour)
	_, err = bea.SettlePeriod(ctx, "P0001")
	ok(t, err)
	return h, s, request
}

const evasIBAN = "DE89370400440532013000"

// mayStay lists the tables that name somebody who has left by their bare id,
// and why. A table that is not here keeps nothing of them.
var mayStay = map[string]string{
	"once_answers":                  "what was answered to a call, for a day",
	"consent_members":               "sharing stays stopped",
	"vault_tombstones":              "that a dataset was destroyed",
	"ledger_balances":               "books balance",
	"marketplace_files":             "what was paid for",
	"accrual_parts":                 "what was paid for",
	"governance_members":            "that there was a member, from when to when",
	"consent_datasets":              "which datasets past decisions were about",
	"consent_records":               "what was allowed, for auditors",
	"consent_decisions":             "every decision can be computed again",
	"consent_pauses":                "sharing stays stopped",
	"consent_cohorts":               "every decision can be computed again",
	"vault_datasets":                "that a dataset was destroyed",
	"marketplace_deliveries":        "what was paid for",
	"marketplace_shares":            "the statements that were published",
	"marketplace_periods":           "the statements that were published",
	"ledger_accounts":               "books balance",
	"ledger_postings":               "books balance",
	"audit_records":                 "what the log committed to",
	"farewell_closings":             "the closing itself",
	"marketplace_payout_accounts":   "while money is owed",
	"jobs_queue":                    "what has still to happen",
	"web_sessions_ended":            "that no old session comes back, for eight hours",
	"marketplace_payouts":           "payment orders already made",
	"marketplace_statements":        "the statements that were published",
	"marketplace_waiting":           "what requests are about",
	"marketplace_grants":            "what requests are about",
	"marketplace_statement_bundles": "the statements that were published",
	"calibration_seats":             "who was drawn to compare work, so that the draw can be checked",
}

// kept lists the tables that hold a text, and fails on those that may not.
func (h *house) kept(text string, may map[string]string) {
	h.t.Helper()
	ok(h.t, h.db.View(context.Background(), func(tx *db.Tx) error {
		tables, err := testkit.Tables(tx)
		for _, table := range tables {
			var all string
			if all, err = testkit.Dump(tx, "SELECT * FROM "+table); err != nil {
				return err
			}
			if strings.Contains(all, text) && may[table] == "" {
				h.t.Errorf("%s still has %s", table, text)
			}
		}
		return err
	}))
}

func TestAnAccountIsClosedAndNothingOwedIsLost(t *testing.T) {
	h, s, request := earned(t)
	ctx := context.Background()
	eva, token := h.member("eva")
	me, err := eva.Me(ctx)
	ok(t, err)
	session := h.browse("eva")
	if a := h.call("DELETE", "/v1/me?code=guess", token, ""); a.status != http.StatusUnprocessableEntity {
		t.Errorf("a code that anybody can guess is taken: %d", a.status)
	}
	_, err = eva.CloseAccount(ctx, "", false)
	refusedAs(t, err, "closing-owed")
	_, err = eva.CloseAccount(ctx, "pay", false)
	refusedAs(t, err, "closing-no-account")
	ok(t, eva.SetPayoutAccount(ctx, client.PayoutAccount{Holder: "Eva Example", IBAN: evasIBAN}))
	c, err := eva.CloseAccount(ctx, "pay", false)
	ok(t, err)
	if c.State != "closed" || c.Owed <= 0 || !strings.HasPrefix(c.Reference, "C-") {
		t.Fatalf("%+v", c)
	}
	for _, step := range c.Steps {
		if !step.Done {
			t.Errorf("%s is not done", step.Name)
		}
	}
	ok(t, web.VerifyClosing([]byte(c.Receipt), testkitKey()))
	for _, path := range []string{"/v1/me", "/v1/me/export", "/v1/me/datasets", "/v1/proposals"} {
		if a := h.call("GET", path, token, ""); a.status != http.StatusUnauthorized {
			t.Errorf("%s still answers %d", path, a.status)
		}
	}
	if page := session.get("/data"); page.path == "/data" {
		t.Error("a browser is still signed in")
	}
	if len(s.files(request, "granted")) == 3 {
		t.Error("a researcher is still offered all three files")
	}
	h.kept(me.ID, mayStay)
	h.kept(me.Recipient, map[string]string{"vault_datasets": "a public key, which says nothing", "once_answers": "for a day"})
	h.kept(evasIBAN, mayStay)
	again, err := client.New(h.base)
	ok(t, err)
	found, err := again.Closing(ctx, c.Code)
	ok(t, err)
	if found.Receipt != c.Receipt {
		t.Error("the receipt is another one now")
	}
	_, err = again.Closing(ctx, strings.Repeat("a", 26))
	refusedAs(t, err, "not-found")

	thief := url.Values{"holder": {"Somebody Else"}, "iban": {"GB82WEST12345698765432"}}
	h.stranger().post("/goodbye/"+c.Code+"/account", thief).is(http.StatusConflict).says("named before")
	h.paysOut(t, c)
	newcomer, _ := h.member("eva") // the demo's charter is open
	if who, err := newcomer.Me(ctx); err != nil || who.ID == me.ID || len(who.Offices) > 0 {
		t.Errorf("%+v %v", who, err)
	}
	h.verified(t)
}

// testkitKey is what the receipts of a house are checked with.
func testkitKey() ed25519.PublicKey { return testkit.Key().Public().(ed25519.PublicKey) }

// paysOut releases the period and sees that the number of the account goes once
// nothing is owed.
func (h *house) paysOut(t *testing.T, c client.Closing) {
	t.Helper()
	ctx := context.Background()
	bea, _ := h.member("bea")
	cem, _ := h.member("cem")
	_, err := bea.ReleasePeriod(ctx, "P0001")
	ok(t, err)
	_, err = cem.ReleasePeriod(ctx, "P0001")
	ok(t, err)
	file, err := bea.PayoutFile(ctx, "P0001")
	ok(t, err)
	if !strings.Contains(string(file), evasIBAN) {
		t.Fatal("who has left is not paid")
	}
	_, err = bea.ClosePeriod(ctx, "P0002")
	ok(t, err)
	h.clock.Advance(30 * 24 * time.Hour)
	_, err = bea.SettlePeriod(ctx, "P0002")
	ok(t, err)
	h.clock.Advance(8 * 24 * time.Hour)
	api, err := client.New(h.base)
	ok(t, err)
	h.until(func() bool {
		found, err := api.Closing(ctx, c.Code)
		ok(t, err)
		return found.Owed == 0 && !h.holds("marketplace_payout_accounts", evasIBAN)
	})
	if !h.holds("marketplace_payouts", evasIBAN) {
		t.Error("nothing is under way")
	}
	h.stranger().get("/goodbye/" + c.Code).is(http.StatusOK).keepsQuiet("Nothing is owed any more") // it may come back
	ok(t, h.db.Update(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec("UPDATE marketplace_payouts SET carried_at = 1")
		return err
	}))
	h.clock.Advance(8 * 24 * time.Hour)
	h.until(func() bool {
		return strings.Contains(h.stranger().get("/goodbye/"+c.Code).text, "Nothing is owed any more")
	})
}

func (h *house) holds(table, text string) (there bool) {
	h.t.Helper()
	ok(h.t, h.db.View(context.Background(), func(tx *db.Tx) error {
		all, err := testkit.Dump(tx, "SELECT * FROM "+table)
		there = strings.Contains(all, text)
		return err
	}))
	return there
}

// verified recomputes what verify all does.
func (h *house) verified(t *testing.T) {
	t.Helper()
	ctx := context.Background()
	_, err := h.governance.Verify(ctx)
	ok(t, err)
	checked, err := h.vault.Verify(ctx, func(int64, int64) {})
	ok(t, err)
	if len(checked.Wrong) > 0 {
		t.Errorf("the vault has %v", checked.Wrong)
	}
	_, err = h.web.Market.Verify(ctx)
	ok(t, err)
	_, err = h.web.Log.Verify(ctx)
	ok(t, err)
	_, err = h.web.Consent.ReplayAll(ctx)
	ok(t, err)
}

func refusedAs(t *testing.T, err error, code string) {
	t.Helper()
	if p, is := err.(*client.ProblemError); !is || p.Code() != code {
		t.Errorf("%v, want %s", err, code)
	}
}

// TestAClosingThatStopsHalfWayGoesOn puts something in the way of a file's
// destruction, and takes it away again.
func TestAClosingThatStopsHalfWayGoesOn(t *testing.T) {
	h := openHouse(t)
	ctx := context.Background()
	eva, token := h.member("eva")
	h.share(eva, 1)
	me, err := eva.Me(ctx)
	ok(t, err)
	payload, aside := h.payload(t), filepath.Join(t.TempDir(), "payload")
	ok(t, os.Rename(payload, aside))
	ok(t, os.MkdirAll(filepath.Join(payload, "in the way"), 0o700))
	c, err := eva.CloseAccount(ctx, "", false)
	ok(t, err)
	if c.State != "closing" || c.Receipt != "" || !c.Steps[0].Done || c.Steps[1].Done {
		t.Fatalf("%+v", c)
	}
	if a := h.call("GET", "/v1/me", token, ""); a.status != http.StatusUnauthorized {
		t.Errorf("the token is still good: %d", a.status)
	}
	b := h.stranger()
	login := url.Values{"account": {"eva"}, "password": {password}, "form": {b.get("/login").hidden("form")}}
	b.post("/oauth/login", login).is(http.StatusConflict).says("is being closed")
	b.get("/goodbye/"+c.Code).is(http.StatusOK).says("The account is being closed", c.Reference).keepsQuiet("Eva")
	b.get("/goodbye/" + c.Code + "/receipt").is(http.StatusNotFound)
	ok(t, os.RemoveAll(payload))
	h.clock.Advance(2 * time.Minute)
	api, err := client.New(h.base)
	ok(t, err)
	h.until(func() bool {
		c, err = api.Closing(ctx, c.Code)
		ok(t, err)
		return c.State == "closed"
	})
	receipt, err := farewell.ParseReceipt([]byte(c.Receipt))
	ok(t, err)
	if len(receipt.Datasets) != 1 || receipt.Member != me.ID {
		t.Errorf("%+v", receipt)
	}
	h.verified(t)
}

// payload is the one file in which encrypted data lie.
func (h *house) payload(t *testing.T) (name string) {
	t.Helper()
	ok(t, filepath.WalkDir(h.blobs, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil && info.Size() > 500 {
				name = path
			}
		}
		return err
	}))
	if name == "" {
		t.Fatal("there is no payload")
	}
	return name
}

func TestTheLastOfAnOfficeDoesNotLeaveSilently(t *testing.T) {
	h := openHouse(t)
	ctx := context.Background()
	dan, _ := h.member("dan")
	_, err := dan.CloseAccount(ctx, "", false)
	refusedAs(t, err, "closing-office")
	h.browse("dan").get("/account/close").is(http.StatusOK).says("You hold an office that nobody else can fill", "I leave it vacant")
	c, err := dan.CloseAccount(ctx, "", true)
	ok(t, err)
	receipt, err := farewell.ParseReceipt([]byte(c.Receipt))
	ok(t, err)
	if !slices.Equal(receipt.Vacated, []string{"appeals"}) || !h.holds("audit_leaves", "governance.vacancy") {
		t.Errorf("%v", receipt.Vacated)
	}
}

func TestAnAccountIsClosedInThePortal(t *testing.T) {
	h, _, _ := earned(t)
	b := h.browse("eva")
	form := b.get("/account/close").is(http.StatusOK).says("Close your account?", "1 dataset is revoked", "The co-op owes you", "You have named no account",
		"How you can follow it", "download everything held about me").keepsQuiet("/goodbye/")
	wellFormed(t, form)
	b.post("/account/close", url.Values{"sure": {"yes"}}) // a sign-in alone is not enough for this
	b.confirm("eva").is(http.StatusConflict).says("Say whether it is paid")
	b.post("/account/close", url.Values{"sure": {"yes"}, "owed": {"give"}})
	page := b.confirm("eva").is(http.StatusOK).says("The account is closed", "Reference: C-", "Done")
	wellFormed(t, page)
	receipt := h.stranger().get(page.path + "/receipt").is(http.StatusOK)
	ok(t, web.VerifyClosing([]byte(receipt.text), testkitKey()))
	if again := b.get("/data"); again.path == "/data" {
		t.Error("still signed in")
	}
	h.stranger().get(page.path).is(http.StatusOK).keepsQuiet("owes this account", "Eva")
	altered := strings.Replace(receipt.text, "asked", "Asked", 1)
	if web.VerifyClosing([]byte(altered), testkitKey()) == nil || web.VerifyClosing([]byte("{}"), testkitKey()) == nil {
		t.Error("an altered receipt verifies")
	}
}
