package marketplace

import (
	"context"
	"errors"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/review"
)

// Asking is a request as the people see it who are asked about it: who asks, for
// what, and until when it waits for them.
type Asking struct {
	Request
	Who  Researcher
	Wait review.Wait // the zero value for a request that never waited
}

// Waits reports whether an answer to it still counts.
func (a Asking) Waits() bool { return a.State == StateInReview }

// Asking tells the members whose data a request concerns, and the stewards, who
// asks for what; ErrNotFound if there is no such request. It is for the caller
// to show it to nobody else.
func (s *Service) Asking(ctx context.Context, id coop.RequestID) (Asking, error) {
	return read(ctx, s, func(tx *db.Tx) (Asking, error) { return s.asking(tx, id) })
}

func (s *Service) asking(tx *db.Tx, id coop.RequestID) (Asking, error) {
	r, err := getRequest(tx, id)
	if err != nil {
		return Asking{}, err
	}
	who, err := getResearcher(tx, r.Researcher)
	if err != nil {
		return Asking{}, err
	}
	wait, err := review.Of(tx, id)
	if errors.Is(err, review.ErrNotAsked) {
		wait, err = review.Wait{}, nil
	}
	return Asking{s.aged(r), who, wait}, err
}

// ToReview lists the requests that wait for a steward of vetting, the most
// urgent first; ErrOffice for anybody else.
func (s *Service) ToReview(ctx context.Context, steward coop.MemberID) ([]Asking, error) {
	if err := s.needs(ctx, steward, coop.Vetting); err != nil {
		return nil, err
	}
	return read(ctx, s, func(tx *db.Tx) ([]Asking, error) {
		waits, err := review.Asked(tx)
		out := make([]Asking, 0, len(waits))
		for _, w := range waits {
			a, err := s.asking(tx, w.Request)
			if err != nil {
				return nil, err
			}
			out = append(out, a)
		}
		return out, err
	})
}

// Case is a request that a steward is or was asked about, with what the law has
// said of it so far.
type Case struct {
	Asking
	Judge []ReasonCount // what the steward is asked, and for how many datasets
	Other []ReasonCount // why datasets are refused or wait for somebody else
}

// UnderReview opens a case; ErrOffice for anybody but a steward of vetting,
// ErrNotFound for a request that no steward is asked about.
func (s *Service) UnderReview(ctx context.Context, steward coop.MemberID, id coop.RequestID) (Case, error) {
	if err := s.needs(ctx, steward, coop.Vetting); err != nil {
		return Case{}, err
	}
	a, err := s.Asking(ctx, id)
	if err == nil && !a.Wait.Concerns() {
		err = ErrNotFound
	}
	if err != nil {
		return Case{}, err
	}
	d, err := s.Request(ctx, a.Who.ID, id)
	c := Case{Asking: a}
	for _, r := range d.Reasons {
		if review.ForSteward(r.Reason) {
			c.Judge = append(c.Judge, r)
		} else {
			c.Other = append(c.Other, r)
		}
	}
	return c, err
}
