package accrual

import (
	"fmt"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"distributed.ai/datacoop/marketplace/appraisal"
)

// TestAStreamDividesAsIfAllHadComeAtOnce holds an accumulator that money and
// weight arrive at in any order against one division at the end.
func TestAStreamDividesAsIfAllHadComeAtOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s Stream
		weights, money := map[int]int64{}, int64(0)
		for range rapid.IntRange(1, 40).Draw(t, "arrivals") {
			m := rapid.IntRange(0, 8).Draw(t, "member")
			w := rapid.Int64Range(0, 1e12).Draw(t, "weight")
			price := rapid.SampledFrom([]int64{0, 1, 3, 1275, 999_983, 1e9}).Draw(t, "price")
			weights[m] = s.Arrive(price, weights[m], w)
			money += price
		}
		if s.Money != money {
			t.Fatalf("%d came, %d is held", money, s.Money)
		}
		total, sum := new(big.Int), int64(0)
		for _, w := range weights {
			total.Add(total, big.NewInt(w))
		}
		for m, w := range weights {
			want := new(big.Int)
			if total.Sign() > 0 {
				want.Mul(big.NewInt(money*1000), big.NewInt(w))
				want.Quo(want, total)
			}
			if got := s.Of(w); got != want.Int64() {
				t.Fatalf("member %d: %d of the stream, %s of the whole", m, got, want)
			}
			sum += s.Of(w)
		}
		if left := money*1000 - sum; total.Sign() > 0 && (left < 0 || left >= int64(len(weights))) {
			t.Fatalf("%d thousandths stay in the stream of %d members", left, len(weights))
		}
	})
}

// TestAReadingIsWhatAStatementWouldAttribute compares streams with the formula.
func TestAReadingIsWhatAStatementWouldAttribute(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ev := appraisal.Evidence{Currency: "EUR", Period: "P0001", Salt: fmt.Sprintf("%064d", 0)}
		want := map[string]int64{}
		for r := range rapid.IntRange(1, 4).Draw(t, "requests") {
			var s Stream
			weights := map[string]int64{}
			request := fmt.Sprintf("r%d", r)
			for f := range rapid.IntRange(1, 12).Draw(t, "files") {
				price := int64(1275)
				member := fmt.Sprintf("m%d", rapid.IntRange(0, 5).Draw(t, "member"))
				u := appraisal.DataUse{Member: member, Dataset: fmt.Sprintf("%s-%d-%d", member, r, f), Request: request, Grade: appraisal.GradeServer,
					Coverage: rapid.Int64Range(0, 1000).Draw(t, "coverage"), Fresh: rapid.Int64Range(500, 1000).Draw(t, "fresh"),
					Unique: 1000, Trust: rapid.SampledFrom([]int64{100, 700, 1000}).Draw(t, "trust")}
				ev.Data = append(ev.Data, u)
				ev.Revenue += price
				weights[member] = s.Arrive(price, weights[member], u.Coverage*u.Fresh*u.Unique*u.Trust)
			}
			ev.Requests = append(ev.Requests, appraisal.Request{Request: request, Revenue: s.Money})
			for m, w := range weights {
				want[m] += s.Of(w)
			}
		}
		st, err := appraisal.Close(ev, appraisal.Params{Data: 1000, Members: 1000}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, share := range st.Shares {
			got := int64(0)
			for _, line := range share.Lines {
				got += line.Weight
			}
			// A statement rounds its weights down once more, see appraisal.
			if more := want[share.Member] - got; more < 0 || more > int64(len(ev.Requests)) {
				t.Fatalf("%s: %d attributed, %d accrued", share.Member, got, want[share.Member])
			}
		}
	})
}
