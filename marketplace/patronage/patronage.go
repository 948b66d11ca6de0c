// Package patronage keeps what each member has contributed to the co-op, beside
// the money: one unit for every minor unit that a settled statement gave them,
// so that the same appraisal that divides a period's revenue recommends the
// ownership that comes of it.
//
// The account is not kept a second time. It is the sum of a member's settled
// shares, and every settlement is an entry of the books, chained and in the log:
// [Verify] derives all accounts again from those entries. What is paid out,
// given away or awarded by a panel later changes no account, and neither does a
// dispute: units record what was found when the period was settled.
//
// # What it is not
//
// See [Text], which is shown wherever a number of units is.
//
// # What it refuses
//
// Everything one does with property: there is no call that moves a unit from one
// member to another, none that adds interest, and none that turns units into
// money.
package patronage

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/desk"
	"distributed.ai/datacoop/marketplace/ledger"
)

// Text says what units of patronage are and what they are not.
const Text = "Units record what your data and your work have brought the co-op: one for each minor unit of the currency that a settled " +
	"statement gave you, whether you were paid it or gave it away. They are not a security, not an investment and not money: they earn no interest, " +
	"cannot be sold, given away, pledged or inherited, and give no right to a payment. They do not count in votes either, " +
	"where every member has one. What they are to count for, members decide together."

// Account is what one member has contributed.
type Account struct {
	Member  coop.MemberID
	Units   int64
	All     int64 // of all members
	Credits []Credit
}

// Permille is the member's part of all units in thousandths, rounded down; 0
// while there are none.
func (a Account) Permille() int64 {
	if a.All == 0 {
		return 0
	}
	whole, rest := a.Units/a.All, a.Units%a.All
	return whole*1000 + rest*1000/a.All // the rest is below 2⁵³, see appraisal.MaxRevenue
}

// Credit is what one settlement added.
type Credit struct {
	Period coop.PeriodID
	At     int64
	Units  int64
}

// Register reads accounts of patronage. It is safe for concurrent use.
type Register struct{ desk *desk.Desk }

// New opens the register.
func New(d *desk.Desk) *Register { return &Register{d} }

// Patronage is a member's account, newest credit first.
func (r *Register) Patronage(ctx context.Context, m coop.MemberID) (Account, error) {
	return desk.Read(ctx, r.desk.DB, func(tx *db.Tx) (Account, error) {
		out := Account{Member: m}
		var err error
		if out.Credits, err = credits(tx, m); err != nil {
			return Account{}, err
		}
		for _, c := range out.Credits {
			out.Units += c.Units
		}
		out.All, err = all(tx)
		return out, err
	})
}

// settlement is the kind of entry that credits units, and of no other.
const settlement = "settlement"

// perPage is how many entries are looked at together; a settlement holds every
// member of its period.
const perPage = 8

// settlements calls fn with every settlement in the books.
func (r *Register) settlements(ctx context.Context, fn func(ledger.Posted) error) error {
	for after := int64(0); ; {
		list, err := r.desk.Ledger.Entries(ctx, after, perPage)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, p := range list {
			after = p.Seq
			if p.Kind != settlement {
				continue
			}
			if err := fn(p); err != nil {
				return err
			}
		}
	}
}

// VerifyPatronage derives every account from the books' settlements and holds it
// against the settled shares. It answers how many accounts there are.
func (r *Register) VerifyPatronage(ctx context.Context) (accounts int, err error) {
	books := map[coop.MemberID]int64{}
	err = r.settlements(ctx, func(p ledger.Posted) error {
		for _, line := range p.Postings {
			if m, ok := line.Account.Member(); ok {
				books[m] -= line.Amount
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("patronage: %w", err)
	}
	accounts = len(books)
	shares, err := desk.Read(ctx, r.desk.DB, sums)
	if err != nil {
		return 0, err
	}
	for m, units := range shares {
		if books[m] != units {
			return 0, errAccount
		}
		delete(books, m)
	}
	if len(books) > 0 {
		return 0, errAccount
	}
	return accounts, nil
}

// PatronageJournal writes all accounts as plain text in hledger's format, in a commodity
// of its own: memorandum accounts that stand beside the books and balance among
// themselves. It holds the ids of members and what they earned.
func (r *Register) PatronageJournal(ctx context.Context, w io.Writer) error {
	out := bufio.NewWriter(w)
	names := map[ledger.Account]bool{}
	var entries strings.Builder
	err := r.settlements(ctx, func(p ledger.Posted) error {
		issued := int64(0)
		_, _ = fmt.Fprintf(&entries, "\n%s * (%d) %s\n    ; ref: %s\n", time.UnixMilli(p.At).UTC().Format(time.DateOnly), p.Seq, p.Kind, p.Ref)
		for _, line := range p.Postings {
			m, ok := line.Account.Member()
			if !ok {
				continue
			}
			issued -= line.Amount
			names[memorandum(m)] = true
			_, _ = fmt.Fprintf(&entries, "    %s  %d units\n", memorandum(m), -line.Amount)
		}
		_, _ = fmt.Fprintf(&entries, "    %s  %d units\n", issuedAccount, -issued)
		return nil
	})
	if err != nil {
		return fmt.Errorf("patronage: journal: %w", err)
	}
	_, _ = fmt.Fprintf(out, "; datacoop patronage, memorandum accounts, format 1\ndecimal-mark .\ncommodity 1. units\n\naccount %s\n", issuedAccount)
	for _, name := range sorted(names) {
		_, _ = fmt.Fprintf(out, "account %s\n", name)
	}
	_, _ = out.WriteString(entries.String())
	return out.Flush()
}
