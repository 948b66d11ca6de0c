package ledger

import (
	"cmp"
	"context"
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
	Each  iter.Seq2[[]Due, error] // the part, by member id in ascending order, in pages that the next may overwrite
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
//
// Each runs on a processor of its own, ahead of the writing, and must not use
// tx. It has ended when PostMany returns.
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
	if p.Digest, err = m.pour(tx, p.Seq, p.digest(last.digest, s.currency), before, after); err != nil {
		return 0, fmt.Errorf("ledger: post: %w", err)
	}
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

// errStopped ends the preparing once the inserting has failed.
var errStopped = errors.New("the inserting failed")

// How many batches go into a load, and how many loads may wait: handing over
// costs, and so does memory.
const (
	perLoad = 16
	ahead   = 4
)

// pour inserts an entry's postings in the transaction and answers their digest.
// The next ones are meanwhile read, checked and digested on another processor.
func (m Many) pour(tx *db.Tx, seq int64, d *digest, before, after []Posting) (sum [32]byte, err error) {
	full, spare := make(chan *load, ahead), make(chan *load, ahead)
	stop, stopped := make(chan struct{}), make(chan struct{})
	var bad error
	go func() {
		defer close(stopped)
		defer close(full)
		bad = m.prepare(d, newWriter(seq, newLoad(perLoad), func(l *load) (*load, error) {
			select {
			case full <- l:
			case <-stop:
				return nil, errStopped
			}
			select {
			case l = <-spare:
				return l, nil
			default:
				return newLoad(perLoad), nil
			}
		}), before, after)
	}()
	defer func() {
		close(stop)
		<-stopped
		sum, err = d.sum(), cmp.Or(err, bad)
	}()
	for l := range full {
		if err := l.insert(tx); err != nil {
			return sum, err
		}
		select {
		case spare <- l:
		default:
		}
	}
	return sum, nil
}

// prepare digests the postings and cuts them into batches.
func (m Many) prepare(d *digest, w *writer, before, after []Posting) error {
	take := func(lines []Posting) error {
		d.write(lines)
		return w.write(lines)
	}
	if err := take(before); err != nil {
		return err
	}
	left, last := m.Total, coop.MemberID("")
	for page, err := range m.Each {
		if err != nil {
			return err
		}
		for _, due := range page {
			if !coop.ValidID(due.Member) || due.Member <= last || due.Amount <= 0 || due.Amount > left {
				return errCrowd
			}
			left -= due.Amount
			last = due.Member
		}
		if err := take(credits(page)); err != nil {
			return err
		}
	}
	if left != 0 {
		return errTotal
	}
	if err := take(after); err != nil {
		return err
	}
	return w.flush()
}

// credits are the postings of dues. The names of their accounts are cut from one
// text, because one by one they cost more than all else here.
func credits(dues []Due) []Posting {
	var names strings.Builder
	names.Grow(widest * len(dues))
	for _, due := range dues {
		names.WriteString(members)
		names.WriteString(string(due.Member))
	}
	rest, lines := names.String(), make([]Posting, len(dues))
	for i, due := range dues {
		n := len(members) + len(due.Member)
		lines[i], rest = Posting{Account(rest[:n]), -int64(due.Amount)}, rest[n:]
	}
	return lines
}

// Bare inserts the rows of an entry and of its balances and nothing else: what
// a benchmark holds PostMany against. It leaves books that do not verify.
func Bare(ctx context.Context, d *db.DB, dues []Due) error {
	lines := credits(dues)
	return d.Update(ctx, func(tx *db.Tx) error {
		return insert(tx, Posted{Seq: 1 << 40, Kind: "bare", Ref: "bare", Postings: lines}, 1, 0)
	})
}
