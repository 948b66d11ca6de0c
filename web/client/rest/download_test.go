package rest

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestDownloadGoesOnOnlyWithTheSameFile(t *testing.T) {
	data := randomBytes(1000)
	c := serve(t, Config{}, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"one"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	})
	for _, try := range []struct {
		offset int64
		etag   string
		want   int64
	}{{0, "", 0}, {0, `"one"`, 0}, {400, `"one"`, 400}, {400, `"two"`, 0}, {400, "", 0}, {400, `W/"one"`, 0}, {999, `"one"`, 999}} {
		d, err := c.Download(t.Context(), try.offset, try.etag, "v1", "files", "x")
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(d.Body)
		if err != nil || d.Offset != try.want || d.Total != 1000 || d.ETag != `"one"` || !bytes.Equal(got, data[try.want:]) {
			t.Errorf("%+v: offset %d, total %d, %d bytes, %v", try, d.Offset, d.Total, len(got), err)
		}
		if err := d.Body.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := c.Download(t.Context(), 1000, `"one"`, "v1", "files", "x"); !IsStatus(err, 416) {
		t.Errorf("past the end: %v", err)
	}
}

func TestWrongPartOfAFileIsRefused(t *testing.T) {
	for _, text := range []string{"", "bytes 0-999/1000", "bytes 401-999/1000", "bytes 400-1000/1000", "bytes 400-399/1000", "bytes */1000", "items 400-999/1000"} {
		c := serve(t, Config{}, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Range", text)
			w.WriteHeader(http.StatusPartialContent)
		})
		if _, err := c.Download(t.Context(), 400, `"one"`, "v1", "files", "x"); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}

func FuzzContentRange(f *testing.F) {
	f.Add("bytes 0-1/2")
	f.Add("bytes 5-6/*")
	f.Add("bytes 999999999999999999-999999999999999999/999999999999999999")
	f.Fuzz(func(t *testing.T, text string) {
		start, total, ok := contentRange(text)
		if ok && (start < 0 || total >= 0 && start >= total || !strings.HasPrefix(text, "bytes ")) {
			t.Fatalf("%q: %d of %d", text, start, total)
		}
	})
}
