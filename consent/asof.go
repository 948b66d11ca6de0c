package consent

import (
	"math"

	"distributed.ai/datacoop/consent/cohort"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

// enrolledAs is a dataset of a cohort as decisions know it.
func enrolledAs(e cohort.Entry) enrolled {
	return enrolled{Enrolment{e.Dataset, e.Member, e.Pool, e.Categories, e.Region, e.Sealed}, e.Closed}
}

// newest is a position after everything.
const newest = int64(math.MaxInt64)

// heardBy is everything members had said and used up by a position that bears on
// some datasets of a pool and one request.
type heardBy struct {
	heard
	records map[scope]Record
	paused  map[coop.MemberID]bool
}

// questionsAsOf reads what the law is asked about datasets of one pool, as things
// stood at a position.
func questionsAsOf(tx *db.Tx, asked policies.Request, entries []cohort.Entry, seq int64) ([]policies.Input, error) {
	if len(entries) == 0 {
		return nil, nil
	}
	h, err := heardOf(tx, asked, entries, seq)
	if err != nil {
		return nil, err
	}
	out := make([]policies.Input, 0, len(entries))
	for _, e := range entries {
		own, pool := h.records[scope{e.Member, e.Pool, e.Dataset}], h.records[scope{e.Member, e.Pool, ""}]
		in := question(asked, enrolledAs(e), governing(own, pool), h.paused[e.Member])
		h.tell(&in)
		out = append(out, in)
	}
	return out, nil
}

// eachOpen hands over the open datasets of a pool, page by page, by id.
func eachOpen(tx *db.Tx, p coop.PoolID, now int64, fn func([]cohort.Entry) error) error {
	for after := coop.DatasetID(""); ; {
		page, err := cohort.Open(tx, p, now, after, pageSize)
		if err != nil || len(page) == 0 {
			return err
		}
		if err := fn(page); err != nil {
			return err
		}
		after = page[len(page)-1].Dataset
	}
}
