package ledger

import (
	"context"
	"errors"
	"iter"
	"slices"
	"testing"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

func due(n int, amount coop.Money) Due {
	id, _ := member(n).Member()
	return Due{id, amount}
}

// pages hands members out a few at a time.
func pages(size int, all ...Due) iter.Seq2[[]Due, error] {
	return func(yield func([]Due, error) bool) {
		for page := range slices.Chunk(all, size) {
			if !yield(page, nil) {
				return
			}
		}
	}
}

func (b books) many(m Many) (seq int64, err error) {
	err = b.db.Update(context.Background(), func(tx *db.Tx) error {
		seq, err = b.PostMany(tx, m)
		return err
	})
	return seq, err
}

func TestAMultitudeIsPostedAsItsTransfersWouldBe(t *testing.T) {
	for _, size := range []int{0, 1, 15, 256, 600} {
		one, other := open(t, "EUR"), open(t, "EUR")
		rest := []Transfer{{Commission, Access, 700}, {Reserve, Access, 41}, {Payout, Access, 3}}
		var all []Due
		transfers, total := slices.Clone(rest), coop.Money(0)
		for i := range size + 1 {
			all = append(all, due(i, coop.Money(i+1)))
			total += coop.Money(i + 1)
			transfers = append(transfers, Transfer{member(i), Access, coop.Money(i + 1)})
		}
		for _, b := range []books{one, other} {
			b.must(t, "access", "income", Transfer{Access, Bank, total + 744})
		}
		one.must(t, "settlement", "s", transfers...)
		seq, err := other.many(Many{Entry: Entry{Kind: "settlement", Ref: "s", Memo: "of settlement", Transfers: rest},
			From: Access, Total: total, Each: pages(100, all...)})
		if err != nil || seq != 2 {
			t.Fatalf("%d members: %d, %v", size+1, seq, err)
		}
		a, errA := one.Entries(t.Context(), 0, 9)
		b, errB := other.Entries(t.Context(), 0, 9)
		if err := errors.Join(errA, errB); err != nil || a[1].Digest != b[1].Digest || !slices.Equal(a[1].Postings, b[1].Postings) {
			t.Errorf("%d members: the books differ, %v", size+1, err)
		}
		if n, err := other.Verify(t.Context()); n != 2 || err != nil {
			t.Errorf("verify: %d, %v", n, err)
		}
		other.must(t, "payout", "p", Transfer{Payout, member(size), coop.Money(size + 1)})
	}
}

func TestAMultitudeThatDoesNotAddUpLeavesNothing(t *testing.T) {
	broken := errors.New("the reader broke")
	failing := func(yield func([]Due, error) bool) {
		_ = yield([]Due{due(1, 5)}, nil) && yield(nil, broken)
	}
	for name, c := range map[string]struct {
		m    Many
		want error
	}{
		"too little":      {Many{Total: 10, Each: pages(1, due(1, 5), due(2, 4))}, errTotal},
		"too much":        {Many{Total: 8, Each: pages(1, due(1, 5), due(2, 4))}, errCrowd},
		"nobody":          {Many{Total: 8, Each: pages(1)}, errTotal},
		"twice":           {Many{Total: 10, Each: pages(2, due(1, 5), due(1, 5))}, errCrowd},
		"out of order":    {Many{Total: 10, Each: pages(1, due(2, 5), due(1, 5))}, errCrowd},
		"nothing":         {Many{Total: 5, Each: pages(2, due(1, 5), due(2, 0))}, errCrowd},
		"a debt":          {Many{Total: 5, Each: pages(2, due(1, 6), due(2, -1))}, errCrowd},
		"no id":           {Many{Total: 5, Each: pages(1, Due{"eva", 5})}, errCrowd},
		"a broken reader": {Many{Total: 5, Each: failing}, broken},
		"no total":        {Many{Total: 0, Each: pages(1)}, ErrEntry},
		"a taken ref":     {Many{Entry: Entry{Ref: "income"}, Total: 5, Each: pages(1, due(1, 5))}, ErrPosted},
		"a member beside": {Many{Entry: Entry{Transfers: []Transfer{{member(9), Access, 1}}}, Total: 5, Each: pages(1, due(1, 5))}, ErrEntry},
		"beyond measure":  {Many{Total: MaxTurnover, Each: pages(1, due(1, MaxTurnover))}, ErrTurnover},
	} {
		b := open(t, "EUR")
		b.must(t, "access", "income", Transfer{Access, Bank, 100})
		c.m.Kind, c.m.From = "settlement", Access
		if c.m.Ref == "" {
			c.m.Ref = "s"
		}
		if _, err := b.many(c.m); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		b.holds(t, Access, 100)
		b.holds(t, member(1), 0)
		if n, err := b.Verify(t.Context()); n != 1 || err != nil {
			t.Errorf("%s: verify: %d, %v", name, n, err)
		}
	}
}
