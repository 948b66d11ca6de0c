package consent

import (
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
)

const day = 24 * time.Hour

func TestNothingIsReleasedWithoutAnAnswer(t *testing.T) {
	h := open(t)
	h.refused(study(), h.share(newMember(), "wearables"), "no-consent")
}

func TestPoolConsentCoversDatasetsNowAndLater(t *testing.T) {
	h, m := open(t), newMember()
	before := h.share(m, "wearables")
	must[Record](t)(h.PutPool(t.Context(), m, "wearables", agree()))
	after := h.share(m, "wearables")
	h.released(study(), before)
	h.released(study(), after)
}

func TestConsentOfOneIsNotConsentOfAnother(t *testing.T) {
	h, m, other := open(t), newMember(), newMember()
	theirs := h.share(other, "wearables")
	must[Record](t)(h.PutPool(t.Context(), m, "wearables", agree()))
	h.refused(study(), theirs, "no-consent")
	_, err := h.PutDataset(t.Context(), m, theirs, agree())
	wants(t, err, ErrNoDataset)
	_, err = h.WithdrawDataset(t.Context(), m, theirs)
	wants(t, err, ErrNoDataset)
	_, _, err = h.Dataset(t.Context(), m, theirs)
	wants(t, err, ErrNoDataset)
}

func TestConsentForOnePoolIsNotForAnother(t *testing.T) {
	h, m := open(t), newMember()
	ds := h.share(m, "glucose")
	must[Record](t)(h.PutPool(t.Context(), m, "wearables", agree()))
	a := study()
	a.Pool = "glucose"
	h.refused(a, ds, "no-consent")
	h.refused(study(), ds, "pool-mismatch", "no-consent")
}

func TestDatasetAnswerReplacesThePools(t *testing.T) {
	h, m := open(t), newMember()
	wide, shut := h.share(m, "wearables"), h.share(m, "wearables")
	must[Record](t)(h.PutPool(t.Context(), m, "wearables", agree()))
	must[Record](t)(h.PutDataset(t.Context(), m, shut, Terms{Effect: Refused}))
	h.released(study(), wide)
	h.refused(study(), shut, "consent-refused")
	must[Record](t)(h.PutPool(t.Context(), m, "wearables", agree()))
	h.refused(study(), shut, "consent-refused") // a wider answer does not undo a narrower no
	must[Record](t)(h.PutDataset(t.Context(), m, shut, agree()))
	h.released(study(), shut)
}

func TestRefusingThePoolLaterStopsItsDatasetsToo(t *testing.T) {
	h, m := open(t), newMember()
	ds := h.share(m, "wearables")
	must[Record](t)(h.PutDataset(t.Context(), m, ds, agree()))
	must[Record](t)(h.PutPool(t.Context(), m, "wearables", Terms{Effect: Refused}))
	h.refused(study(), ds, "consent-refused")
	must[Record](t)(h.PutDataset(t.Context(), m, ds, agree()))
	h.released(study(), ds) // said after the refusal, and for this one
}

func TestWithdrawalStopsDelivery(t *testing.T) {
	h, m := open(t), newMember()
	ds := h.share(m, "wearables")
	must[Record](t)(h.PutPool(t.Context(), m, "wearables", agree()))
	h.released(study(), ds)
	r := must[Record](t)(h.WithdrawPool(t.Context(), m, "wearables"))
	if r.State != StateWithdrawn || r.WithdrawnAt != h.now() {
		t.Errorf("%+v", r)
	}
	h.refused(study(), ds, "consent-withdrawn")
	_, err := h.WithdrawPool(t.Context(), m, "wearables")
	wants(t, err, ErrNotGiven)
	h.clock.Advance(-time.Hour) // a clock that jumps back revives nothing
	h.refused(study(), ds, "dataset-not-sealed", "consent-withdrawn")
}

func TestWithdrawingThePoolStopsDatasetsWithAnAnswerOfTheirOwn(t *testing.T) {
	h, m := open(t), newMember()
	ds := h.share(m, "wearables")
	must[Record](t)(h.PutDataset(t.Context(), m, ds, agree()))
	must[Record](t)(h.WithdrawPool(t.Context(), m, "wearables"))
	h.refused(study(), ds, "consent-withdrawn")
}

func TestWithdrawingOneDatasetLeavesTheOthers(t *testing.T) {
	h, m := open(t), newMember()
	one, two := h.share(m, "wearables"), h.share(m, "wearables")
	must[Record](t)(h.PutPool(t.Context(), m, "wearables", agree()))
	must[Record](t)(h.WithdrawDataset(t.Context(), m, one))
	h.refused(study(), one, "consent-withdrawn")
	h.released(study(), two)
	must[Record](t)(h.PutPool(t.Context(), m, "wearables", agree()))
	h.refused(study(), one, "consent-withdrawn")
}

func TestNothingToWithdraw(t *testing.T) {
	h, m := open(t), newMember()
	ds := h.share(m, "wearables")
	_, err := h.WithdrawPool(t.Context(), m, "wearables")
	wants(t, err, ErrNotGiven)
	_, err = h.WithdrawDataset(t.Context(), m, ds)
	wants(t, err, ErrNotGiven)
	must[Record](t)(h.PutPool(t.Context(), m, "wearables", Terms{Effect: Refused}))
	_, err = h.WithdrawPool(t.Context(), m, "wearables")
	wants(t, err, ErrNotGiven)
}

func TestConsentRunsOutToTheMillisecond(t *testing.T) {
	h, m := open(t), newMember()
	ds := h.share(m, "wearables")
	terms := agree()
	terms.Days = 30
	must[Record](t)(h.PutPool(t.Context(), m, "wearables", terms))
	h.clock.Advance(30*day - time.Millisecond)
	h.released(study(), ds)
	h.clock.Advance(time.Millisecond)
	h.refused(study(), ds, "consent-expired")
	if r, ok, err := h.Pool(t.Context(), m, "wearables"); err != nil || !ok || r.State != StateExpired {
		t.Errorf("%+v %v %v", r, ok, err)
	}
	must[Record](t)(h.PutPool(t.Context(), m, "wearables", terms))
	h.released(study(), ds)
}

func TestPauseAllStopsEverybodyAndEachResumesAlone(t *testing.T) {
	h := open(t)
	sharing, resumed, paused := newMember(), newMember(), newMember()
	data := map[coop.MemberID]coop.DatasetID{}
	for _, m := range []coop.MemberID{sharing, resumed, paused} {
		data[m] = h.share(m, "wearables")
		must[Record](t)(h.PutPool(t.Context(), m, "wearables", agree()))
		h.released(study(), data[m])
	}
	if err := h.Pause(t.Context(), paused); err != nil {
		t.Fatal(err)
	}
	silent := newMember()
	h.share(silent, "wearables") // has a dataset and never answered
	var n int
	h.update(func(tx *db.Tx) (err error) { n, err = h.PauseAll(tx); return err })
	if n != 4 {
		t.Errorf("%d members were paused", n)
	}
	for _, ds := range data {
		h.refused(study(), ds, "member-paused")
	}
	if err := h.Resume(t.Context(), resumed); err != nil {
		t.Fatal(err)
	}
	h.released(study(), data[resumed])
	h.refused(study(), data[sharing], "member-paused")
}

// TestAPauseOfSomebodyElsesEndsAlone: what was said about pausing since then
// counts more, by the member or by a restore.
func TestAPauseOfSomebodyElsesEndsAlone(t *testing.T) {
	h, m := open(t), newMember()
	ds := h.share(m, "wearables")
	must[Record](t)(h.PutPool(t.Context(), m, "wearables", agree()))
	pause := func() (at int64) {
		h.update(func(tx *db.Tx) error { return h.SetPausedTx(tx, m, true) })
		h.update(func(tx *db.Tx) (err error) { at, _, err = h.NewestPause(tx, m); return err })
		h.refused(study(), ds, "member-paused")
		return at
	}
	resume := func(pause int64) {
		h.update(func(tx *db.Tx) error {
			at, _, err := h.NewestPause(tx, m)
			if err == nil && at == pause {
				err = h.SetPausedTx(tx, m, false)
			}
			return err
		})
	}
	resume(pause())
	h.released(study(), ds)
	for name, since := range map[string]func() error{
		"the member's pause": func() error { return h.Pause(t.Context(), m) },
		"a restore":          func() error { h.update(func(tx *db.Tx) error { _, err := h.PauseAll(tx); return err }); return nil },
		"another's pause": func() error {
			if err := h.Resume(t.Context(), m); err != nil {
				return err
			}
			pause()
			return nil
		},
	} {
		t.Run(name, func(*testing.T) {
			at := pause()
			if err := since(); err != nil {
				t.Fatal(err)
			}
			resume(at)
			h.refused(study(), ds, "member-paused")
			if err := h.Resume(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			h.released(study(), ds)
		})
	}
}

func TestPauseStopsEverythingAndForgetsNothing(t *testing.T) {
	h, m := open(t), newMember()
	ds := h.share(m, "wearables")
	must[Record](t)(h.PutDataset(t.Context(), m, ds, agree()))
	for range 2 {
		if err := h.Pause(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	h.refused(study(), ds, "member-paused")
	must[Record](t)(h.PutDataset(t.Context(), m, ds, agree()))
	h.refused(study(), ds, "member-paused") // consent does not end a pause
	for range 2 {
		if err := h.Resume(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	h.released(study(), ds)
	wants(t, h.Pause(t.Context(), "nobody"), ErrNoMember)
}

func TestRevokedDatasetIsNeverReleasedAndTakesNoAnswer(t *testing.T) {
	h, m := open(t), newMember()
	ds := h.share(m, "wearables")
	must[Record](t)(h.PutDataset(t.Context(), m, ds, agree()))
	h.update(func(tx *db.Tx) error { return h.Close(tx, ds, h.clock.Now()) })
	h.refused(study(), ds, "dataset-closed")
	h.update(func(tx *db.Tx) error { return h.Close(tx, ds, h.clock.Now().Add(day)) })
	h.refused(study(), ds, "dataset-closed") // closing later does not open it again
	_, err := h.PutDataset(t.Context(), m, ds, agree())
	wants(t, err, ErrRevoked)
	if kindOf(err) != fault.Gone {
		t.Errorf("kind %v", kindOf(err))
	}
	err = h.db.Update(t.Context(), func(tx *db.Tx) error { return h.Close(tx, coop.DatasetID(coop.NewID()), h.clock.Now()) })
	wants(t, err, ErrNoDataset)
}

func TestEnrolmentIsCheckedAndHappensOnce(t *testing.T) {
	h := open(t)
	good := Enrolment{Dataset: coop.DatasetID(coop.NewID()), Member: newMember(), Pool: "wearables", Region: "DE", Sealed: h.now()}
	enrol := func(e Enrolment) error {
		return h.db.Update(t.Context(), func(tx *db.Tx) error { return h.Enrol(tx, e) })
	}
	for name, change := range map[string]func(*Enrolment){
		"no dataset":            func(e *Enrolment) { e.Dataset = "" },
		"no member":             func(e *Enrolment) { e.Member = "me" },
		"a pool in capitals":    func(e *Enrolment) { e.Pool = "Wearables" },
		"never sealed":          func(e *Enrolment) { e.Sealed = 0 },
		"sealed at world's end": func(e *Enrolment) { e.Sealed = coop.Forever },
		"a country by name":     func(e *Enrolment) { e.Region = "Germany" },
		"too many categories":   func(e *Enrolment) { e.Categories = make([]string, 33) },
		"an empty category":     func(e *Enrolment) { e.Categories = []string{""} },
		"a category of code":    func(e *Enrolment) { e.Categories = []string{"x\"}"} },
	} {
		e := good
		if change(&e); kindOf(enrol(e)) != fault.Invalid {
			t.Errorf("enrolled with %s", name)
		}
	}
	if err := enrol(good); err != nil {
		t.Fatal(err)
	}
	wants(t, enrol(good), ErrEnrolledBy)
	thief := good
	thief.Member = newMember()
	wants(t, enrol(thief), ErrEnrolledBy)
}

func TestAnswersToWrongPlacesAreRefused(t *testing.T) {
	h, m := open(t), newMember()
	_, err := h.PutPool(t.Context(), "me", "wearables", agree())
	wants(t, err, ErrNoMember)
	_, err = h.PutPool(t.Context(), m, "Wear ables", agree())
	wants(t, err, ErrNoPool)
	_, err = h.PutDataset(t.Context(), m, coop.DatasetID(coop.NewID()), agree())
	wants(t, err, ErrNoDataset)
	_, err = h.PutPool(t.Context(), m, "wearables", Terms{})
	wants(t, err, ErrTerms)
	if list := must[[]Record](t)(h.History(t.Context(), m)); len(list) != 0 {
		t.Errorf("a refused answer was recorded: %+v", list)
	}
}

func TestRecordsAreOnlyEverAppended(t *testing.T) {
	h, m := open(t), newMember()
	ds := h.share(m, "wearables")
	first := must[Record](t)(h.PutPool(t.Context(), m, "wearables", agree()))
	h.clock.Advance(time.Minute)
	second := must[Record](t)(h.PutPool(t.Context(), m, "wearables", Terms{Effect: Refused}))
	third := must[Record](t)(h.PutDataset(t.Context(), m, ds, agree()))
	history := must[[]Record](t)(h.History(t.Context(), m))
	if len(history) != 3 || history[0].ID != first.ID || history[0].State != StateGiven || first.Seq >= second.Seq || second.Seq >= third.Seq {
		t.Errorf("%+v", history)
	}
	list := must[[]Record](t)(h.List(t.Context(), m))
	if len(list) != 2 || list[0].ID != second.ID || list[1].ID != third.ID {
		t.Errorf("%+v", list)
	}
	if n := must[int64](t)(h.log.Verify(t.Context())); n != 3 {
		t.Errorf("%d entries in the audit log", n)
	}
	if list := must[[]Record](t)(h.List(t.Context(), newMember())); len(list) != 0 {
		t.Errorf("a stranger has %+v", list)
	}
}

func TestTermsThatMakeNoSenseAreRefused(t *testing.T) {
	long := make([]string, 40)
	for i := range long {
		long[i] = "DE"
	}
	for name, change := range map[string]func(*Terms){
		"no answer":                func(t *Terms) { t.Effect = "" },
		"an answer in between":     func(t *Terms) { t.Effect = "maybe" },
		"withdrawn from the start": func(t *Terms) { t.Effect = "withdrawn" },
		"a partial refusal":        func(t *Terms) { t.Effect = Refused },
		"no purpose":               func(t *Terms) { t.Purposes = nil },
		"an empty purpose":         func(t *Terms) { t.Purposes = []string{""} },
		"an unknown purpose":       func(t *Terms) { t.Purposes = []string{"DUO:0000099"} },
		"a modifier as a purpose":  func(t *Terms) { t.Purposes = []string{"DUO:0000046"} },
		"an unknown exception":     func(t *Terms) { t.Except = []string{"everything"} },
		"an exception of it all":   func(t *Terms) { t.Except = []string{"DUO:0000006"} },
		"an exception of its part": func(t *Terms) { t.Purposes, t.Except = []string{"DUO:0000011"}, []string{"DUO:0000042"} },
		"an unknown use":           func(t *Terms) { t.DPV = []string{"Curiosity"} },
		"advertising":              func(t *Terms) { t.DPV = []string{"Marketing"} },
		"selling on":               func(t *Terms) { t.DPV = []string{"AcademicResearch", "SellDataToThirdParties"} },
		"commerce without":         func(t *Terms) { t.DPV = []string{"CommercialResearch"} },
		"nobody":                   func(t *Terms) { t.RequesterKinds = nil },
		"an unknown kind":          func(t *Terms) { t.RequesterKinds = []string{"agency"} },
		"a country by name":        func(t *Terms) { t.Regions = []string{"Germany"} },
		"a country in small":       func(t *Terms) { t.Regions = []string{"de"} },
		"a list too long":          func(t *Terms) { t.Regions = long },
		"a negative price":         func(t *Terms) { t.MinPrice = -1 },
		"a price nobody has":       func(t *Terms) { t.MinPrice = 1 << 60 },
		"negative days":            func(t *Terms) { t.Days = -1 },
		"more days than a life":    func(t *Terms) { t.Days = 1 << 40 },
	} {
		terms := agree()
		change(&terms)
		err := terms.Validate()
		wants(t, err, ErrTerms)
		if err == nil {
			t.Errorf("%s was accepted", name)
		} else if kindOf(err) != fault.Invalid {
			t.Errorf("%s: kind %v", name, kindOf(err))
		}
	}
	for _, good := range []Terms{
		agree(), {Effect: Refused},
		{Effect: Given, Purposes: []string{"DUO:0000042"}, Except: []string{"DUO:0000011"}, RequesterKinds: []string{"company"}, Commercial: true, DPV: []string{"CommercialResearch"}, Regions: []string{"EU", "CH"}, MinPrice: 100, Days: 3660},
	} {
		if err := good.Validate(); err != nil {
			t.Errorf("%+v: %v", good, err)
		}
	}
}

func TestExceptionStopsWhatItTouches(t *testing.T) {
	h, m := open(t), newMember()
	ds := h.share(m, "wearables")
	terms := agree()
	terms.Purposes, terms.Except = []string{"DUO:0000042"}, []string{"DUO:0000007"}
	must[Record](t)(h.PutPool(t.Context(), m, "wearables", terms))
	for _, duo := range []string{"DUO:0000007", "DUO:0000006", "DUO:0000042"} {
		a := study()
		a.Purpose.DUO = duo
		h.refused(a, ds, "purpose-refused")
	}
	a := study()
	a.Purpose.DUO = "DUO:0000011"
	h.released(a, ds)
}

func TestSentencesSayWhatIsAllowedAndWhatIsRefused(t *testing.T) {
	terms := Terms{Effect: Given, Purposes: []string{"DUO:0000006", "DUO:0000043"}, Except: []string{"DUO:0000007"},
		RequesterKinds: []string{"university", "company"}, Regions: []string{"EU"}, Commercial: true, MinPrice: 250, Days: 365}
	text := strings.Join(terms.Sentences("EUR"), " ")
	for _, part := range []string{
		"You allow research about health or caring for patients.", "You refuse research about one disease",
		"a university or research institute or a company", "You allow commercial use.", "outside EU",
		"less than 2.50 EUR", "365 days", "Advertising",
	} {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing in %q", part, text)
		}
	}
	if got := (Terms{Effect: Refused}).Sentences("EUR"); len(got) != 1 || got[0] != "You refuse every use." {
		t.Errorf("%q", got)
	}
	if got := strings.Join(agree().Sentences("EUR"), " "); !strings.Contains(got, "You refuse commercial use.") || !strings.Contains(got, "until you change") {
		t.Errorf("%q", got)
	}
}
