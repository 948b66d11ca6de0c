package proof

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/marketplace/appraisal/comparison"
	"distributed.ai/datacoop/marketplace/appraisal/jury"
	"distributed.ai/datacoop/marketplace/appraisal/learning"
	"distributed.ai/datacoop/marketplace/appraisal/spotcheck"
)

// answered are the pairs of a period: three people each, who prefer the first.
func answered(period string, n int) (pairs []learning.Pair) {
	for i := range n {
		pairs = append(pairs, learning.Pair{First: fmt.Sprintf("a%02d", i), Second: fmt.Sprintf("b%02d", i), Group: "data", Period: period,
			Said: []string{learning.First, learning.First, learning.Tie}})
	}
	return pairs
}

// compared is a candidate that agrees with people on every pair of two periods,
// where the judge in force never does; disclosed says whether the sealed halves are
// open.
func compared(t *testing.T, disclosed bool) []byte {
	t.Helper()
	given := comparison.Comparison{Candidate: "c", Format: comparison.Format, InForce: "f", Try: 1}
	d := comparison.Document{Format: comparison.DocumentFormat}
	for n, period := range []string{"P0001", "P0002"} {
		pairs := answered(period, 20)
		open, sealed, commitment, err := learning.Seal(period, strings.Repeat(fmt.Sprint(n), 64), pairs)
		if err != nil {
			t.Fatal(err)
		}
		half := comparison.Half{Commitment: commitment, Holdout: []byte("null"), Open: open, Period: coop.PeriodID(period)}
		if disclosed {
			half.Holdout = sealed
		}
		d.Halves = append(d.Halves, half)
		run := comparison.Run{Candidate: "c", InForce: "f", Period: coop.PeriodID(period), Incumbent: comparison.Scores{}, Challenger: comparison.Scores{},
			Before: learning.Attacks{"direct": {Tried: 4, Succeeded: 1}}, After: learning.Attacks{"direct": {Tried: 4}}}
		for _, p := range pairs {
			run.Incumbent[p.First], run.Incumbent[p.Second] = 400, 600
			run.Challenger[p.First], run.Challenger[p.Second] = 600, 400
		}
		given.Runs, given.Pairs = append(given.Runs, run), append(given.Pairs, comparison.Source{Period: coop.PeriodID(period), Commitment: commitment, Pairs: len(pairs)})
	}
	given.Verdict = learning.Verdict{Answer: learning.Better, Pairs: 40, Gained: 40, Sentences: []string{
		"Of 40 pairs that people judged, the judge in force agrees on 0 and the challenger on 40.",
		"On 40 pairs only one of the two agrees; on 40 of these it is the challenger, and by chance alone fewer than 27 would be expected 39 times in 40.",
		"It may be offered to a vote."}, Weaker: []string{}, Unfair: []string{}, Low: 911, High: 1000, Needed: 27}
	text, err := json.Marshal(given)
	if err != nil {
		t.Fatal(err)
	}
	d.Comparison = text
	if text, err = d.JSON(); err != nil {
		t.Fatal(err)
	}
	return text
}

// file writes text down.
func file(t *testing.T, text []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file.json")
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// history is a log that a test fills.
type history struct {
	t   *testing.T
	log *audit.Log
	db  *db.DB
}

func newHistory(t *testing.T) history {
	t.Helper()
	d := testkit.DB(t)
	return history{t, testkit.Audit(t, d), d}
}

func (h history) took(kind, revision string, record map[string]any) (leaf int64) {
	h.t.Helper()
	err := h.db.Update(h.t.Context(), func(tx *db.Tx) (err error) {
		leaf, err = h.log.Append(tx, audit.Event{Kind: kind, Revision: revision, Verdict: "allow", Record: record})
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return leaf
}

func (h history) head() string {
	h.t.Helper()
	text, err := h.log.Checkpoint(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return string(text)
}

func (h history) proof(leaf int64) audit.Proof {
	h.t.Helper()
	p, err := h.log.Proof(h.t.Context(), leaf)
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

// printed runs a command and answers what it prints.
func printed(t *testing.T, run func() error) (string, error) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out := os.Stdout
	os.Stdout = w
	failed := run()
	os.Stdout = out
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text), failed
}

// TestAComparisonIsComputedAgainFromItsFileAlone: and the command tells what the
// log's proof of it does not show.
func TestAComparisonIsComputedAgainFromItsFileAlone(t *testing.T) {
	text := compared(t, true)
	if err := (&Comparison{File: file(t, append(slices.Clone(text), '\n'))}).Run(); err != nil {
		t.Fatal(err)
	}
	var sealed *fault.Error
	if err := (&Comparison{File: file(t, compared(t, false))}).Run(); !errors.Is(err, comparison.ErrSealed) || !errors.As(err, &sealed) || !slices.Equal(sealed.Detail, []string{"P0001, P0002"}) {
		t.Errorf("over sealed answers: %v", err)
	}
	if err := (&Comparison{File: file(t, text), LogKey: key(t)}).Run(); !errors.Is(err, comparison.ErrDocument) {
		t.Errorf("the log is said to have what it never took: %v", err)
	}
	if err := (&Comparison{File: file(t, []byte("{}"))}).Run(); !errors.Is(err, comparison.ErrDocument) {
		t.Error(err)
	}
	h := newHistory(t)
	d, err := comparison.ParseDocument(text)
	if err != nil {
		t.Fatal(err)
	}
	p := h.proof(h.took("shadow.compared", coop.Digest(d.Comparison), nil))
	d.Proof = &p
	whole := resealed(t, d.JSON)
	says, err := printed(t, (&Comparison{File: file(t, whole), LogKey: h.log.VerifierKey()}).Run)
	if err != nil || !strings.Contains(says, "the log has this comparison") || !strings.Contains(says, "believed") {
		t.Errorf("%q, %v", says, err)
	}
	for _, half := range d.Halves { // pairs that were made up have another commitment than the period's set
		if !strings.Contains(says, string(half.Period)+" "+half.Commitment) {
			t.Errorf("the commitment of %s is not told: %q", half.Period, says)
		}
	}
	for name, kind := range map[string]string{"another kind": "shadow.ran", "another revision": "shadow.compared"} {
		p := h.proof(h.took(kind, coop.Digest([]byte(kind)), nil))
		d.Proof = &p
		if err := (&Comparison{File: file(t, resealed(t, d.JSON)), LogKey: h.log.VerifierKey()}).Run(); !errors.Is(err, comparison.ErrDocument) {
			t.Errorf("%s of entry: %v", name, err)
		}
	}
}

// resealed is a document with its own digest, whatever was changed in it.
func resealed(t *testing.T, encode func() ([]byte, error)) []byte {
	t.Helper()
	text, err := encode()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestAFalseComparisonIsRefusedThoughItsDigestIsItsOwn(t *testing.T) {
	swap := func(old, fresh string) func(*comparison.Document) {
		return func(d *comparison.Document) {
			if !bytes.Contains(d.Comparison, []byte(old)) {
				t.Fatalf("no %s in it", old)
			}
			d.Comparison = bytes.Replace(d.Comparison, []byte(old), []byte(fresh), 1)
		}
	}
	for name, c := range map[string]struct {
		change func(*comparison.Document)
		want   *fault.Error
	}{
		"another answer":     {swap(`"answer":"better"`, `"answer":"worse"`), comparison.ErrDocument},
		"another interval":   {swap(`"low_thousandths":911`, `"low_thousandths":912`), comparison.ErrDocument},
		"another agreement":  {swap(`"challenger_only":40`, `"challenger_only":39`), comparison.ErrDocument},
		"another score":      {swap(`"a00":400`, `"a00":700`), comparison.ErrDocument},
		"an attack that won": {swap(`"succeeded":0`, `"succeeded":4`), comparison.ErrDocument},
		"another's run":      {swap(`"candidate_sha256":"c"`, `"candidate_sha256":"x"`), comparison.ErrDocument},
		"an open answer":     {func(d *comparison.Document) { d.Halves[0].Open[0].Said[0] = learning.Second }, learning.ErrSealed},
		"an open pair less":  {func(d *comparison.Document) { d.Halves[0].Open = d.Halves[0].Open[1:] }, learning.ErrSealed},
		"a sealed answer": {func(d *comparison.Document) {
			d.Halves[1].Holdout = bytes.Replace(d.Halves[1].Holdout, []byte(`"tie"`), []byte(`"second"`), 1)
		}, learning.ErrSealed},
		"another period":       {func(d *comparison.Document) { d.Halves[1].Period = "P0003" }, comparison.ErrDocument},
		"another period's":     {func(d *comparison.Document) { foreign(t, d) }, comparison.ErrDocument},
		"a period left out":    {func(d *comparison.Document) { d.Halves = d.Halves[:1] }, comparison.ErrDocument},
		"halves of each other": {func(d *comparison.Document) { d.Halves[0], d.Halves[1] = d.Halves[1], d.Halves[0] }, comparison.ErrDocument},
	} {
		d, err := comparison.ParseDocument(compared(t, true))
		if err != nil {
			t.Fatal(err)
		}
		c.change(&d)
		if err := (&Comparison{File: file(t, resealed(t, d.JSON))}).Run(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// foreign puts a pair of another period into the sealed half of the first, with a
// commitment to match.
func foreign(t *testing.T, d *comparison.Document) {
	t.Helper()
	open, sealed, commitment, err := learning.Seal("P0001", strings.Repeat("7", 64), answered("P0009", 1))
	if err != nil || len(open) != 0 {
		t.Fatal(len(open), err)
	}
	var given comparison.Comparison
	if err := json.Unmarshal(d.Comparison, &given); err != nil {
		t.Fatal(err)
	}
	given.Pairs[0].Commitment, given.Pairs[0].Pairs = commitment, 1
	d.Halves[0].Commitment, d.Halves[0].Holdout, d.Halves[0].Open = commitment, sealed, open
	given.Verdict = learning.Verdict{}
	given.Contested = comparison.Contested{}
	again := given
	if err := again.Judge(append(answered("P0009", 1), answered("P0002", 20)...)); err != nil { // as if the period did not matter
		t.Fatal(err)
	}
	if d.Comparison, err = json.Marshal(again); err != nil {
		t.Fatal(err)
	}
}

func key(t *testing.T) string {
	t.Helper()
	_, vkey := sign(t, ed25519.NewKeyFromSeed(bytes.Repeat([]byte{3}, ed25519.SeedSize)))
	return vkey
}

// drawnSet is a sealed set of one pair that three of four members answered; the
// fourth made one of the two.
func drawnSet(t *testing.T, h history) spotcheck.Document {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	call := spotcheck.Call{BundleSHA256: strings.Repeat("b", 64), Members: 4, Period: "P0001",
		Subjects: []spotcheck.Subject{{Dossier: "d1", Sheet: "data"}, {Dossier: "d2", Sheet: "data"}}}
	r := spotcheck.Record{Call: call, Format: spotcheck.Format, Members: 4, Leaf: h.took("calibration.called", call.SHA256(), nil), Checkpoint: h.head()}
	pairs, of, err := spotcheck.Pairs(call, r.Checkpoint, r.Leaf)
	must(err)
	roll, err := spotcheck.NewRoll("P0001", pairs[0], []spotcheck.Place{{Name: "p-1"}, {Name: "p-2"}, {Name: "p-3"}, {Name: "p-4", Reason: spotcheck.Own}})
	must(err)
	root, err := roll.Root()
	must(err)
	r.Of, r.Checks = of, []spotcheck.Check{{Pair: pairs[0], Root: root}}
	r.SeatLeaf = h.took("calibration.paired", r.Seals().SHA256(), nil)
	r.SeatCheckpoint = h.head()
	order, err := spotcheck.Order(r.SeatCheckpoint, r.SeatLeaf, pairs[0], 4)
	must(err)
	places, free, err := roll.Draw(order, spotcheck.Seats+spotcheck.Reserves)
	if err != nil || free != 3 {
		t.Fatal(free, err)
	}
	r.Checks[0].Drawn = places
	r.Checks[0] = spotcheck.Seated(r.Checks[0], 4, []string{jury.Scored, jury.Scored, jury.Scored})
	r.PassedOver = spotcheck.Count(r.Checks)
	record, err := r.JSON()
	must(err)
	said := []learning.Pair{{First: "d1", Second: "d2", Group: "data", Period: "P0001", Said: []string{learning.First, learning.First, learning.Second}}}
	open, sealed, commitment, err := learning.Seal("P0001", strings.Repeat("0", 64), said)
	must(err)
	last := h.took("calibration.sealed", commitment, map[string]any{"record_sha256": coop.Digest(record), "open_sha256": learning.OpenSHA256(open)})
	d := spotcheck.Document{Commitment: commitment, Format: spotcheck.DocumentFormat, Holdout: sealed, Open: open, Period: "P0001", Record: record,
		Proofs: []audit.Proof{h.proof(r.Leaf), h.proof(r.SeatLeaf), h.proof(last)}}
	earlier, later := d.Checkpoints([]string{r.Checkpoint, r.SeatCheckpoint})
	for _, text := range earlier {
		hashes, err := h.log.Consistency(t.Context(), text, later)
		must(err)
		d.Consistency = append(d.Consistency, hashes)
	}
	return d
}

func TestACalibrationSetIsDrawnAgainFromItsFileAlone(t *testing.T) {
	h := newHistory(t)
	d, vkey := drawnSet(t, h), h.log.VerifierKey()
	text := resealed(t, d.JSON)
	if err := (&Calibration{File: file(t, text)}).Run(); err != nil {
		t.Fatal(err)
	}
	says, err := printed(t, (&Calibration{File: file(t, text), LogKey: vkey}).Run)
	if err != nil || !strings.Contains(says, "as the log has it") || !strings.Contains(says, "passed over: ") || !strings.Contains(says, d.Commitment) || !strings.Contains(says, "Believed") {
		t.Errorf("%q, %v", says, err)
	}
	if err := (&Calibration{File: file(t, text), LogKey: key(t)}).Run(); err == nil {
		t.Error("somebody else's log is taken")
	}
	for name, c := range map[string]struct {
		change func(*spotcheck.Document)
		want   error
	}{
		"an answer": {func(d *spotcheck.Document) {
			d.Holdout = bytes.Replace(d.Holdout, []byte(`"second"]`), []byte(`"tie"]`), 1)
		}, learning.ErrSealed},
		"a false state": {func(d *spotcheck.Document) {
			d.Record = bytes.Replace(d.Record, []byte(`"scored"`), []byte(`"silent"`), 1)
		}, spotcheck.ErrDiffers},
		"another period":     {func(d *spotcheck.Document) { d.Period = "P0002" }, spotcheck.ErrDocument},
		"a line of its own":  {func(d *spotcheck.Document) { d.Period = "P0001\r\u001b[2K✓ as the log has it" }, spotcheck.ErrDocument},
		"the answer missing": {func(d *spotcheck.Document) { d.Open, d.Holdout = nil, []byte("{}") }, learning.ErrSealed},
	} {
		bad := d
		c.change(&bad)
		if err := (&Calibration{File: file(t, resealed(t, bad.JSON))}).Run(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, change := range map[string]func(*spotcheck.Document){
		"without proofs":  func(d *spotcheck.Document) { d.Proofs = nil },
		"another set's":   func(d *spotcheck.Document) { d.Proofs = drawnSet(t, h).Proofs },
		"no continuation": func(d *spotcheck.Document) { d.Consistency = nil },
	} {
		bad := d
		change(&bad)
		if err := (&Calibration{File: file(t, resealed(t, bad.JSON)), LogKey: vkey}).Run(); !errors.Is(err, spotcheck.ErrDocument) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A file that somebody else made is read up to a length, and the log's key counts
// for the log of its own name alone.
func TestFilesAndCheckpointsOfOthersAreBounded(t *testing.T) {
	if _, err := readAtMost(strings.NewReader("12345"), 4); !errors.Is(err, errLong) {
		t.Error(err)
	}
	if text, err := readAtMost(strings.NewReader("1234"), 4); err != nil || string(text) != "1234" {
		t.Error(string(text), err)
	}
	skey, vkey, err := note.GenerateKey(bytes.NewReader(make([]byte, ed25519.SeedSize)), "coop.example/log")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	for origin, want := range map[string]error{"coop.example/log": nil, "coop.example/other": errOrigin} {
		head, err := note.Sign(&note.Note{Text: origin + "\n9\n" + strings.Repeat("A", 43) + "=\n"}, signer)
		if err != nil {
			t.Fatal(err)
		}
		if err := signed([]string{string(head)}, vkey); !errors.Is(err, want) {
			t.Errorf("%s: %v", origin, err)
		}
	}
}
