// Package spotcheck is the arithmetic of spot checks: which pairs of a period's
// dossiers people are asked about, and who is asked.
//
// # The draw
//
// Once a period's statement is published, the log takes a leaf that names the
// SHA-256 of the [Call]: the roll of names, made for this period's checks alone,
// and the dossiers that can be compared. A signed checkpoint of the log taken
// after that leaf is the seed. The order of names is package jury's. The lot of
// a dossier or a pair is
//
//	SHA-256("datacoop-spotcheck/1\n" ‖ origin ‖ "\n" ‖ size ‖ "\n" ‖ root ‖ "\n" ‖ leaf ‖ "\n" ‖ id)
//
// Dossiers that answer one sheet are put in the order of their lots and taken
// two by two, so that a dossier is in one pair at most and pairs say something
// independently of each other. Of the pairs, those with the lowest lots are
// asked about: a twentieth, at least twenty (learning.SpotChecks), and never so
// many that a member would be asked more than [MostEach] times on average.
//
// Pairs then take three names each, round the order of names; who has an
// interest in a pair is passed over. Who steps back or stays silent is followed
// by the next in the round.
//
// # What it guarantees
//
// Pure functions of public data: no clock, no chance, no floating point. A
// record says how many were passed over for an interest; everything else of the
// draw anybody can compute again with [Record.Recompute].
//
// # What it refuses
//
// A roll of fewer than [Seats] names, or a period without two dossiers of one
// sheet: then nobody is asked and the record says so. It cannot know whether an
// interest was real: who passed somebody over is believed, and how many were
// passed over at each pair is told.
package spotcheck

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/marketplace/appraisal/jury"
	"distributed.ai/datacoop/marketplace/appraisal/learning"
)

// Seats is how many people are asked about a pair.
const Seats = 3

// MostEach is how many pairs a member is asked about on average, at most.
const MostEach = 10

// Format names the encoding of a record.
const Format = "datacoop-spotchecks/1"

// Why a period has no spot checks.
const (
	FewMembers  = "not enough members: it takes three who are asked about each pair"
	FewDossiers = "nothing to compare: no two dossiers answer the same questions"
)

// ErrDiffers says that a record is not what its own contents give.
var ErrDiffers = fault.New(fault.Invalid, "spotchecks-differ", "The record of spot checks is not what its own contents give.")

// Subject is a dossier that can be compared with others of its sheet.
type Subject struct {
	Dossier string `json:"dossier"`
	Sheet   string `json:"sheet"`
}

// Call is what is fixed before the checkpoint that decides the draw.
type Call struct {
	BundleSHA256 string    `json:"bundle_sha256"` // of the statement whose dossiers they are
	Period       string    `json:"period"`
	Roll         []string  `json:"roll"`     // names, in ascending order
	Subjects     []Subject `json:"subjects"` // by dossier
}

// SHA256 is the digest by which the log names a call.
func (c Call) SHA256() string {
	text, err := encode(c)
	if err != nil {
		panic(err) // strings always encode
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Check is one pair that people are asked about.
type Check struct {
	First  string `json:"first"` // the smaller pseudonym
	From   int    `json:"from"`  // where in the order of names its round begins
	Passed int    `json:"passed"`
	Seats  []Seat `json:"seats"` // in the order they were asked
	Second string `json:"second"`
	Sheet  string `json:"sheet"`
}

// Seat is somebody who was asked. What they said is not in a record: half of it
// is sealed.
type Seat struct {
	Name  string `json:"name"`
	State string `json:"state"` // as in package jury
}

// Pairs puts the subjects of a call into pairs and returns those that are asked
// about, in the order of their lots, and of how many they were chosen.
func Pairs(c Call, checkpoint string, leaf int64) (asked []Check, of int, err error) {
	if _, err := jury.Draw(checkpoint, leaf, c.Roll); err != nil {
		return nil, 0, err
	}
	lines := strings.SplitN(checkpoint, "\n", 4)
	lot := func(id string) string {
		sum := sha256.Sum256(fmt.Appendf(nil, "datacoop-spotcheck/1\n%s\n%s\n%s\n%d\n%s", lines[0], lines[1], lines[2], leaf, id))
		return string(sum[:])
	}
	byLot := slices.Clone(c.Subjects)
	slices.SortFunc(byLot, func(a, b Subject) int {
		return cmp.Or(strings.Compare(a.Sheet, b.Sheet), strings.Compare(lot(a.Dossier), lot(b.Dossier)))
	})
	var all []Check
	for i := 0; i+1 < len(byLot); i++ {
		a, b := byLot[i], byLot[i+1]
		if a.Sheet != b.Sheet {
			continue
		}
		all = append(all, Check{First: min(a.Dossier, b.Dossier), Second: max(a.Dossier, b.Dossier), Sheet: a.Sheet, Seats: []Seat{}})
		i++
	}
	slices.SortFunc(all, func(a, b Check) int {
		return strings.Compare(lot(a.First+" "+a.Second), lot(b.First+" "+b.Second))
	})
	n := min(learning.SpotChecks(len(all)), len(c.Roll)*MostEach/Seats)
	if len(c.Roll) < Seats {
		n = 0
	}
	return all[:n], len(all), nil
}

// Next finds who is asked about a check now, in the order of names, and counts
// who is passed over on the way; false when the round is over. Barred are those
// with an interest in it.
func (c *Check) Next(order []string, barred func(name string) bool) (string, bool) {
	for at := len(c.Seats) + c.Passed; at < len(order); at++ {
		name := order[(c.From+at)%len(order)]
		if !barred(name) {
			return name, true
		}
		c.Passed++
	}
	return "", false
}

// Reached is where in the order the next check's round begins, when this one has
// its first [Seats] seats. A check that did not find as many moves nothing.
func (c *Check) Reached(order []string) int { return (c.From + len(c.Seats) + c.Passed) % len(order) }

// Record is everything about a period's spot checks but the answers.
type Record struct {
	Call       Call    `json:"call"`
	Checkpoint string  `json:"checkpoint"`
	Checks     []Check `json:"checks"`
	Format     string  `json:"format"`
	Leaf       int64   `json:"leaf"` // of the log, from 0: the call's digest
	Of         int     `json:"of"`   // pairs that could have been asked about
	Why        string  `json:"why"`  // nobody was asked; "" otherwise
}

// JSON is the record's only encoding.
func (r Record) JSON() ([]byte, error) { return encode(r) }

func encode(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), err
}

// Parse reads a record in its own encoding and no other.
func Parse(text []byte) (Record, error) {
	var r Record
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r); err != nil || r.Format != Format {
		return Record{}, ErrDiffers.With("its format is not known")
	}
	again, err := r.JSON()
	if err != nil || !bytes.Equal(again, text) {
		return Record{}, ErrDiffers.With("its encoding is not its own")
	}
	return r, nil
}

// Why says why nobody is asked, "" where somebody is.
func Why(c Call, pairs int) string {
	switch {
	case len(c.Roll) < Seats:
		return FewMembers
	case pairs == 0:
		return FewDossiers
	}
	return ""
}

// Recompute draws pairs and people again and compares them with the record. Whose
// signature the checkpoint carries is the caller's to check.
func (r Record) Recompute() error {
	asked, of, err := Pairs(r.Call, r.Checkpoint, r.Leaf)
	if err != nil {
		return ErrDiffers.With(err.Error())
	}
	order, err := jury.Draw(r.Checkpoint, r.Leaf, r.Call.Roll)
	if err != nil {
		return ErrDiffers.With(err.Error())
	}
	if of != r.Of || len(asked) != len(r.Checks) || r.Why != Why(r.Call, of) {
		return ErrDiffers.With("pairs")
	}
	from := 0
	for i, c := range r.Checks {
		if c.From != from {
			return ErrDiffers.With("where a round begins")
		}
		if c.First != asked[i].First || c.Second != asked[i].Second || c.Sheet != asked[i].Sheet {
			return ErrDiffers.With("a pair was not drawn")
		}
		if err := c.recompute(order); err != nil {
			return err
		}
		if len(c.Seats) > 0 {
			from = (from + c.Walked(order, Seats)) % len(order)
		}
	}
	return nil
}

// Walked is how far a check's round went in the order of names until so many
// seats were found; more than the order has where one is not in the round.
func (c Check) Walked(order []string, seats int) int {
	at := 0
	for _, s := range c.Seats[:min(seats, len(c.Seats))] {
		for at < len(order) && order[(c.From+at)%len(order)] != s.Name {
			at++
		}
		at++
	}
	return at
}

// recompute holds a check's seats against the round: in its order, none asked
// twice, and exactly as many left out in between as it says were passed over. A
// check without seats has fewer than three names that were not passed over.
func (c Check) recompute(order []string) error {
	scored, walked := 0, c.Walked(order, len(c.Seats))
	if walked > len(order) {
		return ErrDiffers.With("a seat was not drawn")
	}
	for _, s := range c.Seats {
		switch s.State {
		case jury.Scored:
			scored++
		case jury.Stepped, jury.Silent:
		default:
			return ErrDiffers.With("a seat's state")
		}
	}
	switch few := len(order) - c.Passed; {
	case len(c.Seats) == 0 && few >= 0 && few < Seats:
	case len(c.Seats) >= Seats && scored <= Seats && c.Passed == walked-len(c.Seats):
	default:
		return ErrDiffers.With("seats")
	}
	return nil
}
