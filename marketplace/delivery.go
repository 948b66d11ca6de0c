package marketplace

import (
	"context"
	"errors"
	"fmt"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/marketplace/ledger"
	"distributed.ai/datacoop/policies"
	"distributed.ai/datacoop/vault"
)

// File is one granted dataset under an id of its request alone, so that two
// requests cannot be joined by it.
type File struct {
	ID      coop.FileID
	Request coop.RequestID
	Dataset coop.DatasetID
	Member  coop.MemberID
	Price   coop.Money
	FirstAt int64 // first delivery, 0 before

	SelfCustody bool // its member keeps the only key and approves each request
}

// The states of a file, as a researcher sees them.
const (
	FileReady    = "ready"
	FileAwaiting = "awaiting-member" // its member keeps the only key and has not approved yet
	FileDeclined = "declined"        // by its member
	FileGone     = "gone"
)

// FileView is what a researcher sees of a file before fetching it.
type FileView struct {
	ID     coop.FileID
	Size   int64  // bytes of the age file as delivered
	SHA256 string // of the payload after the header
	Raw    bool
	Gone   bool
	State  string
}

// Files lists a request's files. Sizes come from the recipient's own header
// length, so that they equal what a fetch will send.
func (s *Service) Files(ctx context.Context, r coop.ResearcherID, id coop.RequestID) ([]FileView, error) {
	return read(ctx, s, func(tx *db.Tx) ([]FileView, error) {
		req, err := s.ownRequest(tx, r, id)
		if err != nil {
			return nil, err
		}
		rec, _, err := getRecipient(tx, r, req.Recipient)
		if err != nil {
			return nil, err
		}
		files, err := listFiles(tx, id)
		if err != nil {
			return nil, err
		}
		out := make([]FileView, 0, len(files))
		for _, f := range files {
			facts, err := s.Vault.Facts(tx, f.Dataset, rec.Recipient)
			if err != nil {
				return nil, fmt.Errorf("marketplace: file facts: %w", err)
			}
			state, err := s.fileState(tx, f, facts, rec.Recipient)
			if err != nil {
				return nil, err
			}
			out = append(out, FileView{ID: f.ID, Size: facts.Size, SHA256: facts.PayloadSHA256, Raw: facts.Raw, Gone: facts.Shredded, State: state})
		}
		return out, nil
	})
}

// fileState says whether a file can be fetched, as far as that does not depend
// on consent.
func (s *Service) fileState(tx *db.Tx, f File, facts vault.Facts, recipient string) (string, error) {
	switch {
	case facts.Shredded:
		return FileGone, nil
	case !facts.SelfCustody:
		return FileReady, nil
	}
	said, err := s.Vault.Answer(tx, f.Request, f.Dataset, recipient)
	if err != nil {
		return "", fmt.Errorf("marketplace: answer: %w", err)
	}
	switch said {
	case vault.ApprovalGiven:
		return FileReady, nil
	case vault.ApprovalDeclined:
		return FileDeclined, nil
	case vault.ApprovalClosed:
		return FileGone, nil
	}
	return FileAwaiting, nil
}

// Deliver hands one file to its researcher: consent is asked again, now, and
// decision, rewrapped header, usage, revenue and audit leaf are one
// transaction. A refusal is recorded in the same way and then returned as
// ErrRefused with the reasons, or as ErrShredded where the member has revoked;
// nothing is charged for it. ErrNotFound for another researcher's file,
// ErrNotPaid before payment, ErrExpired after the request's time and
// vault.ErrAwaiting until a member who keeps the only key has approved leave no
// record. Delivery.Open streams the file and stops when the member revokes.
func (s *Service) Deliver(ctx context.Context, r coop.ResearcherID, id coop.FileID) (vault.Delivery, error) {
	var out vault.Delivery
	var refusal error
	err := s.DB.Update(ctx, func(tx *db.Tx) (err error) {
		out, refusal, err = s.deliver(tx, r, id)
		return err
	})
	if err != nil {
		return vault.Delivery{}, err
	}
	return out, refusal
}

// deliver returns a refusal beside a nil error, so that the record of the
// refusal is committed.
func (s *Service) deliver(tx *db.Tx, r coop.ResearcherID, id coop.FileID) (d vault.Delivery, refusal, err error) {
	file, req, err := s.openFile(tx, r, id)
	if err != nil {
		return d, nil, err
	}
	q, err := question(tx, req, file)
	if err != nil {
		return d, nil, err
	}
	if file.SelfCustody {
		if held, err := s.held(tx, file, q); held != nil || err != nil {
			return d, held, err
		}
	}
	decision, permit, err := s.Consent.Decide(tx, q, file.Dataset)
	if err != nil {
		return d, nil, fmt.Errorf("marketplace: decide: %w", err)
	}
	if !decision.Allow {
		return d, refused(decision.Reasons), nil
	}
	if d, err = s.Vault.Rewrap(tx, permit); errors.Is(err, vault.ErrAwaiting) {
		return d, err, nil // committed: the request waits for the member from now on
	}
	if err != nil {
		return d, nil, fmt.Errorf("marketplace: rewrap: %w", err)
	}
	return d, nil, s.use(tx, file)
}

// openFile finds the file and checks that its request is the caller's, paid
// and not expired.
func (s *Service) openFile(tx *db.Tx, r coop.ResearcherID, id coop.FileID) (File, Request, error) {
	file, err := getFile(tx, id)
	if err != nil {
		return File{}, Request{}, err
	}
	req, err := s.ownRequest(tx, r, file.Request)
	switch {
	case err != nil:
		return File{}, Request{}, err
	case req.State == StateExpired:
		return File{}, Request{}, ErrExpired
	case req.State != StateOpen:
		return File{}, Request{}, ErrNotPaid
	}
	return file, req, nil
}

// use counts the delivery; the first one turns the prepaid price into revenue
// of the open period. A clock that was set back does not put it into a period
// whose books are closed.
func (s *Service) use(tx *db.Tx, f File) error {
	since, err := runningSince(tx)
	if err != nil {
		return err
	}
	first, err := countFetch(tx, f.ID, max(s.now(), since))
	if err == nil && first {
		err = s.herald.Used(tx, f.Request)
	}
	if err == nil && first && f.Price > 0 {
		err = errors.Join(s.post(tx, "access", "file:"+string(f.ID), ledger.Transfer{From: ledger.Access, To: ledger.Prepaid, Amount: f.Price}), s.accrue(tx, f))
	}
	if err != nil {
		return err
	}
	return s.log(tx, "delivery", "delivered", map[string]any{"file": string(f.ID), "first": first})
}

// reasonClosed is base law's code for a dataset that its member has revoked.
const reasonClosed = "dataset-closed"

// refused turns a decision's reasons into the fault the researcher reads. A
// dataset that is closed for good says so by its kind.
func refused(reasons []policies.Reason) *fault.Error {
	out := ErrRefused
	sentences := make([]string, 0, len(reasons))
	for _, r := range reasons {
		if r.Code == reasonClosed {
			out = ErrShredded
		}
		sentences = append(sentences, r.Sentence)
	}
	return out.With(sentences...)
}
