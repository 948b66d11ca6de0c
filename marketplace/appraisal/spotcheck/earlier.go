package spotcheck

import (
	"bytes"
	"encoding/json"

	"distributed.ai/datacoop/marketplace/appraisal/jury"
)

// EarlierFormat names the encoding of records from before every pair had names of
// its own.
const EarlierFormat = "datacoop-spotchecks/1"

// EarlierCheck is a pair of such a record: its round goes through the order of
// names that all pairs of the period share, and who was passed over is only
// counted.
type EarlierCheck struct {
	First  string `json:"first"`
	From   int    `json:"from"` // where in the order of names its round begins
	Passed int    `json:"passed"`
	Seats  []Seat `json:"seats"` // in the order they were asked
	Second string `json:"second"`
	Sheet  string `json:"sheet"`
}

// Seat is somebody who was asked, under a name of the period.
type Seat struct {
	Name  string `json:"name"`
	State string `json:"state"` // as in package jury
}

// Earlier is a record from before every pair had names of its own.
type Earlier struct {
	Call       Call           `json:"call"`
	Checkpoint string         `json:"checkpoint"`
	Checks     []EarlierCheck `json:"checks"`
	Format     string         `json:"format"`
	Leaf       int64          `json:"leaf"`
	Of         int            `json:"of"`
	Why        string         `json:"why"`
}

// JSON is the record's only encoding.
func (r Earlier) JSON() ([]byte, error) { return encode(r) }

// ParseEarlier reads such a record in its own encoding and no other.
func ParseEarlier(text []byte) (Earlier, error) {
	var r Earlier
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r); err != nil || r.Format != EarlierFormat {
		return Earlier{}, ErrDiffers.With("its format is not known")
	}
	again, err := r.JSON()
	if err != nil || !bytes.Equal(again, text) {
		return Earlier{}, ErrDiffers.With("its encoding is not its own")
	}
	return r, r.sized()
}

// sized refuses a record whose call counts members beside the names of its roll,
// or names no period.
func (r Earlier) sized() error {
	if r.Call.Members != 0 {
		return ErrDiffers.With("how many members there are")
	}
	return r.Call.sized()
}

// Recompute draws pairs and people again, in one round, and compares them with the record. Whose
// signature the checkpoint carries is the caller's to check.
func (r Earlier) Recompute() error {
	if err := r.sized(); err != nil {
		return err
	}
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
func (c EarlierCheck) Walked(order []string, seats int) int {
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
func (c EarlierCheck) recompute(order []string) error {
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
