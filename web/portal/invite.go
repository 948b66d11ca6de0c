package portal

import (
	"errors"
	"time"

	"distributed.ai/datacoop/governance"
)

// invitePage offers to make an invitation, to whom the charter lets.
type invitePage struct{ Allowed bool }

func (p *Portal) inviteForm(v *visit) error {
	err := p.Governance.MayInvite(v.ctx(), v.me.ID)
	if err != nil && !errors.Is(err, governance.ErrMayNotInvite) {
		return err
	}
	return v.show("invite", invitePage{Allowed: err == nil})
}

// invite shows a new link in this answer and nowhere else. The same form sent
// again shows the same link again.
func (p *Portal) invite(v *visit) error {
	i, err := p.Governance.Invite(v.action(), v.me.ID)
	if err != nil {
		return v.again(err, p.inviteForm)
	}
	return v.show("invited", struct {
		Link    string
		Expires time.Time
	}{p.Hall.Invitation(i.Code), time.UnixMilli(i.ExpiresAt).UTC()})
}
