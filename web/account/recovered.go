package account

import (
	"errors"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/jobs"
	"distributed.ai/datacoop/web/entry"
	"distributed.ai/datacoop/web/signin"
)

// Recovered ends, in the transaction of an account's recovery, whatever was
// opened before it: sessions, tokens, and the other ways in that were linked, one
// of which whoever held the account may have added. The member is told.
func Recovered(tx *db.Tx, q *jobs.Queue, m coop.MemberID) error {
	told := coop.Notice{Kind: coop.NoticeRecovered, Occasion: coop.NewID(), To: []coop.Addressee{{Member: m}}}
	return errors.Join(entry.EndAll(tx, m), signin.Forget(tx, m), q.Tell(tx, told))
}
