package consent

import (
	"database/sql"
	"errors"
	"fmt"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

const sqlAnswer = `SELECT answer FROM consent_questions WHERE request = ? AND dataset = ?`

func answerTo(tx *db.Tx, r coop.RequestID, ds coop.DatasetID) (answer string, err error) {
	err = tx.QueryRow(sqlAnswer, r, ds).Scan(&answer)
	if errors.Is(err, db.ErrNoRow) {
		return "", nil
	}
	return answer, err
}

const sqlIsUsed = `SELECT count(*) FROM consent_used WHERE record = ? AND dataset = ?`

func isUsed(tx *db.Tx, u use) (bool, error) {
	var n int64
	err := tx.QueryRow(sqlIsUsed, u.record, u.dataset).Scan(&n)
	return n > 0, err
}

const sqlInsertUsed = `INSERT INTO consent_used (record, dataset, request, decision, at, seq) VALUES (?, ?, ?, ?, ?, ?)`

func insertUsed(tx *db.Tx, record string, d Decision) error {
	seq, err := nextSeq(tx)
	if err != nil {
		return err
	}
	return tx.ExecOne(sqlInsertUsed, record, d.Dataset, d.Request, d.ID, d.At, seq)
}

const (
	sqlQuestionColumns = `SELECT request, dataset, decision, answer, asked_at, answered_at FROM consent_questions`
	sqlQuestionsOf     = sqlQuestionColumns + ` WHERE member = ? ORDER BY asked_at DESC, request, dataset`
)

func questionsOfMember(tx *db.Tx, m coop.MemberID) ([]Question, error) {
	return db.Collect(tx, func(r *sql.Rows) (q Question, err error) {
		q.Member = m
		err = r.Scan(&q.Request, &q.Dataset, &q.Decision, &q.Answer, &q.AskedAt, &q.AnsweredAt)
		return q, err
	}, sqlQuestionsOf, m)
}

const (
	sqlSetAnswer    = `UPDATE consent_questions SET answer = ?, answered_at = ? WHERE request = ? AND dataset = ? AND member = ?`
	sqlInsertAnswer = `INSERT INTO consent_answers (request, dataset, seq, answer, at) VALUES (?, ?, ?, ?, ?)`
)

// setAnswer keeps the newest answer with its question, and every answer.
func setAnswer(tx *db.Tx, e answerEvent) error {
	if err := tx.ExecOne(sqlSetAnswer, e.Answer, e.At, e.Request, e.Dataset, e.Member); err != nil {
		return err
	}
	seq, err := nextSeq(tx)
	if err != nil {
		return err
	}
	return tx.ExecOne(sqlInsertAnswer, e.Request, e.Dataset, seq, e.Answer, e.At)
}

const sqlAnswered = `SELECT dataset FROM consent_questions WHERE request = ? AND answer <> '' ORDER BY dataset`

// answered lists the datasets about which members have said something to a
// request.
func answered(tx *db.Tx, r coop.RequestID) ([]coop.DatasetID, error) {
	return column[coop.DatasetID](tx, sqlAnswered, r)
}

// column reads one column of text.
func column[T ~string](tx *db.Tx, query string, args ...any) ([]T, error) {
	return db.Collect(tx, func(r *sql.Rows) (v T, err error) {
		err = r.Scan(&v)
		return v, err
	}, query, args...)
}

const sqlUnanswered = `SELECT DISTINCT member FROM consent_questions WHERE request = ? AND answer = '' AND member > ? ORDER BY member LIMIT ?`

// Unanswered lists the members who have not answered every question about a
// request, by id, from behind the one named (empty for the start), at most limit
// of them.
func (s *Service) Unanswered(tx *db.Tx, r coop.RequestID, after coop.MemberID, limit int) ([]coop.MemberID, error) {
	out, err := column[coop.MemberID](tx, sqlUnanswered, r, after, limit)
	if err != nil {
		return nil, fmt.Errorf("consent: unanswered: %w", err)
	}
	return out, nil
}
