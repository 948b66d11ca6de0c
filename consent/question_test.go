package consent

import (
	"reflect"
	"slices"
	"sync"
	"testing"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

func asking() Terms {
	t := agree()
	t.Mode = ModeAsk
	return t
}

func once() Terms {
	t := agree()
	t.Mode = ModeOnce
	return t
}

func (h *house) say(m coop.MemberID, a Ask, ds coop.DatasetID, yes bool) {
	h.t.Helper()
	h.update(func(tx *db.Tx) error { return h.Answer(tx, m, a.Request, ds, yes) })
}

func TestMemberWhoIsAskedDecidesAboutEachRequest(t *testing.T) {
	h, m := open(t), newMember()
	ds := h.share(m, "wearables")
	must[Record](t)(h.PutPool(t.Context(), m, "wearables", asking()))
	a, other := study(), study()
	c := h.decideCohort(a)
	if c.Waiting != 1 || len(c.Granted) != 0 || !slices.Equal(c.Refused[0].Asks, []string{policies.AskMember}) {
		t.Fatalf("%+v", c)
	}
	h.decideCohort(other)
	h.refused(a, ds, "member-asked")
	h.say(m, a, ds, true)
	h.released(a, ds)
	h.refused(other, ds, "member-asked") // a yes to one request is none to another
	h.say(m, a, ds, false)
	h.refused(a, ds, "member-said-no") // and can be taken back
	if c := h.decideCohort(other); c.Waiting != 1 {
		t.Errorf("%+v", c)
	}
	list := must[[]Question](t)(h.Questions(t.Context(), m))
	if len(list) != 2 || must[int](t)(h.ReplayAll(t.Context())) == 0 {
		t.Errorf("%+v", list)
	}
}

func TestAnAnsweredCohortIsDecidedOnWhatWasSaid(t *testing.T) {
	h := open(t)
	a := study()
	var members []coop.MemberID
	var datasets []coop.DatasetID
	for range 3 {
		m := newMember()
		members, datasets = append(members, m), append(datasets, h.share(m, "wearables"))
		must[Record](t)(h.PutPool(t.Context(), m, "wearables", asking()))
	}
	h.decideCohort(a)
	h.say(members[0], a, datasets[0], true)
	h.say(members[1], a, datasets[1], false)
	c, want := h.decideCohort(a), h.check(a, nil)
	if len(c.Granted) != 1 || c.Granted[0].Dataset != datasets[0] || c.Waiting != 1 || len(c.Refused) != 2 || c.Note != "" {
		t.Errorf("%+v", c)
	}
	for i, d := range want.all() {
		if !reflect.DeepEqual(c.all()[i].said(), d.said()) {
			t.Errorf("the cohort says %+v, the law %+v", c.all()[i], d)
		}
	}
	h.say(members[1], a, datasets[1], true) // changes nothing that was decided
	if n := must[int](t)(h.ReplayAll(t.Context())); n != 6 {
		t.Errorf("%d replayed", n)
	}
	h.update(func(tx *db.Tx) error {
		if n := len(must[[]coop.MemberID](t)(h.Unanswered(tx, a.Request, "", 9))); n != 1 {
			t.Errorf("%d unanswered", n)
		}
		return nil
	})
}

func TestNobodyAnswersForSomebodyElse(t *testing.T) {
	h, m, other := open(t), newMember(), newMember()
	ds := h.share(m, "wearables")
	must[Record](t)(h.PutPool(t.Context(), m, "wearables", asking()))
	a := study()
	answer := func(who coop.MemberID, r coop.RequestID, ds coop.DatasetID) error {
		return h.db.Update(t.Context(), func(tx *db.Tx) error { return h.Answer(tx, who, r, ds, true) })
	}
	wants(t, answer(m, a.Request, ds), ErrNoQuestion) // nobody has asked yet
	h.decideCohort(a)
	wants(t, answer(other, a.Request, ds), ErrNoQuestion)
	wants(t, answer(m, study().Request, ds), ErrNoQuestion)
	wants(t, answer(m, a.Request, coop.DatasetID(coop.NewID())), ErrNoQuestion)
	h.refused(a, ds, "member-asked")
	if list := must[[]Question](t)(h.Questions(t.Context(), other)); len(list) != 0 {
		t.Errorf("a stranger is asked %+v", list)
	}
}

func TestNobodyIsAskedAboutWhatIsRefusedAnyway(t *testing.T) {
	h, m := open(t), newMember()
	h.share(m, "wearables")
	must[Record](t)(h.PutPool(t.Context(), m, "wearables", asking()))
	a := study()
	a.Researcher.Kind = "company"
	h.decideCohort(a)
	if list := must[[]Question](t)(h.Questions(t.Context(), m)); len(list) != 0 {
		t.Errorf("%+v", list)
	}
}

func TestNewTermsDoNotNeedTheAnswer(t *testing.T) {
	h, m := open(t), newMember()
	ds := h.share(m, "wearables")
	must[Record](t)(h.PutPool(t.Context(), m, "wearables", asking()))
	a := study()
	h.decideCohort(a)
	h.say(m, a, ds, true)
	must[Record](t)(h.WithdrawPool(t.Context(), m, "wearables"))
	h.refused(a, ds, "consent-withdrawn") // a yes to a question revives nothing
	must[Record](t)(h.PutPool(t.Context(), m, "wearables", agree()))
	h.released(a, ds)
}

func TestOneTimeConsentIsUsedUp(t *testing.T) {
	h, m := open(t), newMember()
	ds, second := h.share(m, "wearables"), h.share(m, "wearables")
	must[Record](t)(h.PutPool(t.Context(), m, "wearables", once()))
	a := study()
	if c := h.decideCohort(a); len(c.Granted) != 2 {
		t.Fatalf("%+v", c)
	}
	h.released(a, ds) // being asked about uses nothing up
	h.refused(a, ds, "consent-used-up")
	h.refused(study(), ds, "consent-used-up")
	h.released(study(), second) // each dataset once
	h.refused(study(), second, "consent-used-up")
	if c := h.check(study(), nil); len(c.Granted) != 0 || c.ByReason["consent-used-up"] != 2 {
		t.Errorf("%+v", c)
	}
	must[Record](t)(h.PutPool(t.Context(), m, "wearables", once())) // said anew, it is a new one
	h.released(study(), ds)
	h.refused(study(), ds, "consent-used-up")
	if must[int](t)(h.ReplayAll(t.Context())) < 8 {
		t.Error("little to replay")
	}
}

func TestAReleaseThatIsRolledBackUsesNothingUp(t *testing.T) {
	h, m := open(t), newMember()
	ds := h.share(m, "wearables")
	must[Record](t)(h.PutPool(t.Context(), m, "wearables", once()))
	err := h.db.Update(t.Context(), func(tx *db.Tx) error {
		_, p, err := h.Decide(tx, study(), ds)
		if err != nil || !p.Valid(h.clock.Now()) {
			t.Errorf("%v", err)
		}
		return ErrNoDataset
	})
	wants(t, err, ErrNoDataset)
	h.released(study(), ds)
}

// However many ask at the same moment, one gets it.
func TestOneTimeConsentCannotReleaseTwice(t *testing.T) {
	h, m := open(t), newMember()
	ds := h.share(m, "wearables")
	must[Record](t)(h.PutPool(t.Context(), m, "wearables", once()))
	const researchers = 8
	permits := make([]bool, researchers)
	var start, done sync.WaitGroup
	start.Add(1)
	for i := range researchers {
		done.Go(func() {
			start.Wait()
			var p Permit
			err := h.db.Update(t.Context(), func(tx *db.Tx) (err error) {
				_, p, err = h.Decide(tx, study(), ds)
				return err
			})
			permits[i] = err == nil && p.Valid(h.clock.Now())
		})
	}
	start.Done()
	done.Wait()
	released := 0
	for _, yes := range permits {
		if yes {
			released++
		}
	}
	if released != 1 {
		t.Errorf("released %d times", released)
	}
	if n := must[int](t)(h.ReplayAll(t.Context())); n != researchers {
		t.Errorf("%d of %d decisions", n, researchers)
	}
}

func TestStewardsReviewLetsThrough(t *testing.T) {
	h, m := open(t), newMember()
	ds := h.share(m, "wearables")
	terms := agree()
	terms.Conditions = []string{"DUO:0000021", "DUO:0000029"}
	must[Record](t)(h.PutPool(t.Context(), m, "wearables", terms))
	a := study()
	h.refused(a, ds, "ethics-missing", "return-missing")
	a.Study.Ethics, a.Study.Returns = true, true
	d := h.refused(a, ds, "ethics-unread")
	if !d.NeedsReview || !slices.Equal(d.Asks, []string{policies.AskSteward}) {
		t.Errorf("%+v", d)
	}
	a.Reviewed = true
	h.released(a, ds)
	a.Study.Ethics = false
	h.refused(a, ds, "ethics-missing") // a review does not replace what it reviewed
}

func TestDatasetOverridesThePoolsConditions(t *testing.T) {
	h, m := open(t), newMember()
	wide, narrow := h.share(m, "wearables"), h.share(m, "wearables")
	must[Record](t)(h.PutPool(t.Context(), m, "wearables", agree()))
	must[Record](t)(h.PutDataset(t.Context(), m, narrow, asking()))
	h.released(study(), wide)
	h.refused(study(), narrow, "member-asked")
}
