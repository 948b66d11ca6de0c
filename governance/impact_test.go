package governance

import (
	"slices"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/governance/trial"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

// share gives each member a dataset and consent for anybody.
func (w *world) share(members ...coop.MemberID) {
	w.t.Helper()
	for _, m := range members {
		_, err := w.Consent.PutPool(w.t.Context(), m, "wearables", consent.Terms{
			Effect: consent.Given, Purposes: []string{"DUO:0000042"},
			RequesterKinds: []string{"university", "company"}, Commercial: true,
		})
		must(w.t, err)
		must(w.t, w.DB.Update(w.t.Context(), func(tx *db.Tx) error {
			return w.Consent.Enrol(tx, consent.Enrolment{
				Dataset: coop.DatasetID(coop.NewID()), Member: m, Pool: "wearables", Region: "DE", Sealed: w.now(),
			})
		}))
	}
}

// ask has the datasets decided for a researcher of a kind.
func (w *world) ask(kind, dpv string) consent.Cohort {
	w.t.Helper()
	a := consent.Ask{
		Request:    coop.RequestID(coop.NewID()),
		Researcher: consent.Requester{ID: coop.ResearcherID(coop.NewID()), Kind: kind, Vetted: true, Region: "DE"},
		Pool:       "wearables", Purpose: coop.Purpose{DUO: "DUO:0000042", DPV: dpv},
		Price: 1275, RetentionDays: 30,
	}
	var c consent.Cohort
	must(w.t, w.DB.Update(w.t.Context(), func(tx *db.Tx) (err error) {
		c, err = w.Consent.DecideCohort(tx, a)
		return err
	}))
	return c
}

func TestMembersSeeWhatAPolicyWouldHaveMeant(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(4)
	w.share(ids[:3]...)
	university, company := w.ask("university", "AcademicResearch"), w.ask("company", "CommercialResearch")
	if university.Granted != 3 || company.Granted != 3 {
		t.Fatalf("granted %+v and %+v", university, company)
	}
	p := w.propose(ids[0], narrower("no-companies"))
	im, err := w.Impact(t.Context(), p.ID)
	must(t, err)
	if im.Decisions != 6 || im.Flips != 3 || im.NowRefused != 3 || im.NowAllowed != 0 || im.Requests != 1 || im.Members != 3 {
		t.Errorf("impact %+v", im)
	}
	want := []string{
		"3 of 6 past decisions would now be refused.",
		"This concerns 1 access request and the data of 3 members.",
		"The co-op releases nothing to companies.",
	}
	if !slices.Equal(im.Sentences, want) {
		t.Errorf("the members read %q", im.Sentences)
	}
	if len(im.PerRequest) != 1 || im.PerRequest[0].Request != company.Request || im.PerRequest[0].NowRefused != 3 {
		t.Errorf("per request %+v", im.PerRequest)
	}
	report, preview, err := w.Preview(t.Context(), narrower("no-companies"))
	must(t, err)
	if !report.OK || report.Revision != p.Revision || preview.Flips != 3 {
		t.Errorf("preview %+v %+v", report, preview)
	}

	w.vote(p, Yes, ids...)
	w.pass(week)
	w.pass(pause)
	if got := w.ask("company", "CommercialResearch"); got.Granted != 0 || got.Refused != 3 {
		t.Errorf("after enactment %d are granted", got.Granted)
	}
	if got := w.ask("university", "AcademicResearch"); got.Granted != 3 {
		t.Errorf("after enactment a university gets %d", got.Granted)
	}
	_, repeal, err := w.Preview(t.Context(), policies.Default())
	must(t, err)
	if repeal.NowAllowed != 3 || repeal.NowRefused != 0 {
		t.Errorf("repeal %+v", repeal)
	}
}

func TestAnImpactLooksBackOneYear(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(4)
	w.share(ids[0])
	w.ask("company", "CommercialResearch")
	w.clock.Advance(trial.Window + time.Hour)
	_, im, err := w.Preview(t.Context(), narrower("no-companies"))
	must(t, err)
	if im.Decisions != 0 || im.Flips != 0 || len(im.Sentences) != 1 || len(im.PerRequest) != 0 {
		t.Errorf("impact %+v", im)
	}
}

func TestAPolicyThatTheGateRefusesHasNoImpact(t *testing.T) {
	w := newWorld(t)
	for _, source := range []string{"x", "package coop.base\n"} {
		report, im, err := w.Preview(t.Context(), []byte(source))
		must(t, err)
		if report.OK || len(report.Findings) == 0 || im.Decisions != 0 || len(im.Sentences) != 0 {
			t.Errorf("%+v %+v", report, im)
		}
	}
	for _, source := range [][]byte{nil, []byte(strings.Repeat("x", policies.MaxAccess+1))} {
		_, _, err := w.Preview(t.Context(), source)
		refused(t, err, ErrPolicySize)
	}
}
