package client

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// drain reads a list to its end.
func drain[T any](list iter.Seq2[T, error]) error {
	for _, err := range list {
		if err != nil {
			return err
		}
	}
	return nil
}

func first[T any](_ T, err error) error { return err }

// endpoints is the contract as this client speaks it: one call, one method and
// path.
func endpoints(c *Client) map[string]func(context.Context) error {
	type ctx = context.Context
	return map[string]func(ctx) error{
		"GET /.well-known/datacoop":                func(x ctx) error { return first(c.Discovery(x)) },
		"GET /v1/pools":                            func(x ctx) error { return drain(c.Pools(x)) },
		"GET /v1/pools/energy":                     func(x ctx) error { return first(c.Pool(x, "energy")) },
		"GET /v1/pools/energy/codebook":            func(x ctx) error { return first(c.Codebook(x, "energy")) },
		"GET /v1/pools/energy/sample":              func(x ctx) error { return first(c.Sample(x, "energy")) },
		"GET /v1/policies/current":                 func(x ctx) error { return first(c.Policy(x)) },
		"GET /log/checkpoint":                      func(x ctx) error { return first(c.Checkpoint(x)) },
		"GET /log/tile/0/x001/067":                 func(x ctx) error { return first(c.Tile(x, "tile/0/x001/067")) },
		"GET /v1/periods":                          func(x ctx) error { return drain(c.Periods(x)) },
		"GET /v1/periods/P0001/statement":          func(x ctx) error { return first(c.Statement(x, "P0001")) },
		"GET /v1/me":                               func(x ctx) error { return first(c.Me(x)) },
		"GET /v1/me/export":                        func(x ctx) error { return first(c.Export(x)) },
		"DELETE /v1/me":                            func(x ctx) error { return first(c.CloseAccount(x, "pay", false)) },
		"POST /v1/files/f1/disputes":               func(x ctx) error { return first(c.OpenDispute(x, "f1", DisputeDraft{})) },
		"GET /v1/disputes":                         func(x ctx) error { return drain(c.Disputes(x)) },
		"GET /v1/credit-notes":                     func(x ctx) error { return drain(c.CreditNotes(x)) },
		"GET /v1/me/disputes":                      func(x ctx) error { return drain(c.MyDisputes(x)) },
		"POST /v1/me/disputes/d1":                  func(x ctx) error { return first(c.AnswerDispute(x, "d1", "no")) },
		"GET /v1/dispute-cases":                    func(x ctx) error { return drain(c.DisputeCases(x)) },
		"POST /v1/dispute-cases/d1/review":         func(x ctx) error { return first(c.ReviewDispute(x, "d1")) },
		"POST /v1/dispute-cases/d1/decision":       func(x ctx) error { return first(c.DecideDispute(x, "d1", DisputeDecision{})) },
		"POST /v1/me/gifts":                        func(x ctx) error { return first(c.Give(x, 1)) },
		"GET /v1/me/years/2026":                    func(x ctx) error { return first(c.Year(x, 2026)) },
		"GET /v1/me/years/2026/statement.csv":      func(x ctx) error { return first(c.YearCSV(x, 2026)) },
		"GET /v1/ledger/journal":                   func(x ctx) error { return first(c.Journal(x, false)) },
		"GET /v1/ledger/patronage":                 func(x ctx) error { return first(c.Journal(x, true)) },
		"GET /v1/me/patronage":                     func(x ctx) error { return first(c.Patronage(x)) },
		"PUT /v1/me/recipient":                     func(x ctx) error { return c.SetRecipient(x, "age1") },
		"PUT /v1/me/signing-key":                   func(x ctx) error { return c.SetSigningKey(x, make([]byte, 32)) },
		"PUT /v1/me/payout-account":                func(x ctx) error { return c.SetPayoutAccount(x, PayoutAccount{}) },
		"GET /v1/me/payout-account":                func(x ctx) error { return first(c.PayoutAccount(x)) },
		"POST /v1/me/tokens":                       func(x ctx) error { return first(c.CreateToken(x, TokenDraft{})) },
		"GET /v1/me/tokens":                        func(x ctx) error { return drain(c.Tokens(x)) },
		"DELETE /v1/me/tokens/t1":                  func(x ctx) error { return c.RevokeToken(x, "t1") },
		"POST /v1/me/pause":                        func(x ctx) error { return c.Pause(x) },
		"POST /v1/me/resume":                       func(x ctx) error { return c.Resume(x) },
		"POST /v1/datasets":                        func(x ctx) error { return first(c.OpenDataset(x, "energy")) },
		"POST /v1/datasets/d1/seal":                func(x ctx) error { return first(c.Seal(x, "d1", SealBody{})) },
		"GET /v1/me/datasets":                      func(x ctx) error { return drain(c.Datasets(x)) },
		"GET /v1/datasets/d1/content":              func(x ctx) error { return closed(c.Content(x, "d1")) },
		"DELETE /v1/datasets/d1":                   func(x ctx) error { return first(c.Revoke(x, "d1")) },
		"GET /v1/me/consents/pools/p1":             func(x ctx) error { return first(c.Consent(x, PoolScope("p1"))) },
		"PUT /v1/me/consents/pools/p1":             func(x ctx) error { return first(c.SetConsent(x, PoolScope("p1"), Terms{})) },
		"DELETE /v1/me/consents/pools/p1":          func(x ctx) error { return c.WithdrawConsent(x, PoolScope("p1")) },
		"GET /v1/me/consents/datasets/d1":          func(x ctx) error { return first(c.Consent(x, DatasetScope("d1"))) },
		"GET /v1/me/consents/pools/p1/receipt":     func(x ctx) error { return first(c.ConsentReceipt(x, PoolScope("p1"))) },
		"POST /v1/me/consents/preview":             func(x ctx) error { return first(c.PreviewConsent(x, ConsentDraft{})) },
		"POST /v1/me/consents/datasets/d1/as-pool": func(x ctx) error { return first(c.FollowPool(x, "d1")) },
		"GET /v1/me/consents/records":              func(x ctx) error { return first(c.ConsentRecords(x)) },
		"GET /v1/me/consents/records/r1/receipt":   func(x ctx) error { return first(c.RecordReceipt(x, "r1")) },
		"GET /v1/reviews/r1":                       func(x ctx) error { return first(c.ReviewCase(x, "r1")) },
		"GET /v1/me/uses":                          func(x ctx) error { return drain(c.Uses(x)) },
		"GET /v1/me/statements":                    func(x ctx) error { return drain(c.MyStatements(x)) },
		"GET /v1/me/statements/P0001":              func(x ctx) error { return first(c.MyStatement(x, "P0001")) },
		"POST /v1/proposals":                       func(x ctx) error { return first(c.Propose(x, ProposalDraft{})) },
		"GET /v1/proposals":                        func(x ctx) error { return drain(c.Proposals(x)) },
		"GET /v1/proposals/p1":                     func(x ctx) error { return first(c.Proposal(x, "p1")) },
		"GET /v1/proposals/p1/impact":              func(x ctx) error { return first(c.Impact(x, "p1")) },
		"POST /v1/proposals/p1/ballots":            func(x ctx) error { return first(c.Cast(x, "p1", "yes")) },
		"GET /v1/proposals/p1/result":              func(x ctx) error { return first(c.Result(x, "p1")) },
		"POST /v1/contributions":                   func(x ctx) error { return first(c.SubmitContribution(x, ContributionDraft{})) },
		"GET /v1/contributions":                    func(x ctx) error { return drain(c.Contributions(x)) },
		"POST /v1/contributions/c1/reviews":        func(x ctx) error { return first(c.Review(x, "c1", ReviewBody{})) },
		"POST /v1/me/claims":                       func(x ctx) error { return first(c.ClaimAddress(x, "eva@coop.test")) },
		"GET /v1/me/claims":                        func(x ctx) error { return drain(c.MyClaims(x)) },
		"DELETE /v1/me/claims/c1":                  func(x ctx) error { return c.WithdrawClaim(x, "c1") },
		"GET /v1/claims":                           func(x ctx) error { return drain(c.Claims(x)) },
		"POST /v1/claims/c1/answers":               func(x ctx) error { return first(c.AnswerClaim(x, "c1", ClaimAnswerBody{})) },
		"POST /v1/appeals":                         func(x ctx) error { return first(c.Appeal(x, AppealDraft{})) },
		"GET /v1/appeals":                          func(x ctx) error { return drain(c.Appeals(x)) },
		"GET /v1/periods/P0001/vote":               func(x ctx) error { return first(c.AdoptionVote(x, "P0001")) },
		"POST /v1/periods/P0001/ballots":           func(x ctx) error { return first(c.Adopt(x, "P0001", "yes")) },
		"POST /v1/appeals/a1/panel":                func(x ctx) error { return first(c.TakeToPanel(x, "a1", AppealLine{})) },
		"GET /v1/me/panels":                        func(x ctx) error { return drain(c.PanelDuties(x)) },
		"POST /v1/me/panels/a1":                    func(x ctx) error { return first(c.AnswerPanel(x, "a1", PanelAnswer{Yes: []string{}})) },
		"GET /v1/periods/P0001/appeals":            func(x ctx) error { return first(c.AppealsRecord(x, "P0001")) },
		"POST /v1/appeals/a1/decision":             func(x ctx) error { return first(c.DecideAppeal(x, "a1", AppealDecision{})) },
		"POST /v1/researchers":                     func(x ctx) error { return first(c.VetResearcher(x, ResearcherDraft{})) },
		"POST /v1/bank-statements":                 func(x ctx) error { return first(c.ImportBankStatement(x, []byte("<x/>"))) },
		"POST /v1/periods/P0001/close":             func(x ctx) error { return first(c.ClosePeriod(x, "P0001")) },
		"POST /v1/periods/P0001/settle":            func(x ctx) error { return first(c.SettlePeriod(x, "P0001")) },
		"POST /v1/periods/P0001/release":           func(x ctx) error { return first(c.ReleasePeriod(x, "P0001")) },
		"GET /v1/periods/P0001/payout.xml":         func(x ctx) error { return first(c.PayoutFile(x, "P0001")) },
		"POST /v1/recipients":                      func(x ctx) error { return first(c.RegisterRecipient(x, "age1")) },
		"POST /v1/recipients/r1/proof":             func(x ctx) error { return first(c.AnswerChallenge(x, "r1", "n")) },
		"POST /v1/requests/check":                  func(x ctx) error { return first(c.CheckRequest(x, RequestDraft{})) },
		"POST /v1/requests":                        func(x ctx) error { return first(c.SubmitRequest(x, RequestDraft{})) },
		"GET /v1/requests":                         func(x ctx) error { return drain(c.Requests(x)) },
		"GET /v1/requests/r1":                      func(x ctx) error { return first(c.Request(x, "r1")) },
		"GET /v1/requests/r1/quote":                func(x ctx) error { return first(c.Quote(x, "r1")) },
		"POST /v1/requests/r1/accept":              func(x ctx) error { return first(c.Accept(x, "r1")) },
		"GET /v1/requests/r1/files":                func(x ctx) error { return drain(c.Files(x, "r1")) },
		"GET /v1/invoices":                         func(x ctx) error { return drain(c.Invoices(x)) },
		"GET /v1/invoices/i1":                      func(x ctx) error { return first(c.Invoice(x, "i1")) },
		"GET /v1/files/f1":                         func(x ctx) error { return first(c.Download(x, "f1", 0, "")) },
		"POST /v1/uploads":                         func(x ctx) error { return first(c.CreateUpload(x, "d1", 300)) },
	}
}

func closed(body io.ReadCloser, err error) error {
	if err != nil {
		return err
	}
	return body.Close()
}

func TestEveryCallGoesToItsEndpoint(t *testing.T) {
	var heard, key, body string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		heard, key, body = r.Method+" "+r.URL.Path, r.Header.Get("Idempotency-Key"), string(text)
		w.Header().Set("Location", "/v1/uploads/u1")
		fmt.Fprint(w, `{"items":[]}`)
	}))
	defer server.Close()
	c, err := New(server.URL, WithToken("t"))
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for want, call := range endpoints(c) {
		if err := call(t.Context()); err != nil || heard != want {
			t.Errorf("%s: heard %s, %v", want, heard, err)
		}
		if post := strings.HasPrefix(want, "POST "); post != (key != "") || slices.Contains(keys, key) && key != "" {
			t.Errorf("%s: Idempotency-Key %q", want, key)
		}
		if strings.Contains(body, "null") {
			t.Errorf("%s sends null: %s", want, body)
		}
		keys = append(keys, key)
	}
}

func TestRefusalsComeThroughEveryCall(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refuse(w, 403, "not-allowed", "You may not do this.")
	}))
	defer server.Close()
	c, err := New(server.URL, WithToken("t"))
	if err != nil {
		t.Fatal(err)
	}
	for name, call := range endpoints(c) {
		if err := call(t.Context()); !IsStatus(err, 403) || err.Error() != "You may not do this." {
			t.Errorf("%s: %v", name, err)
		}
	}
}
