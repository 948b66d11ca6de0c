package freeze

import (
	"database/sql"
	"errors"
	"fmt"

	"distributed.ai/datacoop/internal/db"
)

const columns = `id, reason, frozen_by, frozen_at, asked_by, asked_at, lifted_by, lifted_at`

const (
	sqlInsert   = `INSERT INTO freeze_incidents (` + columns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
	sqlUpdate   = `UPDATE freeze_incidents SET asked_by = ?, asked_at = ?, lifted_by = ?, lifted_at = ? WHERE id = ? AND lifted_at = 0`
	sqlStanding = `SELECT ` + columns + ` FROM freeze_incidents WHERE lifted_at = 0`
	sqlList     = `SELECT ` + columns + ` FROM freeze_incidents ORDER BY frozen_at DESC, id DESC`
)

func insert(tx *db.Tx, i Incident) error {
	return tx.ExecOne(sqlInsert, i.ID, i.Reason, i.FrozenBy, i.FrozenAt, i.AskedBy, i.AskedAt, i.LiftedBy, i.LiftedAt)
}

func update(tx *db.Tx, i Incident) error {
	return tx.ExecOne(sqlUpdate, i.AskedBy, i.AskedAt, i.LiftedBy, i.LiftedAt, i.ID)
}

func scan(row interface{ Scan(...any) error }) (i Incident, err error) {
	err = row.Scan(&i.ID, &i.Reason, &i.FrozenBy, &i.FrozenAt, &i.AskedBy, &i.AskedAt, &i.LiftedBy, &i.LiftedAt)
	return i, err
}

// standing is the incident that holds; the zero value if none does.
func standing(tx *db.Tx) (Incident, error) {
	i, err := scan(tx.QueryRow(sqlStanding))
	if errors.Is(err, db.ErrNoRow) {
		return Incident{}, nil
	}
	if err != nil {
		return Incident{}, fmt.Errorf("freeze: %w", err)
	}
	return i, nil
}

func list(tx *db.Tx) ([]Incident, error) {
	all, err := db.Collect(tx, func(rows *sql.Rows) (Incident, error) { return scan(rows) }, sqlList)
	if err != nil {
		return nil, fmt.Errorf("freeze: %w", err)
	}
	return all, nil
}
