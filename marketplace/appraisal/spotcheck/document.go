package spotcheck

import (
	"bytes"
	"encoding/json"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/marketplace/appraisal/jury"
	"distributed.ai/datacoop/marketplace/appraisal/learning"
)

// DocumentFormat names the encoding of a document.
const DocumentFormat = "datacoop-calibration/1"

// ErrDocument says that a document is not what its own contents give; the detail
// says what is wrong.
var ErrDocument = fault.New(fault.Invalid, "calibration-differs", "This is not a calibration set as a co-op publishes it.")

// Document is everything that is published of a sealed set: enough to draw its
// pairs and people again, and to hold what people said against what the log took.
type Document struct {
	Commitment  string          `json:"commitment"`            // SHA-256 of the sealed half
	Consistency [][]tlog.Hash   `json:"consistency,omitempty"` // that the trees of the draws' checkpoints, and then of all proofs' but the last, are beginnings of the last proof's: RFC 6962, section 2.1.2
	Format      string          `json:"format"`
	Holdout     json.RawMessage `json:"holdout"` // the sealed half, once disclosed; null before
	Open        []learning.Pair `json:"open"`
	Period      string          `json:"period"`
	Proofs      []audit.Proof   `json:"proofs"` // that the log has what was called, what was sealed before the draw of people, and what was sealed in the end
	Record      json.RawMessage `json:"record"` // of the draw
	SHA256      string          `json:"sha256"` // of the document with this field empty; set by JSON
}

// JSON is the document's only encoding. It carries its own digest, so that no byte
// of it changes unnoticed.
func (d Document) JSON() ([]byte, error) { return coop.SealDocument(&d, &d.SHA256) }

// ParseDocument reads a document.
func ParseDocument(text []byte) (Document, error) {
	var d Document
	if !coop.UnsealDocument(text, &d, func() ([]byte, error) { return d.JSON() }) || d.Format != DocumentFormat {
		return Document{}, ErrDocument.With("its format, its encoding or its digest is not its own")
	}
	if !period.MatchString(d.Period) {
		return Document{}, ErrDocument.With("its period")
	}
	return d, nil
}

// Checkpoints are those that must be of the history that the last proof's shows: the
// draws', and the other proofs'. There is a proof more than there are draws.
func (d Document) Checkpoints(drawn []string) (earlier [][]byte, last []byte) {
	for _, text := range drawn {
		earlier = append(earlier, []byte(text))
	}
	for _, p := range d.Proofs[:len(d.Proofs)-1] {
		earlier = append(earlier, p.Checkpoint)
	}
	return earlier, d.Proofs[len(d.Proofs)-1].Checkpoint
}

// Disclosed reports whether the sealed half is in the document.
func (d Document) Disclosed() bool { return !bytes.Equal(d.Holdout, []byte("null")) }

// Redrawn is what a record of spot checks says, whichever its format.
type Redrawn struct {
	Period      string
	Checks, Of  int
	Passed      []Times // who was passed over, by reason; nil where only numbers were kept
	Checkpoints []string
	answered    map[string]string // the pairs that enough people answered, with their group
	notes       []note
}

// note is a leaf that the log took.
type note struct{ kind, revision string }

// Recompute draws everything again, holds what people said against the pairs that
// were drawn, and the sealed half, where it is disclosed, against its commitment.
// What the log has is Witness's.
func (d Document) Recompute() (Redrawn, error) {
	out, err := Redraw(d.Record)
	if err != nil {
		return out, err
	}
	if out.Period != d.Period {
		return out, ErrDocument.With("the record is another period's")
	}
	if err := learning.Check(d.Open); err != nil {
		return out, err
	}
	pairs := d.Open
	if d.Disclosed() {
		held, err := learning.Disclose(d.Commitment, d.Holdout, d.Open)
		if err != nil {
			return out, err
		}
		if held.Period != d.Period {
			return out, ErrDocument.With("the sealed half is another period's")
		}
		pairs = append(append([]learning.Pair{}, d.Open...), held.Pairs...)
	}
	answered := 0
	for _, p := range pairs {
		switch group, asked := out.answered[p.ID()]; {
		case p.Period != d.Period:
			return out, ErrDocument.With("a pair is another period's")
		case p.Second == learning.Middle && len(p.Said) >= jury.Fewest: // a panel's verdict; the record of appeals has it
		case !asked || group != p.Group || len(p.Said) != Seats:
			return out, ErrDocument.With("a pair that nobody was drawn to answer")
		default:
			answered++
		}
	}
	if d.Disclosed() && answered != len(out.answered) {
		return out, ErrDocument.With("a pair that was answered is missing")
	}
	return out, nil
}

// Redraw draws a record of either format again.
func Redraw(text []byte) (Redrawn, error) {
	out := Redrawn{answered: map[string]string{}}
	if r, err := ParseEarlier(text); err == nil {
		out.Period, out.Checks, out.Of, out.Checkpoints = r.Call.Period, len(r.Checks), r.Of, []string{r.Checkpoint}
		out.notes = []note{{"calibration.called", r.Call.SHA256()}}
		for _, c := range r.Checks {
			states := []string{}
			for _, s := range c.Seats {
				states = append(states, s.State)
			}
			out.answer(r.Call.Period, c.First, c.Second, c.Sheet, states)
		}
		return out, r.Recompute()
	}
	r, err := Parse(text)
	if err != nil {
		return out, err
	}
	out.Period, out.Checks, out.Of, out.Passed = r.Call.Period, len(r.Checks), r.Of, r.PassedOver
	out.Checkpoints = []string{r.Checkpoint, r.SeatCheckpoint}
	out.notes = []note{{"calibration.called", r.Call.SHA256()}, {"calibration.paired", r.Seals().SHA256()}}
	for _, c := range r.Checks {
		states := []string{}
		for _, p := range c.Drawn {
			states = append(states, p.State)
		}
		out.answer(r.Call.Period, c.First, c.Second, c.Sheet, states)
	}
	return out, r.Recompute()
}

func (d *Redrawn) answer(period, first, second, group string, states []string) {
	n := 0
	for _, s := range states {
		if s == jury.Scored {
			n++
		}
	}
	if n == Seats {
		d.answered[learning.Pair{Period: period, First: first, Second: second}.ID()] = group
	}
}

// Witness holds a document that Recompute accepts against the log, by its verifier
// key: that it took the call and the rolls' seals before the draws that they
// decide, and the commitment with the record and the open half in the end, and that
// the checkpoints of the draws are of that one history. Of a set that was sealed
// before the log took the digest of open halves it cannot tell whether the open half
// is the one; see OpenNoted.
func (d Document) Witness(drawn Redrawn, key string) error {
	notes := append(append([]note{}, drawn.notes...), note{"calibration.sealed", d.Commitment})
	if len(d.Proofs) != len(notes) {
		return ErrDocument.With("proofs")
	}
	for i, p := range d.Proofs {
		if err := p.Check(key); err != nil {
			return fmt.Errorf("calibration: %w", err)
		}
		var leaf struct{ Kind, Revision string }
		if err := json.Unmarshal(p.Leaf, &leaf); err != nil || leaf.Kind != notes[i].kind || leaf.Revision != notes[i].revision || !d.placed(i, p.Index) {
			return ErrDocument.With("the log has something else")
		}
	}
	record, open := d.noted()
	if record != coop.Digest(d.Record) {
		return ErrDocument.With("the log has another record")
	}
	if open != "" && open != learning.OpenSHA256(d.Open) {
		return ErrDocument.With("the log has another open half")
	}
	return d.consistent(drawn.Checkpoints, key)
}

// noted are the digests that the log took with the commitment: the record's, and the
// open half's, "" of a set that was sealed before it took those.
func (d Document) noted() (record, open string) {
	var sealed struct {
		Record string `json:"record_sha256"`
		Open   string `json:"open_sha256"`
	}
	if len(d.Proofs) == 0 || json.Unmarshal(d.Proofs[len(d.Proofs)-1].Record, &sealed) != nil {
		return "", ""
	}
	return sealed.Record, sealed.Open
}

// OpenNoted reports whether the log took the digest of the open half, so that Witness
// holds it against that. Otherwise it can be checked once the sealed half is disclosed.
func (d Document) OpenNoted() bool {
	_, open := d.noted()
	return open != ""
}

// consistent holds the checkpoints that decided the draws, and those of the proofs,
// against the last proof's: all are of one history, and each draw's is from between
// the leaf that it must cover and the one that the log took after it.
func (d Document) consistent(drawn []string, key string) error {
	earlier, last := d.Checkpoints(drawn)
	if len(d.Consistency) != len(earlier) {
		return ErrDocument.With("nothing in it shows that the checkpoints of the draws are of the log's history; fetch the set again")
	}
	for i, text := range earlier {
		leaves, err := audit.CheckConsistency(d.Consistency[i], text, last, key)
		if err != nil || i < len(drawn) && leaves > d.Proofs[i+1].Index {
			return ErrDocument.With("a checkpoint is not of the history that the log shows")
		}
	}
	return nil
}

// placed reports whether a proof is of the leaf that the record's draw names.
func (d Document) placed(proof int, index int64) bool {
	var r struct {
		Leaf     int64 `json:"leaf"`
		SeatLeaf int64 `json:"seat_leaf"`
	}
	if json.Unmarshal(d.Record, &r) != nil {
		return false
	}
	switch {
	case proof == 0:
		return index == r.Leaf
	case proof == 1 && r.SeatLeaf > 0:
		return index == r.SeatLeaf
	}
	return index > max(r.Leaf, r.SeatLeaf)
}
