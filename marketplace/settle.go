package marketplace

import (
	"cmp"
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
// adoption.ErrUndecided while members have not voted whether a model counts,
// ErrStale if the statement is being replaced at this very moment.
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
	if err := s.postShares(ctx, tx, p, steps); err != nil {
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
// beside the transaction while it writes. That snapshot is older than what the
// transaction shares its commit with, so it must hold the very statement that is
// settled; and the books refuse parts that do not add up to it.
func (s *Service) postShares(ctx context.Context, tx *db.Tx, p Period, steps []appraisal.Step) error {
	many := ledger.Many{Entry: ledger.Entry{Kind: "settlement", Ref: "settlement:" + string(p.ID), Memo: "settlement"}, From: ledger.Access}
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
		many.Each = s.sharesIn(ctx, p)
		_, err := s.Ledger.PostMany(tx, many)
		return failed("post settlement", err)
	case len(many.Transfers) > 0:
		return s.post(tx, many.Kind, many.Ref, many.Transfers...)
	}
	return nil
}

// sharesIn reads what each member gets, by member, in a snapshot of its own;
// ErrStale where that has another statement than p.
func (s *Service) sharesIn(ctx context.Context, p Period) iter.Seq2[[]ledger.Due, error] {
	return func(yield func([]ledger.Due, error) bool) {
		stopped := false
		err := s.DB.View(ctx, func(tx *db.Tx) error {
			if seen, err := getPeriod(tx, p.ID); err != nil || seen.BundleSHA256 != p.BundleSHA256 {
				return cmp.Or(err, error(ErrStale))
			}
			return eachShare(tx, p.ID, func(page []ledger.Due) bool {
				stopped = !yield(page, nil)
				return !stopped
			})
		})
		if err != nil && !stopped {
			yield(nil, err)
		}
	}
}
