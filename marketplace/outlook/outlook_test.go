package outlook

import (
	"fmt"
	"testing"

	"distributed.ai/datacoop/internal/coop"
)

func TestWhoGotNothingCountsInTheMiddle(t *testing.T) {
	amounts := func(list ...int64) map[coop.MemberID]int64 {
		out := map[coop.MemberID]int64{}
		for i, a := range list {
			out[coop.MemberID(fmt.Sprint(i))] = a
		}
		return out
	}
	for _, c := range []struct {
		amounts          map[coop.MemberID]int64
		members, minimum int
		want             Spread
	}{
		{amounts(100, 200, 300, 400), 4, 3, Spread{Members: 4, Quarter1: 100, Quarter2: 200, Quarter3: 300}},
		{amounts(100, 200, 300, 400), 8, 3, Spread{Members: 8, Quarter1: 0, Quarter2: 0, Quarter3: 200}},
		{amounts(900), 20, 20, Spread{Members: 20}},
		{amounts(), 20, 20, Spread{Members: 20}},
		{amounts(100, 200, 300, 400, 500), 3, 3, Spread{Members: 5, Quarter1: 200, Quarter2: 300, Quarter3: 400}}, // two have left since
		{amounts(700), 1, 1, Spread{Members: 1, Quarter1: 700, Quarter2: 700, Quarter3: 700}},
		{amounts(100, 200), 2, 3, Spread{}},
		{amounts(), 0, 1, Spread{}},
	} {
		if got := spread(c.amounts, c.members, c.minimum); got != c.want {
			t.Errorf("%v among %d: %+v, want %+v", c.amounts, c.members, got, c.want)
		}
	}
}
