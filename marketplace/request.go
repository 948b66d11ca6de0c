package marketplace

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/review"
	"distributed.ai/datacoop/marketplace/veil"
	"distributed.ai/datacoop/policies"
)

// The states of an access request. "submitted" exists in the API only; a request
// that rules can decide passes through it within the call that submits it.
const (
	StateInReview = "in_review" // people must say something first; see package review

	StateDecided  = "decided"  // policy answered; a quote can be had
	StateAccepted = "accepted" // invoiced, not paid
	StateOpen     = "open"     // files can be fetched
	StateExpired  = "expired"  // the time for fetching has run out
	StateClosed   = "closed"   // nothing was granted
)

// Draft is what a researcher asks for.
type Draft struct {
	Pool          coop.PoolID
	Title         string // what for; members read it
	Purpose       coop.Purpose
	RetentionDays int64            // how long copies are kept
	Recipient     coop.RecipientID // proven; may be empty in a dry run
	Researcher    coop.ResearcherID
	Study         policies.Study
}

// Request is an access request and what became of it.
type Request struct {
	ID            coop.RequestID
	Researcher    coop.ResearcherID
	Recipient     coop.RecipientID
	Pool          coop.PoolID
	Title         string
	Purpose       coop.Purpose
	RetentionDays int64
	Price         coop.Money // per dataset, frozen at submission
	State         string
	Revision      string // policy revision that decided
	Granted       int    // datasets
	Refused       int    // datasets; all of the pool if the request is closed, so that it does not tell how few were granted
	Note          string // why it is closed
	SubmittedAt   int64
	OpenedAt      int64
	ExpiresAt     int64
	Study         policies.Study
	Reviewed      bool // a steward has said yes to it
}

// Decided is a request together with what policy said about it.
type Decided struct {
	Request
	Reasons     []ReasonCount         // of the refusals
	Obligations []policies.Obligation // that come with what was granted
	Warning     string                // a sentence if every dataset had to be decided by itself; else ""
}

func (s *Service) checkDraft(d Draft) (coop.Pool, error) {
	pool, ok := s.Charter.Pool(d.Pool)
	switch {
	case !ok:
		return coop.Pool{}, ErrUnknownPool
	case !coop.Line(d.Title, 1, 200):
		return coop.Pool{}, ErrTitle
	case !d.Purpose.Valid():
		return coop.Pool{}, ErrPurpose
	case d.RetentionDays < 1 || d.RetentionDays > 3650:
		return coop.Pool{}, ErrRetention
	}
	return pool, nil
}

func ask(d Draft, id coop.RequestID, r Researcher, recipient string, price coop.Money) consent.Ask {
	return consent.Ask{Request: id, Researcher: r.requester(), Pool: d.Pool, Purpose: d.Purpose,
		Price: price, RetentionDays: d.RetentionDays, Recipient: recipient, Study: d.Study}
}

// Submit puts a request before the policy. Every dataset of the pool is
// decided and what is decided recorded, in one transaction with the request;
// groups smaller than the pool's minimum are closed without a grant.
func (s *Service) Submit(ctx context.Context, d Draft) (Request, error) {
	return write(ctx, s, func(tx *db.Tx) (Request, error) { return s.submit(tx, d) })
}

func (s *Service) submit(tx *db.Tx, d Draft) (Request, error) {
	pool, err := s.checkDraft(d)
	if err != nil {
		return Request{}, err
	}
	who, err := getResearcher(tx, d.Researcher)
	if err := errors.Join(err, s.Clear(tx, d.Researcher)); err != nil {
		return Request{}, err
	}
	rec, err := provenRecipient(tx, d.Researcher, d.Recipient)
	if err != nil {
		return Request{}, err
	}
	id := coop.RequestID(coop.NewID())
	cohort, err := s.Consent.DecideCohort(tx, ask(d, id, who, rec.Recipient, pool.Price))
	if err != nil {
		return Request{}, fmt.Errorf("marketplace: decide: %w", err)
	}
	r := Request{ID: id, Researcher: d.Researcher, Recipient: rec.ID, Pool: d.Pool, Title: strings.TrimSpace(d.Title),
		Purpose: d.Purpose, RetentionDays: d.RetentionDays, Price: pool.Price, State: StateDecided,
		Revision: cohort.Revision, SubmittedAt: s.now(), Study: d.Study}
	if until, err := review.Begin(tx, id, cohort, s.now()); err != nil || until > 0 {
		r.State = StateInReview
		return r, errors.Join(err, insertRequest(tx, r), s.concludeLater(tx, id, until), s.herald.Asked(tx, id, cohort.Asks, until))
	}
	granted := r.outcome(cohort, pool.MinimumGroup)
	if err := insertRequest(tx, r); err != nil {
		return Request{}, err
	}
	return r, s.grant(tx, r, cohort, granted)
}

// grant makes a file of everything the cohort of a request passes.
func (s *Service) grant(tx *db.Tx, r Request, c consent.Cohort, granted bool) error {
	if !granted {
		return nil
	}
	return s.Consent.EachRelease(tx, c, func(d consent.Release) error { return insertFile(tx, r, d) })
}

// outcome fills in what was decided, and reports whether anything is granted.
func (r *Request) outcome(c consent.Cohort, minimum int) bool {
	r.State, r.Revision, r.Granted, r.Refused = StateDecided, c.Revision, c.Granted, c.Refused
	if c.Members >= minimum {
		return true
	}
	r.State, r.Note, r.Granted, r.Refused = StateClosed, tooFew, 0, r.Refused+r.Granted
	return false
}

// tooFew is the note of a closed request. Whether nobody or somebody would have
// been released is not told.
const tooFew = "Fewer members than the pool's minimum group would be released, so nothing is."

// Request finds one of the researcher's own requests with what policy said.
func (s *Service) Request(ctx context.Context, r coop.ResearcherID, id coop.RequestID) (Decided, error) {
	return read(ctx, s, func(tx *db.Tx) (Decided, error) {
		req, err := s.ownRequest(tx, r, id)
		if err != nil {
			return Decided{}, err
		}
		cohort, _, err := s.Consent.Decided(tx, id)
		return s.decided(req, cohort), err
	})
}

func (s *Service) decided(r Request, c consent.Cohort) Decided {
	out := Decided{Request: r, Obligations: []policies.Obligation{}, Warning: c.Note}
	minimum := math.MaxInt // of a pool that the charter has given up
	if pool, ok := s.Charter.Pool(r.Pool); ok {
		minimum = pool.MinimumGroup
	}
	closed := r.State == StateClosed
	if !closed {
		out.Obligations = append(out.Obligations, c.Obligations...)
	}
	out.Reasons = veil.CountReasons(c.Tally, closed, minimum)
	return out
}

// maxPage is the most requests one call lists.
const maxPage = 1000

// Requests lists the researcher's requests, newest first, from before the
// cursor (empty for the start), at most limit of them and at most 1000.
func (s *Service) Requests(ctx context.Context, r coop.ResearcherID, before string, limit int) ([]Request, error) {
	return read(ctx, s, func(tx *db.Tx) ([]Request, error) {
		out, err := listRequests(tx, r, before, min(max(limit, 1), maxPage))
		for i := range out {
			out[i] = s.aged(out[i])
		}
		return out, err
	})
}

// Purpose tells members whose data a request touched what it is for and who
// asked, in the words of the researcher and of the steward who vetted them.
func (s *Service) Purpose(ctx context.Context, id coop.RequestID) (title, researcher string, err error) {
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		r, err := getRequest(tx, id)
		if err != nil {
			return err
		}
		who, err := getResearcher(tx, r.Researcher)
		title, researcher = r.Title, who.Name
		return err
	})
	return title, researcher, err
}

func (s *Service) ownRequest(tx *db.Tx, r coop.ResearcherID, id coop.RequestID) (Request, error) {
	req, err := getRequest(tx, id)
	if err == nil && req.Researcher != r {
		return Request{}, ErrNotFound
	}
	return s.aged(req), err
}

// aged shows an open request as expired once its time has run out.
func (s *Service) aged(r Request) Request {
	if r.State == StateOpen && s.now() >= r.ExpiresAt {
		r.State = StateExpired
	}
	return r
}
