package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"strconv"
	"strings"
	"time"

	"distributed.ai/datacoop/internal/coop"
)

// chain is the entry's digest: SHA-256 of the digest before it (32 zero bytes
// before the first) and the entry's text in the journal.
func (p Posted) chain(before [32]byte, c coop.Currency) [32]byte {
	d := p.digest(before, c)
	d.write(p.Postings)
	return d.sum()
}

// digest begins the entry's digest, which takes its postings in order.
func (p Posted) digest(before [32]byte, c coop.Currency) *digest {
	d := &digest{hash: sha256.New(), currency: c}
	d.text = p.head(append(d.text, before[:]...))
	return d
}

// digest is the digest of an entry that is still being written.
type digest struct {
	hash     hash.Hash
	text     []byte // not yet hashed
	currency coop.Currency
}

func (d *digest) write(lines []Posting) {
	for _, line := range lines {
		if d.text = line.text(d.text, d.currency); len(d.text) > 1<<14 {
			_, _ = d.hash.Write(d.text) // a hash takes everything
			d.text = d.text[:0]
		}
	}
}

func (d *digest) sum() (sum [32]byte) {
	_, _ = d.hash.Write(d.text)
	d.text = nil
	d.hash.Sum(sum[:0])
	return sum
}

// head appends the first lines of the entry's text, which the digest covers.
func (p Posted) head(buf []byte) []byte {
	buf = time.UnixMilli(p.At).UTC().AppendFormat(buf, time.DateOnly)
	buf = append(buf, " * ("...)
	buf = strconv.AppendInt(buf, p.Seq, 10)
	buf = append(buf, ") "...)
	buf = append(buf, p.Kind...)
	if p.Memo != "" {
		buf = append(buf, " | "...)
		buf = append(buf, p.Memo...)
	}
	buf = append(buf, "\n    ; at: "...)
	buf = strconv.AppendInt(buf, p.At, 10)
	buf = append(buf, ", ref: "...)
	buf = append(buf, p.Ref...)
	return append(buf, '\n')
}

// seal appends the line with the digest, which the digest does not cover.
func (p Posted) seal(buf []byte) []byte {
	buf = append(buf, "    ; sha256: "...)
	buf = hex.AppendEncode(buf, p.Digest[:])
	return append(buf, '\n')
}

const blanks = "                                                                                "

// text appends the posting as a line of the journal.
func (p Posting) text(buf []byte, c coop.Currency) []byte {
	var room [24]byte // for any amount
	amount := coop.Money(p.Amount).AppendDecimal(room[:0], c)
	buf = append(buf, "    "...)
	buf = append(buf, p.Account...)
	buf = append(buf, blanks[:max(2, widest+2-len(p.Account))]...)
	if len(amount) < 14 {
		buf = append(buf, blanks[:14-len(amount)]...)
	}
	buf = append(buf, amount...)
	buf = append(buf, ' ')
	buf = append(buf, c...)
	return append(buf, '\n')
}

// book derives the state of the books from their entries, one after the other,
// and finds the first that cannot be genuine.
type book struct {
	currency coop.Currency
	entries  int64
	turnover int64
	head     [32]byte
	refs     map[string]struct{}
	sums     map[Account]int64
}

func newBook(c coop.Currency) *book {
	return &book{currency: c, refs: map[string]struct{}{}, sums: map[Account]int64{}}
}

// Reasons why an entry is not genuine.
var (
	errSeq      = errors.New("the number does not follow the one before")
	errWords    = errors.New("kind, ref or memo is malformed")
	errTwice    = errors.New("the ref was posted before")
	errAccount  = errors.New("an account is unknown, out of order or occurs twice")
	errZero     = errors.New("the postings do not add up to zero")
	errSize     = errors.New("an amount is nothing or too large")
	errOverdraw = errors.New("a member is owed less than nothing")
	errDigest   = errors.New("the digest does not fit the entry and those before it")
)

func (b *book) add(p Posted) error {
	switch {
	case p.Seq != b.entries+1:
		return errSeq
	case !coop.ValidSlug(p.Kind) || !validRef(p.Ref) || !validMemo(p.Memo):
		return errWords
	}
	if _, twice := b.refs[p.Ref]; twice {
		return errTwice
	}
	if err := b.post(p.Postings); err != nil {
		return err
	}
	if p.chain(b.head, b.currency) != p.Digest {
		return errDigest
	}
	b.entries, b.head = p.Seq, p.Digest
	b.refs[strings.Clone(p.Ref)] = struct{}{}
	return nil
}

func (b *book) post(postings []Posting) error {
	var sum, moved int64
	for i, line := range postings {
		if !line.Account.Valid() || i > 0 && postings[i-1].Account >= line.Account {
			return errAccount
		}
		if line.Amount == 0 || line.Amount > MaxTurnover-moved || line.Amount < -MaxTurnover {
			return errSize
		}
		moved += max(line.Amount, 0)
		if sum += line.Amount; sum > MaxTurnover || sum < -MaxTurnover {
			return errSize
		}
	}
	switch {
	case sum != 0 || len(postings) == 0:
		return errZero
	case moved > MaxTurnover-b.turnover:
		return errSize
	}
	b.turnover += moved
	for _, line := range postings {
		after := b.sums[line.Account] + line.Amount
		if _, ok := line.Account.Member(); ok && after > 0 {
			return errOverdraw
		}
		b.sums[line.Account] = after
	}
	return nil
}
