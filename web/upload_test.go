package web_test

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"distributed.ai/datacoop/vault/header"
	"distributed.ai/datacoop/web/client"
)

const parts = "application/offset+octet-stream"

// tus is a member's upload, call by call.
type tus struct {
	*house
	token, dataset, location string
	file                     []byte
}

// newUpload opens a dataset and encrypts a file of so many bytes for it.
func (h *house) newUpload(c *client.Client, token string, size int) *tus {
	h.t.Helper()
	d, err := c.OpenDataset(context.Background(), "wearables")
	ok(h.t, err)
	to, _, err := header.ParseRecipient(d.VaultRecipient)
	ok(h.t, err)
	var out strings.Builder
	w, err := age.Encrypt(&out, to)
	ok(h.t, err)
	_, err = w.Write([]byte(strings.Repeat("steps", size/5+1)[:size]))
	ok(h.t, err)
	ok(h.t, w.Close())
	return &tus{house: h, token: token, dataset: d.ID, file: []byte(out.String())}
}

func (u *tus) metadata() string {
	return "dataset " + base64.StdEncoding.EncodeToString([]byte(u.dataset))
}

func (u *tus) create() answer {
	u.t.Helper()
	a := u.call("POST", "/v1/uploads", u.token, "", "Tus-Resumable", "1.0.0", "Upload-Length", fmt.Sprint(len(u.file)), "Upload-Metadata", u.metadata())
	u.location = a.header.Get("Location")
	return a
}

// patch sends file[from:to] from that offset.
func (u *tus) patch(from, to int, headers ...string) answer {
	u.t.Helper()
	return u.call("PATCH", u.location, u.token, string(u.file[from:to]), append([]string{"Tus-Resumable", "1.0.0", "Content-Type", parts,
		"Upload-Offset", fmt.Sprint(from)}, headers...)...)
}

func (u *tus) do(method string) answer {
	u.t.Helper()
	return u.call(method, u.location, u.token, "", "Tus-Resumable", "1.0.0")
}

// stands checks how far the upload is.
func (u *tus) stands(at int) {
	u.t.Helper()
	a := u.do("HEAD")
	if a.status != http.StatusOK || a.header.Get("Upload-Offset") != fmt.Sprint(at) || a.header.Get("Upload-Length") != fmt.Sprint(len(u.file)) {
		u.t.Fatalf("the upload does not stand at %d: %d %v", at, a.status, a.header)
	}
	if a.header.Get("Upload-Metadata") != u.metadata() || a.header.Get("Cache-Control") != "no-store" {
		u.t.Errorf("HEAD: %v", a.header)
	}
}

// expires is what the answer promises.
func (a answer) expires(t *testing.T) time.Time {
	t.Helper()
	at, err := http.ParseTime(a.header.Get("Upload-Expires"))
	ok(t, err)
	return at
}

func TestUploadsSpeakTus(t *testing.T) {
	h := openHouse(t)
	eva, token := h.member("eva")
	u := h.newUpload(eva, token, 150_000)
	created := u.create()
	if created.status != http.StatusCreated || u.location == "" {
		t.Fatalf("%d %s", created.status, created.body)
	}
	if want := h.clock.Now().Add(72 * time.Hour).Truncate(time.Second); !created.expires(t).Equal(want) {
		t.Errorf("expires %v, want %v", created.expires(t), want)
	}
	u.stands(0)
	s1, s256 := sha1.Sum(u.file[:50_000]), sha256.Sum256(u.file[50_000:100_000])
	h.clock.Advance(time.Hour)
	a := u.patch(0, 50_000, "Upload-Checksum", "sha1 "+base64.StdEncoding.EncodeToString(s1[:]))
	if a.status != http.StatusNoContent || a.header.Get("Upload-Offset") != "50000" || !a.expires(t).Equal(created.expires(t).Add(time.Hour)) {
		t.Fatalf("%d %v", a.status, a.header)
	}
	wrong := "sha256 " + base64.StdEncoding.EncodeToString(s256[:])
	mangled := h.call("PATCH", u.location, token, strings.Repeat("x", 50_000), "Tus-Resumable", "1.0.0", "Content-Type", parts, "Upload-Offset", "50000", "Upload-Checksum", wrong)
	refused(t, mangled, 460, "checksum-mismatch")
	u.stands(50_000)
	// The method may be said in a header, by whoever knows no PATCH.
	a = h.call("POST", u.location, token, string(u.file[50_000:100_000]), "X-HTTP-Method-Override", "PATCH", "Tus-Resumable", "1.0.0",
		"Content-Type", parts, "Upload-Offset", "50000", "Upload-Checksum", wrong)
	if a.status != http.StatusNoContent {
		t.Fatalf("%d %s", a.status, a.body)
	}
	u.stands(100_000)
	if a := u.patch(100_000, len(u.file)); a.status != http.StatusNoContent {
		t.Fatalf("%d %s", a.status, a.body)
	}
	u.stands(len(u.file))
	refused(t, u.patch(0, 10), http.StatusConflict, "upload-complete")
	if a := u.do("DELETE"); a.status != http.StatusNoContent || a.header.Get("Tus-Resumable") != "1.0.0" {
		t.Fatalf("%d %v", a.status, a.header)
	}
	refused(t, u.patch(0, 10), http.StatusNotFound, "upload-not-found")
	if n := u.payloads(); n != 0 {
		t.Errorf("%d files are left", n)
	}
}

func TestUploadsAreRefusedAsTusSays(t *testing.T) {
	h := openHouse(t)
	eva, token := h.member("eva")
	u := h.newUpload(eva, token, 1_000)
	for _, version := range []string{"", "0.2.2", "2.0.0"} {
		a := h.call("POST", "/v1/uploads", token, "", "Tus-Resumable", version, "Upload-Length", "1000", "Upload-Metadata", u.metadata())
		refused(t, a, http.StatusPreconditionFailed, "tus-version")
		if a.header.Get("Tus-Version") != "1.0.0" || a.header.Get("Tus-Resumable") != "1.0.0" {
			t.Errorf("%q: %v", version, a.header)
		}
	}
	if a := u.create(); a.status != http.StatusCreated { // the others created nothing
		t.Fatalf("%d %s", a.status, a.body)
	}
	for _, method := range []string{"HEAD", "PATCH", "DELETE"} {
		if a := h.call(method, u.location, token, "", "Tus-Resumable", "0.1"); a.status != http.StatusPreconditionFailed {
			t.Errorf("%s: %d", method, a.status)
		}
	}
	for _, c := range []struct {
		name, value string
		status      int
		code        string
	}{
		{"Content-Type", "application/octet-stream", http.StatusUnsupportedMediaType, "upload-content-type"},
		{"Upload-Checksum", "md5 XUFAKrxLKna5cZ2REBfFkg==", http.StatusBadRequest, "upload-checksum"},
		{"Upload-Checksum", "sha1 short", http.StatusBadRequest, "upload-checksum"},
		{"Upload-Offset", "7", http.StatusConflict, "upload-offset"},
		{"Upload-Offset", "-1", http.StatusUnprocessableEntity, "unprocessable-entity"},
		{"Content-Encoding", "gzip", http.StatusUnsupportedMediaType, "unsupported-media-type"},
	} {
		a := u.patch(0, 500, c.name, c.value)
		refused(t, a, c.status, c.code)
		u.stands(0)
	}
	refused(t, h.call("PATCH", u.location, token, string(u.file)+"more", "Tus-Resumable", "1.0.0", "Content-Type", parts, "Upload-Offset", "0"),
		http.StatusRequestEntityTooLarge, "upload-over-length")
	u.stands(0)
	for _, path := range []string{"/v1/uploads", u.location} {
		a := h.call("OPTIONS", path, "", "")
		if a.status != http.StatusNoContent || a.header.Get("Tus-Version") != "1.0.0" || a.header.Get("Tus-Max-Size") != fmt.Sprint(maxBytes) ||
			a.header.Get("Tus-Extension") != "creation,expiration,termination,checksum" || a.header.Get("Tus-Checksum-Algorithm") != "sha1,sha256" {
			t.Errorf("%s: %d %v", path, a.status, a.header)
		}
	}
	if a := h.call("OPTIONS", "/v1/uploads", token, "", "Tus-Resumable", "0.1"); a.status != http.StatusNoContent {
		t.Errorf("OPTIONS is answered in any version, not with %d", a.status)
	}
	// What is overridden is what is checked: a form of another site cannot delete.
	refused(t, h.call("POST", u.location, token, "", "X-HTTP-Method-Override", "DELETE", "Sec-Fetch-Site", "cross-site", "Tus-Resumable", "1.0.0"),
		http.StatusForbidden, "forbidden")
	u.stands(0)
}

func TestAnAbandonedUploadIsGoneWithItsBytes(t *testing.T) {
	h := openHouse(t)
	ctx := context.Background()
	eva, token := h.member("eva")
	u := h.newUpload(eva, token, 200_000)
	u.create()
	u.patch(0, 100_000)
	last := u.do("HEAD").expires(t)
	if u.payloads() != 1 {
		t.Fatal("nothing has arrived")
	}
	h.clock.Advance(last.Sub(h.clock.Now()) - time.Second)
	ok(t, h.vault.Sweep(ctx))
	u.stands(100_000) // until the promised time it is there
	h.clock.Advance(2 * time.Second)
	if a := u.do("HEAD"); a.status != http.StatusGone || a.header.Get("Upload-Offset") != "" {
		t.Errorf("HEAD after its time: %d %v", a.status, a.header)
	}
	refused(t, u.patch(100_000, len(u.file)), http.StatusGone, "upload-expired")
	ok(t, h.vault.Sweep(ctx))
	if a := u.do("HEAD"); a.status != http.StatusNotFound {
		t.Errorf("HEAD after the sweep: %d", a.status)
	}
	if n := u.payloads(); n != 0 {
		t.Errorf("%d files are left", n)
	}
	// The dataset is open again; a complete upload waits longer, but not for ever.
	u.create()
	a := u.patch(0, len(u.file))
	if waits := a.expires(t).Sub(h.clock.Now()); a.status != http.StatusNoContent || waits < 59*24*time.Hour {
		t.Fatalf("%d, expires in %v", a.status, waits)
	}
	h.clock.Advance(61 * 24 * time.Hour)
	ok(t, h.vault.Sweep(ctx))
	if n := u.payloads(); n != 0 {
		t.Errorf("%d files are left", n)
	}
}

// payloads counts the files of payloads, whole or not.
func (h *house) payloads() (n int) {
	h.t.Helper()
	err := fs.WalkDir(os.DirFS(h.blobs), ".", func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			n++
		}
		return err
	})
	ok(h.t, err)
	return n
}
