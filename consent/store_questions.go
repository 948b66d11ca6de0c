package consent

import (
	"database/sql"
	"errors"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

const sqlInsertQuestion = `INSERT INTO consent_questions (request, dataset, member, decision, answer, asked_at, answered_at)
VALUES (?, ?, ?, ?, '', ?, 0) ON CONFLICT (request, dataset) DO NOTHING`

func insertQuestion(tx *db.Tx, d Decision) error {
	_, err := tx.Exec(sqlInsertQuestion, d.Request, d.Dataset, d.Member, d.ID, d.At)
	return err
}

const sqlAnswers = `SELECT dataset, answer FROM consent_questions WHERE request = ? AND answer <> ''`

// answersTo lists what members have said about a request, by dataset.
func answersTo(tx *db.Tx, r coop.RequestID) (map[coop.DatasetID]string, error) {
	type pair struct {
		dataset coop.DatasetID
		answer  string
	}
	list, err := db.Collect(tx, func(r *sql.Rows) (p pair, err error) {
		err = r.Scan(&p.dataset, &p.answer)
		return p, err
	}, sqlAnswers, r)
	out := make(map[coop.DatasetID]string, len(list))
	for _, p := range list {
		out[p.dataset] = p.answer
	}
	return out, err
}

const sqlUsedOfPool = `SELECT u.dataset, u.record FROM consent_used u
WHERE u.dataset IN (SELECT id FROM consent_datasets WHERE pool = ?)`

// usedOf lists the one-time consents of a pool that are used up.
func usedOf(tx *db.Tx, p coop.PoolID) (map[use]bool, error) {
	list, err := db.Collect(tx, func(r *sql.Rows) (u use, err error) {
		err = r.Scan(&u.dataset, &u.record)
		return u, err
	}, sqlUsedOfPool, p)
	out := make(map[use]bool, len(list))
	for _, u := range list {
		out[u] = true
	}
	return out, err
}

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

const sqlInsertUsed = `INSERT INTO consent_used (record, dataset, request, decision, at) VALUES (?, ?, ?, ?, ?)`

func insertUsed(tx *db.Tx, record string, d Decision) error {
	return tx.ExecOne(sqlInsertUsed, record, d.Dataset, d.Request, d.ID, d.At)
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

const sqlSetAnswer = `UPDATE consent_questions SET answer = ?, answered_at = ? WHERE request = ? AND dataset = ? AND member = ?`

func setAnswer(tx *db.Tx, e answerEvent) error {
	return tx.ExecOne(sqlSetAnswer, e.Answer, e.At, e.Request, e.Dataset, e.Member)
}

const sqlOpenQuestions = `SELECT count(*) FROM consent_questions WHERE request = ? AND answer = ''`

func openQuestions(tx *db.Tx, r coop.RequestID) (n int, err error) {
	err = tx.QueryRow(sqlOpenQuestions, r).Scan(&n)
	return n, err
}
