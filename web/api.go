package web

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"

	"distributed.ai/datacoop/web/account"
	"distributed.ai/datacoop/web/appeals"
	"distributed.ai/datacoop/web/client"
	"distributed.ai/datacoop/web/stepup"
	"distributed.ai/datacoop/web/waymark"
)

// apiVersion is the version of the API as a whole; it is in every path.
const apiVersion = "1"

// newAPI mounts huma on echo and lists every operation. Documents are served
// by huma at /openapi.yaml (3.1) and /openapi-3.0.yaml.
func (s *Server) newAPI() huma.API {
	huma.NewError = humaProblem
	config := huma.DefaultConfig(s.Charter.Name+" API", apiVersion)
	config.DocsPath = ""
	config.SchemasPath = "/schemas"
	config.CreateHooks = nil // no $schema property in answers
	config.Transformers = append(config.Transformers, s.inWords)
	config.Info.Description = "Members' data, researchers' requests, the co-op's votes and money. Errors are RFC 9457 problem documents, in English or in the language of Accept-Language, where the co-op speaks it."
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"member":     {Type: "http", Scheme: "bearer", Description: "A member's token, from POST /v1/me/tokens, or the session cookie."},
		"researcher": {Type: "oauth2", Flows: &huma.OAuthFlows{ClientCredentials: &huma.OAuthFlow{TokenURL: "/oauth/token", Scopes: map[string]string{}}}},
	}
	return humaecho.New(s.echo, config)
}

func (s *Server) register() {
	s.registerDiscovery()
	s.registerCatalogue()
	s.registerMember()
	s.registerSealed()
	s.registerTokens()
	s.registerExport()
	s.registerVault()
	s.registerUploads()
	s.registerConsent()
	s.registerApprovals()
	s.registerQuestions()
	s.registerResearcher()
	s.registerDelivery()
	s.registerInvitations()
	s.registerGovernance()
	s.registerContributions()
	s.registerClaims()
	s.registerTreasury()
	s.registerMoney()
	s.registerTold()
	s.registerLessons()
}

// route describes an operation in one line.
type route struct {
	method, path, summary string
	who                   audience
	status                int // success, if not 200
}

// on registers one operation. Errors of the handler become problem documents;
// who the caller is, the handler reads with callerOf. What else stands before
// the input is read comes last.
func on[I, O any](s *Server, r route, handle func(context.Context, *I) (*O, error), also ...func(huma.Context, func(huma.Context))) {
	op := s.operation(r)
	op.Middlewares = append(op.Middlewares, also...)
	huma.Register(s.api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, in)
		if err != nil {
			return nil, problemOf(s.Logger, waymark.Request(ctx), err)
		}
		return out, nil
	})
}

func (s *Server) operation(r route) huma.Operation {
	op := huma.Operation{Method: r.method, Path: r.path, Summary: r.summary, DefaultStatus: r.status,
		OperationID: operationID(r.method, r.path), MaxBodyBytes: max(largest(r.path), maxBody), BodyReadTimeout: -1, // patient keeps the time
		Middlewares: huma.Middlewares{s.guard(r.who)},
		Errors:      []int{http.StatusUnprocessableEntity}}
	if class := stepup.Routes[r.method+" "+r.path]; class != "" {
		op.Middlewares = append(op.Middlewares, s.confirmed(class))
	}
	switch r.who {
	case members:
		op.Security = []map[string][]string{{"member": {}}}
	case anyone:
	case researchers:
		op.Security = []map[string][]string{{"researcher": {}}}
	}
	if r.who != anyone {
		op.Errors = append(op.Errors, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound)
	}
	return op
}

// operationID names an operation by its method and path: get-me-datasets.
func operationID(method, path string) string {
	words := strings.FieldsFunc(strings.TrimPrefix(path, "/v1"), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
	return strings.ToLower(method) + "-" + strings.Join(words, "-")
}

// body is an answer of JSON.
type body[T any] = appeals.Body[T]

func reply[T any](v T, err error) (*body[T], error) {
	if err != nil {
		return nil, err
	}
	return &body[T]{Body: v}, nil
}

// none is an operation without input.
type none = appeals.None

// byID is an input of one id in the path.
type byID = account.ByID

// paged is the input of a list.
type paged struct {
	Cursor string `query:"cursor" maxLength:"64" doc:"Where the page starts, from the former page's Link header"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

// page is one page of a list; Link names the next.
type page[T any] struct {
	Link string `header:"Link"`
	Body client.Page[T]
}

// newPage cuts items, which were asked for with one more than the limit.
func newPage[T any](path string, in paged, items []T, cursor func(T) string) *page[T] {
	out := &page[T]{Body: client.Page[T]{Items: items}}
	if len(items) > in.Limit {
		out.Body.Items = items[:in.Limit]
		out.Body.Next = cursor(out.Body.Items[in.Limit-1])
		out.Link = "<" + path + "?cursor=" + out.Body.Next + ">; rel=\"next\""
	}
	if out.Body.Items == nil {
		out.Body.Items = []T{}
	}
	return out
}
