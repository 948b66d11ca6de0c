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

// pages hands members out a few at a time, always in the same place.
func pages(size int, all ...Due) iter.Seq2[[]Due, error] {
	return func(yield func([]Due, error) bool) {
		page := make([]Due, size)
		for chunk := range slices.Chunk(all, size) {
			if !yield(page[:copy(page, chunk)], nil) {
				return
			}
			clear(page)
		}
	}
}

// multitude is more than can be on its way between reading and inserting.
const multitude = (ahead+3)*perLoad*256 + 17

// crowd is a multitude of members who get a cent each, and one more.
func crowd() (all []Due, total coop.Money) {
	for i := range multitude {
		all = append(all, due(i, 1))
	}
	all[multitude/2].Amount++
	return all, multitude + 1
}

func (b books) many(m Many) (seq int64, err error) {
	err = b.db.Update(context.Background(), func(tx *db.Tx) error {
		seq, err = b.PostMany(tx, m)
		return err
	})
	return seq, err
}

func TestAMultitudeIsPostedAsItsTransfersWouldBe(t *testing.T) {
	for _, size := range []int{0, 1, 15, 256, 600, multitude} {
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

// TestAMultitudeThatFailsHalfwayLeavesNothing fails while thousands of postings
// are inserted already and others are still being read.
func TestAMultitudeThatFailsHalfwayLeavesNothing(t *testing.T) {
	b, broken, last := open(t, "EUR"), errors.New("the reader broke"), multitude-1
	b.must(t, "access", "income", Transfer{Access, Bank, multitude + 1})
	all, total := crowd()
	sound := Many{Entry: Entry{Kind: "settlement", Ref: "s"}, From: Access, Total: total, Each: pages(1000, all...)}
	for name, c := range map[string]struct {
		tamper func(all []Due) []Due
		then   error // of the reader, at the end
		want   error
	}{
		"the last gets a cent more":     {func(all []Due) []Due { all[last].Amount++; return all }, nil, errCrowd},
		"the middle gets a cent less":   {func(all []Due) []Due { all[multitude/2].Amount--; return all }, nil, errTotal},
		"the last is missing":           {func(all []Due) []Due { return all[:last] }, nil, errTotal},
		"the last is there twice":       {func(all []Due) []Due { return append(all[:last], all[last-1]) }, nil, errCrowd},
		"the last is nobody":            {func(all []Due) []Due { all[last].Member += "0"; return all }, nil, errCrowd},
		"the reader breaks at the end":  {func(all []Due) []Due { return all }, broken, broken},
		"the reader breaks before that": {func(all []Due) []Due { return all[:last] }, broken, broken},
	} {
		m, tampered, ended := sound, c.tamper(slices.Clone(all)), false
		m.Each = func(yield func([]Due, error) bool) {
			defer func() { ended = true }()
			for page := range pages(1000, tampered...) {
				if !yield(page, nil) {
					return
				}
			}
			if c.then != nil {
				yield(nil, c.then)
			}
		}
		if _, err := b.many(m); !errors.Is(err, c.want) || !ended {
			t.Errorf("%s: %v, the reader has ended: %v", name, err, ended)
		}
		b.isAsBefore(t, name, total)
	}
	if seq, err := b.many(sound); seq != 2 || err != nil {
		t.Errorf("and then as it should be: %d, %v", seq, err)
	}
}

// isAsBefore wants books that hold one payment and owe nobody.
func (b books) isAsBefore(t *testing.T, name string, paid coop.Money) {
	t.Helper()
	b.holds(t, Access, paid)
	if owed, err := b.Balances(t.Context(), Members); len(owed) != 0 || err != nil {
		t.Errorf("%s: %d members are owed something, %v", name, len(owed), err)
	}
	if n, err := b.Verify(t.Context()); n != 1 || err != nil {
		t.Errorf("%s: verify: %d, %v", name, n, err)
	}
}

// TestAReaderIsStoppedWhenTheInsertingFails hands out members who never end.
func TestAReaderIsStoppedWhenTheInsertingFails(t *testing.T) {
	const never = 100 * multitude
	for name, cancelled := range map[string]bool{"the context is cancelled": true, "a posting is there already": false} {
		b := open(t, "EUR")
		b.must(t, "access", "income", Transfer{Access, Bank, never})
		ctx, cancel := context.WithCancel(t.Context())
		if !cancelled {
			b.exec(t, `INSERT INTO ledger_postings (seq, n, account, amount) VALUES (2, 300, 'assets:bank', 1)`)
		}
		read, ended := 0, false
		err := b.db.Update(ctx, func(tx *db.Tx) error {
			_, err := b.PostMany(tx, Many{Entry: Entry{Kind: "settlement", Ref: "s"}, From: Access, Total: never, Each: func(yield func([]Due, error) bool) {
				defer func() { ended = true }()
				for ; read < never && yield([]Due{due(read, 1)}, nil); read++ {
					if cancelled && read == multitude {
						cancel()
					}
				}
			}})
			return err
		})
		if cancelled != errors.Is(err, context.Canceled) || cancelled == db.IsUnique(err) || !ended || read > 2*multitude {
			t.Errorf("%s: %v after %d members; the reader has ended: %v", name, err, read, ended)
		}
		if !cancelled {
			b.exec(t, `DELETE FROM ledger_postings WHERE seq = 2`)
		}
		b.isAsBefore(t, name, never)
		cancel()
	}
}

func (b books) exec(t *testing.T, statement string) {
	t.Helper()
	if err := b.db.Update(t.Context(), func(tx *db.Tx) error { return tx.ExecOne(statement) }); err != nil {
		t.Fatal(err)
	}
}
