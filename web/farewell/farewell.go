// Package farewell closes accounts: it takes a member out of every room, one
// step after the other, and lets none of them be forgotten.
//
// # What it is for
//
// [Service.Begin] writes down that a member leaves and signs them out of every
// browser and program, in one transaction; then sharing is paused, every dataset
// revoked, every consent withdrawn, the way in forgotten, and the membership
// closed. What was owed stays owed: it is paid out, or given to the common
// purpose, and only then the number of their bank account goes.
//
// # What it guarantees
//
// Every step can be repeated, and a job repeats them until the last is done, so
// that a process that is killed half-way leaves nobody half-way: the next one goes
// on as soon as it starts. Who leaves gets a code when it has begun; whoever has it reads how far the closing is, and the
// signed receipt when it has ended. The code is drawn at random, by the house or
// by the member's program, so that it is not lost with an answer that is; it is
// told once and kept as a digest. Whoever has it may name an account for what is owed where
// none is known or money came back, and never in place of one that is good.
//
// # What it refuses
//
// To begin where money is owed and nobody said what becomes of it; to let the
// last holder of an office go without saying so, which the log then tells
// everybody. It undoes nothing: a closed account stays closed, and the same
// person joins anew, as anybody would.
package farewell

import (
	"context"
	"crypto/ed25519"
	"embed"
	"fmt"
	"log/slog"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/internal/jobs"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/vault"
)

//go:embed schema/*.sql
var schema embed.FS

// Faults of this desk. Their codes are part of the API.
var (
	ErrOwed    = fault.New(fault.Conflict, "closing-owed", "The co-op owes you money. Say whether it is paid to your account or given to the common purpose.")
	ErrAccount = fault.New(fault.Conflict, "closing-no-account", "The co-op owes you money and knows no account of yours. Name one first, or give the money to the common purpose.")
	ErrOffice  = fault.New(fault.Conflict, "closing-office", "Nobody else holds your office. Ask the members to elect somebody first, or say that you leave it vacant: everybody will read that in the log.")
	ErrChoice  = fault.New(fault.Invalid, "closing-choice", "What is owed is either paid or given.")
	ErrNamed   = fault.New(fault.Conflict, "closing-account-known", "What is owed goes to the account that was named before. Nothing was changed.")
	ErrUnknown = fault.New(fault.NotFound, "not-found", "There is no such closing here.")
	ErrClosing = fault.New(fault.Conflict, "account-closing", "This account is being closed. The page whose address you were given says how far it is.")
)

// What becomes of money that is owed.
const (
	Pay  = "pay"  // to the account that the member named
	Give = "give" // to the common purpose
)

// Why an account is closed.
const (
	Asked    = "asked"    // by the member
	Bereaved = "bereaved" // its member has died
)

// Forget removes, in the caller's transaction, what somebody keeps of a member
// under their id. It must not mind being called again.
type Forget func(tx *db.Tx, m coop.MemberID) error

// Config is what the desk stands on. All of it is needed.
type Config struct {
	DB         *db.DB
	Clock      coop.Clock
	Charter    coop.Charter
	Consent    *consent.Service
	Vault      *vault.Service
	Governance *governance.Service
	Market     *marketplace.Service
	Log        *audit.Log
	Jobs       *jobs.Queue
	Key        ed25519.PrivateKey // signs receipts
	Logger     *slog.Logger

	// Bars refuses, in the transaction that would begin it, a closing that the
	// member asks for themselves.
	Bars func(tx *db.Tx, m coop.MemberID) error

	// SignOut ends sessions and tokens; Ways forgets how a member of an
	// identity signs in; Hall lists what else the hall keeps of a member.
	SignOut Forget
	Ways    func(tx *db.Tx, m coop.MemberID, issuer, subject string) error
	Hall    []Forget
}

// Service is the desk. It is safe for concurrent use.
type Service struct{ Config }

// New makes the desk's table and registers its jobs. Closings that a process left
// when it ended go on as soon as the queue runs.
func New(ctx context.Context, c Config) (*Service, error) {
	if err := c.DB.Migrate(ctx, "farewell", schema); err != nil {
		return nil, fmt.Errorf("farewell: migrate: %w", err)
	}
	s := &Service{c}
	c.Jobs.Handle(kindClose, s.closeJob)
	c.Jobs.Handle(kindMoney, s.moneyJob)
	if err := c.DB.Update(ctx, s.resume); err != nil {
		return nil, fmt.Errorf("farewell: resume: %w", err)
	}
	return s, nil
}

// resume has every closing gone on with that has not ended, without waiting for
// the job that looks after it anyhow, which may still be leased to who is gone.
func (s *Service) resume(tx *db.Tx) error {
	left, err := unended(tx)
	for _, id := range left {
		if err == nil {
			err = s.Jobs.Enqueue(tx, kindClose, id+"/"+coop.NewID(), id, s.Clock())
		}
	}
	return err
}

func (s *Service) now() int64 { return s.Clock().UnixMilli() }
