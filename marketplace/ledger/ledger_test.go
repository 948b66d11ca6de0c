package ledger

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/testkit"
)

// books is a ledger with what it stands on.
type books struct {
	*Service
	db    *db.DB
	log   *audit.Log
	clock *testkit.Clock
}

func open(t testing.TB, currency coop.Currency) books {
	t.Helper()
	b := books{db: testkit.DB(t), clock: testkit.NewClock()}
	b.log = testkit.Audit(t, b.db)
	s, err := New(t.Context(), Config{DB: b.db, Log: b.log, Clock: b.clock.Now, Currency: currency})
	if err != nil {
		t.Fatal(err)
	}
	b.Service = s
	return b
}

func (b books) post(kind, ref string, transfers ...Transfer) (seq int64, err error) {
	err = b.db.Update(context.Background(), func(tx *db.Tx) error {
		seq, err = b.Post(tx, Entry{Kind: kind, Ref: ref, Memo: "of " + kind, Transfers: transfers})
		return err
	})
	return seq, err
}

func (b books) must(t testing.TB, kind, ref string, transfers ...Transfer) {
	t.Helper()
	if _, err := b.post(kind, ref, transfers...); err != nil {
		t.Fatalf("%s: %v", ref, err)
	}
}

func (b books) holds(t testing.TB, a Account, want coop.Money) {
	t.Helper()
	if got, err := b.Balance(t.Context(), a); err != nil || got != want {
		t.Errorf("%s holds %d, want %d (%v)", a, got, want, err)
	}
}

func member(n int) Account {
	return Member(coop.MemberID(fmt.Sprintf("01900000-0000-7000-8000-%012x", n)))
}

// period is a co-op's ordinary life: two requests paid, settled, paid out.
func period(t testing.TB, b books) {
	b.must(t, "invoice-paid", "invoice:1", Transfer{Access, Bank, 60_00})
	b.must(t, "invoice-paid", "invoice:2", Transfer{Access, Bank, 40_00})
	b.must(t, "settlement", "period:P0001",
		Transfer{Commission, Access, 10_00}, Transfer{Reserve, Access, 4_50}, Transfer{Purpose, Access, 4_50}, Transfer{Investors, Access, 4_50},
		Transfer{member(1), Access, 50_00}, Transfer{member(2), Access, 26_50})
	b.must(t, "payout-released", "payout:1", Transfer{Payout, member(1), 50_00})
	b.must(t, "payout-sent", "payout:1:sent", Transfer{Bank, Payout, 50_00})
}

func TestAPeriodFromRevenueToPayout(t *testing.T) {
	b := open(t, "EUR")
	period(t, b)
	for a, want := range map[Account]coop.Money{
		Bank: 50_00, Access: 0, Commission: 10_00, Reserve: 4_50, Purpose: 4_50, Investors: 4_50,
		Payout: 0, member(1): 0, member(2): 26_50, member(3): 0,
	} {
		b.holds(t, a, want)
	}
	if n, err := b.Verify(t.Context()); n != 5 || err != nil {
		t.Errorf("verify: %d, %v", n, err)
	}
	list, err := b.Balances(t.Context(), Members)
	if err != nil || len(list) != 2 || list[1] != (Balance{member(2), 26_50}) {
		t.Errorf("members: %v, %v", list, err)
	}
	posted, err := b.Entries(t.Context(), 2, 2)
	if err != nil || len(posted) != 2 || posted[0].Ref != "period:P0001" || len(posted[0].Postings) != 7 {
		t.Errorf("entries: %+v, %v", posted, err)
	}
}

func TestNothingIsPostedTwice(t *testing.T) {
	b := open(t, "EUR")
	b.must(t, "settlement", "period:P0001", Transfer{member(1), Access, 5})
	if _, err := b.post("settlement", "period:P0001", Transfer{member(1), Access, 5}); !errors.Is(err, ErrPosted) {
		t.Errorf("a second settlement: %v", err)
	}
	b.holds(t, member(1), 5)
}

func TestAMemberIsNeverPaidMoreThanOwed(t *testing.T) {
	b := open(t, "EUR")
	b.must(t, "settlement", "s", Transfer{member(1), Access, 5}, Transfer{member(2), Access, 9})
	for name, transfers := range map[string][]Transfer{
		"one cent more":        {{Payout, member(1), 6}},
		"from nobody":          {{Payout, member(3), 1}},
		"in two parts":         {{Payout, member(1), 3}, {Payout, member(1), 3}},
		"one of many too much": {{Payout, member(2), 9}, {Payout, member(1), 6}},
	} {
		if _, err := b.post("payout", "refused", transfers...); !errors.Is(err, ErrBalance) {
			t.Errorf("%s: %v", name, err)
		}
	}
	b.must(t, "payout", "exactly", Transfer{Payout, member(1), 5})
	b.must(t, "correction", "there-and-back", Transfer{Payout, member(1), 7}, Transfer{member(1), Payout, 7}, Transfer{Payout, member(2), 1})
	b.holds(t, member(1), 0)
}

func TestWhatCannotBeEnteredIsRefusedAndChangesNothing(t *testing.T) {
	b := open(t, "EUR")
	b.must(t, "invoice-paid", "first", Transfer{Access, Bank, MaxTurnover / 2})
	good := Entry{Kind: "invoice-paid", Ref: "second", Transfers: []Transfer{{Access, Bank, 1}}}
	for name, c := range map[string]struct {
		spoil func(e *Entry)
		want  error
	}{
		"no kind":              {func(e *Entry) { e.Kind = "" }, ErrEntry},
		"kind with a colon":    {func(e *Entry) { e.Kind = "a:b" }, ErrEntry},
		"no ref":               {func(e *Entry) { e.Ref = "" }, ErrEntry},
		"ref with a comma":     {func(e *Entry) { e.Ref = "a,b" }, ErrEntry},
		"ref on two lines":     {func(e *Entry) { e.Ref = "a\nb" }, ErrEntry},
		"ref without end":      {func(e *Entry) { e.Ref = strings.Repeat("x", 129) }, ErrEntry},
		"memo on two lines":    {func(e *Entry) { e.Memo = "a\n    assets:bank  1 EUR" }, ErrEntry},
		"memo with a comment":  {func(e *Entry) { e.Memo = "a ; b" }, ErrEntry},
		"memo with a payee":    {func(e *Entry) { e.Memo = "a | b" }, ErrEntry},
		"memo with blank ends": {func(e *Entry) { e.Memo = " a" }, ErrEntry},
		"memo out of sight":    {func(e *Entry) { e.Memo = "a\u202eb" }, ErrEntry},
		"memo of no text":      {func(e *Entry) { e.Memo = "\xff" }, ErrEntry},
		"memo without end":     {func(e *Entry) { e.Memo = strings.Repeat("x", 121) }, ErrEntry},
		"no transfers":         {func(e *Entry) { e.Transfers = nil }, ErrEntry},
		"nothing":              {func(e *Entry) { e.Transfers[0].Amount = 0 }, ErrEntry},
		"less than nothing":    {func(e *Entry) { e.Transfers[0].Amount = -1 }, ErrEntry},
		"the least there is":   {func(e *Entry) { e.Transfers[0].Amount = math.MinInt64 }, ErrEntry},
		"to itself":            {func(e *Entry) { e.Transfers[0].To = Access }, ErrEntry},
		"to nowhere":           {func(e *Entry) { e.Transfers[0].To = "" }, ErrEntry},
		"to an unknown kind":   {func(e *Entry) { e.Transfers[0].To = "assets:pocket" }, ErrEntry},
		"to a subaccount":      {func(e *Entry) { e.Transfers[0].To = "assets:bank:mine" }, ErrEntry},
		"to a nameless member": {func(e *Entry) { e.Transfers[0].To = Members }, ErrEntry},
		"to a made-up member":  {func(e *Entry) { e.Transfers[0].To = Members + "bob" }, ErrEntry},
		"to a shouted member":  {func(e *Entry) { e.Transfers[0].To = Account(strings.ToUpper(string(member(171)))) }, ErrEntry},
		"to a quoted account":  {func(e *Entry) { e.Transfers[0].To = "assets:bank' OR 1=1" }, ErrEntry},
		"round in a circle":    {func(e *Entry) { e.Transfers = []Transfer{{Access, Bank, 5}, {Bank, Access, 5}} }, ErrEntry},
		"more than there is":   {func(e *Entry) { e.Transfers[0].Amount = MaxTurnover/2 + 1 }, ErrTurnover},
		"the most there is":    {func(e *Entry) { e.Transfers[0].Amount = math.MaxInt64 }, ErrTurnover},
		"overflow by two":      {func(e *Entry) { e.Transfers = []Transfer{{Access, Bank, MaxTurnover}, {Access, Bank, MaxTurnover}} }, ErrTurnover},
	} {
		e := good
		e.Transfers = append([]Transfer(nil), good.Transfers...)
		c.spoil(&e)
		err := b.db.Update(t.Context(), func(tx *db.Tx) error {
			_, err := b.Post(tx, e)
			if !errors.Is(err, c.want) {
				t.Errorf("%s: %v", name, err)
			}
			return nil // a refusal leaves nothing behind even so
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n, err := b.Verify(t.Context()); n != 1 || err != nil {
		t.Errorf("verify: %d, %v", n, err)
	}
	b.must(t, "invoice-paid", "last-cent", Transfer{Access, Bank, MaxTurnover / 2})
}

func TestARolledBackEntryWasNeverThere(t *testing.T) {
	b := open(t, "EUR")
	failed := errors.New("something else failed")
	err := b.db.Update(t.Context(), func(tx *db.Tx) error {
		if _, err := b.Post(tx, Entry{Kind: "k", Ref: "r", Transfers: []Transfer{{Access, Bank, 7}}}); err != nil {
			t.Error(err)
		}
		if got, err := b.Balance(tx.Context(), Bank); got != 7 || err != nil {
			t.Errorf("inside, the bank holds %d, %v", got, err)
		}
		return failed
	})
	if !errors.Is(err, failed) {
		t.Error(err)
	}
	b.holds(t, Bank, 0)
	b.must(t, "k", "r", Transfer{Access, Bank, 7})
}

func TestBooksAreKeptInOneCurrency(t *testing.T) {
	b := open(t, "EUR")
	for _, currency := range []coop.Currency{"USD", "", "euro"} {
		if _, err := New(t.Context(), Config{DB: b.db, Log: b.log, Clock: b.clock.Now, Currency: currency}); err == nil {
			t.Errorf("opened in %q", currency)
		}
	}
	if _, err := New(t.Context(), Config{DB: b.db, Log: b.log, Clock: b.clock.Now, Currency: "EUR"}); err != nil {
		t.Error(err)
	}
}

func TestTheAuditLogNamesNeitherAccountsNorAmounts(t *testing.T) {
	b := open(t, "EUR")
	period(t, b)
	if n, err := b.log.Verify(t.Context()); n != 5 || err != nil {
		t.Errorf("log: %d, %v", n, err)
	}
	entries, err := b.log.Tile(t.Context(), "tile/entries/000.p/5")
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"liabilities", "5000", "50.00", "payout:1", "01900000"} {
		if strings.Contains(string(entries), secret) {
			t.Errorf("the log tells %q:\n%s", secret, entries)
		}
	}
	if !strings.Contains(string(entries), "ledger.settlement") {
		t.Errorf("the log does not tell that a period was settled:\n%s", entries)
	}
}

func TestWritersPostingAtOnceLoseNothing(t *testing.T) {
	b := open(t, "EUR")
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 10 {
				if _, err := b.post("k", fmt.Sprintf("%d/%d", w, i), Transfer{member(w), Access, coop.Money(i + 1)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	b.holds(t, Access, -8*55)
	if n, err := b.Verify(t.Context()); n != 80 || err != nil {
		t.Errorf("verify: %d, %v", n, err)
	}
}

// TestAnyHistoryBalances posts random entries and holds the books against a map.
func TestAnyHistoryBalances(t *testing.T) {
	all := append([]Account{member(1), member(2), member(300)}, chart...)
	b, model, n, good := open(t, "EUR"), map[Account]coop.Money{}, 0, int64(0)
	rapid.Check(t, func(t *rapid.T) {
		next := map[Account]coop.Money{}
		for a, v := range model {
			next[a] = v
		}
		var transfers []Transfer
		for range rapid.IntRange(1, 20).Draw(t, "transfers") {
			from := rapid.SampledFrom(all).Draw(t, "from")
			to := rapid.SampledFrom(all).Filter(func(a Account) bool { return a != from }).Draw(t, "to")
			tr := Transfer{from, to, coop.Money(rapid.Int64Range(1, 1000).Draw(t, "amount"))}
			next[from], next[to] = next[from]-tr.Amount, next[to]+tr.Amount
			transfers = append(transfers, tr)
		}
		n++
		_, err := b.post("k", fmt.Sprint(n), transfers...)
		short := next[member(1)] > 0 || next[member(2)] > 0 || next[member(300)] > 0
		switch {
		case short && !errors.Is(err, ErrBalance):
			t.Fatalf("overdrawn: %v", err)
		case !short && err != nil && !errors.Is(err, ErrEntry): // cancelled out
			t.Fatal(err)
		case err == nil:
			model = next
			good++
		}
	})
	for a, sum := range model {
		b.holds(t, a, a.natural(int64(sum)))
	}
	if got, err := b.Verify(t.Context()); got != good || err != nil {
		t.Errorf("verify: %d of %d, %v", got, good, err)
	}
}

// TestVerifyNamesWhatWasTamperedWith edits tables behind the ledger's back.
func TestVerifyNamesWhatWasTamperedWith(t *testing.T) {
	for name, c := range map[string]struct{ statement, want string }{
		"an amount":               {`UPDATE ledger_postings SET amount = amount + 1 WHERE seq = 3 AND n = 1`, "entry 3: " + errZero.Error()},
		"two amounts":             {`UPDATE ledger_postings SET amount = amount * 2 WHERE seq = 2`, "entry 2: " + errDigest.Error()},
		"a time":                  {`UPDATE ledger_entries SET at = at + 1 WHERE seq = 4`, "entry 4: " + errDigest.Error()},
		"a memo":                  {`UPDATE ledger_entries SET memo = 'x' WHERE seq = 5`, "entry 5: " + errDigest.Error()},
		"a ref":                   {`UPDATE ledger_entries SET ref = 'invoice:9' WHERE seq = 1`, "entry 1: " + errDigest.Error()},
		"a kind":                  {`UPDATE ledger_entries SET kind = 'x;' WHERE seq = 1`, "entry 1: " + errWords.Error()},
		"an account":              {`UPDATE ledger_postings SET account = 'assets:bankk' WHERE account = 'assets:bank'`, "entry 1: " + errAccount.Error()},
		"an account's length":     {`UPDATE ledger_postings SET account = account || account || account WHERE seq = 1`, "entry 1: " + errAccount.Error()},
		"the last entry":          {`DELETE FROM ledger_entries WHERE seq = 5`, "belong to no entry"},
		"the last, all of it":     {`DELETE FROM ledger_postings WHERE seq = 5`, "entry 5: " + errZero.Error()},
		"an entry between":        {`DELETE FROM ledger_entries WHERE seq = 2`, "entry 3: " + errSeq.Error()},
		"a posting of entry 0":    {`INSERT INTO ledger_postings (seq, n, account, amount) VALUES (0, 1, 'assets:bank', 1)`, "entry 1: "},
		"a posting of the next":   {`INSERT INTO ledger_postings (seq, n, account, amount) VALUES (6, 1, 'assets:bank', 1)`, "belong to no entry"},
		"a balance":               {`UPDATE ledger_balances SET amount = amount + 1 WHERE account = 'assets:bank'`, errBalance.Error()},
		"a balance too many":      {`INSERT INTO ledger_balances (account, amount) VALUES ('assets:receivable', 0)`, errBalance.Error()},
		"a balance too few":       {`DELETE FROM ledger_balances WHERE account = 'assets:bank'`, errBalance.Error()},
		"the turnover":            {`UPDATE ledger_entries SET turnover = turnover + 1 WHERE seq = 5`, errTurnover.Error()},
		"the digest":              {`UPDATE ledger_entries SET digest = (SELECT digest FROM ledger_entries WHERE seq = 4) WHERE seq = 5`, "entry 5: " + errDigest.Error()},
		"an amount of rat's size": {`UPDATE ledger_postings SET amount = -9223372036854775807 - 1 WHERE seq = 1`, "entry 1: " + errSize.Error()},
	} {
		b := open(t, "EUR")
		period(t, b)
		if err := b.db.Update(t.Context(), func(tx *db.Tx) error {
			_, err := tx.Exec(c.statement)
			return err
		}); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := b.Verify(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
		_ = b.Journal(t.Context(), new(strings.Builder)) // writes what it finds, and must not panic
	}
}

// BenchmarkSettleMillion posts one settlement of a million members; bare is the
// same rows inserted one by one, which is what durable postings cost anyway.
func BenchmarkSettleMillion(b *testing.B) {
	const n = 1_000_000
	transfers := make([]Transfer, n)
	for i := range transfers {
		transfers[i] = Transfer{member(i), Access, coop.Money(1 + i%1000)}
	}
	b.Run("post", func(b *testing.B) {
		for b.Loop() {
			books := open(b, "EUR")
			books.must(b, "settlement", "period:P0001", transfers...)
		}
	})
	b.Run("bare", func(b *testing.B) {
		for b.Loop() {
			books := open(b, "EUR")
			err := books.db.Update(b.Context(), func(tx *db.Tx) error {
				for i, t := range transfers {
					if _, err := tx.Exec(sqlInsertPostings, 1, i+1, string(t.From), -int64(t.Amount)); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}
