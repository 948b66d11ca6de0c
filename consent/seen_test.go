package consent

import (
	"testing"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/policies"
)

func TestAMemberSeesWhatTheyLookFor(t *testing.T) {
	h, m := open(t), newMember()
	one, two := h.share(m, "wearables"), h.share(m, "wearables")
	must[Record](t)(h.PutDataset(t.Context(), m, one, agree()))
	var all []Decision
	for range 5 {
		for _, ds := range []coop.DatasetID{one, two} {
			d, _ := h.deliver(study(), ds)
			all = append(all, d)
		}
	}
	yes := coop.DecisionID("")
	for name, c := range map[string]struct {
		seen Seen
		want int
	}{
		"everything":          {Seen{}, 10},
		"one dataset":         {Seen{Dataset: one}, 5},
		"allowed":             {Seen{Outcome: OutcomeAllowed}, 5},
		"refused":             {Seen{Outcome: OutcomeRefused}, 5},
		"refused, of the one": {Seen{Dataset: one, Outcome: OutcomeRefused}, 0},
		"somebody else's":     {Seen{Dataset: coop.DatasetID(coop.NewID())}, 0},
	} {
		found, before := map[coop.DecisionID]bool{}, ""
		for pages := 0; ; pages++ {
			page, next, err := h.UsesSeen(t.Context(), m, c.seen, before, 2)
			if err != nil || pages > 10 {
				t.Fatalf("%s: %v, %d pages", name, err, pages)
			}
			for _, d := range page {
				found[d.ID] = true
				if d.Allow {
					yes = d.ID
				}
			}
			if before = next; next == "" {
				break
			}
		}
		if len(found) != c.want {
			t.Errorf("%s: %d of %d", name, len(found), c.want)
		}
	}
	if d := must[Decision](t)(h.Use(t.Context(), m, yes)); !d.Allow || d.Dataset != one || len(d.Obligations) == 0 {
		t.Errorf("%+v", d)
	}
	_, err := h.Use(t.Context(), newMember(), yes)
	wants(t, err, ErrNoDecision)
	_, _, err = h.UsesSeen(t.Context(), m, Seen{Outcome: "maybe"}, "", 2)
	wants(t, err, ErrOutcome)
	_, _, err = h.UsesSeen(t.Context(), m, Seen{}, coop.NewID(), 2)
	wants(t, err, ErrCursor)
	if law := must[*policies.Revision](t)(h.Law(t.Context(), all[0].Revision)); law.Hash() != all[0].Revision {
		t.Errorf("law %s", law.Hash())
	}
	_, err = h.Law(t.Context(), "none")
	wants(t, err, ErrNoLaw)
}

func TestADatasetTakesItsOwnAnswerBack(t *testing.T) {
	h, m := open(t), newMember()
	ds := h.share(m, "wearables")
	_, err := h.FollowPool(t.Context(), m, ds)
	wants(t, err, ErrAsPool)
	must[Record](t)(h.PutPool(t.Context(), m, "wearables", agree()))
	must[Record](t)(h.PutDataset(t.Context(), m, ds, Terms{Effect: Refused}))
	h.refused(study(), ds, "consent-refused")
	for _, who := range []coop.MemberID{newMember(), ""} {
		_, err = h.FollowPool(t.Context(), who, ds)
		wants(t, err, ErrNoDataset)
	}
	h.decideCohort(study())
	r := must[Record](t)(h.FollowPool(t.Context(), m, ds))
	if c := h.decideCohort(study()); len(c.Granted) != 1 {
		t.Errorf("all at once: %+v", c)
	}
	if r.State != StateAsPool || r.Dataset != ds {
		t.Errorf("%+v", r)
	}
	h.released(study(), ds)
	if _, own, err := h.Dataset(t.Context(), m, ds); own || err != nil {
		t.Errorf("the dataset still has an answer of its own (%v)", err)
	}
	if err := VerifyReceipt(must[[]byte](t)(h.Receipt(t.Context(), m, r.ID)), public()); err != nil {
		t.Error(err)
	}
	_, err = h.FollowPool(t.Context(), m, ds)
	wants(t, err, ErrAsPool)

	// What the pool says later counts as well; and a dataset can answer again.
	must[Record](t)(h.PutPool(t.Context(), m, "wearables", Terms{Effect: Refused}))
	h.refused(study(), ds, "consent-refused")
	must[Record](t)(h.PutDataset(t.Context(), m, ds, agree()))
	h.released(study(), ds)
	must[Record](t)(h.WithdrawDataset(t.Context(), m, ds))
	h.refused(study(), ds, "consent-withdrawn")
	must[Record](t)(h.FollowPool(t.Context(), m, ds))
	h.refused(study(), ds, "consent-refused")
	if n, err := h.ReplayAll(t.Context()); err != nil || n == 0 {
		t.Errorf("%d replayed, %v", n, err)
	}
}

// A dataset whose answer was taken back, in a pool without one, is refused.
func TestNothingIsReleasedWhereThePoolSaysNothing(t *testing.T) {
	h, m := open(t), newMember()
	ds := h.share(m, "wearables")
	must[Record](t)(h.PutDataset(t.Context(), m, ds, agree()))
	h.released(study(), ds)
	must[Record](t)(h.FollowPool(t.Context(), m, ds))
	h.refused(study(), ds, "no-consent")
}

// What members said stays as they said it, whatever the charter's default
// becomes.
func TestAChangedDefaultChangesNoAnswer(t *testing.T) {
	h, m := open(t), newMember()
	ds, silent := h.share(m, "wearables"), h.share(newMember(), "wearables")
	before := must[Record](t)(h.PutPool(t.Context(), m, "wearables", agree()))
	receipt := must[[]byte](t)(h.Receipt(t.Context(), m, before.ID))
	for _, d := range []coop.Default{{Answer: coop.DefaultRefuse, Days: 1, KeepMonths: 1}, {Answer: coop.DefaultAsk, Conditions: []string{"DUO:0000045"}}} {
		h.c.Charter.Consent = d
		after, found, err := h.Pool(t.Context(), m, "wearables")
		if err != nil || !found || after.ID != before.ID || after.Expires != before.Expires || len(after.Conditions) != 0 {
			t.Errorf("%+v, %v", after, err)
		}
		if string(must[[]byte](t)(h.Receipt(t.Context(), m, before.ID))) != string(receipt) {
			t.Error("the receipt has changed")
		}
		h.released(study(), ds)
		h.refused(study(), silent, "no-consent")
	}
}
