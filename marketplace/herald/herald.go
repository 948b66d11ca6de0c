// Package herald tells members what the market does with what is theirs, where
// many are told at once: that their data were used for the first time, that a
// request waits for their key or for their answer.
//
// # What it guarantees
//
// What is told is handed to the queue in the transaction that causes it. A first
// use is told once for each dataset, and all first uses of an hour by one request
// together at the end of that hour: fetching is not slowed down by it, and nobody
// learns to the second when a file was read.
//
// # What it refuses
//
// To tell anybody anything about a dataset that is not theirs.
package herald

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/desk"
	"distributed.ai/datacoop/policies"
)

// many is how many members one notice is for at most.
const many = 500

// kindUsed is the job that tells of first uses.
const kindUsed = "marketplace.first-uses"

// Herald tells members. It is safe for concurrent use.
type Herald struct {
	desk    *desk.Desk
	consent *consent.Service
}

// New registers the herald's job.
func New(d *desk.Desk, c *consent.Service) *Herald {
	h := &Herald{d, c}
	d.Jobs.Handle(kindUsed, h.tellUses)
	return h
}

type usedJob struct {
	Request coop.RequestID `json:"request"`
}

// Used has the members told, at the end of the hour, whose datasets a request was
// the first to read.
func (h *Herald) Used(tx *db.Tx, id coop.RequestID) error {
	end := h.desk.Clock().UTC().Truncate(time.Hour).Add(time.Hour)
	return h.desk.Jobs.Enqueue(tx, kindUsed, string(id)+end.Format("/2006-01-02T15"), usedJob{id}, end)
}

func (h *Herald) tellUses(ctx context.Context, payload []byte) error {
	var job usedJob
	if err := json.Unmarshal(payload, &job); err != nil {
		return desk.Failed("first uses", err)
	}
	return h.desk.DB.Update(ctx, func(tx *db.Tx) error {
		return h.each(tx, job.Request, coop.NoticeFirstUse, 0, firstUses)
	})
}

// Keepers tells the members who keep the only key to what a request was granted.
func (h *Herald) Keepers(tx *db.Tx, id coop.RequestID, until int64) error {
	return h.each(tx, id, coop.NoticeApproval, until, keepers)
}

// Asked tells the members whose own answer a request waits for, and the stewards
// of vetting if asks, those of its cohort, name them.
func (h *Herald) Asked(tx *db.Tx, id coop.RequestID, asks []string, until int64) error {
	if slices.Contains(asks, policies.AskSteward) {
		n := coop.Notice{Kind: coop.NoticeReview, Ref: string(id), Until: until, Office: coop.Vetting}
		if err := h.titled(tx, id, n); err != nil {
			return err
		}
	}
	return h.each(tx, id, coop.NoticeQuestion, until, func(tx *db.Tx, id coop.RequestID, after string, limit int) ([]coop.Addressee, error) {
		list, err := h.consent.Unanswered(tx, id, coop.MemberID(after), limit)
		out := make([]coop.Addressee, 0, len(list))
		for _, m := range list {
			out = append(out, coop.Addressee{Member: m})
		}
		return out, err
	})
}

func (h *Herald) titled(tx *db.Tx, id coop.RequestID, n coop.Notice) (err error) {
	if n.About, err = title(tx, id); err != nil {
		return err
	}
	return h.desk.Jobs.Tell(tx, n)
}

// each tells members page by page. Next lists the addressees behind one, which is
// named by its ref where it has one and by the member otherwise.
func (h *Herald) each(tx *db.Tx, id coop.RequestID, kind string, until int64, next func(*db.Tx, coop.RequestID, string, int) ([]coop.Addressee, error)) error {
	for after := ""; ; {
		page, err := next(tx, id, after, many)
		if err != nil || len(page) == 0 {
			return err
		}
		if err := h.titled(tx, id, coop.Notice{Kind: kind, Ref: string(id), Until: until, To: page}); err != nil {
			return err
		}
		last := page[len(page)-1]
		if after = last.Ref; after == "" {
			after = string(last.Member)
		}
	}
}
