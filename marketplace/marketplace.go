// Package marketplace is where researchers meet members' data, and where money
// comes back: the catalogue of pools, access requests, deliveries, invoices,
// periods and payouts.
//
// # How money flows
//
//	accept    the researcher owes the price      receivable → prepaid
//	import    the bank says that it was paid     receivable → bank
//	deliver   a file is fetched for the first time  prepaid → income
//	settle    the period's shares are posted     income → members, reserve, …
//	release   two treasurers order the payout    members → payout
//	import    the bank says that it was paid out    payout → bank
//	expire    what was never fetched             prepaid → credit
//
// A file whose member keeps the only key is fetched once that member has
// approved ([Service.Approve]), which takes a decision like a delivery. Until
// then, and where they decline, it is one that was never fetched.
//
// # What it guarantees
//
// No dataset is delivered without a fresh decision in the same transaction:
// [Service.Deliver] asks consent again at that moment, and only the permit it
// gets opens the vault. A refusal takes the same path and is recorded too.
// Money moves only through the ledger, by transfers that balance; a paid
// price becomes revenue when the file is first delivered, not before, so that
// nobody's share rests on data that were never read. A period's statement can
// be contested before a cent of it is posted, and money leaves only when two
// different treasurers have released it. Calls that create or spend honour an
// idempotency key (package once).
//
// # What it tells whom
//
// Researchers see counts, never members or dataset ids. A count of fewer
// members than the pool's minimum group is not told, and neither is one whose
// complement is that small; why few were refused is told without saying how
// few. What is granted is counted exactly, because each file is paid for.
// Members see their own lines; of others a statement shows pseudonyms that
// change with each period.
//
// # What it refuses
//
// Releasing a group of members smaller than the pool's minimum; delivering to
// a recipient whose identity nobody has proven to hold; settling while an
// appeal is open; paying twice for one reference; a bank statement of which it
// does not understand every part that counts.
package marketplace

import (
	"context"
	"crypto/ed25519"
	"embed"
	"errors"
	"fmt"
	"log/slog"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/internal/jobs"
	"distributed.ai/datacoop/internal/once"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/ledger"
	"distributed.ai/datacoop/marketplace/review"
	"distributed.ai/datacoop/vault"
)

//go:embed schema/*.sql
var schema embed.FS

// Config wires the room to the floors below it.
type Config struct {
	DB         *db.DB
	Consent    *consent.Service
	Vault      *vault.Service
	Governance *governance.Service
	Ledger     *ledger.Service
	Log        *audit.Log
	Jobs       *jobs.Queue
	Clock      coop.Clock
	Charter    coop.Charter
	Key        ed25519.PrivateKey // the co-op's; periods' pseudonyms are derived from it
	Judge      appraisal.Judge    // weighs contributions; nil: the baseline pays
	Logger     *slog.Logger       // nil: slog.Default()
}

// Service is the market. It is safe for concurrent use.
type Service struct{ Config }

// New migrates the room's tables, opens the first period if there is none and
// registers its job; call it before the queue runs.
func New(ctx context.Context, c Config) (*Service, error) {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	if err := c.DB.Migrate(ctx, "marketplace", schema); err != nil {
		return nil, fmt.Errorf("marketplace: migrate: %w", err)
	}
	if err := review.Migrate(ctx, c.DB); err != nil {
		return nil, fmt.Errorf("marketplace: migrate: %w", err)
	}
	s := &Service{Config: c}
	if err := c.DB.Update(ctx, s.openFirstPeriod); err != nil {
		return nil, fmt.Errorf("marketplace: first period: %w", err)
	}
	c.Jobs.Handle(kindExpire, s.expire)
	c.Jobs.Handle(kindConclude, s.concludeJob)
	c.Jobs.Handle(kindAppraise, s.appraise)
	return s, nil
}

func (c Config) check() error {
	switch {
	case c.DB == nil || c.Consent == nil || c.Vault == nil || c.Governance == nil || c.Ledger == nil,
		c.Log == nil || c.Jobs == nil || c.Clock == nil:
		return errors.New("marketplace: incomplete configuration")
	case len(c.Key) != ed25519.PrivateKeySize:
		return errors.New("marketplace: the co-op's key is not an Ed25519 private key")
	}
	return nil
}

func (s *Service) now() int64 { return s.Clock().UnixMilli() }

// read runs fn in a snapshot.
func read[T any](ctx context.Context, s *Service, fn func(*db.Tx) (T, error)) (out T, err error) {
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		out, err = fn(tx)
		return err
	})
	return out, err
}

// write runs fn in a transaction, once for each idempotency key.
func write[T any](ctx context.Context, s *Service, fn func(*db.Tx) (T, error)) (T, error) {
	var out, none T
	err := s.DB.Update(ctx, func(tx *db.Tx) (err error) {
		out, err = once.Do(tx, func() (T, error) { return fn(tx) })
		return err
	})
	if err != nil {
		return none, err
	}
	return out, nil
}

// duty is write for somebody who holds the office in that very transaction,
// and ErrOffice for anybody else.
func duty[T any](ctx context.Context, s *Service, steward coop.MemberID, office coop.Office, fn func(*db.Tx) (T, error)) (T, error) {
	return write(ctx, s, func(tx *db.Tx) (T, error) {
		if err := s.needs(tx.Context(), steward, office); err != nil {
			var none T
			return none, err
		}
		return fn(tx)
	})
}

// needs refuses unless member holds the office.
func (s *Service) needs(ctx context.Context, member coop.MemberID, office coop.Office) error {
	ok, err := s.Governance.Holds(ctx, member, office)
	if err != nil {
		return fmt.Errorf("marketplace: office: %w", err)
	}
	if !ok {
		return ErrOffice
	}
	return nil
}

// log notes an event in the transaction that causes it.
func (s *Service) log(tx *db.Tx, kind, verdict string, record map[string]any) error {
	if _, err := s.Log.Append(tx, audit.Event{Kind: kind, Verdict: verdict, Record: record}); err != nil {
		return fmt.Errorf("marketplace: log: %w", err)
	}
	return nil
}

// Faults of this room. Their codes are part of the API.
var (
	ErrOffice          = fault.New(fault.Forbidden, "office-needed", "This needs an office you do not hold.")
	ErrNotFound        = fault.New(fault.NotFound, "not-found", "There is no such thing here.")
	ErrUnknownPool     = fault.New(fault.Invalid, "unknown-pool", "The co-op has no pool of that name.")
	ErrPurpose         = fault.New(fault.Invalid, "unknown-purpose", "Name a DUO code and a DPV purpose from the published lists.")
	ErrRetention       = fault.New(fault.Invalid, "bad-retention", "Say for how many days copies are kept: between 1 and 3650.")
	ErrTitle           = fault.New(fault.Invalid, "title-missing", "Say in one sentence of at most 200 characters what the data are wanted for; members read it.")
	ErrRequester       = fault.New(fault.Invalid, "bad-researcher", "A researcher needs a name, a known kind of organisation and a two-letter region.")
	ErrRecipientKind   = fault.New(fault.Invalid, "recipient-not-allowed", "The charter does not allow this kind of recipient; use a post-quantum one (age1pq1…).")
	ErrNotProven       = fault.New(fault.Conflict, "recipient-not-proven", "Prove first that you hold the identity of this recipient.")
	ErrBadProof        = fault.New(fault.Invalid, "proof-wrong", "That is not the nonce the challenge holds.")
	ErrState           = fault.New(fault.Conflict, "wrong-state", "This is in a state that does not allow that step.")
	ErrNothingGranted  = fault.New(fault.Conflict, "nothing-granted", "Nothing was granted, so there is nothing to accept.")
	ErrExpired         = fault.New(fault.Gone, "request-expired", "The time for fetching has run out.")
	ErrNotPaid         = fault.New(fault.Conflict, "not-paid", "Files can be fetched once the invoice is paid.")
	ErrRefused         = fault.New(fault.Forbidden, "access-refused", "The policy refuses this access now.")
	ErrOtherRecipient  = fault.New(fault.Conflict, "approval-recipient", "The request is for another recipient than the one you wrapped to; look at it again.")
	ErrShredded        = fault.New(fault.Gone, "dataset-revoked", "The member has revoked this dataset; its key is destroyed.")
	ErrChallengeOpen   = fault.New(fault.Conflict, "challenge-open", "Members can still contest this statement.")
	ErrChallengeClosed = fault.New(fault.Conflict, "challenge-closed", "The time for contesting this statement is over.")
	ErrAppealOpen      = fault.New(fault.Conflict, "appeal-open", "An appeal against this statement is not decided yet.")
	ErrAppealText      = fault.New(fault.Invalid, "appeal-empty", "Say what is wrong with the statement.")
	ErrAppealTwice     = fault.New(fault.Conflict, "appeal-twice", "You have contested this statement already.")
	ErrOwnAppeal       = fault.New(fault.Forbidden, "own-appeal", "Nobody decides their own appeal.")
	ErrReleasedTwice   = fault.New(fault.Conflict, "second-person-needed", "You have released this already; money needs a second person.")
	ErrNothingToPay    = fault.New(fault.Conflict, "nothing-to-pay", "No balance of this period can be paid out.")
	ErrIBAN            = fault.New(fault.Invalid, "bad-iban", "That is not a valid IBAN.")
	ErrHolder          = fault.New(fault.Invalid, "bad-holder", "Name the account holder as the bank does, in Latin letters and at most 70 characters.")
	ErrNoAccount       = fault.New(fault.Conflict, "no-account", "The charter names no valid account of the co-op's to pay from.")
)
