package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"strings"

	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

// Many is an entry that owes something to so many members that nobody holds them
// all in memory: a settlement.
type Many struct {
	Entry                         // its transfers name no member; there may be none
	From  Account                 // what the members' part comes out of; it is debited
	Total coop.Money              // of the members' part, more than nothing
	Each  iter.Seq2[[]Due, error] // the part, by member id in ascending order, in pages that the ledger may keep
}

// Due is what one member is owed more.
type Due struct {
	Member coop.MemberID
	Amount coop.Money
}

// PostMany is Post for a multitude: the same books come of it as of one transfer
// from each member's account to From. The pages are written as they arrive, and
// only once they have all arrived does it show whether they were in order and
// added up; any error is therefore for the caller to return, so that nothing of
// it is kept. Refusals are those of Post.
func (s *Service) PostMany(tx *db.Tx, m Many) (seq int64, err error) {
	last, err := newest(tx)
	if err != nil {
		return 0, fmt.Errorf("ledger: post: %w", err)
	}
	p := Posted{Seq: last.seq + 1, At: s.clock().UnixMilli(), Kind: m.Kind, Ref: m.Ref, Memo: m.Memo}
	before, after, moved, err := m.ends()
	if err != nil {
		return 0, err
	}
	if moved > MaxTurnover-last.turnover {
		return 0, ErrTurnover
	}
	if err := s.admissible(tx, p); err != nil {
		return 0, err
	}
	chain := p.hash(last.digest, s.currency)
	defer chain.close()
	w := writer{tx: tx, seq: p.Seq}
	if err := errors.Join(chain.write(before), w.write(before), m.pour(chain, &w), chain.write(after), w.write(after), w.flush()); err != nil {
		return 0, fmt.Errorf("ledger: post: %w", err)
	}
	p.Digest = chain.close()
	leaf, err := s.commit(tx, p)
	if err != nil {
		return 0, err
	}
	if err := insertEntry(tx, p, last.turnover+moved, leaf); err != nil {
		return 0, fmt.Errorf("ledger: post: %w", err)
	}
	return p.Seq, nil
}

// commit has the audit log name an entry by its digest.
func (s *Service) commit(tx *db.Tx, p Posted) (leaf int64, err error) {
	leaf, err = s.log.Append(tx, audit.Event{
		Kind:   "ledger." + p.Kind,
		Record: map[string]any{"digest": hex.EncodeToString(p.Digest[:]), "entry": p.Seq, "ref": p.Ref},
	})
	if err != nil {
		return 0, fmt.Errorf("ledger: post: %w", err)
	}
	return leaf, nil
}

// ends are the postings that stand before and after those of members, and what
// the whole entry moves.
func (m Many) ends() (before, after []Posting, moved int64, err error) {
	// A made-up member stands in for all of them.
	crowd := Member(uuid)
	e := m.Entry
	e.Transfers = append([]Transfer{{From: crowd, To: m.From, Amount: m.Total}}, e.Transfers...)
	if err := e.check(); err != nil {
		return nil, nil, 0, err
	}
	for _, t := range m.Transfers {
		if strings.HasPrefix(string(t.From), Members) || strings.HasPrefix(string(t.To), Members) {
			return nil, nil, 0, ErrEntry.With("transfers: a member beside the members")
		}
	}
	postings, moved, err := net(e.Transfers)
	for _, p := range postings {
		switch {
		case p.Account < crowd:
			before = append(before, p)
		case p.Account > crowd:
			after = append(after, p)
		}
	}
	return before, after, moved, err
}

// Reasons to give an entry up half-written.
var (
	errCrowd = errors.New("the members are not in order, or owed nothing")
	errTotal = errors.New("the members' parts do not add up to their total")
)

// pour writes the members' postings.
func (m Many) pour(chain *chaining, w *writer) error {
	left, last := m.Total, Account("")
	for page, err := range m.Each {
		if err != nil {
			return err
		}
		lines := make([]Posting, len(page))
		for i, c := range page {
			account := Member(c.Member)
			if !coop.ValidID(c.Member) || account <= last || c.Amount <= 0 || c.Amount > left {
				return errCrowd
			}
			left -= c.Amount
			last, lines[i] = account, Posting{account, -int64(c.Amount)}
		}
		if err := errors.Join(chain.write(lines), w.write(lines)); err != nil {
			return err
		}
	}
	if left != 0 {
		return errTotal
	}
	return nil
}

// chaining digests an entry while it is being written.
type chaining struct {
	pages  chan []Posting
	digest chan [32]byte
	done   *[32]byte
}

// hash begins the entry's digest, see chain.
func (p Posted) hash(before [32]byte, c coop.Currency) *chaining {
	out := &chaining{pages: make(chan []Posting, 16), digest: make(chan [32]byte, 1)}
	go func() {
		h, buf := sha256.New(), p.head(nil)
		_, _ = h.Write(before[:]) // a hash takes everything
		for page := range out.pages {
			for _, line := range page {
				buf = line.text(buf, c)
			}
			_, _ = h.Write(buf)
			buf = buf[:0]
		}
		_, _ = h.Write(buf)
		out.digest <- [32]byte(h.Sum(nil))
	}()
	return out
}

func (c *chaining) write(page []Posting) error {
	c.pages <- page
	return nil
}

// close ends the digest and answers it; again, the same.
func (c *chaining) close() [32]byte {
	if c.done == nil {
		close(c.pages)
		digest := <-c.digest
		c.done = &digest
	}
	return *c.done
}

// Bare inserts the rows of an entry and of its balances and nothing else: what
// a benchmark holds PostMany against. It leaves books that do not verify.
func Bare(ctx context.Context, d *db.DB, credits []Due) error {
	lines := make([]Posting, len(credits))
	for i, c := range credits {
		lines[i] = Posting{Member(c.Member), -int64(c.Amount)}
	}
	return d.Update(ctx, func(tx *db.Tx) error {
		return insert(tx, Posted{Seq: 1 << 40, Kind: "bare", Ref: "bare", Postings: lines}, 1, 0)
	})
}
