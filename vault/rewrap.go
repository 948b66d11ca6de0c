package vault

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"filippo.io/age"

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
// A dataset in self-custody answers ErrAwaiting until its member has approved,
// and ErrDeclined once they have declined: the caller commits all the same,
// because the request waits from then on.
//
// Errors: ErrPermit, ErrClassic, ErrVaultSealed, ErrRevoked, ErrNotSealed,
// ErrNotFound, ErrAwaiting, ErrDeclined.
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
	return s.delivery(d.Dataset, hdr, s.cfg.Consent.Thawed), nil
}

// permitted finds what a permit is for, if it can be delivered.
func (s *Service) permitted(tx *db.Tx, p consent.Permit) (deliverable, error) {
	if !p.Within(tx) || !p.Valid(s.cfg.Clock()) {
		return deliverable{}, ErrPermit
	}
	d, err := getDeliverable(tx, p.Request(), p.Dataset())
	if errors.Is(err, db.ErrNoRow) {
		return deliverable{}, ErrNotFound
	}
	if err != nil {
		return deliverable{}, fmt.Errorf("vault: permit: %w", err)
	}
	if s.revoked.has(d.ID) {
		return deliverable{}, ErrRevoked
	}
	return d, d.deliverable()
}

// grantFor answers the living header for this request and recipient, or makes
// one. Either way it lives on from now.
func (s *Service) grantFor(tx *db.Tx, d deliverable, p consent.Permit) (hdr []byte, err error) {
	if s.Locked() {
		return nil, ErrVaultSealed
	}
	now := s.now()
	g := grant{Request: p.Request(), Dataset: d.ID, Recipient: p.Recipient(), CreatedAt: now, ExpiresAt: s.after(grantLife)}
	if d.grant.living(g.Recipient, now) {
		g.Header, g.CreatedAt = d.grant.Header, d.grant.CreatedAt
	} else if g.Header, err = s.wrapFor(tx, d, g.Recipient); err != nil {
		return nil, err
	}
	if err := putGrant(tx, g); err != nil {
		return nil, fmt.Errorf("vault: rewrap: %w", err)
	}
	return g.Header, nil
}

func (s *Service) wrapFor(tx *db.Tx, d deliverable, to string) ([]byte, error) {
	recipient, err := s.recipients.get(to)
	if err != nil {
		return nil, err
	}
	if header.Kind(to) == header.KindX25519 && !s.cfg.ClassicRecipients {
		return nil, ErrClassic
	}
	id, err := s.identity(tx.Context(), d.ID)
	if err != nil {
		return nil, err
	}
	hdr, err := header.Rewrap(d.original, lastFirst{id}, recipient)
	if err != nil {
		return nil, fmt.Errorf("vault: rewrap: stored header: %w", err)
	}
	return hdr, nil
}

// recipients keeps the public keys that are in use: a request asks for many
// datasets under one.
type recipients struct {
	mu    sync.Mutex
	known map[string]age.Recipient
}

const maxRecipients = 256

func (r *recipients) get(text string) (age.Recipient, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known, ok := r.known[text]; ok {
		return known, nil
	}
	parsed, _, err := header.KnownRecipient(text)
	if err != nil {
		return nil, err
	}
	if r.known == nil || len(r.known) >= maxRecipients {
		r.known = map[string]age.Recipient{}
	}
	r.known[text] = parsed
	return parsed, nil
}

// lastFirst tries a header's last stanza first. Clients name the member before
// the vault, and each stanza that is not ours costs a key agreement. The
// header's form was judged when it was uploaded.
type lastFirst struct{ id age.Identity }

// Unwrap implements age.Identity.
func (l lastFirst) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	for i := len(stanzas) - 1; i >= 0; i-- {
		key, err := l.id.Unwrap(stanzas[i : i+1])
		if !errors.Is(err, age.ErrIncorrectIdentity) {
			return key, err
		}
	}
	return nil, age.ErrIncorrectIdentity
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
	if err := errors.Join(expireGrants(tx, r), closeApprovalsFor(tx, r, s.now())); err != nil {
		return fmt.Errorf("vault: close request: %w", err)
	}
	return nil
}
