package governance

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

var (
	errRoll    = errors.New("the electoral roll is not the one that was frozen")
	errBallots = errors.New("the ballots do not add up to the roll")
	errTally   = errors.New("the stored tally is not what the ballots give")
	errOutcome = errors.New("the stored state does not follow from the tally")
	errLaws    = errors.New("the laws do not follow from the votes")
)

// Verify counts every vote again and checks every law: rolls against their
// frozen digests, ballots against those ticked off, tallies and outcomes
// against the ballots, each enactment against a passed vote and its text. It
// returns how many votes it counted, and the first thing that is wrong.
func (s *Service) Verify(ctx context.Context) (votes int, err error) {
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		if votes, err = verifyVotes(tx); err != nil {
			return err
		}
		return verifyLaws(tx)
	})
	if err != nil {
		return votes, fmt.Errorf("governance: verify: %w", err)
	}
	return votes, nil
}

func verifyVotes(tx *db.Tx) (int, error) {
	page := Page{Limit: longestPage}
	for votes := 0; ; {
		list, err := collectPage(tx, page, allProposals, scanProposal[*sql.Rows])
		if err != nil || len(list) == 0 {
			return votes, err
		}
		for _, p := range list {
			if err := verifyVote(tx, p); err != nil {
				return votes, fmt.Errorf("proposal %s: %w", p.ID, err)
			}
			votes++
		}
		page.Before = string(list[len(list)-1].ID)
	}
}

func verifyVote(tx *db.Tx, p Proposal) error {
	size, roll, err := rollDigest(tx, p.ID)
	if err != nil {
		return err
	}
	voted, err := countVoted(tx, p.ID)
	if err != nil {
		return err
	}
	t, err := count(tx, p)
	if err != nil {
		return err
	}
	switch {
	case size != p.Electorate || roll != p.roll:
		return errRoll
	case t.Yes+t.No+t.Abstain != voted:
		return errBallots
	case p.State == Voting, p.tried == 0 && voted == 0 && (p.State == Rehearsing || p.State == Void):
		return nil
	case p.Tally == nil:
		return errOutcome
	case t != *p.Tally:
		return errTally
	case !follows(p.Rule.Decide(p.Electorate, t.Yes, t.No), p.State):
		return errOutcome
	}
	return nil
}

// follows reports whether a vote that ended in outcome can be in state now.
func follows(outcome, state State) bool {
	return outcome == state || outcome == Passed && (state == Enacted || state == Void)
}

func verifyLaws(tx *db.Tx) error {
	laws, err := everyEnactment(tx)
	if err != nil {
		return err
	}
	for i, e := range laws {
		if e.Seq != int64(i+1) {
			return fmt.Errorf("law %d: %w", e.Seq, errLaws)
		}
		if err := verifyText(tx, e); err != nil {
			return fmt.Errorf("law %d: %w", e.Seq, err)
		}
		if err := verifyMandate(tx, e.Proposal, e.SourceSHA256); err != nil {
			return fmt.Errorf("law %d: %w", e.Seq, err)
		}
	}
	return nil
}

// verifyText checks that the texts kept are the ones a law is named after.
func verifyText(tx *db.Tx, e Enactment) error {
	source, archive, err := lawText(tx, e.Revision)
	if err != nil {
		return err
	}
	rev, err := policies.Restore(tx.Context(), archive)
	if err != nil {
		return err
	}
	if rev.Hash() != e.Revision || !bytes.Equal(rev.Source(), source) || sha256Hex(source) != e.SourceSHA256 {
		return errLaws
	}
	return nil
}

// verifyMandate checks that a law is what its proposal said.
func verifyMandate(tx *db.Tx, id coop.ProposalID, source string) error {
	if id == "" {
		return nil
	}
	p, err := proposal(tx, id)
	if err != nil {
		return err
	}
	if p.State != Enacted || sha256Hex(p.Source) != source {
		return errLaws
	}
	return nil
}
