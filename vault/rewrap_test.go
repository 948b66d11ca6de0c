package vault

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"crypto/sha256"

	"filippo.io/age"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/vault/header"
)

func TestAResearcherOpensWhatConsentPermitsWithStockAge(t *testing.T) {
	h := newHouse(t)
	plain := noise(700_000)
	d := h.sealed(newPerson(t), plain)
	r := newResearcher(t)
	got := must[Delivery](t)(h.fetch(r, d.ID))
	file := readAll(t, got)
	if int64(len(file)) != got.Size {
		t.Errorf("%d bytes, announced were %d", len(file), got.Size)
	}
	if !bytes.Equal(decrypt(t, file, r.age), plain) {
		t.Error("the plaintext is not the member's")
	}
	_, payload := splitAt(t, file)
	_, original := splitAt(t, d.file)
	if !bytes.Equal(payload, original) {
		t.Error("the payload changed on its way")
	}
	if sum := sha256.Sum256(payload); hex.EncodeToString(sum[:]) != got.SHA256 || got.SHA256 != got.Manifest.SHA256 {
		t.Error("the announced hash is not the payload's")
	}
	if _, err := age.Decrypt(bytes.NewReader(file), d.by.age); err == nil {
		t.Error("the delivery opens for the member's key too")
	}
	err := h.db.View(t.Context(), func(tx *db.Tx) error {
		facts, err := h.Facts(tx, d.ID, r.recipient)
		if facts.Size != got.Size {
			t.Errorf("facts say %d bytes, the delivery has %d", facts.Size, got.Size)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheAgeCommandOpensADelivery(t *testing.T) {
	tool, err := exec.LookPath("age")
	if err != nil {
		t.Skip("no age command on this machine")
	}
	h := newHouse(t)
	h.classic = true
	h.restart()
	plain := noise(200_000)
	d := h.sealed(newPerson(t), plain)
	id := must[*age.X25519Identity](t)(age.GenerateX25519Identity())
	r := researcher{coop.RequestID(coop.NewID()), id.Recipient().String(), id}
	dir := t.TempDir()
	keyFile, file := filepath.Join(dir, "key"), filepath.Join(dir, "file.age")
	if err := os.WriteFile(keyFile, []byte(id.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, readAll(t, must[Delivery](t)(h.fetch(r, d.ID))), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), tool, "-d", "-i", keyFile, file).Output()
	if err != nil || !bytes.Equal(out, plain) {
		t.Errorf("age -d: %d bytes, %v", len(out), err)
	}
}

func TestAFileHasTheSameBytesWhileItsHeaderLives(t *testing.T) {
	h := newHouse(t)
	d := h.sealed(newPerson(t), noise(100_000))
	r := newResearcher(t)
	first := must[Delivery](t)(h.fetch(r, d.ID))
	h.clock.Advance(grantLife - time.Minute)
	h.restart()
	again := must[Delivery](t)(h.fetch(r, d.ID))
	if first.ETag != again.ETag || !bytes.Equal(first.Header, again.Header) {
		t.Error("an interrupted download could not go on")
	}
	other := must[Delivery](t)(h.fetch(newResearcher(t), d.ID))
	if other.ETag == first.ETag || bytes.Equal(other.Header, first.Header) {
		t.Error("two requests share a header")
	}
	moved := r
	moved.recipient = newResearcher(t).recipient
	if to := must[Delivery](t)(h.fetch(moved, d.ID)); bytes.Equal(to.Header, first.Header) {
		t.Error("another recipient got the old recipient's header")
	}
	h.clock.Advance(grantLife + time.Minute)
	if err := h.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	last := must[Delivery](t)(h.fetch(r, d.ID))
	if last.ETag == first.ETag {
		t.Error("an expired header came back")
	}
	if got := must[Dataset](t)(h.Get(t.Context(), d.by.id, d.ID)); got.Deliveries != 2 {
		t.Errorf("%d requests are counted, there were 2", got.Deliveries)
	}
}

func TestClosingARequestDeletesItsHeaders(t *testing.T) {
	h := newHouse(t)
	d := h.sealed(newPerson(t), noise(1_000))
	r := newResearcher(t)
	got := must[Delivery](t)(h.fetch(r, d.ID))
	if err := h.db.Update(t.Context(), func(tx *db.Tx) error { return h.CloseRequest(tx, r.request) }); err != nil {
		t.Fatal(err)
	}
	if err := h.db.Truncate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if where := h.finds(got.Header); len(where) != 0 {
		t.Errorf("the header is still in %v", where)
	}
}

func TestNothingIsRewrappedWithoutAPermitOfThisMoment(t *testing.T) {
	h := newHouse(t)
	d := h.sealed(newPerson(t), noise(1_000))
	r := newResearcher(t)
	var kept consent.Permit
	try := func(p func(tx *db.Tx) consent.Permit) error {
		return h.db.Update(t.Context(), func(tx *db.Tx) error {
			_, err := h.Rewrap(tx, p(tx))
			return err
		})
	}
	decide := func(tx *db.Tx) consent.Permit {
		_, p, err := h.consent.Decide(tx, r.ask(), d.ID)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	wants(t, try(func(*db.Tx) consent.Permit { return consent.Permit{} }), ErrPermit)
	if err := try(func(tx *db.Tx) consent.Permit { kept = decide(tx); return kept }); err != nil {
		t.Fatal(err)
	}
	wants(t, try(func(*db.Tx) consent.Permit { return kept }), ErrPermit)
	wants(t, try(func(tx *db.Tx) consent.Permit {
		p := decide(tx)
		h.clock.Advance(11 * time.Minute)
		return p
	}), ErrPermit)
	wants(t, try(func(tx *db.Tx) consent.Permit {
		p := decide(tx)
		h.clock.Advance(-time.Hour)
		return p
	}), ErrPermit)
}

func TestConsentThatIsWithdrawnStopsTheNextDelivery(t *testing.T) {
	h := newHouse(t)
	d := h.sealed(newPerson(t), noise(1_000))
	r := newResearcher(t)
	must[Delivery](t)(h.fetch(r, d.ID))
	must[consent.Record](t)(h.consent.WithdrawDataset(t.Context(), d.by.id, d.ID))
	_, err := h.fetch(r, d.ID)
	wants(t, err, errRefused)
}

func TestClassicRecipientsNeedTheCharter(t *testing.T) {
	h := newHouse(t)
	plain := noise(1_000)
	d := h.sealed(newPerson(t), plain)
	id := must[*age.X25519Identity](t)(age.GenerateX25519Identity())
	r := researcher{coop.RequestID(coop.NewID()), id.Recipient().String(), id}
	_, err := h.fetch(r, d.ID)
	wants(t, err, ErrClassic)
	h.classic = true
	h.restart()
	if got := decrypt(t, readAll(t, must[Delivery](t)(h.fetch(r, d.ID))), id); !bytes.Equal(got, plain) {
		t.Error("the plaintext is not the member's")
	}
	r.recipient = "ssh-ed25519 AAAA"
	_, err = h.fetch(r, d.ID)
	wants(t, err, header.ErrRecipient)
}

func TestAForgedPayloadIsCaughtByTheManifest(t *testing.T) {
	h := newHouse(t)
	pub, key, _ := ed25519.GenerateKey(nil)
	d := h.open(newPerson(t), noise(300_000))
	h.uploaded(d)
	in := d.input(t)
	in.SigningKey, in.Signature = pub, must[[]byte](t)(in.Manifest.Sign(key))
	must[Dataset](t)(h.Seal(t.Context(), d.by.id, d.ID, in))

	// A researcher knows the file key and writes another payload under it.
	r := newResearcher(t)
	got := must[Delivery](t)(h.fetch(r, d.ID))
	fileKey := must[[]byte](t)(header.FileKey(got.Header, r.age))
	forged := join(got.Header, forge(t, fileKey, []byte("heart rate 200")))
	if string(decrypt(t, forged, r.age)) != "heart rate 200" {
		t.Fatal("the forgery is not one: age itself must accept it")
	}
	if err := got.Manifest.Verify(got.SigningKey, got.Signature); err != nil {
		t.Fatal(err)
	}
	_, payload := splitAt(t, forged)
	if hexSHA256(payload) == got.Manifest.SHA256 {
		t.Error("the manifest vouches for the forgery")
	}
	changed := got.Manifest
	changed.SHA256 = hexSHA256(payload)
	wants(t, changed.Verify(got.SigningKey, got.Signature), ErrSignature)
}

// forge encrypts a payload under a known file key, as no honest client does.
func forge(t testing.TB, fileKey, plain []byte) []byte {
	t.Helper()
	file := encrypt(t, plain, fixedKey{fileKey})
	_, payload := splitAt(t, file)
	return payload
}

func TestAStreamSeeksLikeAFile(t *testing.T) {
	h := newHouse(t)
	d := h.sealed(newPerson(t), noise(3<<20))
	r := newResearcher(t)
	got := must[Delivery](t)(h.fetch(r, d.ID))
	whole := readAll(t, got)
	f := must[io.ReadSeekCloser](t)(got.Open())
	defer func() { _ = f.Close() }()
	n := int64(len(got.Header))
	for _, at := range []int64{0, 1, n - 1, n, n + 1, 70_000, 2 << 20, got.Size - 1, got.Size} {
		if pos, err := f.Seek(at, io.SeekStart); pos != at || err != nil {
			t.Fatalf("seek %d: %d, %v", at, pos, err)
		}
		rest, err := io.ReadAll(f)
		if err != nil || !bytes.Equal(rest, whole[at:]) {
			t.Fatalf("from %d: %d bytes, %v", at, len(rest), err)
		}
	}
	if end, err := f.Seek(0, io.SeekEnd); end != got.Size || err != nil {
		t.Errorf("the end is at %d, %v", end, err)
	}
	if pos, err := f.Seek(-5, io.SeekCurrent); pos != got.Size-5 || err != nil {
		t.Errorf("relative: %d, %v", pos, err)
	}
	for _, bad := range []struct {
		off    int64
		whence int
	}{{-1, io.SeekStart}, {-got.Size - 1, io.SeekEnd}, {0, 7}} {
		if _, err := f.Seek(bad.off, bad.whence); err == nil {
			t.Errorf("seek %v was accepted", bad)
		}
	}
	p := must[io.ReadSeekCloser](t)(got.Payload())
	rest := must[[]byte](t)(io.ReadAll(p))
	if !bytes.Equal(rest, whole[n:]) {
		t.Error("the payload alone is not the file after its header")
	}
	_ = p.Close()
}

func TestAPayloadThatLostBytesIsAnErrorNotAnEnd(t *testing.T) {
	h := newHouse(t)
	d := h.sealed(newPerson(t), noise(200_000))
	got := must[Delivery](t)(h.fetch(newResearcher(t), d.ID))
	if err := os.Truncate(h.payloadFile(d.ID), 100_000); err != nil {
		t.Fatal(err)
	}
	f := must[io.ReadSeekCloser](t)(got.Open())
	defer func() { _ = f.Close() }()
	_, err := io.ReadAll(f)
	wants(t, err, io.ErrUnexpectedEOF)
}
