// Package consent is the conscience: what each member agreed to, and the
// decision of every single release.
//
// # Records
//
// A member answers for a pool, and where they wish for one dataset. Answers are
// only ever appended: the newest of a scope governs, and a dataset's own answer
// replaces its pool's, until it is taken back (FollowPool). One exception makes
// "no" safe: a refusal or withdrawal given for the whole pool after the dataset's
// answer counts as well. Pausing stops everything and forgets nothing. Every
// record has a signed receipt that anybody can verify offline (VerifyReceipt) and
// a program can apply (package consent/papers). Before a member has answered,
// nothing is permitted: the charter's default is where a form starts, and never a
// record.
//
// # Decisions
//
// Decide asks the law in force (package policies) about one dataset, now, in
// the transaction that would release it, and writes the answer down whether it
// is yes or no: with the revision, the exact question as canonical JSON, its
// digest, the reasons, the rules of law that fired, and the position in the
// sequence of records it was based on. Where a member keeps the only key, their approval of a single request is
// decided in the same way (DecideApproval), and their no to it is recorded as a
// refusal (Decline).
//
// DecideCohort does the same for all datasets of a pool at once: the governing
// records of every dataset are kept as columns of its row, law is compiled to
// conditions on them (package consent/cohort), and of every kind of answer the
// rows give one is decided by the law itself; if they differ, or law cannot be
// compiled, each class of datasets is decided by itself and the answer says so.
// What is kept is one record (revision, question and digest, filter, position,
// counts, digest of the rows) with one audit entry, for each dataset a row of
// reason bits, and once what the bits mean. The members' feed (Uses) shows every
// answer of either sort in the words a single decision has. Tally, Passing,
// Differ and Explore answer without recording anything.
//
// A position counts everything decisions rest on: records, pauses, enrolments
// and closings, answers to single requests, consents used up. ReplayAll decides
// everything that was ever decided once more and compares; the questions of a
// cohort it puts together anew from what there was at its position.
//
// # People
//
// What a member can say is package terms. Where the terms leave a request to the
// member, DecideCohort asks them (Questions) and nothing is released before they
// say yes (Answer); what a steward must look at is Ask.Reviewed. Consent to one
// release is used up for a dataset in the transaction that releases it, so that
// there is no second one, not even of the same file to the same researcher.
//
// # Incidents
//
// While stewards have frozen the co-op (Freeze, Lift) nothing is decided that could
// release data: Decide and DecideApproval answer freeze.ErrFrozen, before the law
// is asked and without a record, since it is no answer of the law's that could be
// replayed. The incident itself is in the log.
//
// # What it guarantees
//
// A Permit exists only where the law said yes for one dataset, purpose and
// recipient, in a transaction that recorded so; it is good for minutes, and its
// zero value opens nothing. Withdrawal, pause, refusal and revocation hold from
// the next decision on. Every decision and every record leaves one entry in the
// audit log, a cohort one for all its datasets.
//
// # What it refuses
//
// An answer that is neither yes nor no, consent to what base law never permits,
// a question without a purpose, and a decision while no law is in force.
package consent

import (
	"context"
	"crypto/ed25519"
	"embed"
	"errors"
	"log/slog"
	"time"

	"distributed.ai/datacoop/consent/freeze"
	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

//go:embed schema
var schema embed.FS

// maxPermit is the longest any permit may be good for.
const maxPermit = time.Hour

// Config is what the room needs.
type Config struct {
	DB        *db.DB
	Engine    *policies.Engine
	Log       *audit.Log
	Clock     coop.Clock
	Key       ed25519.PrivateKey // the co-op's, signs receipts
	PermitFor time.Duration      // how long a permit is good for, an hour at most
	Charter   coop.Charter       // names the co-op in receipts: Name, Contact, Currency
	Logger    *slog.Logger       // told when the law could not be read; nil is slog.Default
}

// Service answers for members' records and for decisions, and stops them all
// where stewards freeze the co-op; see package freeze. It is safe for concurrent
// use.
type Service struct {
	*freeze.Switch
	c Config
}

// New opens the room, making its tables if needed.
func New(ctx context.Context, c Config) (*Service, error) {
	switch {
	case c.DB == nil || c.Engine == nil || c.Log == nil || c.Clock == nil:
		return nil, errors.New("consent: database, engine, log and clock are needed")
	case len(c.Key) != ed25519.PrivateKeySize:
		return nil, errors.New("consent: the receipt key is not an Ed25519 private key")
	case c.PermitFor <= 0 || c.PermitFor > maxPermit:
		return nil, errors.New("consent: a permit must be good for more than nothing and at most an hour")
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if err := errors.Join(c.DB.Migrate(ctx, "consent", schema), freeze.Migrate(ctx, c.DB)); err != nil {
		return nil, err
	}
	s := &Service{c: c, Switch: freeze.New(c.DB, c.Log, c.Clock)}
	if err := s.flattenAll(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// now is the domain time in Unix milliseconds.
func (s *Service) now() int64 { return s.c.Clock().UnixMilli() }
