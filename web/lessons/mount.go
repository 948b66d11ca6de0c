package lessons

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// Mount is how the hall takes operations: how one of members' is described, and
// what becomes of its errors.
type Mount struct {
	API       huma.API
	Operation func(method, path, summary string, status int) huma.Operation
	Problem   func(context.Context, error) error
}

// Mount registers every operation of this package.
func (a API) Mount(m Mount) {
	get, post := http.MethodGet, http.MethodPost
	on(m, get, "/v1/me/spot-checks", "Pairs that I was drawn to compare, newest first", 0, a.SpotChecks)
	on(m, post, "/v1/me/spot-checks/{id}", "Say which of a pair deserves more, or step back", 0, a.Answer)
	on(m, get, "/v1/calibrations", "What people made of pairs, by period, newest first", 0, a.Sets)
	on(m, get, "/v1/periods/{id}/calibration", "A period's calibration set: the draw, the open half, and the sealed half once disclosed", 0, a.Set)
	on(m, get, "/v1/periods/{id}/calibration/record", "A sealed calibration set as one file that anybody can compute again: datacoop verify calibration", 0, a.SetDocument)
	on(m, get, "/v1/candidates/{id}/comparison", "A candidate's comparison as one file that anybody can compute again: datacoop verify comparison", 0, a.ComparisonDocument)
	on(m, get, "/v1/candidates", "Candidates for judging, newest first", 0, a.Candidates)
	on(m, post, "/v1/candidates", "Have other judges, or another way of asking, run in shadow; for the treasury", http.StatusCreated, a.Enter)
	on(m, get, "/v1/candidates/{id}", "A candidate, its runs and its comparison", 0, a.Candidate)
	on(m, post, "/v1/candidates/{id}/offer", "Put a candidate to the vote whose comparison says better", 0, a.Offer)
	on(m, post, "/v1/candidates/{id}/withdraw", "End a candidate; for the treasury", 0, a.Withdraw)
	on(m, get, "/v1/candidates/{id}/ballots", "The ballots that were counted about a candidate, by the digest of their receipts", 0, a.Ballots)
	on(m, post, "/v1/candidates/{id}/ballots", "Vote on a candidate", http.StatusCreated, a.Cast)
}

func on[I, O any](m Mount, method, path, summary string, status int, handle func(context.Context, *I) (*O, error)) {
	huma.Register(m.API, m.Operation(method, path, summary, status), func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, in)
		if err != nil {
			return nil, m.Problem(ctx, err)
		}
		return out, nil
	})
}
