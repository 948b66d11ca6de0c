package ledger

import (
	"database/sql"
	"errors"
	"math"
	"strings"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

const (
	sqlBegin    = `INSERT INTO ledger_books (id, currency) VALUES (1, ?) ON CONFLICT (id) DO NOTHING`
	sqlCurrency = `SELECT currency FROM ledger_books WHERE id = 1`
)

// begin fixes the currency of new books and returns that of the books there are.
func begin(tx *db.Tx, c coop.Currency) (have coop.Currency, err error) {
	if _, err := tx.Exec(sqlBegin, string(c)); err != nil {
		return "", err
	}
	err = tx.QueryRow(sqlCurrency).Scan(&have)
	return have, err
}

// end is the state after the newest entry.
type end struct {
	seq, turnover int64
	digest        [32]byte
}

const sqlNewest = `SELECT seq, turnover, digest FROM ledger_entries ORDER BY seq DESC LIMIT 1`

func newest(tx *db.Tx) (last end, err error) {
	var digest []byte
	err = tx.QueryRow(sqlNewest).Scan(&last.seq, &last.turnover, &digest)
	copy(last.digest[:], digest)
	if errors.Is(err, db.ErrNoRow) {
		return end{}, nil
	}
	return last, err
}

const sqlHasRef = `SELECT count(*) FROM ledger_entries WHERE ref = ?`

func hasRef(tx *db.Tx, ref string) (bool, error) {
	var n int64
	err := tx.QueryRow(sqlHasRef, ref).Scan(&n)
	return n > 0, err
}

const (
	sqlInsertEntry = `INSERT INTO ledger_entries (seq, at, kind, ref, memo, digest, turnover, leaf) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`

	sqlInsertPostings = `INSERT INTO ledger_postings (seq, n, account, amount) VALUES (?, ?, ?, ?)`
	sqlAddBalances    = `INSERT INTO ledger_balances (account, amount) VALUES (?, ?)`
	sqlOnBalance      = ` ON CONFLICT (account) DO UPDATE SET amount = ledger_balances.amount + excluded.amount`
)

// batches are how many rows one statement inserts: few shapes, so that the
// driver finds each prepared, and many rows, because a call costs more than a
// row.
var batches = [...]int{256, 16, 1}

// filling are the statements that insert a batch, for each of batches. They are
// long, so they are written once.
var filling = func() (all [len(batches)]struct{ postings, balances string }) {
	for i, n := range batches {
		all[i].postings = repeated(sqlInsertPostings, "(?, ?, ?, ?)", "", n)
		all[i].balances = repeated(sqlAddBalances, "(?, ?)", sqlOnBalance, n)
	}
	return all
}()

// repeated is a statement for n rows: insert ends in the first one's VALUES.
func repeated(insert, row, tail string, n int) string {
	return insert + strings.Repeat(", "+row, n-1) + tail
}

func insert(tx *db.Tx, p Posted, turnover, leaf int64) error {
	if err := insertEntry(tx, p, turnover, leaf); err != nil {
		return err
	}
	w := newWriter(p.Seq, newLoad(1), func(full *load) (*load, error) { return full, full.insert(tx) })
	if err := w.write(p.Postings); err != nil {
		return err
	}
	return w.flush()
}

func insertEntry(tx *db.Tx, p Posted, turnover, leaf int64) error {
	return tx.ExecOne(sqlInsertEntry, p.Seq, p.At, p.Kind, p.Ref, p.Memo, p.Digest[:], turnover, leaf)
}

// batch is the arguments of the statements that insert as many postings as one
// of batches says, and add them to the balances.
type batch struct {
	kind        int // index in batches
	lines, sums []any
}

// load is some batches that are inserted one after the other, and is filled
// again afterwards.
type load struct {
	batches []batch
	used    int
}

func newLoad(size int) *load { return &load{batches: make([]batch, size)} }

// insert empties the load into the tables.
func (l *load) insert(tx *db.Tx) error {
	for _, b := range l.batches[:l.used] {
		if _, err := tx.Exec(filling[b.kind].postings, b.lines...); err != nil {
			return err
		}
		if _, err := tx.Exec(filling[b.kind].balances, b.sums...); err != nil {
			return err
		}
	}
	l.used = 0
	return nil
}

// writer cuts one entry's postings, in order, into batches.
type writer struct {
	seq     any
	n       int64
	waiting []Posting // fewer than the largest batch
	load    *load
	put     func(full *load) (empty *load, err error) // sees to it that a load is inserted
}

func newWriter(seq int64, first *load, put func(*load) (*load, error)) *writer {
	return &writer{seq: seq, load: first, put: put}
}

// write takes the next postings; some of them wait for those that follow.
func (w *writer) write(lines []Posting) error {
	w.waiting = append(w.waiting, lines...)
	return w.drain(0, 1)
}

// flush puts what still waits.
func (w *writer) flush() (err error) {
	if err := w.drain(1, len(batches)); err != nil {
		return err
	}
	w.load, err = w.put(w.load)
	return err
}

// drain fills the batches from one kind to before another.
func (w *writer) drain(from, to int) (err error) {
	lines := w.waiting
	for kind := from; kind < to; kind++ {
		for n := batches[kind]; len(lines) >= n; lines = lines[n:] {
			if w.load.used == len(w.load.batches) {
				if w.load, err = w.put(w.load); err != nil {
					return err
				}
			}
			w.fill(kind, lines[:n])
		}
	}
	w.waiting = append(w.waiting[:0], lines...)
	return nil
}

func (w *writer) fill(kind int, lines []Posting) {
	b := &w.load.batches[w.load.used]
	w.load.used++
	b.kind, b.lines, b.sums = kind, b.lines[:0], b.sums[:0]
	for _, line := range lines {
		w.n++
		account := any(string(line.Account)) // one allocation for both statements
		amount := any(line.Amount)
		b.lines = append(b.lines, w.seq, w.n, account, amount)
		b.sums = append(b.sums, account, amount)
	}
}

const sqlBalance = `SELECT amount FROM ledger_balances WHERE account = ?`

// balance is the sum of an account's postings, debits positive.
func balance(tx *db.Tx, a Account) (sum int64, err error) {
	err = tx.QueryRow(sqlBalance, string(a)).Scan(&sum)
	if errors.Is(err, db.ErrNoRow) {
		return 0, nil
	}
	return sum, err
}

const sqlSomeBalances = `SELECT account, amount FROM ledger_balances WHERE account IN (?`

// owed reports whether every account can bear its debit. The accounts differ.
func owed(tx *db.Tx, debits []Posting) (bool, error) {
	var args []any
	for _, n := range batches {
		query := repeated(sqlSomeBalances, "?", ")", n)
		for ; len(debits) >= n; debits = debits[n:] {
			left := make(map[Account]int64, n)
			args = args[:0]
			for _, d := range debits[:n] {
				left[d.Account] = d.Amount
				args = append(args, string(d.Account))
			}
			have, err := db.Collect(tx, scanPosting, query, args...)
			if err != nil {
				return false, err
			}
			for _, b := range have {
				left[b.Account] += b.Amount
			}
			for _, sum := range left {
				if sum > 0 {
					return false, nil
				}
			}
		}
	}
	return true, nil
}

func scanPosting(rows *sql.Rows) (p Posting, err error) {
	err = rows.Scan(&p.Account, &p.Amount)
	return p, err
}

const (
	sqlBalances       = `SELECT account, amount FROM ledger_balances ORDER BY account`
	sqlBalancesPrefix = `SELECT account, amount FROM ledger_balances WHERE account >= ? AND account < ? ORDER BY account`
)

func balances(tx *db.Tx, prefix string) ([]Balance, error) {
	scan := func(rows *sql.Rows) (Balance, error) {
		p, err := scanPosting(rows)
		return Balance{p.Account, p.Account.natural(p.Amount)}, err
	}
	if prefix == "" {
		return db.Collect(tx, scan, sqlBalances)
	}
	after := prefix[:len(prefix)-1] + string(rune(prefix[len(prefix)-1]+1))
	return db.Collect(tx, scan, sqlBalancesPrefix, prefix, after)
}

const (
	sqlEntries     = `SELECT seq, at, kind, ref, memo, digest FROM ledger_entries WHERE seq > ? ORDER BY seq LIMIT ?`
	sqlPostings    = `SELECT account, amount FROM ledger_postings WHERE seq = ? ORDER BY n`
	sqlAllPostings = `SELECT seq, n, account, amount FROM ledger_postings WHERE (seq, n) > (?, ?) ORDER BY seq, n LIMIT ?`
	sqlStrays      = `SELECT count(*) FROM ledger_postings WHERE seq NOT IN (SELECT seq FROM ledger_entries)`
)

func scanEntry(rows *sql.Rows) (p Posted, err error) {
	var digest []byte
	err = rows.Scan(&p.Seq, &p.At, &p.Kind, &p.Ref, &p.Memo, &digest)
	copy(p.Digest[:], digest)
	return p, err
}

func entries(tx *db.Tx, after int64, limit int) ([]Posted, error) {
	list, err := db.Collect(tx, scanEntry, sqlEntries, after, max(limit, 0))
	for i := range list {
		if err == nil {
			list[i].Postings, err = db.Collect(tx, scanPosting, sqlPostings, list[i].Seq)
		}
	}
	return list, err
}

// scan calls fn with every entry in order. The postings are only fn's until it
// returns.
func scan(tx *db.Tx, fn func(p Posted) error) error {
	lines := cursor{tx: tx}
	lines.at.seq = math.MinInt64
	if err := lines.next(); err != nil {
		return err
	}
	var postings []Posting
	for after := int64(math.MinInt64); ; {
		heads, err := db.Collect(tx, scanEntry, sqlEntries, after, perPage)
		if err != nil || len(heads) == 0 {
			return err
		}
		for _, p := range heads {
			after, p.Postings = p.Seq, postings[:0]
			for !lines.done && lines.at.seq == p.Seq {
				p.Postings = append(p.Postings, lines.at.posting)
				if err := lines.next(); err != nil {
					return err
				}
			}
			if err := fn(p); err != nil {
				return err
			}
			postings = p.Postings
		}
	}
}

// perPage is how many rows a scan of all of them holds: whoever walks through
// two tables side by side has one connection.
const perPage = 500

// cursor reads postings in order, one row ahead of its user.
type cursor struct {
	tx   *db.Tx
	page []line
	at   line
	done bool
}

type line struct {
	seq, n  int64
	posting Posting
}

func (c *cursor) next() (err error) {
	if len(c.page) == 0 {
		c.page, err = db.Collect(c.tx, func(rows *sql.Rows) (l line, err error) {
			err = rows.Scan(&l.seq, &l.n, &l.posting.Account, &l.posting.Amount)
			return l, err
		}, sqlAllPostings, c.at.seq, c.at.n, perPage)
	}
	if err != nil || len(c.page) == 0 {
		c.done = true
		return err
	}
	c.at, c.page = c.page[0], c.page[1:]
	return nil
}

// strays counts postings whose entry is missing.
func strays(tx *db.Tx) (n int64, err error) {
	err = tx.QueryRow(sqlStrays).Scan(&n)
	return n, err
}
