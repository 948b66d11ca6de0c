package inbox

import (
	"context"
	"encoding/json"
	"fmt"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
)

// everybody and office are audiences that are no member's id.
const (
	everybody = "all"
	office    = "office:"
)

// Tell has members told something, in a transaction of its own: for what is done
// where there is no other.
func (s *Service) Tell(ctx context.Context, n coop.Notice) error {
	err := s.DB.Update(ctx, func(tx *db.Tx) error { return s.Jobs.Tell(tx, n) })
	if err != nil {
		return fmt.Errorf("inbox: tell: %w", err)
	}
	return nil
}

// post puts a notice before whom it is for.
func (s *Service) post(ctx context.Context, payload []byte) error {
	var n coop.Notice
	if err := json.Unmarshal(payload, &n); err != nil {
		return fmt.Errorf("inbox: post: %w", err)
	}
	if topics[n.Kind] == "" {
		return fmt.Errorf("inbox: post: no such kind: %s", n.Kind)
	}
	if n.Kind == coop.NoticeVoteClosing && n.Until > 0 && s.now() >= n.Until {
		return nil // told too late to be of use, as after a night's power cut
	}
	err := s.DB.Update(ctx, func(tx *db.Tx) error {
		if err := prune(tx, s.now()-Keep.Milliseconds()); err != nil {
			return err
		}
		to, err := s.audiences(tx, n)
		for _, a := range to {
			if err == nil {
				err = insert(tx, a.audience, n, a.ref, s.now())
			}
			if err == nil && urgent[n.Kind] {
				err = s.hurry(tx, coop.MemberID(a.audience))
			}
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("inbox: post: %w", err)
	}
	return nil
}

type target struct{ audience, ref string }

// audiences are whom a notice is for. Who has left meanwhile is told nothing.
func (s *Service) audiences(tx *db.Tx, n coop.Notice) (out []target, err error) {
	switch {
	case len(n.To) > 0:
	case n.Office != "":
		return []target{{office + string(n.Office), n.Ref}}, nil
	default:
		return []target{{everybody, n.Ref}}, nil
	}
	for _, a := range n.To {
		m, err := s.Governance.Member(tx.Context(), a.Member)
		switch {
		case fault.KindOf(err) == fault.NotFound || err == nil && !m.Open():
			continue
		case err != nil:
			return nil, err
		}
		ref := a.Ref
		if ref == "" {
			ref = n.Ref
		}
		out = append(out, target{string(a.Member), ref})
	}
	return out, nil
}

// reader is a member as the tables know them.
type reader struct {
	id        coop.MemberID
	joined    int64
	audiences [5]string // themselves, everybody, and up to three offices
}

func readerOf(m governance.Member) reader {
	r := reader{id: m.ID, joined: m.JoinedAt, audiences: [5]string{string(m.ID), everybody}}
	for i, o := range m.Offices {
		if 2+i < len(r.audiences) {
			r.audiences[2+i] = office + string(o)
		}
	}
	return r
}

func (s *Service) reader(ctx context.Context, id coop.MemberID) (reader, error) {
	m, err := s.Governance.Member(ctx, id)
	if err != nil {
		return reader{}, fmt.Errorf("inbox: member: %w", err)
	}
	return readerOf(m), nil
}
