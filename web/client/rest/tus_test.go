package rest

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// tusServer is a tus 1.0 server with one upload; trouble may spoil a PATCH.
type tusServer struct {
	mu       sync.Mutex
	got      []byte
	size     int64
	metadata string
	patches  int
	trouble  func(patch int) (keep int, status int) // keep bytes of the body, then answer status; -1 drops the connection
	location string
}

func (s *tusServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Header.Get("Tus-Resumable") != "1.0.0" {
		w.WriteHeader(http.StatusPreconditionFailed)
		return
	}
	switch r.Method {
	case http.MethodPost:
		s.size, _ = strconv.ParseInt(r.Header.Get("Upload-Length"), 10, 64)
		s.metadata = r.Header.Get("Upload-Metadata")
		w.Header().Set("Location", s.location)
		w.WriteHeader(http.StatusCreated)
	case http.MethodHead:
		w.Header().Set("Upload-Offset", strconv.Itoa(len(s.got)))
	case http.MethodPatch:
		s.patch(w, r)
	case http.MethodDelete:
		s.got = nil
		w.WriteHeader(http.StatusNoContent)
	}
}

// count is how many patches came; a dropped connection may still be under way.
func (s *tusServer) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.patches
}

func (s *tusServer) patch(w http.ResponseWriter, r *http.Request) {
	s.patches++
	if s.trouble != nil {
		if keep, status := s.trouble(s.patches); status != 0 {
			part, _ := io.ReadAll(io.LimitReader(r.Body, int64(keep)))
			s.got = append(s.got, part...)
			if status < 0 {
				panic(http.ErrAbortHandler)
			}
			w.WriteHeader(status)
			return
		}
	}
	body, _ := io.ReadAll(r.Body)
	sum := sha256.Sum256(body)
	switch {
	case r.Header.Get("Upload-Offset") != strconv.Itoa(len(s.got)):
		w.WriteHeader(http.StatusConflict)
		return
	case r.Header.Get("Upload-Checksum") != "sha256 "+base64.StdEncoding.EncodeToString(sum[:]),
		r.Header.Get("Content-Type") != "application/offset+octet-stream":
		w.WriteHeader(statusChecksum)
		return
	}
	s.got = append(s.got, body...)
	w.Header().Set("Upload-Offset", strconv.Itoa(len(s.got)))
	w.WriteHeader(http.StatusNoContent)
}

func randomBytes(n int) []byte {
	data := make([]byte, n)
	source := rand.NewChaCha8([32]byte{1})
	source.Read(data)
	return data
}

func begin(t *testing.T, s *tusServer, size int) (*Conn, Upload) {
	t.Helper()
	if s.location == "" {
		s.location = "/v1/uploads/u1"
	}
	c := serve(t, Config{Token: "secret"}, s.ServeHTTP)
	u, err := c.CreateUpload(t.Context(), "key", int64(size), "dataset", "d1", "v1", "uploads")
	if err != nil {
		t.Fatal(err)
	}
	return c, u
}

func TestUploadArrivesWholeAndInOrder(t *testing.T) {
	data, server := randomBytes(300_000), &tusServer{}
	c, u := begin(t, server, len(data))
	var told []int64
	u, err := c.Upload(t.Context(), u, bytes.NewReader(data), 1, func(done, total int64) { told = append(told, done, total) })
	if err != nil || u.Offset != u.Size || !bytes.Equal(server.got, data) {
		t.Fatalf("%+v, %v", u, err)
	}
	if server.metadata != "dataset ZDE=" || server.size != 300_000 {
		t.Errorf("metadata %q, size %d", server.metadata, server.size)
	}
	if told[0] != smallestChunk || told[len(told)-2] != 300_000 {
		t.Errorf("progress %v", told)
	}
	if err := c.CancelUpload(t.Context(), u); err != nil || server.got != nil {
		t.Errorf("cancel: %v", err)
	}
}

func TestUploadGoesOnAfterDroppedConnectionsAnywhere(t *testing.T) {
	data := randomBytes(5*smallestChunk + 17)
	rapid.Check(t, func(r *rapid.T) {
		var spoilt int
		server := &tusServer{trouble: func(patch int) (int, int) {
			if patch%2 == 0 || spoilt > 4 {
				return 0, 0
			}
			spoilt++
			status := rapid.SampledFrom([]int{-1, -1, 409, 423, 460, 503}).Draw(r, "status")
			return rapid.IntRange(0, smallestChunk).Draw(r, "keep"), status
		}}
		c, u := begin(t, server, len(data))
		if _, err := c.Upload(t.Context(), u, bytes.NewReader(data), 1, nil); err != nil || !bytes.Equal(server.got, data) {
			r.Fatalf("%d of %d bytes, %v", len(server.got), len(data), err)
		}
	})
}

func TestUploadIsGivenUpWhenNothingArrives(t *testing.T) {
	server := &tusServer{trouble: func(int) (int, int) { return 0, -1 }}
	c, u := begin(t, server, 100)
	var lost *UnreachableError
	if _, err := c.Upload(t.Context(), u, bytes.NewReader(randomBytes(100)), 0, nil); !errors.As(err, &lost) || server.count() != Attempts {
		t.Errorf("%d patches, %v", server.count(), err)
	}
}

func TestUploadThatIsRefusedStopsAtOnce(t *testing.T) {
	for _, status := range []int{400, 403, 404, 410, 413, 415, 500} {
		server := &tusServer{trouble: func(int) (int, int) { return 0, status }}
		c, u := begin(t, server, 100)
		if _, err := c.Upload(t.Context(), u, bytes.NewReader(randomBytes(100)), 0, nil); !IsStatus(err, status) || server.count() != 1 {
			t.Errorf("%d: %d patches, %v", status, server.count(), err)
		}
	}
}

func TestServerThatForgetsBytesForeverIsGivenUp(t *testing.T) {
	server := &tusServer{}
	server.trouble = func(patch int) (int, int) {
		if patch%2 == 0 {
			server.got = nil
			return 0, 503
		}
		return 0, 0
	}
	c, u := begin(t, server, 2*smallestChunk)
	if _, err := c.Upload(t.Context(), u, bytes.NewReader(randomBytes(2*smallestChunk)), 1, nil); !IsStatus(err, 503) {
		t.Errorf("got %v after %d patches", err, server.count())
	}
}

func TestUploadAddressElsewhereIsRefused(t *testing.T) {
	for _, location := range []string{"https://elsewhere.example/u", "//elsewhere.example/u", "http://127.0.0.1:1/u"} {
		c, u := begin(t, &tusServer{location: location}, 10)
		if _, err := c.Upload(t.Context(), u, bytes.NewReader(randomBytes(10)), 0, nil); !errors.Is(err, errElsewhere) {
			t.Errorf("%s: %v", location, err)
		}
	}
}

func TestOffsetsThatCannotBeAreRefused(t *testing.T) {
	for _, offset := range []string{"", "-1", "11", "ten", "0"} {
		c := serve(t, Config{}, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Upload-Offset", offset)
			w.WriteHeader(http.StatusNoContent)
		})
		u := Upload{Location: c.Base() + "/u", Size: 10}
		if _, err := c.Append(t.Context(), u, randomBytes(10)); !errors.Is(err, errOffset) {
			t.Errorf("append %q: %v", offset, err)
		}
		if _, err := c.UploadOffset(t.Context(), u); offset != "0" && !errors.Is(err, errOffset) {
			t.Errorf("head %q: %v", offset, err)
		}
	}
}

func TestFileThatShrankIsNotUploaded(t *testing.T) {
	c, u := begin(t, &tusServer{}, 100)
	if _, err := c.Upload(t.Context(), u, strings.NewReader("short"), 0, nil); err == nil || !strings.Contains(err.Error(), "to be uploaded") {
		t.Errorf("got %v", err)
	}
}

func TestChunksGrowWhileTheyAreThroughQuicklyAndShrinkAfterAFailure(t *testing.T) {
	data := randomBytes(4 * smallestChunk)
	f := &feeder{from: bytes.NewReader(data), total: int64(len(data)), size: smallestChunk}
	for _, step := range []struct {
		at, n  int64 // of the chunk
		took   time.Duration
		failed bool
	}{
		{0, smallestChunk, 0, false},
		{smallestChunk, smallestChunk, brisk, false}, // was read ahead before the first was through
		{2 * smallestChunk, 2 * smallestChunk, 0, true},
		{2*smallestChunk + 5, smallestChunk, 0, true}, // the server had kept a little
		{2*smallestChunk + 6, smallestChunk, 0, false},
		{3*smallestChunk + 6, smallestChunk - 6, 0, false},
	} {
		c, err := f.next(step.at)
		if err != nil || !bytes.Equal(c.data, data[step.at:step.at+step.n]) || c.sum != sha256.Sum256(c.data) {
			t.Fatalf("at %d: %d bytes, %v", step.at, len(c.data), err)
		}
		f.paced(step.took, step.failed)
	}
	f.wait()
}

// short is a file that loses its end while it is uploaded.
type short struct {
	io.ReaderAt
	end int64
}

func (s short) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > s.end {
		return 0, io.ErrUnexpectedEOF
	}
	return s.ReaderAt.ReadAt(p, off)
}

func TestAFileThatCannotBeReadEndsTheUploadWhereItStood(t *testing.T) {
	data, server := randomBytes(3*smallestChunk), &tusServer{}
	c, u := begin(t, server, len(data))
	u, err := c.Upload(t.Context(), u, short{bytes.NewReader(data), 2 * smallestChunk}, 1, nil)
	if !errors.Is(err, io.ErrUnexpectedEOF) || !bytes.HasPrefix(data, server.got) || u.Offset != int64(len(server.got)) || u.Offset == 0 {
		t.Errorf("%+v, %d bytes, %v", u, len(server.got), err)
	}
}
