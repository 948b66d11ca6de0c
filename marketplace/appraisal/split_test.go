package appraisal

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
)

func law() coop.Charter {
	return coop.Charter{
		Split: coop.Split{Data: 700, Work: 200, Governance: 100,
			Least: &coop.Parts{Data: 400, Work: 50, Governance: 50}, Most: &coop.Parts{Data: 900, Work: 400, Governance: 300}},
		Classes: map[string]coop.Class{coop.ClassStatement: {SupportPermille: 500, ApprovalPermille: 150}},
	}
}

// voted has three of four members divide the members' part otherwise.
func voted(ev Evidence, p Params) Params {
	return p.Voted(ev.Period, BallotsOf(law(), 4, []Cut{{600, 150, 250}, {500, 100, 400}, {650, 50, 300}}))
}

// What is signed cannot be mended later, so one is not said as "1 points".
func TestSentencesThatCountToOneAreSaidAsSuch(t *testing.T) {
	ev, p := example()
	ev.Duties[0].Points = 1
	op := &Opinion{Scores: []Score{{Dossier: DossierID(ev.Salt, KindWork, "w2"), Score: 1000, Flag: FlagSuspect}}}
	text := string(bundle(t, ev, voted(ev, p), op))
	for _, want := range []string{
		"One dossier was flagged for people to look at; it cost nobody anything.",
		"Work (document) accepted with one size point.", "Work (git) accepted with 3 size points.",
		"A duty (review) completed, worth one fixed point.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("not said: %s", want)
		}
	}
	for _, never := range []string{"1 size point", "1 fixed point", `"1 dossier`, `"1 member`, " 1 days"} {
		if strings.Contains(text, never) {
			t.Errorf("said: %s", never)
		}
	}
}

func TestTheMiddleOfWhatMembersSaidDividesTheirPart(t *testing.T) {
	free := law()
	free.Split.Least, free.Split.Most = nil, nil
	tight := law()
	tight.Split.Least, tight.Split.Most = &coop.Parts{Data: 690, Work: 150, Governance: 90}, &coop.Parts{Data: 710, Work: 220, Governance: 130}
	own := Cut{700, 100, 200}
	said := func(list ...Cut) []Cut { return list }
	for name, c := range map[string]struct {
		charter coop.Charter
		members int
		said    []Cut
		median  Cut
		want    Cut
		counts  bool
	}{
		"nobody":                              {law(), 5, nil, own, own, false},
		"two of two are too few":              {law(), 2, said(Cut{500, 250, 250}, Cut{500, 250, 250}), own, own, false},
		"three of three":                      {law(), 3, said(Cut{500, 250, 250}, Cut{500, 250, 250}, Cut{500, 250, 250}), Cut{500, 250, 250}, Cut{500, 250, 250}, true},
		"three of 20 are 15 %":                {law(), 20, said(Cut{500, 250, 250}, Cut{500, 250, 250}, Cut{500, 250, 250}), Cut{500, 250, 250}, Cut{500, 250, 250}, true},
		"three of 21 are less":                {law(), 21, said(Cut{500, 250, 250}, Cut{500, 250, 250}, Cut{500, 250, 250}), own, own, false},
		"odd: the middle of each part":        {law(), 3, said(Cut{800, 100, 100}, Cut{600, 200, 200}, Cut{500, 150, 350}), Cut{600, 150, 200}, Cut{632, 158, 210}, true},
		"even: the lower of two":              {law(), 4, said(Cut{600, 200, 200}, Cut{600, 200, 200}, Cut{800, 100, 100}, Cut{800, 100, 100}), Cut{600, 100, 100}, Cut{750, 125, 125}, true},
		"one who exaggerates":                 {free, 3, said(Cut{700, 100, 200}, Cut{700, 100, 200}, Cut{0, 1000, 0}), own, own, true},
		"who exaggerates more moves no more":  {free, 3, said(Cut{600, 200, 200}, Cut{700, 100, 200}, Cut{1000, 0, 0}), Cut{700, 100, 200}, own, true},
		"who exaggerates less moves as much":  {free, 3, said(Cut{600, 200, 200}, Cut{700, 100, 200}, Cut{701, 99, 200}), Cut{700, 100, 200}, own, true},
		"bounds hold what the middle leaves":  {tight, 3, said(Cut{500, 250, 250}, Cut{500, 250, 250}, Cut{500, 250, 250}), Cut{500, 250, 250}, Cut{690, 130, 180}, true},
		"nothing in the middle of every part": {free, 3, said(Cut{1000, 0, 0}, Cut{0, 1000, 0}, Cut{0, 0, 1000}), Cut{}, own, false},
		"one part takes all":                  {free, 3, said(Cut{1000, 0, 0}, Cut{1000, 0, 0}, Cut{0, 0, 1000}), Cut{1000, 0, 0}, Cut{1000, 0, 0}, true},
	} {
		b := BallotsOf(c.charter, c.members, c.said)
		if err := b.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := b.Count("P0001"); got != c.want || b.Median() != c.median || b.Counts() != c.counts {
			t.Errorf("%s: %+v from %+v (%v), want %+v from %+v", name, got, b.Median(), b.Counts(), c.want, c.median)
		}
	}
}

// However few of many say whatever, a figure stays between two that sincere
// members named, the parts add up and the bounds hold.
func TestAMinorityMovesNoMedianBeyondTheOthers(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 7))
	random := func() Cut {
		d, w, g := thirds(rnd)
		return Cut{d, w, g}
	}
	for n := range 3000 {
		honest := make([]Cut, 3+rnd.IntN(20))
		for i := range honest {
			honest[i] = random()
		}
		all := slices.Clone(honest)
		for range rnd.IntN(len(honest)) {
			all = append(all, pick(rnd, []Cut{{1000, 0, 0}, {0, 1000, 0}, {0, 0, 1000}, random()}))
		}
		b := BallotsOf(law(), len(all), all)
		m, got := b.Median(), b.Count(fmt.Sprint(n))
		for _, of := range []func(Cut) int64{func(c Cut) int64 { return c.Data }, func(c Cut) int64 { return c.Work }, func(c Cut) int64 { return c.Governance }} {
			low, high := int64(1000), int64(0)
			for _, c := range honest {
				low, high = min(low, of(c)), max(high, of(c))
			}
			if of(m) < low || of(m) > high {
				t.Fatalf("%d is not between %d and %d", of(m), low, high)
			}
		}
		if !got.Valid() || b.Counts() && !got.Within(b.Least, b.Most) {
			t.Fatalf("%+v counts to %+v", b, got)
		}
		rnd.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		if again := BallotsOf(law(), len(all), all); again.Count(fmt.Sprint(n)) != got {
			t.Fatal("the order of the ballots matters")
		}
	}
}

func TestBallotsAreCountedAgain(t *testing.T) {
	ev, p := example()
	text := bundle(t, ev, voted(ev, p), nil)
	if err := Verify(text); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][2]string{
		"a figure":            {`{"data":600,"governance":150,"work":250}`, `{"data":601,"governance":149,"work":250}`},
		"a figure that moves": {`{"data":500,"governance":100,"work":400}`, `{"data":501,"governance":100,"work":399}`},
		"no whole":            {`{"data":600,"governance":150,"work":250}`, `{"data":601,"governance":150,"work":250}`},
		"one ballot fewer":    {`{"data":500,"governance":100,"work":400},`, ``},
		"more members":        {`"electorate":4`, `"electorate":40`},
		"a bound":             {`"least":{"data":400`, `"least":{"data":401`},
		"the quorum":          {`"approval":150`, `"approval":151`},
		"the charter's":       {`"charter":{"data":700,"governance":100,"work":200}`, `"charter":{"data":699,"governance":101,"work":200}`},
		"another order":       {`{"data":500,"governance":100,"work":400},{"data":600,"governance":150,"work":250}`, `{"data":600,"governance":150,"work":250},{"data":500,"governance":100,"work":400}`},
	} {
		if bad := bytes.Replace(text, []byte(change[0]), []byte(change[1]), 1); bytes.Equal(bad, text) {
			t.Errorf("%s: nothing was changed in %s", name, text)
		} else if err := Verify(bad); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	other := voted(ev, p)
	other.Data, other.Work = other.Data+1, other.Work-1
	if _, err := NewBundle(ev, other, nil); !errors.Is(err, errParams) {
		t.Errorf("a split that nobody voted: %v", err)
	}
}
