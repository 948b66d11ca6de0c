package consent

import (
	"context"
	"errors"
	"fmt"

	"distributed.ai/datacoop/consent/cohort"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
)

// ErrCursor refuses a position that is not one of the member's own decisions.
var ErrCursor = fault.New(fault.Invalid, "cursor-invalid", "The list cannot be continued from there.")

// maxPage is the most decisions Uses returns at once.
const maxPage = 200

// Uses lists what was decided about the member's data, yes and no alike, newest
// first, at most limit (200 at most) older than the decision named before; ""
// begins with the newest. The id of the last one is where the next page goes on.
func (s *Service) Uses(ctx context.Context, m coop.MemberID, before string, limit int) ([]Decision, error) {
	var out []Decision
	err := s.c.DB.View(ctx, func(tx *db.Tx) (err error) {
		out, err = usesBefore(tx, m, before, min(max(limit, 1), maxPage))
		return err
	})
	switch {
	case errors.Is(err, db.ErrNoRow):
		return nil, ErrCursor
	case err != nil:
		return nil, fmt.Errorf("consent: uses: %w", err)
	}
	return out, nil
}

// place is where a decision stands in a member's feed: decisions and cohorts are
// numbered together, and of one cohort the datasets follow each other.
type place struct {
	seq     int64
	dataset coop.DatasetID // after whose answer of a cohort; "" of a decision
}

// placeOf finds the decision of a member by its id; "" is before everything.
func placeOf(tx *db.Tx, m coop.MemberID, id string) (place, error) {
	if id == "" {
		return place{seq: newest}, nil
	}
	seq, err := decisionPlace(tx, m, id)
	if !errors.Is(err, db.ErrNoRow) {
		return place{seq: seq}, err
	}
	at, ok := cohort.DecidedAt(coop.DecisionID(id))
	if !ok {
		return place{}, db.ErrNoRow
	}
	list, err := cohort.ToldAt(tx, m, at)
	for _, t := range list {
		if string(cohort.DecisionID(t.Of.ID, at, t.Dataset)) == id {
			return place{t.Of.Seq, t.Dataset}, err
		}
	}
	return place{}, errors.Join(err, db.ErrNoRow)
}

// usesBefore reads a member's decisions, newest first, older than the decision
// named before: those about single datasets and those of cohorts.
func usesBefore(tx *db.Tx, m coop.MemberID, before string, limit int) ([]Decision, error) {
	from, err := placeOf(tx, m, before)
	if err != nil {
		return nil, err
	}
	single, err := decisionsBefore(tx, m, from.seq, limit)
	if err != nil {
		return nil, err
	}
	told, err := cohort.ToldBefore(tx, m, from.seq, from.dataset, limit)
	out := make([]Decision, 0, limit)
	for len(out) < limit && len(single)+len(told) > 0 {
		if len(told) == 0 || len(single) > 0 && single[0].seq > told[0].Of.Seq {
			out, single = append(out, single[0].Decision), single[1:]
			continue
		}
		out, told = append(out, about(told[0].Of, told[0].Dataset, m, told[0].Outcome)), told[1:]
	}
	return out, err
}
