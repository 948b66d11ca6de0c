// Package coop holds the words the whole house shares: ids, time, money,
// purposes, offices and the charter that sets a co-op up.
//
// It guarantees that an id is a lower-case UUIDv7 and nothing else, that money
// is an integer of minor units, and that a charter that parsed is consistent.
// It refuses to do anything: no database, no network, no clock of its own.
package coop

import (
	"regexp"
	"time"

	"github.com/google/uuid"
)

// Typed ids. Each is a UUIDv7 as text, unless it says otherwise.

type (
	// MemberID names a member.
	MemberID string
	// ResearcherID names a vetted researcher.
	ResearcherID string
	// DatasetID names one encrypted upload.
	DatasetID string
	// UploadID names an upload on its way in.
	UploadID string
	// RequestID names an access request.
	RequestID string
	// RecipientID names a researcher's age recipient.
	RecipientID string
	// FileID names a granted dataset within one request.
	FileID string
	// InvoiceID names an invoice.
	InvoiceID string
	// DecisionID names a recorded decision.
	DecisionID string
	// ProposalID names a proposal.
	ProposalID string
	// ContributionID names work done for the co-op.
	ContributionID string
	// PoolID names a pool; it is a slug.
	PoolID string
	// PeriodID names a period; it is a P and four digits, in order of closing.
	PeriodID string
)

var slugPattern = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

// What a byte of an id may be, and which of it each place of an id asks for: a
// UUIDv7 (RFC 9562, 5.7) in lower case.
const (
	anyDigit = 1 << iota
	versionDigit
	variantDigit
	hyphen
)

var idBytes, idPlaces = func() (bytes [256]byte, places [36]byte) {
	for _, c := range "0123456789abcdef" {
		bytes[c] |= anyDigit
	}
	for _, c := range "89ab" {
		bytes[c] |= variantDigit
	}
	bytes['7'] |= versionDigit
	bytes['-'] |= hyphen
	for i, c := range "xxxxxxxx-xxxx-7xxx-vxxx-xxxxxxxxxxxx" {
		places[i] = map[rune]byte{'x': anyDigit, '7': versionDigit, 'v': variantDigit, '-': hyphen}[c]
	}
	return bytes, places
}()

// NewID makes a UUIDv7: ids made later sort later. The time in it is the
// machine's, not the injected clock's; domain times are columns of their own.
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

// ValidID reports whether s is a UUIDv7 in canonical lower-case form. Every id
// that arrives from outside is checked with it before it is used. It uses no
// pattern because settlements and journals ask it of millions.
func ValidID[T ~string](s T) bool {
	if len(s) != len(idPlaces) {
		return false
	}
	for i, want := range idPlaces {
		if idBytes[s[i]]&want == 0 {
			return false
		}
	}
	return true
}

// ValidSlug reports whether s is a pool id: a letter, then at most 31 letters,
// digits or hyphens.
func ValidSlug[T ~string](s T) bool { return slugPattern.MatchString(string(s)) }

// Clock tells the time that domain rules go by. Tests and the demo inject
// their own; sessions and tokens use the machine's.
type Clock func() time.Time

// SystemClock is the machine's clock in UTC.
func SystemClock() time.Time { return time.Now().UTC() }

// Forever is the sentinel for "no end" in columns that are NOT NULL: the last
// second of the year 9999, in Unix milliseconds.
const Forever int64 = 253402300799000

// Office is a duty a steward is elected to.
type Office string

// The offices. Money needs two different people of the treasury.
const (
	Vetting  Office = "vetting"
	Treasury Office = "treasury"
	Appeals  Office = "appeals"
)

// Offices lists every office there is.
func Offices() []Office { return []Office{Vetting, Treasury, Appeals} }
