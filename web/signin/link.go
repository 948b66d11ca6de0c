package signin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/web/stepup"
)

// Faults of linking. Their codes are part of the API.
var (
	ErrTaken   = fault.New(fault.Conflict, "way-taken", "This account is in use by a membership already, so it cannot be linked. Nothing was changed.")
	ErrLinked  = fault.New(fault.Conflict, "way-linked", "You have linked an account there already. Unlink it first.")
	ErrOnlyWay = fault.New(fault.Conflict, "way-only", "You joined with this account, so it stays: there must be a way in.")
	ErrNoWay   = fault.New(fault.NotFound, "not-found", "You have linked no such account.")
)

// Ways lists the issuers and which of them a member comes in by.
func (d *Desk) Ways(ctx context.Context, m coop.MemberID) ([]Way, error) {
	who, err := d.Governance.Member(ctx, m)
	if err != nil {
		return nil, err
	}
	linked, err := d.Linked(ctx, m)
	if err != nil {
		return nil, err
	}
	var out []Way
	for _, i := range d.issuers {
		w := Way{Key: i.key, Label: i.label(), Main: i.name() == who.Issuer}
		for _, l := range linked {
			if l.Issuer == i.name() {
				w.LinkedAt = l.LinkedAt
			}
		}
		out = append(out, w)
	}
	return out, nil
}

// Identity is one that a member has linked.
type Identity struct {
	Issuer   string `json:"issuer"`
	Subject  string `json:"subject"`
	LinkedAt int64  `json:"linked_at"` // Unix ms
}

// Linked lists what a member has linked.
func (d *Desk) Linked(ctx context.Context, m coop.MemberID) (out []Identity, err error) {
	err = d.DB.View(ctx, func(tx *db.Tx) error {
		out, err = linkedBy(tx, m)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("signin: linked: %w", err)
	}
	return out, nil
}

// Link sends the session's member to another issuer, whose account becomes a
// second way in. It needs a proof of stepup.Ways, which it spends; without one
// the browser goes to prove first and comes back.
func (d *Desk) Link(c echo.Context) error {
	ctx := c.Request().Context()
	i, err := d.chosen(c)
	switch {
	case d.member(ctx) == "":
		return errSignedOut
	case err != nil:
		return err
	case i == nil:
		return errNoIssuer
	case !d.Proofs.Fresh(ctx, stepup.Ways):
		return d.Prove(c, stepup.Ways, "/ways/link?at="+i.key)
	}
	return d.visit(c, i, purposeLink, "/ways")
}

// linked notes the identity that was just proved as one of the session's member.
func (d *Desk) linked(c echo.Context, e errand, p proven) error {
	ctx := c.Request().Context()
	m := d.member(ctx)
	if m == "" {
		return errSignedOut
	}
	err := d.DB.Update(ctx, func(tx *db.Tx) error {
		who, err := d.Governance.Member(tx.Context(), m)
		if err != nil {
			return err
		}
		if !who.Open() {
			return errSignedOut
		}
		if who.Issuer == e.issuer.name() {
			return ErrLinked
		}
		if _, err := d.known(tx, e.issuer.name(), p.subject); !errors.Is(err, governance.ErrMemberNotFound) {
			return errors.Join(err, ErrTaken)
		}
		if err := insertIdentity(tx, m, Identity{e.issuer.name(), p.subject, time.Now().UnixMilli()}); err != nil {
			return err
		}
		return d.tell(tx, coop.NoticeLinked, m)
	})
	if err != nil {
		return fmt.Errorf("signin: link: %w", err)
	}
	return c.Redirect(http.StatusSeeOther, e.back)
}

// tell has a member told that their ways in have changed, each time.
func (d *Desk) tell(tx *db.Tx, kind string, m coop.MemberID) error {
	return d.Tell(tx, coop.Notice{Kind: kind, Occasion: coop.NewID(), To: []coop.Addressee{{Member: m}}})
}

// Unlink removes a way in that the session's member has added. In the same
// transaction every session and token of theirs ends, because nothing tells which
// of them came by that way; the browser that asked stays signed in, by the issuer
// they joined with. Errors: ErrOnlyWay for that one, ErrNoWay.
func (d *Desk) Unlink(ctx context.Context, key string) error {
	m := d.member(ctx)
	i := d.by(func(i *issuer) bool { return i.key == key })
	if i == nil {
		return ErrNoWay
	}
	var joined string
	err := d.DB.Update(ctx, func(tx *db.Tx) error {
		who, err := d.Governance.Member(tx.Context(), m)
		if err != nil {
			return err
		}
		if joined = who.Issuer; joined == i.name() {
			return ErrOnlyWay
		}
		if err := deleteIdentity(tx, m, i.name()); err != nil {
			return err
		}
		return errors.Join(d.SignOut(tx, m), d.tell(tx, coop.NoticeUnlinked, m))
	})
	if err != nil {
		return fmt.Errorf("signin: unlink: %w", err)
	}
	d.Sessions.Put(ctx, keyWay, joined)
	return d.anew(ctx)
}

// anew gives the browser of ctx a session that begins now, after all others of
// its member have ended. One that began in the millisecond they ended in would
// count as one of them.
func (d *Desk) anew(ctx context.Context) error {
	time.Sleep(time.Until(time.UnixMilli(time.Now().UnixMilli() + 1)))
	if err := d.Sessions.RenewToken(ctx); err != nil {
		return fmt.Errorf("signin: renew session: %w", err)
	}
	return nil
}
