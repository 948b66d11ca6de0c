package treasury

import (
	"database/sql"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/desk"
)

const sqlNextNoteNumber = `SELECT coalesce(max(number), 0) + 1 FROM treasury_notes`

func nextNoteNumber(tx *db.Tx) (int64, error) {
	return desk.Number[int64](tx, "credit note number", sqlNextNoteNumber)
}

const noteColumns = `number, researcher, request, file, reason, amount, used, issued_at`

const sqlInsertNote = `INSERT INTO treasury_notes (` + noteColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`

func insertNote(tx *db.Tx, n Note) error {
	return desk.Failed("insert credit note", tx.ExecOne(sqlInsertNote, n.Number, n.Researcher, n.Request, n.File, n.Reason, n.Amount, n.Used, n.IssuedAt))
}

const (
	sqlListNotes = `SELECT ` + noteColumns + ` FROM treasury_notes WHERE researcher = ? ORDER BY number DESC`
	sqlOpenNotes = `SELECT ` + noteColumns + ` FROM treasury_notes WHERE researcher = ? AND used < amount ORDER BY number`
	sqlUseNote   = `UPDATE treasury_notes SET used = used + ? WHERE number = ?`
)

func scanNote(rows *sql.Rows) (n Note, err error) {
	err = rows.Scan(&n.Number, &n.Researcher, &n.Request, &n.File, &n.Reason, &n.Amount, &n.Used, &n.IssuedAt)
	return n, err
}

func listNotes(tx *db.Tx, r coop.ResearcherID) ([]Note, error) {
	return desk.Collect(tx, "credit notes", scanNote, sqlListNotes, r)
}

func openNotes(tx *db.Tx, r coop.ResearcherID) ([]Note, error) {
	return desk.Collect(tx, "open credit notes", scanNote, sqlOpenNotes, r)
}

func useNote(tx *db.Tx, number int64, part coop.Money) error {
	return desk.Failed("use credit note", tx.ExecOne(sqlUseNote, part, number))
}
