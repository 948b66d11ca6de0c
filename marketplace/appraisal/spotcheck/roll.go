package spotcheck

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"distributed.ai/datacoop/marketplace/appraisal/jury"
)

// Place is a member's on the roll of a pair.
type Place struct {
	Name   string // made for this pair alone
	Reason string // one of Reasons, or "" for somebody who may be asked
}

// Roll is a pair's, sealed.
type Roll struct {
	pair   Pair
	period string
	places []Place // by name
	hashes []tlog.Hash
}

// NewRoll seals the places of a pair, in the order of their names.
func NewRoll(period string, p Pair, places []Place) (*Roll, error) {
	r := &Roll{pair: p, period: period, places: slices.Clone(places)}
	slices.SortFunc(r.places, func(a, b Place) int { return strings.Compare(a.Name, b.Name) })
	for i, one := range r.places {
		more, err := tlog.StoredHashesForRecordHash(int64(i), leaf(period, p, i, one), tlog.HashReaderFunc(r.read))
		if err != nil {
			return nil, fmt.Errorf("spotcheck: roll: %w", err)
		}
		r.hashes = append(r.hashes, more...)
	}
	return r, nil
}

func (r *Roll) read(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, at := range indexes {
		out[i] = r.hashes[at]
	}
	return out, nil
}

// leaf is what a roll's tree holds of a place. Nobody guesses a name, so a leaf
// tells nothing of a place that is not opened.
func leaf(period string, p Pair, slot int, one Place) tlog.Hash {
	return tlog.RecordHash(fmt.Appendf(nil, "%s\n%s %s\n%d\n%s\n%s", period, p.First, p.Second, slot, one.Name, one.Reason))
}

// Root is what a roll is sealed by.
func (r *Roll) Root() (tlog.Hash, error) {
	return tlog.TreeHash(int64(len(r.places)), tlog.HashReaderFunc(r.read))
}

// Drawn is a place that was drawn.
type Drawn struct {
	Name   string      `json:"name"`
	Proof  []tlog.Hash `json:"proof"` // from the place to the roll's root, RFC 6962, section 2.1.1
	Reason string      `json:"reason"`
	Slot   int         `json:"slot"`
	State  string      `json:"state"` // as in package jury; "" of somebody who was not asked
}

// Open is a place with its path to the root.
func (r *Roll) Open(slot int) (Drawn, error) {
	proof, err := tlog.ProveRecord(int64(len(r.places)), int64(slot), tlog.HashReaderFunc(r.read))
	if err != nil {
		return Drawn{}, fmt.Errorf("spotcheck: open: %w", err)
	}
	return Drawn{Name: r.places[slot].Name, Proof: append([]tlog.Hash{}, proof...), Reason: r.places[slot].Reason, Slot: slot}, nil
}

// sealed reports whether a place that was opened is on the roll that was sealed.
func (d Drawn) sealed(period string, p Pair, root tlog.Hash, members int) bool {
	if d.Slot < 0 || d.Slot >= members {
		return false
	}
	return tlog.CheckRecord(d.Proof, int64(members), root, int64(d.Slot), leaf(period, p, d.Slot, Place{d.Name, d.Reason})) == nil
}

// Draw opens places of a roll in the order of the draw until so many may be asked,
// or the roll is over; free is how many were found. The slots are Order's.
func (r *Roll) Draw(order func() (int, bool), wanted int) (out []Drawn, free int, err error) {
	for free < wanted {
		slot, more := order()
		if !more {
			break
		}
		d, err := r.Open(slot)
		if err != nil {
			return nil, 0, err
		}
		out = append(out, d)
		if d.Reason == "" {
			free++
		}
	}
	return out, free, nil
}

// Seated notes in a check what became of those who were asked, in the order in
// which they were: states are package jury's. What was drawn after the last of
// them is left out, unless nobody was left to draw.
func Seated(c Check, members int, states []string) Check {
	drawn, last, asked := slices.Clone(c.Drawn), 0, 0
	for i := range drawn {
		if drawn[i].Reason == "" && asked < len(states) {
			drawn[i].State = states[asked]
			asked, last = asked+1, i+1
		}
	}
	if spare := slices.ContainsFunc(drawn[last:], func(d Drawn) bool { return d.Reason == "" }); asked > 0 && (spare || len(drawn) < members) {
		drawn = drawn[:last]
	}
	c.Drawn = drawn
	return c
}

// Order draws the places of a pair's roll one after the other, each once.
func Order(checkpoint string, leaf int64, p Pair, members int) (func() (slot int, more bool), error) {
	if _, err := jury.Draw(checkpoint, leaf, nil); err != nil {
		return nil, err
	}
	lines := strings.SplitN(checkpoint, "\n", 4)
	moved, at := map[int]int{}, 0 // of a shuffle by Fisher and Yates, only what is out of its place
	where := func(i int) int {
		if to, ok := moved[i]; ok {
			return to
		}
		return i
	}
	return func() (int, bool) {
		if at >= members {
			return 0, false
		}
		sum := sha256.Sum256(fmt.Appendf(nil, "datacoop-spotcheck-seat/1\n%s\n%s\n%s\n%d\n%s %s\n%d", lines[0], lines[1], lines[2], leaf, p.First, p.Second, at))
		pick := at + int(binary.BigEndian.Uint64(sum[:8])%uint64(members-at)) // #nosec G115 -- less than members
		slot := where(pick)
		moved[pick] = where(at)
		at++
		return slot, true
	}, nil
}
