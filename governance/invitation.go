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
	if err := s.mayInvite(tx, by); err != nil {
		return invited{}, err
	}
	a := invited{Nonce: newNonce(), ExpiresAt: s.Clock().Add(invitationLife).UnixMilli()}
	digest := codeDigest(s.code(invitationCode, a.Nonce))
	return a, insertInvitation(tx, digest, by, a.ExpiresAt)
}

// MayInvite answers what Invite would refuse: nil, [ErrMayNotInvite] or
// [ErrNotAMember].
func (s *Service) MayInvite(ctx context.Context, by coop.MemberID) error {
	_, err := read(ctx, s, "may invite", func(tx *db.Tx) (struct{}, error) { return struct{}{}, s.mayInvite(tx, by) })
	return err
}

func (s *Service) mayInvite(tx *db.Tx, by coop.MemberID) error {
	m, err := s.current(tx, by)
	if err == nil && len(m.Offices) == 0 && s.Charter.Admission != "vouched" {
		return ErrMayNotInvite
	}
	return err
}

// Invited judges an invitation and leaves it unused: nil where it, or the
// charter without it, would let a new person in. Codes are as in [Service.Admit].
func (s *Service) Invited(ctx context.Context, code string) error {
	if s.Charter.Admission == "open" {
		return nil
	}
	_, err := read(ctx, s, "invited", func(tx *db.Tx) (struct{}, error) {
		return struct{}{}, s.judgeInvitation(tx, codeDigest(code))
	})
	return err
}

// spendInvitation uses up a code. Saying what is wrong with one tells nothing
// to a guesser, who would have to guess 128 bits first.
func (s *Service) spendInvitation(tx *db.Tx, code string) error {
	digest := codeDigest(code)
	if err := s.judgeInvitation(tx, digest); err != nil {
		return err
	}
	return useInvitation(tx, digest, s.now())
}

func (s *Service) judgeInvitation(tx *db.Tx, digest string) error {
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
	return nil
}
