package appraisal

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
)

// cases is how many random periods each property sees.
const cases = 50_000

// forPeriods runs a property on random periods, in normal order; a tenth of
// cases under -short.
func forPeriods(t *testing.T, seed uint64, n int, property func(t *testing.T, rnd *rand.Rand, ev Evidence, p Params)) {
	t.Helper()
	t.Parallel()
	if testing.Short() {
		n /= 10
	}
	for i := range n {
		rnd := rand.New(rand.NewPCG(seed, uint64(i)))
		ev, p := randomPeriod(rnd)
		ev = ev.normal()
		if err := errors.Join(ev.check(), p.Check()); i < 1000 && err != nil {
			t.Fatalf("case %d is not a period: %v", i, err)
		}
		if property(t, rnd, ev, p); t.Failed() {
			t.Fatalf("case %d of seed %d", i, seed)
		}
	}
}

func total(values []int64) (sum int64) {
	for _, v := range values {
		sum += v
	}
	return sum
}

// TestEveryCentIsPaidAndNoOpinionLeavesTheFence: exact sums at every level,
// nothing negative, nothing to zero weights, and the closed form, with an
// opinion as hostile as it can be.
func TestEveryCentIsPaidAndNoOpinionLeavesTheFence(t *testing.T) {
	forPeriods(t, 11, cases, func(t *testing.T, rnd *rand.Rand, ev Evidence, p Params) {
		s := settle(ev, p, randomOpinion(rnd, ev).normal())
		f := s.flow
		if f.commission+f.reserve+f.purpose+f.members+f.unclaimed+f.investors != ev.Revenue {
			t.Errorf("the waterfall loses money: %+v", f)
		}
		for _, paid := range []amounts{s.base, s.paid} {
			checkPaid(t, s, paid)
		}
		for m := range s.base.members {
			checkFence(t, s, p, m)
		}
	})
}

func checkPaid(t *testing.T, s settlement, paid amounts) {
	t.Helper()
	if total(paid.members) != s.flow.members || total(paid.items) != s.flow.members {
		t.Errorf("%d and %d of %d are paid", total(paid.members), total(paid.items), s.flow.members)
	}
	for m, amount := range paid.members {
		if total(paid.items[s.first[m]:s.first[m+1]]) != amount || amount < 0 {
			t.Errorf("lines do not add up to %d", amount)
		}
	}
	for i, amount := range paid.items {
		if amount < 0 || amount > 0 && s.items[i].weight.Sign() == 0 {
			t.Errorf("%d for a weight of %v", amount, s.items[i].weight)
		}
	}
}

// checkFence holds published whole amounts against the closed form, in rational
// arithmetic of its own.
func checkFence(t *testing.T, s settlement, p Params, m int) {
	t.Helper()
	beta := int64(0)
	for i := s.first[m]; i < s.first[m+1]; i++ {
		if s.items[i].weight.Sign() > 0 {
			beta = max(beta, p.betas()[s.items[i].pot])
		}
	}
	low := big.NewRat((1000-beta)*(1000-p.Gamma), (1000+beta)*(1000+p.Gamma))
	base, paid, unit := big.NewRat(s.base.members[m], 1), big.NewRat(s.paid.members[m], 1), big.NewRat(1, 1)
	floor := new(big.Rat).Sub(new(big.Rat).Mul(base, low), unit)
	ceil := new(big.Rat).Add(new(big.Rat).Quo(base, low), unit)
	if paid.Cmp(floor) < 0 || paid.Cmp(ceil) > 0 {
		t.Errorf("%v is not between %v and %v (baseline %v)", paid, floor, ceil, base)
	}
}

// TestTheFenceHoldsBeforeAnythingIsClamped: the theorem itself, on the exact
// quotas of members and without the apportionment that rounds inside it.
func TestTheFenceHoldsBeforeAnythingIsClamped(t *testing.T) {
	forPeriods(t, 13, 20_000, func(t *testing.T, rnd *rand.Rand, ev Evidence, p Params) {
		op := randomOpinion(rnd, ev).normal()
		s := settle(ev, p, op)
		split, moves := s.split(p), op.moves(p)
		plain := slices.Repeat([]int64{one}, len(s.items))
		before := s.divide(split, plain)
		for k := range split {
			split[k] *= moves[k]
		}
		after := s.divide(split, s.moved)
		slack := big.NewInt(4) // of 2⁻⁶⁴, for what both round down
		for i := range s.items {
			beta := p.betas()[s.items[i].pot]
			low, high := big.NewInt((1000-beta)*(1000-p.Gamma)), big.NewInt((1000+beta)*(1000+p.Gamma))
			b, a := before.item(i).big(), after.item(i).big()
			least := new(big.Int).Sub(b, slack)
			least.Mul(least, low).Sub(least, new(big.Int).Mul(slack, high))
			if least.Cmp(new(big.Int).Mul(a, high)) > 0 {
				t.Errorf("an exact quota fell through the fence")
			}
			most := new(big.Int).Add(b, slack)
			most.Mul(most, high).Add(most, new(big.Int).Mul(slack, high))
			if most.Cmp(new(big.Int).Mul(a, low)) < 0 {
				t.Errorf("an exact quota jumped the fence")
			}
		}
	})
}

func (q quota) big() *big.Int { return wide(q.whole, q.frac) }

// TestMoreEvidenceNeverCosts raises one member's own evidence of one kind on the
// baseline; more work and more duties do not cost under an unchanged opinion
// either. (More data can: a dataset that the judge thinks little of may take the
// place of a better liked one of the same member.)
func TestMoreEvidenceNeverCosts(t *testing.T) {
	forPeriods(t, 14, cases, func(t *testing.T, rnd *rand.Rand, ev Evidence, p Params) {
		more := clone(ev)
		member, data := raise(rnd, &more)
		if member == "" {
			return
		}
		var op *Opinion
		if !data && rnd.IntN(2) == 0 {
			op = randomOpinion(rnd, ev).normal()
		}
		before, after := paidTo(member, settle(ev, p, op)), paidTo(member, settle(more.normal(), p, op))
		if after < before {
			t.Errorf("more evidence of %s lowered %d to %d", member, before, after)
		}
	})
}

// TestMoreEvidenceOfOneRaisesNobodyElse is the step that the proof in share.go
// rests on, on the exact quotas: the member's own does not fall and no other
// rises, also where the member has several datasets in several clusters.
func TestMoreEvidenceOfOneRaisesNobodyElse(t *testing.T) {
	forPeriods(t, 17, 30_000, func(t *testing.T, rnd *rand.Rand, ev Evidence, p Params) {
		if rnd.IntN(2) == 0 { // equal figures make equal quotas, where a lost 2⁻⁶⁴ shows
			for i := range ev.Data {
				ev.Data[i].Coverage, ev.Data[i].Fresh, ev.Data[i].Unique, ev.Data[i].Trust = 1000, 1000, 1000, pick(rnd, []int64{500, 1000})
			}
		}
		more := clone(ev)
		member, _ := raise(rnd, &more)
		if member == "" {
			return
		}
		before, after := quotasOf(ev, p), quotasOf(more.normal(), p)
		for who, is := range after {
			was := before[who]
			if order := is.big().Cmp(was.big()); who == member && order < 0 || who != member && order > 0 {
				t.Errorf("more evidence of %s made the quota of %s %v of %v", member, who, is, was)
			}
		}
	})
}

func quotasOf(ev Evidence, p Params) map[string]quota {
	s := settle(ev, p, nil)
	d := s.divide(s.split(p), slices.Repeat([]int64{one}, len(s.items)))
	out := map[string]quota{}
	for m := range s.base.members {
		out[s.items[s.first[m]].member] = d.member(m)
	}
	return out
}

// TestTwoPartsOfOneDoNotLoseATie: a member alone in a request keeps the whole of
// it, however many datasets of theirs it read, beside another alone in another.
func TestTwoPartsOfOneDoNotLoseATie(t *testing.T) {
	ev, p := example()
	ev.Work, ev.Duties, ev.Available, ev.Revenue = nil, nil, nil, 100_01
	use := func(request, dataset, member, cluster string, coverage int64) DataUse {
		return DataUse{Request: request, Dataset: dataset, Member: member, Cluster: cluster, Grade: "A", Coverage: coverage, Fresh: 1000, Unique: 1000, Trust: 1000}
	}
	ev.Requests = []Request{{Request: "r1", Revenue: 1}, {Request: "r2", Revenue: 1}}
	for at := range 200 { // the tie falls to one or the other by the period's name
		ev.Period = fmt.Sprintf("P%04d", at)
		ev.Data = []DataUse{use("r1", "a1", "ann", "house", 374), use("r2", "b1", "bob", "", 131)}
		whole := settle(ev.normal(), p, nil)
		ev.Data = append(ev.Data, use("r1", "a2", "ann", "", 192))
		if cut := settle(ev.normal(), p, nil); paidTo("ann", cut) != paidTo("ann", whole) {
			t.Fatalf("%s: %d of %d", ev.Period, paidTo("ann", cut), paidTo("ann", whole))
		}
	}
}

// raise adds to one member's evidence and says whose, and whether it is data.
func raise(rnd *rand.Rand, ev *Evidence) (member string, data bool) {
	more := func(v *int64, top int64) { *v += rnd.Int64N(max(1, top-*v+1)) }
	switch kind := rnd.IntN(6); {
	case kind == 0 && len(ev.Data) > 0:
		u := &ev.Data[rnd.IntN(len(ev.Data))]
		more(pick(rnd, []*int64{&u.Coverage, &u.Fresh, &u.Trust, &u.Unique}), 1000)
		return u.Member, true
	case kind == 1 && len(ev.Requests) > 0:
		u := DataUse{Request: pick(rnd, ev.Requests).Request, Dataset: "new", Member: "m0", Grade: "A", Coverage: figure(rnd), Fresh: 1000, Unique: 1000, Trust: 1000}
		ev.Data = append(ev.Data, u)
		return u.Member, true
	case kind == 2 && len(ev.Available) > 0:
		a := &ev.Available[rnd.IntN(len(ev.Available))]
		a.Confirmed = true
		more(&a.Days, 40)
		return a.Member, true
	case kind == 3 && len(ev.Work) > 0:
		w := &ev.Work[rnd.IntN(len(ev.Work))]
		more(&w.Points, 20)
		return w.Member, false
	case kind == 4:
		ev.Work = append(ev.Work, Work{Contribution: "new", Member: "m0", Kind: "git", Grade: "D", Points: 1 + rnd.Int64N(5)})
		return "m0", false
	case kind == 5:
		ev.Duties = append(ev.Duties, Duty{Member: "m0", Kind: "review", Ref: "new", Grade: "A", Points: 1 + rnd.Int64N(5)})
		return "m0", false
	}
	return "", false
}

func paidTo(member string, s settlement) int64 {
	for m := range s.paid.members {
		if s.items[s.first[m]].member == member {
			return s.paid.members[m]
		}
	}
	return 0
}

// TestTheOrderOfEvidenceIsNoEvidence compares whole bundles.
func TestTheOrderOfEvidenceIsNoEvidence(t *testing.T) {
	forPeriods(t, 15, 5_000, func(t *testing.T, rnd *rand.Rand, ev Evidence, p Params) {
		op := randomOpinion(rnd, ev)
		mixed := *op
		rnd.Shuffle(len(mixed.Scores), func(i, j int) { mixed.Scores[i], mixed.Scores[j] = mixed.Scores[j], mixed.Scores[i] })
		slices.Reverse(mixed.Split)
		one, other := bundle(t, ev, p, op), bundle(t, shuffle(rnd, ev), p, &mixed)
		if !bytes.Equal(one, other) {
			t.Errorf("the same evidence in another order gives another bundle")
		}
	})
}

func bundle(t *testing.T, ev Evidence, p Params, op *Opinion) []byte {
	t.Helper()
	b, err := NewBundle(ev, p, op)
	if err != nil {
		t.Fatal(err)
	}
	text, err := b.JSON()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestSplittingADatasetGainsNothing: k copies of one dataset, held by accounts
// known to be one person, never earn more than the one did, stipend included.
func TestSplittingADatasetGainsNothing(t *testing.T) {
	forPeriods(t, 16, 20_000, func(t *testing.T, rnd *rand.Rand, ev Evidence, p Params) {
		if len(ev.Data) == 0 {
			return
		}
		who := pick(rnd, ev.Data)
		for i, u := range ev.Data {
			if u.Member == who.Member {
				ev.Data[i].Cluster = "one-person"
			}
		}
		kept := Availability{}
		for i, a := range ev.Available {
			if a.Member == who.Member {
				ev.Available[i].Cluster, kept = "one-person", a
			}
		}
		split, copies := clone(ev), []string{"x", "y", "z"}[:1+rnd.IntN(3)]
		for _, account := range copies {
			u := who
			u.Cluster, u.Member, u.Dataset = "one-person", account, "copy-"+account
			split.Data = append(split.Data, u)
			if kept.Member != "" {
				split.Available = append(split.Available, Availability{Dataset: u.Dataset, Member: account, Cluster: "one-person", Confirmed: kept.Confirmed, Days: kept.Days})
			}
		}
		before, after := settle(ev, p, nil), settle(split.normal(), p, nil)
		gain := paidTo(who.Member, after) - paidTo(who.Member, before)
		for _, account := range copies {
			gain += paidTo(account, after)
		}
		if gain > int64(len(copies)) { // a unit of rounding for each account
			t.Errorf("splitting gained %d", gain)
		}
	})
}
