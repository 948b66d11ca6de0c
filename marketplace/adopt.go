package marketplace

import (
	"context"
	"errors"
	"fmt"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/adoption"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/outlook"
)

// AdoptionVote is a period's vote on whether what judges made of it counts.
type AdoptionVote = adoption.Vote

// ballots is what the counter of votes asks of the market.
type ballots struct{ s *Service }

func (b ballots) Uncontested(tx *db.Tx, id coop.PeriodID) error {
	_, err := b.s.uncontested(tx, id)
	return err
}

// WithoutJudges computes a statement again from its own evidence, without the
// opinion that the members did not adopt. There is no new window to contest it:
// what it pays the statement has shown as each member's baseline.
func (b ballots) WithoutJudges(ctx context.Context, id coop.PeriodID) error {
	s := b.s
	pub, err := s.Statement(ctx, id)
	if err != nil {
		return err
	}
	before, err := appraisal.ParseBundle(pub.Bundle)
	if err != nil {
		return fmt.Errorf("marketplace: statement: %w", err)
	}
	after, err := appraisal.NewBundle(before.Evidence, before.Params, nil)
	if err != nil {
		return fmt.Errorf("marketplace: baseline: %w", err)
	}
	text, err := after.JSON()
	if err != nil {
		return fmt.Errorf("marketplace: bundle: %w", err)
	}
	ev, err := s.evidence(ctx, pub.Period)
	if err != nil {
		return err
	}
	_, names := s.blind(ev)
	shares := names.Shares(after.Statement)
	spreads, err := s.spreads(ctx, pub.Period, shares)
	if err != nil {
		return err
	}
	return s.DB.Update(ctx, func(tx *db.Tx) error {
		if due, err := s.Rejected(tx, id); err != nil || !due {
			return err
		}
		if err := replaceBundle(tx, pub.Period, text, after.Statement.Waterfall); err != nil {
			return err
		}
		if err := errors.Join(putShares(tx, id, shares), outlook.Put(tx, id, spreads)); err != nil {
			return err
		}
		if err := s.Replaced(tx, id); err != nil {
			return err
		}
		return errors.Join(s.log(tx, "statement.published", "baseline", map[string]any{"period": string(id), "bundle_sha256": coop.Digest(text)}),
			s.Jobs.Tell(tx, coop.Notice{Kind: coop.NoticeStatement, Ref: string(id), Occasion: coop.Digest(text)}))
	})
}
