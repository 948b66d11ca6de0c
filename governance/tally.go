package governance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

// The jobs of this room, keyed by proposal: counting a vote at its close, and
// making law of what passed at the end of the timelock.
const (
	KindTally = "governance.tally"
	KindEnact = "governance.enact"
)

// about is the payload of both jobs.
type about struct {
	Proposal coop.ProposalID `json:"proposal"`
}

var errEarly = errors.New("too early by the domain clock")

// Tally is a counted vote. BallotsSHA256 is over one line "digest choice\n"
// per ballot in ascending order of receipt digests, as [Service.Ballots] lists
// them.
type Tally struct {
	Yes, No, Abstain int
	Electorate       int
	Needed           int // yes votes that approval took
	BallotsSHA256    string
}

// Result is the tally of a counted vote, or [ErrVotingOpen] before.
func (s *Service) Result(ctx context.Context, id coop.ProposalID) (Tally, error) {
	p, err := s.Proposal(ctx, id)
	if err != nil {
		return Tally{}, err
	}
	if p.Tally == nil {
		return Tally{}, ErrVotingOpen
	}
	return *p.Tally, nil
}

func (s *Service) tallyJob(ctx context.Context, payload []byte) error {
	var job about
	if err := json.Unmarshal(payload, &job); err != nil {
		return fmt.Errorf("governance: tally: %w", err)
	}
	err := s.DB.Update(ctx, func(tx *db.Tx) error { return s.close(tx, job.Proposal) })
	if err != nil {
		return fmt.Errorf("governance: tally: %w", err)
	}
	return nil
}

// close counts a vote, once.
func (s *Service) close(tx *db.Tx, id coop.ProposalID) error {
	p, err := proposal(tx, id)
	if err != nil || p.State != Voting {
		return err
	}
	if s.now() < p.ClosesAt {
		return errEarly
	}
	t, err := count(tx, p)
	if err != nil {
		return err
	}
	p.Tally, p.State = &t, p.Rule.Decide(p.Electorate, t.Yes, t.No)
	p.Reason = p.Rule.sentence(t)
	if p.State == Passed {
		// The pause begins when members can know the result, however late
		// the count was.
		p.ExecutableAt = s.now() + p.timelock
		due := time.UnixMilli(p.ExecutableAt).UTC()
		if err := s.Jobs.Enqueue(tx, KindEnact, string(id), about{id}, due); err != nil {
			return err
		}
	}
	result := coop.Notice{Kind: coop.NoticeVoteClosed, Ref: string(id), About: p.Title}
	return errors.Join(s.logTally(tx, p, t), settleVote(tx, p), s.Jobs.Tell(tx, result))
}

func count(tx *db.Tx, p Proposal) (Tally, error) {
	t, err := countBallots(tx, p.ID)
	t.Electorate, t.Needed = p.Electorate, p.Rule.Needed(p.Electorate)
	return t, err
}

// counted is what the log commits to.
type counted struct {
	Proposal   string `json:"proposal"`
	Yes        int    `json:"yes"`
	No         int    `json:"no"`
	Abstain    int    `json:"abstain"`
	Electorate int    `json:"electorate"`
	Needed     int    `json:"needed"`
	Ballots    string `json:"ballots_sha256"`
}

func (s *Service) logTally(tx *db.Tx, p Proposal, t Tally) error {
	_, err := s.Log.Append(tx, audit.Event{
		Kind: "governance.tally", Revision: p.Revision, Verdict: string(p.State),
		Record: counted{string(p.ID), t.Yes, t.No, t.Abstain, t.Electorate, t.Needed, t.BallotsSHA256},
	})
	return err
}

// sentence says how a vote ended, in words.
func (r Rule) sentence(t Tally) string {
	votes := fmt.Sprintf("%d yes, %d no and %d abstained, of %s",
		t.Yes, t.No, t.Abstain, plural(t.Electorate, "member", "members"))
	switch r.Decide(t.Electorate, t.Yes, t.No) {
	case Passed:
		return votes + "."
	case Rejected:
		return fmt.Sprintf("%s. More than %s of those who said yes or no had to say yes.",
			votes, percent(r.SupportPermille))
	default:
		return fmt.Sprintf("%s. At least %d had to say yes.", votes, t.Needed)
	}
}

// percent writes thousandths as a percentage, with a decimal where it matters.
func percent(permille int) string {
	if permille%10 == 0 {
		return fmt.Sprintf("%d %%", permille/10)
	}
	return fmt.Sprintf("%d.%d %%", permille/10, permille%10)
}

func plural(n int, one, many string) string {
	if n == 1 {
		return fmt.Sprintf("%d %s", n, one)
	}
	return fmt.Sprintf("%d %s", n, many)
}
