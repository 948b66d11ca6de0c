package governance

import (
	"context"
	"database/sql"
	"errors"

	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/once"
)

// The choices a ballot has. Abstaining is being counted without taking sides;
// it moves no threshold.
const (
	Yes     = "yes"
	No      = "no"
	Abstain = "abstain"
)

// Ballot is one vote. Receipt is known to its voter alone: Cast shows it once
// and the co-op keeps only its digest.
type Ballot struct {
	Proposal      coop.ProposalID
	Choice        string
	Receipt       string
	ReceiptSHA256 string // as published after the close
	Leaf          int64  // index of its entry in the log
	CastAt        int64  // Unix ms; told to the voter, not kept
}

// Cast takes a member's one ballot. Refusals: [ErrChoice],
// [ErrProposalNotFound], [ErrRehearsing] before voting opens, [ErrVotingClosed]
// from ClosesAt on, [ErrNotOnRoll], [ErrAlreadyVoted].
func (s *Service) Cast(ctx context.Context, by coop.MemberID, id coop.ProposalID, choice string) (Ballot, error) {
	if choice != Yes && choice != No && choice != Abstain {
		return Ballot{}, ErrChoice
	}
	return write(ctx, s, "cast", func(tx *db.Tx) (Ballot, error) {
		c, err := once.Do(tx, func() (cast, error) { return s.cast(tx, by, id, choice) })
		if err != nil {
			return Ballot{}, err
		}
		receipt := s.code(receiptCode, c.Nonce)
		b, err := ballotByReceipt(tx, codeDigest(receipt))
		b.Receipt, b.CastAt = receipt, c.CastAt
		return b, err
	})
}

// cast is what an idempotency key keeps: nothing that leads to the ballot
// without the co-op's key.
type cast struct {
	Nonce  string
	CastAt int64
}

func (s *Service) cast(tx *db.Tx, by coop.MemberID, id coop.ProposalID, choice string) (cast, error) {
	if _, err := s.current(tx, by); err != nil {
		return cast{}, err
	}
	p, err := proposal(tx, id)
	if err != nil {
		return cast{}, err
	}
	switch {
	case p.State == Rehearsing:
		return cast{}, ErrRehearsing
	case p.State != Voting || s.now() >= p.ClosesAt:
		return cast{}, ErrVotingClosed
	}
	if err := tickOff(tx, id, by); err != nil {
		return cast{}, err
	}
	c := cast{Nonce: newNonce(), CastAt: s.now()}
	digest := codeDigest(s.code(receiptCode, c.Nonce))
	leaf, err := s.Log.Append(tx, audit.Event{
		Kind: "governance.ballot", Record: vote{string(id), choice, digest},
	})
	if err != nil {
		return cast{}, err
	}
	return c, insertBallot(tx, Ballot{Proposal: id, Choice: choice, ReceiptSHA256: digest, Leaf: leaf})
}

// vote is what the log commits to. The choice is under the salted commitment,
// never in the entry: it would give the running tally away.
type vote struct {
	Proposal string `json:"proposal"`
	Choice   string `json:"choice"`
	Receipt  string `json:"receipt_sha256"`
}

// tickOff marks a voter on the roll.
func tickOff(tx *db.Tx, id coop.ProposalID, by coop.MemberID) error {
	voted, err := hasVoted(tx, id, by)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return ErrNotOnRoll
	case err != nil:
		return err
	case voted:
		return ErrAlreadyVoted
	}
	return markVoted(tx, id, by)
}

// Voted reports whether a member's ballot on a proposal has been taken. What
// it said nobody can ask.
func (s *Service) Voted(ctx context.Context, by coop.MemberID, id coop.ProposalID) (bool, error) {
	return read(ctx, s, "voted", func(tx *db.Tx) (bool, error) {
		voted, err := hasVoted(tx, id, by)
		if errors.Is(err, sql.ErrNoRows) {
			return false, nil
		}
		return voted, err
	})
}

// Receipt finds the ballot a receipt belongs to, so that a voter can see it
// was kept as cast, or [ErrReceiptNotFound].
func (s *Service) Receipt(ctx context.Context, receipt string) (Ballot, error) {
	return read(ctx, s, "receipt", func(tx *db.Tx) (Ballot, error) {
		b, err := ballotByReceipt(tx, codeDigest(receipt))
		if errors.Is(err, sql.ErrNoRows) {
			err = ErrReceiptNotFound
		}
		return b, err
	})
}

// Ballots lists the ballots of a counted vote by receipt digest, in ascending
// order, beginning behind the digest after ("" for the beginning) and at most
// limit (1 to 100), so that anybody can count again. Before the close it is
// [ErrVotingOpen].
func (s *Service) Ballots(ctx context.Context, id coop.ProposalID, after string, limit int) ([]Ballot, error) {
	if limit < 1 || limit > longestPage {
		return nil, errCursor
	}
	return read(ctx, s, "ballots", func(tx *db.Tx) ([]Ballot, error) {
		p, err := proposal(tx, id)
		if err != nil {
			return nil, err
		}
		if p.State == Voting || p.State == Rehearsing {
			return nil, ErrVotingOpen
		}
		return ballots(tx, id, after, limit)
	})
}
