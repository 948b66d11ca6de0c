package web

import (
	"context"
	"encoding/base64"
	"net/http"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/policies"
	"distributed.ai/datacoop/web/client"
)

func (s *Server) registerDiscovery() {
	on(s, route{http.MethodGet, "/.well-known/datacoop", "What a stranger needs to know first", anyone, 0}, s.discovery)
	on(s, route{http.MethodGet, "/v1/policies/current", "The law in force", anyone, 0}, s.currentPolicy)
	on(s, route{http.MethodGet, "/log/checkpoint", "Signed head of the transparency log (C2SP tlog-checkpoint)", anyone, 0}, s.checkpoint)
	s.echo.GET("/log/tile/*", s.tile)
}

func (s *Server) discovery(context.Context, *none) (*body[client.Discovery], error) {
	out := client.Discovery{Name: s.Charter.Name, Currency: string(s.Charter.Currency), Exponent: s.Charter.Currency.Exponent(),
		CharterDigest: s.CharterDigest, LogKey: s.Log.VerifierKey(),
		ReceiptKey: base64.StdEncoding.EncodeToString(s.ReceiptKey), APIVersion: apiVersion}
	if rev := s.Engine.Current(); rev != nil {
		out.PolicyRevision = rev.Hash()
	}
	return reply(out, nil)
}

func (s *Server) currentPolicy(context.Context, *none) (*body[client.Policy], error) {
	rev := s.Engine.Current()
	if rev == nil {
		return reply(client.Policy{Base: []client.Source{}, Sentences: []string{"No policy is in force: every access is refused."}}, nil)
	}
	out := client.Policy{Revision: rev.Hash(), Access: string(rev.Source()), Sentences: rev.Sentences(), Base: baseSources()}
	return reply(out, nil)
}

func baseSources() []client.Source {
	base := policies.Base()
	out := make([]client.Source, 0, len(base))
	for _, path := range sortedKeys(base) {
		out = append(out, client.Source{Path: path, Rego: string(base[path])})
	}
	return out
}

// text is an answer of plain text.
type text struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

func (s *Server) checkpoint(ctx context.Context, _ *none) (*text, error) {
	note, err := s.Log.Checkpoint(ctx)
	return &text{"text/plain; charset=utf-8", note}, err
}

func (s *Server) registerCatalogue() {
	on(s, route{http.MethodGet, "/v1/pools", "The catalogue", anyone, 0}, s.listPools)
	on(s, route{http.MethodGet, "/v1/pools/{id}", "One pool", anyone, 0}, s.getPool)
	on(s, route{http.MethodGet, "/v1/pools/{id}/codebook", "The documented table researchers get", anyone, 0}, s.getCodebook)
	on(s, route{http.MethodGet, "/v1/pools/{id}/sample", "A synthetic sample of that table, as CSV", anyone, 0}, s.getSample)
}

func (s *Server) listPools(ctx context.Context, _ *none) (*body[client.Page[client.Pool]], error) {
	pools, err := s.Market.Pools(ctx)
	if err != nil {
		return nil, err
	}
	return reply(client.Page[client.Pool]{Items: each(pools, s.wirePool)}, nil)
}

func (s *Server) getPool(ctx context.Context, in *byID) (*body[client.Pool], error) {
	p, err := s.Market.Pool(ctx, coop.PoolID(in.ID))
	if err != nil {
		return nil, err
	}
	return reply(s.wirePool(p), nil)
}

func (s *Server) getCodebook(ctx context.Context, in *byID) (*body[client.Codebook], error) {
	p, err := s.Market.Pool(ctx, coop.PoolID(in.ID))
	if err != nil {
		return nil, err
	}
	return reply(wireCodebook(p.Codebook), nil)
}

func (s *Server) getSample(ctx context.Context, in *byID) (*text, error) {
	csv, err := s.Market.Sample(ctx, coop.PoolID(in.ID))
	return &text{"text/csv; charset=utf-8", csv}, err
}
