package related

import (
	"errors"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/desk"
)

const sqlMade = `SELECT COALESCE((SELECT n.related FROM marketplace_relations n WHERE n.researcher = w.id AND n.since <= ? ORDER BY n.since DESC LIMIT 1), w.related) = 1
	FROM marketplace_requests r JOIN marketplace_researchers w ON w.id = r.researcher WHERE r.id = ?`

// made reports whether a related party made a request, for a use at a time.
func made(tx *db.Tx, id coop.RequestID, at int64) (yes bool, err error) {
	err = tx.QueryRow(sqlMade, at, id).Scan(&yes)
	if errors.Is(err, db.ErrNoRow) {
		return false, nil
	}
	return yes, desk.Failed("related party", err)
}

const sqlSaid = `SELECT COALESCE((SELECT n.related FROM marketplace_relations n WHERE n.researcher = w.id ORDER BY n.since DESC LIMIT 1), w.related) = 1
	FROM marketplace_researchers w WHERE w.id = ?`

func said(tx *db.Tx, id coop.ResearcherID) (yes bool, err error) {
	err = tx.QueryRow(sqlSaid, id).Scan(&yes)
	return yes, desk.Found(err, "researcher")
}

const sqlRunning = `SELECT id, opened_at FROM marketplace_periods WHERE state = 'open'`

func running(tx *db.Tx) (id coop.PeriodID, since int64, err error) {
	err = tx.QueryRow(sqlRunning).Scan(&id, &since)
	return id, since, desk.Found(err, "running period")
}

const sqlSay = `INSERT INTO marketplace_relations (researcher, since, related) VALUES (?, ?, CASE WHEN ? THEN 1 ELSE 0 END)
	ON CONFLICT (researcher, since) DO UPDATE SET related = excluded.related`

func say(tx *db.Tx, id coop.ResearcherID, since int64, yes bool) error {
	return desk.Failed("relate", tx.ExecOne(sqlSay, id, since, yes))
}
