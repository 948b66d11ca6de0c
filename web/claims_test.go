package web_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"distributed.ai/datacoop/web/client"
)

// piece is an invented piece of git history.
func piece(n int, authors ...string) client.ContributionDraft {
	return client.ContributionDraft{Kind: "git", Title: "Count the steps", Evidence: "git:0123456789ab:0123456789ab..0123456789ab 1 commit",
		Git: &client.GitOrigin{Source: fmt.Sprintf("%064x", n), Authors: authors}}
}

func TestWorkFromGitNeedsAConfirmedAddressAndTwoOthersReview(t *testing.T) {
	h, ctx := openHouse(t), context.Background()
	eva, _ := h.member("eva")
	finn, finns := h.member("finn")
	bea, _ := h.member("bea")
	ada, _ := h.member("ada")
	_, err := eva.SubmitContribution(ctx, piece(1, "eva@coop.test"))
	if !client.IsStatus(err, http.StatusForbidden) {
		t.Fatalf("unclaimed: %v", err)
	}
	for _, c := range []*client.Client{eva, finn} {
		me, err := c.Me(ctx)
		ok(t, err)
		claim, err := c.ClaimAddress(ctx, strings.ToLower(me.Name)+"@coop.test")
		ok(t, err)
		if claim, err = ada.AnswerClaim(ctx, claim.ID, client.ClaimAnswerBody{Confirm: true, Email: strings.ToLower(me.Name) + "@coop.test"}); err != nil || claim.State != "confirmed" {
			t.Fatalf("%+v, %v", claim, err)
		}
	}
	c, err := eva.SubmitContribution(ctx, piece(1, "eva@coop.test", "finn@coop.test", "gil@elsewhere.test"))
	ok(t, err)
	if c.Authors != 3 || len(c.Members) != 2 || c.State != "submitted" || c.Source == "" {
		t.Errorf("submitted as %+v", c)
	}
	_, err = finn.SubmitContribution(ctx, piece(1, "finn@coop.test"))
	if !client.IsStatus(err, http.StatusConflict) {
		t.Errorf("a second time: %v", err)
	}
	body := `{"accept":true,"size":3,"note":""}`
	refused(t, h.call("POST", "/v1/contributions/"+c.ID+"/reviews", finns, body), http.StatusForbidden, "own-work")
	for _, by := range []*client.Client{ada, bea} {
		c, err = by.Review(ctx, c.ID, client.ReviewBody{Accept: true, Size: 3})
		ok(t, err)
	}
	if c.State != "accepted" || c.Size != 3 {
		t.Errorf("reviewed as %+v", c)
	}
	if strings.Contains(h.logs.String(), "@coop.test") {
		t.Error("the log holds an address")
	}
}

func TestClaimsAreListedForOthersAndNeverShowTheAddress(t *testing.T) {
	h, ctx := openHouse(t), context.Background()
	eva, token := h.member("eva")
	finn, finns := h.member("finn")
	claim, err := eva.ClaimAddress(ctx, "eva@coop.test")
	ok(t, err)
	var seen []string
	for c, err := range finn.Claims(ctx) {
		ok(t, err)
		seen = append(seen, c.ID+" "+c.Name+" "+c.State)
	}
	if len(seen) != 1 || seen[0] != claim.ID+" Eva open" {
		t.Errorf("finn sees %q", seen)
	}
	for c, err := range eva.Claims(ctx) {
		t.Errorf("eva is asked about herself: %+v, %v", c, err)
	}
	for _, path := range []string{"/v1/me/claims", "/v1/claims"} {
		for _, by := range []string{token, finns} {
			if a := h.call("GET", path, by, ""); a.status != http.StatusOK || strings.Contains(string(a.body), "coop.test") {
				t.Errorf("%s: %d %s", path, a.status, a.body)
			}
		}
	}
	ok(t, eva.WithdrawClaim(ctx, claim.ID))
	for c, err := range eva.MyClaims(ctx) {
		t.Errorf("still there: %+v, %v", c, err)
	}
}

func TestClaimsThatAreRefusedOverHTTP(t *testing.T) {
	h, ctx := openHouse(t), context.Background()
	eva, token := h.member("eva")
	_, finns := h.member("finn")
	claim, err := eva.ClaimAddress(ctx, "eva@coop.test")
	ok(t, err)
	answers := "/v1/claims/" + claim.ID + "/answers"
	refused(t, h.call("GET", "/v1/claims", "", ""), http.StatusUnauthorized, "sign-in-needed")
	refused(t, h.call("POST", "/v1/me/claims", token, `{"email":"no address"}`), http.StatusUnprocessableEntity, "claim-invalid")
	refused(t, h.call("POST", answers, token, `{"confirm":true,"email":"eva@coop.test"}`), http.StatusForbidden, "own-claim")
	refused(t, h.call("POST", answers, finns, `{"confirm":true,"email":"adam@coop.test"}`), http.StatusUnprocessableEntity, "claim-address")
	refused(t, h.call("POST", "/v1/claims/"+unknownID+"/answers", finns, `{"confirm":false}`), http.StatusNotFound, "claim-not-found")
	refused(t, h.call("DELETE", "/v1/me/claims/"+claim.ID, finns, ""), http.StatusNotFound, "claim-not-found")
	draft := `{"kind":"document","title":"x","text":"","evidence":"x","git":{"source":"` + strings.Repeat("a", 64) + `","authors":["eva@coop.test"]}}`
	refused(t, h.call("POST", "/v1/contributions", token, draft), http.StatusUnprocessableEntity, "work-kind")
}
