package account

import (
	"cmp"
	"context"
	"errors"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/web/appeals"
	"distributed.ai/datacoop/web/client"
	"distributed.ai/datacoop/web/entry"
	"distributed.ai/datacoop/web/portal"
)

func millis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

func wireToken(t entry.Token) client.Token {
	return client.Token{ID: t.ID, Label: t.Label, Scope: t.Scope, CreatedAt: millis(t.CreatedAt), ExpiresAt: millis(t.ExpiresAt)}
}

// MakeToken answers the secret once; only its hash is kept.
func (a API) MakeToken(ctx context.Context, in *appeals.Body[client.TokenDraft]) (*appeals.Body[client.Token], error) {
	scope, good := cmp.Or(in.Body.Scope, entry.Act), time.Duration(in.Body.Hours)*time.Hour
	tok, secret, err := a.Tokens.Make(ctx, a.Member(ctx), in.Body.Label, scope, good)
	if err != nil {
		return nil, err
	}
	told := coop.Notice{Kind: coop.NoticeToken, Ref: tok.ID, To: []coop.Addressee{{Member: a.Member(ctx)}}}
	if err := a.Tell(ctx, told); err != nil {
		return nil, errors.Join(err, a.Tokens.Drop(ctx, a.Member(ctx), tok.ID)) // whoever made it, its member learns of it
	}
	out := wireToken(tok)
	out.Secret = secret
	return &appeals.Body[client.Token]{Body: out}, nil
}

// ListTokens lists what is still good, without secrets.
func (a API) ListTokens(ctx context.Context, _ *appeals.None) (*appeals.Body[client.Page[client.Token]], error) {
	tokens, err := a.Tokens.List(ctx, a.Member(ctx))
	if err != nil {
		return nil, err
	}
	out := client.Page[client.Token]{Items: []client.Token{}}
	for _, t := range tokens {
		out.Items = append(out.Items, wireToken(t))
	}
	return &appeals.Body[client.Page[client.Token]]{Body: out}, nil
}

// ByID names something by its id.
type ByID struct {
	ID string `path:"id" maxLength:"64"`
}

// DropToken revokes a token.
func (a API) DropToken(ctx context.Context, in *ByID) (*appeals.None, error) {
	return nil, a.Tokens.Drop(ctx, a.Member(ctx), in.ID)
}

// EndSessions signs the caller out of every browser.
func (a API) EndSessions(ctx context.Context, _ *appeals.None) (*appeals.None, error) {
	return nil, entry.EndSessions(ctx, a.DB, a.Member(ctx))
}

func pageToken(t client.Token) portal.Token {
	return portal.Token{ID: t.ID, Label: t.Label, Everyday: t.Scope == entry.Everyday, Secret: t.Secret, CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt}
}

// Hall fills in what the portal asks about the account.
func (a API) Hall(h portal.Hall) portal.Hall {
	h.Tokens = func(ctx context.Context) (out []portal.Token, err error) {
		list, err := a.ListTokens(ctx, nil)
		if err != nil {
			return nil, err
		}
		for _, t := range list.Body.Items {
			out = append(out, pageToken(t))
		}
		return out, nil
	}
	h.MakeToken = func(ctx context.Context, label, scope string, hours int) (portal.Token, error) {
		if scope != entry.Everyday {
			scope = entry.Act
		}
		t, err := a.MakeToken(ctx, &appeals.Body[client.TokenDraft]{Body: client.TokenDraft{Label: label, Hours: hours, Scope: scope}})
		if err != nil {
			return portal.Token{}, err
		}
		return pageToken(t.Body), nil
	}
	h.DropToken = func(ctx context.Context, id string) error {
		_, err := a.DropToken(ctx, &ByID{id})
		return err
	}
	h.EndSessions = func(ctx context.Context) error {
		_, err := a.EndSessions(ctx, nil)
		return err
	}
	h.Proven, h.Prove = a.Proofs.Fresh, a.Prove
	return h
}
