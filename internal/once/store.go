package once

import (
	"time"

	"distributed.ai/datacoop/internal/db"
)

const sqlFind = `SELECT body, answer FROM once_answers WHERE caller = ? AND key = ?`

func find(tx *db.Tx, k Key) (body, answer []byte, err error) {
	err = tx.QueryRow(sqlFind, k.Caller, k.Key).Scan(&body, &answer)
	return body, answer, err
}

const sqlInsert = `INSERT INTO once_answers (caller, key, body, answer, at) VALUES (?, ?, ?, ?, ?)`

func insert(tx *db.Tx, k Key, at time.Time) error {
	return tx.ExecOne(sqlInsert, k.Caller, k.Key, k.Body[:], []byte{}, at.UnixMilli())
}

const sqlPutAnswer = `UPDATE once_answers SET answer = ? WHERE caller = ? AND key = ?`

func putAnswer(tx *db.Tx, k Key, answer []byte) error {
	return tx.ExecOne(sqlPutAnswer, answer, k.Caller, k.Key)
}

const sqlRemove = `DELETE FROM once_answers WHERE caller = ? AND key = ?`

func remove(tx *db.Tx, k Key) error {
	return tx.ExecOne(sqlRemove, k.Caller, k.Key)
}

const sqlDeleteBefore = `DELETE FROM once_answers WHERE at < ?`

func deleteBefore(tx *db.Tx, at time.Time) error {
	_, err := tx.Exec(sqlDeleteBefore, at.UnixMilli())
	return err
}
