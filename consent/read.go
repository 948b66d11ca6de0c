package consent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

// Pool returns the member's governing record for a pool; false if they have
// never answered.
func (s *Service) Pool(ctx context.Context, m coop.MemberID, p coop.PoolID) (Record, bool, error) {
	return s.newest(ctx, func(*db.Tx) (scope, error) { return scope{m, p, ""}, nil })
}

// Dataset returns the record of one dataset of the member; false if it has none
// of its own, so that the pool's governs. Revoked datasets can still be read.
func (s *Service) Dataset(ctx context.Context, m coop.MemberID, ds coop.DatasetID) (Record, bool, error) {
	return s.newest(ctx, func(tx *db.Tx) (scope, error) {
		d, err := datasetByID(tx, ds)
		if err != nil {
			return scope{}, err
		}
		if d.Member != m {
			return scope{}, ErrNoDataset
		}
		return scope{m, d.Pool, ds}, nil
	})
}

func (s *Service) newest(ctx context.Context, find func(*db.Tx) (scope, error)) (r Record, ok bool, err error) {
	err = s.c.DB.View(ctx, func(tx *db.Tx) error {
		at, err := find(tx)
		if err != nil {
			return err
		}
		if r, ok, err = recordOf(tx, at); err != nil {
			return fmt.Errorf("consent: reading: %w", err)
		}
		return nil
	})
	if ok {
		r.refresh(s.now())
	}
	return r, ok, err
}

// List returns the newest record of each of the member's scopes, by pool, the
// pool's own before its datasets'.
func (s *Service) List(ctx context.Context, m coop.MemberID) ([]Record, error) {
	history, err := s.History(ctx, m)
	if err != nil {
		return nil, err
	}
	newest := map[scope]Record{}
	for _, r := range history {
		newest[scope{m, r.Pool, r.Dataset}] = r
	}
	return slices.SortedFunc(maps.Values(newest), func(a, b Record) int {
		return cmp.Or(cmp.Compare(a.Pool, b.Pool), cmp.Compare(a.Dataset, b.Dataset))
	}), nil
}

// History returns every record the member ever made, oldest first.
func (s *Service) History(ctx context.Context, m coop.MemberID) (out []Record, err error) {
	err = s.c.DB.View(ctx, func(tx *db.Tx) (err error) {
		out, err = recordsByMember(tx, m)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("consent: reading: %w", err)
	}
	now := s.now()
	for i := range out {
		out[i].refresh(now)
	}
	return out, nil
}

// Paused reports whether the member has paused all sharing.
func (s *Service) Paused(ctx context.Context, m coop.MemberID) (paused bool, err error) {
	err = s.c.DB.View(ctx, func(tx *db.Tx) (err error) {
		paused, err = pausedMember(tx, m)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("consent: reading: %w", err)
	}
	return paused, nil
}

// record finds one record of the member by its id.
func (s *Service) record(ctx context.Context, m coop.MemberID, id string) (Record, error) {
	var r Record
	err := s.c.DB.View(ctx, func(tx *db.Tx) (err error) {
		r, err = recordByID(tx, m, id)
		return err
	})
	switch {
	case errors.Is(err, db.ErrNoRow):
		return Record{}, ErrNoRecord
	case err != nil:
		return Record{}, fmt.Errorf("consent: reading: %w", err)
	}
	r.refresh(s.now())
	return r, nil
}
