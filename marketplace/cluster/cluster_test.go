package cluster_test

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/cluster"
	"distributed.ai/datacoop/vault"
)

// period is one request that read a dataset of each member, all kept available.
func period(members ...string) *appraisal.Evidence {
	ev := &appraisal.Evidence{Revenue: 100_00, Requests: []appraisal.Request{{Request: "r", Revenue: 100_00}}}
	for _, m := range members {
		ev.Data = append(ev.Data, appraisal.DataUse{Request: "r", Dataset: "of-" + m, Member: m, Grade: "A", Coverage: 1000, Fresh: 1000, Unique: 1000, Trust: 1000})
		ev.Available = append(ev.Available, appraisal.Availability{Dataset: "of-" + m, Member: m, Confirmed: true, Days: 30})
	}
	return ev
}

func facts(prints ...string) map[coop.DatasetID]vault.Facts {
	out := map[coop.DatasetID]vault.Facts{}
	for i := 0; i < len(prints); i += 2 {
		out[coop.DatasetID("of-"+prints[i])] = vault.Facts{Pool: "p", Sealed: int64(i), Profile: vault.Profile{Fingerprint: prints[i+1]}}
	}
	return out
}

func use(ev *appraisal.Evidence, member string) appraisal.DataUse {
	for _, u := range ev.Data {
		if u.Member == member {
			return u
		}
	}
	return appraisal.DataUse{}
}

func stock(ev *appraisal.Evidence, member string) appraisal.Availability {
	for _, a := range ev.Available {
		if a.Member == member {
			return a
		}
	}
	return appraisal.Availability{}
}

func TestOneBankAccountIsOnePerson(t *testing.T) {
	ev := period("ann", "bob", "cec", "dan")
	cluster.Assign(ev, cluster.Known{Vouched: true, Accounts: map[coop.MemberID]string{"bob": "DE1", "cec": "DE1", "ann": "DE2", "eve": "DE2"}})
	if got := use(ev, "bob").Cluster; got != "bob" || use(ev, "cec").Cluster != got || stock(ev, "cec").Cluster != got {
		t.Errorf("two accounts of one bank account have the clusters %q and %q", got, use(ev, "cec").Cluster)
	}
	if use(ev, "ann").Cluster+use(ev, "dan").Cluster != "" {
		t.Error("somebody alone is in a cluster, or one who has no evidence makes another wait")
	}
}

func TestWhoIsApartIsInNoClusterAndNamesNone(t *testing.T) {
	k := cluster.Known{Vouched: true, Accounts: map[coop.MemberID]string{"ann": "DE1", "bob": "DE1", "cec": "DE1", "dan": "DE2"},
		Apart: map[coop.MemberID]coop.PeriodID{"ann": "P0002", "dan": "P0001"}, Facts: facts("ann", "same", "bob", "same")}
	ev := period("ann", "bob", "cec", "dan")
	cluster.Assign(ev, k)
	if u, a := use(ev, "ann"), stock(ev, "ann"); u.Cluster+a.Cluster != "" || u.Alone != "P0002" || a.Alone != "P0002" {
		t.Errorf("apart: %+v, %+v", u, a)
	}
	if use(ev, "bob").Cluster != "bob" || use(ev, "cec").Cluster != "bob" || use(ev, "bob").Alone != "" {
		t.Errorf("those who are left: %+v, %+v", use(ev, "bob"), use(ev, "cec"))
	}
	if use(ev, "bob").Unique != 0 || !stock(ev, "bob").Copy {
		t.Error("a copy of what somebody apart shared first counts")
	}
	if use(ev, "dan").Alone != "" {
		t.Error("an appeal is named where there is no cluster")
	}
	two := period("ann", "bob")
	if cluster.Assign(two, k); use(two, "bob").Cluster+stock(two, "bob").Cluster != "" {
		t.Error("one who is left alone is in a cluster")
	}
}

func TestTheFirstWhoSharedLosesNothingByACopy(t *testing.T) {
	ev := period("ann", "bob", "cec", "dan")
	cluster.Assign(ev, cluster.Known{Vouched: true, Facts: facts("bob", "same", "ann", "same", "cec", "other", "dan", "")})
	if u := use(ev, "bob"); u.Unique != 1000 || stock(ev, "bob").Copy {
		t.Errorf("the first: %+v", u)
	}
	if u := use(ev, "ann"); u.Unique != 0 || !stock(ev, "ann").Copy {
		t.Errorf("the copy: %+v", u)
	}
	if use(ev, "cec").Unique != 1000 || use(ev, "dan").Unique != 1000 {
		t.Error("data unlike any other, or without a fingerprint, count as a copy")
	}
}

func TestWhatDoesNotCountTakesNothingAway(t *testing.T) {
	for name, spoil := range map[string]func(*appraisal.Evidence, *cluster.Known){
		"another request": func(ev *appraisal.Evidence, _ *cluster.Known) { ev.Data[0].Request = "r2" },
		"disputed":        func(ev *appraisal.Evidence, _ *cluster.Known) { ev.Data[0].Trust = 0 },
		"nobody's": func(_ *appraisal.Evidence, k *cluster.Known) {
			k.Vouched, k.Accounts = false, map[coop.MemberID]string{"bob": "DE1"}
		},
		"another pool": func(_ *appraisal.Evidence, k *cluster.Known) {
			f := k.Facts["of-ann"]
			f.Pool = "q"
			k.Facts["of-ann"] = f
		},
	} {
		ev := period("ann", "bob")
		k := cluster.Known{Vouched: true, Facts: facts("ann", "same", "bob", "same")}
		spoil(ev, &k)
		cluster.Assign(ev, k)
		if use(ev, "bob").Unique != 1000 {
			t.Errorf("%s: an earlier dataset that earns nothing here makes a later one worthless", name)
		}
	}
}

func TestAnAccountThatNobodyVouchesForEarnsNothing(t *testing.T) {
	ev := period("ann", "bob")
	cluster.Assign(ev, cluster.Known{Accounts: map[coop.MemberID]string{"ann": "DE1"}})
	if use(ev, "ann").Grade != "A" || stock(ev, "ann").Grade != "" || use(ev, "bob").Grade != appraisal.GradeSelf || stock(ev, "bob").Grade != appraisal.GradeSelf {
		t.Errorf("%+v", ev)
	}
	open := period("ann", "bob")
	if cluster.Assign(open, cluster.Known{Vouched: true}); use(open, "bob").Grade != "A" {
		t.Error("who was let in by somebody is vouched for")
	}
}

func TestTheOrderOfEvidenceDecidesNothing(t *testing.T) {
	k := cluster.Known{Accounts: map[coop.MemberID]string{"ann": "DE1", "dan": "DE1", "bob": "DE2", "cec": "DE3"},
		Facts: facts("cec", "x", "ann", "x", "dan", "y", "bob", "y")}
	want := period("ann", "bob", "cec", "dan")
	cluster.Assign(want, k)
	for range 20 {
		ev := period("ann", "bob", "cec", "dan")
		rand.Shuffle(4, func(i, j int) { ev.Data[i], ev.Data[j] = ev.Data[j], ev.Data[i] })
		rand.Shuffle(4, func(i, j int) { ev.Available[i], ev.Available[j] = ev.Available[j], ev.Available[i] })
		cluster.Assign(ev, k)
		for _, m := range []string{"ann", "bob", "cec", "dan"} {
			if !reflect.DeepEqual(use(ev, m), use(want, m)) || !reflect.DeepEqual(stock(ev, m), stock(want, m)) {
				t.Fatalf("%s: %+v, %+v", m, use(ev, m), stock(ev, m))
			}
		}
	}
}
