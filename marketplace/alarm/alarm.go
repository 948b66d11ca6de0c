// Package alarm lets stewards stop every delivery of the co-op at once.
//
// It is an annex of the market, which knows who holds an office; what is stopped,
// and how, package consent/freeze says.
//
// # What it guarantees
//
// Any steward can freeze. It takes two different stewards to lift what was frozen.
// Each holds an office in the very transaction, also whoever asked first; a call with one idempotency key has
// one effect.
//
// # What it refuses
//
// Anybody who holds no office.
package alarm

import (
	"context"
	"fmt"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/desk"
)

// Incident is one stop of all deliveries; see package consent/freeze.
type Incident struct {
	ID       string
	Reason   string
	FrozenBy coop.MemberID
	FrozenAt int64 // Unix milliseconds
	AskedBy  coop.MemberID
	AskedAt  int64 // 0 until somebody asks to lift it
	LiftedBy coop.MemberID
	LiftedAt int64 // 0 while it stands
}

// Standing reports whether it holds now.
func (i Incident) Standing() bool { return i.ID != "" && i.LiftedAt == 0 }

// Alarm is the counter. It is safe for concurrent use.
type Alarm struct {
	desk    *desk.Desk
	consent *consent.Service
}

// New makes the counter.
func New(d *desk.Desk, c *consent.Service) *Alarm { return &Alarm{d, c} }

// Freeze stops every delivery at once, with a reason that every member reads.
// Errors: desk.ErrOffice, and those of package consent/freeze.
func (a *Alarm) Freeze(ctx context.Context, steward coop.MemberID, reason string) (Incident, error) {
	return a.act(ctx, steward, func(tx *db.Tx) (Incident, error) {
		i, err := a.consent.Freeze(tx, steward, reason)
		return Incident(i), err
	})
}

// Unfreeze lets deliveries go on once two stewards have called it. Errors as for
// Freeze.
func (a *Alarm) Unfreeze(ctx context.Context, steward coop.MemberID) (Incident, error) {
	return a.act(ctx, steward, func(tx *db.Tx) (Incident, error) {
		i, err := a.consent.Lift(tx, steward, func(asked coop.MemberID) (bool, error) {
			m, err := a.desk.Governance.Member(tx.Context(), asked)
			return m.Open() && len(m.Offices) > 0, err
		})
		return Incident(i), err
	})
}

func (a *Alarm) act(ctx context.Context, steward coop.MemberID, fn func(*db.Tx) (Incident, error)) (Incident, error) {
	return desk.Write(ctx, a.desk.DB, func(tx *db.Tx) (Incident, error) {
		m, err := a.desk.Governance.Member(tx.Context(), steward)
		if err != nil {
			return Incident{}, fmt.Errorf("marketplace: office: %w", err)
		}
		if len(m.Offices) == 0 {
			return Incident{}, desk.ErrOffice
		}
		i, err := fn(tx)
		if err != nil {
			return Incident{}, err
		}
		told := coop.Notice{Kind: coop.NoticeFrozen, Ref: i.ID} // asking to lift it tells nothing new
		if !i.Standing() {
			told.Kind = coop.NoticeThawed
		}
		return i, a.desk.Jobs.Tell(tx, told)
	})
}

// Frozen is the incident that stands; the zero value if deliveries are made.
func (a *Alarm) Frozen(ctx context.Context) (Incident, error) {
	i, err := a.consent.Frozen(ctx)
	return Incident(i), err
}

// Incidents lists all, newest first.
func (a *Alarm) Incidents(ctx context.Context) ([]Incident, error) {
	all, err := a.consent.Freezes(ctx)
	out := make([]Incident, 0, len(all))
	for _, i := range all {
		out = append(out, Incident(i))
	}
	return out, err
}
