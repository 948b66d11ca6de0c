// Package spotcheck is the arithmetic of spot checks: which pairs of a period's
// dossiers people are asked about, and who is asked.
//
// # The draw of pairs
//
// Once a period's statement is published, the log takes a leaf that names the
// SHA-256 of the [Call]: how many members there are and which dossiers can be
// compared. A signed checkpoint of the log taken after that leaf is the seed. The
// lot of a dossier or a pair is
//
//	SHA-256("datacoop-spotcheck/1\n" ‖ origin ‖ "\n" ‖ size ‖ "\n" ‖ root ‖ "\n" ‖ leaf ‖ "\n" ‖ id)
//
// Dossiers that answer one sheet are put in the order of their lots and taken
// two by two, so that a dossier is in one pair at most and pairs say something
// independently of each other. Of the pairs, those with the lowest lots are
// asked about: a twentieth, at least twenty (learning.SpotChecks), and never so
// many that a member would be asked more than [MostEach] times on average.
//
// # The draw of people
//
// Every pair has a roll of its own ([Roll]): all members, each under a name made
// for this pair alone, and beside the name why they are not to be asked about it,
// if so: one of [Reasons]. The roll is sealed before anybody is drawn: the log
// takes a second leaf, which names the SHA-256 of all the rolls' Merkle roots
// ([Seals]; the tree is RFC 6962's). A second checkpoint, taken after that leaf,
// draws places in each roll one after the other ([Order]), as Fisher and Yates
// shuffle: the i-th is one of the n − i that are left, by lot mod (n − i), with the
// first 8 bytes of
//
//	SHA-256("datacoop-spotcheck-seat/1\n" ‖ origin ‖ "\n" ‖ size ‖ "\n" ‖ root ‖ "\n" ‖ leaf ‖ "\n" ‖ first ‖ " " ‖ second ‖ "\n" ‖ i)
//
// as the lot. A place with a reason is passed over; the others are asked until
// [Seats] have answered. Who steps back or stays silent is followed by the next.
//
// # What it guarantees
//
// Pure functions of public data: no clock, no chance, no floating point. A record
// opens every place that was drawn, with its path to the sealed root: who was
// asked, who was passed over and for what reason, in the order of the draw,
// counted. Anybody can compute all of it again with [Record.Recompute]. A name
// occurs in one pair and nowhere else, so nobody can be followed from one spot check to
// another. Places that were not drawn stay closed.
//
// # What it refuses
//
// A period of fewer than [Seats] members, or without two dossiers of one sheet:
// then nobody is asked and the record says so. It cannot know whether a reason is
// true, nor that a roll has every member on it, each once: of the places that are
// opened no name may occur twice, the others stay closed. But reasons were written
// down before anybody could know whom the draw would find, so that nobody is passed
// over because of who they are.
package spotcheck

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/marketplace/appraisal/jury"
	"distributed.ai/datacoop/marketplace/appraisal/learning"
)

// Seats is how many people are asked about a pair.
const Seats = 3

// Reserves is how many stand ready for each pair beside those who are asked at
// first.
const Reserves = 3

// MostEach is how many pairs a member is asked about on average, at most.
const MostEach = 10

// MostMembers is how many members a call may name: more than a co-op ever has, and
// few enough to be counted with.
const MostMembers = 100_000_000

// Format names the encoding of a record.
const Format = "datacoop-spotchecks/2"

// Reasons why a place is passed over.
const (
	Own      = "own"      // made, or owns, one of the two
	Reviewed = "reviewed" // reviewed one of the two
)

// Reasons is the whole list.
var Reasons = []string{Own, Reviewed}

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

// Call is what is fixed before the checkpoint that decides which pairs are drawn.
type Call struct {
	BundleSHA256 string    `json:"bundle_sha256"` // of the statement whose dossiers they are
	Members      int       `json:"members,omitempty"`
	Period       string    `json:"period"`
	Roll         []string  `json:"roll,omitzero"` // of a record from before every pair had its own: names, in ascending order
	Subjects     []Subject `json:"subjects"`      // by dossier
}

// members is how many may be asked, interests aside.
func (c Call) members() int { return max(c.Members, len(c.Roll)) }

// sized refuses a call that nobody can count with, or whose period is no period's id.
func (c Call) sized() error {
	if c.Members < 0 || c.Members > MostMembers {
		return ErrDiffers.With("how many members there are")
	}
	if !period.MatchString(c.Period) {
		return ErrDiffers.With("its period")
	}
	return nil
}

// period is how periods are named.
var period = regexp.MustCompile(`^P[0-9]{4,18}$`)

// SHA256 is the digest by which the log names a call.
func (c Call) SHA256() string {
	text, err := encode(c)
	if err != nil {
		panic(err) // strings always encode
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Pair is two dossiers of one sheet.
type Pair struct {
	First  string `json:"first"` // the smaller pseudonym
	Second string `json:"second"`
	Sheet  string `json:"sheet"`
}

// Pairs puts the subjects of a call into pairs and returns those that are asked
// about, in the order of their lots, and of how many they were chosen.
func Pairs(c Call, checkpoint string, leaf int64) (asked []Pair, of int, err error) {
	if _, err := jury.Draw(checkpoint, leaf, nil); err != nil {
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
	all := []Pair{}
	for i := 0; i+1 < len(byLot); i++ {
		a, b := byLot[i], byLot[i+1]
		if a.Sheet != b.Sheet {
			continue
		}
		all = append(all, Pair{First: min(a.Dossier, b.Dossier), Second: max(a.Dossier, b.Dossier), Sheet: a.Sheet})
		i++
	}
	slices.SortFunc(all, func(a, b Pair) int {
		return strings.Compare(lot(a.First+" "+a.Second), lot(b.First+" "+b.Second))
	})
	n := min(learning.SpotChecks(len(all)), c.members()*MostEach/Seats)
	if c.members() < Seats {
		n = 0
	}
	return all[:n], len(all), nil
}

func encode(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), err
}

// Why says why nobody is asked, "" where somebody is.
func Why(c Call, pairs int) string {
	switch {
	case c.members() < Seats:
		return FewMembers
	case pairs == 0:
		return FewDossiers
	}
	return ""
}
