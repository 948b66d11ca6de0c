// Package feed is what the portal shows of the decisions about a member's data:
// which of them, and as a table for a spreadsheet.
//
// It is an annex of the portal, whose pages show the decisions themselves.
//
// # What it guarantees
//
// An address that was made of a choice leads to that choice again. What others
// wrote, such as the title of a request, is never a formula in the table.
//
// # What it refuses
//
// To decide who may see what: it is handed the decisions of one member.
package feed

import (
	"bytes"
	"encoding/csv"
	"net/url"
	"strings"
	"time"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace"
)

// Use is a decision about a member's data with what was asked.
type Use struct {
	consent.Decision
	Ask  marketplace.Asking
	Pool string // its title
}

// Chosen is which decisions somebody wants to see, from a place on.
type Chosen struct{ Dataset, Outcome, Before string }

// Read takes the choice from an address.
func Read(q url.Values) Chosen { return Chosen{q.Get("dataset"), q.Get("outcome"), q.Get("before")} }

// Seen is the choice as package consent takes it.
func (c Chosen) Seen() consent.Seen {
	return consent.Seen{Dataset: coop.DatasetID(c.Dataset), Outcome: c.Outcome}
}

// Some reports whether anything is left out.
func (c Chosen) Some() bool { return c.Dataset != "" || c.Outcome != "" }

// Query is the end of an address that leads to the same choice, from a place on.
func (c Chosen) Query(before string) string {
	q := url.Values{}
	for name, value := range map[string]string{"dataset": c.Dataset, "outcome": c.Outcome, "before": before} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

// Table writes decisions as comma-separated values, with a line of names first.
func Table(uses []Use) []byte {
	var text bytes.Buffer
	out := csv.NewWriter(&text) // into memory, which does not fail
	_ = out.Write([]string{"time", "outcome", "stage", "pool", "dataset", "researcher", "kind", "country", "title", "purpose", "reasons", "obligations", "revision", "decision"})
	for _, u := range uses {
		_ = out.Write(u.row())
	}
	out.Flush()
	return text.Bytes()
}

func (u Use) row() []string {
	reasons, duties := make([]string, 0, len(u.Reasons)), make([]string, 0, len(u.Obligations))
	for _, r := range u.Reasons {
		reasons = append(reasons, r.Sentence)
	}
	for _, o := range u.Obligations {
		duties = append(duties, o.Sentence)
	}
	outcome := map[bool]string{true: consent.OutcomeAllowed, false: consent.OutcomeRefused}[u.Allow]
	cells := []string{time.UnixMilli(u.At).UTC().Format(time.RFC3339), outcome, u.Stage, string(u.Decision.Pool), string(u.Dataset),
		u.Ask.Who.Name, u.Ask.Who.Kind, u.Ask.Who.Region, u.Ask.Title, u.Purpose.Plain(), strings.Join(reasons, " "), strings.Join(duties, " "),
		u.Revision, string(u.ID)}
	for i, c := range cells {
		cells[i] = inert(c)
	}
	return cells
}

// inert keeps a spreadsheet from reading a text that others wrote as a formula.
func inert(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}
