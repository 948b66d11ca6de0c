package vault

import (
	"context"
	"errors"
	"fmt"
	"time"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/vault/header"
	"distributed.ai/datacoop/vault/keystore"
)

// grantLife is how long a header made for a request is kept after it was last
// asked for. While it lives a file has the same bytes each time, so that an
// interrupted download goes on with Range and If-Range.
const grantLife = 24 * time.Hour

// Rewrap makes, or finds again, the header that a permit allows, in the very
// transaction that decided. The permit says everything: which dataset, for
// which request, to which recipient. Its zero value opens nothing.
//
// A dataset in self-custody answers ErrAwaiting until its member has approved:
// the caller commits all the same, because the request waits from then on.
//
// Errors: ErrPermit, ErrClassic, ErrVaultSealed, ErrRevoked, ErrNotSealed,
// ErrNotFound, ErrAwaiting.
func (s *Service) Rewrap(tx *db.Tx, p consent.Permit) (Delivery, error) {
	d, err := s.permitted(tx, p)
	if err != nil {
		return Delivery{}, err
	}
	headerFor := s.grantFor
	if d.SelfCustody {
		headerFor = s.approved
	}
	hdr, err := headerFor(tx, d, p)
	if err != nil {
		return Delivery{}, err
	}
	return s.delivery(d, hdr), nil
}

// permitted finds the dataset that a permit is for, if it can be delivered.
func (s *Service) permitted(tx *db.Tx, p consent.Permit) (Dataset, error) {
	if !p.Within(tx) || !p.Valid(s.cfg.Clock()) {
		return Dataset{}, ErrPermit
	}
	d, err := getDataset(tx, p.Dataset())
	if errors.Is(err, db.ErrNoRow) {
		return Dataset{}, ErrNotFound
	}
	if err != nil {
		return Dataset{}, fmt.Errorf("vault: permit: %w", err)
	}
	if s.revoked.has(d.ID) {
		return Dataset{}, ErrRevoked
	}
	return d, d.deliverable()
}

// grantFor answers the living header for this request and recipient, or makes
// one. Either way it lives on from now.
func (s *Service) grantFor(tx *db.Tx, d Dataset, p consent.Permit) ([]byte, error) {
	if s.Locked() {
		return nil, ErrVaultSealed
	}
	old, known, err := getGrant(tx, p.Request(), d.ID)
	if err != nil {
		return nil, fmt.Errorf("vault: rewrap: %w", err)
	}
	now := s.now()
	g := grant{Request: p.Request(), Dataset: d.ID, Recipient: p.Recipient(), CreatedAt: now, ExpiresAt: s.after(grantLife)}
	if known && old.living(g.Recipient, now) {
		g.Header, g.CreatedAt = old.Header, old.CreatedAt
	} else if g.Header, err = s.wrapFor(tx, d, g.Recipient); err != nil {
		return nil, err
	}
	if err := putGrant(tx, g); err != nil {
		return nil, fmt.Errorf("vault: rewrap: %w", err)
	}
	if known {
		return g.Header, nil
	}
	if err := countDelivery(tx, d.ID); err != nil {
		return nil, fmt.Errorf("vault: rewrap: %w", err)
	}
	return g.Header, nil
}

func (s *Service) wrapFor(tx *db.Tx, d Dataset, to string) ([]byte, error) {
	recipient, kind, err := header.ParseRecipient(to)
	if err != nil {
		return nil, err
	}
	if kind == header.KindX25519 && !s.cfg.ClassicRecipients {
		return nil, ErrClassic
	}
	id, err := s.identity(tx.Context(), d.ID)
	if err != nil {
		return nil, err
	}
	original, err := originalHeader(tx, d.ID)
	if err != nil {
		return nil, fmt.Errorf("vault: rewrap: %w", err)
	}
	hdr, err := header.Rewrap(original, id, recipient)
	if err != nil {
		return nil, fmt.Errorf("vault: rewrap: stored header: %w", err)
	}
	return hdr, nil
}

// identity opens a dataset's identity. A key that is gone is a revocation, as
// far as the caller is concerned.
func (s *Service) identity(ctx context.Context, ds coop.DatasetID) (Identity, error) {
	id, err := s.keys.Identity(ctx, ds)
	if errors.Is(err, keystore.ErrNoKey) {
		return nil, ErrRevoked
	}
	return id, err
}

// CloseRequest deletes the headers made for a request and what waits for
// members, in the transaction that ends it. Downloads under way finish; new ones need a new permit.
func (s *Service) CloseRequest(tx *db.Tx, r coop.RequestID) error {
	if err := errors.Join(expireGrants(tx, r), dropApprovalsFor(tx, r)); err != nil {
		return fmt.Errorf("vault: close request: %w", err)
	}
	return nil
}
