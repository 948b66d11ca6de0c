package signin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/oauth2"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/web/entry"
	"distributed.ai/datacoop/web/stepup"
)

// known finds the member behind an identity: who linked it, or who joined with
// it. governance.ErrMemberNotFound if nobody did.
func (d *Desk) known(tx *db.Tx, issuer, subject string) (coop.MemberID, error) {
	id, err := linkedMember(tx, issuer, subject)
	if !errors.Is(err, db.ErrNoRow) {
		return id, err
	}
	m, err := d.Governance.ByIdentity(tx, issuer, subject)
	return m.ID, err
}

// admit lets in the member behind a sign-in, or makes one as the charter says.
func (d *Desk) admit(ctx context.Context, who newcomer) (id coop.MemberID, err error) {
	err = d.DB.Update(ctx, func(tx *db.Tx) error {
		if id, err = linkedMember(tx, who.Issuer, who.Subject); errors.Is(err, db.ErrNoRow) {
			var m governance.Member
			m, err = d.Governance.AdmitTx(tx, governance.Identity{Issuer: who.Issuer, Subject: who.Subject, Name: who.Name, Invitation: who.Invitation})
			id = m.ID
		}
		if err != nil || d.Admits == nil {
			return err
		}
		return d.Admits(tx, id)
	})
	if err != nil {
		return "", fmt.Errorf("signin: admit: %w", err)
	}
	return id, nil
}

func (d *Desk) member(ctx context.Context) coop.MemberID {
	return coop.MemberID(d.Sessions.GetString(ctx, entry.Member))
}

// way is the issuer that the session's member came in by.
func (d *Desk) way(ctx context.Context) *issuer {
	name := d.Sessions.GetString(ctx, keyWay)
	if i := d.by(func(i *issuer) bool { return i.name() == name }); i != nil {
		return i
	}
	return d.issuers[0]
}

// Outside reports whether a proof of the session's member is given at another
// origin, where no form may lead.
func (d *Desk) Outside(ctx context.Context) bool { return d.way(ctx).Issuer != d.Base }

// Prove sends the session's member to the issuer they came in by, to show once
// more that it is them; then they come back to a path of this server.
func (d *Desk) Prove(c echo.Context, class stepup.Class, back string) error {
	ctx := c.Request().Context()
	if d.member(ctx) == "" {
		return errSignedOut
	}
	i := d.way(ctx)
	options := []oauth2.AuthCodeOption{oauth2.SetAuthURLParam("prompt", "login"), oauth2.SetAuthURLParam("max_age", "0")}
	if i.Issuer == d.Base {
		m, err := d.Governance.Member(ctx, d.member(ctx))
		if err != nil {
			return err
		}
		options = append(options, oauth2.SetAuthURLParam("login_hint", m.Subject))
	}
	return d.visit(c, i, purposeProve+string(class), localPath(back), options...)
}

// skew is how far an issuer's clock may be from ours.
const skew = time.Minute

// proved notes a fresh sign-in of the session's own member.
func (d *Desk) proved(c echo.Context, e errand, p proven, class stepup.Class) error {
	ctx := c.Request().Context()
	var who coop.MemberID
	err := d.DB.View(ctx, func(tx *db.Tx) (err error) {
		who, err = d.known(tx, e.issuer.name(), p.subject)
		return err
	})
	switch {
	case errors.Is(err, governance.ErrMemberNotFound):
		return errSomebody
	case err != nil:
		return fmt.Errorf("signin: prove: %w", err)
	case d.member(ctx) == "":
		return errSignedOut
	case who != d.member(ctx):
		return errSomebody
	case p.authTime.Before(e.began.Add(-skew)):
		return errStale
	}
	if err := d.Sessions.RenewToken(ctx); err != nil {
		return fmt.Errorf("signin: renew session: %w", err)
	}
	d.Proofs.Proved(ctx, class)
	if waiting, ok := d.Proofs.Waiting(ctx); ok && waiting.Class == class {
		return c.Redirect(http.StatusSeeOther, "/confirm")
	}
	return c.Redirect(http.StatusSeeOther, e.back)
}

// Way is an issuer as its members see it.
type Way struct {
	Key      string // in the query parameter "at"
	Label    string
	Link     string // where a sign-in by it starts
	Main     bool   // the member joined with it
	LinkedAt int64  // Unix ms; 0 if it is not linked
}

func (d *Desk) offered(c echo.Context) (out []Way) {
	for _, i := range d.issuers {
		query := url.Values{"at": {i.key}, "return": {localPath(c.QueryParam("return"))}}
		if code := invitationOf(c); code != "" {
			query.Set("invitation", code)
		}
		out = append(out, Way{Key: i.key, Label: i.label(), Link: "/login?" + query.Encode()})
	}
	return out
}
