// Package outcome is the notice board of the market: what came of the use of
// members' data, in the researchers' words, and what they still owe.
//
// # What is owed
//
// Every request of which a file was fetched owes the deletion of its copies once
// they have been kept as long as it asked for, counted from the last file's first
// fetch ([Duty.Ends]). A request that promised results, published (DUO code PUB)
// or returned (RTN), or that was granted on a condition that asks for them, also
// owes a report by then. What is not done [Grace] later is overdue, and a
// researcher with anything overdue asks for nothing new ([Board.Clear]).
//
//	owed ── copies' time is over ── due ── Grace ── overdue
//	  └──────────── a report ────────┴───────────────┴── done
//
// # What it guarantees
//
// A report is plain text in the researcher's own words and at most one https
// address, read by everybody in the catalogue of the pool and by each member on
// the page of a dataset that was fetched for it. A newer report of a request takes
// the place of the older one, which stays on record. A steward of vetting can hide
// an abusive one with a reason; everybody reads the reason, the log keeps who it
// was, and the report is owed again.
//
// # What it refuses
//
// A report about somebody else's request, or about one of which nothing was
// fetched; text with control characters or without words; an address that is not
// https, has a user name in it or is longer than [MaxLink]. No file can be
// attached: what is published has a place of its own, which the address names.
package outcome

import (
	"context"
	"embed"
	"net/url"
	"strings"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/marketplace/desk"
)

//go:embed schema/*.sql
var schema embed.FS

const (
	// Grace is how long after the copies' time a duty may still be done.
	Grace = 30 * 24 * time.Hour
	// MinSummary is the fewest characters of a report.
	MinSummary = 40
	// MaxSummary is the most.
	MaxSummary = 4000
	// MaxLink bounds the address of a publication.
	MaxLink = 300

	maxReason = 1000

	kindOverdue = "outcome.overdue"
)

// Faults of this board. Their codes are part of the API.
var (
	ErrSummary = fault.New(fault.Invalid, "report-summary", "Say in plain words what you found: 40 to 4000 characters.")
	ErrLink    = fault.New(fault.Invalid, "report-link", "The address of a publication begins with https:// and has at most 300 characters.")
	ErrEmpty   = fault.New(fault.Invalid, "report-empty", "Say what came of it, or that the copies are deleted.")
	ErrNothing = fault.New(fault.Conflict, "report-nothing-fetched", "Nothing was fetched for this request yet, so there is nothing to report.")
	ErrOverdue = fault.New(fault.Conflict, "report-overdue", "You owe the members word of an earlier request. Report on it first; then you can ask for more.")
	ErrReason  = fault.New(fault.Invalid, "report-reason", "Say in at most 1000 characters why the report is hidden.")
	ErrHidden  = fault.New(fault.Conflict, "report-hidden", "This report is hidden already.")
)

// The states of a duty.
const (
	None    = "none"    // not owed
	Owed    = "owed"    // later
	Due     = "due"     // now
	Overdue = "overdue" // nothing new can be asked for
	Done    = "done"
)

// Draft is what a researcher says of a request. Summary and Link may be empty if
// all that is said is that the copies are deleted.
type Draft struct {
	Summary string
	Link    string
	Deleted bool // every copy of what was fetched is deleted
}

// Report is what came of a request. Of a hidden one neither summary nor link is
// told.
type Report struct {
	ID           string
	Request      coop.RequestID
	Researcher   coop.ResearcherID
	Who          string // the researcher's name
	Pool         coop.PoolID
	Title        string // what the data were wanted for
	Summary      string
	Link         string // https, or ""
	At           int64
	HiddenAt     int64
	HiddenReason string
}

// Hidden reports whether a steward has hidden it.
func (r Report) Hidden() bool { return r.HiddenAt > 0 }

// veiled is the report as it is told.
func (r Report) veiled() Report {
	if r.Hidden() {
		r.Summary, r.Link = "", ""
	}
	return r
}

// Duty is what a request owes the members.
type Duty struct {
	Request    coop.RequestID
	Researcher coop.ResearcherID
	Who        string
	Pool       coop.PoolID
	Title      string
	Ends       int64 // when the copies' time is over; 0 while nothing was fetched
	Report     string
	Deletion   string
	DeletedAt  int64   // when the researcher said that the copies are deleted; 0 before
	Published  *Report // nil without one
}

// OverdueAt is when what is still owed becomes overdue.
func (d Duty) OverdueAt() int64 { return d.Ends + Grace.Milliseconds() }

// Overdue reports whether anything is.
func (d Duty) Overdue() bool { return d.Report == Overdue || d.Deletion == Overdue }

// Owes reports whether anything is to be done now.
func (d Duty) Owes() bool { return d.Overdue() || d.Report == Due || d.Deletion == Due }

// Board is the notice board. It is safe for concurrent use.
type Board struct{ desk *desk.Desk }

// Migrate makes the board's tables.
func Migrate(ctx context.Context, d *db.DB) error { return d.Migrate(ctx, "outcome", schema) }

// New stands on tables that are there and registers the board's job.
func New(d *desk.Desk) *Board {
	b := &Board{d}
	d.Jobs.Handle(kindOverdue, b.look)
	return b
}

// check makes a draft what is stored, or says what is wrong with it.
func (d Draft) check() (Draft, error) {
	d.Summary, d.Link = strings.TrimSpace(strings.ReplaceAll(d.Summary, "\r\n", "\n")), strings.TrimSpace(d.Link)
	switch {
	case d.Summary == "" && d.Link == "" && !d.Deleted:
		return d, ErrEmpty
	case (d.Summary != "" || d.Link != "") && !coop.Prose(d.Summary, MinSummary, MaxSummary):
		return d, ErrSummary
	case d.Link != "" && !validLink(d.Link):
		return d, ErrLink
	}
	return d, nil
}

// validLink accepts an https address of a host with a dot in its name, without
// anything that could make it look like another.
func validLink(text string) bool {
	if !coop.Line(text, 1, MaxLink) || strings.ContainsAny(text, " \\<>\"'`{}|^") {
		return false
	}
	u, err := url.Parse(text)
	return err == nil && u.Scheme == "https" && u.User == nil && u.Opaque == "" && plainHost(u.Hostname())
}

func plainHost(host string) bool {
	foreign := func(r rune) bool {
		return r != '.' && r != '-' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	}
	return strings.Contains(strings.Trim(host, "."), ".") && !strings.ContainsFunc(host, foreign)
}

// states says how the duties of a request stand.
func (d *Duty) states(owes bool, lastFetch, now int64) {
	d.Report, d.Deletion = None, None
	if d.Ends == 0 {
		return
	}
	at := Owed
	switch {
	case now >= d.OverdueAt():
		at = Overdue
	case now >= d.Ends:
		at = Due
	}
	d.Deletion = at
	if d.DeletedAt >= lastFetch && d.DeletedAt > 0 {
		d.Deletion = Done
	}
	switch {
	case d.Published != nil && !d.Published.Hidden():
		d.Report = Done
	case owes:
		d.Report = at
	}
}
