package farewell

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace"
)

// kindMoney is the job that looks after what is still owed to somebody who has
// left.
const kindMoney = "farewell.money"

// lookAgain is how long it waits between two looks.
const lookAgain = 7 * 24 * time.Hour

// look is what the job is told.
type look struct {
	Closing string `json:"closing"`
	Round   int    `json:"round"`
}

// money does with what is owed now as the member wished, and sees to the rest.
func (s *Service) money(ctx context.Context, c Closing) error { return s.look(ctx, c, 1) }

func (s *Service) moneyJob(ctx context.Context, payload []byte) error {
	var l look
	if err := json.Unmarshal(payload, &l); err != nil {
		return fmt.Errorf("farewell: job: %w", err)
	}
	c, err := s.find(ctx, l.Closing)
	if err != nil {
		return err
	}
	return s.look(ctx, c, l.Round+1)
}

// look gives what is owed, if that was the wish, and forgets the account's
// number once nothing is owed and nothing can come any more. Until then it
// looks again; with the treasury's payouts it has nothing to do.
func (s *Service) look(ctx context.Context, c Closing, round int) error {
	owed, err := s.Market.Owed(ctx, c.Member)
	if err != nil {
		return err
	}
	if owed > 0 && c.Owed == Give {
		if _, err := s.Market.Give(ctx, c.Member, owed); err != nil {
			return err
		}
		owed = 0
	}
	more, err := s.moreToCome(ctx, c)
	if err != nil {
		return err
	}
	if owed == 0 && (!more || c.Owed == Give) {
		if err := s.Market.DropPayoutAccount(ctx, c.Member); err != nil {
			return err
		}
	}
	transit, err := s.Market.InTransit(ctx, c.Member) // it may come back
	if err != nil {
		return err
	}
	return s.DB.Update(ctx, func(tx *db.Tx) error {
		if owed == 0 && !more && !transit {
			return settle(tx, c.ID, s.now())
		}
		return s.Jobs.Enqueue(tx, kindMoney, c.ID+"/"+strconv.Itoa(round), look{c.ID, round}, s.Clock().Add(lookAgain))
	})
}

// moreToCome reports whether a period in which the member was there has not
// been settled yet.
func (s *Service) moreToCome(ctx context.Context, c Closing) (bool, error) {
	periods, err := s.Market.Periods(ctx)
	if err != nil {
		return false, err
	}
	for _, p := range periods {
		settled := p.State == marketplace.PeriodSettled || p.State == marketplace.PeriodReleased
		if p.OpenedAt < c.BegunAt && !settled {
			return true, nil
		}
	}
	return false, nil
}

// Name takes an account that what is owed goes to, from somebody who has left
// and has the code: where none was known, or money came back. Errors:
// ErrUnknown, ErrNothing, ErrNamed, and those of a market's SetPayoutAccount.
func (s *Service) Name(ctx context.Context, code, holder, iban string) error {
	c, err := s.Find(ctx, code)
	if err != nil {
		return err
	}
	if c.OwedNow == 0 {
		return ErrNothing
	}
	if c.Owed != Pay {
		return ErrNamed
	}
	_, err = s.Market.NamePayoutAccount(ctx, c.Member, holder, iban, ErrNamed)
	return err
}
