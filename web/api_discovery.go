package web

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/policies"
	"distributed.ai/datacoop/policies/document"
	"distributed.ai/datacoop/web/client"
	"distributed.ai/datacoop/web/lawbook"
	"distributed.ai/datacoop/web/terms"
)

func (s *Server) registerDiscovery() {
	on(s, route{http.MethodGet, "/.well-known/datacoop", "What a stranger needs to know first", anyone, 0}, s.discovery)
	on(s, route{http.MethodGet, "/v1/policies/current", "The law in force", anyone, 0}, s.currentPolicy, s.linked)
	s.describeLinked()
	on(s, route{http.MethodGet, "/v1/policies/profile", "What the terms of a policy in ODRL mean, as JSON-LD", anyone, 0}, s.policyProfile)
	on(s, route{http.MethodGet, "/v1/policies/{id}", "The law that something was decided under, by its revision", members, 0}, s.pastPolicy)
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
	out := lawbook.Current(rev, s.Charter.Currency)
	out.Base = baseSources()
	return reply(out, nil)
}

// describeLinked adds the other form of the law to the OpenAPI document.
func (s *Server) describeLinked() {
	answers := s.api.OpenAPI().Paths["/v1/policies/current"].Get.Responses
	answers["200"].Content[lawbook.LinkedData] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeObject,
		Description: "The voted part in ODRL 2.2; /v1/policies/profile says what its terms mean."}}
	answers["406"] = &huma.Response{Description: lawbook.ErrOutside.Message}
}

// linked answers with the law in force in ODRL where JSON-LD is asked for.
func (s *Server) linked(ctx huma.Context, next func(huma.Context)) {
	ctx.AppendHeader("Vary", "Accept")
	if !lawbook.WantsLinked(ctx.Header("Accept")) {
		next(ctx)
		return
	}
	text, err := lawbook.Published(s.Engine.Current(), s.Charter.Currency)
	switch {
	case errors.Is(err, lawbook.ErrOutside):
		s.refuse(ctx, newProblem(http.StatusNotAcceptable, lawbook.ErrOutside.Code, lawbook.ErrOutside.Message))
	case err != nil:
		s.refuse(ctx, err)
	default:
		ctx.SetHeader("Content-Type", lawbook.LinkedData)
		_, _ = ctx.BodyWriter().Write(text) // the only failure is a client that is gone
	}
}

func (s *Server) policyProfile(context.Context, *none) (*text, error) {
	return &text{lawbook.LinkedData, document.Profile()}, nil
}

func (s *Server) pastPolicy(ctx context.Context, in *byID) (*body[client.Policy], error) {
	rev, err := s.Consent.Law(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return reply(lawbook.Current(rev, s.Charter.Currency), nil)
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
	return reply(terms.Codebook(p.Codebook), nil)
}

func (s *Server) getSample(ctx context.Context, in *byID) (*text, error) {
	csv, err := s.Market.Sample(ctx, coop.PoolID(in.ID))
	return &text{"text/csv; charset=utf-8", csv}, err
}
