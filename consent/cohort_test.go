package consent

import (
	"context"
	"reflect"
	"slices"
	"testing"
	"time"

	"distributed.ai/datacoop/consent/cohort"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

// village shares one dataset each: some agree, some do not.
func (h *house) village() (yes, no map[coop.DatasetID]bool) {
	h.t.Helper()
	yes, no = map[coop.DatasetID]bool{}, map[coop.DatasetID]bool{}
	put := func(into map[coop.DatasetID]bool, then func(m coop.MemberID, ds coop.DatasetID) error) {
		m := newMember()
		ds := h.share(m, "wearables")
		into[ds] = true
		if err := then(m, ds); err != nil {
			h.t.Fatal(err)
		}
	}
	pool := func(t Terms) func(coop.MemberID, coop.DatasetID) error {
		return func(m coop.MemberID, _ coop.DatasetID) error {
			_, err := h.PutPool(h.t.Context(), m, "wearables", t)
			return err
		}
	}
	care, costly := agree(), agree()
	care.Purposes, costly.MinPrice = []string{"DUO:0000043"}, 501
	for range 3 {
		put(yes, pool(agree()))
	}
	put(yes, func(m coop.MemberID, ds coop.DatasetID) error {
		_, err := h.PutDataset(h.t.Context(), m, ds, agree())
		return err
	})
	put(no, func(coop.MemberID, coop.DatasetID) error { return nil })
	put(no, pool(Terms{Effect: Refused}))
	put(no, pool(care))
	put(no, pool(costly))
	put(no, func(m coop.MemberID, ds coop.DatasetID) error {
		_ = pool(agree())(m, ds)
		return h.Pause(h.t.Context(), m)
	})
	put(no, func(m coop.MemberID, ds coop.DatasetID) error {
		_ = pool(agree())(m, ds)
		_, err := h.WithdrawPool(h.t.Context(), m, "wearables")
		return err
	})
	return yes, no
}

func TestCohortIsExactlyThoseWhoAgree(t *testing.T) {
	h := open(t)
	yes, no := h.village()
	gone := h.share(newMember(), "wearables")
	h.update(func(tx *db.Tx) error { return h.Close(tx, gone, h.clock.Now()) })
	h.share(newMember(), "glucose")
	c := h.decideCohort(study())
	if len(c.Granted) != len(yes) || len(c.Refused) != len(no) || c.Members != len(yes) || c.Waiting != 0 {
		t.Errorf("%d granted, %d refused", len(c.Granted), len(c.Refused))
	}
	for _, d := range c.Granted {
		if !yes[d.Dataset] || len(d.Reasons) != 0 {
			t.Errorf("granted %+v", d)
		}
	}
	for _, d := range c.Refused {
		if !no[d.Dataset] || len(d.Reasons) == 0 || d.Dataset == gone {
			t.Errorf("refused %+v", d)
		}
	}
	for _, code := range []string{"no-consent", "consent-refused", "purpose-not-allowed", "price-too-low", "member-paused", "consent-withdrawn"} {
		if c.ByReason[code] != 1 {
			t.Errorf("%s: %d", code, c.ByReason[code])
		}
	}
	if len(c.Reasons) != 6 || c.Tally.Granted != len(yes) || c.Tally.Refused != len(no) || c.AllMembers != 10 || c.Reasons[0].Layer != policies.LayerMember || c.Reasons[0].Datasets != 1 {
		t.Errorf("%+v", c.Reasons)
	}
}

func TestCohortAgreesWithSingleDecisions(t *testing.T) {
	h := open(t)
	h.village()
	a := study()
	c := h.decideCohort(a)
	for _, d := range c.all() {
		single, _ := h.deliver(a, d.Dataset)
		if single.Allow != d.Allow || !slices.Equal(single.Reasons, d.Reasons) || single.InputSHA256 != d.InputSHA256 {
			t.Errorf("cohort %+v, single %+v", d, single)
		}
	}
}

func TestCohortIsRecordedWithOneAuditEntry(t *testing.T) {
	h := open(t)
	yes, no := h.village()
	before := must[int64](t)(h.log.Verify(t.Context()))
	a := study()
	c := h.decideCohort(a)
	if after := must[int64](t)(h.log.Verify(t.Context())); after != before+1 {
		t.Errorf("%d entries became %d", before, after)
	}
	if list := c.all(); len(list) != len(yes)+len(no) {
		t.Errorf("%d recorded", len(list))
	}
	var again Cohort
	h.update(func(tx *db.Tx) (err error) {
		var ok bool
		if again, ok, err = h.Decided(tx, a.Request); !ok {
			t.Error("nothing was decided")
		}
		return err
	})
	if again.Filter = c.Filter; !reflect.DeepEqual(again, c.Cohort) || c.Filter == cohort.ClassWise || len(c.Obligations) == 0 {
		t.Errorf("kept %+v of %+v", again, c.Cohort)
	}
	if decisions := must[int64](t)(h.count(`SELECT count(*) FROM consent_decisions`)); decisions != 0 {
		t.Errorf("%d decisions are written out", decisions)
	}
	if n := must[int](t)(h.ReplayAll(t.Context())); n != len(yes)+len(no) {
		t.Errorf("%d replayed", n)
	}
}

func TestTallySaysTheSameAndRecordsNothing(t *testing.T) {
	h := open(t)
	h.village()
	a := study()
	before := must[int64](t)(h.log.Verify(t.Context()))
	c := must[Tally](t)(h.Tally(t.Context(), a, nil))
	if c.Granted != 4 {
		t.Errorf("%+v", c)
	}
	other := must[Tally](t)(h.Tally(t.Context(), a, lawWith(t, "forbid", "input.request.retention_days > 90")))
	if other.Granted != 0 || other.Refused != 10 || other.Revision == c.Revision {
		t.Errorf("%+v", other)
	}
	if n := must[int64](t)(h.count(`SELECT count(*) FROM consent_outcomes`)); n != 0 {
		t.Errorf("recorded %d", n)
	}
	if after := must[int64](t)(h.log.Verify(t.Context())); after != before {
		t.Errorf("%d entries became %d", before, after)
	}
	if real := h.decideCohort(a); !reflect.DeepEqual(real.Tally, c) {
		t.Errorf("the dry run was another: %+v, %+v", real.Tally, c)
	}
}

func (h *house) count(query string, args ...any) (n int64, err error) {
	err = h.db.View(h.t.Context(), func(tx *db.Tx) error { return tx.QueryRow(query, args...).Scan(&n) })
	return n, err
}

func TestCohortWithoutLawRefusesAll(t *testing.T) {
	h := open(t)
	h.village()
	h.engine.Seal()
	c := h.decideCohort(study())
	if len(c.Granted) != 0 || c.ByReason[policies.CodeUnavailable] != 10 || c.Revision != "" {
		t.Errorf("%+v", c.ByReason)
	}
	if n := must[int](t)(h.ReplayAll(t.Context())); n != 10 {
		t.Errorf("%d replayed", n)
	}
}

func TestCohortThatWaitsForPeople(t *testing.T) {
	h := open(t)
	h.village()
	h.engine.Swap(lawWith(t, "review", "input.request.retention_days > 90"))
	c := h.decideCohort(study())
	if len(c.Granted) != 0 || c.Waiting != 4 || len(c.Refused) != 10 {
		t.Errorf("granted %d, waiting %d, refused %d", len(c.Granted), c.Waiting, len(c.Refused))
	}
	a := study()
	a.Reviewed = true
	if c := h.decideCohort(a); len(c.Granted) != 4 || c.Waiting != 0 {
		t.Errorf("granted %d, waiting %d", len(c.Granted), c.Waiting)
	}
}

func TestCohortOfNobody(t *testing.T) {
	h := open(t)
	c := h.decideCohort(study())
	if c.Tally.Granted != 0 || c.Tally.Refused != 0 || c.Members != 0 || len(c.all()) != 0 {
		t.Errorf("%+v", c)
	}
	bad := study()
	bad.Pool = "Wearables"
	_, err := h.Tally(t.Context(), bad, nil)
	wants(t, err, ErrAsk)
	wants(t, h.db.Update(t.Context(), func(tx *db.Tx) error { _, err := h.DecideCohort(tx, bad); return err }), ErrAsk)
}

func TestMembersOfAPoolAreCountedOnceAndOnlyWhileTheyShare(t *testing.T) {
	h, m := open(t), newMember()
	count := func() (n int) {
		h.update(func(tx *db.Tx) (err error) {
			n, err = h.Members(tx, "wearables")
			return err
		})
		return n
	}
	first, second := h.share(m, "wearables"), h.share(m, "wearables")
	h.share(newMember(), "glucose")
	if n := count(); n != 1 {
		t.Errorf("%d members share", n)
	}
	for _, ds := range []coop.DatasetID{first, second} {
		h.update(func(tx *db.Tx) error { return h.Close(tx, ds, h.clock.Now()) })
	}
	if n := count(); n != 0 {
		t.Errorf("%d members share after revoking everything", n)
	}
}

func TestCohortStopsWithItsContext(t *testing.T) {
	h := open(t)
	h.village()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Tally(ctx, study(), nil); err == nil {
		t.Error("answered after its caller had gone")
	}
}

func TestReplayShowsWhatOtherLawWouldChange(t *testing.T) {
	h := open(t)
	h.village()
	h.decideCohort(study())
	h.clock.Advance(time.Hour)
	since := h.now()
	a := study()
	a.RetentionDays = 30
	h.decideCohort(a)
	strict := lawWith(t, "forbid", "input.request.retention_days > 90")
	flips, total, err := h.Replay(t.Context(), strict, 0)
	if err != nil || total != 20 || len(flips) != 4 {
		t.Fatalf("%d flips of %d: %v", len(flips), total, err)
	}
	for _, f := range flips {
		if !f.Was || f.Now || len(f.Reasons) != 1 || f.Reasons[0].Code != "voted" || !f.Decision.Allow {
			t.Errorf("%+v", f)
		}
	}
	if flips, total, err := h.Replay(t.Context(), strict, since); err != nil || total != 10 || len(flips) != 0 {
		t.Errorf("%d flips of %d since: %v", len(flips), total, err)
	}
	if flips, _, err := h.Replay(t.Context(), h.engine.Current(), 0); err != nil || len(flips) != 0 {
		t.Errorf("the law in force flips %d: %v", len(flips), err)
	}
	if _, _, err := h.Replay(t.Context(), nil, 0); err == nil {
		t.Error("replayed without law")
	}
}
