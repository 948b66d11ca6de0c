package adoption

import (
	"context"
	"errors"
	"fmt"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/desk"
)

var errCount = errors.New("adoption: the ballots, the roll or the count of a vote differ")

// VerifyVotes counts every vote again that was opened, of every subject: the
// roll against its digest, the ballots against who has voted, and the outcome
// against the counts. It answers how many votes were counted.
func (b *Booth) VerifyVotes(ctx context.Context) (n int, err error) {
	votes, err := desk.Read(ctx, b.desk.DB, all)
	if err != nil {
		return 0, err
	}
	for _, v := range votes {
		if v.OpenedAt == 0 { // waiting, or void because no judge was heard after all
			continue
		}
		if err := b.desk.DB.View(ctx, func(tx *db.Tx) error { return b.recount(tx, v) }); err != nil {
			return n, fmt.Errorf("vote on %s: %w", v.Period, err)
		}
		if v.State != Voting {
			n++
		}
	}
	return n, nil
}

func (b *Booth) recount(tx *db.Tx, v Vote) error {
	roll, err := rollDigest(tx, v.Period)
	if err != nil {
		return err
	}
	electorate, voted, err := countVoted(tx, v.Period)
	if err != nil {
		return err
	}
	again := v
	digest, err := count(tx, &again)
	if err != nil {
		return err
	}
	if roll != v.roll || electorate != v.Electorate || again.Yes+again.No+again.Abstain != voted {
		return errCount
	}
	if v.State == Voting {
		return nil
	}
	counts := again.Yes == v.Yes && again.No == v.No && again.Abstain == v.Abstain
	passed := b.ruleOf(v).Decide(v.Electorate, v.Yes, v.No) == governance.Passed
	if !counts || passed != (v.State == Adopted) {
		return errCount
	}
	if v.ballots != "" && v.ballots != digest {
		return errCount
	}
	return nil
}
