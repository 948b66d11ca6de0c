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
	"distributed.ai/datacoop/marketplace/accrual"
	"distributed.ai/datacoop/marketplace/adoption"
	"distributed.ai/datacoop/marketplace/alarm"
	"distributed.ai/datacoop/marketplace/appeals"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/calibration"
	"distributed.ai/datacoop/marketplace/closing"
	"distributed.ai/datacoop/marketplace/desk"
	"distributed.ai/datacoop/marketplace/dispute"
	"distributed.ai/datacoop/marketplace/headcount"
	"distributed.ai/datacoop/marketplace/herald"
	"distributed.ai/datacoop/marketplace/ledger"
	"distributed.ai/datacoop/marketplace/outcome"
	"distributed.ai/datacoop/marketplace/outlook"
	"distributed.ai/datacoop/marketplace/patronage"
	"distributed.ai/datacoop/marketplace/related"
	"distributed.ai/datacoop/marketplace/review"
	"distributed.ai/datacoop/marketplace/shadow"
	"distributed.ai/datacoop/marketplace/split"
	"distributed.ai/datacoop/marketplace/treasury"
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
	Judges     shadow.Maker       // sets up the judges of candidates; nil: none but learned weights can be tried
	Logger     *slog.Logger       // nil: slog.Default()
}

// Service is the market. It is safe for concurrent use. What it says about
// invoices, payments and accounts, the counter of the treasury says.
type Service struct {
	Config
	*treasury.Till
	*appeals.Docket
	*adoption.Booth
	*dispute.Counter
	*patronage.Register
	*alarm.Alarm
	*outcome.Board
	*calibration.Gauge
	*shadow.Workshop
	*split.Poll
	*related.Circle
	desk   *desk.Desk
	heads  headcount.Counter
	herald *herald.Herald
}

// The counters of the market speak of these; see their packages.
type (
	// Invoice is what a researcher owes.
	Invoice = treasury.Invoice
	// Import is what a bank statement settled.
	Import = treasury.Import
	// Payout is one member's payment of a period.
	Payout = treasury.Payout
	// PayoutAccount is where a member's money goes.
	PayoutAccount = treasury.PayoutAccount
	// Note is what a researcher gets back.
	Note = treasury.Note
	// AccountLine is one movement of what a member is owed.
	AccountLine = treasury.Line
	// Dispute is what a researcher says of a file.
	Dispute = dispute.Case
	// Report is what came of a request.
	Report = outcome.Report
	// ReportDraft is what is said of it.
	ReportDraft = outcome.Draft
	// ReportDuty is what a request owes the members.
	ReportDuty = outcome.Duty
	// Incident is one stop of all deliveries.
	Incident = alarm.Incident
	// SpotCheck is a pair that a member is asked about.
	SpotCheck = calibration.Duty
	// Calibration is a period's set of them.
	Calibration = calibration.View
	// CandidateView is a candidate for judging, as members see it.
	CandidateView = shadow.View
	// Candidate is a judge, a rubric or a prompt that may come into force.
	Candidate = shadow.Candidate
	// CandidateEntry is what a steward enters.
	CandidateEntry = shadow.Entry
	// PatronageCredit is what one settlement added to a member's patronage.
	PatronageCredit = patronage.Credit
	// SplitView is how the members' part is divided.
	SplitView = split.View
	// SplitCut is one division of it.
	SplitCut = split.Cut
)

// The states of a dispute, and what units of patronage are.
const (
	DisputeOpened    = dispute.Opened
	DisputeInReview  = dispute.InReview
	DisputeUpheld    = dispute.Upheld
	DisputeDismissed = dispute.Dismissed
	PatronageText    = patronage.Text
)

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
	if err := errors.Join(review.Migrate(ctx, c.DB), treasury.Migrate(ctx, c.DB), accrual.Migrate(ctx, c.DB), outlook.Migrate(ctx, c.DB), outcome.Migrate(ctx, c.DB), split.Migrate(ctx, c.DB), closing.Migrate(ctx, c.DB)); err != nil {
		return nil, fmt.Errorf("marketplace: migrate: %w", err)
	}
	s := &Service{Config: c, desk: &desk.Desk{DB: c.DB, Governance: c.Governance, Ledger: c.Ledger, Log: c.Log, Jobs: c.Jobs, Clock: c.Clock, Charter: c.Charter}}
	s.Till, s.Register, s.Board, s.herald = treasury.New(s.desk, s.openPaid), patronage.New(s.desk), outcome.New(s.desk), herald.New(s.desk, c.Consent)
	s.Alarm, s.Poll, s.Circle = alarm.New(s.desk, c.Consent), split.New(s.desk), related.New(s.desk)
	var err error
	if s.Counter, err = dispute.New(ctx, s.desk, s.Till, s.amend); err != nil {
		return nil, err
	}
	if s.Booth, err = adoption.New(ctx, s.desk, c.Jobs, adoption.Statements, ballots{s}); err != nil {
		return nil, err
	}
	if s.Docket, err = appeals.New(ctx, s.desk, c.Jobs, hearings{s}); err != nil {
		return nil, err
	}
	if s.Gauge, err = calibration.New(ctx, s.desk, c.Jobs, hearings{s}); err != nil {
		return nil, err
	}
	if s.Workshop, err = shadow.New(ctx, s.desk, c.Jobs, s.Gauge, hearings{s}, c.Judges); err != nil {
		return nil, err
	}
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
	case c.DB == nil || c.Consent == nil || c.Vault == nil || c.Governance == nil || c.Ledger == nil, c.Log == nil || c.Jobs == nil || c.Clock == nil:
		return errors.New("marketplace: incomplete configuration")
	case len(c.Key) != ed25519.PrivateKeySize:
		return errors.New("marketplace: the co-op's key is not an Ed25519 private key")
	}
	return nil
}

func (s *Service) now() int64 { return s.Clock().UnixMilli() }

// read runs fn in a snapshot.
func read[T any](ctx context.Context, s *Service, fn func(*db.Tx) (T, error)) (out T, err error) {
	return desk.Read(ctx, s.DB, fn)
}

// write runs fn in a transaction, once for each idempotency key.
func write[T any](ctx context.Context, s *Service, fn func(*db.Tx) (T, error)) (T, error) {
	return desk.Write(ctx, s.DB, fn)
}

// duty is write for somebody who holds the office in that very transaction,
// and ErrOffice for anybody else.
func duty[T any](ctx context.Context, s *Service, steward coop.MemberID, office coop.Office, fn func(*db.Tx) (T, error)) (T, error) {
	return desk.Duty(ctx, s.desk, steward, office, fn)
}

// needs refuses unless member holds the office.
func (s *Service) needs(ctx context.Context, member coop.MemberID, office coop.Office) error {
	return s.desk.Needs(ctx, member, office)
}

// log notes an event in the transaction that causes it.
func (s *Service) log(tx *db.Tx, kind, verdict string, record map[string]any) error {
	return s.desk.Note(tx, kind, verdict, record)
}

func (s *Service) post(tx *db.Tx, kind, ref string, transfers ...ledger.Transfer) error {
	return s.desk.Post(tx, kind, ref, transfers...)
}

// Faults of this room. Their codes are part of the API.
var (
	ErrOffice          = desk.ErrOffice
	ErrNotFound        = desk.ErrNotFound
	ErrUnknownPool     = fault.New(fault.Invalid, "unknown-pool", "The co-op has no pool of that name.")
	ErrPurpose         = fault.New(fault.Invalid, "unknown-purpose", "Name a DUO code and a DPV purpose from the published lists.")
	ErrRetention       = fault.New(fault.Invalid, "bad-retention", "Say for how many days copies are kept: between 1 and 3650.")
	ErrTitle           = fault.New(fault.Invalid, "title-missing", "Say in one sentence of at most 200 characters what the data are wanted for; members read it.")
	ErrRequester       = fault.New(fault.Invalid, "bad-researcher", "A researcher needs a name, a known kind of organisation and a two-letter region.")
	ErrRecipientKind   = fault.New(fault.Invalid, "recipient-not-allowed", "The charter does not allow this kind of recipient; use a post-quantum one (age1pq1…).")
	ErrNotProven       = fault.New(fault.Conflict, "recipient-not-proven", "Prove first that you hold the identity of this recipient.")
	ErrBadProof        = fault.New(fault.Invalid, "proof-wrong", "That is not the nonce the challenge holds.")
	ErrState           = desk.ErrState
	ErrNothingGranted  = fault.New(fault.Conflict, "nothing-granted", "Nothing was granted, so there is nothing to accept.")
	ErrExpired         = fault.New(fault.Gone, "request-expired", "The time for fetching has run out.")
	ErrNotPaid         = fault.New(fault.Conflict, "not-paid", "Files can be fetched once the invoice is paid.")
	ErrRefused         = fault.New(fault.Forbidden, "access-refused", "The policy refuses this access now.")
	ErrOtherRecipient  = fault.New(fault.Conflict, "approval-recipient", "The request is for another recipient than the one you wrapped to; look at it again.")
	ErrShredded        = fault.New(fault.Gone, "dataset-revoked", "The member has revoked this dataset; its key is destroyed.")
	ErrChallengeOpen   = fault.New(fault.Conflict, "challenge-open", "Members can still contest this statement.")
	ErrChallengeClosed = appeals.ErrChallengeClosed
	ErrAppealOpen      = appeals.ErrAppealOpen
	ErrAppealText      = appeals.ErrAppealText
	ErrAppealTwice     = appeals.ErrAppealTwice
	ErrOwnAppeal       = appeals.ErrOwnAppeal
	ErrReleasedTwice   = fault.New(fault.Conflict, "second-person-needed", "You have released this already; money needs a second person.")
	ErrNothingToPay    = treasury.ErrNothingToPay
	ErrIBAN            = treasury.ErrIBAN
	ErrHolder          = treasury.ErrHolder
	ErrNoAccount       = treasury.ErrNoAccount
)
