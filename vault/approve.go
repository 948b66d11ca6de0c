package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/vault/header"
)

// approvedLife is how long a header that a member made is kept after it was
// last asked for. It is long, because the member would have to make it again.
const approvedLife = 60 * 24 * time.Hour

// Approval is a granted request that waits for the member's client: with
// self-custody nobody else can open the dataset.
type Approval struct {
	ID        string
	Request   coop.RequestID
	Dataset   coop.DatasetID
	Member    coop.MemberID
	Recipient string // the researcher's, to wrap the file key to
	CreatedAt int64  // Unix milliseconds
	Header    []byte // the original, which the member's own identity opens; see header.Rewrap
}

// OpenSelfCustody is Open for a member who keeps the only key: the file is
// encrypted to the member's recipients alone, and every granted request waits
// until the member's client has re-wrapped it. The vault can check the form of
// what it is sent and that it arrives as the manifest says, and nothing else.
// Honours an idempotency key; works while the vault is locked.
//
// Errors: ErrPool, header.ErrRecipient.
func (s *Service) OpenSelfCustody(ctx context.Context, m coop.MemberID, pool coop.PoolID, memberRecipient string) (Dataset, error) {
	if !coop.ValidSlug(pool) {
		return Dataset{}, ErrPool
	}
	if _, _, err := header.ParseRecipient(memberRecipient); err != nil {
		return Dataset{}, err
	}
	return s.open(ctx, Dataset{ID: coop.DatasetID(coop.NewID()), Member: m, Pool: pool, State: StateOpen, SelfCustody: true,
		MemberRecipient: memberRecipient, CreatedAt: s.now()})
}

// Approvals lists what waits for a member's client, oldest first.
func (s *Service) Approvals(ctx context.Context, m coop.MemberID) (out []Approval, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		if out, err = approvalsOf(tx, m); err != nil {
			return err
		}
		for i := range out {
			if out[i].Header, err = originalHeader(tx, out[i].Dataset); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("vault: approvals: %w", err)
	}
	return out, nil
}

// Approval finds one of a member's waiting approvals in the caller's
// transaction, which goes on to decide and to Approve. Error: ErrNotAwaited,
// also for another member's.
func (s *Service) Approval(tx *db.Tx, m coop.MemberID, id string) (Approval, error) {
	if !coop.ValidID(id) {
		return Approval{}, ErrNotAwaited
	}
	a, err := approvalByID(tx, id)
	switch {
	case errors.Is(err, db.ErrNoRow), err == nil && a.Member != m:
		return Approval{}, ErrNotAwaited
	case err != nil:
		return Approval{}, fmt.Errorf("vault: approval: %w", err)
	}
	return a, nil
}

// Approve stores the header that a member's client has made for a waiting
// request, in the transaction that decided: like any delivery it takes a
// permit. The header must be for one recipient of the permit's kind. Whether
// it opens for that researcher nobody can see but the researcher.
//
// Errors: ErrPermit, ErrNotFound, ErrRevoked, ErrNotSealed, ErrNotAwaited,
// ErrClassic, ErrApproval, and those of header.Inspect.
func (s *Service) Approve(tx *db.Tx, p consent.Permit, hdr []byte) error {
	d, err := s.permitted(tx, p)
	if err != nil {
		return err
	}
	a, waiting, err := getApproval(tx, p.Request(), d.ID)
	if err != nil {
		return fmt.Errorf("vault: approve: %w", err)
	}
	if !waiting || a.Recipient != p.Recipient() {
		return ErrNotAwaited
	}
	if err := s.checkApproved(d, p.Recipient(), hdr); err != nil {
		return err
	}
	err = putGrant(tx, grant{Request: p.Request(), Dataset: d.ID, Recipient: p.Recipient(), Header: hdr,
		CreatedAt: s.now(), ExpiresAt: s.after(approvedLife)})
	if err == nil {
		err = deleteApproval(tx, a.ID)
	}
	if err == nil {
		_, err = s.cfg.Log.Append(tx, audit.Event{Kind: "dataset.approved", Record: map[string]any{
			"dataset": string(d.ID), "member": string(d.Member), "request": string(p.Request()),
			"decision": string(p.Decision()), "header_sha256": hexSHA256(hdr)}})
	}
	if err != nil {
		return fmt.Errorf("vault: approve: %w", err)
	}
	return nil
}

func (s *Service) checkApproved(d deliverable, recipient string, hdr []byte) error {
	info, err := header.Inspect(hdr)
	if err != nil {
		return err
	}
	kind := header.Kind(recipient)
	if len(info.Stanzas) != 1 || info.PostQuantum != (kind == header.KindHybrid) || int64(len(hdr)) != header.Size(kind) {
		return ErrApproval
	}
	if kind == header.KindX25519 && !s.cfg.ClassicRecipients {
		return ErrClassic
	}
	if bytes.Equal(d.original, hdr) {
		return ErrApproval // it is for the member, not for the researcher
	}
	return nil
}

// approved answers the living header that the member made, or lets the request
// wait.
func (s *Service) approved(tx *db.Tx, d deliverable, p consent.Permit) ([]byte, error) {
	if g := d.grant; g.living(p.Recipient(), s.now()) {
		g.ExpiresAt = s.after(approvedLife)
		if err := putGrant(tx, g); err != nil {
			return nil, fmt.Errorf("vault: rewrap: %w", err)
		}
		return g.Header, nil
	}
	err := putApproval(tx, Approval{ID: coop.NewID(), Request: p.Request(), Dataset: d.ID, Member: d.Member,
		Recipient: p.Recipient(), CreatedAt: s.now()})
	if err != nil {
		return nil, fmt.Errorf("vault: rewrap: %w", err)
	}
	return nil, ErrAwaiting
}
