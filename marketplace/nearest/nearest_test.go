package nearest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/policies"
)

// rule says why a member's datasets do not pass.
type rule = func(consent.Ask) []policies.Reason

func because(code, layer string) policies.Reason {
	return policies.Reason{Code: code, Layer: layer, Sentence: "No."}
}

func unless(ok bool, r policies.Reason) []policies.Reason {
	if ok {
		return nil
	}
	return []policies.Reason{r}
}

// anything allows everything.
func anything(consent.Ask) []policies.Reason { return nil }

// all demands everything of several rules.
func all(rules ...rule) rule {
	return func(a consent.Ask) (out []policies.Reason) {
		for _, r := range rules {
			out = append(out, r(a)...)
		}
		return out
	}
}

func never(consent.Ask) []policies.Reason {
	return unless(false, because("no-consent", policies.LayerMember))
}

func vetted(a consent.Ask) []policies.Reason {
	return unless(a.Researcher.Vetted, because("requester-unvetted", policies.LayerBase))
}

func reviewed(a consent.Ask) []policies.Reason {
	return unless(a.Reviewed, because("coop-look-first", policies.LayerCoop))
}

func notCommercial(a consent.Ask) []policies.Reason {
	return unless(!a.Purpose.Commercial(), because("commercial-not-allowed", policies.LayerMember))
}

func ancestryOnly(a consent.Ask) []policies.Reason {
	return unless(a.Purpose.DUO == "DUO:0000011", because("purpose-not-allowed", policies.LayerMember))
}

func published(a consent.Ask) []policies.Reason {
	return unless(a.Study.Publishes, because("publication-required", policies.LayerMember))
}

func withEthics(a consent.Ask) []policies.Reason {
	return unless(a.Study.Ethics, because("ethics-required", policies.LayerMember))
}

func atMost(days int64) rule {
	return func(a consent.Ask) []policies.Reason {
		return unless(a.RetentionDays <= days, because("coop-too-long", policies.LayerCoop))
	}
}

func atLeast(price coop.Money) rule {
	return func(a consent.Ask) []policies.Reason {
		return unless(a.Price >= price, because("price-too-low", policies.LayerMember))
	}
}

// pool is some members with one dataset each, by what they allow. Its law says
// what they say.
type pool struct {
	rules []rule
	asked int
}

// of makes a pool of n members of each rule.
func of(groups ...any) *pool {
	p := &pool{}
	for i := 0; i < len(groups); i += 2 {
		for range groups[i].(int) {
			p.rules = append(p.rules, groups[i+1].(rule))
		}
	}
	return p
}

func (p *pool) one(_ context.Context, a consent.Ask, class int) (policies.Outcome, error) {
	why := p.rules[class](a)
	return policies.Outcome{Allow: len(why) == 0, Reasons: why}, nil
}

func (p *pool) decide(ctx context.Context, a consent.Ask) (out []policies.Outcome, err error) {
	for i := range p.rules {
		o, _ := p.one(ctx, a, i)
		out = append(out, o)
	}
	return out, nil
}

func (p *pool) passing(ctx context.Context, a consent.Ask) (out []bool, err error) {
	p.asked++
	outcomes, err := p.decide(ctx, a)
	for _, o := range outcomes {
		out = append(out, o.Allow)
	}
	return out, err
}

func (p *pool) law() Law { return Law{Passing: p.passing, Decide: p.decide, One: p.one} }

func (p *pool) question(t *testing.T, a consent.Ask) Question {
	now, _ := p.decide(t.Context(), a)
	q := Question{Ask: a, Now: now, Minimum: 3, Currency: "EUR", Tries: 60}
	for i := range p.rules {
		q.Classes = append(q.Classes, consent.Class{Datasets: 1, Members: []uint32{uint32(i)}})
	}
	return q
}

// wanted is a commercial request of somebody who has been vetted.
func wanted() consent.Ask {
	return consent.Ask{Pool: "wearables", Purpose: coop.Purpose{DUO: "DUO:0000042", DPV: "CommercialResearch"},
		Price: 1000, RetentionDays: 3000, Researcher: consent.Requester{Kind: "company", Vetted: true, Region: "DE"}}
}

func (p *pool) answer(t *testing.T, a consent.Ask) ([]Yield, []Suggestion) {
	t.Helper()
	p.asked = 0
	q := p.question(t, a)
	yields, found, err := Answer(t.Context(), q, p.law())
	if err != nil {
		t.Fatal(err)
	}
	if p.asked > q.Tries {
		t.Errorf("the law was asked %d times", p.asked)
	}
	for _, s := range found {
		p.verify(t, a, s)
	}
	return yields, found
}

// verify decides a suggestion once more.
func (p *pool) verify(t *testing.T, a consent.Ask, s Suggestion) {
	t.Helper()
	a.Purpose, a.RetentionDays, a.Price = coop.Purpose{DUO: s.DUO, DPV: s.DPV}, s.RetentionDays, coop.Money(s.Price)
	a.Researcher.Vetted = a.Researcher.Vetted || slices.Contains(s.Fields, FieldVetted)
	a.Reviewed = a.Reviewed || slices.Contains(s.Fields, FieldReviewed)
	a.Study.Publishes, a.Study.Ethics = slices.Contains(s.Fields, FieldPublishes), slices.Contains(s.Fields, FieldEthics)
	n := 0
	for _, rule := range p.rules {
		if len(rule(a)) == 0 {
			n++
		}
	}
	if n != s.Datasets || len(s.Fields) == 0 || len(s.Layers) == 0 || !strings.Contains(s.Sentence, fmt.Sprint(n, " datasets would pass")) {
		t.Errorf("%d pass, and the suggestion is %+v", n, s)
	}
}

func TestTheSmallestChangeIsFoundForEachLayer(t *testing.T) {
	unvetted := wanted()
	unvetted.Researcher.Vetted = false
	for name, c := range map[string]struct {
		pool   *pool
		ask    consent.Ask
		fields string
		layers string
		says   string
	}{
		"non-commercial": {of(4, anything, 5, notCommercial), wanted(), "[dpv]", "[member]",
			"With the use “research at a university or public institute” instead of “research by or for a company”, 9 datasets would pass, 5 of them newly."},
		"another purpose":   {of(4, anything, 5, ancestryOnly), wanted(), "[duo]", "[member]", "research about where populations come from"},
		"shorter, one step": {of(4, anything, 5, atMost(1825)), wanted(), "[retention_days]", "[coop]", "copies kept for 1825 days instead of 3000"},
		"shorter, far":      {of(4, anything, 5, atMost(31)), wanted(), "[retention_days]", "[coop]", "copies kept for 30 days instead of 3000"},
		"a higher price":    {of(4, anything, 5, atLeast(1500)), wanted(), "[price]", "[member]", "a price of 15.00 EUR for a dataset instead of 10.00 EUR (the co-op sets it)"},
		"vetted first":      {of(5, vetted), unvetted, "[vetted]", "[base]", "With the co-op having vetted who asks, 5 datasets would pass."},
		"reviewed first":    {of(4, anything, 3, reviewed), wanted(), "[reviewed]", "[coop]", "a steward having looked at the request"},
		"published":         {of(4, anything, 5, published), wanted(), "[study.publishes]", "[member]", "With the results published, 9 datasets would pass"},
		"an ethics board":   {of(4, anything, 5, all(withEthics, reviewed)), wanted(), "[reviewed study.ethics]", "[coop member]", "the approval of an ethics board"},
		"two at once":       {of(4, anything, 5, all(vetted, notCommercial)), unvetted, "[dpv vetted]", "[base member]", " and the co-op having vetted who asks"},
		"one of many helps": {of(4, anything, 9, never, 5, notCommercial), wanted(), "[dpv]", "[member]", "9 datasets would pass"},
		"more beats fewer":  {of(4, anything, 3, ancestryOnly, 5, notCommercial), wanted(), "[dpv]", "[member]", "9 datasets"},
	} {
		t.Run(name, func(t *testing.T) {
			_, found := c.pool.answer(t, c.ask)
			if len(found) != 1 || fmt.Sprint(found[0].Fields) != c.fields || fmt.Sprint(found[0].Layers) != c.layers || !strings.Contains(found[0].Sentence, c.says) {
				t.Errorf("%+v", found)
			}
		})
	}
}

// A layer that stood in the way of few members only is not named.
func TestALayerOfFewMembersIsNotNamed(t *testing.T) {
	voted := func(a consent.Ask) []policies.Reason {
		return unless(!a.Purpose.Commercial(), because("coop-no-commerce", policies.LayerCoop))
	}
	_, found := of(4, anything, 3, notCommercial, 2, all(notCommercial, voted)).answer(t, wanted())
	if len(found) != 1 || fmt.Sprint(found[0].Layers) != "[member]" || found[0].More != 5 {
		t.Errorf("%+v", found)
	}
}

func TestEachLayerHasItsOwnChange(t *testing.T) {
	_, found := of(4, anything, 4, atMost(365), 4, notCommercial).answer(t, wanted())
	if len(found) != 2 || fmt.Sprint(found[0].Layers, found[0].Fields, found[1].Layers, found[1].Fields) != "[coop] [retention_days] [member] [dpv]" {
		t.Errorf("%+v", found)
	}
}

// Fewer members than the minimum are never told apart, whichever side they are
// on: those who would join, those who would leave, and those who would remain.
func TestNothingIsSaidAboutFewMembers(t *testing.T) {
	onlyCommercial := func(a consent.Ask) []policies.Reason {
		return unless(a.Purpose.Commercial(), because("use-not-allowed", policies.LayerMember))
	}
	for name, p := range map[string]*pool{
		"one would join":              of(5, anything, 1, notCommercial),
		"two would join":              of(5, anything, 2, notCommercial),
		"one would leave":             of(5, anything, 5, notCommercial, 1, onlyCommercial),
		"more would leave than join":  of(3, anything, 3, notCommercial, 4, onlyCommercial),
		"one would remain":            of(5, anything, 5, notCommercial, 1, never),
		"two would remain":            of(5, anything, 5, notCommercial, 2, never),
		"one would join those hidden": of(2, anything, 1, notCommercial),
		"too few pass even then":      of(1, anything, 1, notCommercial),
		"one short of the time":       of(5, anything, 1, atMost(365)),
		"one above the price":         of(5, anything, 1, atLeast(1100)),
		"nobody":                      of(),
		"nothing to gain":             of(5, anything),
		"nothing helps":               of(5, anything, 5, never),
	} {
		t.Run(name, func(t *testing.T) {
			if _, found := p.answer(t, wanted()); len(found) > 0 {
				t.Errorf("%+v", found)
			}
		})
	}
}

// What other purposes would pass tells no more: a figure that differs by one
// member from the figure of the request is kept back.
func TestOtherPurposesSingleNobodyOut(t *testing.T) {
	academic := coop.Purpose{DUO: "DUO:0000042", DPV: "AcademicResearch"}
	for name, c := range map[string]struct {
		pool *pool
		told bool
	}{
		"as many":        {of(5, anything), true},
		"three more":     {of(5, anything, 3, notCommercial), true},
		"one more":       {of(5, anything, 1, notCommercial), false},
		"two of three":   {of(1, anything, 1, notCommercial), false},
		"few, then many": {of(2, anything, 3, notCommercial), true},
	} {
		t.Run(name, func(t *testing.T) {
			yields, _ := c.pool.answer(t, wanted())
			told := slices.ContainsFunc(yields, func(y Yield) bool { return y.Purpose == academic })
			if told != c.told {
				t.Errorf("%+v", yields)
			}
		})
	}
}

func TestWhatPassesNowIsNotGivenAwayByTheGain(t *testing.T) {
	_, found := of(2, anything, 6, notCommercial).answer(t, wanted())
	if len(found) != 1 || found[0].Datasets != 8 || found[0].More != 8 || strings.Contains(found[0].Sentence, "newly") {
		t.Errorf("how many pass now can be computed: %+v", found)
	}
}

// Two figures of one answer do not differ by few members either: what only the
// difference of two other purposes would show is kept back.
func TestTwoFiguresOfOneAnswerSingleNobodyOut(t *testing.T) {
	only := func(duo string) rule {
		return func(a consent.Ask) []policies.Reason {
			return unless(a.Purpose.DUO == duo, because("purpose-not-allowed", policies.LayerMember))
		}
	}
	also := func(duos ...string) rule {
		return func(a consent.Ask) []policies.Reason {
			return unless(slices.Contains(duos, a.Purpose.DUO), because("purpose-not-allowed", policies.LayerMember))
		}
	}
	population, ancestry := "DUO:0000006", "DUO:0000011"
	for name, c := range map[string]struct {
		pool   *pool
		yields int
	}{
		"both pass the same":  {of(4, anything, 3, also(population, ancestry)), 2},
		"each its own three":  {of(4, anything, 3, only(population), 3, only(ancestry)), 2},
		"one member differs":  {of(4, anything, 3, also(population, ancestry), 1, only(ancestry)), 1},
		"two pass one of two": {of(4, anything, 3, only(population), 2, only(ancestry), 3, also(population, ancestry)), 1},
	} {
		t.Run(name, func(t *testing.T) {
			yields, found := c.pool.answer(t, wanted())
			told := map[string]int{}
			for _, y := range yields {
				if y.Purpose.DUO == population || y.Purpose.DUO == ancestry {
					told[y.Purpose.DUO] = y.Datasets
				}
			}
			for _, s := range found {
				if told[s.DUO] != s.Datasets {
					t.Errorf("suggested %+v, told %v", s, told)
				}
			}
			if len(told) != c.yields {
				t.Errorf("%+v", yields)
			}
		})
	}
}

func TestACohortThatCannotBeDecidedIsAnError(t *testing.T) {
	broken := errors.New("no law")
	law := of(4, anything, 5, notCommercial).law()
	law.Passing = func(context.Context, consent.Ask) ([]bool, error) { return nil, broken }
	_, _, err := Answer(t.Context(), Question{Ask: wanted(), Minimum: 3, Tries: 60}, law)
	if !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

// A suggestion is decided once more, in full: where the law does not bear it out
// there is no answer.
func TestASuggestionTheLawDoesNotBearOutIsNotMade(t *testing.T) {
	p := of(4, anything, 5, notCommercial)
	law := p.law()
	law.Decide = func(ctx context.Context, a consent.Ask) ([]policies.Outcome, error) {
		out, err := p.decide(ctx, a)
		out[7].Allow = false
		return out, err
	}
	if _, found, err := Answer(t.Context(), p.question(t, wanted()), law); !errors.Is(err, errUnproved) {
		t.Errorf("%+v, %v", found, err)
	}
}

func TestFewTriesAreKept(t *testing.T) {
	p := of(4, anything, 5, notCommercial)
	q := p.question(t, wanted())
	q.Tries = 3
	if _, _, err := Answer(t.Context(), q, p.law()); err != nil || p.asked != 3 {
		t.Errorf("asked %d times, %v", p.asked, err)
	}
}

func TestTheSameCohortGetsTheSameAnswer(t *testing.T) {
	p := of(4, anything, 4, atMost(365), 4, notCommercial, 3, ancestryOnly, 3, all(notCommercial, atMost(90)))
	_, want := p.answer(t, wanted())
	for range 5 {
		if _, got := p.answer(t, wanted()); !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v\n%+v", want, got)
		}
	}
}
