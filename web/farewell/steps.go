package farewell

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

// step is one thing that is done about an account. Do may be called again
// after it was done, wholly or in part.
type step struct {
	name     string
	sentence string
	do       func(*Service, context.Context, Closing) error
}

// steps in their order. The last of them ends the membership; who it was is
// looked up by it until then.
var steps = []step{
	{"pause", "Sharing is paused: nobody gets anything.", (*Service).pause},
	{"revoke", "Every dataset is revoked and destroyed.", (*Service).revoke},
	{"withdraw", "Every consent is withdrawn.", (*Service).withdraw},
	{"sign-out", "Every browser is signed out and every access token has ended.", (*Service).signOut},
	{"ways", "How you signed in is forgotten: passkeys, recovery code, linked accounts elsewhere.", (*Service).ways},
	{"membership", "The membership has ended: name, keys and claimed addresses are gone.", (*Service).membership},
	{"money", "What is owed is ordered as you wished.", (*Service).money},
}

// done is the step after the last.
const done = "done"

// run does the steps that are left, and signs the receipt. The first ones are
// cheap to repeat and are: what came in while the member was being signed out
// goes as well.
func (s *Service) run(ctx context.Context, id string) error {
	c, err := s.find(ctx, id)
	if err != nil {
		return err
	}
	for _, at := range steps {
		if err := at.do(s, ctx, c); err != nil {
			return fmt.Errorf("farewell: %s: %w", at.name, err)
		}
		if err := s.reached(ctx, c.ID, at.name); err != nil {
			return fmt.Errorf("farewell: %s: %w", at.name, err)
		}
	}
	return s.end(ctx, id)
}

// reached notes that a step is done, unless a later one is.
func (s *Service) reached(ctx context.Context, id, name string) error {
	i := slices.IndexFunc(steps, func(at step) bool { return at.name == name })
	next := done
	if i+1 < len(steps) {
		next = steps[i+1].name
	}
	return s.DB.Update(ctx, func(tx *db.Tx) error { return advance(tx, id, name, next) })
}

// closeJob goes on where a closing stopped, and looks once more for what came
// in at the last moment.
func (s *Service) closeJob(ctx context.Context, payload []byte) error {
	var id string
	if err := json.Unmarshal(payload, &id); err != nil {
		return fmt.Errorf("farewell: job: %w", err)
	}
	return s.run(ctx, id)
}

func (s *Service) pause(ctx context.Context, c Closing) error {
	if paused, err := s.Consent.Paused(ctx, c.Member); err != nil || paused {
		return err
	}
	return s.Consent.Pause(ctx, c.Member)
}

// errShredding keeps a closing open until nothing of the data is left.
var errShredding = errors.New("the destruction of a dataset is not complete yet")

func (s *Service) revoke(ctx context.Context, c Closing) error {
	datasets, err := s.Vault.Mine(ctx, c.Member)
	if err != nil {
		return err
	}
	var left error
	for _, d := range datasets {
		r, err := s.Vault.Revoke(ctx, c.Member, d.ID)
		if err != nil {
			return err
		}
		if !r.Complete {
			left = errShredding
		}
	}
	return left
}

func (s *Service) withdraw(ctx context.Context, c Closing) error {
	records, err := s.Consent.List(ctx, c.Member)
	if err != nil {
		return err
	}
	pools := map[coop.PoolID]bool{}
	for _, r := range records {
		if pools[r.Pool] {
			continue
		}
		pools[r.Pool] = true
		if _, err := s.Consent.WithdrawPool(ctx, c.Member, r.Pool); err != nil && !errors.Is(err, consent.ErrNotGiven) {
			return err
		}
	}
	return nil
}

func (s *Service) signOut(ctx context.Context, c Closing) error {
	return s.DB.Update(ctx, func(tx *db.Tx) error { return s.SignOut(tx, c.Member) })
}

// ways needs to know who signs in, and so comes before the membership ends.
func (s *Service) ways(ctx context.Context, c Closing) error {
	return s.DB.Update(ctx, func(tx *db.Tx) error {
		who, err := s.Governance.Member(tx.Context(), c.Member)
		if err != nil {
			return err
		}
		if err := s.Ways(tx, c.Member, who.Issuer, who.Subject); err != nil {
			return err
		}
		for _, forget := range s.Hall {
			if err := forget(tx, c.Member); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Service) membership(ctx context.Context, c Closing) error {
	err := s.Governance.CloseAccount(ctx, c.Member)
	if errors.Is(err, governance.ErrAccountClosed) {
		return nil
	}
	return err
}
