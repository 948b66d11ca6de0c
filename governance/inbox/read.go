package inbox

import (
	"context"
	"fmt"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
)

const (
	maxPage = 201
	// MaxUnread is the most that are counted.
	MaxUnread = 100
)

// ErrItem says that a message is not there for this member.
var ErrItem = fault.New(fault.NotFound, "message-not-found", "There is no such message.")

// List answers a member's messages, newest first, from before the one named
// (empty for the start), at most limit of them and at most 201.
func (s *Service) List(ctx context.Context, id coop.MemberID, before string, limit int) ([]Item, error) {
	r, err := s.reader(ctx, id)
	if err != nil {
		return nil, err
	}
	var out []Item
	err = s.DB.View(ctx, func(tx *db.Tx) (err error) {
		out, err = list(tx, r, before, min(max(limit, 1), maxPage))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("inbox: list: %w", err)
	}
	return out, nil
}

// Unread counts what a member has not read, to MaxUnread. That a vote will close
// is no news to who has voted.
func (s *Service) Unread(ctx context.Context, m governance.Member) (n int, err error) {
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		items, err := s.unread(tx, readerOf(m), "")
		n = len(items)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("inbox: unread: %w", err)
	}
	return n, nil
}

// unread lists what is not read and newer than an item.
func (s *Service) unread(tx *db.Tx, r reader, after string) ([]Item, error) {
	items, err := unreadAfter(tx, r, after, MaxUnread)
	out := items[:0]
	for _, i := range items {
		if i.Kind == coop.NoticeVoteClosing && coop.ValidID(i.Ref) {
			voted, err := s.Governance.Voted(tx.Context(), r.id, coop.ProposalID(i.Ref))
			if err != nil && fault.KindOf(err) == fault.Internal {
				return nil, err
			}
			if voted {
				continue
			}
		}
		out = append(out, i)
	}
	return out, err
}

// MarkRead marks messages as read. ErrItem, and nothing marked, if one of them is
// not this member's.
func (s *Service) MarkRead(ctx context.Context, id coop.MemberID, items ...string) error {
	r, err := s.reader(ctx, id)
	if err != nil {
		return err
	}
	err = s.DB.Update(ctx, func(tx *db.Tx) error {
		for _, item := range items {
			there, err := has(tx, r, item)
			if err == nil && !there {
				err = ErrItem
			}
			if err == nil {
				err = markRead(tx, id, item)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("inbox: mark read: %w", err)
	}
	return nil
}

// MarkAllRead marks everything up to and including a message as read: what came
// after the page was made stays unread. ErrItem if it is not this member's.
func (s *Service) MarkAllRead(ctx context.Context, id coop.MemberID, through string) error {
	r, err := s.reader(ctx, id)
	if err != nil {
		return err
	}
	err = s.DB.Update(ctx, func(tx *db.Tx) error {
		there, err := has(tx, r, through)
		if err == nil && !there {
			err = ErrItem
		}
		if err != nil {
			return err
		}
		return markThrough(tx, id, through)
	})
	if err != nil {
		return fmt.Errorf("inbox: mark all read: %w", err)
	}
	return nil
}

// Forget drops everything the inbox keeps about a member: address, messages and
// marks. It is for who leaves; forgetting twice is harmless.
func (s *Service) Forget(ctx context.Context, id coop.MemberID) error {
	err := s.DB.Update(ctx, func(tx *db.Tx) error { return ForgetTx(tx, id) })
	if err != nil {
		return fmt.Errorf("inbox: forget: %w", err)
	}
	return nil
}

// ForgetTx is Forget in the caller's transaction.
func ForgetTx(tx *db.Tx, id coop.MemberID) error { return forget(tx, id) }
