// Package learning decides what judges may learn from people: which
// judgements of panels and spot checks are kept aside to measure by, when a new
// model, prompt or rubric may be put to the vote, and how much each model family
// counts.
//
// # The calibration set
//
// A [Pair] is two dossiers that answer the same questions, with what people made
// of them: the one, the other, or neither. A tie is kept as a tie. A period's
// pairs are halved by a secret salt ([Seal]): one half is open to learn from, the
// other is sealed. What is published at once is the SHA-256 of the sealed half;
// two periods later the half itself is disclosed, and [Disclose] holds it
// against its commitment. Nobody can tune a judge to pairs nobody has seen, and
// nobody can choose afterwards which pairs it was measured by.
//
// # When a challenger may be offered
//
// A challenger runs in shadow on recorded dossiers and pays nobody. [Compare]
// lets it be offered to a vote only if all of this holds over the same pairs as
// the judge in force: it agrees with people on more of the pairs on which only
// one of the two does, by an exact McNemar test whose 95 % interval excludes no
// difference; no family of attacks succeeds more often against it; and in no
// group with at least [FewestInGroup] pairs does it agree with people on fewer.
// Otherwise the answer is "not proven", and a small co-op will hear it often.
//
// # What a family counts
//
// [Weights] turns how often each family agreed with people into thousandths: in
// proportion to its agreement beyond chance, with two pairs of doubt added, and
// at most [Cap] for any one. Where families are too few for the cap, all count
// alike.
//
// # What it guarantees
//
// Whole numbers throughout; nothing depends on the order of a map, a clock or
// chance but the salt. The test is exact at any size: where bounds of a sum that
// are rounded outwards do not tell, the binomial distribution is summed in integers.
//
// # What it refuses
//
// Comparing judges on different pairs, or on more than [MostPairs], a disclosure
// that is not what was committed to, a pair about which nobody said anything.
package learning

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"distributed.ai/datacoop/internal/fault"
)

// What people, or a judge, made of a pair.
const (
	First  = "first"
	Second = "second"
	Tie    = "tie"
)

// Middle stands for the middle of the scale in a pair made of a panel's verdict.
const Middle = "~middle"

// DiscloseAfter is how many periods a sealed half stays sealed.
const DiscloseAfter = 2

// Faults of this package.
var (
	ErrPairs  = fault.New(fault.Invalid, "calibration-invalid", "These are not pairs that judges can be compared on.")
	ErrSealed = fault.New(fault.Invalid, "holdout-differs", "What was disclosed is not what was committed to.")
)

// Pair is two dossiers and what people said about them.
type Pair struct {
	First  string   `json:"first"` // pseudonyms of dossiers that answer one sheet
	Group  string   `json:"group"` // whom it is about, such as a class of work; judges may not get worse for any
	Period string   `json:"period"`
	Said   []string `json:"said"` // one for each panellist, ties kept
	Second string   `json:"second"`
}

// ID names a pair.
func (p Pair) ID() string { return p.Period + " " + p.First + " " + p.Second }

// Truth is what most of the people said; a tie where no answer has most.
func (p Pair) Truth() string {
	n := map[string]int{}
	for _, s := range p.Said {
		n[s]++
	}
	switch {
	case n[First] > n[Second] && n[First] > n[Tie]:
		return First
	case n[Second] > n[First] && n[Second] > n[Tie]:
		return Second
	}
	return Tie
}

// Of is what two scores say about a pair.
func Of(first, second int64) string {
	switch {
	case first > second:
		return First
	case second > first:
		return Second
	}
	return Tie
}

func check(pairs []Pair) error {
	seen := map[string]bool{}
	for _, p := range pairs {
		bad := func(s string) bool { return s != First && s != Second && s != Tie }
		if seen[p.ID()] || p.First >= p.Second || len(p.Said) == 0 || slices.ContainsFunc(p.Said, bad) {
			return ErrPairs
		}
		seen[p.ID()] = true
	}
	return nil
}

// Check refuses pairs of which one occurs twice, or about which nobody said anything
// that people can say.
func Check(pairs []Pair) error { return check(pairs) }

// OpenSHA256 is the digest of an open half, as the sealed one names it.
func OpenSHA256(open []Pair) string {
	text, err := encode(append([]Pair{}, open...))
	if err != nil {
		panic(err) // strings always encode
	}
	return digest(text)
}

// SpotChecks is how many pairs of a period people are asked about, of as many as
// there are: a twentieth, at least twenty, and never more than there are.
func SpotChecks(pairs int) int { return min(pairs, max(20, (pairs+19)/20)) }

// Holdout is the sealed half of a period's pairs.
type Holdout struct {
	Format string `json:"format"`
	Open   string `json:"open_sha256"` // of the other half, as JSON by id
	Pairs  []Pair `json:"pairs"`       // by id
	Period string `json:"period"`
	Salt   string `json:"salt"` // 64 hex digits, secret until it is disclosed
}

const format = "datacoop-holdout/1"

// Seal halves a period's pairs: those with the smaller half of the digests
// SHA-256(salt ‖ id) are sealed, one more where they are odd. It returns the
// pairs to learn from, the sealed document, and the commitment to publish.
func Seal(period, salt string, pairs []Pair) (open []Pair, sealed []byte, commitment string, err error) {
	if err := check(pairs); err != nil {
		return nil, nil, "", err
	}
	if raw, err := hex.DecodeString(salt); err != nil || len(raw) != 32 {
		return nil, nil, "", ErrPairs.With("salt")
	}
	byDigest := slices.Clone(pairs)
	slices.SortFunc(byDigest, func(a, b Pair) int { return strings.Compare(lot(salt, a), lot(salt, b)) })
	half := (len(pairs) + 1) / 2
	h := Holdout{Format: format, Pairs: append([]Pair{}, byDigest[:half]...), Period: period, Salt: salt}
	slices.SortFunc(h.Pairs, byID)
	open = append([]Pair{}, byDigest[half:]...)
	slices.SortFunc(open, byID)
	left, err := encode(open)
	if err != nil {
		return nil, nil, "", err
	}
	h.Open = digest(left)
	if sealed, err = encode(h); err != nil {
		return nil, nil, "", err
	}
	return open, sealed, digest(sealed), nil
}

func byID(a, b Pair) int { return cmp.Compare(a.ID(), b.ID()) }

func lot(salt string, p Pair) string { return digest([]byte(salt + " " + p.ID())) }

func digest(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

func encode(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), err
}

// Disclose reads a sealed half and holds it against what was published when it
// was sealed: the commitment, and the open pairs of the period, which together
// with it must be what its own salt divides.
func Disclose(commitment string, sealed []byte, open []Pair) (Holdout, error) {
	var h Holdout
	dec := json.NewDecoder(bytes.NewReader(sealed))
	dec.DisallowUnknownFields()
	if dec.Decode(&h) != nil || h.Format != format || digest(sealed) != commitment {
		return Holdout{}, ErrSealed
	}
	_, same, _, err := Seal(h.Period, h.Salt, append(slices.Clone(open), h.Pairs...))
	if err != nil || !bytes.Equal(same, sealed) {
		return Holdout{}, ErrSealed.With("its salt divides other pairs, or divides them otherwise")
	}
	return h, nil
}
