// Package takeaway finds what is held about one member where no route of the
// API answers it by itself: how they sign in, which votes they took part in,
// their ciphertext and every receipt they were given.
//
// It reads what the rooms keep under the member's id and nothing else. How
// somebody voted it cannot find, because nothing ties a ballot to its voter.
package takeaway

import (
	"context"
	"io"
	"slices"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/vault"
	"distributed.ai/datacoop/web/authserver"
	"distributed.ai/datacoop/web/entry"
	"distributed.ai/datacoop/web/portable"
	"distributed.ai/datacoop/web/signin"
)

// Source is the rooms, and whose things are looked for.
type Source struct {
	DB         *db.DB
	Governance *governance.Service
	Consent    *consent.Service
	Vault      *vault.Service
	AuthServer *authserver.Server
	Issuer     string // whom the co-op's own issuer is known as; "" where members sign in elsewhere
	Member     coop.MemberID

	// Linked lists the accounts elsewhere that a member has linked.
	Linked func(context.Context, coop.MemberID) ([]signin.Identity, error)
}

// identity is how a member signs in.
type identity struct {
	Issuer   string              `json:"issuer"`
	Subject  string              `json:"subject"`
	Sessions int                 `json:"sessions"`
	Account  *authserver.Holding `json:"account,omitempty"`
	Linked   []signin.Identity   `json:"linked,omitempty"`
}

// SignIn answers the identity a member signs in with, in how many browsers they
// are signed in, and what the co-op's own issuer keeps of them.
func (s Source) SignIn(ctx context.Context) (any, error) {
	m, err := s.Governance.Member(ctx, s.Member)
	if err != nil {
		return nil, err
	}
	n, err := entry.Sessions(ctx, s.DB, s.Member)
	if err != nil {
		return nil, err
	}
	out := identity{Issuer: m.Issuer, Subject: m.Subject, Sessions: n}
	if out.Linked, err = s.Linked(ctx, s.Member); err != nil {
		return nil, err
	}
	if m.Issuer != s.Issuer {
		return out, nil // another issuer's subjects are other people
	}
	account, found, err := s.AuthServer.Held(ctx, m.Subject)
	if found {
		out.Account = &account
	}
	return out, err
}

// vote is a proposal that a member took part in.
type vote struct {
	Proposal string `json:"proposal"`
	Title    string `json:"title"`
	Made     bool   `json:"made" doc:"It was this member's proposal"`
	Voted    bool   `json:"voted"`
}

// Votes is the list of proposals that the member made or voted on.
func (s Source) Votes(ctx context.Context, before string) (out []any, next string, err error) {
	const many = 100
	list, err := s.Governance.Proposals(ctx, governance.Page{Before: before, Limit: many})
	for _, p := range list {
		voted, err := s.Governance.Voted(ctx, s.Member, p.ID)
		if err != nil {
			return nil, "", err
		}
		if voted || p.Author == s.Member {
			out = append(out, vote{string(p.ID), p.Title, p.Author == s.Member, voted})
		}
		next = string(p.ID)
	}
	if len(list) < many {
		next = ""
	}
	return out, next, err
}

// Files are the member's ciphertext and the receipts they were given.
func (s Source) Files(ctx context.Context) ([]portable.File, error) {
	datasets, err := s.Vault.Mine(ctx, s.Member)
	if err != nil {
		return nil, err
	}
	consents, err := s.consents(ctx)
	return slices.Concat(s.ciphertexts(ctx, datasets), s.revocations(ctx, datasets), consents), err
}

func (s Source) ciphertexts(ctx context.Context, datasets []vault.Dataset) (out []portable.File) {
	for _, d := range datasets {
		if d.State != vault.StateAvailable {
			continue
		}
		out = append(out, portable.File{Name: "datasets/" + string(d.ID) + ".age", About: "A dataset of yours in the pool " + string(d.Pool) + ", encrypted (age).",
			Open: func() (io.ReadCloser, error) {
				content, err := s.Vault.Content(ctx, s.Member, d.ID)
				if err != nil {
					return nil, err
				}
				return content.Open()
			}})
	}
	return out
}

func (s Source) revocations(ctx context.Context, datasets []vault.Dataset) (out []portable.File) {
	for _, d := range datasets {
		if d.RevokedAt == 0 {
			continue
		}
		out = append(out, portable.Document("receipts/revocation-"+string(d.ID)+".json", "The signed receipt of a dataset you revoked.", func() ([]byte, error) {
			receipt, err := s.Vault.Receipt(ctx, s.Member, d.ID)
			if err != nil {
				return nil, err
			}
			return receipt.JSON()
		}))
	}
	return out
}

func (s Source) consents(ctx context.Context) (out []portable.File, err error) {
	history, err := s.Consent.History(ctx, s.Member)
	for _, r := range history {
		out = append(out, portable.Document("receipts/consent-"+r.ID+".jsonld", "The signed receipt of something you said about the use of your data.", func() ([]byte, error) {
			return s.Consent.Receipt(ctx, s.Member, r.ID)
		}))
	}
	return out, err
}
