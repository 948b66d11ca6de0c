// Package results is the part of the hall about what came of the use of members'
// data: researchers report on their requests, everybody reads it beside the pool,
// members beside their own data, and stewards of vetting see what is owed, hide
// what is abusive, and say whether a member stands behind a researcher.
//
// # What it guarantees
//
// A report carries no id of a member, of a dataset or, outside of its researcher's
// own routes, of a request. Its text is text and its link is shown as it is
// written. Lists are never null.
//
// # What it refuses
//
// Nothing of its own: every rule is the market's, and so is every refusal.
package results

import (
	"context"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/web/appeals"
	"distributed.ai/datacoop/web/client"
)

// API answers for the market. Member and Researcher find who makes a request.
type API struct {
	Market     *marketplace.Service
	Member     func(context.Context) coop.MemberID
	Researcher func(context.Context) coop.ResearcherID
}

// ReportDraft is what a researcher says of a request.
type ReportDraft struct {
	Summary string `json:"summary,omitempty" maxLength:"4000" doc:"What was found, in plain words for the members: at least 40 characters. It may be left out if only the deletion is attested"`
	Link    string `json:"link,omitempty" maxLength:"300" doc:"The https address of a publication"`
	Deleted bool   `json:"deleted,omitempty" doc:"Every copy of what was fetched is deleted"`
}

// Report is what came of a request.
type Report struct {
	ID           string    `json:"id"`
	Pool         string    `json:"pool"`
	Title        string    `json:"title" doc:"What the data were wanted for"`
	Researcher   string    `json:"researcher"`
	Summary      string    `json:"summary" doc:"Plain text by the researcher; empty if hidden"`
	Link         string    `json:"link,omitempty"`
	PublishedAt  time.Time `json:"published_at"`
	Hidden       bool      `json:"hidden" doc:"A steward has hidden it"`
	HiddenReason string    `json:"hidden_reason,omitempty"`
}

// ReportDuty is what a request owes the members.
type ReportDuty struct {
	Request   string     `json:"request"`
	Pool      string     `json:"pool"`
	Title     string     `json:"title"`
	EndsAt    *time.Time `json:"ends_at,omitempty" doc:"When the time for which copies are kept is over; missing while nothing was fetched"`
	OverdueAt *time.Time `json:"overdue_at,omitempty" doc:"From when on nothing new can be asked for while anything is owed"`
	Report    string     `json:"report" enum:"none,owed,due,overdue,done"`
	Deletion  string     `json:"deletion" enum:"none,owed,due,overdue,done"`
	DeletedAt *time.Time `json:"deleted_at,omitempty" doc:"When the researcher said that all copies are deleted"`
	Published *Report    `json:"published,omitempty"`
}

// Hiding is why a steward hides a report.
type Hiding struct {
	Reason string `json:"reason" minLength:"1" maxLength:"1000" doc:"Everybody reads it"`
}

// List is a page of a list.
type List[T any] struct {
	Items []T    `json:"items" nullable:"false"`
	Next  string `json:"next,omitempty"`
}

// Paged is a question about a page of a list.
type Paged struct {
	Cursor string `query:"cursor" maxLength:"64" doc:"Where the page starts, from the former page's Link header"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

// OfPool is such a question about a pool.
type OfPool struct {
	ID string `path:"id" maxLength:"64"`
	Paged
}

// Page is an answer with a page; Link names the next.
type Page[T any] struct {
	Link string `header:"Link"`
	Body List[T]
}

// Cut makes a page of items that were asked for with one more than the limit.
func Cut[T any](path string, limit int, items []T, id func(T) string) *Page[T] {
	out := &Page[T]{Body: List[T]{Items: items}}
	if len(items) > limit {
		out.Body.Items = items[:limit]
		out.Body.Next = id(items[limit-1])
		out.Link = "<" + path + "?cursor=" + out.Body.Next + ">; rel=\"next\""
	}
	return out
}

func each[A, B any](list []A, f func(A) B) []B {
	out := make([]B, 0, len(list))
	for _, v := range list {
		out = append(out, f(v))
	}
	return out
}

func moment(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	t := time.UnixMilli(ms).UTC()
	return &t
}

func wire(r marketplace.Report) Report {
	return Report{ID: r.ID, Pool: string(r.Pool), Title: r.Title, Researcher: r.Who, Summary: r.Summary, Link: r.Link,
		PublishedAt: time.UnixMilli(r.At).UTC(), Hidden: r.Hidden(), HiddenReason: r.HiddenReason}
}

func wireDuty(d marketplace.ReportDuty) ReportDuty {
	out := ReportDuty{Request: string(d.Request), Pool: string(d.Pool), Title: d.Title, EndsAt: moment(d.Ends), Report: d.Report, Deletion: d.Deletion, DeletedAt: moment(d.DeletedAt)}
	if d.Ends > 0 {
		out.OverdueAt = moment(d.OverdueAt())
	}
	if d.Published != nil {
		r := wire(*d.Published)
		out.Published = &r
	}
	return out
}

func reply[T any](v T, err error) (*appeals.Body[T], error) {
	if err != nil {
		return nil, err
	}
	return &appeals.Body[T]{Body: v}, nil
}

// Put publishes what came of a request.
func (a API) Put(ctx context.Context, in *appeals.About[ReportDraft]) (*appeals.Body[ReportDuty], error) {
	d, err := a.Market.PutReport(ctx, a.Researcher(ctx), coop.RequestID(in.ID), marketplace.ReportDraft{Summary: in.Body.Summary, Link: in.Body.Link, Deleted: in.Body.Deleted})
	return reply(wireDuty(d), err)
}

// Duty answers what one of the researcher's requests owes.
func (a API) Duty(ctx context.Context, in *appeals.ByID) (*appeals.Body[ReportDuty], error) {
	d, err := a.Market.ReportDuty(ctx, a.Researcher(ctx), coop.RequestID(in.ID))
	return reply(wireDuty(d), err)
}

// Duties lists what the researcher's requests owe.
func (a API) Duties(ctx context.Context, _ *appeals.None) (*appeals.Body[List[ReportDuty]], error) {
	list, err := a.Market.ReportDuties(ctx, a.Researcher(ctx))
	return reply(List[ReportDuty]{Items: each(list, wireDuty)}, err)
}

// OfPool lists reports about a pool, for everybody.
func (a API) OfPool(ctx context.Context, in *OfPool) (*Page[Report], error) {
	if _, err := a.Market.Pool(ctx, coop.PoolID(in.ID)); err != nil {
		return nil, err
	}
	list, err := a.Market.PoolReports(ctx, coop.PoolID(in.ID), in.Cursor, in.Limit+1)
	return page("/v1/pools/"+in.ID+"/reports", in.Limit, list, err)
}

// Mine lists reports on requests that read the member's data.
func (a API) Mine(ctx context.Context, in *Paged) (*Page[Report], error) {
	list, err := a.Market.MemberReports(ctx, a.Member(ctx), in.Cursor, in.Limit+1)
	return page("/v1/me/reports", in.Limit, list, err)
}

func page(path string, limit int, list []marketplace.Report, err error) (*Page[Report], error) {
	if err != nil {
		return nil, err
	}
	return Cut(path, limit, each(list, wire), func(r Report) string { return r.ID }), nil
}

// Owed lists what researchers owe now, for stewards of vetting.
func (a API) Owed(ctx context.Context, _ *appeals.None) (*appeals.Body[List[ReportDuty]], error) {
	list, err := a.Market.DutiesOwed(ctx, a.Member(ctx))
	return reply(List[ReportDuty]{Items: each(list, wireDuty)}, err)
}

// Hide hides an abusive report, for stewards of vetting.
func (a API) Hide(ctx context.Context, in *appeals.About[Hiding]) (*appeals.Body[Report], error) {
	r, err := a.Market.HideReport(ctx, a.Member(ctx), in.ID, in.Body.Reason)
	return reply(wire(r), err)
}

// Relate says whether a member stands behind a researcher, for stewards of vetting.
func (a API) Relate(ctx context.Context, in *appeals.About[client.Related]) (*appeals.Body[client.Related], error) {
	return reply(in.Body, a.Market.Relate(ctx, a.Member(ctx), coop.ResearcherID(in.ID), in.Body.Related))
}

// All answers a page of a member's reports for their archive.
func (a API) All(ctx context.Context, cursor string) ([]any, string, error) {
	out, err := a.Mine(ctx, &Paged{Cursor: cursor, Limit: 200})
	if err != nil {
		return nil, "", err
	}
	return each(out.Body.Items, func(r Report) any { return r }), out.Body.Next, nil
}
