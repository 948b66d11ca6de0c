package consent

import (
	"context"
	"fmt"

	"distributed.ai/datacoop/consent/papers"
	"distributed.ai/datacoop/consent/terms"
	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/policies"
)

// States of a record, as read.
const (
	StateGiven     = "given"
	StateRefused   = "refused"
	StateWithdrawn = "withdrawn"
	StateExpired   = "expired"
	StateAsPool    = papers.AsPool // a dataset's own answer was taken back: its pool's counts
)

// Faults of records.
var (
	ErrNoDataset  = fault.New(fault.NotFound, "dataset-not-found", "There is no such dataset.")
	ErrNoRecord   = fault.New(fault.NotFound, "consent-not-found", "There is no such consent record.")
	ErrRevoked    = fault.New(fault.Gone, "dataset-revoked", "This dataset has been revoked.")
	ErrNotGiven   = fault.New(fault.Conflict, "consent-not-given", "There is no consent here that could be withdrawn.")
	ErrAsPool     = fault.New(fault.Conflict, "consent-as-pool", "This dataset has no answer of its own; its pool's counts already.")
	ErrNoPool     = fault.New(fault.Invalid, "pool-invalid", "A pool is named by a lower-case word.")
	ErrNoMember   = fault.New(fault.Invalid, "member-invalid", "A member is named by an id.")
	ErrEnrolment  = fault.New(fault.Invalid, "enrolment-invalid", "This dataset cannot be enrolled as it stands.")
	ErrEnrolledBy = fault.New(fault.Conflict, "dataset-enrolled", "This dataset has been enrolled already.")
)

// Record is one answer of a member, for a pool or for one dataset. It never
// changes; a newer one of the same scope takes its place.
type Record struct {
	ID      string         `json:"id"`
	Member  coop.MemberID  `json:"member"`
	Pool    coop.PoolID    `json:"pool"`
	Dataset coop.DatasetID `json:"dataset"` // "" for the whole pool
	Terms
	State       string `json:"state"`        // one of the states, at the time of reading
	NotBefore   int64  `json:"not_before"`   // Unix milliseconds
	Expires     int64  `json:"expires"`      // Unix milliseconds; coop.Forever for never
	WithdrawnAt int64  `json:"withdrawn_at"` // Unix milliseconds; coop.Forever for not withdrawn
	CreatedAt   int64  `json:"created_at"`   // Unix milliseconds
	Seq         int64  `json:"seq"`          // position among all records and pauses

	effect string // given, refused, withdrawn or StateAsPool
}

// asPool reports whether the record says that its pool's answer counts.
func (r Record) asPool() bool { return r.effect == StateAsPool }

// scope is what a record answers for.
type scope struct {
	member  coop.MemberID
	pool    coop.PoolID
	dataset coop.DatasetID // "" for the pool
}

const dayMillis = 24 * 60 * 60 * 1000

// refresh fills in what depends on the time of reading.
func (r *Record) refresh(now int64) {
	r.State = r.effect
	if r.effect == policies.Given && r.Expires <= now {
		r.State = StateExpired
	}
}

// PutPool records a member's answer for all datasets of a pool that have none
// of their own, now and later.
func (s *Service) PutPool(ctx context.Context, m coop.MemberID, p coop.PoolID, t Terms) (Record, error) {
	var out Record
	err := s.c.DB.Update(ctx, func(tx *db.Tx) (err error) {
		out, err = s.PutPoolTx(tx, m, p, t)
		return err
	})
	return out, err
}

// PutPoolTx is PutPool in the caller's transaction.
func (s *Service) PutPoolTx(tx *db.Tx, m coop.MemberID, p coop.PoolID, t Terms) (Record, error) {
	switch {
	case !coop.ValidID(m):
		return Record{}, ErrNoMember
	case !coop.ValidSlug(p):
		return Record{}, ErrNoPool
	}
	return s.put(tx, scope{m, p, ""}, t)
}

// PutDataset records a member's answer for one of their datasets; it replaces
// the pool's for that dataset.
func (s *Service) PutDataset(ctx context.Context, m coop.MemberID, ds coop.DatasetID, t Terms) (Record, error) {
	var out Record
	err := s.c.DB.Update(ctx, func(tx *db.Tx) (err error) {
		out, err = s.PutDatasetTx(tx, m, ds, t)
		return err
	})
	return out, err
}

// PutDatasetTx is PutDataset in the caller's transaction. The dataset must have
// been enrolled.
func (s *Service) PutDatasetTx(tx *db.Tx, m coop.MemberID, ds coop.DatasetID, t Terms) (Record, error) {
	at, err := s.own(tx, m, ds)
	if err != nil {
		return Record{}, err
	}
	return s.put(tx, at, t)
}

// own finds an open dataset of the member.
func (s *Service) own(tx *db.Tx, m coop.MemberID, ds coop.DatasetID) (scope, error) {
	d, err := datasetByID(tx, ds)
	switch {
	case err != nil:
		return scope{}, err
	case d.Member != m:
		return scope{}, ErrNoDataset
	case d.closed <= s.now():
		return scope{}, ErrRevoked
	}
	return scope{m, d.Pool, ds}, nil
}

func (s *Service) put(tx *db.Tx, at scope, t Terms) (Record, error) {
	if err := t.Validate(); err != nil {
		return Record{}, err
	}
	now := s.now()
	if t.PublishFrom != "" && terms.Day(t.PublishFrom) <= now {
		return Record{}, ErrTerms.With("The day before which nothing is published is over.")
	}
	r := Record{
		Terms: t.Normal(), effect: t.Effect,
		NotBefore: now, Expires: coop.Forever, WithdrawnAt: coop.Forever,
	}
	if t.Days > 0 {
		r.Expires = now + t.Days*dayMillis
	}
	return s.append(tx, at, r)
}

// append gives a record its identity, place and audit entry, and stores it.
func (s *Service) append(tx *db.Tx, at scope, r Record) (Record, error) {
	seq, err := nextSeq(tx)
	if err != nil {
		return Record{}, fmt.Errorf("consent: recording: %w", err)
	}
	r.ID, r.Seq, r.CreatedAt = coop.NewID(), seq, s.now()
	r.Member, r.Pool, r.Dataset = at.member, at.pool, at.dataset
	r.refresh(r.CreatedAt)
	leaf, err := s.c.Log.Append(tx, audit.Event{Kind: "consent.record", Verdict: r.effect, Record: r})
	if err != nil {
		return Record{}, fmt.Errorf("consent: recording: %w", err)
	}
	if err := insertRecord(tx, r, leaf); err != nil {
		return Record{}, fmt.Errorf("consent: recording: %w", err)
	}
	if err := flattenScope(tx, at); err != nil {
		return Record{}, fmt.Errorf("consent: recording: %w", err)
	}
	return r, nil
}

// WithdrawPool withdraws a member's consent for a pool, at once, for every one
// of its datasets: answers given for single datasets before stop too.
func (s *Service) WithdrawPool(ctx context.Context, m coop.MemberID, p coop.PoolID) (Record, error) {
	return s.withdraw(ctx, func(*db.Tx) (scope, error) { return scope{m, p, ""}, nil })
}

// WithdrawDataset withdraws a member's consent for one dataset, at once, also
// where it was given for the pool.
func (s *Service) WithdrawDataset(ctx context.Context, m coop.MemberID, ds coop.DatasetID) (Record, error) {
	return s.withdraw(ctx, func(tx *db.Tx) (scope, error) { return s.own(tx, m, ds) })
}

func (s *Service) withdraw(ctx context.Context, find func(*db.Tx) (scope, error)) (Record, error) {
	var out Record
	err := s.c.DB.Update(ctx, func(tx *db.Tx) error {
		at, err := find(tx)
		if err != nil {
			return err
		}
		r, err := standing(tx, at)
		if err != nil {
			return err
		}
		r.effect, r.WithdrawnAt = policies.Withdrawn, s.now()
		out, err = s.append(tx, at, r)
		return err
	})
	return out, err
}

// standing finds the consent that a withdrawal at this scope ends: the scope's
// own, for a dataset without an answer the pool's, for a pool without consent
// of its own that of any of its datasets.
func standing(tx *db.Tx, at scope) (Record, error) {
	found, err := recordsOf(tx, at.member, at.pool)
	if err != nil {
		return Record{}, err
	}
	own, ok := found[at.dataset]
	if !ok && at.dataset != "" {
		own, ok = found[""]
	}
	if ok && own.effect == policies.Given {
		return own, nil
	}
	newest := own
	for _, r := range found {
		if at.dataset == "" && r.effect == policies.Given && r.Seq > newest.Seq {
			newest = r
		}
	}
	if newest.effect != policies.Given {
		return Record{}, ErrNotGiven
	}
	return newest, nil
}

// FollowPool takes back the answer a dataset has of its own: from the next
// decision on the member's answer for the pool counts for it, also one that they
// give later. ErrAsPool if the dataset has none.
func (s *Service) FollowPool(ctx context.Context, m coop.MemberID, ds coop.DatasetID) (Record, error) {
	var out Record
	err := s.c.DB.Update(ctx, func(tx *db.Tx) error {
		at, err := s.own(tx, m, ds)
		if err != nil {
			return err
		}
		r, found, err := recordOf(tx, at)
		switch {
		case err != nil:
			return fmt.Errorf("consent: reading: %w", err)
		case !found:
			return ErrAsPool
		}
		r.effect = StateAsPool
		out, err = s.append(tx, at, r)
		return err
	})
	return out, err
}
