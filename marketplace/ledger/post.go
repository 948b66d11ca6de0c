package ledger

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

// MaxTurnover bounds the sum of all amounts ever moved, in minor units. No
// balance can exceed it, so no sum can overflow.
const MaxTurnover = 1 << 62

// Bounds of one entry.
const (
	maxTransfers = 1 << 22
	maxRef       = 128
	maxMemo      = 120
)

// Transfer moves an amount: From is credited, To is debited (see the package
// comment for what that means). Amount is in minor units and more than 0.
type Transfer struct {
	From, To Account
	Amount   coop.Money
}

// Entry is what Post is told.
type Entry struct {
	Kind      string // what happened, a slug such as "settlement"; it is public in the audit log
	Ref       string // names the cause and is posted once: 1 to 128 letters, digits, '.', '_', ':', '/' or '-'
	Memo      string // for the treasurer, at most 120 bytes on one line without ';' and '|'; holds no personal data
	Transfers []Transfer
}

// Posting is one line of an entry. A positive amount is a debit.
type Posting struct {
	Account Account
	Amount  int64
}

// Posted is an entry in the books. Its postings are the net effect on each
// account, ordered by account, and add up to zero.
type Posted struct {
	Seq      int64
	At       int64 // Unix milliseconds
	Kind     string
	Ref      string
	Memo     string
	Postings []Posting
	Digest   [32]byte
}

// Post enters e in the books, in the caller's transaction, and returns its
// number. Refusals come before anything is written: Invalid "entry-invalid"
// with the field at fault, or "amount-too-large"; Conflict "already-posted" when
// the ref is taken, "insufficient-balance" when a member would be owed less
// than nothing. After any other error the caller returns it, so that the
// transaction is rolled back.
func (s *Service) Post(tx *db.Tx, e Entry) (seq int64, err error) {
	if err := e.check(); err != nil {
		return 0, err
	}
	p := Posted{At: s.clock().UnixMilli(), Kind: e.Kind, Ref: e.Ref, Memo: e.Memo}
	var moved int64
	if p.Postings, moved, err = net(e.Transfers); err != nil {
		return 0, err
	}
	last, err := newest(tx)
	if err != nil {
		return 0, fmt.Errorf("ledger: post: %w", err)
	}
	if moved > MaxTurnover-last.turnover {
		return 0, ErrTurnover
	}
	if err := s.admissible(tx, p); err != nil {
		return 0, err
	}
	p.Seq = last.seq + 1
	p.Digest = p.chain(last.digest, s.currency)
	leaf, err := s.commit(tx, p)
	if err != nil {
		return 0, err
	}
	if err := insert(tx, p, last.turnover+moved, leaf); err != nil {
		return 0, fmt.Errorf("ledger: post: %w", err)
	}
	return p.Seq, nil
}

func (e Entry) check() error {
	switch {
	case !coop.ValidSlug(e.Kind):
		return ErrEntry.With("kind")
	case !validRef(e.Ref):
		return ErrEntry.With("ref")
	case !validMemo(e.Memo):
		return ErrEntry.With("memo")
	case len(e.Transfers) == 0 || len(e.Transfers) > maxTransfers:
		return ErrEntry.With("transfers: none, or too many")
	}
	for _, t := range e.Transfers {
		switch {
		case !t.From.Valid() || !t.To.Valid():
			return ErrEntry.With("transfers: unknown account")
		case t.From == t.To:
			return ErrEntry.With("transfers: an account would pay itself")
		case t.Amount <= 0:
			return ErrEntry.With("transfers: an amount is not more than nothing")
		}
	}
	return nil
}

func validRef(ref string) bool {
	return ref != "" && len(ref) <= maxRef && !strings.ContainsFunc(ref, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && !strings.ContainsRune("._:/-", r)
	})
}

func validMemo(memo string) bool {
	return len(memo) <= maxMemo && utf8.ValidString(memo) && memo == strings.TrimSpace(memo) &&
		!strings.ContainsFunc(memo, func(r rune) bool { return r == ';' || r == '|' || !unicode.IsPrint(r) })
}

// net adds transfers up by account. Moved is what is left of their amounts then.
func net(transfers []Transfer) (postings []Posting, moved int64, err error) {
	credits, debits := make([]Posting, len(transfers)), make([]Posting, len(transfers))
	gross := int64(0)
	for i, t := range transfers {
		if int64(t.Amount) > MaxTurnover-gross {
			return nil, 0, ErrTurnover
		}
		gross += int64(t.Amount)
		credits[i], debits[i] = Posting{t.From, -int64(t.Amount)}, Posting{t.To, int64(t.Amount)}
	}
	// Each list alone is usually in order already, the two mixed never are.
	credits, debits = collect(credits), collect(debits)
	postings = make([]Posting, 0, len(credits)+len(debits))
	for len(credits)+len(debits) > 0 {
		var next Posting
		switch {
		case len(debits) == 0 || len(credits) > 0 && credits[0].Account < debits[0].Account:
			next, credits = credits[0], credits[1:]
		case len(credits) == 0 || debits[0].Account < credits[0].Account:
			next, debits = debits[0], debits[1:]
		default:
			next = Posting{credits[0].Account, credits[0].Amount + debits[0].Amount}
			credits, debits = credits[1:], debits[1:]
		}
		if next.Amount != 0 {
			postings = append(postings, next)
			moved += max(next.Amount, 0)
		}
	}
	if len(postings) == 0 {
		return nil, 0, ErrEntry.With("transfers: they cancel each other out")
	}
	return postings, moved, nil
}

// collect orders postings by account and adds up those of one account. The sums
// cannot overflow: no more than MaxTurnover moves.
func collect(postings []Posting) []Posting {
	slices.SortStableFunc(postings, func(a, b Posting) int { return cmp.Compare(a.Account, b.Account) })
	out := postings[:0]
	for _, p := range postings {
		if n := len(out); n > 0 && out[n-1].Account == p.Account {
			out[n-1].Amount += p.Amount
			continue
		}
		out = append(out, p)
	}
	return out
}

// admissible looks at what the books hold: the ref must be new, and no member
// may be debited more than the member is owed.
func (s *Service) admissible(tx *db.Tx, p Posted) error {
	switch taken, err := hasRef(tx, p.Ref); {
	case err != nil:
		return fmt.Errorf("ledger: post: %w", err)
	case taken:
		return ErrPosted
	}
	var debited []Posting
	for _, line := range p.Postings {
		if _, ok := line.Account.Member(); ok && line.Amount > 0 {
			debited = append(debited, line)
		}
	}
	enough, err := owed(tx, debited)
	if err != nil {
		return fmt.Errorf("ledger: post: %w", err)
	}
	if !enough {
		return ErrBalance
	}
	return nil
}

// Balance is what an account holds, counted in its usual direction: what there
// is for assets, what was spent for expenses, what is owed for liabilities,
// what is there for equity and income. An account nothing was posted to holds
// 0. With the context of a transaction it sees what the transaction did.
func (s *Service) Balance(ctx context.Context, a Account) (amount coop.Money, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		sum, err := balance(tx, a)
		amount = a.natural(sum)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("ledger: balance: %w", err)
	}
	return amount, nil
}

// Balance is what one account holds.
type Balance struct {
	Account Account
	Amount  coop.Money
}

// Balances lists what the accounts whose name starts with prefix hold, by name;
// "" lists all. Accounts nothing was posted to are left out.
func (s *Service) Balances(ctx context.Context, prefix string) (list []Balance, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		list, err = balances(tx, prefix)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("ledger: balances: %w", err)
	}
	return list, nil
}

// Entries lists entries after a number, oldest first, at most limit of them.
func (s *Service) Entries(ctx context.Context, after int64, limit int) (list []Posted, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		list, err = entries(tx, after, limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("ledger: entries: %w", err)
	}
	return list, nil
}
