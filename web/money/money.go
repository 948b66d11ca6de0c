// Package money is the part of the API about what members and researchers get,
// give and get back: disputes about files, credit notes, accounts by year,
// patronage and journals.
//
// # What it guarantees
//
// A researcher reads nothing of whose dataset a dispute is about, nor what that
// member wrote; stewards read both sides and no id of a member or dataset. Lists
// are never null.
//
// # What it refuses
//
// Nothing of its own: every rule is the market's, and so is every refusal.
package money

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/web/appeals"
	"distributed.ai/datacoop/web/client"
)

// API answers for the market. Member and Researcher find who makes a request.
type API struct {
	Market     *marketplace.Service
	Currency   string
	Member     func(context.Context) coop.MemberID
	Researcher func(context.Context) coop.ResearcherID
}

func reply[T any](v T, err error) (*appeals.Body[T], error) {
	if err != nil {
		return nil, err
	}
	return &appeals.Body[T]{Body: v}, nil
}

func each[A, B any](list []A, f func(A) B) []B {
	out := make([]B, 0, len(list))
	for _, v := range list {
		out = append(out, f(v))
	}
	return out
}

func millis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// since is a time that may not have happened.
func since(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	t := millis(ms)
	return &t
}

// Give moves a part of what the member is owed to the common purpose.
func (a API) Give(ctx context.Context, in *appeals.Body[client.GiftDraft]) (*appeals.Body[client.Gift], error) {
	me := a.Member(ctx)
	g, err := a.Market.Give(ctx, me, coop.Money(in.Body.Amount))
	if err != nil {
		return nil, err
	}
	left, err := a.Market.Owed(ctx, me)
	return reply(client.Gift{ID: g.ID, Amount: int64(g.Amount), Left: int64(left), Currency: a.Currency, At: millis(g.At)}, err)
}

// OfYear is a question about a calendar year.
type OfYear struct {
	Year int `path:"year" minimum:"2000" maximum:"9999"`
}

// Year is the member's account in a calendar year.
func (a API) Year(ctx context.Context, in *OfYear) (*appeals.Body[client.YearStatement], error) {
	y, err := a.Market.Year(ctx, a.Member(ctx), in.Year)
	return reply(client.YearStatement{Year: y.Year, Opening: int64(y.Opening), Earned: int64(y.Earned), PaidOut: int64(y.PaidOut),
		Given: int64(y.Given), Closing: int64(y.Closing), Currency: a.Currency,
		Lines: each(y.Lines, wireMovement)}, err)
}

func wireMovement(l marketplace.AccountLine) client.AccountLine {
	return client.AccountLine{At: millis(l.At), Kind: l.Kind, Ref: l.Ref, Amount: int64(l.Amount)}
}

// Journal writes the books, or the accounts of patronage, for the treasury, as
// they are read: however long they are, the server holds a page of them. What
// goes wrong before the first byte is an answer; after it the connection breaks,
// so that half a journal is never taken for a whole one.
func (a API) Journal(units bool) func(context.Context, *appeals.None) (*huma.StreamResponse, error) {
	return func(ctx context.Context, _ *appeals.None) (*huma.StreamResponse, error) {
		ctx, stop := context.WithCancel(ctx)
		from, to := io.Pipe()
		go func() { to.CloseWithError(a.Market.Journal(ctx, a.Member(ctx), units, to)) }()
		pages := bufio.NewReaderSize(from, 64<<10)
		if _, err := pages.Peek(1); err != nil && !errors.Is(err, io.EOF) {
			stop()
			return nil, err
		}
		return &huma.StreamResponse{Body: func(out huma.Context) {
			defer stop()
			out.SetHeader("Content-Type", "text/plain; charset=utf-8")
			_, err := io.Copy(out.BodyWriter(), pages)
			if _ = from.CloseWithError(err); err != nil { // what is written after this is written to nobody
				panic(http.ErrAbortHandler)
			}
		}}, nil
	}
}

// YearTable is the same as a table.
func (a API) YearTable(ctx context.Context, in *OfYear) (*appeals.Raw, error) {
	y, err := a.Market.Year(ctx, a.Member(ctx), in.Year)
	if err != nil {
		return nil, err
	}
	text, err := y.CSV()
	return &appeals.Raw{ContentType: "text/csv; charset=utf-8", Body: text}, err
}

// Patronage is what the member has contributed.
func (a API) Patronage(ctx context.Context, _ *appeals.None) (*appeals.Body[client.Patronage], error) {
	account, err := a.Market.Patronage(ctx, a.Member(ctx))
	return reply(client.Patronage{Units: account.Units, All: account.All, Permille: account.Permille(), Text: marketplace.PatronageText,
		Credits: each(account.Credits, func(c marketplace.PatronageCredit) client.PatronageCredit {
			return client.PatronageCredit{Period: string(c.Period), At: millis(c.At), Units: c.Units}
		})}, err)
}

// Movements lists everything that moved what the member is owed.
func (a API) Movements(ctx context.Context) ([]client.AccountLine, error) {
	list, err := a.Market.Movements(ctx, a.Member(ctx))
	return each(list, wireMovement), err
}
