package marketplace

import (
	"context"
	"iter"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/ledger"
)

// Settle posts the shares of a statement that nobody contests any more: every
// unit of the period's revenue goes to one account, in one entry. ErrState
// unless the period is closed and its statement published, ErrChallengeOpen
// before its window has ended, ErrAppealOpen while an appeal is not answered,
// adoption.ErrUndecided while members have not voted whether a model counts.
func (s *Service) Settle(ctx context.Context, steward coop.MemberID, id coop.PeriodID) (Period, error) {
	return duty(ctx, s, steward, coop.Treasury, func(tx *db.Tx) (Period, error) { return s.settle(ctx, tx, steward, id) })
}

func (s *Service) settle(ctx context.Context, tx *db.Tx, steward coop.MemberID, id coop.PeriodID) (Period, error) {
	p, err := s.uncontested(tx, id)
	if err != nil {
		return Period{}, err
	}
	if err := s.Decided(tx, id); err != nil {
		return Period{}, err
	}
	steps, err := getSteps(tx, id)
	if err != nil {
		return Period{}, err
	}
	if err := s.postShares(ctx, tx, id, steps); err != nil {
		return Period{}, err
	}
	appeals, err := s.closeAppeals(tx, id)
	if err != nil {
		return Period{}, err
	}
	p.State, p.SettledAt = PeriodSettled, s.now()
	if err := settlePeriod(tx, p); err != nil {
		return Period{}, err
	}
	return p, s.log(tx, "period.settled", "settled",
		map[string]any{"period": string(id), "bundle_sha256": p.BundleSHA256, "appeals_sha256": appeals, "steward": string(steward)})
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

// postShares empties the period's income. The members are read in a snapshot
// beside the transaction while it writes: a statement that can be settled does
// not change, and the books refuse parts that do not add up to it.
func (s *Service) postShares(ctx context.Context, tx *db.Tx, id coop.PeriodID, steps []appraisal.Step) error {
	many := ledger.Many{Entry: ledger.Entry{Kind: "settlement", Ref: "settlement:" + string(id), Memo: "settlement"}, From: ledger.Access}
	for _, step := range steps {
		if account, ok := targets[step.Name]; ok && step.Amount > 0 {
			many.Transfers = append(many.Transfers, ledger.Transfer{From: account, To: ledger.Access, Amount: coop.Money(step.Amount)})
		}
		if step.Name == appraisal.StepMembers {
			many.Total = coop.Money(step.Amount)
		}
	}
	switch {
	case many.Total > 0:
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		many.Each = ahead(ctx, s.sharesIn(ctx, id))
		_, err := s.Ledger.PostMany(tx, many)
		return failed("post settlement", err)
	case len(many.Transfers) > 0:
		return s.post(tx, many.Kind, many.Ref, many.Transfers...)
	}
	return nil
}

// sharesIn reads what each member gets, by member, in a snapshot of its own.
func (s *Service) sharesIn(ctx context.Context, id coop.PeriodID) iter.Seq2[[]ledger.Due, error] {
	return func(yield func([]ledger.Due, error) bool) {
		stopped := false
		err := s.DB.View(ctx, func(tx *db.Tx) error {
			return eachShare(tx, id, func(page []ledger.Due) bool {
				stopped = !yield(page, nil)
				return !stopped
			})
		})
		if err != nil && !stopped {
			yield(nil, err)
		}
	}
}

// ahead runs a sequence on a processor of its own, a few pages before whoever
// takes them, until ctx is over.
func ahead[T any](ctx context.Context, each iter.Seq2[T, error]) iter.Seq2[T, error] {
	type page struct {
		value T
		err   error
	}
	return func(yield func(T, error) bool) {
		pages := make(chan page, 8)
		go func() {
			defer close(pages)
			for v, err := range each {
				select {
				case pages <- page{v, err}:
				case <-ctx.Done():
					return
				}
			}
		}()
		for p := range pages {
			if !yield(p.value, p.err) {
				return
			}
		}
	}
}
