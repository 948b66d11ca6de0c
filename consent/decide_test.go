package consent

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

func TestEveryLimitOfConsentHolds(t *testing.T) {
	h, m := open(t), newMember()
	ds := h.share(m, "wearables")
	terms := agree()
	terms.Regions, terms.MinPrice, terms.DPV = []string{"EU"}, 500, []string{"AcademicResearch", "ImproveHealthcare"}
	must[Record](t)(h.PutPool(t.Context(), m, "wearables", terms))
	h.released(study(), ds)
	for code, change := range map[string]func(*Ask){
		"purpose-not-allowed":        func(a *Ask) { a.Purpose.DUO = "DUO:0000042" },
		"use-not-allowed":            func(a *Ask) { a.Purpose.DPV = "PublicPolicyMaking" },
		"requester-kind-not-allowed": func(a *Ask) { a.Researcher.Kind = "non-profit" },
		"region-not-allowed":         func(a *Ask) { a.Researcher.Region = "NO" },
		"price-too-low":              func(a *Ask) { a.Price = 499 },
		"retention-too-long":         func(a *Ask) { a.RetentionDays = policies.MaxRetentionDays() + 1 },
		"retention-missing":          func(a *Ask) { a.RetentionDays = 0 },
	} {
		a := study()
		change(&a)
		h.refused(a, ds, code)
	}
}

func TestBaseLawHoldsWhateverTheMemberAllows(t *testing.T) {
	h, m := open(t), newMember()
	ds := h.share(m, "wearables")
	everything := Terms{Effect: Given, Purposes: []string{"DUO:0000042", "DUO:0000043"}, Commercial: true,
		RequesterKinds: []string{"university", "public-body", "non-profit", "company"}}
	must[Record](t)(h.PutPool(t.Context(), m, "wearables", everything))
	for _, dpv := range policies.Forbidden() {
		a := study()
		a.Purpose.DPV = dpv
		h.refused(a, ds, "purpose-forbidden")
	}
	a := study()
	a.Researcher.Vetted = false
	h.refused(a, ds, "requester-unvetted", "coop-requester-unvetted")
	a = study()
	a.Researcher.Kind = "data-broker"
	d := h.refused(a, ds, "requester-kind-unknown", "requester-kind-not-allowed")
	sentencesAreConstant(t, d.Reasons, "data-broker", string(m), string(ds))
	a = study()
	a.Purpose = coop.Purpose{}
	h.refused(a, ds, "purpose-missing", "purpose-not-allowed", "use-not-allowed")
	a.Purpose = coop.Purpose{DUO: "DUO:1", DPV: "<script>"}
	d = h.refused(a, ds, "purpose-unknown", "purpose-not-allowed", "use-not-allowed")
	sentencesAreConstant(t, d.Reasons, "<script>", "DUO:1")
	a = study()
	a.Price = -1
	h.refused(a, ds, "price-missing", "price-too-low")
}

func TestVotedLawNarrowsAtOnce(t *testing.T) {
	h, m := open(t), newMember()
	ds := h.share(m, "wearables")
	must[Record](t)(h.PutPool(t.Context(), m, "wearables", agree()))
	h.released(study(), ds)
	h.vote("input.request.retention_days > 90")
	d := h.refused(study(), ds, "voted")
	if d.Reasons[0].Layer != policies.LayerCoop || d.Revision != h.engine.Current().Hash() {
		t.Errorf("%+v", d)
	}
	short := study()
	short.RetentionDays = 90
	h.released(short, ds)
}

func TestWithoutLawNothingIsReleasedAndTheRefusalIsRecorded(t *testing.T) {
	h, m := open(t), newMember()
	ds := h.share(m, "wearables")
	must[Record](t)(h.PutPool(t.Context(), m, "wearables", agree()))
	h.engine.Seal()
	d := h.refused(study(), ds, policies.CodeUnavailable)
	uses := must[[]Decision](t)(h.Uses(t.Context(), m, "", 10))
	if len(uses) != 1 || uses[0].ID != d.ID || uses[0].Revision != "" {
		t.Errorf("%+v", uses)
	}
	if n := must[int](t)(h.ReplayAll(t.Context())); n != 1 {
		t.Errorf("%d decisions", n)
	}
}

func TestReviewHoldsADeliveryBack(t *testing.T) {
	h, m := open(t), newMember()
	ds := h.share(m, "wearables")
	must[Record](t)(h.PutPool(t.Context(), m, "wearables", agree()))
	h.engine.Swap(lawWith(t, "review", "input.request.retention_days > 90"))
	if d := h.refused(study(), ds, "voted"); !d.NeedsReview {
		t.Errorf("%+v", d)
	}
	reviewed := study()
	reviewed.Reviewed = true
	h.released(reviewed, ds)
	if err := h.Pause(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if d := h.refused(reviewed, ds, "member-paused"); d.NeedsReview {
		t.Error("people are asked about what they cannot allow")
	}
}

func TestQuestionsThatAreNoneAreNotDecided(t *testing.T) {
	h, m := open(t), newMember()
	ds := h.share(m, "wearables")
	must[Record](t)(h.PutPool(t.Context(), m, "wearables", agree()))
	for name, change := range map[string]func(*Ask){
		"no request":          func(a *Ask) { a.Request = "" },
		"no researcher":       func(a *Ask) { a.Researcher.ID = "" },
		"somebody by name":    func(a *Ask) { a.Researcher.ID = "Dr Who" },
		"no pool":             func(a *Ask) { a.Pool = "" },
		"no recipient":        func(a *Ask) { a.Recipient = "" },
		"a huge recipient":    func(a *Ask) { a.Recipient = strings.Repeat("x", 5000) },
		"a huge purpose":      func(a *Ask) { a.Purpose.DPV = strings.Repeat("x", 5000) },
		"bytes for a kind":    func(a *Ask) { a.Researcher.Kind = "\xff" },
		"an impossible price": func(a *Ask) { a.Price = 1 << 62 },
		"endless retention":   func(a *Ask) { a.RetentionDays = 1 << 62 },
	} {
		a := study()
		change(&a)
		err := h.db.Update(t.Context(), func(tx *db.Tx) error {
			_, p, err := h.Decide(tx, a, ds)
			if p.Valid(h.clock.Now()) {
				t.Errorf("%s got a permit", name)
			}
			return err
		})
		wants(t, err, ErrAsk)
	}
	err := h.db.Update(t.Context(), func(tx *db.Tx) error {
		_, _, err := h.Decide(tx, study(), coop.DatasetID(coop.NewID()))
		return err
	})
	wants(t, err, ErrNoDataset)
	if uses := must[[]Decision](t)(h.Uses(t.Context(), m, "", 10)); len(uses) != 0 {
		t.Errorf("recorded %+v", uses)
	}
}

func TestDecisionRecordsWhatItWasBasedOn(t *testing.T) {
	h, m := open(t), newMember()
	ds := h.share(m, "wearables")
	must[Record](t)(h.PutPool(t.Context(), m, "wearables", agree()))
	r := must[Record](t)(h.PutPool(t.Context(), m, "wearables", agree()))
	a := study()
	d, _ := h.deliver(a, ds)
	list := must[[]Decision](t)(h.Uses(t.Context(), m, "", 10))
	if len(list) != 1 {
		t.Fatalf("%+v", list)
	}
	got := list[0]
	sum := sha256.Sum256(got.input)
	if got.InputSHA256 != hex.EncodeToString(sum[:]) || got.InputSHA256 != d.InputSHA256 {
		t.Error("the digest is not of the question")
	}
	if got.ConsentSeq != r.Seq || got.Revision != h.engine.Current().Hash() || got.At != h.now() ||
		got.Member != m || got.Dataset != ds || got.Researcher != a.Researcher.ID || got.Purpose != a.Purpose || got.Stage != StageDelivery {
		t.Errorf("%+v", got)
	}
	if len(got.Obligations) == 0 || !bytes.Contains(got.input, []byte(r.ID)) {
		t.Errorf("duties %v, question %s", got.Obligations, got.input)
	}
}

func TestDecisionAndItsTraceVanishTogether(t *testing.T) {
	h, m := open(t), newMember()
	ds := h.share(m, "wearables")
	must[Record](t)(h.PutPool(t.Context(), m, "wearables", agree()))
	before := must[int64](t)(h.log.Verify(t.Context()))
	oops := errors.New("the release failed")
	var kept Permit
	err := h.db.Update(t.Context(), func(tx *db.Tx) error {
		_, p, err := h.Decide(tx, study(), ds)
		kept = p
		return errors.Join(err, oops)
	})
	wants(t, err, oops)
	if uses := must[[]Decision](t)(h.Uses(t.Context(), m, "", 10)); len(uses) != 0 {
		t.Errorf("recorded %+v", uses)
	}
	if after := must[int64](t)(h.log.Verify(t.Context())); after != before {
		t.Errorf("%d entries became %d", before, after)
	}
	h.update(func(tx *db.Tx) error {
		if kept.Within(tx) {
			t.Error("a permit outlives its transaction")
		}
		return nil
	})
}

func TestUsesShowEveryYesAndNoNewestFirst(t *testing.T) {
	h, m, other := open(t), newMember(), newMember()
	ds, theirs := h.share(m, "wearables"), h.share(other, "wearables")
	must[Record](t)(h.PutPool(t.Context(), m, "wearables", agree()))
	var made []coop.DecisionID
	for i := range 5 {
		a := study()
		if i%2 == 1 {
			a.Price = -1
		}
		d, _ := h.deliver(a, ds)
		made = append(made, d.ID)
		h.deliver(study(), theirs)
		h.clock.Advance(time.Second)
	}
	var seen []coop.DecisionID
	for before := ""; ; {
		page := must[[]Decision](t)(h.Uses(t.Context(), m, before, 2))
		if len(page) == 0 {
			break
		}
		for _, d := range page {
			if d.Member != m {
				t.Errorf("a decision about somebody else: %+v", d)
			}
			seen = append(seen, d.ID)
		}
		before = string(page[len(page)-1].ID)
	}
	for i := range made {
		if len(seen) != len(made) || seen[i] != made[len(made)-1-i] {
			t.Fatalf("made %v, saw %v", made, seen)
		}
	}
	strange := must[[]Decision](t)(h.Uses(t.Context(), other, "", 1))[0]
	for _, cursor := range []string{string(strange.ID), "nonsense", coop.NewID()} {
		_, err := h.Uses(t.Context(), m, cursor, 2)
		wants(t, err, ErrCursor)
	}
}
