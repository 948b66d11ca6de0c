package stepup

// Routes says which operations of the API need a proof. An operation that is
// not here needs none.
var Routes = map[string]Class{
	"DELETE /v1/datasets/{id}":         Revoke,
	"POST /v1/proposals/{id}/ballots":  Vote,
	"POST /v1/periods/{id}/ballots":    Vote,
	"POST /v1/candidates/{id}/ballots": Vote,
	"PUT /v1/me/split":                 Vote,
	"DELETE /v1/me/split":              Vote,
	"PUT /v1/me/payout-account":        Account,
	"POST /v1/me/gifts":                Account,
	"POST /v1/me/tokens":               Token,
	"POST /v1/periods/{id}/settle":     Release,
	"POST /v1/periods/{id}/release":    Release,
	"POST /v1/freeze":                  Freeze,
	"POST /v1/unfreeze":                Freeze,
	"DELETE /v1/me":                    Close,

	"POST /v1/bereavements":               Estate,
	"POST /v1/bereavements/{id}/confirm":  Estate,
	"POST /v1/bereavements/{id}/withdraw": Estate,
}

// Pages says which forms of the portal need a proof, by the method and the
// pattern of their address.
var Pages = map[string]Class{
	"POST /data/{id}/revoke":            Revoke,
	"POST /votes/{id}":                  Vote,
	"POST /money/{id}/vote":             Vote,
	"POST /votes/split":                 Vote,
	"POST /votes/split/withdraw":        Vote,
	"POST /judges/{id}/vote":            Vote,
	"POST /money/account":               Account,
	"POST /money/gift":                  Account,
	"POST /steward/periods/{id}/{step}": Release,
	"POST /steward/incidents":           Freeze,
	"POST /steward/incidents/lift":      Freeze,
	"POST /tokens":                      Token,
	"POST /account/close":               Close,
	"POST /ways/unlink":                 Ways,

	"POST /steward/bereavement":               Estate,
	"POST /steward/bereavement/{id}/confirm":  Estate,
	"POST /steward/bereavement/{id}/withdraw": Estate,
	"POST /steward/bereavement/{id}/letter":   Estate,
}
