package web_test

import (
	"slices"
	"strings"
	"testing"

	"distributed.ai/datacoop/web/stepup"
)

// proofless are the orders that need no fresh proof of who gives them.
const proofless = `
PUT /v1/me/sealed-identity POST /spot-checks/:id POST /judges/:id/offer POST /steward/judges POST /steward/judges/:id/withdraw
POST /v1/me/spot-checks/:id POST /v1/candidates POST /v1/candidates/:id/offer POST /v1/candidates/:id/withdraw
POST /money/:id/panel POST /panels/:id POST /join/age POST /goodbye/:id/account POST /v1/dispute-cases/:id/review
POST /v1/dispute-cases/:id/decision POST /v1/files/:id/disputes POST /v1/me/disputes/:id POST /disputes/:id POST /steward/disputes/:id
POST /v1/me/inbox/read PUT /v1/me/email DELETE /v1/me/email POST /v1/reports/:id/hide POST /v1/requests/:id/report
POST /steward/vetting/reports/:id POST /inbox/read POST /inbox/email POST /inbox/email/drop POST /email/confirm/:id POST /email/stop/:id
POST /console POST /console/leave POST /console/keys POST /console/keys/:id POST /console/ask POST /console/requests/:id/accept
POST /console/requests/:id/report POST /console/files/:id POST /v1/appeals POST /v1/appeals/:id/panel POST /v1/appeals/:id/decision
POST /v1/me/panels/:id POST /v1/bank-statements POST /v1/claims/:id/answers POST /v1/contributions POST /v1/contributions/:id/reviews
POST /v1/datasets POST /v1/datasets/:id/seal POST /v1/invitations POST /v1/me/claims PUT /v1/me/consents/datasets/:id
PUT /v1/me/consents/pools/:id PUT /v1/me/recipient PUT /v1/me/signing-key POST /v1/proposals POST /v1/proposals/check POST /v1/recipients
POST /v1/recipients/:id/proof POST /v1/requests POST /v1/requests/:id/accept POST /v1/requests/check POST /v1/researchers POST /v1/uploads
POST /consent/:id POST /consent/:id/withdraw POST /data/:id/consent POST /steward/vetting/requests/:id POST /v1/me/consents/preview
POST /data/:id/withdraw POST /data/add/terms POST /invite POST /money/:id POST /steward/appeals/:id POST /steward/treasury
POST /steward/vetting POST /tokens/:id/drop POST /votes/new POST /work POST /work/:id POST /v1/me/consents/datasets/:id/as-pool
POST /data/:id/as-pool DELETE /v1/me/consents/datasets/:id DELETE /v1/me/consents/pools/:id POST /pause POST /resume POST /v1/me/pause
POST /v1/me/resume DELETE /v1/me/claims/:id POST /v1/me/approvals/:id POST /v1/me/questions/:id POST /v1/reviews/:id POST /questions/:id
POST /approvals/:id/decline PATCH /v1/uploads/:id DELETE /v1/uploads/:id POST /v1/periods/:id/close DELETE /v1/me/tokens/:id
POST /tokens/sign-out POST /v1/me/sessions/end POST /logout POST /language POST /steward/bereavement/check
PUT /v1/researchers/:id/related POST /steward/vetting/researchers/:id/related`

// TestEveryOrderNeedsAProofOrIsKnownToNeedNone: whoever adds a route says which.
func TestEveryOrderNeedsAProofOrIsKnownToNeedNone(t *testing.T) {
	words := strings.Fields(proofless)
	need := map[string]bool{}
	for pair := range slices.Chunk(words, 2) {
		need[pair[0]+" "+pair[1]] = false
	}
	pattern := strings.NewReplacer("{", ":", "}", "")
	for _, m := range []map[string]stepup.Class{stepup.Routes, stepup.Pages} {
		for route := range m {
			need[pattern.Replace(route)] = true
		}
	}
	mounted := openHouse(t).web.Routes()
	for _, route := range mounted {
		method, path, _ := strings.Cut(route, " ")
		if _, known := need[route]; !known && !issuers(path) && slices.Contains([]string{"POST", "PUT", "PATCH", "DELETE"}, method) {
			t.Errorf("%s: say in package stepup that it needs a proof, or here that it needs none", route)
		}
	}
	for route := range need {
		if !slices.Contains(mounted, route) {
			t.Errorf("%s is not mounted", route)
		}
	}
}
