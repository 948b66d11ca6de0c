// Package governance is the council hall: members, one vote each, and the work
// they do for the co-op.
//
// # What it is for
//
// A person who signs in becomes a [Member] through [Service.Admit], if the
// charter's admission lets them. A member proposes an access policy with
// [Service.Propose]; a job tries it on requests ([KindRehearse]), and then every
// member of the moment it was proposed may cast one ballot with [Service.Cast];
// two more jobs count ([KindTally]) and, after a pause, enact ([KindEnact]). Work
// that is not voting is submitted and reviewed by other members; what they accept
// is evidence for a period's statement.
//
// # The life of a proposal
//
//	rehearsing ─┬─ void                it could not be tried within any limits
//	            └─ voting ─┬─ rejected            fewer in favour than the class asks for
//	                       ├─ no-quorum           in favour, but too few of all members
//	                       └─ passed ─┬─ enacted  after the timelock
//	                                  └─ void     the gate refuses it now, or the law it was
//	                                              written against has changed meanwhile
//
// Proposing freezes the text, thresholds and electoral roll; the window for
// ballots begins when everybody can read what the policy would have meant. The
// counts exist only after the close: no call, table or log entry tells how a
// vote is going. Thresholds are integers in thousandths; [Rule] has the
// arithmetic.
//
// # What it guarantees
//
// One member has one vote, once. Enacted law is put to the same gate again
// before it counts, stored with its source, and swapped into the engine only
// after the transaction is durable. If the stored law cannot be read, the
// engine is sealed and every request is refused. Ballots are kept apart from
// the roll: the tables say who has voted and what was voted, not who voted
// what. A voter's receipt finds their own ballot in the published list and
// proves, by its digest in the log, that it was there. This is privacy, not
// cryptographic secrecy: a server that watches requests could link the two, so
// could whoever holds both the co-op's key and a stored idempotency key, and in
// a very small or unanimous vote the result tells everything.
//
// Work is sized by two other members before anybody scores it. Reviewing and
// other duties earn fixed points; voting never earns. Work in git is read on a
// member's own machine ([ReadGit]) and submitted with [Service.SubmitGit] by
// who has claimed one of its authors' addresses and was confirmed by others
// ([Service.Claim], [Service.AnswerClaim]). Addresses are kept as keyed digests.
//
// # What it refuses
//
// A second ballot, a ballot after the close or from outside the roll; a policy
// that the gate refuses; reviewing one's own work, or the same work twice. It
// never weighs votes by data, money or reputation, and no vote it counts can
// allow what a member refused: enacted law only narrows.
package governance

import (
	"context"
	"crypto/ed25519"
	"embed"
	"errors"
	"fmt"
	"sync"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/jobs"
	"distributed.ai/datacoop/policies"
	"distributed.ai/datacoop/policies/rehearsal"
)

//go:embed schema/*.sql
var schema embed.FS

// Config is what the council hall stands on. Everything but Gate,
// Rehearse, Trier, Issuer and CharterText is needed.
type Config struct {
	DB      *db.DB
	Consent *consent.Service
	Engine  *policies.Engine
	Log     *audit.Log
	Jobs    *jobs.Queue
	Clock   coop.Clock
	Key     ed25519.PrivateKey // the co-op's; invitations and receipts are derived from it

	// Gate is [Gate] or something that runs it; nil means in this process. A
	// server passes one that starts a process for it, where a policy that takes
	// all memory or looks at no deadline harms nobody; where that process ends
	// without an answer it says [ErrUntried], which decides nothing.
	Gate func(ctx context.Context, source, present []byte) ([]byte, policies.Report, error)

	// Rehearse compares the law in force with a policy that passed the gate, in
	// a process of its own where Gate has one; nil means in this process. Trier
	// does so at length, for one that is proposed.
	Rehearse rehearsal.Comparer
	Trier    rehearsal.Trier

	Charter     coop.Charter
	CharterText []byte // the text Charter was parsed from; its digest names the rules of each vote

	// Issuer is the identity provider whose subjects the charter's offices
	// name. Empty means any issuer, which is right only where there is one:
	// otherwise a stranger with the same subject elsewhere would be a steward.
	Issuer string
}

// Service keeps members, proposals and contributions. It is safe for
// concurrent use.
type Service struct {
	Config
	lawmaking sync.Mutex // held from the gate to the swap, so that the last law stored is the law in force
}

// New creates the room's tables and registers its jobs; call it before the
// queue runs. The engine is left as it is: see [Service.LoadLaw].
func New(ctx context.Context, c Config) (*Service, error) {
	if len(c.Key) != ed25519.PrivateKeySize {
		return nil, errors.New("governance: the co-op's key is missing")
	}
	if err := c.DB.Migrate(ctx, "governance", schema); err != nil {
		return nil, fmt.Errorf("governance: migrate: %w", err)
	}
	if c.Gate == nil {
		c.Gate = Gate
	}
	if c.Rehearse == nil {
		c.Rehearse = rehearsal.Remember(rehearsal.CompareTexts)
	}
	if c.Trier == nil {
		c.Trier = rehearsal.Here{}
	}
	s := &Service{Config: c}
	c.Jobs.Handle(KindRehearse, s.rehearseJob)
	c.Jobs.Handle(KindTally, s.tallyJob)
	c.Jobs.Handle(KindEnact, s.enactJob)
	return s, nil
}

// read runs fn in a snapshot, write in a transaction. Both name the operation
// in an error and return no result with one.
func read[T any](ctx context.Context, s *Service, op string, fn func(*db.Tx) (T, error)) (T, error) {
	return within(ctx, s.DB.View, op, fn)
}

func write[T any](ctx context.Context, s *Service, op string, fn func(*db.Tx) (T, error)) (T, error) {
	return within(ctx, s.DB.Update, op, fn)
}

type door func(context.Context, func(*db.Tx) error) error

func within[T any](ctx context.Context, open door, op string, fn func(*db.Tx) (T, error)) (T, error) {
	var out, none T
	err := open(ctx, func(tx *db.Tx) (err error) {
		out, err = fn(tx)
		return err
	})
	if err != nil {
		return none, fmt.Errorf("governance: %s: %w", op, err)
	}
	return out, nil
}

func (s *Service) now() int64 { return s.Clock().UnixMilli() }
