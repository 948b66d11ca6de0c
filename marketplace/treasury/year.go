package treasury

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"slices"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/marketplace/desk"
	"distributed.ai/datacoop/marketplace/ledger"
)

// What moved a member's balance.
const (
	LineShare    = "share"    // of a settled period
	LineAward    = "award"    // of a panel that decided an appeal
	LinePayout   = "payout"   // ordered from the bank
	LineReturned = "returned" // a payout that came back
	LineGift     = "gift"     // to the common purpose
)

// Line is one movement of a member's balance; what leaves it is negative.
type Line struct {
	At     int64
	Kind   string
	Ref    string // a period, or the id of the gift or payment
	Amount coop.Money
}

// Year is a member's account in one calendar year, in UTC. Opening and what
// moved add up to Closing, which is carried into the next.
type Year struct {
	Year     int
	Opening  coop.Money
	Earned   coop.Money // shares and awards
	PaidOut  coop.Money // less what came back
	Given    coop.Money
	Closing  coop.Money
	Lines    []Line
	Currency coop.Currency
}

// ErrYear says that there is no statement of a year.
var ErrYear = fault.New(fault.NotFound, "no-such-year", "There is no statement of that year.")

// Account lists everything that ever moved a member's balance but awards, oldest
// first; in the caller's transaction.
func (t *Till) Account(tx *db.Tx, m coop.MemberID) ([]Line, error) {
	var out []Line
	for _, read := range []func(*db.Tx, coop.MemberID) ([]Line, error){shareLines, payoutLines, returnLines, giftLines} {
		lines, err := read(tx, m)
		if err != nil {
			return nil, err
		}
		out = append(out, lines...)
	}
	return out, nil
}

// YearOf sums up one year of an account. ErrYear before 2000 and after 9999.
func YearOf(lines []Line, year int, c coop.Currency) (Year, error) {
	if year < 2000 || year > 9999 {
		return Year{}, ErrYear
	}
	from := time.Date(year, time.January, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	to := time.Date(year+1, time.January, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	out := Year{Year: year, Lines: []Line{}, Currency: c}
	for _, l := range lines {
		switch {
		case l.At >= to:
			continue
		case l.At < from:
			out.Opening += l.Amount
			continue
		case l.Kind == LinePayout || l.Kind == LineReturned:
			out.PaidOut -= l.Amount
		case l.Kind == LineGift:
			out.Given -= l.Amount
		default:
			out.Earned += l.Amount
		}
		out.Lines = append(out.Lines, l)
	}
	slices.SortStableFunc(out.Lines, func(a, b Line) int { return cmp.Compare(a.At, b.At) })
	out.Closing = out.Opening + out.Earned - out.PaidOut - out.Given
	return out, nil
}

// CSV is the year as a table: day, kind, reference, amount and balance, with the
// opening and the closing balance as its first and last rows. No field begins
// with what a spreadsheet would compute but the minus of an amount.
func (y Year) CSV() ([]byte, error) {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	amount := func(m coop.Money) string { return m.Decimal(y.Currency) }
	day := func(at int64) string { return time.UnixMilli(at).UTC().Format(time.DateOnly) }
	first := time.Date(y.Year, time.January, 1, 0, 0, 0, 0, time.UTC)
	rows := [][]string{{"day", "kind", "reference", "amount", "balance", "currency"},
		{first.Format(time.DateOnly), "opening", "", "", amount(y.Opening), string(y.Currency)}}
	balance := y.Opening
	for _, l := range y.Lines {
		balance += l.Amount
		rows = append(rows, []string{day(l.At), l.Kind, l.Ref, amount(l.Amount), amount(balance), string(y.Currency)})
	}
	rows = append(rows, []string{first.AddDate(1, 0, -1).Format(time.DateOnly), "closing", "", "", amount(y.Closing), string(y.Currency)})
	err := w.WriteAll(rows)
	return out.Bytes(), desk.Failed("yearly statement", err)
}

// Kept derives what every member is owed from everything but the books.
func (t *Till) Kept(ctx context.Context) (map[coop.MemberID]coop.Money, error) {
	return desk.Read(ctx, t.desk.DB, kept)
}

var errOwed = errors.New("what the books owe a member is not what was settled, less what was paid out and given")

// Agree holds what the books owe members against what Kept answers and what their
// appeals were awarded.
func Agree(books []ledger.Balance, kept, awards map[coop.MemberID]coop.Money) error {
	for _, b := range books {
		m, _ := b.Account.Member()
		if b.Amount != kept[m]+awards[m] {
			return errOwed
		}
		delete(kept, m)
	}
	for _, left := range kept {
		if left != 0 {
			return errOwed
		}
	}
	return nil
}
