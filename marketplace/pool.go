package marketplace

import (
	"context"
	"fmt"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/codebook"
)

// PoolView is a pool of the charter with what may be said about its content.
type PoolView struct {
	coop.Pool
	Codebook codebook.Codebook
	Members  int  // members with an open dataset, above a thousand perhaps a minute old; meaningless when TooFew
	TooFew   bool // fewer members than the minimum group: the count stays secret
}

// Pools lists the charter's pools in its order.
func (s *Service) Pools(ctx context.Context) ([]PoolView, error) {
	out := make([]PoolView, 0, len(s.Charter.Pools))
	for _, p := range s.Charter.Pools {
		v, err := s.poolView(ctx, p)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// Pool finds one pool; ErrNotFound if the charter has none of that id.
func (s *Service) Pool(ctx context.Context, id coop.PoolID) (PoolView, error) {
	p, ok := s.Charter.Pool(id)
	if !ok {
		return PoolView{}, ErrNotFound
	}
	return s.poolView(ctx, p)
}

func (s *Service) poolView(ctx context.Context, p coop.Pool) (PoolView, error) {
	members, err := s.heads.Of(ctx, p.ID, func(ctx context.Context) (int, error) {
		return read(ctx, s, func(tx *db.Tx) (int, error) { return s.Consent.Members(tx, p.ID) })
	})
	if err != nil {
		return PoolView{}, fmt.Errorf("marketplace: pool: %w", err)
	}
	book, _ := codebook.For(string(p.ID))
	v := PoolView{Pool: p, Codebook: book, Members: members}
	if members < p.MinimumGroup {
		v.Members, v.TooFew = 0, true
	}
	return v, nil
}

// Sample is a synthetic table of a pool, as CSV: what researchers get, before
// anybody has shared anything. ErrNotFound if the charter has no such pool.
func (s *Service) Sample(_ context.Context, id coop.PoolID) ([]byte, error) {
	if _, ok := s.Charter.Pool(id); !ok {
		return nil, ErrNotFound
	}
	csv, err := codebook.Sample(string(id))
	if err != nil {
		err = fmt.Errorf("marketplace: sample: %w", err)
	}
	return csv, err
}
