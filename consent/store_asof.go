package consent

import (
	"maps"

	"distributed.ai/datacoop/consent/cohort"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

const sqlRecordsThen = sqlRecordColumns + ` WHERE pool = ? AND seq <= ? AND member IN (?`

// heardOf reads what had been said by a position that bears on some datasets of
// a pool and a request.
func heardOf(tx *db.Tx, asked policies.Request, entries []cohort.Entry, seq int64) (heardBy, error) {
	h := heardBy{heard{map[coop.DatasetID]string{}, map[use]bool{}}, map[scope]Record{}, map[coop.MemberID]bool{}}
	var datasets, members []any
	known := map[coop.MemberID]bool{}
	for _, e := range entries {
		datasets = append(datasets, e.Dataset)
		if !known[e.Member] {
			known[e.Member], members = true, append(members, e.Member)
		}
	}
	records, err := db.Collect(tx, scanRecords, sqlRecordsThen+cohort.Among(len(members)), append([]any{asked.Pool, seq}, members...)...)
	if err != nil {
		return h, err
	}
	for _, r := range records { // in their order
		h.records[scope{r.Member, r.Pool, r.Dataset}] = r
	}
	maps.DeleteFunc(h.records, func(_ scope, r Record) bool { return r.asPool() })
	paused, err := cohort.PausesThen(tx, members, seq)
	if err != nil {
		return h, err
	}
	for _, p := range paused {
		h.paused[coop.MemberID(p.Of)] = p.Is == "1"
	}
	used, err := cohort.UsedThen(tx, datasets, seq)
	if err != nil {
		return h, err
	}
	for _, u := range used {
		h.used[use{coop.DatasetID(u.Of), u.Is}] = true
	}
	said, err := cohort.AnswersThen(tx, datasets, asked.ID, seq)
	for _, a := range said {
		h.answers[coop.DatasetID(a.Of)] = a.Is
	}
	return h, err
}
