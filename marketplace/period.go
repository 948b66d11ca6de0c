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
	"distributed.ai/datacoop/marketplace/ledger"
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
	return insertPeriod(tx, Period{ID: periodID(1), State: PeriodOpen, OpenedAt: s.now()})
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
	return insertPeriod(tx, Period{ID: periodID(n + 1), State: PeriodOpen, OpenedAt: p.ClosedAt})
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
	bundle, err := appraisal.NewBundle(blind, appraisal.ParamsOf(s.Charter), s.opinion(ctx, blind, names))
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
		due, err := publishPeriod(tx, p, text)
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
		return s.log(tx, "statement.published", "published",
			map[string]any{"period": string(id), "bundle_sha256": p.BundleSHA256, "steward": string(by)})
	})
	if err != nil {
		return Period{}, err
	}
	return p, nil
}

// Settle posts the shares of a statement that nobody contests any more: every
// unit of the period's revenue goes to one account, in one entry. ErrState
// unless the period is closed and its statement published, ErrChallengeOpen
// before its window has ended, ErrAppealOpen while an appeal is not answered.
func (s *Service) Settle(ctx context.Context, steward coop.MemberID, id coop.PeriodID) (Period, error) {
	return duty(ctx, s, steward, coop.Treasury, func(tx *db.Tx) (Period, error) { return s.settle(tx, steward, id) })
}

func (s *Service) settle(tx *db.Tx, steward coop.MemberID, id coop.PeriodID) (Period, error) {
	p, err := s.uncontested(tx, id)
	if err != nil {
		return Period{}, err
	}
	statement, err := getStatement(tx, id)
	if err != nil {
		return Period{}, err
	}
	shares, err := listShares(tx, id)
	if err != nil {
		return Period{}, err
	}
	if transfers := settlement(statement, shares); len(transfers) > 0 {
		if err := s.post(tx, "settlement", "settlement:"+string(id), transfers...); err != nil {
			return Period{}, err
		}
	}
	p.State, p.SettledAt = PeriodSettled, s.now()
	if err := settlePeriod(tx, p); err != nil {
		return Period{}, err
	}
	return p, s.log(tx, "period.settled", "settled",
		map[string]any{"period": string(id), "bundle_sha256": p.BundleSHA256, "steward": string(steward)})
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
	open, err := countOpenAppeals(tx, id)
	if err == nil && open > 0 {
		err = ErrAppealOpen
	}
	return p, err
}

// targets says which account each step of the waterfall but the members' part
// goes to.
var targets = map[string]ledger.Account{
	appraisal.StepCommission: ledger.Commission,
	appraisal.StepReserve:    ledger.Reserve,
	appraisal.StepUnclaimed:  ledger.Reserve,
	appraisal.StepPurpose:    ledger.Purpose,
	appraisal.StepInvestors:  ledger.Investors,
}

// settlement turns a statement into transfers that empty the period's income.
func settlement(st appraisal.Statement, shares []Share) []ledger.Transfer {
	var out []ledger.Transfer
	for _, step := range st.Waterfall {
		if account, ok := targets[step.Name]; ok && step.Amount > 0 {
			out = append(out, ledger.Transfer{From: account, To: ledger.Access, Amount: coop.Money(step.Amount)})
		}
	}
	for _, share := range shares {
		if share.Amount > 0 {
			out = append(out, ledger.Transfer{From: ledger.Member(share.Member), To: ledger.Access, Amount: share.Amount})
		}
	}
	return out
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

// Verify recomputes every published statement, compares it byte for byte with
// what was stored, and holds the members' shares against it. It returns how
// many statements there are; the error names the first that is wrong.
func (s *Service) Verify(ctx context.Context) (statements int, err error) {
	periods, err := s.Periods(ctx)
	if err != nil {
		return 0, err
	}
	for _, p := range periods {
		err := s.DB.View(ctx, func(tx *db.Tx) error { return verify(tx, p.ID) })
		switch {
		case isNotFound(err):
			continue
		case err != nil:
			return statements, fmt.Errorf("marketplace: statement %s: %w", p.ID, err)
		}
		statements++
	}
	return statements, nil
}

var (
	errDigest = errors.New("its digest differs")
	errShares = errors.New("the shares kept for members are not the statement's")
)

func verify(tx *db.Tx, id coop.PeriodID) error {
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
	slices.Sort(kept)
	slices.Sort(stated)
	if !slices.Equal(kept, stated) {
		return errShares
	}
	return nil
}
