package bucket

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"gocloud.dev/gcerrors"
)

// store is an S3 server on this machine with one bucket.
func store(t *testing.T) (*Bucket, *s3mem.Backend) {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("payloads"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(server.Close)
	t.Setenv("AWS_ACCESS_KEY_ID", "key")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	b, err := Open(t.Context(), "s3://payloads?region=eu-test-1&use_path_style=true&endpoint="+url.QueryEscape(server.URL))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b, backend
}

func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

const name = "0123456789abcdef0123456789abcdef"

func TestWhatIsPutComesBackFromAnyOffset(t *testing.T) {
	b, _ := store(t)
	for _, size := range []int{0, 1, 70_000, 12 << 20} {
		data := noise(size)
		if err := b.Put(t.Context(), name, bytes.NewReader(data)); err != nil {
			t.Fatal(err)
		}
		o, err := b.Open(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(io.NewSectionReader(o, 0, int64(size)))
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes: %d came back, %v", size, len(got), err)
		}
		for _, off := range []int{size / 2, size / 3, max(0, size-10)} {
			p := make([]byte, min(1000, size-off))
			if n, err := o.ReadAt(p, int64(off)); n != len(p) || !bytes.Equal(p, data[off:off+n]) || err != nil && !errors.Is(err, io.EOF) {
				t.Errorf("%d bytes from %d: %d, %v", size, off, n, err)
			}
		}
		if n, err := o.ReadAt(make([]byte, 20), int64(max(0, size-5))); n != min(5, size) || !errors.Is(err, io.EOF) {
			t.Errorf("%d bytes, over the end: %d, %v", size, n, err)
		}
		_ = o.Close()
	}
}

func TestWritingNeverReplacesWhatIsThere(t *testing.T) {
	b, _ := store(t)
	if err := b.put(t.Context(), name, strings.NewReader("first")); err != nil {
		t.Fatal(err)
	}
	if err := b.put(t.Context(), name, strings.NewReader("second")); gcerrors.Code(err) != gcerrors.FailedPrecondition {
		t.Fatalf("an unconditional write: %v", err)
	}
	if err := b.Put(t.Context(), name, strings.NewReader("again, by the one whose name it is")); err != nil {
		t.Error(err)
	}
}

func TestABrokenUploadLeavesNoObject(t *testing.T) {
	b, backend := store(t)
	broken := io.MultiReader(bytes.NewReader(noise(7<<20)), iotest.ErrReader(errors.New("disk")))
	if err := b.Put(t.Context(), name, struct {
		io.Reader
		io.Seeker
	}{broken, bytes.NewReader(nil)}); err == nil {
		t.Fatal("no error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Put(ctx, name, bytes.NewReader(noise(7<<20))); err == nil {
		t.Fatal("no error")
	}
	if list, err := backend.ListBucket("payloads", &gofakes3.Prefix{}, gofakes3.ListBucketPage{}); err != nil || len(list.Contents) != 0 {
		t.Errorf("%d objects, %v", len(list.Contents), err)
	}
}

func TestWhatIsRemovedIsGone(t *testing.T) {
	b, _ := store(t)
	if err := b.Put(t.Context(), name, strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	if names, err := b.Names(t.Context()); err != nil || len(names) != 1 || names[0] != name {
		t.Errorf("%v, %v", names, err)
	}
	for range 2 { // the second time it is gone already
		if err := b.Remove(t.Context(), name); err != nil {
			t.Error(err)
		}
	}
	if _, err := b.Open(t.Context(), name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("opening: %v", err)
	}
	if names, err := b.Names(t.Context()); err != nil || len(names) != 0 {
		t.Errorf("%v, %v", names, err)
	}
}

func TestANameThatIsNoBucketIsRefused(t *testing.T) {
	for _, url := range []string{"", "payloads", "ftp://payloads", "s3://payloads?region=x&nonsense=y", ":"} {
		if b, err := Open(t.Context(), url); err == nil {
			t.Errorf("%q was opened", url)
			_ = b.Close()
		}
	}
}

func TestAStoreThatIsAwayIsAnErrorAndNotAnAbsence(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "key")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	b, err := Open(t.Context(), "s3://payloads?region=x&use_path_style=true&endpoint=http://127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Open(t.Context(), name); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("opening: %v", err)
	}
	if err := b.Put(t.Context(), name, strings.NewReader("x")); err == nil {
		t.Error("putting succeeded")
	}
	if _, err := b.Names(t.Context()); err == nil {
		t.Error("listing succeeded")
	}
}
