package vault

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"distributed.ai/datacoop/internal/db"
)

// cloud is an S3 server on this machine that can be switched off.
type cloud struct {
	*s3mem.Backend
	url  string
	down atomic.Bool
}

// inTheCloud moves a house that has stored nothing yet to a bucket.
func (h *house) inTheCloud() *cloud {
	h.t.Helper()
	c := &cloud{Backend: s3mem.New()}
	if err := c.CreateBucket("payloads"); err != nil {
		h.t.Fatal(err)
	}
	store := gofakes3.New(c).Server()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c.down.Load() {
			http.Error(w, "", http.StatusForbidden) // which nobody retries
			return
		}
		store.ServeHTTP(w, r)
	}))
	h.t.Cleanup(server.Close)
	h.t.(*testing.T).Setenv("AWS_ACCESS_KEY_ID", "key")
	h.t.(*testing.T).Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	h.t.(*testing.T).Setenv("AWS_MAX_ATTEMPTS", "1")
	c.url = "s3://payloads?region=eu-test-1&use_path_style=true&endpoint=" + url.QueryEscape(server.URL)
	h.bucket = c.url
	h.restart()
	return c
}

func (c *cloud) objects(t testing.TB) int {
	t.Helper()
	return len(must[*gofakes3.ObjectList](t)(c.ListBucket("payloads", &gofakes3.Prefix{}, gofakes3.ListBucketPage{})).Contents)
}

func TestABucketKeepsPayloadsAsADirectoryDoes(t *testing.T) {
	h := newHouse(t)
	c := h.inTheCloud()
	d := h.open(newPerson(t), noise(9<<20))
	up := must[Upload](t)(h.CreateUpload(t.Context(), d.by.id, d.ID, int64(len(d.file))))
	for at := 0; at < len(d.file); at = int(up.Offset) {
		h.restart() // between any two parts
		end := min(len(d.file), at+4<<20)
		up = must[Upload](t)(h.Append(t.Context(), d.by.id, up.ID, int64(at), bytes.NewReader(d.file[at:end])))
	}
	if files := must[[]string](t)(h.blobs.Partials()); len(files) != 0 || c.objects(t) != 1 {
		t.Errorf("%d files and %d objects", len(files), c.objects(t))
	}
	must[Dataset](t)(h.Seal(t.Context(), d.by.id, d.ID, d.input(t)))
	if n, err := h.intact(); n != 1 || err != nil {
		t.Errorf("%d verified, %v", n, err)
	}
	r := newResearcher(t)
	got := must[Delivery](t)(h.fetch(r, d.ID))
	if plain := decrypt(t, readAll(t, got), r.age); !bytes.Equal(plain, noise(9<<20)) {
		t.Error("another file came back")
	}
	f := must[io.ReadSeekCloser](t)(got.Open())
	defer f.Close()
	must[int64](t)(f.Seek(-1000, io.SeekEnd))
	if tail := must[[]byte](t)(io.ReadAll(f)); !bytes.Equal(tail, d.file[len(d.file)-1000:]) {
		t.Error("the tail is not the file's")
	}
	if receipt := must[Receipt](t)(h.Revoke(t.Context(), d.by.id, d.ID)); !receipt.Complete || c.objects(t) != 0 {
		t.Errorf("%d objects are left; pending: %v", c.objects(t), receipt.Pending)
	}
	if _, err := got.Open(); !errors.Is(err, ErrRevoked) {
		t.Errorf("opening what is revoked: %v", err)
	}
}

func TestABucketThatIsAwayLosesNothing(t *testing.T) {
	h := newHouse(t)
	c := h.inTheCloud()
	h.patience = 300 * time.Millisecond
	gone := h.sealed(newPerson(t), noise(50_000))
	d := h.open(newPerson(t), noise(50_000))
	up := must[Upload](t)(h.CreateUpload(t.Context(), d.by.id, d.ID, int64(len(d.file))))
	up = must[Upload](t)(h.Append(t.Context(), d.by.id, up.ID, 0, bytes.NewReader(d.file[:30_000])))
	c.down.Store(true)
	_, err := h.Append(t.Context(), d.by.id, up.ID, up.Offset, bytes.NewReader(d.file[30_000:]))
	wants(t, err, ErrStorageAway)
	if now := must[Upload](t)(h.Upload(t.Context(), d.by.id, up.ID)); now.Offset != 30_000 || now.Complete {
		t.Errorf("%+v", now)
	}
	_, err = must[Delivery](t)(h.fetch(newResearcher(t), gone.ID)).Open()
	wants(t, err, ErrStorageAway)
	r := must[Receipt](t)(h.Revoke(t.Context(), gone.by.id, gone.ID)) // takes effect all the same
	if r.Complete || !says(r.Pending, saidFile) || !says(r.Achieved, saidKeyLog) {
		t.Errorf("%+v", r)
	}
	if err := h.Sweep(t.Context()); err == nil {
		t.Error("the sweeper is content")
	}
	c.down.Store(false)
	h.uploadedInto(up, d)
	h.sweep()
	if final := must[Receipt](t)(h.Receipt(t.Context(), gone.by.id, gone.ID)); !final.Complete || c.objects(t) != 1 {
		t.Errorf("%d objects; %+v", c.objects(t), final.Pending)
	}
}

// The object is written before the row. A crash in between leaves an object
// that the upload, when it goes on, replaces, or that the sweeper finds.
func TestAnObjectWithoutItsRowIsReplacedOrSwept(t *testing.T) {
	for _, cancelled := range []bool{false, true} {
		h := newHouse(t)
		c := h.inTheCloud()
		d := h.open(newPerson(t), noise(50_000))
		up := must[Upload](t)(h.CreateUpload(t.Context(), d.by.id, d.ID, int64(len(d.file))))
		up = must[Upload](t)(h.Append(t.Context(), d.by.id, up.ID, 0, bytes.NewReader(d.file[:30_000])))
		if err := h.blobs.Finish(t.Context(), h.row(up.ID).Blob); err != nil { // and then it is killed
			t.Fatal(err)
		}
		h.restart()
		if cancelled {
			err := h.db.Update(t.Context(), func(tx *db.Tx) error { return deleteUpload(tx, up.ID, 1<<62) })
			if err != nil {
				t.Fatal(err)
			}
			h.sweep()
			if files := must[[]string](t)(h.blobs.Partials()); c.objects(t) != 0 || len(files) != 0 {
				t.Errorf("%d objects and %d files are left", c.objects(t), len(files))
			}
			continue
		}
		h.sweep() // takes nothing from an upload under way
		h.uploadedInto(up, d)
		must[Dataset](t)(h.Seal(t.Context(), d.by.id, d.ID, d.input(t)))
		if n, err := h.intact(); n != 1 || err != nil || c.objects(t) != 1 {
			t.Errorf("%d verified, %d objects, %v", n, c.objects(t), err)
		}
	}
}

func TestAFileThatItsObjectOutlivedIsSwept(t *testing.T) {
	h := newHouse(t)
	h.inTheCloud()
	d := h.sealed(newPerson(t), noise(5_000))
	name := filepath.Base(h.payloadFile(d.ID))
	left := filepath.Join(h.dir, "blobs", "partial", name)
	if err := os.WriteFile(left, []byte("killed before it was unlinked"), 0o600); err != nil {
		t.Fatal(err)
	}
	h.sweep()
	if files := must[[]string](t)(h.blobs.Partials()); len(files) != 0 {
		t.Errorf("%v", files)
	}
	must[Delivery](t)(h.Content(context.Background(), d.by.id, d.ID))
	if n, err := h.intact(); n != 1 || err != nil {
		t.Errorf("%d verified, %v", n, err)
	}
}
