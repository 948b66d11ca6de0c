package marketplace

import (
	"context"
	"errors"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

// Release approves the payout of a settled period. The first treasurer's
// release is noted; a second, different treasurer's makes the payouts: each
// member's balance of at least the charter's minimum, if they have named an
// account, moves to "in transit". Everyone else's balance stays theirs. Who has
// left gets what is due, however little, and then their account number is
// forgotten. ErrState unless the period is settled and not released,
// ErrReleasedTwice for the same person again.
func (s *Service) Release(ctx context.Context, steward coop.MemberID, id coop.PeriodID) (Period, error) {
	return duty(ctx, s, steward, coop.Treasury, func(tx *db.Tx) (Period, error) { return s.release(tx, steward, id) })
}

func (s *Service) release(tx *db.Tx, steward coop.MemberID, id coop.PeriodID) (Period, error) {
	p, err := getPeriod(tx, id)
	if err != nil {
		return Period{}, err
	}
	if p.State != PeriodSettled {
		return Period{}, ErrState
	}
	fresh, err := s.Sign(tx, id, steward)
	if err != nil {
		return Period{}, err
	}
	if !fresh {
		return Period{}, ErrReleasedTwice
	}
	if p.Released++; p.Released >= 2 {
		p.State = PeriodReleased
		if err := s.PayOut(tx, id, p.OpenedAt); err != nil {
			return Period{}, err
		}
		if err := setPeriodState(tx, id, PeriodSettled, PeriodReleased); err != nil {
			return Period{}, err
		}
	}
	err = s.log(tx, "payout.release", p.State, map[string]any{"period": string(id), "steward": string(steward)})
	if p.State == PeriodSettled {
		err = errors.Join(err, s.Jobs.Tell(tx, coop.Notice{Kind: coop.NoticeSecondHuman, Ref: string(id), Office: coop.Treasury}))
	}
	return p, err
}

// PayoutFile writes the pain.001 of a released period for the treasurer to
// upload at the bank. ErrState until two have released it, ErrNothingToPay if
// no balance was payable, ErrNoAccount if the charter names no account.
func (s *Service) PayoutFile(ctx context.Context, steward coop.MemberID, id coop.PeriodID) ([]byte, error) {
	return s.PayoutFileAs(ctx, steward, id, "")
}

// PayoutFileAs is PayoutFile in a version of pain.001 that the bank asks for.
func (s *Service) PayoutFileAs(ctx context.Context, steward coop.MemberID, id coop.PeriodID, version string) ([]byte, error) {
	return read(ctx, s, func(tx *db.Tx) ([]byte, error) {
		if err := s.needs(tx.Context(), steward, coop.Treasury); err != nil {
			return nil, err
		}
		p, err := getPeriod(tx, id)
		if err == nil && p.State != PeriodReleased {
			err = ErrState
		}
		if err != nil {
			return nil, err
		}
		return s.File(tx, id, version)
	})
}
