package marketplace

import (
	"context"
	"errors"
	"fmt"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/once"
	"distributed.ai/datacoop/vault"
)

// Approval is a paid request that waits for the member who keeps a dataset's
// only key, with who asks and what for.
type Approval struct {
	vault.Approval
	Pool          coop.PoolID
	Title         string // what for, in the researcher's words
	Purpose       coop.Purpose
	RetentionDays int64
	Researcher    string
	Kind          string // of organisation
	ExpiresAt     int64  // when the request ends, and with it the waiting
}

// Answered is what a member has said to one request for one dataset.
type Answered struct {
	ID      string
	Request coop.RequestID
	Dataset coop.DatasetID
	State   string // vault.ApprovalGiven or vault.ApprovalDeclined
}

// awaitMembers queues a request that opens before the members who keep their
// own keys.
func (s *Service) awaitMembers(tx *db.Tx, req Request) error {
	rec, _, err := getRecipient(tx, req.Researcher, req.Recipient)
	if err != nil {
		return err
	}
	files, err := listFiles(tx, req.ID)
	if err != nil {
		return err
	}
	granted := make([]coop.DatasetID, 0, len(files))
	for _, f := range files {
		granted = append(granted, f.Dataset)
	}
	kept, err := s.Vault.Await(tx, req.ID, rec.Recipient, req.Pool, granted)
	if err != nil {
		return fmt.Errorf("marketplace: await members: %w", err)
	}
	return errors.Join(keepFiles(tx, req.ID, kept), s.herald.Keepers(tx, req.ID, req.ExpiresAt))
}

// Approvals lists what waits for a member's own client, newest first, from
// before the approval named (empty for the start), at most limit of them and
// at most 201.
func (s *Service) Approvals(ctx context.Context, m coop.MemberID, before string, limit int) ([]Approval, error) {
	return read(ctx, s, func(tx *db.Tx) ([]Approval, error) {
		waiting, err := s.Vault.Approvals(tx, m, before, limit)
		if err != nil {
			return nil, err
		}
		out := make([]Approval, 0, len(waiting))
		for _, a := range waiting {
			described, err := describe(tx, a)
			if err != nil {
				return nil, err
			}
			out = append(out, described)
		}
		return out, nil
	})
}

func describe(tx *db.Tx, a vault.Approval) (Approval, error) {
	req, err := getRequest(tx, a.Request)
	if err != nil {
		return Approval{}, err
	}
	who, err := getResearcher(tx, req.Researcher)
	if err != nil {
		return Approval{}, err
	}
	return Approval{Approval: a, Pool: req.Pool, Title: req.Title, Purpose: req.Purpose, RetentionDays: req.RetentionDays,
		Researcher: who.Name, Kind: who.Kind, ExpiresAt: req.ExpiresAt}, nil
}

// Waiting counts what waits for a member's own client, to 200.
func (s *Service) Waiting(ctx context.Context, m coop.MemberID) (int, error) {
	return read(ctx, s, func(tx *db.Tx) (int, error) {
		list, err := s.Vault.Approvals(tx, m, "", 200)
		return len(list), err
	})
}

// Approve stores the header that a member's client has made for a request:
// consent is asked again, now, and decision, header and audit leaf are one
// transaction. Recipient is whom the client wrapped to. From then on the
// researcher can fetch the file; nothing is charged before that. Honours an
// idempotency key.
//
// A refusal by the law or by the member's own answer is recorded, and returned
// as ErrRefused or ErrShredded. Without a record: vault.ErrNotAwaited, also for
// another member's; vault.ErrAnswered, ErrExpired, ErrOtherRecipient, and those
// of vault.Approve about the header.
func (s *Service) Approve(ctx context.Context, m coop.MemberID, id, recipient string, hdr []byte) (Answered, error) {
	return s.answer(ctx, m, id, func(tx *db.Tx, a vault.Approval, q consent.Ask) (state string, refusal, err error) {
		if recipient != q.Recipient || a.Recipient != q.Recipient {
			return "", nil, ErrOtherRecipient
		}
		decision, permit, err := s.Consent.DecideApproval(tx, q, a.Dataset)
		if err != nil {
			return "", nil, fmt.Errorf("marketplace: decide: %w", err)
		}
		if !decision.Allow {
			return "", refused(decision.Reasons), nil
		}
		if err := s.Vault.Approve(tx, permit, hdr); err != nil {
			return "", nil, fmt.Errorf("marketplace: approve: %w", err)
		}
		return vault.ApprovalGiven, nil, nil
	})
}

// Decline says no to one request for one dataset, for good. It is recorded like
// any refusal, and so is every attempt to fetch the file; what was paid for it
// becomes the researcher's credit when the request ends. Honours an idempotency
// key. Errors: vault.ErrNotAwaited, also for another member's,
// vault.ErrAnswered, ErrExpired, ErrShredded.
func (s *Service) Decline(ctx context.Context, m coop.MemberID, id string) (Answered, error) {
	return s.answer(ctx, m, id, func(tx *db.Tx, a vault.Approval, q consent.Ask) (state string, refusal, err error) {
		if a.State == vault.ApprovalClosed { // and the request has not ended
			return "", nil, ErrShredded
		}
		if _, err := s.Consent.Decline(tx, q, a.Dataset, consent.StageApproval); err != nil {
			return "", nil, fmt.Errorf("marketplace: decline: %w", err)
		}
		return vault.ApprovalDeclined, nil, s.Vault.Decline(tx, m, id)
	})
}

// answer finds what the member answers and has fn answer it, once for each
// idempotency key. A refusal is committed, so that its record stays.
func (s *Service) answer(ctx context.Context, m coop.MemberID, id string,
	fn func(*db.Tx, vault.Approval, consent.Ask) (state string, refusal, err error)) (out Answered, err error) {
	var refusal error
	err = s.DB.Update(ctx, func(tx *db.Tx) (err error) {
		refusal = nil
		out, err = once.Do(tx, func() (Answered, error) {
			a, q, err := s.waiting(tx, m, id)
			if err != nil {
				return Answered{}, err
			}
			said := Answered{ID: a.ID, Request: a.Request, Dataset: a.Dataset}
			if said.State, refusal, err = fn(tx, a, q); err != nil {
				return Answered{}, err
			}
			return said, refusal
		})
		if refusal != nil && errors.Is(err, refusal) {
			return nil
		}
		return err
	})
	if err == nil {
		err = refusal
	}
	if err != nil {
		return Answered{}, err
	}
	return out, nil
}

// waiting finds one of a member's approvals and puts the question anew that its
// request was granted on.
func (s *Service) waiting(tx *db.Tx, m coop.MemberID, id string) (vault.Approval, consent.Ask, error) {
	a, err := s.Vault.Approval(tx, m, id)
	if err != nil {
		return vault.Approval{}, consent.Ask{}, err
	}
	req, err := getRequest(tx, a.Request)
	if err != nil {
		return vault.Approval{}, consent.Ask{}, err
	}
	switch {
	case a.State == vault.ApprovalGiven, a.State == vault.ApprovalDeclined:
		return vault.Approval{}, consent.Ask{}, vault.ErrAnswered
	case s.aged(req).State != StateOpen:
		return vault.Approval{}, consent.Ask{}, ErrExpired
	}
	file, err := fileOf(tx, a.Request, a.Dataset)
	if err != nil {
		return vault.Approval{}, consent.Ask{}, err
	}
	q, err := question(tx, req, file)
	return a, q, err
}

// question is what the law is asked about one file of an open request.
func question(tx *db.Tx, req Request, f File) (consent.Ask, error) {
	who, err := getResearcher(tx, req.Researcher)
	if err != nil {
		return consent.Ask{}, err
	}
	rec, err := provenRecipient(tx, req.Researcher, req.Recipient)
	if err != nil {
		return consent.Ask{}, err
	}
	q := ask(Draft{Pool: req.Pool, Purpose: req.Purpose, RetentionDays: req.RetentionDays, Study: req.Study}, req.ID, who, rec.Recipient, f.Price)
	q.Reviewed = req.Reviewed
	return q, nil
}

// held refuses a file that its member alone can open, as long as they have not
// approved: vault.ErrAwaiting, or ErrRefused once they have declined. While it
// waits nothing is recorded, because nothing was read and nothing refused. What
// the law itself refuses is left to the decision that follows.
func (s *Service) held(tx *db.Tx, f File, q consent.Ask) (refusal, err error) {
	state, err := s.Vault.Answer(tx, f.Request, f.Dataset, q.Recipient)
	if err != nil {
		return nil, fmt.Errorf("marketplace: answer: %w", err)
	}
	switch state {
	case vault.ApprovalDeclined:
		d, err := s.Consent.Decline(tx, q, f.Dataset, consent.StageDelivery)
		if err != nil {
			return nil, fmt.Errorf("marketplace: decide: %w", err)
		}
		return refused(d.Reasons), nil
	case vault.ApprovalWaiting:
		d, err := s.Consent.Would(tx, q, f.Dataset)
		if err != nil || !d.Allow {
			return nil, err
		}
		_, err = s.Vault.Await(tx, f.Request, q.Recipient, q.Pool, []coop.DatasetID{f.Dataset})
		if err != nil {
			return nil, fmt.Errorf("marketplace: await: %w", err)
		}
		return vault.ErrAwaiting, nil
	}
	return nil, nil
}
