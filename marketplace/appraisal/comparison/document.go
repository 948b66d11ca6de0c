package comparison

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/marketplace/appraisal/learning"
)

// DocumentFormat names the encoding of a document.
const DocumentFormat = "datacoop-comparison-record/1"

// Faults of a document; the detail says what is wrong.
var (
	ErrDocument = fault.New(fault.Invalid, "comparison-differs", "This is not a comparison as a co-op publishes it.")
	ErrSealed   = fault.New(fault.Conflict, "comparison-sealed", "This comparison rests on answers that are still sealed. It can be computed again once they are disclosed.")
)

// Document is a comparison with the pairs that it was made over: enough to compute
// it again without the server, once the sealed halves of its periods are disclosed.
type Document struct {
	Comparison json.RawMessage `json:"comparison"`
	Format     string          `json:"format"`
	Halves     []Half          `json:"halves"` // by period, as the comparison lists them
	Proof      *audit.Proof    `json:"proof"`  // that the log has the comparison; null of one from before that was noted
	SHA256     string          `json:"sha256"` // of the document with this field empty; set by JSON
}

// Half is what people said in a period.
type Half struct {
	Commitment string          `json:"commitment"`
	Holdout    json.RawMessage `json:"holdout"` // null while it is sealed
	Open       []learning.Pair `json:"open"`
	Period     coop.PeriodID   `json:"period"`
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
	return d, nil
}

// Recompute computes a comparison again from its runs and the pairs of their
// periods: how often each judge agrees with people, the interval, the families of
// attacks, the groups and the answer, byte for byte. Faults: ErrDocument, and
// ErrSealed with the periods whose other half is not disclosed.
func (d Document) Recompute() (Comparison, error) {
	var given Comparison
	dec := json.NewDecoder(bytes.NewReader(d.Comparison))
	dec.DisallowUnknownFields()
	if dec.Decode(&given) != nil || given.Format != Format {
		return given, ErrDocument.With("the comparison's format is not known")
	}
	if len(given.Runs) < Fewest || len(given.Runs) != len(given.Pairs) || len(d.Halves) != len(given.Pairs) {
		return given, ErrDocument.With("its periods")
	}
	var pairs []learning.Pair
	var closed []string
	for i, r := range given.Runs {
		from, half := given.Pairs[i], d.Halves[i]
		switch {
		case r.Period != from.Period || half.Period != from.Period || half.Commitment != from.Commitment:
			return given, ErrDocument.With("its periods")
		case i > 0 && given.Runs[i-1].Period >= r.Period:
			return given, ErrDocument.With("a period occurs twice")
		case r.Candidate != given.Candidate || r.InForce != given.InForce:
			return given, ErrDocument.With("a run of something else")
		case bytes.Equal(half.Holdout, []byte("null")):
			closed = append(closed, coop.Shown(string(r.Period), 20))
			continue
		}
		held, err := learning.Disclose(half.Commitment, half.Holdout, half.Open)
		if err != nil {
			return given, err
		}
		both := append(slices.Clone(half.Open), held.Pairs...)
		if held.Period != string(r.Period) || len(both) != from.Pairs || slices.ContainsFunc(both, func(p learning.Pair) bool { return p.Period != held.Period }) {
			return given, ErrDocument.With("another period's pairs")
		}
		pairs = append(pairs, both...)
	}
	if len(closed) > 0 {
		return given, ErrSealed.With(strings.Join(closed, ", "))
	}
	again := Comparison{Candidate: given.Candidate, Format: Format, InForce: given.InForce, Pairs: given.Pairs, Runs: given.Runs, Try: given.Try}
	if err := again.Judge(pairs); err != nil {
		return given, err
	}
	same, err := json.Marshal(again)
	if err != nil || !bytes.Equal(same, d.Comparison) {
		return given, ErrDocument.With("the comparison is not what its runs and pairs give")
	}
	return given, nil
}

// Witness holds a document against the log, by its verifier key: that the log took
// this comparison, with the commitments and scores in it. That the log took those
// before, it does not show.
func (d Document) Witness(key string) error {
	if d.Proof == nil {
		return ErrDocument.With("it is from before the log's entry was noted")
	}
	if err := d.Proof.Check(key); err != nil {
		return fmt.Errorf("comparison: %w", err)
	}
	var leaf struct{ Kind, Revision string }
	if json.Unmarshal(d.Proof.Leaf, &leaf) != nil || leaf.Kind != "shadow.compared" || leaf.Revision != coop.Digest(d.Comparison) {
		return ErrDocument.With("the log has something else")
	}
	return nil
}
