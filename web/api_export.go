package web

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/web/appeals"
	"distributed.ai/datacoop/web/bereavement"
	"distributed.ai/datacoop/web/client"
	"distributed.ai/datacoop/web/portable"
	"distributed.ai/datacoop/web/takeaway"
	"distributed.ai/datacoop/web/terms"
	"distributed.ai/datacoop/web/waymark"
)

func (s *Server) registerExport() {
	on(s, route{http.MethodGet, "/v1/me/export", "Everything held about me, as a ZIP of JSON, CSV and my ciphertext", members, 0}, s.export, s.oneOfFew)
}

// export streams the archive. Where a part fails under way the connection is
// broken off, so that nobody takes the torso for the whole.
func (s *Server) export(ctx context.Context, _ *none) (*huma.StreamResponse, error) {
	archive, err := s.archive(ctx)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		c := humaecho.Unwrap(hc)
		h := c.Response().Header()
		h.Set("Content-Type", "application/zip")
		h.Set("Content-Disposition", `attachment; filename="datacoop-`+archive.At.UTC().Format("2006-01-02")+`.zip"`)
		if err := archive.Write(ctx, c.Response()); err != nil {
			s.Logger.ErrorContext(ctx, "export broken off", "method", c.Request().Method, "route", waymark.Of(c.Request()), "error", err)
			panic(http.ErrAbortHandler)
		}
	}}, nil
}

// archive says what is held about the caller. Every route under /v1/me that
// answers something has its part here; TestTheExportMissesNothing sees to it.
func (s *Server) archive(ctx context.Context) (portable.Archive, error) {
	from := takeaway.Source{DB: s.DB, Governance: s.Governance, Consent: s.Consent, Vault: s.Vault, AuthServer: s.AuthServer, Issuer: s.signin.Own(s.BaseURL), Linked: s.signin.Linked, Member: callerOf(ctx).Member}
	files, err := from.Files(ctx)
	if err != nil {
		return portable.Archive{}, err
	}
	keys, without, err := s.sealed().Files(ctx)
	return portable.Archive{
		Title: "Everything that " + s.Charter.Name + " holds about one member", At: s.Clock(),
		Notes: append(without, []string{
			"Times are UTC; amounts are in minor units of " + string(s.Charter.Currency) + " (cents).",
			"Datasets are as you uploaded them: only the key that you keep opens them. How you voted is not here, because nothing that is kept ties a ballot to you; which votes you took part in is.",
			"In the tables (.csv) text that a spreadsheet would take for a formula has an apostrophe before it; the .json files have it as it is.",
		}...),
		Parts: s.parts(from), Files: append(files, keys...),
	}, err
}

func (s *Server) parts(from takeaway.Source) []portable.Part {
	return []portable.Part{
		{Name: "me", About: "Your membership: the name others see, when you joined, your public keys, your offices.", Document: one(s.me)},
		{Name: "sign-in", About: "The identity you sign in with, and in how many browsers you are signed in.", Document: from.SignIn},
		{Name: "sealed-identity", About: "Your key, sealed so that only you can open it, where you store it here; the same files are in the folder key. What a recovery sheet opens is in both only where you had just shown that it is you.", Document: s.sealed().Held},
		{Name: "payout-account", About: "Where your money goes.", Document: s.wholeAccount},
		{Name: "tokens", About: "Access tokens that are still good; their secrets are not kept.", List: whole(s.account.ListTokens)},
		{Name: "datasets", About: "Your datasets, those you revoked as well.", List: whole(s.myDatasets)},
		{Name: "consents", About: "Everything you ever said about the use of your data.", List: whole(s.consentRecords)},
		{Name: "uses", About: "Every access and every refusal concerning your data, with who, why and under which policy.", List: paging(s.allUses)},
		{Name: "questions", About: "What you were asked about single requests, and what you answered.", List: whole(s.questions)},
		{Name: "approvals", About: "Requests for data whose only key is yours.", List: paging(s.approvals)},
		{Name: "statements", About: "What you earned by period, and why that amount.", List: s.everyStatement},
		{Name: "account", About: "Everything that moved what you are owed: shares, payouts, gifts.", List: s.movements},
		{Name: "patronage", About: "What you have contributed, in units; what they are, and are not.", Document: s.patronageOf},
		{Name: "disputes", About: "What researchers said is wrong with your datasets, your answers, and how it was decided.", List: s.disputesOf},
		{Name: "reports", About: "What researchers told about requests that read your data.", List: s.results().All},
		{Name: "inbox", About: "What you were told in the portal.", List: s.messages().All},
		{Name: "email", About: "Your e-mail address, if you named one, and how often letters go to it.", Document: s.messages().Held},
		{Name: "death-reports", About: "Whether stewards have noted that you had died, and how that ended.", List: bereavement.API{Service: s.bereavement, Member: memberOf}.Held},
		{Name: "appeals", About: "What you contested.", List: s.ownAppeals},
		{Name: "panels", About: "Panels you were drawn into, and what you answered.", List: s.ownPanels},
		{Name: "spot-checks", About: "Pairs you were drawn to compare, and what you answered.", List: s.lessons().All},
		{Name: "contributions", About: "Work you did for the co-op.", List: s.ownContributions},
		{Name: "claims", About: "Addresses in git histories that you claimed; of an address only a digest is kept.", List: paging(func(ctx context.Context, _ *paged) (*page[client.Claim], error) { return s.myClaims(ctx, nil) })},
		{Name: "split", About: "How you want the members' part divided, and how it is.", Document: s.share().Held},
		{Name: "votes", About: "Proposals that you made or voted on.", List: from.Votes},
	}
}

// one is a part from a route that answers a single document.
func one[T any](read func(context.Context, *none) (*body[T], error)) func(context.Context) (any, error) {
	return func(ctx context.Context) (any, error) {
		out, err := read(ctx, nil)
		if err != nil {
			return nil, err
		}
		return out.Body, nil
	}
}

// whole is a part from a route that answers a list at once.
func whole[T any](read func(context.Context, *none) (*body[client.Page[T]], error)) portable.Page {
	return func(ctx context.Context, _ string) ([]any, string, error) {
		out, err := read(ctx, nil)
		if err != nil {
			return nil, "", err
		}
		return anything(out.Body.Items), "", nil
	}
}

// paging is a part from a route that answers page by page.
func paging[T any](read func(context.Context, *paged) (*page[T], error)) portable.Page {
	return func(ctx context.Context, cursor string) ([]any, string, error) {
		out, err := read(ctx, &paged{Cursor: cursor, Limit: 200})
		if err != nil {
			return nil, "", err
		}
		return anything(out.Body.Items), out.Body.Next, nil
	}
}

func anything[T any](items []T) []any { return each(items, func(v T) any { return v }) }

func (s *Server) wholeAccount(ctx context.Context) (any, error) {
	a, err := s.Market.PayoutAccount(ctx, callerOf(ctx).Member)
	return struct {
		Holder    string `json:"holder"`
		IBAN      string `json:"iban"`
		UpdatedAt string `json:"updated_at"`
	}{a.Holder, a.IBAN, millis(a.UpdatedAt).UTC().Format("2006-01-02T15:04:05Z")}, err
}

func (s *Server) everyStatement(ctx context.Context, _ string) ([]any, string, error) {
	list, err := s.myStatements(ctx, nil)
	if err != nil {
		return nil, "", err
	}
	out := make([]any, 0, len(list.Body.Items))
	for _, item := range list.Body.Items {
		why, err := s.myStatement(ctx, &byID{ID: item.Period.ID})
		if err != nil {
			return nil, "", err
		}
		out = append(out, why.Body)
	}
	return out, "", nil
}

func (s *Server) ownAppeals(ctx context.Context, _ string) ([]any, string, error) {
	me := callerOf(ctx).Member
	list, err := s.Market.Appeals(ctx, me)
	list = slices.DeleteFunc(list, func(a marketplace.Appeal) bool { return a.Member != me }) // a steward sees others' too
	return anything(each(list, appeals.Wire)), "", err
}

func (s *Server) ownPanels(ctx context.Context, _ string) ([]any, string, error) {
	list, err := s.Market.PanelDuties(ctx, callerOf(ctx).Member)
	return anything(each(list, appeals.WireDuty)), "", err
}

func (s *Server) ownContributions(ctx context.Context, before string) ([]any, string, error) {
	const many = 100
	list, err := s.Governance.Contributions(ctx, governance.Filter{Member: callerOf(ctx).Member}, governance.Page{Before: before, Limit: many})
	next := ""
	if len(list) == many {
		next = string(list[many-1].ID)
	}
	return anything(each(list, terms.Contribution)), next, err
}
