package adoption

import (
	"context"
	"errors"
	"fmt"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/desk"
)

// AdoptionVote finds a period's vote; desk.ErrNotFound where there is none.
// Voted says whether the member has.
func (b *Booth) AdoptionVote(ctx context.Context, m coop.MemberID, id coop.PeriodID) (v Vote, voted bool, err error) {
	err = b.desk.DB.View(ctx, func(tx *db.Tx) (err error) {
		v, voted, err = b.Vote(tx, m, id)
		return err
	})
	return v, voted, err
}

// Vote is AdoptionVote in a transaction.
func (b *Booth) Vote(tx *db.Tx, m coop.MemberID, id coop.PeriodID) (v Vote, voted bool, err error) {
	if v, err = get(tx, id); err != nil {
		return Vote{}, false, err
	}
	v.Needed = b.ruleOf(v).Needed(v.Electorate)
	voted, err = hasVoted(tx, id, m)
	return v, voted, err
}

// Ballot is one that was counted. Whose it is, nobody can tell but who knows
// the receipt.
type Ballot struct{ ReceiptSHA256, Choice string }

// AdoptionBallots lists the ballots of a vote that was counted, in ascending
// order of their receipts' digests. Before that it is governance.ErrVotingOpen.
func (b *Booth) AdoptionBallots(ctx context.Context, id coop.PeriodID) ([]Ballot, error) {
	return desk.Read(ctx, b.desk.DB, func(tx *db.Tx) ([]Ballot, error) {
		v, err := get(tx, id)
		if err != nil {
			return nil, err
		}
		if v.State == Waiting || v.State == Voting {
			return nil, governance.ErrVotingOpen
		}
		return ballots(tx, id)
	})
}

// AdoptionDue lists the periods whose vote waits for a member's ballot.
func (b *Booth) AdoptionDue(ctx context.Context, m coop.MemberID) ([]Vote, error) {
	return desk.Read(ctx, b.desk.DB, func(tx *db.Tx) ([]Vote, error) { return due(tx, b.subject, m, b.desk.Now()) })
}

// Effective says when what members adopted comes into force (Unix ms): after
// the pause that the charter sets for the class. False where they did not, or not
// yet.
func (b *Booth) Effective(tx *db.Tx, id coop.PeriodID) (at int64, adopted bool, err error) {
	v, err := get(tx, id)
	if errors.Is(err, desk.ErrNotFound) {
		return 0, false, nil
	}
	return v.ClosesAt + b.desk.Charter.Classes[coop.ClassStatement].Timelock().Milliseconds(), v.State == Adopted, err
}

// notice tells of a vote: of one on a candidate by its title.
func (b *Booth) notice(tx *db.Tx, kind string, v Vote) (coop.Notice, error) {
	n := coop.Notice{Kind: kind, Ref: string(v.Period), Occasion: fmt.Sprint(v.round)}
	if b.subject == Statements || b.Title == nil {
		return n, nil
	}
	title, err := b.Title(tx, n.Ref)
	n.Ref, n.About = b.subject+":"+n.Ref, title
	return n, err
}

// tell has everybody told that a vote is open, and once more before it closes.
func (b *Booth) tell(tx *db.Tx, v Vote) error {
	n, err := b.notice(tx, coop.NoticeVoteOpened, v)
	if err != nil {
		return err
	}
	n.Until = v.ClosesAt
	soon := n
	soon.Kind, soon.At = coop.NoticeVoteClosing, coop.ClosesSoon(v.OpenedAt, v.ClosesAt)
	return errors.Join(b.desk.Jobs.Tell(tx, n), b.desk.Jobs.Tell(tx, soon))
}
