package consent

import (
	"errors"
	"testing"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

// between counts what two answers differ in.
func between(was, now ruled) (d Difference) {
	granted, who := map[coop.DatasetID]bool{}, map[string]map[coop.MemberID]bool{"released": {}, "refused": {}, "all": {}}
	for _, x := range was.Granted {
		granted[x.Dataset] = true
	}
	for _, x := range now.all() {
		d.Datasets++
		who["all"][x.Member] = true
		switch {
		case x.Allow && !granted[x.Dataset]:
			d.Released++
			who["released"][x.Member] = true
		case !x.Allow && granted[x.Dataset]:
			d.Refused++
			who["refused"][x.Member] = true
		}
	}
	d.ReleasedMembers, d.RefusedMembers, d.Members = len(who["released"]), len(who["refused"]), len(who["all"])
	return d
}

// What two laws' filters differ in is what deciding every dataset under each
// differs in: laws about requests, about rows, about categories and about what no
// filter can say.
func TestTheDifferenceOfTwoLawsIsThatOfTheirDecisions(t *testing.T) {
	h := open(t)
	h.village()
	for _, categories := range [][]string{{"Location"}, {"HealthRecord", "Location"}} {
		m := newMember()
		h.update(func(tx *db.Tx) error {
			return h.Enrol(tx, Enrolment{Dataset: coop.DatasetID(coop.NewID()), Member: m, Pool: "wearables", Categories: categories, Region: "FR", Sealed: h.now()})
		})
		must[Record](t)(h.PutPool(t.Context(), m, "wearables", agree()))
	}
	laws := []*policies.Revision{
		h.engine.Current(),
		lawWith(t, "forbid", `input.dataset.region == "FR"`),
		lawWith(t, "forbid", `input.dataset.region != "FR"`),
		lawWith(t, "forbid", `"Location" in input.dataset.categories`),
		lawWith(t, "forbid", `not "Location" in input.dataset.categories`),
		lawWith(t, "forbid", "input.request.retention_days > 90"),
		lawWith(t, "review", `input.dataset.region == "DE"`),
		lawWith(t, "forbid", `startswith(input.dataset.region, "D")`),
	}
	differ := 0
	for i, was := range laws {
		for j, now := range laws {
			want := between(h.check(study(), was), h.check(study(), now))
			if got := must[Difference](t)(h.Differ(t.Context(), study(), was, now)); got != want {
				t.Errorf("law %d against %d: %+v, the decisions say %+v", j, i, got, want)
			}
			if want.Released > 0 && want.Refused > 0 {
				differ++
			}
			if i == j && (want.Released > 0 || want.Refused > 0) {
				t.Errorf("law %d differs from itself: %+v", i, want)
			}
		}
	}
	if differ == 0 {
		t.Error("no two laws both release and refuse more: the test proves little")
	}
	if _, err := h.Differ(t.Context(), study(), nil, laws[0]); !errors.Is(err, policies.ErrSealed) {
		t.Error(err)
	}
	bad := study()
	bad.Pool = "Wearables"
	_, err := h.Differ(t.Context(), bad, laws[0], laws[1])
	wants(t, err, ErrAsk)
}
