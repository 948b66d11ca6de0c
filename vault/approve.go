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
	ID         string
	Request    coop.RequestID
	Dataset    coop.DatasetID
	Member     coop.MemberID
	Recipient  string // the researcher's, to wrap the file key to
	State      string
	CreatedAt  int64 // Unix milliseconds
	AnsweredAt int64 // 0 while it waits

	Header    []byte   // the original, which the member's own identity opens; see header.Rewrap
	Manifest  Manifest // by which the member knows that the header is that of a file of theirs
	Signature []byte   // of the manifest; empty if the member has no signing key
}

// The states of an Approval.
const (
	ApprovalWaiting  = "waiting"
	ApprovalGiven    = "approved"
	ApprovalDeclined = "declined"
	ApprovalClosed   = "closed" // the request ended, or the dataset was revoked, before there was an answer
)

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

// maxApprovals is how many approvals one page lists at most; each brings a
// header along.
const maxApprovals = 201

// Await has a request wait for those of its datasets that their members alone
// open, and answers which ones those are. It takes no permit, because nothing
// is released: that is decided when a member approves.
func (s *Service) Await(tx *db.Tx, r coop.RequestID, recipient string, pool coop.PoolID, datasets []coop.DatasetID) ([]coop.DatasetID, error) {
	kept, err := keptDatasets(tx, pool)
	asked, out := set(datasets), []coop.DatasetID{}
	for _, d := range kept {
		if err == nil && asked[d.ID] {
			err = s.await(tx, r, d, recipient)
			out = append(out, d.ID)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("vault: await: %w", err)
	}
	return out, nil
}

func (s *Service) await(tx *db.Tx, r coop.RequestID, d Dataset, recipient string) error {
	return putApproval(tx, Approval{ID: coop.NewID(), Request: r, Dataset: d.ID, Member: d.Member, Recipient: recipient, CreatedAt: s.now()})
}

// Answer says where a request stands with the member who keeps a dataset's
// only key: ApprovalGiven if there is a header for the recipient,
// ApprovalDeclined, ApprovalClosed, or else ApprovalWaiting.
func (s *Service) Answer(tx *db.Tx, r coop.RequestID, ds coop.DatasetID, recipient string) (string, error) {
	d, err := getDeliverable(tx, r, ds)
	if err == nil && d.grant.living(recipient, s.now()) {
		return ApprovalGiven, nil
	}
	a, found, failed := getApproval(tx, r, ds)
	if err := errors.Join(err, failed); err != nil {
		return "", fmt.Errorf("vault: answer: %w", err)
	}
	if !found || a.State == ApprovalGiven { // for another recipient, or left alone for too long
		return ApprovalWaiting, nil
	}
	return a.State, nil
}

// Approvals lists what waits for a member's client, newest first, from before
// the approval named (empty for the start), with the header to open and the
// manifest that the member signed about it.
func (s *Service) Approvals(tx *db.Tx, m coop.MemberID, before string, limit int) ([]Approval, error) {
	out, err := approvalsOf(tx, m, before, min(max(limit, 1), maxApprovals))
	if err != nil {
		return nil, fmt.Errorf("vault: approvals: %w", err)
	}
	for i := range out {
		d, err := getDataset(tx, out[i].Dataset)
		if err == nil {
			out[i].Manifest, out[i].Signature = d.Manifest(), d.Signature
			out[i].Header, err = originalHeader(tx, d.ID)
		}
		if err != nil {
			return nil, fmt.Errorf("vault: approvals: %w", err)
		}
	}
	return out, nil
}

// Approval finds one of a member's approvals, waiting or answered, in the
// caller's transaction, which goes on to decide and to Approve, or to Decline.
// It brings no header. Error: ErrNotAwaited, also for another member's.
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
// ErrAnswered, ErrClassic, ErrApproval, and those of header.Inspect.
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
	if a.State != ApprovalWaiting {
		return ErrAnswered
	}
	if err := s.checkApproved(d, p.Recipient(), hdr); err != nil {
		return err
	}
	err = putGrant(tx, grant{Request: p.Request(), Dataset: d.ID, Recipient: p.Recipient(), Header: hdr,
		CreatedAt: s.now(), ExpiresAt: s.after(approvedLife)})
	if err == nil {
		err = answerApproval(tx, a.ID, ApprovalGiven, s.now())
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

// Decline ends the waiting of one request for one dataset: from then on its
// deliveries answer ErrDeclined. The caller records the refusal in the same
// transaction. Errors: ErrNotAwaited, ErrAnswered.
func (s *Service) Decline(tx *db.Tx, m coop.MemberID, id string) error {
	if _, err := s.Approval(tx, m, id); err != nil {
		return err
	}
	err := answerApproval(tx, id, ApprovalDeclined, s.now())
	if errors.Is(err, db.ErrNoRow) {
		return ErrAnswered
	}
	if err != nil {
		return fmt.Errorf("vault: decline: %w", err)
	}
	return nil
}

func (s *Service) checkApproved(d deliverable, recipient string, hdr []byte) error {
	switch err := header.CheckSingle(hdr, recipient); {
	case errors.Is(err, header.ErrNotSingle):
		return ErrApproval
	case err != nil:
		return err
	case header.Kind(recipient) == header.KindX25519 && !s.cfg.ClassicRecipients:
		return ErrClassic
	case bytes.Equal(d.original, hdr):
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
	if err := s.await(tx, p.Request(), d.Dataset, p.Recipient()); err != nil {
		return nil, fmt.Errorf("vault: rewrap: %w", err)
	}
	a, _, err := getApproval(tx, p.Request(), d.ID)
	switch {
	case err != nil:
		return nil, fmt.Errorf("vault: rewrap: %w", err)
	case a.State == ApprovalDeclined:
		return nil, ErrDeclined
	}
	return nil, ErrAwaiting
}
