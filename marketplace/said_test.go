package marketplace

import (
	"fmt"
	"slices"
	"testing"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appraisal/checklist"
	"distributed.ai/datacoop/marketplace/appraisal/jury"
	"distributed.ai/datacoop/marketplace/appraisal/learning"
	"distributed.ai/datacoop/marketplace/calibration"
)

// seated lists who was asked about something, in the order of their seats.
func (h *house) seated(query string, args ...any) (out []coop.MemberID) {
	h.t.Helper()
	h.ok(h.DB.View(h.ctx(), func(tx *db.Tx) (err error) {
		out, err = db.Collect(tx, func(rows *db.Rows) (m coop.MemberID, err error) { return m, rows.Scan(&m) }, query, args...)
		return err
	}))
	return out
}

// The record of a draw lists who sat at a pair, in their order. What they said is
// published in an order of its own, or it would tell who said what.
func TestWhatPeopleSaidIsNotInTheOrderOfThePeople(t *testing.T) {
	h, s := lab(t, 12)
	h.held("P0001", s)
	pairs := h.calibration("P0001").Asked
	for place := range pairs { // the first at each pair sees no difference, which is last in the published order
		members := h.seated(`SELECT member FROM calibration_seats WHERE period = 'P0001' AND place = ? AND state = 'waiting' ORDER BY seat`, place)
		for i, said := range []string{calibration.Same, calibration.Left, calibration.Right} {
			must[calibration.Duty](t)(h.AnswerSpotCheck(h.ctx(), members[i], fmt.Sprint("P0001-", place), said))
		}
	}
	h.ended("P0001", governance.Yes)
	ties, v := 0, h.calibration("P0001")
	held := h.halves("P0001")
	for _, p := range append(v.Open, held.Sealed...) {
		if slices.Contains(p.Said, learning.Tie) {
			ties++
		}
		if !slices.IsSorted(p.Said) {
			t.Errorf("a pair tells in which seat who was of which opinion: %q", p.Said)
		}
	}
	if ties != pairs || pairs == 0 {
		t.Errorf("%d of %d pairs were answered in another order than the published", ties, pairs)
	}
}

// halves are both halves of a period's set, as the server measures by them.
func (h *house) halves(id coop.PeriodID) (out calibration.Halves) {
	h.t.Helper()
	h.ok(h.DB.View(h.ctx(), func(tx *db.Tx) error {
		list, err := h.Halves(tx)
		for _, one := range list {
			if one.Period == id {
				out = one
			}
		}
		return err
	}))
	return out
}

// A panel's verdict becomes a pair with the middle of the scale, and that pair does
// not tell whose score was which.
func TestWhatAPanelSaidIsNotInTheOrderOfThePanel(t *testing.T) {
	h := story(t)
	member, work := h.contested()
	a := must[Appeal](t)(h.Appeal(h.ctx(), member, "P0001", "Look again.", about(work)))
	h.run()
	n := len(checklist.For("work", "document"))
	panel := h.seated(`SELECT member FROM appeals_seats WHERE appeal = ? AND state = 'waiting' ORDER BY place, turn`, a.ID)
	if len(panel) != jury.Seats {
		t.Fatalf("%d seats", len(panel))
	}
	for i, m := range panel { // the first two say less than the middle, the others more
		h.answers(m, a.ID, []int{0, 0, n, n, n}[i])
	}
	for m := range h.everybody() {
		for _, d := range must[[]calibration.Duty](t)(h.SpotChecks(h.ctx(), m)) {
			if d.State == jury.Waiting {
				must[calibration.Duty](t)(h.AnswerSpotCheck(h.ctx(), m, d.ID, calibration.Same))
			}
		}
	}
	h.ended("P0001", governance.Yes)
	held, found := h.halves("P0001"), 0
	for _, p := range append(held.Open, held.Sealed...) {
		if p.Second != calibration.Middle {
			continue
		}
		if found++; fmt.Sprint(p.Said) != fmt.Sprint([]string{learning.First, learning.First, learning.First, learning.Second, learning.Second}) {
			t.Errorf("%q", p.Said)
		}
	}
	if found != 1 {
		t.Errorf("%d verdicts of panels are in the set", found)
	}
}
