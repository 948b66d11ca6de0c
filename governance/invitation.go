package governance

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/once"
)

// invitationLife is how long an invitation can be used.
const invitationLife = 14 * 24 * time.Hour

// Invitation lets one person join. The co-op keeps only a digest of the code.
type Invitation struct {
	Code      string
	ExpiresAt int64 // Unix ms
}

// Invite makes an invitation, good once and for 14 days. Stewards may always
// invite; where admission is "vouched" every member may.
func (s *Service) Invite(ctx context.Context, by coop.MemberID) (Invitation, error) {
	return write(ctx, s, "invite", func(tx *db.Tx) (Invitation, error) {
		a, err := once.Do(tx, func() (invited, error) { return s.invite(tx, by) })
		return Invitation{Code: s.code(invitationCode, a.Nonce), ExpiresAt: a.ExpiresAt}, err
	})
}

// invited is what an idempotency key keeps: no secret.
type invited struct {
	Nonce     string
	ExpiresAt int64
}

func (s *Service) invite(tx *db.Tx, by coop.MemberID) (invited, error) {
	m, err := s.current(tx, by)
	if err != nil {
		return invited{}, err
	}
	if len(m.Offices) == 0 && s.Charter.Admission != "vouched" {
		return invited{}, ErrMayNotInvite
	}
	a := invited{Nonce: newNonce(), ExpiresAt: s.Clock().Add(invitationLife).UnixMilli()}
	digest := codeDigest(s.code(invitationCode, a.Nonce))
	return a, insertInvitation(tx, digest, by, a.ExpiresAt)
}

// spendInvitation uses up a code. Saying what is wrong with one tells nothing
// to a guesser, who would have to guess 128 bits first.
func (s *Service) spendInvitation(tx *db.Tx, code string) error {
	digest := codeDigest(code)
	expires, used, err := invitation(tx, digest)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return ErrNotAdmitted
	case err != nil:
		return err
	case used != 0:
		return ErrInvitationUsed
	case expires <= s.now():
		return ErrInvitationExpired
	}
	return useInvitation(tx, digest, s.now())
}
