// Package jury is the arithmetic of appeals: who is drawn into a panel, what
// their answers come to, and what an appeal that was upheld is paid.
//
// # The draw
//
// When an appeal is filed, the log takes a leaf that names the SHA-256 of the
// roll ([CallSHA256]): the pseudonyms, made for this appeal alone, of all members who may be
// drawn, and of those who may not, each with one of [Reasons]. A signed checkpoint of the log taken after that leaf is the seed. Each
// name's ticket is
//
//	SHA-256("datacoop-sortition/1\n" ‖ origin ‖ "\n" ‖ size ‖ "\n" ‖ root ‖ "\n" ‖ leaf ‖ "\n" ‖ name)
//
// with the checkpoint's first three lines and the leaf's index in decimal. The
// lowest five tickets are seated; who steps back or lets the time pass is
// followed by the next lowest. [Draw] does this, [Record.Recompute] again from
// what is published, so anybody can.
//
// # What a panel decides
//
// Panellists answer the yes-or-no questions that models answered, without
// having seen the model's answer. A panellist's score is the thousandths of the
// questions answered yes, rounded down; the panel's is the median, the lower of
// the two in the middle. It counts where it is above the model's score.
//
// # What that pays
//
// With b what the formula alone set for the contested dossier, p what the
// statement pays for it, s the panel's score, β the bound of its kind and c the
// stated cap by which a panel may exceed it, all in thousandths:
//
//	claim = max(0, ⌊b × (1 + (β+c)(2s−1))⌋ − p)
//
// Claims are paid out of what was set aside for appeals. If they come to more,
// each gets its proportional part rounded down, and the units left over go to
// the appeals filed first. Nobody else's amount changes, so nothing is ever
// clawed back.
//
// # What it guarantees
//
// Pure functions of public data: no clock, no chance, no floating point. A
// record that differs from what its own contents give is refused, whichever
// byte was changed.
//
// # What it refuses
//
// A panel of fewer than three decides nothing: then the formula's own amount
// counts, where the statement pays less. What it cannot know is whether whoever
// runs the log tried several times before publishing a checkpoint; a mirror of
// the log that others keep makes that hard, and nothing here makes it
// impossible.
package jury

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Sizes of a panel: how many are seated where there are enough, and how many
// answers decide.
const (
	Seats  = 5
	Fewest = 3
)

// Neutral is the score that changes nothing.
const Neutral = 500

var (
	errCheckpoint = errors.New("jury: that is not a log's checkpoint")
	errRoll       = errors.New("jury: a roll lists names once each, in order")
	errLeaf       = errors.New("jury: the checkpoint was taken before the appeal was filed")
)

// RollSHA256 is the digest by which the log names a roll: SHA-256 over one line
// for each name, in hex.
func RollSHA256(roll []string) string {
	sum := sha256.Sum256([]byte(strings.Join(roll, "\n") + "\n"))
	return hex.EncodeToString(sum[:])
}

// CallSHA256 is the digest by which the log names a roll and who was left out of
// it: RollSHA256's, and where somebody was, one line more for each, with the name,
// a space and the reason. The names of a record are pseudonyms, without a space or
// a line's end ([Record.Recompute] sees to it), so no two calls share a digest.
func CallSHA256(roll []string, passed []Passed) string {
	lines := slices.Clone(roll)
	for _, p := range passed {
		lines = append(lines, p.Name+" "+p.Reason)
	}
	return RollSHA256(lines)
}

// Draw orders a roll by tickets: the first Seats names are seated, the others
// follow in turn. Checkpoint is the text of a signed checkpoint
// (c2sp.org/tlog-checkpoint), whose signature is the caller's to check; it must
// cover the appeal's leaf. The roll is in ascending order.
func Draw(checkpoint string, leaf int64, roll []string) ([]string, error) {
	lines := strings.SplitN(checkpoint, "\n", 4)
	if len(lines) < 4 || lines[0] == "" || lines[2] == "" {
		return nil, errCheckpoint
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	switch {
	case err != nil || strconv.FormatInt(size, 10) != lines[1]:
		return nil, errCheckpoint
	case leaf < 0 || size <= leaf:
		return nil, errLeaf
	}
	for i := 1; i < len(roll); i++ {
		if roll[i-1] >= roll[i] {
			return nil, errRoll
		}
	}
	type drawn struct {
		name   string
		ticket [sha256.Size]byte
	}
	all := make([]drawn, len(roll))
	for i, name := range roll {
		all[i] = drawn{name, sha256.Sum256(fmt.Appendf(nil, "datacoop-sortition/1\n%s\n%d\n%s\n%d\n%s", lines[0], size, lines[2], leaf, name))}
	}
	slices.SortFunc(all, func(a, b drawn) int {
		return cmp.Or(bytes.Compare(a.ticket[:], b.ticket[:]), strings.Compare(a.name, b.name))
	})
	out := make([]string, len(all))
	for i, d := range all {
		out[i] = d.name
	}
	return out, nil
}

// SeatsFor is how many panellists a roll of that length gives: five, three, or
// none where there are fewer.
func SeatsFor(eligible int) int {
	switch {
	case eligible >= Seats:
		return Seats
	case eligible >= Fewest:
		return Fewest
	}
	return 0
}

// ScoreOf is a panellist's score: thousandths of the questions answered yes.
func ScoreOf(yes, questions int) int64 {
	if questions == 0 {
		return 0
	}
	return 1000 * int64(yes) / int64(questions)
}

// Median is the middle of scores, the lower of the two in the middle; false for
// fewer than Fewest.
func Median(scores []int64) (int64, bool) {
	if len(scores) < Fewest {
		return 0, false
	}
	s := slices.Sorted(slices.Values(scores))
	return s[(len(s)-1)/2], true
}

// Standing is what a statement says about one member's part of a dossier.
type Standing struct {
	Member   string `json:"-"`
	Dossier  string `json:"-"`
	Kind     string `json:"kind"`
	Baseline int64  `json:"baseline"` // minor units
	Paid     int64  `json:"paid"`     // minor units
	Beta     int64  `json:"beta"`     // thousandths
	Score    int64  `json:"score"`    // the model's; Neutral without one
}

// Claim is what a panel's score adds to what the statement pays, in minor
// units, before the sum of all claims is held against the reserve. Bound and
// cap together are at most 1000 thousandths.
func (s Standing) Claim(score, beyond int64) int64 {
	const one = 1_000_000
	factor := one + min(s.Beta+beyond, 1000)*(2*score-1000)
	target := int64(uint64(s.Baseline) * uint64(factor) / one) //nolint:gosec // neither is negative, and the product of the largest fits
	return max(0, target-s.Paid)
}

// Awards divides a reserve between claims in their order: all of each, or where
// the reserve does not suffice the proportional part rounded down, and what
// that leaves one unit each to the first.
func Awards(claims []int64, reserve int64) []int64 {
	out := slices.Clone(claims)
	sum := int64(0)
	for _, c := range claims {
		sum += c
	}
	if sum <= reserve {
		return out
	}
	left := reserve
	for i, c := range claims {
		out[i] = portion(c, reserve, sum)
		left -= out[i]
	}
	for i := range out {
		if left > 0 && out[i] < claims[i] {
			out[i]++
			left--
		}
	}
	return out
}
