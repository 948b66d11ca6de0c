package bereavement

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/once"
	"distributed.ai/datacoop/marketplace"
)

// Named finds whose account a steward means: by the name they sign in with where
// the steward does as well, or by their membership number. Errors: ErrNobody,
// ErrSelf.
func (s *Service) Named(ctx context.Context, steward governance.Member, text string) (m governance.Member, err error) {
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		if coop.ValidID(text) {
			m, err = s.Governance.Member(tx.Context(), coop.MemberID(text))
		} else {
			m, err = s.Governance.ByIdentity(tx, steward.Issuer, text)
		}
		return err
	})
	switch {
	case errors.Is(err, governance.ErrMemberNotFound) || err == nil && !m.Open():
		return governance.Member{}, ErrNobody
	case err != nil:
		return governance.Member{}, fmt.Errorf("bereavement: named: %w", err)
	case m.ID == steward.ID:
		return governance.Member{}, ErrSelf
	}
	return m, nil
}

// office refuses whoever holds none: marketplace.ErrOffice.
func (s *Service) office(tx *db.Tx, steward coop.MemberID) error {
	m, err := s.Governance.Member(tx.Context(), steward)
	if err == nil && (!m.Open() || len(m.Offices) == 0) {
		err = marketplace.ErrOffice
	}
	return err
}

// Report notes that a member has died, as one steward says who has seen a paper.
// From then on nobody gets anything of theirs, and nobody is signed in as them;
// where the member has stopped a report before, from when a second steward
// confirms it. A steward whose report of the member has ended makes no other for
// Lapse. Errors: marketplace.ErrOffice, ErrSelf, ErrEvidence, ErrAlready, ErrAgain,
// ErrNobody, farewell.ErrClosing.
func (s *Service) Report(ctx context.Context, steward, m coop.MemberID, paper string) (Report, error) {
	if !slices.Contains(Papers(), paper) {
		return Report{}, ErrEvidence
	}
	if steward == m {
		return Report{}, ErrSelf
	}
	var r Report
	err := s.DB.Update(ctx, func(tx *db.Tx) (err error) {
		if err := s.office(tx, steward); err != nil {
			return err
		}
		r, err = once.Do(tx, func() (Report, error) {
			text := rand.Text()
			r := Report{ID: coop.NewID(), Reference: "B-" + text[:4] + "-" + text[4:8], Member: m, Evidence: paper, State: Reported,
				ReportedBy: steward, ReportedAt: s.now()}
			err := s.begin(tx, &r)
			return r, err
		})
		return err
	})
	if err != nil {
		return Report{}, fmt.Errorf("bereavement: report: %w", err)
	}
	return r, nil
}

// begin is what is certain from the first moment.
func (s *Service) begin(tx *db.Tx, r *Report) error {
	who, err := s.Governance.Member(tx.Context(), r.Member)
	if errors.Is(err, governance.ErrMemberNotFound) || err == nil && !who.Open() {
		return ErrNobody
	}
	if err != nil {
		return err
	}
	if err := s.Farewell.Open(tx, r.Member); err != nil {
		return err
	}
	if err := s.recall(tx, r); err != nil {
		return err
	}
	if !r.Waits {
		if err := s.take(tx, r); err != nil {
			return err
		}
	}
	if err := insert(tx, *r); err != nil {
		return err
	}
	return errors.Join(s.note(tx, Reported, r.ReportedBy, *r), s.tell(tx, coop.NoticeBereaved, *r, r.Member), s.tellStewards(tx, *r), s.later(tx, kindLapse, *r, r.Until()))
}

// recall looks at what was reported of the member before.
func (s *Service) recall(tx *db.Tx, r *Report) error {
	before, err := of(tx, r.Member)
	for _, b := range before {
		if b.State == Stopped {
			r.Waits = true
		}
		if b.ReportedBy == r.ReportedBy && !b.Stands() && s.now() < b.EndedAt+Lapse.Milliseconds() {
			return ErrAgain
		}
	}
	return err
}

// take gives a report effect.
func (s *Service) take(tx *db.Tx, r *Report) error {
	if err := s.SignOut(tx, r.Member); err != nil {
		return err
	}
	r.Waits = false
	_, paused, err := s.Consent.NewestPause(tx, r.Member)
	if err != nil || paused {
		return err
	}
	if err := s.Consent.SetPausedTx(tx, r.Member, true); err != nil {
		return err
	}
	r.Pause, _, err = s.Consent.NewestPause(tx, r.Member)
	return err
}

// Confirm is the word of a second steward who has seen the paper. The account is
// closed Waiting later, and what waited for it takes effect. The word of a first one who holds no office any more does
// not count. Errors: marketplace.ErrOffice, ErrUnknown, ErrOver, ErrSecond, ErrSelf.
func (s *Service) Confirm(ctx context.Context, steward coop.MemberID, id string) (Report, error) {
	return s.act(ctx, steward, id, func(tx *db.Tx, r *Report) error {
		switch {
		case r.State != Reported || s.now() >= r.Until():
			return ErrOver
		case r.ReportedBy == steward:
			return ErrSecond
		case r.Member == steward:
			return ErrSelf
		}
		if err := s.office(tx, r.ReportedBy); errors.Is(err, marketplace.ErrOffice) {
			return ErrOver
		} else if err != nil {
			return err
		}
		if err := s.take(tx, r); err != nil {
			return err
		}
		r.State, r.ConfirmedBy, r.ConfirmedAt = Confirmed, steward, s.now()
		return errors.Join(s.note(tx, Confirmed, steward, *r), s.tell(tx, coop.NoticeBereaved, *r, r.Member), s.later(tx, kindClose, *r, r.Until()))
	})
}

// Withdraw ends a report that was wrong: any steward may. Errors:
// marketplace.ErrOffice, ErrUnknown, ErrOver.
func (s *Service) Withdraw(ctx context.Context, steward coop.MemberID, id string) (Report, error) {
	return s.act(ctx, steward, id, func(tx *db.Tx, r *Report) error {
		if !r.Stands() {
			return ErrOver
		}
		return s.end(tx, r, Withdrawn, steward)
	})
}

// end ends a report that stands, and the pause that it made.
func (s *Service) end(tx *db.Tx, r *Report, state string, by coop.MemberID) error {
	r.State, r.EndedAt = state, s.now()
	newest, _, err := s.Consent.NewestPause(tx, r.Member)
	if err == nil && r.Pause > 0 && newest == r.Pause {
		err = s.Consent.SetPausedTx(tx, r.Member, false)
	}
	return cmp.Or(err, s.note(tx, state, by, *r))
}

// Alive stops, in the transaction of a sign-in, what was reported of the member:
// who signs in lives. The stewards are told.
func (s *Service) Alive(tx *db.Tx, m coop.MemberID) error {
	r, err := standing(tx, m)
	if errors.Is(err, db.ErrNoRow) {
		return nil
	}
	if err == nil {
		err = s.end(tx, &r, Stopped, m)
	}
	if err != nil {
		return fmt.Errorf("bereavement: alive: %w", err)
	}
	return errors.Join(update(tx, r), s.tell(tx, coop.NoticeAlive, r, r.ReportedBy, r.ConfirmedBy))
}

// Bars refuses, in the transaction that would close an account because its member
// asks, while a report stands: ErrStands. Signing in ends it.
func Bars(tx *db.Tx, m coop.MemberID) error {
	_, err := standing(tx, m)
	if errors.Is(err, db.ErrNoRow) {
		return nil
	}
	return cmp.Or(err, error(ErrStands))
}

// Letter answers the code that the heirs find the closing by. It is shown to the
// two stewards alone, and each time is in the log. Errors: marketplace.ErrOffice,
// ErrUnknown, ErrOver before the account is closed, ErrNotYours.
func (s *Service) Letter(ctx context.Context, steward coop.MemberID, id string) (r Report, code string, err error) {
	r, err = s.act(ctx, steward, id, func(tx *db.Tx, r *Report) error {
		switch {
		case r.State != Closed:
			return ErrOver
		case !r.signed(steward):
			return ErrNotYours
		}
		return s.note(tx, "letter", steward, *r)
	})
	if err != nil {
		return Report{}, "", err
	}
	return r, s.code(r), nil
}

// All lists the reports for a steward, newest first. Error: marketplace.ErrOffice.
func (s *Service) All(ctx context.Context, steward coop.MemberID) (all []Report, err error) {
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		if err := s.office(tx, steward); err != nil {
			return err
		}
		all, err = list(tx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("bereavement: list: %w", err)
	}
	return all, nil
}

// act is change, for a steward.
func (s *Service) act(ctx context.Context, steward coop.MemberID, id string, step func(*db.Tx, *Report) error) (Report, error) {
	if err := s.DB.View(ctx, func(tx *db.Tx) error { return s.office(tx, steward) }); err != nil {
		return Report{}, fmt.Errorf("bereavement: %w", err)
	}
	return s.change(ctx, id, step)
}

// change takes a report one step on.
func (s *Service) change(ctx context.Context, id string, step func(*db.Tx, *Report) error) (Report, error) {
	var r Report
	err := s.DB.Update(ctx, func(tx *db.Tx) (err error) {
		r, err = once.Do(tx, func() (Report, error) {
			r, err := byID(tx, id)
			if errors.Is(err, db.ErrNoRow) {
				return r, ErrUnknown
			}
			if err == nil {
				err = step(tx, &r)
			}
			if err == nil {
				err = update(tx, r)
			}
			return r, err
		})
		return err
	})
	if err != nil {
		return Report{}, fmt.Errorf("bereavement: %w", err)
	}
	return r, nil
}
