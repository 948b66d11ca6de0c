package vault

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"testing/iotest"
	"time"

	"filippo.io/age"
	"filippo.io/age/armor"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/vault/header"
)

func TestAnUploadGoesOnAfterARestartWhereItStood(t *testing.T) {
	h := newHouse(t)
	d := h.open(newPerson(t), noise(900_000))
	up := must[Upload](t)(h.CreateUpload(t.Context(), d.by.id, d.ID, int64(len(d.file))))
	// cuts in the intro, in the header, at its end, inside a chunk and at no bytes at all
	hdr, _, _ := header.Split(bytes.NewReader(d.file))
	cuts := []int{0, 7, 7, 1000, len(hdr), len(hdr) + 1, 70_000, 400_000, 400_000, len(d.file) - 1, len(d.file)}
	for i := 1; i < len(cuts); i++ {
		var err error
		up, err = h.Append(t.Context(), d.by.id, up.ID, int64(cuts[i-1]), bytes.NewReader(d.file[cuts[i-1]:cuts[i]]))
		if err != nil || up.Offset != int64(cuts[i]) {
			t.Fatalf("part %d: at %d, %v", i, up.Offset, err)
		}
		h.restart()
	}
	sum := sha256.Sum256(d.file[len(hdr):])
	if !up.Complete || up.PayloadSHA256 != hex.EncodeToString(sum[:]) || up.PayloadSize != int64(len(d.file)-len(hdr)) {
		t.Errorf("the hash that was carried along is not the payload's: %+v", up)
	}
	must[Dataset](t)(h.Seal(t.Context(), d.by.id, d.ID, d.input(t)))
	if got := readAll(t, must[Delivery](t)(h.Content(t.Context(), d.by.id, d.ID))); !bytes.Equal(got, d.file) {
		t.Error("the member does not get back what was uploaded")
	}
}

func TestBytesThatWereNeverAcknowledgedDoNotCount(t *testing.T) {
	h := newHouse(t)
	d := h.open(newPerson(t), noise(300_000))
	up := must[Upload](t)(h.CreateUpload(t.Context(), d.by.id, d.ID, int64(len(d.file))))
	up = must[Upload](t)(h.Append(t.Context(), d.by.id, up.ID, 0, bytes.NewReader(d.file[:100_000])))
	// A crash after the write and before the commit leaves a tail.
	path := filepath.Join(h.dir, "blobs", "partial", h.row(up.ID).Blob)
	f := must[*os.File](t)(os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0))
	_, _ = f.Write(noise(400_000)) // longer than what is still to come
	_ = f.Close()
	h.restart()
	up = must[Upload](t)(h.Append(t.Context(), d.by.id, up.ID, up.Offset, bytes.NewReader(d.file[100_000:])))
	if up.PayloadSHA256 != d.manifest(t).SHA256 {
		t.Error("the torn tail became part of the payload")
	}
	must[Dataset](t)(h.Seal(t.Context(), d.by.id, d.ID, d.input(t)))
	if n, err := h.intact(); n != 1 || err != nil {
		t.Errorf("verify: %d, %v", n, err)
	}
}

func TestACrashBetweenMoveAndCommitLosesNothing(t *testing.T) {
	h := newHouse(t)
	d := h.open(newPerson(t), noise(100_000))
	up := must[Upload](t)(h.CreateUpload(t.Context(), d.by.id, d.ID, int64(len(d.file))))
	up = must[Upload](t)(h.Append(t.Context(), d.by.id, up.ID, 0, bytes.NewReader(d.file[:90_000])))
	if err := h.blobs.Finish(t.Context(), h.row(up.ID).Blob); err != nil {
		t.Fatal(err)
	}
	h.restart()
	if err := h.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	up = must[Upload](t)(h.Append(t.Context(), d.by.id, up.ID, up.Offset, bytes.NewReader(d.file[90_000:])))
	if !up.Complete || up.PayloadSHA256 != d.manifest(t).SHA256 {
		t.Errorf("%+v", up)
	}
}

func TestABrokenConnectionCostsNoByte(t *testing.T) {
	h := newHouse(t)
	d := h.open(newPerson(t), noise(300_000))
	up := must[Upload](t)(h.CreateUpload(t.Context(), d.by.id, d.ID, int64(len(d.file))))
	gone := errors.New("connection reset")
	ctx, cancel := context.WithCancel(t.Context())
	r := io.MultiReader(bytes.NewReader(d.file[:123_456]), readerFunc(func([]byte) (int, error) { cancel(); return 0, gone }))
	up, err := h.Append(ctx, d.by.id, up.ID, 0, r)
	wants(t, err, gone)
	if up.Offset != 123_456 {
		t.Fatalf("kept %d bytes", up.Offset)
	}
	up = must[Upload](t)(h.Append(t.Context(), d.by.id, up.ID, up.Offset, bytes.NewReader(d.file[up.Offset:])))
	if !up.Complete {
		t.Error("the upload is not complete")
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestAPartWithAWrongChecksumIsForgotten(t *testing.T) {
	h := newHouse(t)
	d := h.open(newPerson(t), noise(200_000))
	up := must[Upload](t)(h.CreateUpload(t.Context(), d.by.id, d.ID, int64(len(d.file))))
	_, err := h.Append(t.Context(), d.by.id, up.ID, 0, io.MultiReader(bytes.NewReader(d.file[:150_000]), iotest.ErrReader(ErrDiscard)))
	wants(t, err, ErrDiscard)
	if now := must[Upload](t)(h.Upload(t.Context(), d.by.id, up.ID)); now.Offset != 0 {
		t.Fatalf("the upload stands at %d", now.Offset)
	}
	h.uploadedInto(up, d)
}

func (h *house) uploadedInto(up Upload, d draft) {
	h.t.Helper()
	up = must[Upload](h.t)(h.Append(h.t.Context(), d.by.id, up.ID, up.Offset, bytes.NewReader(d.file[up.Offset:])))
	if !up.Complete {
		h.t.Fatal("not complete")
	}
}

func TestWhatIsNoAgeFileIsRefusedAtOnceAndNothingChanges(t *testing.T) {
	h := newHouse(t)
	by := newPerson(t)
	d := h.open(by, noise(5_000))
	vault, _, _ := header.ParseRecipient(d.VaultRecipient)
	classic := must[*age.X25519Identity](t)(age.GenerateX25519Identity())
	pass := must[*age.ScryptRecipient](t)(age.NewScryptRecipient("correct horse"))
	pass.SetWorkFactor(10)
	var armored bytes.Buffer
	w := armor.NewWriter(&armored)
	_, _ = w.Write(d.file)
	_ = w.Close()
	ninth := make([]age.Recipient, 9)
	for i := range ninth {
		ninth[i] = classic.Recipient()
	}
	pq, _ := splitAt(t, encrypt(t, nil, vault))
	cl, _ := splitAt(t, encrypt(t, nil, classic.Recipient()))
	mixed := join(pq[:bytes.Index(pq, []byte("\n---"))+1], cl[bytes.Index(cl, []byte("->")):], make([]byte, 200))
	cases := map[string]struct {
		file []byte
		want error
	}{
		"plaintext":        {bytes.Repeat([]byte("2016-04-12,13162\n"), 100), header.ErrNotAge},
		"zip":              {append([]byte("PK\x03\x04"), make([]byte, 1000)...), header.ErrNotAge},
		"armored":          {armored.Bytes(), header.ErrArmored},
		"passphrase":       {encrypt(t, noise(5_000), pass), header.ErrPassphrase},
		"nine recipients":  {encrypt(t, noise(5_000), ninth...), header.ErrStanzas},
		"mixed":            {mixed, header.ErrMixed},
		"oversized header": {join([]byte("age-encryption.org/v1\n"), bytes.Repeat(cl[22:120], 300)), header.ErrTooLarge},
		"header only":      {pq, header.ErrPayloadSize},
		"cut header":       {d.file[:1000], header.ErrTruncated},
		"a stump":          {d.file[:len(d.file)-5_010], header.ErrPayloadSize},
	}
	for name, c := range cases {
		up := must[Upload](t)(h.CreateUpload(t.Context(), by.id, d.ID, int64(len(c.file))))
		_, err := h.Append(t.Context(), by.id, up.ID, 0, bytes.NewReader(c.file))
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
		now := must[Upload](t)(h.Upload(t.Context(), by.id, up.ID))
		if now.Offset != 0 || now.Complete {
			t.Errorf("%s: the upload moved to %d", name, now.Offset)
		}
		if err := h.Cancel(t.Context(), by.id, up.ID); err != nil {
			t.Fatal(err)
		}
	}
	if h.files() != 0 {
		t.Errorf("%d files are left", h.files())
	}
	h.uploaded(d)
}

func splitAt(t testing.TB, file []byte) (hdr, payload []byte) {
	t.Helper()
	hdr, rest, err := header.Split(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	return hdr, must[[]byte](t)(io.ReadAll(rest))
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func TestAHeaderIsJudgedBeforeItsPayloadIsSent(t *testing.T) {
	h := newHouse(t)
	by := newPerson(t)
	d := h.open(by, nil)
	up := must[Upload](t)(h.CreateUpload(t.Context(), by.id, d.ID, maxBytes))
	sent := 0
	endless := readerFunc(func(p []byte) (int, error) {
		n := copy(p, "this is not encrypted at all ")
		sent += n
		return n, nil
	})
	_, err := h.Append(t.Context(), by.id, up.ID, 0, endless)
	wants(t, err, header.ErrNotAge)
	if sent > 64 {
		t.Errorf("%d bytes of plaintext were read before it was refused", sent)
	}
}

func TestOffsetsAndLimitsAreHeld(t *testing.T) {
	h := newHouse(t)
	by := newPerson(t)
	d := h.open(by, noise(50_000))
	ctx := t.Context()
	for total, want := range map[int64]error{-1: ErrLength, 0: ErrLength, 199: ErrLength, maxBytes + 1: ErrTooLarge, 1 << 62: ErrTooLarge} {
		_, err := h.CreateUpload(ctx, by.id, d.ID, total)
		wants(t, err, want)
	}
	up := must[Upload](t)(h.CreateUpload(ctx, by.id, d.ID, int64(len(d.file))))
	_, err := h.CreateUpload(ctx, by.id, d.ID, int64(len(d.file)))
	wants(t, err, ErrUploadExists)
	up = must[Upload](t)(h.Append(ctx, by.id, up.ID, 0, bytes.NewReader(d.file[:20_000])))
	for _, offset := range []int64{0, 19_999, 20_001, -1, 1 << 40} {
		now, err := h.Append(ctx, by.id, up.ID, offset, bytes.NewReader(d.file))
		wants(t, err, ErrOffset)
		if now.Offset != 20_000 {
			t.Fatalf("the answer says %d", now.Offset)
		}
	}
	_, err = h.Append(ctx, by.id, up.ID, 20_000, bytes.NewReader(append(bytes.Clone(d.file[20_000:]), 0)))
	wants(t, err, ErrOverLength)
	h.uploadedInto(must[Upload](t)(h.Upload(ctx, by.id, up.ID)), d)
	_, err = h.Append(ctx, by.id, up.ID, int64(len(d.file)), bytes.NewReader([]byte{1}))
	wants(t, err, ErrUploadComplete)
}

func TestAStrangerCanNeitherSeeNorTouchAnUpload(t *testing.T) {
	h := newHouse(t)
	by, stranger := newPerson(t), newMember()
	d := h.open(by, noise(50_000))
	ctx := t.Context()
	up := must[Upload](t)(h.CreateUpload(ctx, by.id, d.ID, int64(len(d.file))))
	_, err := h.Upload(ctx, stranger, up.ID)
	wants(t, err, ErrUploadNotFound)
	_, err = h.Append(ctx, stranger, up.ID, 0, bytes.NewReader(d.file))
	wants(t, err, ErrUploadNotFound)
	wants(t, h.Cancel(ctx, stranger, up.ID), ErrUploadNotFound)
	_, err = h.CreateUpload(ctx, stranger, d.ID, 5_000)
	wants(t, err, ErrNotFound)
	_, err = h.Get(ctx, stranger, d.ID)
	wants(t, err, ErrNotFound)
	_, err = h.Seal(ctx, stranger, d.ID, d.input(t))
	wants(t, err, ErrNotFound)
	_, err = h.Content(ctx, stranger, d.ID)
	wants(t, err, ErrNotFound)
	_, err = h.Revoke(ctx, stranger, d.ID)
	wants(t, err, ErrNotFound)
	_, err = h.Receipt(ctx, stranger, d.ID)
	wants(t, err, ErrNotFound)
	if mine := must[[]Dataset](t)(h.Mine(ctx, stranger)); len(mine) != 0 {
		t.Errorf("a stranger sees %d datasets", len(mine))
	}
	h.uploadedInto(up, d)
}

func TestIDsThatAreNoIDsAreNotFound(t *testing.T) {
	h := newHouse(t)
	ctx, m := t.Context(), newMember()
	for _, id := range []string{"", "..", "../../etc/passwd", "..%2f", "\x00", "a\r\nb", "%252f", "\xc0\xae", "*", "' OR 1=1 --", coop.NewID(), "0190A6E2-7B3F-7000-8000-000000000000"} {
		_, err := h.Upload(ctx, m, coop.UploadID(id))
		wants(t, err, ErrUploadNotFound)
		_, err = h.Append(ctx, m, coop.UploadID(id), 0, bytes.NewReader(nil))
		wants(t, err, ErrUploadNotFound)
		wants(t, h.Cancel(ctx, m, coop.UploadID(id)), ErrUploadNotFound)
		_, err = h.Get(ctx, m, coop.DatasetID(id))
		wants(t, err, ErrNotFound)
		_, err = h.Revoke(ctx, m, coop.DatasetID(id))
		wants(t, err, ErrNotFound)
	}
	_, err := h.Open(ctx, m, "../pool", "")
	wants(t, err, ErrPool)
	_, err = h.Open(ctx, m, "wearables", "age1nobody")
	wants(t, err, header.ErrRecipient)
}

func TestOneWriterAtATime(t *testing.T) {
	h := newHouse(t)
	d := h.open(newPerson(t), noise(50_000))
	up := must[Upload](t)(h.CreateUpload(t.Context(), d.by.id, d.ID, int64(len(d.file))))
	slow, feed := io.Pipe()
	done := make(chan error, 1)
	go func() {
		_, err := h.Append(context.Background(), d.by.id, up.ID, 0, slow)
		_ = slow.Close() // who still feeds is let go
		done <- err
	}()
	_, _ = feed.Write(d.file[:30_000])
	_, err := h.Append(t.Context(), d.by.id, up.ID, 0, bytes.NewReader(d.file))
	wants(t, err, ErrUploadBusy)
	_, _ = feed.Write(d.file[30_000:])
	_ = feed.Close()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// line is a connection that can be given up from this side.
type line struct {
	io.Reader
	end *io.PipeWriter
}

func (l line) Interrupt() { _ = l.end.CloseWithError(errLine) }

var errLine = errors.New("the line was given up")

func TestWhoeverComesBackFindsWhatTheLostLineBrought(t *testing.T) {
	h := newHouse(t)
	d := h.open(newPerson(t), noise(50_000))
	ctx := t.Context()
	up := must[Upload](t)(h.CreateUpload(ctx, d.by.id, d.ID, int64(len(d.file))))
	for _, step := range []struct {
		to   int
		back func() Upload
	}{
		{30_000, func() Upload { return must[Upload](t)(h.Upload(ctx, d.by.id, up.ID)) }},
		{40_000, func() Upload {
			now, err := h.Append(ctx, d.by.id, up.ID, 30_000, bytes.NewReader(d.file[30_000:]))
			wants(t, err, ErrOffset) // and it says where to go on
			return now
		}},
	} {
		lost, feed := io.Pipe()
		ended := make(chan error, 1)
		from := up.Offset
		go func() {
			_, err := h.Append(context.Background(), d.by.id, up.ID, from, line{lost, feed})
			ended <- err
		}()
		if _, err := feed.Write(d.file[from:step.to]); err != nil {
			t.Fatal(err)
		}
		if up = step.back(); up.Offset != int64(step.to) {
			t.Fatalf("the upload stands at %d, %d bytes had come", up.Offset, step.to)
		}
		wants(t, <-ended, errLine)
	}
	_, err := h.Upload(ctx, newMember(), up.ID)
	wants(t, err, ErrUploadNotFound) // a stranger interrupts nobody
	h.uploadedInto(up, d)
}

func TestACancelledUploadLeavesNothing(t *testing.T) {
	h := newHouse(t)
	d := h.open(newPerson(t), noise(50_000))
	up := h.uploaded(d)
	if h.files() != 1 || len(h.finds(d.file[len(d.file)-4096:])) != 1 {
		t.Fatal("the payload is not on disk")
	}
	if err := h.Cancel(t.Context(), d.by.id, up.ID); err != nil {
		t.Fatal(err)
	}
	if h.files() != 0 || len(h.finds(d.file[len(d.file)-4096:])) != 0 {
		t.Error("the payload is still on disk")
	}
	wants(t, h.Cancel(t.Context(), d.by.id, up.ID), ErrUploadNotFound)
	again := must[Dataset](t)(h.Get(t.Context(), d.by.id, d.ID))
	if again.State != StateOpen || again.Upload != "" {
		t.Errorf("%+v", again)
	}
	h.uploaded(d)
}

func TestAPartThatArrivesAfterTheCancellationLeavesNothing(t *testing.T) {
	h := newHouse(t)
	d := h.open(newPerson(t), noise(50_000))
	up := must[Upload](t)(h.CreateUpload(t.Context(), d.by.id, d.ID, int64(len(d.file))))
	row := h.row(up.ID) // as a slow Append has read it
	if err := h.Cancel(t.Context(), d.by.id, up.ID); err != nil {
		t.Fatal(err)
	}
	_, err := h.receive(t.Context(), row, bytes.NewReader(d.file))
	wants(t, err, ErrUploadNotFound)
	if h.files() != 0 {
		t.Error("its file is there")
	}
}

func TestStorageThatFailedTakesNothingAndStillForgets(t *testing.T) {
	h := newHouse(t)
	old := h.sealed(newPerson(t), noise(1_000))
	d := h.open(newPerson(t), noise(50_000))
	up := must[Upload](t)(h.CreateUpload(t.Context(), d.by.id, d.ID, int64(len(d.file))))
	closed := must[*os.File](t)(os.Open(os.DevNull))
	_ = closed.Close()
	wants(t, h.blobs.Sync(closed), ErrStorage) // an fsync that failed
	_, err := h.Append(t.Context(), d.by.id, up.ID, 0, bytes.NewReader(d.file))
	wants(t, err, ErrStorage)
	if r := must[Receipt](t)(h.Revoke(t.Context(), old.by.id, old.ID)); !r.Complete {
		t.Errorf("pending: %v", r.Pending)
	}
	h.restart()
	h.uploadedInto(up, d)
}

func TestAnAbandonedUploadExpires(t *testing.T) {
	h := newHouse(t)
	d := h.open(newPerson(t), noise(50_000))
	ctx := t.Context()
	up := must[Upload](t)(h.CreateUpload(ctx, d.by.id, d.ID, int64(len(d.file))))
	up = must[Upload](t)(h.Append(ctx, d.by.id, up.ID, 0, bytes.NewReader(d.file[:10_000])))
	h.clock.Advance(uploadLife - time.Second)
	if err := h.Sweep(ctx); err != nil {
		t.Fatal(err)
	}
	must[Upload](t)(h.Upload(ctx, d.by.id, up.ID))
	h.clock.Advance(time.Second)
	_, err := h.Append(ctx, d.by.id, up.ID, up.Offset, bytes.NewReader(d.file[10_000:]))
	wants(t, err, ErrUploadExpired)
	if err := h.Sweep(ctx); err != nil {
		t.Fatal(err)
	}
	_, err = h.Upload(ctx, d.by.id, up.ID)
	wants(t, err, ErrUploadNotFound)
	if h.files() != 0 {
		t.Error("the expired upload's bytes are still there")
	}
	h.uploaded(d)
}
