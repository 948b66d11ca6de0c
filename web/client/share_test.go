package client

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/marketplace/codebook"

	"distributed.ai/datacoop/web/client/resume"
)

// export is a synthetic export of about the given number of days, full of
// planted names and addresses.
func export(t *testing.T, days int) codebook.Input {
	t.Helper()
	name, data, err := codebook.Synthesise("fitbit-daily-activity", 7, time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC), days)
	if err != nil {
		t.Fatal(err)
	}
	return codebook.Bytes(name, data)
}

func table(t *testing.T, in codebook.Input) []byte {
	t.Helper()
	reduced, _, err := codebook.Reduce("wearables", in)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := reduced.WriteCSV(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func optionsFor(t *testing.T, id Identity, days int) ShareOptions {
	t.Helper()
	return ShareOptions{Pool: "wearables", Inputs: []codebook.Input{export(t, days)}, Recipient: id.Recipient(), Dir: t.TempDir()}
}

// only is the one dataset the house has.
func (h *house) only(t *testing.T) *stored {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.order) != 1 {
		t.Fatalf("%d datasets", len(h.order))
	}
	return h.datasets[h.order[0]]
}

func opened(t *testing.T, id Identity, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	if _, err := id.Decrypt(&out, bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func leftovers(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestMemberSharesAnExportAndOnlyCiphertextLeaves(t *testing.T) {
	for _, classic := range []bool{false, true} {
		h, c := newHouse(t)
		h.classic = classic
		id := keygen(t, classic)
		key, err := NewSigningKey()
		if err != nil {
			t.Fatal(err)
		}
		o := optionsFor(t, id, 3000)
		o.SigningKey, o.Consent = key, &Terms{Effect: "given", Purposes: []string{"DUO:0000042"}}
		var seen Preview
		var done, total int64
		o.Confirm = func(p Preview) error { seen = p; return nil }
		o.Progress = func(d, t int64) { done, total = d, t }
		got, err := c.Share(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		d, want := h.only(t), table(t, o.Inputs[0])
		if got.ID != d.ID || got.SealedAt == nil || h.recipient != id.Recipient() {
			t.Errorf("sealed %+v", got)
		}
		if !bytes.Equal(opened(t, id, d.got), want) || !bytes.Equal(opened(t, d.identity, d.got), want) {
			t.Error("member and vault do not find the pool's table in what was uploaded")
		}
		if seen.Size != int64(len(want)) || len(seen.Rows) != previewRows || seen.Profile.Rows != 3000 || seen.Profile.Format != "fitbit-daily-activity" {
			t.Errorf("preview %+v", seen)
		}
		if done != total || total != int64(len(d.got)) {
			t.Errorf("progress %d of %d", done, total)
		}
		checkSeal(t, d, key)
		for _, canary := range append(codebook.Planted(), string(want[:40]), strings.Split(string(want), "\n")[1]) {
			if bytes.Contains(h.bodies.Bytes(), []byte(canary)) {
				t.Errorf("%q was sent in the clear", canary)
			}
		}
		if left := leftovers(t, o.Dir); len(left) != 0 {
			t.Errorf("left behind: %v", left)
		}
	}
}

func checkSeal(t *testing.T, d *stored, key ed25519.PrivateKey) {
	t.Helper()
	m := d.seal.Manifest
	if m.Dataset != d.ID || m.VaultRecipient != d.VaultRecipient || m.Terms != "c0ffee" || m.Size >= int64(len(d.got)) {
		t.Errorf("manifest %+v", m)
	}
	canonical, err := m.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	signature, err := base64.StdEncoding.DecodeString(d.seal.Signature)
	if err != nil || !ed25519.Verify(key.Public().(ed25519.PublicKey), canonical, signature) {
		t.Errorf("signature %q: %v", d.seal.Signature, err)
	}
	if c := d.seal.Consent; c == nil || c.Effect != "given" || c.DPV == nil || c.Regions == nil || c.RequesterKinds == nil {
		t.Errorf("consent %+v", c)
	}
}

func TestNothingIsSentBeforeTheMemberAgrees(t *testing.T) {
	h, c := newHouse(t)
	o := optionsFor(t, keygen(t, false), 10)
	no := errors.New("no")
	o.Confirm = func(Preview) error { return no }
	if _, err := c.Share(t.Context(), o); !errors.Is(err, no) {
		t.Errorf("got %v", err)
	}
	if len(h.heard) != 0 || len(leftovers(t, o.Dir)) != 0 {
		t.Errorf("heard %v, left %v", h.heard, leftovers(t, o.Dir))
	}
}

func TestInterruptedShareGoesOnWithTheSameBytes(t *testing.T) {
	h, c := newHouse(t)
	id := keygen(t, false)
	o := optionsFor(t, id, 3600)
	ctx, cancel := context.WithCancel(t.Context())
	o.Progress = func(done, _ int64) {
		if done > 0 {
			cancel()
		}
	}
	if _, err := c.Share(ctx, o); !errors.Is(err, context.Canceled) {
		t.Fatalf("interrupted: %v", err)
	}
	before := bytes.Clone(h.only(t).got)
	if len(before) == 0 || h.only(t).State != "uploading" {
		t.Fatalf("%d bytes, %s", len(before), h.only(t).State)
	}
	var first int64 = -1
	o.Progress = func(done, _ int64) {
		if first < 0 {
			first = done
		}
	}
	if _, err := c.Share(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	d := h.only(t)
	if !bytes.HasPrefix(d.got, before) || first != int64(len(before)) || !bytes.Equal(opened(t, id, d.got), table(t, o.Inputs[0])) {
		t.Errorf("went on at %d after %d bytes", first, len(before))
	}
	if n := h.count("POST /v1/uploads"); n != 1 {
		t.Errorf("%d uploads", n)
	}
}

func TestShareSurvivesDroppedConnections(t *testing.T) {
	h, c := newHouse(t)
	calls := 0
	h.trouble = func(http.ResponseWriter, *http.Request) bool {
		if calls++; calls%3 == 0 {
			panic(http.ErrAbortHandler)
		}
		return false
	}
	o := optionsFor(t, keygen(t, false), 3600)
	if _, err := c.Share(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if h.only(t).SealedAt == nil {
		t.Error("not sealed")
	}
}

func TestSealWhoseAnswerWasLostIsRecognised(t *testing.T) {
	h, c := newHouse(t)
	o := optionsFor(t, keygen(t, false), 10)
	h.trouble = func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/seal") {
			h.seal(&lost{}, withID(r))
			panic(http.ErrAbortHandler)
		}
		return false
	}
	var gone *UnreachableError
	if _, err := c.Share(t.Context(), o); !errors.As(err, &gone) {
		t.Fatalf("first run: %v", err)
	}
	h.troubled(nil)
	if d, err := c.Share(t.Context(), o); err != nil || d.SealedAt == nil {
		t.Errorf("second run: %+v, %v", d, err)
	}
	h.only(t)
}

// lost is an answer that arrives nowhere.
type lost struct{}

func (*lost) Header() http.Header         { return http.Header{} }
func (*lost) Write(b []byte) (int, error) { return len(b), nil }
func (*lost) WriteHeader(int)             {}

func withID(r *http.Request) *http.Request {
	r.SetPathValue("id", strings.Split(r.URL.Path, "/")[3])
	return r
}

func TestShareBeginsAgainWhenItsDatasetWasRevoked(t *testing.T) {
	h, c := newHouse(t)
	o := optionsFor(t, keygen(t, false), 10)
	h.trouble = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPatch {
			refuse(w, 403, "no", "Not now.")
			return true
		}
		return false
	}
	if _, err := c.Share(t.Context(), o); !IsStatus(err, 403) {
		t.Fatalf("first run: %v", err)
	}
	h.trouble = nil
	delete(h.datasets, h.order[0])
	d, err := c.Share(t.Context(), o)
	if err != nil || d.ID != h.order[1] {
		t.Errorf("second run: %+v, %v", d, err)
	}
}

func TestExpiredUploadIsReplacedWithinItsDataset(t *testing.T) {
	h, c := newHouse(t)
	o := optionsFor(t, keygen(t, false), 10)
	h.trouble = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPatch {
			refuse(w, 403, "no", "Not now.")
			return true
		}
		return false
	}
	if _, err := c.Share(t.Context(), o); !IsStatus(err, 403) {
		t.Fatalf("first run: %v", err)
	}
	h.trouble = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodHead {
			w.WriteHeader(http.StatusGone)
			return true
		}
		return false
	}
	if _, err := c.Share(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if h.only(t).SealedAt == nil || h.count("POST /v1/uploads") != 2 || h.count("DELETE /v1/uploads") != 1 {
		t.Errorf("heard %v", h.heard)
	}
}

func TestDamagedCiphertextIsMadeAnew(t *testing.T) {
	h, c := newHouse(t)
	id := keygen(t, false)
	o := optionsFor(t, id, 3600)
	ctx, cancel := context.WithCancel(t.Context())
	o.Progress = func(done, _ int64) {
		if done > 0 {
			cancel()
		}
	}
	if _, err := c.Share(ctx, o); !errors.Is(err, context.Canceled) {
		t.Fatalf("interrupted: %v", err)
	}
	kept, err := filepath.Glob(filepath.Join(o.Dir, "*.age"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("kept %v", kept)
	}
	data, err := os.ReadFile(kept[0])
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-1] ^= 1
	if err := os.WriteFile(kept[0], data, 0o600); err != nil {
		t.Fatal(err)
	}
	o.Progress = nil
	if _, err := c.Share(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(opened(t, id, h.only(t).got), table(t, o.Inputs[0])) {
		t.Error("the dataset is not the table")
	}
}

func TestOtherContentIsAnotherUpload(t *testing.T) {
	h, c := newHouse(t)
	o := optionsFor(t, keygen(t, false), 10)
	o.Raw = true
	for range 2 {
		if _, err := c.Share(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		o.Raw = false
	}
	if len(h.order) != 2 || !h.datasets[h.order[0]].seal.Raw || h.datasets[h.order[1]].seal.Raw {
		t.Errorf("%d datasets", len(h.order))
	}
}

func TestRawFileIsSharedAsItIs(t *testing.T) {
	h, c := newHouse(t)
	id := keygen(t, false)
	in := codebook.Bytes("genome.txt", []byte("# rsid\tchromosome\nrs1\t1\n"))
	o := ShareOptions{Pool: "genotype", Inputs: []codebook.Input{in}, Raw: true, Recipient: id.Recipient(), Dir: t.TempDir()}
	if _, err := c.Share(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	d := h.only(t)
	if string(opened(t, id, d.got)) != "# rsid\tchromosome\nrs1\t1\n" || !d.seal.Raw || d.seal.Profile.Columns == nil {
		t.Errorf("sealed %+v", d.seal)
	}
}

func TestWhatCannotBeSharedIsRefusedBeforeAnyCall(t *testing.T) {
	h, c := newHouse(t)
	id := keygen(t, false)
	good, odd := export(t, 10), codebook.Bytes("notes.txt", []byte("dear diary"))
	for name, o := range map[string]ShareOptions{
		"unknown file":       {Pool: "wearables", Inputs: []codebook.Input{odd}, Recipient: id.Recipient()},
		"unknown among good": {Pool: "wearables", Inputs: []codebook.Input{good, odd}, Recipient: id.Recipient()},
		"wrong pool":         {Pool: "energy", Inputs: []codebook.Input{good}, Recipient: id.Recipient()},
		"raw, wrong pool":    {Pool: "energy", Inputs: []codebook.Input{good}, Recipient: id.Recipient(), Raw: true},
		"raw, two files":     {Pool: "wearables", Inputs: []codebook.Input{good, good}, Recipient: id.Recipient(), Raw: true},
		"pool without table": {Pool: "genotype", Inputs: []codebook.Input{good}, Recipient: id.Recipient()},
		"no file":            {Pool: "wearables", Recipient: id.Recipient()},
		"no recipient":       {Pool: "wearables", Inputs: []codebook.Input{good}},
		"secret as public":   {Pool: "wearables", Inputs: []codebook.Input{good}, Recipient: "AGE-SECRET-KEY-1"},
	} {
		o.Dir = t.TempDir()
		_, err := c.Share(t.Context(), o)
		if err == nil {
			t.Errorf("%s was shared", name)
		}
		if strings.HasPrefix(name, "unknown") && (!errors.Is(err, codebook.ErrUnknownFormat) || !strings.Contains(err.Error(), "notes.txt")) {
			t.Errorf("%s: %v", name, err)
		}
		if left := leftovers(t, o.Dir); len(left) != 0 {
			t.Errorf("%s left %v", name, left)
		}
	}
	if len(h.heard) != 0 {
		t.Errorf("heard %v", h.heard)
	}
}

func TestKindsOfRecipientAreNotMixed(t *testing.T) {
	h, c := newHouse(t)
	h.recipient = keygen(t, true).Recipient()
	if _, err := c.Share(t.Context(), optionsFor(t, keygen(t, false), 10)); !errors.Is(err, errKind) || len(h.order) != 0 {
		t.Errorf("registered otherwise: %v", err)
	}
	h, c = newHouse(t)
	h.classic = true
	if _, err := c.Share(t.Context(), optionsFor(t, keygen(t, false), 10)); !errors.Is(err, errKind) || h.count("POST /v1/uploads") != 0 {
		t.Errorf("vault of another kind: %v", err)
	}
}

func TestVaultRecipientThatIsNoneIsRefused(t *testing.T) {
	h, c := newHouse(t)
	h.trouble = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost && r.URL.Path == "/v1/datasets" {
			h.tell(w, r, 201, Dataset{ID: "d1", VaultRecipient: "ssh-ed25519 AAAA"})
			return true
		}
		return false
	}
	_, err := c.Share(t.Context(), optionsFor(t, keygen(t, false), 10))
	if fault.KindOf(err) != fault.Invalid || h.count("POST /v1/uploads") != 0 {
		t.Errorf("got %v", err)
	}
}

func TestShareRefusedFromTheStartLeavesNothing(t *testing.T) {
	h, c := newHouse(t)
	h.trouble = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/v1/datasets" {
			refuse(w, 422, "unknown-pool", "The co-op has no pool of that name.")
			return true
		}
		return false
	}
	o := optionsFor(t, keygen(t, false), 10)
	_, err := c.Share(t.Context(), o)
	if !IsStatus(err, 422) || err.Error() != "The co-op has no pool of that name." || len(leftovers(t, o.Dir)) != 0 {
		t.Errorf("%v, left %v", err, leftovers(t, o.Dir))
	}
}

func TestFileLargerThanTheCoopTakesIsNotUploaded(t *testing.T) {
	h, c := newHouse(t)
	h.maxBytes = 100
	o := optionsFor(t, keygen(t, false), 10)
	if _, err := c.Share(t.Context(), o); err == nil || !strings.Contains(err.Error(), "larger") || h.count("POST /v1/uploads") != 0 {
		t.Errorf("got %v", err)
	}
	if left := leftovers(t, o.Dir); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}

func TestFileThatChangesWhileItIsReadIsRefused(t *testing.T) {
	h, c := newHouse(t)
	path := filepath.Join(t.TempDir(), "genome.txt")
	if err := os.WriteFile(path, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	in, err := InputFile(path)
	if err != nil {
		t.Fatal(err)
	}
	o := ShareOptions{Pool: "genotype", Inputs: []codebook.Input{in}, Raw: true, Recipient: keygen(t, false).Recipient(), Dir: t.TempDir()}
	o.Confirm = func(Preview) error { return os.WriteFile(path, []byte("after"), 0o600) }
	if _, err := c.Share(t.Context(), o); !errors.Is(err, errChanged) || h.count("POST /v1/uploads") != 0 {
		t.Errorf("got %v", err)
	}
}

func TestDamagedJournalIsNoObstacle(t *testing.T) {
	h, c := newHouse(t)
	o := optionsFor(t, keygen(t, false), 10)
	h.trouble = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPatch {
			refuse(w, 403, "no", "Not now.")
			return true
		}
		return false
	}
	if _, err := c.Share(t.Context(), o); !IsStatus(err, 403) {
		t.Fatalf("first run: %v", err)
	}
	h.trouble = nil
	kept, err := filepath.Glob(filepath.Join(o.Dir, "*.json"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("kept %v", kept)
	}
	if err := os.WriteFile(kept[0], []byte(`{"key":`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Share(t.Context(), o); err != nil {
		t.Error(err)
	}
}

func TestAbandonedUploadsAreSweptAway(t *testing.T) {
	_, c := newHouse(t)
	o := optionsFor(t, keygen(t, false), 10)
	old, young := filepath.Join(o.Dir, "old.age"), filepath.Join(o.Dir, "young.age")
	for _, path := range []string{old, young} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	long := time.Now().Add(-resume.Abandoned - time.Hour)
	if err := os.Chtimes(old, long, long); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Share(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if left := leftovers(t, o.Dir); len(left) != 1 || left[0] != "young.age" {
		t.Errorf("left %v", left)
	}
}
