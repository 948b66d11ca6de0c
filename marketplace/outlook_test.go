package marketplace

import (
	"testing"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace/outlook"
)

func TestWhatOthersGotIsToldOnceAPeriodIsSettled(t *testing.T) {
	h := story(t)
	pool := h.Charter.Pools[0]
	view := func() outlook.Outlook {
		return must[[]outlook.Outlook](t)(h.Outlook(h.ctx(), pool))[0]
	}
	if v := view(); v.Last != nil || v.Year != nil {
		t.Fatalf("before any period something is known: %+v", v)
	}
	members, _ := h.earned(5)
	h.closed("P0001")
	if v := view(); v.Last != nil {
		t.Fatal("a statement that can be contested counts as the past")
	}
	h.settled("P0001")
	v := view()
	if v.Last == nil || v.Year == nil || v.Last.Members != len(members) || v.Year.Periods != 1 {
		t.Fatalf("after one period: %+v", v)
	}
	sums := map[coop.Money]bool{}
	for _, m := range members {
		sum := coop.Money(0)
		for _, amount := range must[map[coop.DatasetID]coop.Money](t)(h.Earned(h.ctx(), m)) {
			sum += amount
		}
		sums[sum] = true
	}
	if !sums[v.Last.Quarter2] || v.Last.Quarter2 == 0 || *v.Last == *v.Year {
		t.Errorf("the middle is %d, and members got %v", v.Last.Quarter2, sums)
	}
	first := *v.Last
	h.clock.Advance(30 * 24 * time.Hour) // a period in which nobody reads anything
	h.closed("P0002")
	h.settled("P0002")
	if v = view(); v.Last.Quarter2 >= first.Quarter2 || v.Year.Periods != 2 || v.Year.Quarter2 < first.Quarter2 {
		t.Errorf("the second period is %+v and the year %+v after %+v", v.Last, v.Year, first)
	}
	h.clock.Advance(400 * 24 * time.Hour)
	h.closed("P0003")
	h.settled("P0003")
	if v = view(); v.Year.Periods != 1 {
		t.Errorf("what closed more than a year before counts: %+v", v.Year)
	}
}

func TestWhatFewMembersGotIsNotTold(t *testing.T) {
	h := story(t, func(c *coop.Charter) { c.Pools[0].MinimumGroup = 4 })
	h.earned(4)
	h.settledWith(t)
	if v := must[[]outlook.Outlook](t)(h.Outlook(h.ctx(), h.Charter.Pools[0]))[0]; v.Last == nil || v.Last.TooFew() {
		t.Fatalf("four of four are told: %+v", v.Last)
	}
	h = story(t, func(c *coop.Charter) { c.Pools[1].MinimumGroup = 4 })
	h.earned(3)
	h.settledWith(t)
	for _, v := range must[[]outlook.Outlook](t)(h.Outlook(h.ctx(), h.Charter.Pools...)) {
		if v.Pool.ID == h.Charter.Pools[1].ID && (v.Last == nil || !v.Last.TooFew() || !v.Year.TooFew()) {
			t.Errorf("a pool in which nobody shares has figures: %+v", v.Last)
		}
	}
}

func (h *house) settledWith(t *testing.T) {
	t.Helper()
	h.closed("P0001")
	h.settled("P0001")
}
