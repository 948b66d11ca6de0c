package consent

import (
	"cmp"
	"slices"
	"testing"

	"distributed.ai/datacoop/consent/cohort"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

// ruled is a cohort with every one of its decisions, by dataset.
type ruled struct {
	Cohort
	Granted, Refused []Decision
	ByReason         map[string]int // datasets refused, by the code of each of their reasons
}

func (r *ruled) add(d Decision) {
	if r.ByReason == nil {
		r.ByReason = map[string]int{}
	}
	if d.Allow {
		r.Granted = append(r.Granted, d)
		return
	}
	r.Refused = append(r.Refused, d)
	for _, reason := range d.Reasons {
		r.ByReason[reason.Code]++
	}
}

func (r ruled) all() []Decision {
	return slices.SortedFunc(slices.Values(slices.Concat(r.Granted, r.Refused)), func(a, b Decision) int { return cmp.Compare(a.Dataset, b.Dataset) })
}

// decideCohort decides and records, and reads back what was recorded of each
// dataset.
func (h *house) decideCohort(a Ask) ruled {
	h.t.Helper()
	var out ruled
	h.update(func(tx *db.Tx) (err error) {
		out.Cohort, err = h.DecideCohort(tx, a)
		return err
	})
	if err := h.outcomesOf(h.t.Context(), out.Cohort, func(d Decision, _ policies.Input) error { out.add(d); return nil }); err != nil {
		h.t.Fatal(err)
	}
	return out
}

// check decides every open dataset of the pool by itself, as a delivery would be,
// and records nothing: what a cohort is measured by.
func (h *house) check(a Ask, law *policies.Revision) ruled {
	h.t.Helper()
	var out ruled
	if law == nil {
		law = h.engine.Current()
	}
	err := h.db.View(h.t.Context(), func(tx *db.Tx) (err error) {
		out, err = h.checkTx(tx, a, law)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return out
}

func (h *house) checkTx(tx *db.Tx, a Ask, law *policies.Revision) (out ruled, err error) {
	open, err := cohort.Open(tx, a.Pool, h.now(), "", 1_000)
	if err != nil {
		return out, err
	}
	bench, counter, numbers := h.bench(law), cohort.NewCounter(), map[coop.MemberID]uint32{}
	for _, e := range open {
		m, err := matterOf(tx, law, e.Dataset)
		if err != nil {
			return out, err
		}
		d, err := h.answerUnder(tx, bench, a, m)
		if err != nil {
			return out, err
		}
		if _, known := numbers[d.Member]; !known {
			numbers[d.Member] = uint32(len(numbers))
		}
		counter.Add(numbers[d.Member], counter.Counted(policies.Outcome{Allow: d.Allow, NeedsReview: d.NeedsReview, Reasons: d.Reasons}))
		out.add(d)
	}
	out.Tally = counter.Tally()
	out.Revision, out.At = hashOf(law), h.now()
	out.ConsentSeq, err = headSeq(tx)
	return out, err
}

func (h *house) answerUnder(tx *db.Tx, b *bench, a Ask, m matter) (Decision, error) {
	in, err := questionFor(tx, a, m, h.now())
	if err != nil {
		return Decision{}, err
	}
	return b.decide(tx.Context(), a, in, StageRequest)
}

// said is what two decisions about one dataset must agree in.
func (d Decision) said() any {
	return []any{d.Dataset, d.Member, d.Pool, d.Purpose, d.Researcher, d.Allow, d.NeedsReview, d.Asks, d.Reasons, d.Obligations, d.Revision, d.InputSHA256}
}

// A member's feed goes through single decisions and those of cohorts in the order
// in which they were made, page by page, in the same words.
func TestTheFeedOfAMemberHoldsDecisionsAndCohorts(t *testing.T) {
	h := open(t)
	h.village()
	m, other := newMember(), newMember()
	first, second, theirs := h.share(m, "wearables"), h.share(m, "wearables"), h.share(other, "wearables")
	must[Record](t)(h.PutPool(t.Context(), m, "wearables", agree()))
	must[Record](t)(h.PutPool(t.Context(), other, "wearables", Terms{Effect: Refused}))
	var want []Decision
	newestFirst := func(list ...Decision) { want = append(list, want...) }
	for i := range 3 {
		c, d := h.decideCohort(study()), Decision{}
		of := map[coop.DatasetID]Decision{}
		for _, x := range c.all() {
			of[x.Dataset] = x
		}
		newestFirst(of[max(first, second)], of[min(first, second)])
		if i == 1 {
			d, _ = h.deliver(study(), first)
			newestFirst(d)
		}
		if seen := must[[]Decision](t)(h.Uses(t.Context(), other, "", 1)); seen[0].ID != of[theirs].ID || !slices.Equal(seen[0].Reasons, of[theirs].Reasons) {
			t.Errorf("%+v, not %+v", seen[0], of[theirs])
		}
	}
	for _, limit := range []int{1, 2, 3, 200} {
		var got []Decision
		for before := ""; ; before = string(got[len(got)-1].ID) {
			page := must[[]Decision](t)(h.Uses(t.Context(), m, before, limit))
			if got = append(got, page...); len(page) < limit {
				break
			}
		}
		if len(got) != len(want) {
			t.Fatalf("%d of %d, %d at a time", len(got), len(want), limit)
		}
		for i, d := range got {
			same := d.ID == want[i].ID && d.Dataset == want[i].Dataset && d.Member == m && d.Allow == want[i].Allow && d.Stage == want[i].Stage &&
				d.Request == want[i].Request && d.Researcher == want[i].Researcher && d.Purpose == want[i].Purpose && d.Revision == want[i].Revision && coop.ValidID(d.ID)
			if !same {
				t.Errorf("%d at a time: %+v, not %+v", limit, d, want[i])
			}
		}
	}
	_, err := h.Uses(t.Context(), other, string(want[0].ID), 10)
	wants(t, err, ErrCursor)
	_, err = h.Uses(t.Context(), m, "not an id", 10)
	wants(t, err, ErrCursor)
}
