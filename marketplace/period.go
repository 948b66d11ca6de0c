package marketplace

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/closing"
	"distributed.ai/datacoop/marketplace/outlook"
	"distributed.ai/datacoop/marketplace/veil"
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
	reopened        int // how often a new statement was made due
}

// due says whether a statement has to be computed.
func (p Period) due() bool { return p.State == PeriodClosed && p.ChallengeEndsAt == 0 }

// ErrStale says that what a statement rests on changed while it was computed or
// posted; nothing is stored then. Its code is part of the API.
var ErrStale = fault.New(fault.Conflict, "statement-changed", "The statement changed in the meantime; try again.")

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

// terms are the numbers that a period is appraised by: those fixed when it closed,
// how much members had voted each family of judges to count then, and how they
// divided their part.
func (s *Service) terms(ctx context.Context, p Period) (appraisal.Params, error) {
	f, err := read(ctx, s, func(tx *db.Tx) (closing.Fixed, error) { return closing.For(tx, p.ID, s.Charter) })
	if err == nil {
		f.Params.Reliability, err = s.weights(ctx, p)
	}
	if err != nil {
		return f.Params, err
	}
	return s.VotedSplit(ctx, p.ID, f.Params)
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
	if err := errors.Join(endPeriod(tx, p), closing.Fix(tx, id, s.Charter), s.FreezeSplit(tx, p.ID)); err != nil {
		return err
	}
	return s.begin(tx, Period{ID: periodID(n + 1), State: PeriodOpen, OpenedAt: p.ClosedAt})
}

// publish appraises a closed period whose statement is due and stores it; any
// other is answered as it is. The evidence is read and weighed outside of any
// write; what can still change it after the period has ended is an appeal or a
// dispute, and then a new statement is due: one that was computed before is not
// stored but computed again, and after several of them it is ErrStale.
func (s *Service) publish(ctx context.Context, id coop.PeriodID, by coop.MemberID) (p Period, err error) {
	for range 3 {
		p, err = read(ctx, s, func(tx *db.Tx) (Period, error) { return getPeriod(tx, id) })
		if err != nil || !p.due() {
			return p, err
		}
		c, err := s.compute(ctx, p)
		if err != nil {
			return Period{}, err
		}
		if p, err = s.put(ctx, c, by); !errors.Is(err, ErrStale) {
			return p, err
		}
	}
	return Period{}, ErrStale
}

// computed is a statement that is not stored yet.
type computed struct {
	was     Period // as it was before anything was read
	bundle  appraisal.Bundle
	text    []byte
	shares  []Share
	spreads []outlook.Spread
}

// compute weighs the evidence of a period that was read before.
func (s *Service) compute(ctx context.Context, p Period) (computed, error) {
	ev, err := s.evidence(ctx, p)
	if err != nil {
		return computed{}, err
	}
	blind, names := s.blind(ev)
	params, err := s.terms(ctx, p)
	if err != nil {
		return computed{}, err
	}
	op, err := s.heard(ctx, p, blind, names, params)
	if err != nil {
		return computed{}, err
	}
	bundle, err := appraisal.NewBundle(blind, params, op)
	if err != nil {
		return computed{}, fmt.Errorf("marketplace: appraise: %w", err)
	}
	text, err := bundle.JSON()
	if err != nil {
		return computed{}, fmt.Errorf("marketplace: bundle: %w", err)
	}
	c := computed{was: p, bundle: bundle, text: text, shares: names.Shares(bundle.Statement)}
	c.spreads, err = s.spreads(ctx, p, c.shares)
	return c, err
}

// put stores a computed statement, and answers the period as it stands if
// somebody else was faster; ErrStale if the period was reopened or its statement
// replaced since it was read.
func (s *Service) put(ctx context.Context, c computed, by coop.MemberID) (Period, error) {
	p := c.was
	p.Revenue, p.BundleSHA256 = coop.Money(c.bundle.Evidence.Revenue), coop.Digest(c.text)
	err := s.DB.Update(ctx, func(tx *db.Tx) error {
		ends, wrong := closing.Ends(tx, p.ID, s.Charter, s.now())
		p.ChallengeEndsAt = ends
		stored, err := publishPeriod(tx, c.was, p, c.text, c.bundle.Statement.Waterfall)
		if err = errors.Join(wrong, err); err != nil {
			return err
		}
		if !stored {
			if p, err = getPeriod(tx, p.ID); err == nil && p.due() {
				err = ErrStale
			}
			return err
		}
		if err := errors.Join(putShares(tx, p.ID, c.shares), outlook.Put(tx, p.ID, c.spreads)); err != nil {
			return err
		}
		if err := s.Published(tx, p.ID, p.ChallengeEndsAt, c.bundle.Statement.Judged); err != nil {
			return err
		}
		return errors.Join(s.Calibrate(tx, p.ID), s.Shadow(tx, p.ID), s.log(tx, "statement.published", "published",
			map[string]any{"period": string(p.ID), "bundle_sha256": p.BundleSHA256, "steward": string(by)}),
			s.Jobs.Tell(tx, coop.Notice{Kind: coop.NoticeStatement, Ref: string(p.ID), Occasion: p.BundleSHA256, Until: p.ChallengeEndsAt}))
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
// patronage, against the shares. It returns how many statements it computed again;
// the error names the first that is wrong. Of those by other rules than this
// program's only the rest is held; they are logged.
func (s *Service) Verify(ctx context.Context) (statements int, err error) {
	periods, err := s.Periods(ctx)
	if err != nil {
		return 0, err
	}
	for _, p := range periods {
		err := s.DB.View(ctx, func(tx *db.Tx) error { return s.verify(tx, p.ID) })
		switch {
		case err == nil:
			statements++
		case errors.Is(err, appraisal.ErrFormula):
			s.Logger.WarnContext(ctx, "not computed again: by earlier rules; its digest, shares and books are looked at", "period", p.ID)
		case !isNotFound(err):
			return statements, fmt.Errorf("marketplace: statement %s: %w", p.ID, err)
		}
	}
	if err := s.verifyAccounts(ctx); err != nil {
		return statements, fmt.Errorf("marketplace: %w", err)
	}
	_, units := s.VerifyPatronage(ctx)
	_, votes := s.VerifyVotes(ctx)
	_, pairs := s.VerifyCalibration(ctx)
	_, comparisons := s.VerifyComparisons(ctx)
	_, splits := s.VerifySplits(ctx)
	if err := errors.Join(units, votes, pairs, comparisons, splits); err != nil {
		return statements, fmt.Errorf("marketplace: %w", err)
	}
	return statements, nil
}

var (
	errDigest = errors.New("its digest differs")
	errShares = errors.New("the shares kept for members are not the statement's")
	errSteps  = errors.New("the waterfall kept for settling is not the statement's")
)

// verify answers appraisal.ErrFormula of a statement by other rules, in which
// nothing else is wrong.
func (s *Service) verify(tx *db.Tx, id coop.PeriodID) error {
	pub, err := published(tx, id)
	if err != nil {
		return err
	}
	older := appraisal.Verify(pub.Bundle)
	if older == nil {
		err = s.Docket.Verify(tx, id, pub.Bundle)
	} else if !errors.Is(older, appraisal.ErrFormula) {
		err = older
	}
	if err != nil {
		return err
	}
	steps, err := getSteps(tx, id)
	shares, unread := listShares(tx, id)
	switch err := errors.Join(err, unread); {
	case err != nil:
		return err
	case coop.Digest(pub.Bundle) != pub.Period.BundleSHA256:
		return errDigest
	case !slices.Equal(steps, pub.Statement.Waterfall):
		return errSteps
	case !veil.Stated(pub.Statement, shares, s.secret("blind")):
		return errShares
	}
	if err := s.HoldSplit(tx, id, pub.Bundle); err != nil {
		return err
	}
	return older
}
