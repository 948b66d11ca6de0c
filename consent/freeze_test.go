package consent

import (
	"errors"
	"slices"
	"testing"

	"distributed.ai/datacoop/consent/freeze"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

func (h *house) freeze(by coop.MemberID, reason string) (i freeze.Incident, err error) {
	err = h.db.Update(h.t.Context(), func(tx *db.Tx) error {
		i, err = h.Freeze(tx, by, reason)
		return err
	})
	return i, err
}

func (h *house) lift(by coop.MemberID, resigned ...coop.MemberID) (i freeze.Incident, err error) {
	err = h.db.Update(h.t.Context(), func(tx *db.Tx) error {
		i, err = h.Lift(tx, by, func(m coop.MemberID) (bool, error) { return !slices.Contains(resigned, m), nil })
		return err
	})
	return i, err
}

const because = "Somebody may have a researcher's password."

func TestAFreezeStopsEveryReleaseUntilTwoStewardsLiftIt(t *testing.T) {
	h, m, ada, bea := open(t), newMember(), newMember(), newMember()
	ds := h.share(m, "wearables")
	must[Record](t)(h.PutPool(t.Context(), m, "wearables", agree()))
	a := study()
	h.released(a, ds)
	before := len(must[[]Decision](t)(h.Uses(t.Context(), m, "", 100)))

	i := must[freeze.Incident](t)(h.freeze(ada, "  "+because+"\n"))
	if !i.Standing() || i.Reason != because || i.FrozenBy != ada {
		t.Fatalf("%+v", i)
	}
	for _, decide := range []func(*db.Tx, Ask, coop.DatasetID) (Decision, Permit, error){h.Decide, h.DecideApproval} {
		err := h.db.Update(t.Context(), func(tx *db.Tx) error {
			d, p, err := decide(tx, a, ds)
			if d.Allow || p.Valid(h.clock.Now()) {
				t.Error("a permit was made")
			}
			return err
		})
		wants(t, err, freeze.ErrFrozen)
	}
	if n := len(must[[]Decision](t)(h.Uses(t.Context(), m, "", 100))); n != before {
		t.Errorf("%d decisions were recorded that nobody made", n-before)
	}

	if i = must[freeze.Incident](t)(h.lift(ada)); !i.Standing() || i.AskedBy != ada {
		t.Fatalf("one steward lifted it alone: %+v", i)
	}
	_, err := h.lift(ada)
	wants(t, err, freeze.ErrSecond)
	h.update(func(tx *db.Tx) error {
		wants(t, h.Thawed(tx), freeze.ErrFrozen)
		return nil
	})
	if i = must[freeze.Incident](t)(h.lift(bea)); i.Standing() || i.LiftedBy != bea {
		t.Fatalf("two stewards did not lift it: %+v", i)
	}
	h.released(a, ds)
	if n := must[int](t)(h.ReplayAll(t.Context())); n == 0 {
		t.Error("nothing was replayed")
	}
	if _, err := h.log.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestTheWordOfWhoIsNoStewardAnyMoreLiftsNothing(t *testing.T) {
	h, ada, bea, cem := open(t), newMember(), newMember(), newMember()
	must[freeze.Incident](t)(h.freeze(ada, because))
	must[freeze.Incident](t)(h.lift(ada))
	if i := must[freeze.Incident](t)(h.lift(bea, ada)); !i.Standing() || i.AskedBy != bea {
		t.Fatalf("one steward and one of former days lifted it: %+v", i)
	}
	if i := must[freeze.Incident](t)(h.lift(cem, ada)); i.Standing() {
		t.Fatalf("two stewards did not lift it: %+v", i)
	}
}

func TestAFreezeSurvivesARestart(t *testing.T) {
	h, ada := open(t), newMember()
	must[freeze.Incident](t)(h.freeze(ada, because))
	again, err := New(t.Context(), h.config())
	if err != nil {
		t.Fatal(err)
	}
	if i := must[freeze.Incident](t)(again.Frozen(t.Context())); !i.Standing() || i.Reason != because {
		t.Fatalf("after a restart: %+v", i)
	}
}

func TestWhatIsNoFreeze(t *testing.T) {
	h, ada := open(t), newMember()
	_, err := h.lift(ada)
	wants(t, err, freeze.ErrNotFrozen)
	for _, reason := range []string{"", "why", "         \n\t       ", string(make([]rune, 301)), "a reason with \xff in it"} {
		_, err := h.freeze(ada, reason)
		wants(t, err, freeze.ErrReason)
	}
	must[freeze.Incident](t)(h.freeze(ada, because))
	_, err = h.freeze(newMember(), "Another one, for another reason.")
	wants(t, err, freeze.ErrAlready)
	if i := must[freeze.Incident](t)(h.Frozen(t.Context())); i.Reason != because {
		t.Errorf("the first reason is lost: %q", i.Reason)
	}
	undone := errors.New("undone")
	err = h.db.Update(t.Context(), func(tx *db.Tx) error {
		_, err := h.Lift(tx, ada, func(coop.MemberID) (bool, error) { return true, nil })
		return errors.Join(err, undone)
	})
	if i := must[freeze.Incident](t)(h.Frozen(t.Context())); !errors.Is(err, undone) || i.AskedBy != "" {
		t.Errorf("what was rolled back counts: %+v", i)
	}
	if n := len(must[[]freeze.Incident](t)(h.Freezes(t.Context()))); n != 1 {
		t.Errorf("%d incidents", n)
	}
}
