package governance

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

const proposalColumns = `id, author, class, kind, title, body, sentences, revision, base_sha256,
    state, reason, opened_at, closes_at, executable_at, electorate, roll_sha256,
    support_permille, approval_permille, timelock_ms, yes_count, no_count, abstain_count, ballots_sha256, tried_at`

const (
	selectProposal  = `SELECT ` + proposalColumns + `, source FROM governance_proposals WHERE id = ?`
	selectProposals = `SELECT ` + proposalColumns + `, '' FROM governance_proposals`
)

var allProposals = queries{
	older: selectProposals + ` WHERE id < ? ORDER BY id DESC LIMIT ?`,
	newer: selectProposals + ` WHERE id > ? ORDER BY id LIMIT ?`,
}

func scanProposal[R scanner](row R) (Proposal, error) {
	var p Proposal
	var t Tally
	var sentences string
	err := row.Scan(&p.ID, &p.Author, &p.Class, &p.Kind, &p.Title, &p.Text, &sentences, &p.Revision, &p.base,
		&p.State, &p.Reason, &p.OpenedAt, &p.ClosesAt, &p.ExecutableAt, &p.Electorate, &p.roll,
		&p.Rule.SupportPermille, &p.Rule.ApprovalPermille, &p.timelock,
		&t.Yes, &t.No, &t.Abstain, &t.BallotsSHA256, &p.tried, &p.Source)
	if err != nil {
		return Proposal{}, err
	}
	p.Sentences = splitLines(sentences)
	if p.State == Voting && p.tried == 0 {
		p.State = Rehearsing
	}
	if p.State != Voting && p.tried > 0 {
		t.Electorate, t.Needed = p.Electorate, p.Rule.Needed(p.Electorate)
		p.Tally = &t
	}
	return p, nil
}

func splitLines(s string) []string {
	if s == "" {
		return []string{}
	}
	return strings.Split(s, "\n")
}

func proposalByID(tx *db.Tx, id coop.ProposalID) (Proposal, error) {
	return scanProposal(tx.QueryRow(selectProposal, id))
}

const insertProposalSQL = `
INSERT INTO governance_proposals (` + proposalColumns + `, source)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, '', 0, ?)`

func insertProposal(tx *db.Tx, p Proposal) error {
	return tx.ExecOne(insertProposalSQL,
		p.ID, p.Author, p.Class, p.Kind, p.Title, p.Text, strings.Join(p.Sentences, "\n"), p.Revision, p.base,
		Voting, p.Reason, p.OpenedAt, p.ClosesAt, p.ExecutableAt, p.Electorate, p.roll,
		p.Rule.SupportPermille, p.Rule.ApprovalPermille, p.timelock, p.Source)
}

const countOpenProposals = `
SELECT COUNT(*) FROM governance_proposals WHERE author = ? AND state = 'voting'`

func openProposals(tx *db.Tx, author coop.MemberID) (n int, err error) {
	err = tx.QueryRow(countOpenProposals, author).Scan(&n)
	return n, err
}

const (
	openVoteSQL = `
UPDATE governance_proposals SET tried_at = ?, closes_at = ? WHERE id = ? AND state = 'voting' AND tried_at = 0`
	abandonSQL = `
UPDATE governance_proposals SET state = 'void', reason = ? WHERE id = ? AND state = 'voting' AND tried_at = 0`
)

// openVote begins the vote on a rehearsed proposal.
func openVote(tx *db.Tx, p Proposal) error { return tx.ExecOne(openVoteSQL, p.tried, p.ClosesAt, p.ID) }

// abandon ends a proposal that could not be rehearsed.
func abandon(tx *db.Tx, id coop.ProposalID, why string) error { return tx.ExecOne(abandonSQL, why, id) }

const settleVoteSQL = `
UPDATE governance_proposals
SET state = ?, reason = ?, executable_at = ?, yes_count = ?, no_count = ?, abstain_count = ?, ballots_sha256 = ?
WHERE id = ? AND state = 'voting'`

func settleVote(tx *db.Tx, p Proposal) error {
	return tx.ExecOne(settleVoteSQL, p.State, p.Reason, p.ExecutableAt,
		p.Tally.Yes, p.Tally.No, p.Tally.Abstain, p.Tally.BallotsSHA256, p.ID)
}

const concludeSQL = `
UPDATE governance_proposals SET state = ?, reason = ?, revision = ? WHERE id = ? AND state = 'passed'`

func conclude(tx *db.Tx, id coop.ProposalID, to State, reason, revision string) error {
	return tx.ExecOne(concludeSQL, to, reason, revision, id)
}

const (
	freezeRollSQL = `
INSERT INTO governance_roll (proposal, member, voted)
SELECT ?, id, 0 FROM governance_members WHERE closed_at = 0`
	selectRoll = `SELECT member FROM governance_roll WHERE proposal = ? ORDER BY member`
)

// freezeRoll puts every member of this moment on the roll.
func freezeRoll(tx *db.Tx, id coop.ProposalID) (size int, digest string, err error) {
	if _, err := tx.Exec(freezeRollSQL, id); err != nil {
		return 0, "", err
	}
	return rollDigest(tx, id)
}

// rollDigest is the SHA-256 over one line per member id in ascending order.
func rollDigest(tx *db.Tx, id coop.ProposalID) (size int, digest string, err error) {
	h := sha256.New()
	_, err = db.Collect(tx, func(row *sql.Rows) (struct{}, error) {
		var member string
		err := row.Scan(&member)
		size++
		_, _ = io.WriteString(h, member+"\n") // a hash never fails
		return struct{}{}, err
	}, selectRoll, id)
	return size, hex.EncodeToString(h.Sum(nil)), err
}

const selectVoted = `SELECT voted FROM governance_roll WHERE proposal = ? AND member = ?`

func hasVoted(tx *db.Tx, id coop.ProposalID, member coop.MemberID) (bool, error) {
	var voted int
	err := tx.QueryRow(selectVoted, id, member).Scan(&voted)
	return voted == 1, err
}

const markVotedSQL = `
UPDATE governance_roll SET voted = 1 WHERE proposal = ? AND member = ? AND voted = 0`

func markVoted(tx *db.Tx, id coop.ProposalID, member coop.MemberID) error {
	return tx.ExecOne(markVotedSQL, id, member)
}

const countVotedSQL = `SELECT COUNT(*) FROM governance_roll WHERE proposal = ? AND voted = 1`

func countVoted(tx *db.Tx, id coop.ProposalID) (n int, err error) {
	err = tx.QueryRow(countVotedSQL, id).Scan(&n)
	return n, err
}

const insertBallotSQL = `
INSERT INTO governance_ballots (proposal, receipt_sha256, choice, leaf) VALUES (?, ?, ?, ?)`

func insertBallot(tx *db.Tx, b Ballot) error {
	return tx.ExecOne(insertBallotSQL, b.Proposal, b.ReceiptSHA256, b.Choice, b.Leaf)
}

const (
	selectBallots = `SELECT proposal, receipt_sha256, choice, leaf FROM governance_ballots`

	selectBallotByReceipt = selectBallots + ` WHERE receipt_sha256 = ?`
	selectBallotPage      = selectBallots + ` WHERE proposal = ? AND receipt_sha256 > ? ORDER BY receipt_sha256 LIMIT ?`
	selectEveryBallot     = selectBallots + ` WHERE proposal = ? ORDER BY receipt_sha256`
)

func scanBallot[R scanner](row R) (b Ballot, err error) {
	err = row.Scan(&b.Proposal, &b.ReceiptSHA256, &b.Choice, &b.Leaf)
	return b, err
}

func ballotByReceipt(tx *db.Tx, digest string) (Ballot, error) {
	return scanBallot(tx.QueryRow(selectBallotByReceipt, digest))
}

func ballots(tx *db.Tx, id coop.ProposalID, after string, limit int) ([]Ballot, error) {
	return db.Collect(tx, scanBallot[*sql.Rows], selectBallotPage, id, after, limit)
}

// countBallots fills the counts and the digest of a tally.
func countBallots(tx *db.Tx, id coop.ProposalID) (Tally, error) {
	var t Tally
	h := sha256.New()
	_, err := db.Collect(tx, func(row *sql.Rows) (struct{}, error) {
		b, err := scanBallot(row)
		switch b.Choice {
		case Yes:
			t.Yes++
		case No:
			t.No++
		default:
			t.Abstain++
		}
		_, _ = fmt.Fprintf(h, "%s %s\n", b.ReceiptSHA256, b.Choice) // a hash never fails
		return struct{}{}, err
	}, selectEveryBallot, id)
	t.BallotsSHA256 = hex.EncodeToString(h.Sum(nil))
	return t, err
}
