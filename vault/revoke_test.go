package vault

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
)

func TestARevokedDatasetOpensForNobody(t *testing.T) {
	h := newHouse(t)
	d := h.sealed(newPerson(t), noise(300_000))
	r := newResearcher(t)
	before := must[Delivery](t)(h.fetch(r, d.ID))
	receipt := must[Receipt](t)(h.Revoke(t.Context(), d.by.id, d.ID))
	if !receipt.Complete {
		t.Fatalf("pending: %v", receipt.Pending)
	}
	for _, restarted := range []bool{false, true} {
		if restarted {
			h.restart()
		}
		_, err := h.fetch(r, d.ID)
		wants(t, err, errRefused)
		_, err = h.Content(t.Context(), d.by.id, d.ID)
		wants(t, err, ErrRevoked)
		_, err = h.CreateUpload(t.Context(), d.by.id, d.ID, 5_000)
		wants(t, err, ErrRevoked)
		_, err = h.Seal(t.Context(), d.by.id, d.ID, d.input(t))
		wants(t, err, ErrRevoked)
		_, err = h.identity(t.Context(), d.ID)
		wants(t, err, ErrRevoked)
		if fault.KindOf(err) != fault.Gone {
			t.Error("gone for good is not what the caller is told")
		}
	}
	if _, err := before.Open(); !errors.Is(err, ErrRevoked) || !before.Revoked() {
		t.Errorf("an answer from before still opens: %v", err)
	}
	facts := must[Facts](t)(h.Info(t.Context(), d.ID))
	if !facts.Shredded || facts.Revoked == 0 || facts.Profile.Rows != 940 {
		t.Errorf("what past uses are paid by is not there: %+v", facts)
	}
}

// Each search must find its bytes before, or finding nothing after proves
// nothing.
func TestNoByteOfAShreddedDatasetIsLeftInAnyFile(t *testing.T) {
	h := newHouse(t)
	keep := h.sealed(newPerson(t), noise(50_000))
	d := h.sealed(newPerson(t), bytes.Repeat([]byte("13162,8.50,1985,0\n"), 20_000))
	hdr, payload := splitAt(t, d.file)
	grant := must[Delivery](t)(h.fetch(newResearcher(t), d.ID))
	secrets := map[string][]byte{
		"key": h.sealedKey(d.ID), "key's middle": h.sealedKey(d.ID)[40:100],
		"original header": hdr, "granted header": grant.Header, "a stanza": hdr[100:400],
		"payload's start": payload[:4096], "payload's end": payload[len(payload)-4096:],
	}
	if !h.db.Overwrites() { // headers are on a server, and the receipt does not say more than that
		for _, name := range []string{"original header", "granted header", "a stanza"} {
			delete(secrets, name)
		}
	}
	for name, bytes := range secrets {
		if len(h.finds(bytes)) == 0 {
			t.Fatalf("%s is nowhere even before", name)
		}
	}
	receipt := must[Receipt](t)(h.Revoke(t.Context(), d.by.id, d.ID))
	if !receipt.Complete {
		t.Fatalf("pending: %v", receipt.Pending)
	}
	if files := h.db.Overwrites(); says(receipt.Achieved, saidLog) != files || says(receipt.Achieved, saidFreed) == files ||
		says(receipt.NotAchieved, saidServer) == files {
		t.Errorf("what the receipt says of the headers is not so: %+v", receipt)
	}
	for name, bytes := range secrets {
		if where := h.finds(bytes); len(where) != 0 {
			t.Errorf("%s is still in %v", name, where)
		}
	}
	if h.files() != 1 {
		t.Errorf("%d payload files, one belongs to the dataset that stays", h.files())
	}
	if got := readAll(t, must[Delivery](t)(h.Content(t.Context(), keep.by.id, keep.ID))); !bytes.Equal(got, keep.file) {
		t.Error("the other member's dataset suffered")
	}
}

func TestADownloadUnderWayStopsWithinAMebibyte(t *testing.T) {
	h := newHouse(t)
	second := h.another() // a server of its own on the same files
	for name, revoker := range map[string]*Service{"same process": h.Service, "another process": second} {
		d := h.sealed(newPerson(t), noise(12<<20))
		got := must[Delivery](t)(h.fetch(newResearcher(t), d.ID))
		f := must[io.ReadSeekCloser](t)(got.Open())
		if _, err := io.CopyN(io.Discard, f, 3<<20+12_345); err != nil {
			t.Fatal(err)
		}
		must[Receipt](t)(revoker.Revoke(t.Context(), d.by.id, d.ID))
		n, err := io.Copy(io.Discard, f)
		wants(t, err, ErrRevoked)
		if n > 1<<20 {
			t.Errorf("%s: %d bytes came after the revocation", name, n)
		}
		if name == "same process" && n != 0 {
			t.Errorf("%s: %d bytes came although it was known here", name, n)
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		if n, err := f.Read(make([]byte, 10)); n != 0 || !errors.Is(err, ErrRevoked) {
			t.Errorf("%s: starting over gave %d bytes, %v", name, n, err)
		}
		_ = f.Close()
	}
}

func TestASlowDownloadStopsWithinASecond(t *testing.T) {
	h := newHouse(t)
	d := h.sealed(newPerson(t), noise(1<<20))
	second := h.another()
	f := must[io.ReadSeekCloser](t)(must[Delivery](t)(h.fetch(newResearcher(t), d.ID)).Open())
	defer func() { _ = f.Close() }()
	drip := make([]byte, 100)
	if _, err := f.Read(drip); err != nil {
		t.Fatal(err)
	}
	must[Receipt](t)(second.Revoke(t.Context(), d.by.id, d.ID))
	time.Sleep(recheckAfter)
	if _, err := f.Read(drip); !errors.Is(err, ErrRevoked) {
		t.Errorf("a second later: %v", err)
	}
}

// another opens a second vault on the same files, with connections of its own.
func (h *house) another() *Service {
	h.t.Helper()
	twin := &house{t: h.t, dir: h.dir, address: h.address, clock: h.clock, master: h.master}
	twin.start()
	h.t.Cleanup(twin.stop)
	return twin.Service
}

func TestAReaderOfARevokedDatasetGetsNothingWhenTheDatabaseIsDown(t *testing.T) {
	h := newHouse(t)
	d := h.sealed(newPerson(t), noise(3<<20))
	got := must[Delivery](t)(h.fetch(newResearcher(t), d.ID))
	f := must[io.ReadSeekCloser](t)(got.Open())
	defer func() { _ = f.Close() }()
	if err := h.db.Close(); err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, f)
	if err == nil || n > 1<<20 {
		t.Errorf("%d bytes, %v", n, err)
	}
	if !got.Revoked() {
		t.Error("unknown is not revoked")
	}
}

func TestRevokingTwiceAnswersTheSameReceipt(t *testing.T) {
	h := newHouse(t)
	d := h.sealed(newPerson(t), noise(1_000))
	first := must[[]byte](t)(must[Receipt](t)(h.Revoke(t.Context(), d.by.id, d.ID)).JSON())
	h.clock.Advance(time.Hour)
	h.restart()
	again := must[[]byte](t)(must[Receipt](t)(h.Revoke(t.Context(), d.by.id, d.ID)).JSON())
	kept := must[[]byte](t)(must[Receipt](t)(h.Receipt(t.Context(), d.by.id, d.ID)).JSON())
	if !bytes.Equal(first, again) || !bytes.Equal(first, kept) {
		t.Error("the receipts differ")
	}
}

func TestARevocationDoesNotStopWhenTheCallerLeaves(t *testing.T) {
	h := newHouse(t)
	d := h.sealed(newPerson(t), noise(1_000))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r := must[Receipt](t)(h.Revoke(ctx, d.by.id, d.ID)); !r.Complete {
		t.Errorf("pending: %v", r.Pending)
	}
}

func TestWhatIsNotSealedYetIsRevokedWithItsPayload(t *testing.T) {
	h := newHouse(t)
	open := h.open(newPerson(t), noise(1_000))
	half := h.open(newPerson(t), noise(90_000))
	up := must[Upload](t)(h.CreateUpload(t.Context(), half.by.id, half.ID, int64(len(half.file))))
	must[Upload](t)(h.Append(t.Context(), half.by.id, up.ID, 0, bytes.NewReader(half.file[:50_000])))
	whole := h.open(newPerson(t), noise(90_000))
	h.uploaded(whole)
	if h.files() != 2 {
		t.Fatalf("%d files", h.files())
	}
	for _, d := range []draft{open, half, whole} {
		r := must[Receipt](t)(h.Revoke(t.Context(), d.by.id, d.ID))
		if !r.Complete || r.Deliveries != 0 {
			t.Errorf("%+v", r)
		}
	}
	if h.files() != 0 || h.keyCount() != 0 || len(h.finds(whole.file[:500])) != 0 {
		t.Error("something is left")
	}
	_, err := h.Append(t.Context(), half.by.id, up.ID, 50_000, bytes.NewReader(half.file[50_000:]))
	wants(t, err, ErrUploadNotFound)
}

func TestAnUploadUnderWayStopsAndLeavesNoFile(t *testing.T) {
	h := newHouse(t)
	d := h.open(newPerson(t), noise(500_000))
	up := must[Upload](t)(h.CreateUpload(t.Context(), d.by.id, d.ID, int64(len(d.file))))
	slow, feed := io.Pipe()
	done := make(chan error, 1)
	go func() {
		_, err := h.Append(context.Background(), d.by.id, up.ID, 0, slow)
		_ = slow.Close() // who still feeds is let go
		done <- err
	}()
	_, _ = feed.Write(d.file[:200_000])
	must[Receipt](t)(h.Revoke(t.Context(), d.by.id, d.ID))
	_, _ = feed.Write(d.file[200_000:300_000])
	_ = feed.Close()
	wants(t, <-done, ErrRevoked)
	if h.files() != 0 {
		t.Errorf("%d files", h.files())
	}
}

func TestAReceiptClaimsNothingThatIsStillPending(t *testing.T) {
	h := newHouse(t)
	h.patience = 300 * time.Millisecond
	d := h.sealed(newPerson(t), noise(1_000))
	key := h.sealedKey(d.ID)
	release, held := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	go func() { // a reader that holds the keystore's log
		done <- h.keys.View(context.Background(), func(tx *db.Tx) error {
			if err := tx.QueryRow(`SELECT COUNT(*) FROM keystore_keys`).Scan(new(int)); err != nil {
				return err
			}
			close(held)
			<-release
			return nil
		})
	}()
	<-held
	r := must[Receipt](t)(h.Revoke(t.Context(), d.by.id, d.ID))
	if r.Complete || r.ShreddedAt != "" || says(r.Achieved, saidKeyLog) || !says(r.Pending, saidKeyLog) || !says(r.Achieved, saidKey) {
		t.Errorf("%+v", r)
	}
	if len(h.finds(key)) == 0 {
		t.Error("the key's bytes are gone although a reader holds the log: the test proves nothing")
	}
	text := must[[]byte](t)(r.JSON())
	if err := VerifyReceipt(text, testKeyPublic()); err != nil {
		t.Error(err)
	}
	_, err := h.Content(t.Context(), d.by.id, d.ID)
	wants(t, err, ErrRevoked)
	close(release)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := h.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	final := must[Receipt](t)(h.Receipt(t.Context(), d.by.id, d.ID))
	if !final.Complete || final.RevokedAt != r.RevokedAt || len(final.Pending) != 0 || len(h.finds(key)) != 0 {
		t.Errorf("%+v", final)
	}
}

func says(list []Statement, s Statement) bool {
	for _, got := range list {
		if got == s {
			return true
		}
	}
	return false
}
