package bereavement

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/web/farewell"
)

// The jobs of this desk. Each looks at the report first, so that it does nothing
// where it comes too late.
const (
	kindLapse     = "bereavement.lapse"
	kindClose     = "bereavement.close"
	kindUnclaimed = "bereavement.unclaimed"
)

// later has a job done about a report, at a time in Unix ms.
func (s *Service) later(tx *db.Tx, kind string, r Report, at int64) error {
	return s.Jobs.Enqueue(tx, kind, r.ID+"/"+strconv.FormatInt(at, 10), r.ID, time.UnixMilli(at))
}

func (s *Service) job(do func(context.Context, Report) error) func(context.Context, []byte) error {
	return func(ctx context.Context, payload []byte) error {
		var id string
		if err := json.Unmarshal(payload, &id); err != nil {
			return fmt.Errorf("bereavement: job: %w", err)
		}
		var r Report
		err := s.DB.View(ctx, func(tx *db.Tx) (err error) {
			r, err = byID(tx, id)
			return err
		})
		if errors.Is(err, db.ErrNoRow) {
			return nil // of a false report nothing is kept once its member has left
		}
		if err != nil {
			return fmt.Errorf("bereavement: job: %w", err)
		}
		return do(ctx, r)
	}
}

// lapse ends a report that nobody has confirmed.
func (s *Service) lapse(ctx context.Context, r Report) error {
	_, err := s.change(ctx, r.ID, func(tx *db.Tx, r *Report) error {
		if r.State != Reported {
			return nil
		}
		return s.end(tx, r, Lapsed, "")
	})
	return err
}

// Close closes the account, once the waiting time of a confirmed report is over,
// as its job does. A report that has ended since the caller read it closes nothing.
func (s *Service) Close(ctx context.Context, r Report) error {
	if r.State != Confirmed {
		return nil
	}
	_, err := s.Farewell.Begin(ctx, r.Member, farewell.Wish{Owed: farewell.Pay, Vacate: true, Cause: farewell.Bereaved, Code: s.code(r),
		With: func(tx *db.Tx) error { return s.closed(tx, r.ID) }})
	if err != nil && !errors.Is(err, ErrOver) {
		return fmt.Errorf("bereavement: close: %w", err)
	}
	return nil
}

// closed notes the closing, in the transaction that begins it: ErrOver where the
// report does not stand any more.
func (s *Service) closed(tx *db.Tx, id string) error {
	r, err := byID(tx, id)
	if err != nil {
		return err
	}
	if r.State != Confirmed {
		return ErrOver
	}
	r.State, r.EndedAt = Closed, s.now()
	return errors.Join(update(tx, r), s.note(tx, Closed, "", r), s.later(tx, kindUnclaimed, r, s.now()+ClaimFor.Milliseconds()))
}

// unclaimed gives what nobody has claimed to the common purpose, and looks again
// until nothing is owed and nothing can come any more: money that is on its way can
// come back. What has an account to go to is the treasury's.
func (s *Service) unclaimed(ctx context.Context, r Report) error {
	closing, err := s.Farewell.Find(ctx, s.code(r))
	if err != nil || closing.SettledAt > 0 {
		return err
	}
	err = s.DB.Update(ctx, func(tx *db.Tx) error {
		owed, err := s.Market.Owed(tx.Context(), r.Member)
		if err != nil {
			return err
		}
		account, err := s.Market.PayoutAccount(tx.Context(), r.Member)
		if err != nil {
			return err
		}
		if owed > 0 && (account.IBAN == "" || account.Bounced) {
			if _, err := s.Market.GiveTx(tx, r.Member, owed); err != nil {
				return err
			}
			if err := s.note(tx, "unclaimed", "", r); err != nil {
				return err
			}
		}
		return s.later(tx, kindUnclaimed, r, s.now()+look.Milliseconds())
	})
	if err != nil {
		return fmt.Errorf("bereavement: unclaimed: %w", err)
	}
	return nil
}
