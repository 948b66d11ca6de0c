package adoption

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"io"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/desk"
)

const columns = `period, state, opened_at, closes_at, electorate, roll_sha256, yes_count, no_count, abstain_count, round, support, approval, ballots_sha256`

const (
	sqlAwait = `INSERT INTO adoption_votes (` + columns + `, subject) VALUES (?, 'waiting', 0, 0, 0, '', 0, 0, 0, 0, 0, 0, '', ?)`
	sqlAll   = `SELECT ` + columns + ` FROM adoption_votes ORDER BY period`
	sqlGet   = `SELECT ` + columns + ` FROM adoption_votes WHERE period = ?`
	sqlPut   = `UPDATE adoption_votes SET state = ?, opened_at = ?, closes_at = ?, electorate = ?, roll_sha256 = ?, yes_count = ?, no_count = ?, abstain_count = ?, round = ?,
	support = ?, approval = ?, ballots_sha256 = ? WHERE period = ?`
	sqlDue = `SELECT v.period, v.state, v.opened_at, v.closes_at, v.electorate, v.roll_sha256, v.yes_count, v.no_count, v.abstain_count, v.round,
	v.support, v.approval, v.ballots_sha256 FROM adoption_votes v JOIN adoption_roll r ON r.period = v.period WHERE v.subject = ? AND r.member = ? AND r.voted = 0 AND v.state = 'voting' AND v.closes_at > ? ORDER BY v.period`
)

func await(tx *db.Tx, id coop.PeriodID, subject string) error {
	_, err := tx.Exec(sqlAwait, id, subject)
	return desk.Failed("await vote", err)
}

func scan(row desk.Row) (v Vote, err error) {
	err = row.Scan(&v.Period, &v.State, &v.OpenedAt, &v.ClosesAt, &v.Electorate, &v.roll, &v.Yes, &v.No, &v.Abstain, &v.round, &v.rule.SupportPermille, &v.rule.ApprovalPermille, &v.ballots)
	return v, err
}

func get(tx *db.Tx, id coop.PeriodID) (Vote, error) {
	v, err := scan(tx.QueryRow(sqlGet, id))
	return v, desk.Found(err, "vote")
}

func put(tx *db.Tx, v Vote) error {
	return desk.Failed("put vote", tx.ExecOne(sqlPut, v.State, v.OpenedAt, v.ClosesAt, v.Electorate, v.roll, v.Yes, v.No, v.Abstain, v.round,
		v.rule.SupportPermille, v.rule.ApprovalPermille, v.ballots, v.Period))
}

func due(tx *db.Tx, subject string, m coop.MemberID, now int64) ([]Vote, error) {
	return desk.Collect(tx, "votes due", func(rows *sql.Rows) (Vote, error) { return scan(rows) }, sqlDue, subject, m, now)
}

func all(tx *db.Tx) ([]Vote, error) {
	return desk.Collect(tx, "votes", func(rows *sql.Rows) (Vote, error) { return scan(rows) }, sqlAll)
}

const sqlCountVoted = `SELECT count(*), CAST(coalesce(sum(voted), 0) AS BIGINT) FROM adoption_roll WHERE period = ?`

// countVoted counts who may vote and who has.
func countVoted(tx *db.Tx, id coop.PeriodID) (roll, voted int, err error) {
	err = tx.QueryRow(sqlCountVoted, id).Scan(&roll, &voted)
	return roll, voted, desk.Failed("count roll", err)
}

const (
	sqlForgetRoll    = `DELETE FROM adoption_roll WHERE period = ?`
	sqlForgetBallots = `DELETE FROM adoption_ballots WHERE period = ?`
)

// forget drops the roll and the ballots of a vote.
func forget(tx *db.Tx, id coop.PeriodID) error {
	_, roll := tx.Exec(sqlForgetRoll, id)
	_, ballots := tx.Exec(sqlForgetBallots, id)
	return desk.Failed("forget vote", errors.Join(roll, ballots))
}

const (
	sqlEnroll   = `INSERT INTO adoption_roll (period, member, voted) VALUES (?, ?, 0)`
	sqlRoll     = `SELECT member FROM adoption_roll WHERE period = ? ORDER BY member`
	sqlHasVoted = `SELECT voted FROM adoption_roll WHERE period = ? AND member = ?`
	sqlTick     = `UPDATE adoption_roll SET voted = 1 WHERE period = ? AND member = ? AND voted = 0`
)

func enroll(tx *db.Tx, id coop.PeriodID, m coop.MemberID) error {
	return desk.Failed("enroll", tx.ExecOne(sqlEnroll, id, m))
}

// rollDigest is the SHA-256 over one line per member id in ascending order.
func rollDigest(tx *db.Tx, id coop.PeriodID) (string, error) {
	h := sha256.New()
	_, err := desk.Collect(tx, "roll", func(rows *sql.Rows) (m string, err error) {
		err = rows.Scan(&m)
		_, _ = io.WriteString(h, m+"\n") // a hash never fails
		return "", err
	}, sqlRoll, id)
	return hex.EncodeToString(h.Sum(nil)), err
}

func hasVoted(tx *db.Tx, id coop.PeriodID, m coop.MemberID) (bool, error) {
	var n int
	err := tx.QueryRow(sqlHasVoted, id, m).Scan(&n)
	if errors.Is(err, db.ErrNoRow) {
		return false, nil
	}
	return n == 1, desk.Failed("voted", err)
}

// tick marks a voter on the roll, once.
func tick(tx *db.Tx, id coop.PeriodID, m coop.MemberID) error {
	err := tx.ExecOne(sqlTick, id, m)
	if !errors.Is(err, db.ErrNoRow) {
		return desk.Failed("tick", err)
	}
	voted, err := hasVoted(tx, id, m)
	if err == nil {
		err = governance.ErrNotOnRoll
	}
	if voted {
		err = governance.ErrAlreadyVoted
	}
	return err
}

const (
	sqlInsertBallot = `INSERT INTO adoption_ballots (period, receipt_sha256, choice) VALUES (?, ?, ?)`
	sqlBallots      = `SELECT receipt_sha256, choice FROM adoption_ballots WHERE period = ? ORDER BY receipt_sha256`
)

func insertBallot(tx *db.Tx, id coop.PeriodID, receipt, choice string) error {
	return desk.Failed("insert ballot", tx.ExecOne(sqlInsertBallot, id, receipt, choice))
}

// count counts the ballots of a vote and answers the SHA-256 over one line
// "digest choice\n" each, in ascending order of receipts' digests.
func count(tx *db.Tx, v *Vote) (string, error) {
	h, n := sha256.New(), map[string]int{}
	_, err := desk.Collect(tx, "ballots", func(rows *sql.Rows) (struct{}, error) {
		var receipt, choice string
		err := rows.Scan(&receipt, &choice)
		n[choice]++
		_, _ = io.WriteString(h, receipt+" "+choice+"\n")
		return struct{}{}, err
	}, sqlBallots, v.Period)
	v.Yes, v.No, v.Abstain = n[governance.Yes], n[governance.No], n[governance.Abstain]
	return hex.EncodeToString(h.Sum(nil)), err
}

func ballots(tx *db.Tx, id coop.PeriodID) ([]Ballot, error) {
	return desk.Collect(tx, "ballots", func(rows *sql.Rows) (b Ballot, err error) {
		err = rows.Scan(&b.ReceiptSHA256, &b.Choice)
		return b, err
	}, sqlBallots, id)
}
