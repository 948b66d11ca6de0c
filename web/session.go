package web

import (
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/web/entry"
)

// sessionFlash keeps what a page says once, after a redirect.
const sessionFlash = "flash"

// EndAll ends all sessions and revokes all tokens of a member, as when an
// account had to be recovered, in the caller's transaction.
func EndAll(tx *db.Tx, m coop.MemberID) error {
	if err := entry.EndSessionsTx(tx, m); err != nil {
		return err
	}
	return entry.DropTokensTx(tx, m)
}
