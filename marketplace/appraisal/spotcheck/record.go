package spotcheck

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"distributed.ai/datacoop/marketplace/appraisal/jury"
)

// Seals are the rolls of all pairs that were drawn, as the log names them before
// anybody is drawn from them.
type Seals struct {
	CallSHA256 string      `json:"call_sha256"`
	Checkpoint string      `json:"checkpoint"` // that the pairs were drawn by
	Members    int         `json:"members"`    // places on each roll
	Roots      []tlog.Hash `json:"roots"`      // in the order of the pairs' lots
}

// SHA256 is the digest by which the log names the seals.
func (s Seals) SHA256() string { return digest(s) }

// Check is one pair that people are asked about.
type Check struct {
	Pair
	Drawn []Drawn   `json:"drawn"` // in the order of the draw, up to the last who was asked; of a pair that nobody is asked about, everybody
	Root  tlog.Hash `json:"root"`
}

// Times counts how often places were passed over for a reason.
type Times struct {
	Reason string `json:"reason"`
	Times  int    `json:"times"`
}

// Record is everything about a period's spot checks but the answers.
type Record struct {
	Call           Call    `json:"call"`
	Checkpoint     string  `json:"checkpoint"` // that the pairs were drawn by
	Checks         []Check `json:"checks"`
	Format         string  `json:"format"`
	Leaf           int64   `json:"leaf"` // of the log, from 0: the call's digest
	Members        int     `json:"members"`
	Of             int     `json:"of"`              // pairs that could have been asked about
	PassedOver     []Times `json:"passed_over"`     // by reason, in the order of Reasons
	SeatCheckpoint string  `json:"seat_checkpoint"` // that the people were drawn by
	SeatLeaf       int64   `json:"seat_leaf"`       // of the log: the seals' digest
	SHA256         string  `json:"sha256"`          // of the record with this field empty; set by JSON
	Why            string  `json:"why"`             // nobody was asked; "" otherwise
}

// JSON is the record's only encoding. It carries its own digest, so that no byte
// of it changes unnoticed.
func (r Record) JSON() ([]byte, error) {
	r.SHA256 = ""
	r.SHA256 = digest(r)
	return encode(r)
}

func digest(v any) string {
	text, err := encode(v)
	if err != nil {
		panic(err) // strings, numbers and hashes always encode
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
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
		return Record{}, ErrDiffers.With("its encoding or its digest is not its own")
	}
	return r, r.sized()
}

// sized refuses a record that nobody can count with, and rolls that are not as long
// as the call said.
func (r Record) sized() error {
	if err := r.Call.sized(); err != nil {
		return err
	}
	if r.Members < 0 || r.Members > MostMembers || len(r.Call.Roll) == 0 && r.Members != r.Call.Members {
		return ErrDiffers.With("how many places a roll has")
	}
	return nil
}

// Seals are what the log named before people were drawn.
func (r Record) Seals() Seals {
	s := Seals{CallSHA256: r.Call.SHA256(), Checkpoint: r.Checkpoint, Members: r.Members, Roots: []tlog.Hash{}}
	for _, c := range r.Checks {
		s.Roots = append(s.Roots, c.Root)
	}
	return s
}

// Count counts who was passed over, by reason.
func Count(checks []Check) []Times {
	out := []Times{}
	for _, reason := range Reasons {
		n := 0
		for _, c := range checks {
			for _, d := range c.Drawn {
				if d.Reason == reason {
					n++
				}
			}
		}
		out = append(out, Times{reason, n})
	}
	return out
}

// Recompute draws pairs and people again and compares them with the record: each
// place against the sealed roll it was drawn from, no name at two places, who was passed over against the
// reason written there, and how often that was. Whose signatures the checkpoints
// carry, and that the log has the two digests, is the caller's to check.
func (r Record) Recompute() error {
	if err := r.sized(); err != nil {
		return err
	}
	asked, of, err := Pairs(r.Call, r.Checkpoint, r.Leaf)
	if err != nil {
		return ErrDiffers.With(err.Error())
	}
	if of != r.Of || len(asked) != len(r.Checks) || r.Why != Why(r.Call, of) {
		return ErrDiffers.With("pairs")
	}
	if len(asked) > 0 && r.SeatLeaf <= r.Leaf {
		return ErrDiffers.With("the rolls were sealed before the pairs were drawn")
	}
	names := map[string]bool{} // each is made for one place of one pair
	for i, c := range r.Checks {
		if c.Pair != asked[i] {
			return ErrDiffers.With("a pair was not drawn")
		}
		if err := r.recompute(c); err != nil {
			return err
		}
		for _, d := range c.Drawn {
			if names[d.Name] {
				return ErrDiffers.With("a name holds two places")
			}
			names[d.Name] = true
		}
	}
	if !slices.Equal(r.PassedOver, Count(r.Checks)) {
		return ErrDiffers.With("how many were passed over")
	}
	return nil
}

// recompute holds a pair's places against its roll and the draw.
func (r Record) recompute(c Check) error {
	order, err := Order(r.SeatCheckpoint, r.SeatLeaf, c.Pair, r.Members)
	if err != nil {
		return ErrDiffers.With(err.Error())
	}
	n := map[string]int{} // places by state
	for _, d := range c.Drawn {
		slot, more := order()
		switch {
		case !more || slot != d.Slot:
			return ErrDiffers.With("a place was not drawn")
		case !d.sealed(r.Call.Period, c.Pair, c.Root, r.Members):
			return ErrDiffers.With("a place is not what was sealed")
		case d.Reason != "" && (!slices.Contains(Reasons, d.Reason) || d.State != ""):
			return ErrDiffers.With("a reason")
		case d.Reason == "":
			n[d.State]++
		}
	}
	spare, scored, seats := n[""], n[jury.Scored], n[jury.Scored]+n[jury.Stepped]+n[jury.Silent]
	delete(n, "")
	delete(n, jury.Scored)
	delete(n, jury.Stepped)
	delete(n, jury.Silent)
	over := len(c.Drawn) == r.Members
	switch {
	case len(n) > 0:
		return ErrDiffers.With("a seat's state")
	case seats == 0 && spare < Seats && over: // too few without an interest: nobody is asked in vain
		return nil
	case spare > 0 || seats < Seats || scored > Seats, !over && c.Drawn[len(c.Drawn)-1].Reason != "":
		return ErrDiffers.With("seats")
	case scored < Seats && seats < Seats+Reserves && !over:
		return ErrDiffers.With("somebody who stood ready was not asked")
	}
	return nil
}
