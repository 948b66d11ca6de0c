package web_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"

	"distributed.ai/datacoop/vault"
)

// TestSixtyFourUploadsAtOnceAreHeldOnDiskAlone sends 64 files of 10 MB at the
// same time, each in one part.
func TestSixtyFourUploadsAtOnceAreHeldOnDiskAlone(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 640 MB")
	}
	const crowd, size = 64, 10_000_000
	h := openHouse(t, func(h *house) {
		h.largest, h.limits = 16<<20, vault.Limits{Parts: crowd, Uploads: crowd}
	})
	eva, token := h.member("eva")
	var uploads []*tus
	for range crowd {
		u := h.newUpload(eva, token, 100) // the header; what follows need not be authentic before it is sealed
		head := u.file[:bytes.Index(u.file, []byte("\n---"))+49]
		u.file = head
		a := h.call("POST", "/v1/uploads", token, "", "Tus-Resumable", "1.0.0", "Upload-Length", fmt.Sprint(size), "Upload-Metadata", u.metadata())
		if u.location = a.header.Get("Location"); a.status != http.StatusCreated {
			t.Fatalf("%d %s", a.status, a.body)
		}
		uploads = append(uploads, u)
	}
	more := grown(func() {
		var all sync.WaitGroup
		for _, u := range uploads {
			all.Go(func() {
				body := io.MultiReader(bytes.NewReader(u.file), io.LimitReader(zeros{}, size-int64(len(u.file))))
				req, err := http.NewRequestWithContext(context.Background(), http.MethodPatch, h.base+u.location, body)
				if err != nil {
					t.Error(err)
					return
				}
				req.ContentLength = size
				for name, value := range map[string]string{"Authorization": "Bearer " + token, "Tus-Resumable": "1.0.0", "Content-Type": parts, "Upload-Offset": "0"} {
					req.Header.Set(name, value)
				}
				resp, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Error(err)
					return
				}
				defer resp.Body.Close()
				if resp.StatusCode != http.StatusNoContent || resp.Header.Get("Upload-Offset") != fmt.Sprint(size) {
					t.Errorf("status %d, offset %s", resp.StatusCode, resp.Header.Get("Upload-Offset"))
				}
			})
		}
		all.Wait()
	})
	t.Logf("the heap of both sides grew by %d MiB", more>>20)
	if more > 96<<20 {
		t.Errorf("%d MiB for 640 MB under way", more>>20)
	}
	if n := h.payloads(); n != crowd {
		t.Errorf("%d files are there", n)
	}
}
