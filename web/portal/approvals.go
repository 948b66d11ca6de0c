package portal

import (
	"crypto/sha256"
	"encoding/hex"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/web/islands"
	"distributed.ai/datacoop/web/portal/words"
)

// due is a granted request that waits for the member's own key.
type due struct {
	marketplace.Approval
	PoolTitle   string
	Left        string // until it ends
	Fingerprint string // SHA-256 of the recipient's text
}

// approvals lists the requests that only the member's own machine can answer
// with yes; a no is said here.
func (p *Portal) approvals(v *visit) error {
	before := v.r.URL.Query().Get("before")
	if before != "" && !coop.ValidID(before) {
		return errNotHere
	}
	list, err := p.Market.Approvals(v.ctx(), v.me.ID, before, pageLength+1)
	if err != nil {
		return err
	}
	next := ""
	if len(list) > pageLength {
		list = list[:pageLength]
		next = list[pageLength-1].ID
	}
	out := make([]due, 0, len(list))
	for _, a := range list {
		sum := sha256.Sum256([]byte(a.Recipient))
		out = append(out, due{a, p.poolTitle(a.Pool), words.Left(p.Clock().UnixMilli(), a.ExpiresAt), hex.EncodeToString(sum[:])})
	}
	v.w.Header().Set("Content-Security-Policy", islands.PagePolicy)
	return v.show("approvals", struct {
		Due    []due
		Next   string
		First  bool
		Server string
		Folder string
	}{out, next, before == "", p.BaseURL, islands.Folder()})
}

var errSureNo = fault.New(fault.Invalid, "confirm-decline", "Tick that you are sure. Nothing was changed.")

// decline says no to one request, for good.
func (p *Portal) decline(v *visit) error {
	if v.form.Get("sure") != "yes" {
		return v.again(errSureNo, p.approvals)
	}
	if _, err := p.Market.Decline(v.action(), v.me.ID, v.id()); err != nil {
		return v.again(err, p.approvals)
	}
	return v.done("/approvals", note{Title: "You declined this request",
		Text: "The researcher does not get this file, and is told that you said no. Your other answers stay as they are."})
}
