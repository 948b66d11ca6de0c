// Package inbox tells members what concerns them: in the portal always, and by
// e-mail those who want it.
//
// # How something is told
//
// A room hands a [coop.Notice] to the queue in the transaction that causes it
// (jobs.Queue.Tell). The job puts it before its members, before the stewards of an
// office, or before everybody; what is for many is kept once. Each member reads it
// until [Keep] later, and marks it as read for themselves alone.
//
// # What goes by e-mail
//
// Nothing but counts: so many new messages about votes, so many about money, and
// the address of the portal. Neither who somebody is nor what a message says
// leaves the house. A letter goes to an address that was confirmed by a link sent
// to it, good once and for a day; daily or weekly, as the member chose. Every
// letter calls further ones off with one click, and then the address is forgotten.
//
// # What it guarantees
//
// What was told is told once, however often the job runs. A member reads what is
// for them, for an office they hold now, or for everybody since they joined. If the
// mail server is away the letter is tried again for some hours and then left to the
// next one, which counts what the lost one would have: nothing is lost, because the
// messages themselves are in the portal. Addresses are in a table of their own and
// in no log.
//
// # What it refuses
//
// An address that mail servers do not take; more than a few letters of
// confirmation in a day, so that nobody is bothered through us; a link that is not
// ours, has been used, or is too old.
package inbox

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	netmail "net/mail"
	"slices"
	"time"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/governance/inbox/mail"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/jobs"
)

//go:embed schema/*.sql
var schema embed.FS

// Keep is how long a message stays.
const Keep = 400 * 24 * time.Hour

// Config wires the inbox.
type Config struct {
	DB         *db.DB
	Jobs       *jobs.Queue
	Governance *governance.Service
	Clock      coop.Clock
	Name       string       // the co-op's
	BaseURL    string       // of the portal, without a trailing slash
	Secret     []byte       // keys the links in letters; at least 32 bytes
	Mail       *mail.Server // nil: no e-mail
	Logger     *slog.Logger
}

// Service is the inbox of every member. It is safe for concurrent use.
type Service struct{ Config }

// New makes the tables and registers the jobs; call it before the queue runs.
func New(ctx context.Context, c Config) (*Service, error) {
	if len(c.Secret) < 32 {
		return nil, errors.New("inbox: secret: needs 32 bytes")
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if err := c.DB.Migrate(ctx, "inbox", schema); err != nil {
		return nil, fmt.Errorf("inbox: migrate: %w", err)
	}
	s := &Service{c}
	c.Jobs.Handle(coop.NoticeJob, s.post)
	c.Jobs.Handle(kindConfirm, s.sendConfirmation)
	c.Jobs.Handle(kindLapse, s.lapse)
	c.Jobs.Handle(kindRound, s.round)
	return s, nil
}

func (s *Service) now() int64 { return s.Clock().UnixMilli() }

// Mails reports whether this co-op sends e-mail.
func (s *Service) Mails() bool { return s.Mail != nil }

// Topic groups kinds of messages; members choose by topic what letters count.
type Topic string

// The topics, in the order they are shown.
const (
	Waiting  Topic = "waiting"  // something waits for the member
	Uses     Topic = "uses"     // what their data are used for
	Votes    Topic = "votes"    //
	Money    Topic = "money"    //
	Reports  Topic = "reports"  // what came of it
	Office   Topic = "office"   // what waits for a steward
	Security Topic = "security" // the account and its keys
)

// Topics lists every topic.
func Topics() []Topic { return []Topic{Waiting, Uses, Votes, Money, Reports, Office, Security} }

var topics = map[string]Topic{
	coop.NoticeApproval: Waiting, coop.NoticeQuestion: Waiting, coop.NoticePanel: Waiting, coop.NoticeSpotCheck: Waiting, coop.NoticeDisputed: Waiting,
	coop.NoticeFirstUse: Uses, coop.NoticeDisputeDecided: Uses, coop.NoticeFrozen: Uses, coop.NoticeThawed: Uses,
	coop.NoticeVoteOpened: Votes, coop.NoticeVoteClosing: Votes, coop.NoticeVoteClosed: Votes,
	coop.NoticeStatement: Money, coop.NoticeAppealDecided: Money, coop.NoticePaid: Money, coop.NoticeReturned: Money,
	coop.NoticeReport: Reports,
	coop.NoticeReview: Office, coop.NoticeOverdue: Office, coop.NoticeJudge: Office, coop.NoticeContested: Office,
	coop.NoticeSecondSteward: Office, coop.NoticeAlive: Office, coop.NoticeSecondHuman: Office, coop.NoticeNoAccount: Office,
	coop.NoticeAccount: Security, coop.NoticeRecipient: Security, coop.NoticeSigningKey: Security, coop.NoticeToken: Security,
	coop.NoticeBereaved: Security, coop.NoticeLock: Security, coop.NoticeLinked: Security, coop.NoticeUnlinked: Security, coop.NoticeRecovered: Security, coop.NoticeMailStopped: Security,
}

// urgent is what goes by letter at once, whatever the member chose: whom it is
// about may never look here by themselves.
var urgent = map[string]bool{coop.NoticeBereaved: true}

// Kinds lists what members are told about.
func Kinds() (out []string) {
	for k := range topics {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// Item is a message as one member has it.
type Item struct {
	ID    string
	Kind  string // one of coop's notices
	Ref   string // id of what it is about
	About string // its title; "" where it has none
	Until int64  // Unix ms after which it is too late to act; 0 for never
	At    int64  // Unix ms
	Read  bool
}

// Topic is what the message belongs to.
func (i Item) Topic() Topic { return topics[i.Kind] }

// Server is where letters are handed in; see package mail.
type Server = mail.Server

// Sender reads the address that letters are from, such as
// "Our co-op <post@coop.example>"; ErrAddress if it is none.
func Sender(text string) (from netmail.Address, err error) { return mail.Sender(text) }
