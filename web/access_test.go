package web_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/web/client"
)

// access says who gets which status where: X1 of the reliability plan. Callers
// are nobody, a token that has expired, one that was revoked, a researcher,
// another member, the steward whose office it is (ada where it is none's), and
// the owner. Of researchers' things the owner is the researcher who asked.
// Members visit pages with their session and call the API with a token. What
// cannot be repeated, the owner does last.
//
// The rows are exactly the routes that are mounted: a new one needs a row.
const access = `
GET     /v1/appeals                              401 401 401 403 200 200 200
GET     /v1/claims                               401 401 401 403 200 200 200
GET     /v1/contributions                        401 401 401 403 200 200 200
GET     /v1/datasets/:id/content                 401 401 401 403 404 404 200
GET     /v1/files/:id                            401 401 401 404 403 403 200
GET     /v1/invoices                             401 401 401 200 403 403 200
GET     /v1/invoices/:id                         401 401 401 404 403 403 200
GET     /v1/me                                   401 401 401 403 200 200 200
GET     /v1/me/approvals                         401 401 401 403 200 200 200
GET     /v1/me/questions                         401 401 401 403 200 200 200
GET     /v1/reviews                              401 401 401 403 403 200 403
GET     /v1/reviews/:id                          401 401 401 403 403 404 403
GET     /v1/me/claims                            401 401 401 403 200 200 200
GET     /v1/me/panels                            401 401 401 403 200 200 200
GET     /v1/me/consents/datasets/:id             401 401 401 403 404 404 200
GET     /v1/me/consents/datasets/:id/receipt     401 401 401 403 404 404 200
GET     /v1/me/consents/pools/:id                401 401 401 403 200 200 200
GET     /v1/me/consents/pools/:id/receipt        401 401 401 403 404 404 404
GET     /v1/me/consents/records                  401 401 401 403 200 200 200
GET     /v1/me/consents/records/:id/receipt      401 401 401 403 404 404 200
GET     /v1/me/datasets                          401 401 401 403 200 200 200
GET     /v1/me/export                            401 401 401 403 200 200 200
GET     /v1/me/sealed-identity                   401 401 401 403 404 404 404
PUT     /v1/me/sealed-identity                   401 401 401 403 428 428 428
GET     /v1/me/payout-account                    401 401 401 403 200 200 200
GET     /v1/me/statements                        401 401 401 403 200 200 200
GET     /v1/me/statements/:id                    401 401 401 403 404 404 404
GET     /v1/me/tokens                            401 401 401 403 200 200 200
GET     /v1/me/uses                              401 401 401 403 200 200 200
GET     /v1/periods                              200 401 401 200 200 200 200
GET     /v1/periods/:id/appeals                  401 401 401 403 404 404 404
GET     /v1/periods/:id/vote                     401 401 401 403 404 404 404
GET     /v1/periods/:id/ballots                  401 401 401 403 404 404 404
POST    /v1/periods/:id/ballots                  401 401 401 403 404 404 404
GET     /v1/periods/:id/payout.xml               401 401 401 403 403 409 403
GET     /v1/periods/:id/statement                200 401 401 200 200 200 200
GET     /v1/policies/current                     200 401 401 200 200 200 200
GET     /v1/policies/profile                     200 401 401 200 200 200 200
GET     /v1/policies/:id                         401 401 401 403 200 200 200
GET     /v1/pools                                200 401 401 200 200 200 200
GET     /v1/pools/:id                            200 401 401 200 200 200 200
GET     /v1/pools/:id/codebook                   200 401 401 200 200 200 200
GET     /v1/pools/:id/sample                     200 401 401 200 200 200 200
GET     /v1/proposals                            401 401 401 403 200 200 200
GET     /v1/proposals/:id                        401 401 401 403 200 200 200
GET     /v1/proposals/:id/impact                 401 401 401 403 200 200 200
GET     /v1/proposals/:id/result                 401 401 401 403 409 409 409
GET     /v1/requests                             401 401 401 200 403 403 200
GET     /v1/requests/:id                         401 401 401 404 403 403 200
GET     /v1/requests/:id/files                   401 401 401 404 403 403 200
GET     /v1/requests/:id/quote                   401 401 401 404 403 403 200
OPTIONS /v1/uploads                              204 401 401 204 204 204 204
HEAD    /v1/uploads/:id                          401 401 401 403 404 404 200
OPTIONS /v1/uploads/:id                          204 401 401 204 204 204 204
GET     /                                        200 401 401 200 200 200 200
GET     /.well-known/datacoop                    200 401 401 200 200 200 200
GET     /.well-known/security.txt                200 401 401 200 200 200 200
GET     /about                                   200 401 401 200 200 200 200
GET     /help                                    200 401 401 200 200 200 200
GET     /privacy                                 200 401 401 200 200 200 200
GET     /minutes                                 303 401 401 303 200 200 200
GET     /steward/incidents                       303 401 401 303 404 200 404
POST    /steward/incidents                       401 401 401 401 404 422 404
POST    /steward/incidents/lift                  401 401 401 401 404 409 404
GET     /steward/bereavement                     303 401 401 303 404 200 404
GET     /v1/bereavements                         401 401 401 403 403 200 403
POST    /v1/bereavements                         401 401 401 403 400 400 400
POST    /v1/bereavements/:id/confirm             401 401 401 403 403 404 403
POST    /v1/bereavements/:id/withdraw            401 401 401 403 403 404 403
GET     /steward/health                          303 401 401 303 404 200 404
GET     /spot-checks                             303 401 401 303 200 200 200
POST    /spot-checks/:id                         401 401 401 401 404 404 404
GET     /judges                                  303 401 401 303 200 200 200
GET     /judges/:id                              303 401 401 303 404 404 404
GET     /judges/:id/comparison                   303 401 401 303 404 404 404
GET     /judges/sets/:id                         303 401 401 303 409 409 409
POST    /judges/:id/offer                        401 401 401 401 404 404 404
POST    /judges/:id/vote                         401 401 401 401 404 404 404
GET     /steward/judges                          303 401 401 303 404 200 404
POST    /steward/judges                          401 401 401 401 404 422 404
POST    /steward/judges/:id/withdraw             401 401 401 401 404 404 404
GET     /v1/me/spot-checks                       401 401 401 403 200 200 200
POST    /v1/me/spot-checks/:id                   401 401 401 403 404 404 404
GET     /v1/calibrations                         401 401 401 403 200 200 200
GET     /v1/periods/:id/calibration              401 401 401 403 200 200 200
GET     /v1/periods/:id/calibration/record       401 401 401 403 409 409 409
GET     /v1/candidates                           401 401 401 403 200 200 200
POST    /v1/candidates                           401 401 401 403 403 409 403
GET     /v1/candidates/:id                       401 401 401 403 404 404 404
GET     /v1/candidates/:id/comparison            401 401 401 403 404 404 404
POST    /v1/candidates/:id/offer                 401 401 401 403 404 404 404
POST    /v1/candidates/:id/withdraw              401 401 401 403 403 404 403
GET     /v1/candidates/:id/ballots               401 401 401 403 404 404 404
POST    /v1/candidates/:id/ballots               401 401 401 403 404 404 404
GET     /v1/freeze                               401 401 401 403 200 200 200
POST    /v1/freeze                               401 401 401 403 400 400 400
POST    /v1/unfreeze                             401 401 401 403 403 409 403
GET     /questions                               303 401 401 303 200 200 200
GET     /approvals                               303 401 401 303 200 200 200
GET     /auth/callback                           422 401 401 422 422 422 422
GET     /consent                                 303 401 401 303 200 200 200
GET     /consent/:id                             303 401 401 303 200 200 200
GET     /data                                    303 401 401 303 200 200 200
GET     /data/:id                                303 401 401 303 404 404 200
GET     /data/:id/as-pool                        303 401 401 303 404 404 200
GET     /data/:id/consent                        303 401 401 303 404 404 200
GET     /data/:id/open                           303 401 401 303 404 404 200
GET     /key                                     303 401 401 303 200 200 200
GET     /data/:id/receipt                        303 401 401 303 404 404 404
GET     /data/:id/revoke                         303 401 401 303 404 404 200
GET     /data/add                                303 401 401 303 200 200 200
GET     /docs                                    303 401 401 303 303 303 303
GET     /invite                                  303 401 401 303 200 200 200
GET     /islands/:hash/:name                     404 401 401 404 404 404 404
GET     /languages/:name                         404 401 401 404 404 404 404
GET     /law/:id                                 303 401 401 303 200 200 200
GET     /livez                                   200 401 401 200 200 200 200
GET     /log/checkpoint                          200 401 401 200 200 200 200
GET     /log/tile/*                              200 401 401 200 200 200 200
GET     /login                                   303 401 401 303 303 303 303
GET     /money                                   303 401 401 303 200 200 200
GET     /money/:id                               303 401 401 303 200 200 200
GET     /money/:id/appeals                       303 401 401 303 404 404 404
GET     /panels                                  303 401 401 303 200 200 200
POST    /money/:id/panel                         401 401 401 401 404 404 404
POST    /panels/:id                              401 401 401 401 404 404 404
POST    /money/:id/vote                          401 401 401 401 422 422 422
GET     /money/:id/bundle                        303 401 401 303 200 200 200
GET     /money/account                           303 401 401 303 200 200 200
GET     /openapi-3.0.json                        200 401 401 200 200 200 200
GET     /openapi-3.0.yaml                        200 401 401 200 200 200 200
GET     /openapi.json                            200 401 401 200 200 200 200
GET     /openapi.yaml                            200 401 401 200 200 200 200
GET     /pools                                   200 401 401 200 200 200 200
GET     /pools/:id                               200 401 401 200 200 200 200
GET     /readyz                                  200 401 401 200 200 200 200
GET     /researchers                             200 401 401 200 200 200 200
GET     /robots.txt                              200 401 401 200 200 200 200
GET     /schemas/:schema                         200 401 401 200 200 200 200
GET     /static/:hash/:name                      404 401 401 404 404 404 404
GET     /steward/appeals                         303 401 401 303 404 200 404
GET     /steward/periods/:id/payout.xml          303 401 401 303 404 409 404
GET     /steward/treasury                        303 401 401 303 404 200 404
GET     /steward/vetting                         303 401 401 303 404 200 404
GET     /steward/vetting/requests                303 401 401 303 404 200 404
GET     /steward/vetting/requests/:id            303 401 401 303 404 404 404
GET     /tokens                                  303 401 401 303 200 200 200
GET     /uses                                    303 401 401 303 200 200 200
GET     /uses.csv                                303 401 401 303 200 200 200
GET     /uses/:id                                303 401 401 303 404 404 200
GET     /votes                                   303 401 401 303 200 200 200
GET     /votes/:id                               303 401 401 303 200 200 200
GET     /votes/new                               303 401 401 303 200 200 200
GET     /work                                    303 401 401 303 200 200 200
GET     /work/:id                                303 401 401 303 200 200 200
GET     /v1/closings/:code                       404 401 401 404 404 404 404
GET     /join/age                                303 401 401 303 303 303 303
POST    /join/age                                422 401 401 422 422 422 422
GET     /confirm                                 303 401 401 303 303 303 303
GET     /confirm/start                           404 401 401 404 404 404 404
GET     /ways                                    303 401 401 303 200 200 200
GET     /ways/link                               401 401 401 401 303 303 303
POST    /ways/unlink                             401 401 401 401 303 303 303
GET     /account/close                           303 401 401 303 200 200 200
POST    /account/close                           401 401 401 401 303 303 303
GET     /goodbye/:id                             404 401 401 404 404 404 404
GET     /goodbye/:id/receipt                     404 401 401 404 404 404 404
POST    /steward/bereavement                     401 401 401 401 404 303 404
POST    /steward/bereavement/check               401 401 401 401 404 422 404
POST    /steward/bereavement/:id/confirm         401 401 401 401 404 303 404
POST    /steward/bereavement/:id/withdraw        401 401 401 401 404 303 404
POST    /steward/bereavement/:id/letter          401 401 401 401 404 303 404
POST    /goodbye/:id/account                     404 401 401 404 404 404 404
GET     /v1/credit-notes                         401 401 401 200 403 403 200
GET     /v1/dispute-cases                        401 401 401 403 403 200 403
GET     /v1/disputes                             401 401 401 200 403 403 200
GET     /v1/ledger/journal                       401 401 401 403 403 200 403
GET     /v1/ledger/patronage                     401 401 401 403 403 200 403
GET     /v1/me/disputes                          401 401 401 403 200 200 200
GET     /v1/me/patronage                         401 401 401 403 200 200 200
GET     /v1/me/years/:year                       401 401 401 403 200 200 200
GET     /v1/me/years/:year/statement.csv         401 401 401 403 200 200 200
GET     /disputes                                303 401 401 303 200 200 200
GET     /years/:id                               303 401 401 303 200 200 200
GET     /years/:id/statement.csv                 303 401 401 303 200 200 200
GET     /steward/disputes                        303 401 401 303 404 200 404
POST    /v1/dispute-cases/:id/review             401 401 401 403 403 200 403
POST    /v1/dispute-cases/:id/decision           401 401 401 403 403 409 403
POST    /v1/files/:id/disputes                   401 401 401 404 403 403 409
POST    /v1/me/disputes/:id                      401 401 401 403 404 404 404
POST    /v1/me/gifts                             401 401 401 403 409 409 409
POST    /disputes/:id                            401 401 401 401 404 404 404
POST    /money/gift                              401 401 401 401 422 422 422
POST    /steward/disputes/:id                    401 401 401 401 404 422 404
GET     /v1/me/inbox                             401 401 401 403 200 200 200
GET     /v1/me/split                             401 401 401 403 200 200 200
PUT     /v1/me/split                             401 401 401 403 400 400 400
DELETE  /v1/me/split                             401 401 401 403 204 204 204
GET     /votes/split                             303 401 401 303 200 200 200
POST    /votes/split                             401 401 401 401 422 422 422
POST    /votes/split/withdraw                    401 401 401 401 303 303 303
POST    /v1/me/inbox/read                        401 401 401 403 404 404 404
GET     /v1/me/email                             401 401 401 403 200 200 200
PUT     /v1/me/email                             401 401 401 403 409 409 409
DELETE  /v1/me/email                             401 401 401 403 204 204 204
GET     /v1/me/reports                           401 401 401 403 200 200 200
GET     /v1/pools/:id/reports                    200 401 401 200 200 200 200
GET     /v1/reports/owed                         401 401 401 403 403 200 403
POST    /v1/reports/:id/hide                     401 401 401 403 403 404 403
GET     /v1/requests/:id/report                  401 401 401 404 403 403 200
POST    /v1/requests/:id/report                  401 401 401 404 403 403 201
GET     /v1/report-duties                        401 401 401 200 403 403 200
GET     /reports                                 303 401 401 303 200 200 200
GET     /steward/vetting/reports                 303 401 401 303 404 200 404
POST    /steward/vetting/reports/:id             401 401 401 401 404 404 404
GET     /inbox                                   303 401 401 303 200 200 200
POST    /inbox/read                              401 401 401 401 404 404 404
GET     /inbox/email                             303 401 401 303 200 200 200
POST    /inbox/email                             401 401 401 401 409 409 409
POST    /inbox/email/drop                        401 401 401 401 303 303 303
GET     /email/confirm/:id                       404 401 401 404 404 404 404
POST    /email/confirm/:id                       404 401 401 404 404 404 404
GET     /email/stop/:id                          404 401 401 404 404 404 404
POST    /email/stop/:id                          404 401 401 404 404 404 404
GET     /console                                 200 401 401 200 200 200 200
POST    /console                                 422 401 401 422 422 422 422
POST    /console/leave                           303 401 401 303 303 303 303
GET     /console/keys                            303 401 401 303 303 303 303
POST    /console/keys                            303 401 401 303 303 303 303
POST    /console/keys/:id                        303 401 401 303 303 303 303
GET     /console/ask                             303 401 401 303 303 303 303
POST    /console/ask                             303 401 401 303 303 303 303
GET     /console/requests/:id                    303 401 401 303 303 303 303
POST    /console/requests/:id/accept             303 401 401 303 303 303 303
POST    /console/requests/:id/report             303 401 401 303 303 303 303
POST    /console/files/:id                       303 401 401 303 303 303 303
POST    /v1/appeals                              401 401 401 403 400 400 400
POST    /v1/appeals/:id/panel                    401 401 401 403 404 404 409
POST    /v1/appeals/:id/decision                 401 401 401 403 403 200 403
POST    /v1/me/panels/:id                        401 401 401 403 404 404 404
POST    /v1/bank-statements                      401 401 401 403 403 422 403
POST    /v1/claims/:id/answers                   401 401 401 403 201 201 403
POST    /v1/contributions                        401 401 401 403 400 400 400
POST    /v1/contributions/:id/reviews            401 401 401 403 201 201 403
POST    /v1/datasets                             401 401 401 403 201 201 201
POST    /v1/datasets/:id/seal                    401 401 401 403 404 404 409
POST    /v1/invitations                          401 401 401 403 403 201 403
POST    /v1/me/claims                            401 401 401 403 400 400 400
PUT     /v1/me/consents/datasets/:id             401 401 401 403 404 404 200
PUT     /v1/me/consents/pools/:id                401 401 401 403 200 200 200
PUT     /v1/me/payout-account                    401 401 401 403 400 400 400
PUT     /v1/me/recipient                         401 401 401 403 400 400 400
PUT     /v1/me/signing-key                       401 401 401 403 400 400 400
POST    /v1/me/tokens                            401 401 401 403 400 400 400
POST    /v1/proposals                            401 401 401 403 400 400 400
POST    /v1/proposals/:id/ballots                401 401 401 403 201 201 201
POST    /v1/proposals/check                      401 401 401 403 400 400 400
POST    /v1/recipients                           401 401 401 400 403 403 400
POST    /v1/recipients/:id/proof                 401 401 401 404 403 403 422
POST    /v1/requests                             401 401 401 400 403 403 400
POST    /v1/requests/:id/accept                  401 401 401 404 403 403 409
POST    /v1/requests/check                       401 401 401 400 403 403 400
POST    /v1/researchers                          401 401 401 403 403 201 403
PUT     /v1/researchers/:id/related              401 401 401 403 403 404 403
POST    /steward/vetting/researchers/:id/related 401 401 401 401 404 404 404
POST    /v1/uploads                              401 401 401 403 404 404 409
POST    /consent/:id                             401 401 401 401 422 422 422
POST    /consent/:id/withdraw                    401 401 401 401 303 303 303
POST    /data/:id/consent                        401 401 401 401 404 404 422
POST    /steward/vetting/requests/:id            401 401 401 401 404 404 404
POST    /v1/me/consents/preview                  401 401 401 403 400 400 400
POST    /data/:id/withdraw                       401 401 401 401 404 404 303
POST    /data/add/terms                          401 401 401 401 404 404 404
POST    /invite                                  401 401 401 401 403 200 403
POST    /money/:id                               401 401 401 401 422 422 422
POST    /money/account                           401 401 401 401 422 422 422
POST    /steward/appeals/:id                     401 401 401 401 404 422 404
POST    /steward/periods/:id/:step               401 401 401 401 404 422 404
POST    /steward/treasury                        401 401 401 401 404 422 404
POST    /steward/vetting                         401 401 401 401 404 422 404
POST    /tokens                                  401 401 401 401 422 422 422
POST    /tokens/:id/drop                         401 401 401 401 404 404 303
POST    /votes/:id                               401 401 401 401 409 409 409
POST    /votes/new                               401 401 401 401 200 200 200
POST    /work                                    401 401 401 401 422 422 422
POST    /work/:id                                401 401 401 401 422 422 422
POST    /v1/me/consents/datasets/:id/as-pool     401 401 401 403 404 404 200
POST    /data/:id/as-pool                        401 401 401 401 404 404 303
DELETE  /v1/me/consents/datasets/:id             401 401 401 403 404 404 409
DELETE  /v1/me/consents/pools/:id                401 401 401 403 409 409 409
POST    /pause                                   401 401 401 401 303 303 303
POST    /resume                                  401 401 401 401 303 303 303
POST    /v1/me/pause                             401 401 401 403 204 204 204
POST    /v1/me/resume                            401 401 401 403 204 204 204
DELETE  /v1/me/claims/:id                        401 401 401 403 404 404 409
POST    /v1/me/approvals/:id                     401 401 401 403 404 404 200
POST    /v1/me/questions/:id                     401 401 401 403 404 404 404
POST    /v1/reviews/:id                          401 401 401 403 403 409 403
POST    /questions/:id                           401 401 401 401 404 404 404
POST    /approvals/:id/decline                   401 401 401 401 404 404 409
PATCH   /v1/uploads/:id                          401 401 401 403 404 404 204
DELETE  /v1/uploads/:id                          401 401 401 403 404 404 204
POST    /v1/periods/:id/close                    401 401 401 403 403 200 403
POST    /v1/periods/:id/settle                   401 401 401 403 403 409 403
POST    /v1/periods/:id/release                  401 401 401 403 403 409 403
DELETE  /v1/me/tokens/:id                        401 401 401 403 404 404 204
POST    /data/:id/revoke                         401 401 401 401 404 404 303
DELETE  /v1/datasets/:id                         401 401 401 403 404 404 200
POST    /tokens/sign-out                         401 401 401 401 303 303 303
POST    /v1/me/sessions/end                      401 401 401 403 204 204 204
POST    /logout                                  303 401 401 303 303 303 303
DELETE  /v1/me                                   401 401 401 403 200 409 200
POST    /language                                303 401 401 303 303 303 303
`

// callers in the order of the table's columns.
var callers = []string{"none", "expired", "revoked", "researcher", "other", "steward", "owner"}

// village is a house in which everybody owns something.
type village struct {
	*house
	bearer  map[string]string // by caller; members as well
	cookies map[string]string
	plain   http.Client
	asked   int
	things  map[string]string // by the beginning of a route: what stands for its first parameter
}

func openVillage(t *testing.T) *village {
	v := &village{house: openHouse(t), bearer: map[string]string{}, cookies: map[string]string{}}
	v.plain.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	ctx := context.Background()
	members := map[string]*client.Client{}
	for _, who := range []string{"ada", "bea", "dan", "eva", "finn", "guel"} {
		members[who], v.bearer[who] = v.member(who)
		v.cookies[who] = strings.TrimSuffix(strings.TrimPrefix(v.browse(who).cookie(), "Cookie: "), "\r\n")
	}
	eva := members["eva"]
	kept := v.keep("eva", 4)
	v.share(members["finn"], 1)
	v.share(members["guel"], 2)
	s, asking := v.asker()
	request := s.ask()
	s.pay(request.ID)
	_, err := s.api.Fetch(ctx, client.FetchOptions{Request: request.ID, Out: t.TempDir(), Identities: []client.Identity{s.key}})
	ok(t, err) // after it eva's own key is waited for
	invoice, err := first(s.api.Invoices(ctx))
	ok(t, err)
	var file client.File
	for f, err := range s.api.Files(ctx, request.ID) {
		ok(t, err)
		if f.SHA256 != kept.dataset.SHA256 {
			file = f
		}
	}
	for f, err := range s.api.Files(ctx, request.ID) { // about what finn and guel share
		ok(t, err)
		if f.SHA256 != kept.dataset.SHA256 {
			_, err = s.api.OpenDispute(ctx, f.ID, client.DisputeDraft{Kind: "undecryptable", Text: "It does not open."})
			ok(t, err)
		}
	}
	dispute, err := first(members["guel"].MyDisputes(ctx))
	ok(t, err)
	approval, err := first(eva.Approvals(ctx))
	ok(t, err)
	up := v.newUpload(eva, v.bearer["eva"], 1_000)
	if a := up.create(); a.status != http.StatusCreated {
		t.Fatalf("%d %s", a.status, a.body)
	}
	claim, err := eva.ClaimAddress(ctx, "eva@coop.test")
	ok(t, err)
	work, err := eva.SubmitContribution(ctx, client.ContributionDraft{Kind: "document", Title: "Minutes", Evidence: "sha256"})
	ok(t, err)
	proposal, err := eva.Propose(ctx, client.ProposalDraft{Title: "Universities only", Text: "Others may wait.", Policy: narrow()})
	ok(t, err)
	v.opened(proposal.ID)
	_, err = members["bea"].ClosePeriod(ctx, "P0001")
	ok(t, err)
	appeal, err := eva.Appeal(ctx, client.AppealDraft{Period: "P0001", Text: "That is not right."})
	ok(t, err)
	v.bearer["expired"], v.bearer["revoked"] = v.spent(eva)
	var spare [2]client.Token
	for i := range spare {
		spare[i], err = eva.CreateToken(ctx, client.TokenDraft{Label: "spare", Hours: 1})
		ok(t, err)
	}
	v.bearer["asking"] = asking
	_, v.bearer["researcher"] = v.asker()
	said, err := eva.ConsentRecords(ctx)
	ok(t, err)
	used, err := first(eva.Uses(ctx))
	ok(t, err)
	v.things = map[string]string{
		"/v1/datasets": kept.dataset.ID, "/v1/me/consents/datasets": kept.dataset.ID, "/data": kept.dataset.ID,
		"/v1/me/consents/pools": "wearables", "/v1/pools": "wearables", "/pools": "wearables", "/consent": "wearables",
		"/v1/uploads": strings.TrimPrefix(up.location, "/v1/uploads/"), "/v1/me/approvals": approval.ID, "/v1/me/questions": request.ID, "/v1/reviews": request.ID, "/questions": request.ID, "/approvals": approval.ID,
		"/v1/me/claims": claim.ID, "/v1/claims": claim.ID, "/v1/contributions": work.ID, "/work": work.ID,
		"/v1/proposals": proposal.ID, "/votes": proposal.ID, "/v1/appeals": appeal.ID, "/v1/me/panels": appeal.ID, "/panels": appeal.ID, "/steward/appeals": appeal.ID,
		"/v1/periods": "P0001", "/v1/me/statements": "P0001", "/money": "P0001", "/steward/periods": "P0001",
		"/v1/me/tokens": spare[0].ID, "/tokens": spare[1].ID, "/v1/requests": request.ID, "/v1/invoices": invoice.ID, "/v1/files": file.ID,
		"/v1/me/disputes": dispute.ID, "/v1/dispute-cases": dispute.ID, "/disputes": dispute.ID, "/steward/disputes": dispute.ID,
		"/spot-checks": "P0001-99", "/v1/me/spot-checks": "P0001-99", "/judges": coop.NewID(), "/judges/sets": "P0001", "/steward/judges": coop.NewID(), "/steward/bereavement": coop.NewID(), "/v1/bereavements": coop.NewID(), "/v1/candidates": coop.NewID(),
		"/v1/me/years": "2026", "/goodbye": "nobody", "/v1/closings": "nobody", "/years": "2026", "/v1/reports": "none", "/steward/vetting/reports": "none", "/v1/researchers": "none", "/steward/vetting/researchers": "none", "/console/requests": request.ID, "/console/keys": s.asks.Recipient, "/console/files": file.ID, "/email/confirm": "none", "/email/stop": "none",
		"/v1/me/consents/records": said.Items[0].ID, "/uses": used.ID, "/law": used.Revision, "/v1/policies": used.Revision, "/steward/vetting/requests": request.ID,
		"/v1/recipients": s.asks.Recipient, "/schemas": "Me.json", "/static": "0", "/islands": "0", "/languages": "0",
	}
	return v
}

func first[T any](seq func(func(T, error) bool)) (out T, err error) {
	seq(func(v T, e error) bool { out, err = v, e; return false })
	return out, err
}

// spent makes two of a member's tokens: one whose time is over and one that
// was taken back.
func (h *house) spent(c *client.Client) (expired, revoked string) {
	h.t.Helper()
	var made [2]client.Token
	for i := range made {
		var err error
		made[i], err = c.CreateToken(context.Background(), client.TokenDraft{Label: "spent", Hours: 1})
		ok(h.t, err)
	}
	ok(h.t, h.db.Update(context.Background(), func(tx *db.Tx) error {
		return tx.ExecOne(`UPDATE web_tokens SET expires_at = 1 WHERE id = ?`, made[0].ID)
	}))
	ok(h.t, c.RevokeToken(context.Background(), made[1].ID))
	return made[0].Secret, made[1].Secret
}

// asker is a vetted researcher at work, and their access token.
func (h *house) asker() (*study, string) {
	h.t.Helper()
	ctx := context.Background()
	ada, _ := h.member("ada")
	r, err := ada.VetResearcher(ctx, client.ResearcherDraft{Name: "Example University", Kind: "university", Region: "DE"})
	ok(h.t, err)
	api, err := client.New(h.base, client.WithCredentials(r.ClientID, r.ClientSecret))
	ok(h.t, err)
	key, err := client.Keygen(true)
	ok(h.t, err)
	recipient, err := api.ProveRecipient(ctx, key)
	ok(h.t, err)
	basic := base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(r.ClientID) + ":" + url.QueryEscape(r.ClientSecret)))
	a := h.call("POST", "/oauth/token", "", "grant_type=client_credentials", "Authorization", "Basic "+basic, "Content-Type", formType)
	var grant struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal(a.body, &grant); err != nil || grant.Token == "" {
		h.t.Fatalf("%d %s", a.status, a.body)
	}
	return &study{h, api, key, client.RequestDraft{Pool: "wearables", Title: "How do people move?", DUO: "DUO:0000042",
		DPV: "AcademicResearch", RetentionDays: 30, Recipient: recipient.ID}}, grant.Token
}

// askers own what lies under these routes; the rest is members'.
var askers = map[string]bool{"/v1/disputes": true, "/v1/report-duties": true, "/v1/credit-notes": true, "/v1/requests": true, "/v1/requests/check": true, "/v1/invoices": true, "/v1/files": true, "/v1/recipients": true}

const formType = "application/x-www-form-urlencoded"

// body is what a route is sent, so that it is who calls and not what is sent
// that decides. Routes without one are sent nothing.
type body struct {
	text    string
	headers []string
}

var sixtyFour = strings.Repeat("a", 64)

var inTus = []string{"Tus-Resumable", "1.0.0"}

var bodies = map[string]body{
	"POST /v1/datasets": {text: `{"pool":"wearables"}`},
	"POST /v1/datasets/:id/seal": {text: `{"manifest":{"dataset":"","sha256":"` + sixtyFour + `","size":1,"header_sha256":"` + sixtyFour + `","vault_recipient":"","terms":""},` +
		`"profile":{"format":"","rows":0,"columns":[],"from":"","to":"","coverage":0,"days":0,"persons":0}}`},
	"PUT /v1/me/sealed-identity":          {text: `{"version":1,"recipient":"age1","locks":[{"id":"0123456789abcdef","kind":"sheet","label":"","made_at":"2026-01-01T00:00:00Z","sealed":"a"}]}`},
	"PUT /v1/me/consents/pools/:id":       {text: `{"effect":"refused","purposes":[],"dpv":[],"requester_kinds":[],"regions":[],"commercial":false,"min_price":0,"days":0}`},
	"PUT /v1/me/consents/datasets/:id":    {text: `{"effect":"refused","purposes":[],"dpv":[],"requester_kinds":[],"regions":[],"commercial":false,"min_price":0,"days":0}`},
	"POST /v1/uploads":                    {headers: append(inTus, "Upload-Length", "1000", "Upload-Metadata", "dataset DATASET")},
	"HEAD /v1/uploads/:id":                {headers: inTus},
	"PATCH /v1/uploads/:id":               {text: "a", headers: append(inTus, "Upload-Offset", "0", "Content-Type", parts)},
	"DELETE /v1/uploads/:id":              {headers: inTus},
	"POST /v1/me/approvals/:id":           {text: `{"answer":"decline"}`},
	"POST /v1/me/questions/:id":           {text: `{"dataset":"none","answer":"yes"}`},
	"POST /v1/reviews/:id":                {text: `{"approve":true}`},
	"POST /approvals/:id/decline":         {text: "sure=yes"},
	"POST /questions/:id":                 {text: "dataset=none&answer=yes"},
	"POST /data/:id/revoke":               {text: "sure=yes"},
	"POST /votes/:id":                     {text: "choice=yes"},
	"POST /v1/claims/:id/answers":         {text: `{"confirm":false}`},
	"POST /v1/contributions/:id/reviews":  {text: `{"accept":true,"size":2,"note":""}`},
	"POST /v1/proposals/:id/ballots":      {text: `{"choice":"yes"}`},
	"POST /v1/appeals/:id/decision":       {text: `{"uphold":false,"answer":"It is."}`},
	"POST /v1/appeals/:id/panel":          {text: `{"kind":"work","ref":"x"}`},
	"POST /v1/periods/:id/ballots":        {text: `{"choice":"yes"}`},
	"POST /v1/me/panels/:id":              {text: `{"yes":[]}`},
	"POST /v1/me/spot-checks/:id":         {text: `{"answer":"left"}`},
	"POST /v1/candidates":                 {text: `{"title":"T","why":"W","form":"rubric = \"x\""}`},
	"POST /v1/candidates/:id/ballots":     {text: `{"choice":"yes"}`},
	"POST /v1/recipients/:id/proof":       {text: `{"nonce":"x"}`},
	"POST /v1/me/inbox/read":              {text: `{"through":"none"}`},
	"PUT /v1/me/email":                    {text: `{"address":"eva@home.example","cadence":"daily"}`},
	"POST /v1/reports/:id/hide":           {text: `{"reason":"It insults."}`},
	"POST /v1/requests/:id/report":        {text: `{"deleted":true}`},
	"POST /steward/vetting/reports/:id":   {text: "reason=insults"},
	"POST /inbox/read":                    {text: "id=none"},
	"POST /inbox/email":                   {text: "address=eva@home.example&cadence=daily"},
	"POST /v1/files/:id/disputes":         {text: `{"kind":"undecryptable","text":"It does not open."}`},
	"POST /v1/me/disputes/:id":            {text: `{"text":"It does."}`},
	"POST /v1/dispute-cases/:id/decision": {text: `{"uphold":false,"reason":"It does."}`},
	"POST /v1/me/gifts":                   {text: `{"amount":1}`},
	"POST /disputes/:id":                  {text: "text=It+does."},
	"POST /v1/bank-statements":            {text: "<x/>", headers: []string{"Content-Type", "application/xml"}},
	"POST /v1/researchers":                {text: `{"name":"X","kind":"company","region":"DE"}`},
	"PUT /v1/researchers/:id/related":     {text: `{"related":true}`},
}

// stewards hold the offices that routes are for; ada stands for any other.
var stewards = map[string]string{"/v1/periods": "bea", "/v1/bank-statements": "bea", "/steward/treasury": "bea", "/steward/periods": "bea",
	"/v1/ledger/journal": "bea", "/v1/ledger/patronage": "bea", "/v1/dispute-cases": "dan", "/steward/disputes": "dan", "/v1/candidates": "bea", "/steward/judges": "bea", "/v1/appeals": "dan", "/steward/appeals": "dan"}

// beginning is the part of a route before its first parameter.
func beginning(route string) string {
	before, _, _ := strings.Cut(route, "/:")
	return before
}

// send makes a request to a route as a caller, with a thing of the owner's in
// its path.
func (v *village) send(method, route, path, who string) (int, error) {
	content := bodies[method+" "+route]
	kind := "application/json"
	api := strings.HasPrefix(route, "/v1/") || strings.HasPrefix(route, "/schemas")
	if !api {
		kind = formType
	}
	req, err := http.NewRequest(method, v.base+strings.ReplaceAll(path, "%", ""), strings.NewReader(content.text))
	if err != nil {
		return 0, err
	}
	if before, escaped, found := strings.Cut(path, "%"); found { // as it is, not as Go would write it
		req.URL.Opaque = "//" + req.URL.Host + before + "%" + escaped
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	for i := 0; i+1 < len(content.headers); i += 2 {
		value := strings.Replace(content.headers[i+1], "DATASET", base64.StdEncoding.EncodeToString([]byte(v.things["/data"])), 1)
		req.Header.Set(content.headers[i], value)
	}
	v.asked++
	req.Header.Set("X-Forwarded-For", fmt.Sprintf("198.51.%d.%d", v.asked/250, v.asked%250+1)) // whoever asks too often is not the matter here
	name := map[string]string{"other": "finn", "owner": "eva", "steward": "ada"}[who]
	if s := stewards[beginning(route)]; who == "steward" && s != "" {
		name = s
	}
	if who == "owner" && askers[beginning(route)] {
		name = "asking"
	}
	switch {
	case name != "" && !api && v.cookies[name] != "":
		req.Header.Set("Cookie", v.cookies[name])
	case name != "":
		req.Header.Set("Authorization", "Bearer "+v.bearer[name])
	case who != "none":
		req.Header.Set("Authorization", "Bearer "+v.bearer[who])
	}
	resp, err := v.plain.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// path is a route with the owner's things in it.
func (v *village) path(route string) string {
	path := strings.TrimSuffix(route, "*") + map[bool]string{true: "0/000.p/1"}[strings.HasSuffix(route, "*")]
	before, after, found := strings.Cut(path, "/:")
	if !found {
		return path
	}
	_, rest, more := strings.Cut(after, "/")
	path = before + "/" + v.things[before]
	if more {
		path += "/" + strings.NewReplacer(":step", "close", ":name", "x.css").Replace(rest)
	}
	return path
}

// issuers are mounted for every method; the package behind them has its own
// tests. Here it counts that no token opens or closes anything.
func issuers(route string) bool {
	return strings.HasPrefix(route, "/oauth/") || slices.Contains([]string{"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"}, route)
}

func TestTheIssuerTakesNoOtherMethod(t *testing.T) {
	v := openVillage(t)
	for _, route := range v.web.Routes() {
		method, path, _ := strings.Cut(route, " ")
		if !issuers(path) || slices.Contains([]string{"GET", "HEAD", "POST", "CONNECT"}, method) {
			continue
		}
		if status, err := v.send(method, path, path, "owner"); err != nil || status != http.StatusNotFound && status != http.StatusMethodNotAllowed {
			t.Errorf("%s: %d, %v", route, status, err)
		}
	}
}

func TestWhoMayDoWhat(t *testing.T) {
	rows := map[string][]string{}
	var order []string
	for line := range strings.Lines(access) {
		if f := strings.Fields(line); len(f) == 2+len(callers) {
			rows[f[0]+" "+f[1]] = f[2:]
			order = append(order, f[0]+" "+f[1])
		} else if len(f) > 0 {
			t.Fatalf("not a row: %q", line)
		}
	}
	v := openVillage(t)
	mounted := v.web.Routes()
	for _, route := range mounted {
		method, path, _ := strings.Cut(route, " ")
		_, known := rows[route]
		if _, asGet := rows["GET "+path]; !known && !(method == http.MethodHead && asGet) && !issuers(path) {
			t.Errorf("%s has no row: say who gets which status", route)
			order = append(order, route)
		}
	}
	for _, route := range order {
		if !slices.Contains(mounted, route) {
			t.Errorf("%s has a row and is not mounted", route)
			continue
		}
		method, pattern, _ := strings.Cut(route, " ")
		var got []string
		for _, who := range callers {
			status, err := v.send(method, pattern, v.path(pattern), who)
			ok(t, err)
			got = append(got, fmt.Sprint(status))
			if method == http.MethodGet && slices.Contains(mounted, "HEAD "+pattern) {
				if head, err := v.send(http.MethodHead, pattern, v.path(pattern), who); err != nil || head != status {
					t.Errorf("HEAD %s as %s: %d, %v; GET says %d", pattern, who, head, err, status)
				}
			}
		}
		if want := rows[route]; !slices.Equal(got, want) {
			t.Errorf("%s\n got %s\nwant %s", route, strings.Join(got, " "), strings.Join(want, " "))
		}
	}
}

// TestNothingLiesUnderAnEscapedPath is X2 of the reliability plan: whatever
// stands in a path in place of an id, a name or a hash is of letters, digits,
// dots, hyphens and underscores, or there is no such thing.
func TestNothingLiesUnderAnEscapedPath(t *testing.T) {
	v := openVillage(t)
	evil := []string{"..%2f..%2fetc%2fpasswd", "%2e%2e%2f", "%2e%2e", "..", "..%5c", "%00", v.things["/data"] + "%00", v.things["/data"] + "%0d%0aX:%20y", "%0d%0a",
		"%252f", "%252e%252e%252f", "%c0%af", "%c0%ae%c0%ae%c0%af", "%e0%80%af", "%ff", "*", "%20", v.things["/data"] + "%20", "%27%20OR%201=1%20--",
		"%7b%7d", ".env", strings.ToUpper(v.things["/data"]) + "%2f", strings.Repeat("a", 65), "a%2fb", ";", v.things["/data"] + ";x=1"}
	files := v.payloads()
	tried := 0
	for _, route := range v.web.Routes() {
		method, pattern, _ := strings.Cut(route, " ")
		if !strings.Contains(pattern, "/:") || method == http.MethodOptions {
			continue
		}
		for _, id := range evil {
			path := v.path(pattern)
			before := beginning(pattern)
			path = before + "/" + id + strings.TrimPrefix(path, before+"/"+v.things[before])
			for _, who := range []string{"none", "owner", "steward"} {
				status, err := v.send(method, pattern, path, who)
				if err != nil || status != http.StatusNotFound && (id != ".." && id != "%2e%2e" || status < 400) {
					t.Errorf("%s %s as %s: %d, %v", method, path, who, status, err)
				}
				tried++
			}
		}
	}
	if tried < 5_000 || v.payloads() != files {
		t.Errorf("%d requests; %d files, there were %d", tried, v.payloads(), files)
	}
	if logs := v.logs.String(); strings.Contains(logs, "passwd") || strings.Contains(logs, "level=ERROR") {
		t.Errorf("the log has\n%s", logs)
	}
	if a := v.call("GET", "/v1/me/datasets", v.bearer["eva"], ""); !strings.Contains(string(a.body), v.things["/data"]) {
		t.Error("the dataset is gone")
	}
}
