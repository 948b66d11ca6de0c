package consent

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

// answer is a model of one scope: what was said last, and when.
type answer struct {
	said  string // "", given, refused or withdrawn
	terms Terms
	until time.Time // zero is for ever
	order int
}

// model is what a member has said, kept by hand.
type model struct {
	pool, dataset answer
	paused        bool
	closed        bool
	order         int
}

func (m *model) say(a *answer, said string, terms Terms, now time.Time) {
	m.order++
	*a = answer{said: said, terms: terms, order: m.order}
	if terms.Days > 0 {
		a.until = now.Add(time.Duration(terms.Days) * day)
	}
}

// permits is the law by hand: a given answer governs, has not run out, covers
// the ask, and no later no stands in its way.
func (m *model) permits(a Ask, now time.Time) bool {
	governs := m.pool
	if m.dataset.said != "" {
		governs = m.dataset
		if m.pool.order > m.dataset.order && m.pool.said != "" && m.pool.said != Given {
			return false
		}
	}
	t := governs.terms
	return !m.paused && !m.closed && governs.said == Given && (governs.until.IsZero() || now.Before(governs.until)) &&
		slices.ContainsFunc(t.Purposes, func(p string) bool { return policies.Covers(p, a.Purpose.DUO) }) &&
		!slices.ContainsFunc(t.Except, func(p string) bool { return policies.Touches(p, a.Purpose.DUO) }) &&
		slices.Contains(t.RequesterKinds, a.Researcher.Kind) && t.MinPrice <= a.Price
}

func anyTerms(t *rapid.T) Terms {
	for {
		terms := Terms{
			Effect:         Given,
			Purposes:       rapid.SliceOfNDistinct(rapid.SampledFrom(codes(coop.DUOPurposes())), 1, 2, rapid.ID[string]).Draw(t, "purposes"),
			Except:         rapid.SliceOfN(rapid.SampledFrom(codes(coop.DUOPurposes())), 0, 1).Draw(t, "except"),
			RequesterKinds: rapid.SliceOfNDistinct(rapid.SampledFrom(codes(coop.RequesterKinds())), 1, 3, rapid.ID[string]).Draw(t, "kinds"),
			MinPrice:       coop.Money(rapid.SampledFrom([]int64{0, 500, 501}).Draw(t, "floor")),
			Days:           rapid.SampledFrom([]int64{0, 1, 30}).Draw(t, "days"),
		}
		if slices.Contains(terms.Purposes, "DUO:0000007") {
			terms.Diseases = []string{"MONDO:0005015"}
		}
		if terms.Validate() == nil {
			return terms
		}
	}
}

// Whatever members say in whatever order, a permit exists only where a given,
// unexpired, unwithdrawn answer of theirs covers the request, and the recorded
// decision says the same.
func TestNoPermitWithoutStandingConsent(t *testing.T) {
	h := open(t)
	yes, no := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		m, said := newMember(), &model{}
		ds := h.share(m, "wearables")
		try := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
		}
		steps := map[string]func(){
			"pool given": func() {
				terms := anyTerms(t)
				_, err := h.PutPool(h.t.Context(), m, "wearables", terms)
				try(err)
				said.say(&said.pool, Given, terms, h.clock.Now())
			},
			"dataset given": func() {
				if !said.closed {
					terms := anyTerms(t)
					_, err := h.PutDataset(h.t.Context(), m, ds, terms)
					try(err)
					said.say(&said.dataset, Given, terms, h.clock.Now())
				}
			},
			"pool refused": func() {
				_, err := h.PutPool(h.t.Context(), m, "wearables", Terms{Effect: Refused})
				try(err)
				said.say(&said.pool, Refused, Terms{}, h.clock.Now())
			},
			"dataset refused": func() {
				if !said.closed {
					_, err := h.PutDataset(h.t.Context(), m, ds, Terms{Effect: Refused})
					try(err)
					said.say(&said.dataset, Refused, Terms{}, h.clock.Now())
				}
			},
			"pool withdrawn": func() {
				if _, err := h.WithdrawPool(h.t.Context(), m, "wearables"); err == nil {
					said.say(&said.pool, policies.Withdrawn, Terms{}, h.clock.Now())
				}
			},
			"dataset withdrawn": func() {
				if _, err := h.WithdrawDataset(h.t.Context(), m, ds); err == nil {
					said.say(&said.dataset, policies.Withdrawn, Terms{}, h.clock.Now())
				}
			},
			"paused":  func() { try(h.Pause(h.t.Context(), m)); said.paused = true },
			"resumed": func() { try(h.Resume(h.t.Context(), m)); said.paused = false },
			"a day":   func() { h.clock.Advance(day) },
			"closed": func() {
				h.update(func(tx *db.Tx) error { return h.Close(tx, ds, h.clock.Now()) })
				said.closed = true
			},
		}
		names := []string{"pool given", "pool given", "dataset given", "dataset given", "pool refused", "dataset refused",
			"pool withdrawn", "dataset withdrawn", "paused", "resumed", "resumed", "a day"}
		for _, name := range rapid.SliceOfN(rapid.SampledFrom(names), 0, 5).Draw(t, "steps") {
			steps[name]()
		}
		hits := rapid.Bool().Draw(t, "hits")
		if hits {
			steps["resumed"]()
			steps["pool given"]()
		}
		if rapid.IntRange(0, 9).Draw(t, "closed") == 0 {
			steps["closed"]()
		}
		a := study()
		a.Purpose.DUO = rapid.SampledFrom(codes(coop.DUOPurposes())).Draw(t, "asked")
		a.Study.Disease = "MONDO:0005148"
		a.Researcher.Kind = rapid.SampledFrom(codes(coop.RequesterKinds())).Draw(t, "asking")
		if t := said.pool.terms; len(t.Purposes) > 0 && len(t.RequesterKinds) > 0 && hits { // so that enough is permitted
			a.Purpose.DUO, a.Researcher.Kind = t.Purposes[0], t.RequesterKinds[0]
		}
		d, p := h.deliver(a, ds)
		want := said.permits(a, h.clock.Now())
		if d.Allow != want || p.Valid(h.clock.Now()) != want || (len(d.Reasons) == 0) != want {
			t.Fatalf("law %v, by hand %v, permit %v: %v; %+v", d.Allow, want, p.Valid(h.clock.Now()), d.Reasons, said)
		}
		if want {
			yes++
		} else {
			no++
		}
	})
	t.Logf("%d permits, %d refusals", yes, no)
	if yes == 0 || no == 0 {
		t.Errorf("%d permits and %d refusals: the property was not tried", yes, no)
	}
	if n := must[int](t)(h.ReplayAll(t.Context())); n == 0 {
		t.Error("nothing to replay")
	}
}
