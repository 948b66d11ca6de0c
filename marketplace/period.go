package marketplace

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appraisal"
)

// The states of a period.
const (
	PeriodOpen     = "open"     // taking deliveries and work
	PeriodClosed   = "closed"   // appraised; members can contest the statement
	PeriodSettled  = "settled"  // shares are posted
	PeriodReleased = "released" // two treasurers have ordered the payout
)

// Period is a stretch of time whose books close together. A delivery belongs
// to it if opened ≤ time < closed.
type Period struct {
	ID              coop.PeriodID
	State           string
	OpenedAt        int64
	ClosedAt        int64
	ChallengeEndsAt int64 // 0 until the statement is published
	Revenue         coop.Money
	BundleSHA256    string
	SettledAt       int64
	Released        int // treasurers who have released it
}

// openFirstPeriod opens the period that a new co-op starts in.
func (s *Service) openFirstPeriod(tx *db.Tx) error {
	n, err := countPeriods(tx)
	if err != nil || n > 0 {
		return err
	}
	return s.begin(tx, Period{ID: periodID(1), State: PeriodOpen, OpenedAt: s.now()})
}

// begin opens a period and notes the terms it begins under.
func (s *Service) begin(tx *db.Tx, p Period) error {
	return insertPeriod(tx, p, appraisal.ParamsOf(s.Charter))
}

// terms are the numbers that a period is appraised by: the charter's, but never
// less for members than when the period began.
func (s *Service) terms(ctx context.Context, id coop.PeriodID) (appraisal.Params, error) {
	now := appraisal.ParamsOf(s.Charter)
	began, err := read(ctx, s, func(tx *db.Tx) (*appraisal.Params, error) { return getTerms(tx, id) })
	if err != nil || began == nil {
		return now, err
	}
	return now.Keeping(*began), nil
}

func periodID(n int) coop.PeriodID { return coop.PeriodID(fmt.Sprintf("P%04d", n)) }

// Periods lists all periods, newest first.
func (s *Service) Periods(ctx context.Context) ([]Period, error) { return read(ctx, s, listPeriods) }

// Close ends an open period and opens the next, appraises the evidence and
// publishes the statement; from then on it can be contested. Calling it again
// finishes a close, or a new computation after an appeal, that was interrupted;
// a published statement is answered as it stands. Where a judge is asked the
// queue publishes, and ChallengeEndsAt is 0 until then.
func (s *Service) Close(ctx context.Context, steward coop.MemberID, id coop.PeriodID) (Period, error) {
	_, err := duty(ctx, s, steward, coop.Treasury, func(tx *db.Tx) (coop.PeriodID, error) {
		if err := s.endPeriod(tx, id); err != nil {
			return "", err
		}
		return id, s.appraiseLater(tx, id, steward, "close")
	})
	if err != nil {
		return Period{}, err
	}
	return s.publishOrWait(ctx, id, steward)
}

// endPeriod stops the clock of a period; it is quick, so that no delivery
// waits for an appraisal.
func (s *Service) endPeriod(tx *db.Tx, id coop.PeriodID) error {
	p, err := getPeriod(tx, id)
	if err != nil || p.State != PeriodOpen {
		return err
	}
	n, err := countPeriods(tx)
	if err != nil {
		return err
	}
	p.ClosedAt = max(s.now(), p.OpenedAt)
	if err := endPeriod(tx, p); err != nil {
		return err
	}
	return s.begin(tx, Period{ID: periodID(n + 1), State: PeriodOpen, OpenedAt: p.ClosedAt})
}

// publish appraises a closed period whose statement is due and stores it; any
// other is answered as it is. The evidence is read and weighed outside of any
// write; what can still change it after the period has ended is an appeal, and
// then a new statement is due.
func (s *Service) publish(ctx context.Context, id coop.PeriodID, by coop.MemberID) (Period, error) {
	p, err := read(ctx, s, func(tx *db.Tx) (Period, error) { return getPeriod(tx, id) })
	if err != nil || p.State != PeriodClosed || p.ChallengeEndsAt != 0 {
		return p, err
	}
	ev, err := s.evidence(ctx, p)
	if err != nil {
		return Period{}, err
	}
	blind, names := s.blind(ev)
	op, err := s.heard(ctx, p, blind, names)
	if err != nil {
		return Period{}, err
	}
	params, err := s.terms(ctx, id)
	if err != nil {
		return Period{}, err
	}
	bundle, err := appraisal.NewBundle(blind, params, op)
	if err != nil {
		return Period{}, fmt.Errorf("marketplace: appraise: %w", err)
	}
	text, err := bundle.JSON()
	if err != nil {
		return Period{}, fmt.Errorf("marketplace: bundle: %w", err)
	}
	p.Revenue, p.BundleSHA256 = coop.Money(ev.Revenue), coop.Digest(text)
	err = s.DB.Update(ctx, func(tx *db.Tx) error {
		p.ChallengeEndsAt = s.now() + s.Charter.ChallengeHours*time.Hour.Milliseconds()
		due, err := publishPeriod(tx, p, text, bundle.Statement.Waterfall)
		if err != nil {
			return err
		}
		if !due { // somebody else was faster
			p, err = getPeriod(tx, id)
			return err
		}
		if err := putShares(tx, id, names.Shares(bundle.Statement)); err != nil {
			return err
		}
		if bundle.Statement.Judged {
			if err := s.Await(tx, id, p.ChallengeEndsAt); err != nil {
				return err
			}
		}
		return s.log(tx, "statement.published", "published",
			map[string]any{"period": string(id), "bundle_sha256": p.BundleSHA256, "steward": string(by)})
	})
	if err != nil {
		return Period{}, err
	}
	return p, nil
}

// uncontested finds a closed period whose challenge window is over.
func (s *Service) uncontested(tx *db.Tx, id coop.PeriodID) (Period, error) {
	p, err := getPeriod(tx, id)
	switch {
	case err != nil:
		return Period{}, err
	case p.State != PeriodClosed || p.ChallengeEndsAt == 0:
		return Period{}, ErrState
	case s.now() < p.ChallengeEndsAt:
		return Period{}, ErrChallengeOpen
	}
	return p, s.Settled(tx, id)
}

// Published is a period with its statement and the bundle it is recomputed
// from.
type Published struct {
	Period    Period
	Statement appraisal.Statement
	Bundle    []byte
}

// Statement finds a published statement; ErrNotFound before publication.
func (s *Service) Statement(ctx context.Context, id coop.PeriodID) (Published, error) {
	return read(ctx, s, func(tx *db.Tx) (Published, error) { return published(tx, id) })
}

func published(tx *db.Tx, id coop.PeriodID) (out Published, err error) {
	if out.Period, err = getPeriod(tx, id); err != nil {
		return Published{}, err
	}
	if out.Bundle, err = getBundle(tx, id); err != nil {
		return Published{}, err
	}
	out.Statement, err = getStatement(tx, id)
	return out, err
}

// Verify recomputes every published statement and what became of its appeals,
// compares them byte for byte with what was stored, and holds the members'
// shares against the statement, and what the books owe members, and their
// patronage, against the shares. It returns how many statements there are; the
// error names the first that is wrong.
func (s *Service) Verify(ctx context.Context) (statements int, err error) {
	periods, err := s.Periods(ctx)
	if err != nil {
		return 0, err
	}
	for _, p := range periods {
		err := s.DB.View(ctx, func(tx *db.Tx) error { return s.verify(tx, p.ID) })
		switch {
		case isNotFound(err):
			continue
		case err != nil:
			return statements, fmt.Errorf("marketplace: statement %s: %w", p.ID, err)
		}
		statements++
	}
	if err := s.verifyAccounts(ctx); err != nil {
		return statements, fmt.Errorf("marketplace: %w", err)
	}
	if _, err := s.VerifyPatronage(ctx); err != nil {
		return statements, fmt.Errorf("marketplace: %w", err)
	}
	return statements, nil
}

var (
	errDigest = errors.New("its digest differs")
	errShares = errors.New("the shares kept for members are not the statement's")
	errSteps  = errors.New("the waterfall kept for settling is not the statement's")
)

func (s *Service) verify(tx *db.Tx, id coop.PeriodID) error {
	pub, err := published(tx, id)
	if err != nil {
		return err
	}
	if err := appraisal.Verify(pub.Bundle); err != nil {
		return err
	}
	if coop.Digest(pub.Bundle) != pub.Period.BundleSHA256 {
		return errDigest
	}
	if err := s.Docket.Verify(tx, id, pub.Bundle); err != nil {
		return err
	}
	shares, err := listShares(tx, id)
	if err != nil {
		return err
	}
	kept, stated := []int64{}, []int64{}
	for _, share := range shares {
		kept = append(kept, int64(share.Amount))
	}
	for _, share := range pub.Statement.Shares {
		stated = append(stated, share.Amount)
	}
	steps, err := getSteps(tx, id)
	if err != nil {
		return err
	}
	if !slices.Equal(steps, pub.Statement.Waterfall) {
		return errSteps
	}
	slices.Sort(kept)
	slices.Sort(stated)
	if !slices.Equal(kept, stated) {
		return errShares
	}
	return nil
}
