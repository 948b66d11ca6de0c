// Package related keeps purchases by parties related to a member from earning
// anybody a share.
//
// # What it is for
//
// Who owns or runs an organisation that buys data, or stands close to it, could
// pay the co-op in order to be paid: their data would count as used, the others'
// money would flow to it, and the little that the purchase cost would come back.
// The steward who vets a researcher says whether a member, or somebody close to
// one, stands behind it, and can say so later, or that it is over. What such a
// researcher pays is revenue like any other, but the uses it pays for have no
// weight, and they confirm no dataset for the stipend (package dispute lists
// those). So it goes to those who earn otherwise in the period, by data, work or
// duties, and to the reserve where nobody does.
//
// # What it guarantees
//
// What is said holds for every use since the running period began, and until
// something else is said; uses of a period that was closed before stay as they
// were, so a statement that is computed again comes out the same. The log keeps
// who said it. The bundle says of each request whether it counts, and a member
// reads it in the line of the use.
//
// # What it refuses
//
// To find such parties out by itself: it knows what stewards have said and
// nothing else. To reach back into what is closed: an appeal does that.
package related

import (
	"context"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/desk"
)

// Circle is the counter where stewards say it. It is safe for concurrent use.
type Circle struct{ desk *desk.Desk }

// New makes the counter.
func New(d *desk.Desk) *Circle { return &Circle{d} }

// Relate notes whether a member, or somebody close to one, stands behind a
// researcher, for the uses of the period that runs and of those after it. It
// needs the office of vetting. What is so already is not noted again. Faults:
// desk.ErrOffice, desk.ErrNotFound.
func (c *Circle) Relate(ctx context.Context, steward coop.MemberID, id coop.ResearcherID, yes bool) error {
	_, err := desk.Duty(ctx, c.desk, steward, coop.Vetting, func(tx *db.Tx) (bool, error) {
		was, err := said(tx, id)
		if err != nil || was == yes {
			return yes, err
		}
		period, since, err := running(tx)
		if err != nil {
			return yes, err
		}
		if err := say(tx, id, since, yes); err != nil {
			return yes, err
		}
		verdict := "unrelated"
		if yes {
			verdict = "related"
		}
		return yes, c.desk.Note(tx, "researcher.related", verdict,
			map[string]any{"researcher": string(id), "steward": string(steward), "related": yes, "since": string(period)})
	})
	return err
}

// Mark says of each request of a period's evidence whether a related party made
// it; opened is when the period began. An error that is handed in is handed back,
// and nothing is marked.
func Mark(tx *db.Tx, ev *appraisal.Evidence, opened int64, err error) error {
	if err != nil {
		return err
	}
	for i := range ev.Requests {
		r := &ev.Requests[i]
		if r.Related, err = made(tx, coop.RequestID(r.Request), opened); err != nil {
			return err
		}
	}
	return nil
}
