package marketplace

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/marketplace/appraisal/comparison"
	"distributed.ai/datacoop/marketplace/appraisal/learning"
	"distributed.ai/datacoop/marketplace/appraisal/spotcheck"
	"distributed.ai/datacoop/marketplace/shadow"
)

// everyByte changes one byte after the other, at distances, and wants each noticed.
func everyByte(t *testing.T, text []byte, check func([]byte) error) {
	t.Helper()
	if err := check(text); err != nil {
		t.Fatal(err)
	}
	const samples = 150
	for n := range samples {
		at := n * (len(text) - 1) / (samples - 1)
		bad := slices.Clone(text)
		if bad[at] ^= 1; check(bad) == nil {
			t.Errorf("byte %d, in %q, was changed and nobody noticed", at, text[max(0, at-20):min(len(text), at+20)])
		}
	}
}

func (h *house) set(id coop.PeriodID) spotcheck.Document {
	h.t.Helper()
	return must[spotcheck.Document](h.t)(spotcheck.ParseDocument(must[[]byte](h.t)(h.CalibrationDocument(h.ctx(), id))))
}

func recomputedSet(text []byte) error {
	d, err := spotcheck.ParseDocument(text)
	if err == nil {
		_, err = d.Recompute()
	}
	return err
}

func recomputedComparison(text []byte) error {
	d, err := comparison.ParseDocument(text)
	if err == nil {
		_, err = d.Recompute()
	}
	return err
}

// TestAStrangerComputesSetsAndComparisonsAgain: what a co-op publishes of two
// periods that people judged, and of a candidate that ran in them, is computed
// again from the files alone once the sealed halves are disclosed, and held against
// the log's key.
func TestAStrangerComputesSetsAndComparisonsAgain(t *testing.T) {
	h := apart(t, 6)
	t.Cleanup(func() { h.sound() })
	s, key := h.scientist(), h.log.VerifierKey()
	c := must[shadow.Candidate](t)(h.Enter(h.ctx(), h.bea, shadow.Entry{Title: "T", Why: "W", Form: []byte(`rubric = "x"`)}))
	_, err := h.CalibrationDocument(h.ctx(), "P0001")
	h.refused(err, ErrNotFound)
	_, err = h.ComparisonDocument(h.ctx(), c.ID)
	h.refused(err, ErrNotFound)
	for _, id := range []coop.PeriodID{"P0001", "P0002"} {
		h.held(id, s)
		_, err = h.CalibrationDocument(h.ctx(), id)
		h.refused(err, ErrState)
		h.checked()
		h.ended(id, governance.Yes)
	}
	text := must[[]byte](t)(h.ComparisonDocument(h.ctx(), c.ID))
	if err := recomputedComparison(text); !errors.Is(err, comparison.ErrSealed) {
		t.Fatalf("over sealed answers: %v", err)
	}
	sealed := h.set("P0001")
	if drawn, err := sealed.Recompute(); err != nil || sealed.Disclosed() || sealed.Witness(drawn, key) != nil {
		t.Fatal(err, sealed.Disclosed(), sealed.Witness(drawn, key))
	}
	h.falseOpenHalf(key)
	must[shadow.Candidate](t)(h.Withdraw(h.ctx(), h.bea, c.ID)) // else every further period is compared too
	for _, id := range []coop.PeriodID{"P0003", "P0004"} {
		h.held(id, s)
		h.checked()
		h.ended(id, governance.Yes)
	}
	h.falseSets(key)
	h.falseComparisons(c.ID, key)
}

// falseOpenHalf: while the other half is sealed, the log tells which open one it was.
func (h *house) falseOpenHalf(key string) {
	h.t.Helper()
	for name, change := range map[string]func(*spotcheck.Document){
		"an answer":       func(d *spotcheck.Document) { d.Open[0].Said[0] = otherThan(d.Open[0].Said[0]) },
		"a pair left out": func(d *spotcheck.Document) { d.Open = d.Open[1:] },
		"a panel's verdict": func(d *spotcheck.Document) {
			d.Open = append(d.Open, learning.Pair{First: "made-up", Group: "work", Period: d.Period, Said: []string{learning.First, learning.First, learning.First}, Second: learning.Middle})
		},
	} {
		d := h.set("P0001")
		change(&d)
		drawn, err := d.Recompute()
		if err != nil || !d.OpenNoted() || !errors.Is(d.Witness(drawn, key), spotcheck.ErrDocument) {
			h.t.Errorf("%s: %v; the log is said to have it", name, err)
		}
	}
}

// unlogged is a checkpoint that the log's key signed and its history does not have.
func (h *house) unlogged(checkpoint string) string {
	h.t.Helper()
	lines := strings.Split(checkpoint, "\n")
	root := sha256.Sum256([]byte("tried until friends were drawn"))
	signer := testkit.Key()
	name, _, _ := strings.Cut(h.log.VerifierKey(), "+")
	private := fmt.Sprintf("PRIVATE+KEY+%s+%s+%s", name, strings.Split(h.log.VerifierKey(), "+")[1], base64.StdEncoding.EncodeToString(append([]byte{1}, signer.Seed()...)))
	by := must[note.Signer](h.t)(note.NewSigner(private))
	return string(must[[]byte](h.t)(note.Sign(&note.Note{Text: lines[0] + "\n" + lines[1] + "\n" + base64.StdEncoding.EncodeToString(root[:]) + "\n"}, by)))
}

// falseDraws: a draw is by checkpoints of the log's one history, taken when they had
// to be, whoever signed others.
func (h *house) falseDraws(d spotcheck.Document, drawn spotcheck.Redrawn, key string) {
	h.t.Helper()
	for at := range drawn.Checkpoints {
		bad := drawn
		bad.Checkpoints = slices.Clone(drawn.Checkpoints)
		bad.Checkpoints[at] = h.unlogged(drawn.Checkpoints[at])
		if err := d.Witness(bad, key); !errors.Is(err, spotcheck.ErrDocument) {
			h.t.Errorf("a checkpoint that the log never had: %v", err)
		}
		_, last := d.Checkpoints(drawn.Checkpoints)
		bad.Checkpoints[at] = string(last) // of this history, and far too late
		late := d
		late.Consistency = slices.Clone(d.Consistency)
		late.Consistency[at] = must[[]tlog.Hash](h.t)(h.log.Consistency(h.ctx(), last, last))
		if err := late.Witness(bad, key); !errors.Is(err, spotcheck.ErrDocument) {
			h.t.Errorf("a checkpoint from after what it decides: %v", err)
		}
	}
}

func (h *house) falseSets(key string) {
	t := h.t.(*testing.T)
	text := must[[]byte](t)(h.CalibrationDocument(h.ctx(), "P0001"))
	everyByte(t, text, recomputedSet)
	d := h.set("P0001")
	drawn := must[spotcheck.Redrawn](t)(d.Recompute())
	h.ok(d.Witness(drawn, key))
	h.falseDraws(d, drawn, key)
	if drawn.Checks == 0 || len(drawn.Passed) != len(spotcheck.Reasons) || !d.Disclosed() {
		t.Errorf("%+v", drawn)
	}
	for name, change := range map[string]func(*spotcheck.Document){
		"an open answer":  func(d *spotcheck.Document) { d.Open[0].Said[0] = otherThan(d.Open[0].Said[0]) },
		"a pair left out": func(d *spotcheck.Document) { d.Open = d.Open[1:] },
		"a pair added":    func(d *spotcheck.Document) { d.Open[0].First = "made-up" },
		"another period":  func(d *spotcheck.Document) { d.Period = "P0002" },
		"the half sealed": func(d *spotcheck.Document) { d.Holdout = []byte("null"); d.Open[0].First = "made-up" },
		"a seat's state": func(d *spotcheck.Document) {
			d.Record = bytes.Replace(d.Record, []byte(`"scored"`), []byte(`"silent"`), 1)
		},
		"another record":    func(d *spotcheck.Document) { d.Record = h.set("P0002").Record },
		"another half":      func(d *spotcheck.Document) { d.Holdout = h.set("P0002").Holdout },
		"a half of nothing": func(d *spotcheck.Document) { d.Holdout = []byte("{}") },
	} {
		bad := h.set("P0001")
		change(&bad)
		if err := recomputedSet(must[[]byte](t)(bad.JSON())); err == nil {
			t.Errorf("%s: nobody noticed", name)
		}
	}
	for name, change := range map[string]func(*spotcheck.Document){
		"another commitment": func(d *spotcheck.Document) { d.Commitment = h.set("P0002").Commitment },
		"no proofs":          func(d *spotcheck.Document) { d.Proofs = nil },
		"another's proofs":   func(d *spotcheck.Document) { d.Proofs = h.set("P0002").Proofs },
		"proofs in disorder": func(d *spotcheck.Document) { d.Proofs[0], d.Proofs[1] = d.Proofs[1], d.Proofs[0] },
		"a false path":       func(d *spotcheck.Document) { d.Proofs[2].Hashes[0][0] ^= 1 },
		"no one history":     func(d *spotcheck.Document) { d.Consistency = nil },
		"another's history":  func(d *spotcheck.Document) { d.Consistency = h.set("P0002").Consistency },
	} {
		bad := h.set("P0001")
		change(&bad)
		if bad.Witness(drawn, key) == nil {
			t.Errorf("%s: the log is said to have it", name)
		}
	}
	if other := testkey; d.Witness(drawn, other) == nil {
		t.Error("somebody else's log is taken")
	}
}

// testkey is the verifier key of another log.
const testkey = "coop.example/log+00000000+AZrK5QDxyxCFjb2rdrmXNUsS0XZ40g6hLLFLuB2oSTDB"

func otherThan(said string) string {
	if said == learning.First {
		return learning.Second
	}
	return learning.First
}

func (h *house) falseComparisons(candidate, key string) {
	t := h.t.(*testing.T)
	text := must[[]byte](t)(h.ComparisonDocument(h.ctx(), candidate))
	everyByte(t, text, recomputedComparison)
	document := func() comparison.Document { return must[comparison.Document](t)(comparison.ParseDocument(text)) }
	d := document()
	c := must[shadow.Comparison](t)(d.Recompute())
	h.ok(d.Witness(key))
	if c.Verdict.Pairs == 0 || len(c.Runs) != 2 || len(c.Runs[0].After) == 0 {
		t.Errorf("%+v", c.Verdict)
	}
	within := func(change func(*shadow.Comparison)) func(*comparison.Document) {
		return func(d *comparison.Document) {
			var c shadow.Comparison
			h.ok(json.Unmarshal(d.Comparison, &c))
			change(&c)
			d.Comparison = must[[]byte](t)(json.Marshal(c))
		}
	}
	for name, change := range map[string]func(*comparison.Document){
		"a better answer":      within(func(c *shadow.Comparison) { c.Verdict.Answer = "betters" }),
		"a narrower interval":  within(func(c *shadow.Comparison) { c.Verdict.Low++ }),
		"another agreement":    within(func(c *shadow.Comparison) { c.Verdict.Gained++ }),
		"an attack forgotten":  within(func(c *shadow.Comparison) { c.Verdict.Weaker = append(c.Verdict.Weaker, "direct") }),
		"a group forgotten":    within(func(c *shadow.Comparison) { c.Verdict.Unfair = append(c.Verdict.Unfair, "data") }),
		"panels counted":       within(func(c *shadow.Comparison) { c.Contested.Pairs++ }),
		"one period less":      within(func(c *shadow.Comparison) { c.Runs, c.Pairs = c.Runs[1:], c.Pairs[1:] }),
		"one period twice":     within(func(c *shadow.Comparison) { c.Runs[1] = c.Runs[0] }),
		"a run of another":     within(func(c *shadow.Comparison) { c.Runs[0].Candidate = c.InForce }),
		"a form not in force":  within(func(c *shadow.Comparison) { c.Runs[0].InForce = c.Candidate }),
		"fewer pairs":          within(func(c *shadow.Comparison) { c.Pairs[0].Pairs-- }),
		"an answer":            func(d *comparison.Document) { d.Halves[0].Open[0].Said[0] = otherThan(d.Halves[0].Open[0].Said[0]) },
		"a half left out":      func(d *comparison.Document) { d.Halves = d.Halves[:1] },
		"halves exchanged":     func(d *comparison.Document) { d.Halves[0], d.Halves[1] = d.Halves[1], d.Halves[0] },
		"a half sealed again":  func(d *comparison.Document) { d.Halves[1].Holdout = []byte("null") },
		"a comparison at all":  func(d *comparison.Document) { d.Comparison = []byte("{}") },
		"a format of its own":  func(d *comparison.Document) { d.Format = "datacoop-comparison-record/9" },
		"another's commitment": func(d *comparison.Document) { d.Halves[0].Commitment = d.Halves[1].Commitment },
	} {
		bad := document()
		change(&bad)
		if err := recomputedComparison(must[[]byte](t)(bad.JSON())); err == nil {
			t.Errorf("%s: nobody noticed", name)
		}
	}
	bad := document()
	within(func(c *shadow.Comparison) { c.Try++ })(&bad) // what the files alone cannot tell, the log does
	if bad.Witness(key) == nil || document().Witness(testkey) == nil {
		t.Error("the log is said to have another comparison")
	}
	if bad.Proof = nil; bad.Witness(key) == nil {
		t.Error("without a proof the log is said to have it")
	}
}
