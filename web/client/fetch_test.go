package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/vault/header"
)

const request = "018f0000-0000-7000-8000-000000000001"

// plaintext is invented content of a few chunks that differs by n.
func plaintext(n int) []byte {
	return bytes.Repeat([]byte(fmt.Sprintf("row %d,", n)), 20_000)
}

// grantAll grants count files to the identity's recipient.
func (h *house) grantAll(t *testing.T, id Identity, count int) {
	t.Helper()
	for n := range count {
		h.grant(t, encrypt(t, plaintext(n), id.Recipient()))
	}
}

func fetchOptions(t *testing.T, id Identity) FetchOptions {
	t.Helper()
	return FetchOptions{Request: request, Out: filepath.Join(t.TempDir(), "out"), Identities: []Identity{id}}
}

// visible lists what is in a folder but for the manifest.
func visible(t *testing.T, dir string) []string {
	t.Helper()
	return slices.DeleteFunc(leftovers(t, dir), func(name string) bool { return name == manifestName })
}

func checkFiles(t *testing.T, h *house, o FetchOptions, got FetchManifest, want []int) {
	t.Helper()
	if len(got.Files) != len(want) {
		t.Fatalf("%d files in the manifest, %d wanted", len(got.Files), len(want))
	}
	for _, n := range want {
		f := h.list[n]
		data, err := os.ReadFile(filepath.Join(o.Out, f.ID+".csv"))
		if err != nil || !bytes.Equal(data, plaintext(n)) {
			t.Errorf("file %d: %d bytes, %v", n, len(data), err)
		}
		i := slices.IndexFunc(got.Files, func(e FetchedFile) bool { return e.ID == f.ID })
		if i < 0 {
			t.Errorf("file %d is not in the manifest", n)
			continue
		}
		if e := got.Files[i]; e.SHA256 != f.SHA256 || e.PlaintextSHA256 != hexSum(data) || e.Bytes != int64(len(data)) || e.File != f.ID+".csv" {
			t.Errorf("manifest of file %d: %+v", n, e)
		}
	}
	text, err := os.ReadFile(filepath.Join(o.Out, manifestName))
	var kept FetchManifest
	if err != nil || json.Unmarshal(text, &kept) != nil || len(kept.Files) != len(want) || kept.Request != request {
		t.Errorf("manifest.json: %+v, %v", kept, err)
	}
}

func TestResearcherFetchesEverythingGranted(t *testing.T) {
	for _, classic := range []bool{false, true} {
		h, c := newHouse(t)
		id := keygen(t, classic)
		h.grantAll(t, id, 7)
		o := fetchOptions(t, id)
		o.Identities = []Identity{keygen(t, !classic), id}
		var done, total int64
		o.Progress = func(d, t int64) { done, total = d, t }
		got, err := c.Fetch(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		checkFiles(t, h, o, got, []int{0, 1, 2, 3, 4, 5, 6})
		if done != total || total == 0 {
			t.Errorf("progress %d of %d", done, total)
		}
		if names := visible(t, o.Out); len(names) != 7 {
			t.Errorf("folder holds %v", names)
		}
	}
}

func TestSecondFetchFetchesNothingAndRepairsWhatChanged(t *testing.T) {
	h, c := newHouse(t)
	id := keygen(t, false)
	h.grantAll(t, id, 3)
	o := fetchOptions(t, id)
	for range 2 {
		if _, err := c.Fetch(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	if n := h.count("GET /v1/files/"); n != 3 {
		t.Errorf("%d downloads", n)
	}
	if err := os.WriteFile(filepath.Join(o.Out, h.list[1].ID+".csv"), []byte("edited"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := c.Fetch(t.Context(), o)
	if err != nil || h.count("GET /v1/files/") != 4 {
		t.Errorf("%d downloads, %v", h.count("GET /v1/files/"), err)
	}
	checkFiles(t, h, o, got, []int{0, 1, 2})
}

// short cuts an answer off after so many bytes of body, at once or when until
// is closed.
type short struct {
	http.ResponseWriter
	left  int
	until <-chan struct{}
}

// cut serves the beginning of a file.
func (h *house) cut(w http.ResponseWriter, r *http.Request, until <-chan struct{}) bool {
	id, ok := strings.CutPrefix(r.URL.Path, "/v1/files/")
	if ok {
		r.SetPathValue("id", id)
		h.file(&short{w, 60_000, until}, r)
	}
	return ok
}

func (s *short) Write(b []byte) (int, error) {
	if len(b) > s.left {
		s.ResponseWriter.Write(b[:s.left])
		s.ResponseWriter.(http.Flusher).Flush()
		if s.until != nil {
			<-s.until
		}
		panic(http.ErrAbortHandler)
	}
	s.left -= len(b)
	return s.ResponseWriter.Write(b)
}

func TestDownloadsGoOnAfterDroppedConnections(t *testing.T) {
	h, c := newHouse(t)
	id := keygen(t, false)
	h.grantAll(t, id, 4)
	var ranges int
	h.trouble = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Range") != "" {
			ranges++
		}
		return h.cut(w, r, nil)
	}
	o := fetchOptions(t, id)
	got, err := c.Fetch(t.Context(), o)
	if err != nil || ranges == 0 {
		t.Fatalf("%d ranges, %v", ranges, err)
	}
	checkFiles(t, h, o, got, []int{0, 1, 2, 3})
}

func TestInterruptedFetchGoesOnWhereItStood(t *testing.T) {
	h, c := newHouse(t)
	id := keygen(t, false)
	h.grantAll(t, id, 2)
	o := fetchOptions(t, id)
	o.Parallel = 1
	ctx, cancel := context.WithCancel(t.Context())
	o.Progress = func(done, _ int64) {
		if done > h.list[0].Size+10_000 {
			cancel()
		}
	}
	h.trouble = func(w http.ResponseWriter, r *http.Request) bool {
		return strings.HasSuffix(r.URL.Path, h.list[1].ID) && h.cut(w, r, ctx.Done())
	}
	if _, err := c.Fetch(ctx, o); !errors.Is(err, context.Canceled) {
		t.Fatalf("interrupted: %v", err)
	}
	if names := visible(t, o.Out); !slices.Equal(names, []string{".partial", h.list[0].ID + ".csv"}) {
		t.Errorf("after the interruption: %v", names)
	}
	var ranges []string
	h.troubled(func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.HasPrefix(r.URL.Path, "/v1/files/") {
			ranges = append(ranges, r.Header.Get("Range"))
		}
		return false
	})
	o.Progress = nil
	got, err := c.Fetch(t.Context(), o)
	if err != nil || len(ranges) != 1 || ranges[0] == "" {
		t.Fatalf("ranges %q, %v", ranges, err)
	}
	checkFiles(t, h, o, got, []int{0, 1})
}

func TestChangedFileIsNotGluedToAnOldPart(t *testing.T) {
	h, c := newHouse(t)
	id := keygen(t, false)
	h.grantAll(t, id, 1)
	o := fetchOptions(t, id)
	ctx, cancel := context.WithCancel(t.Context())
	o.Progress = func(done, _ int64) {
		if done > 10_000 {
			cancel()
		}
	}
	h.trouble = func(w http.ResponseWriter, r *http.Request) bool { return h.cut(w, r, ctx.Done()) }
	if _, err := c.Fetch(ctx, o); !errors.Is(err, context.Canceled) {
		t.Fatalf("interrupted: %v", err)
	}
	// The grant was made anew: another header, the same payload.
	f := h.list[0]
	hdr, payload, err := header.Split(bytes.NewReader(h.files[f.ID].data))
	if err != nil {
		t.Fatal(err)
	}
	to, _, err := header.ParseRecipient(id.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	again, err := header.Rewrap(hdr, id.keys[0], to)
	if err != nil {
		t.Fatal(err)
	}
	var whole bytes.Buffer
	whole.Write(again)
	if _, err := whole.ReadFrom(payload); err != nil {
		t.Fatal(err)
	}
	h.files[f.ID] = &granted{data: whole.Bytes(), etag: `"another"`}
	h.troubled(nil)
	o.Progress = nil
	got, err := c.Fetch(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	checkFiles(t, h, o, got, []int{0})
}

func TestPartThatRottedOnDiskIsFetchedAnew(t *testing.T) {
	h, c := newHouse(t)
	id := keygen(t, false)
	h.grantAll(t, id, 1)
	f := h.list[0]
	o := fetchOptions(t, id)
	if err := os.MkdirAll(filepath.Join(o.Out, ".partial"), 0o700); err != nil {
		t.Fatal(err)
	}
	part := filepath.Join(o.Out, ".partial", f.ID+".age")
	for name, data := range map[string][]byte{part: bytes.Repeat([]byte("x"), int(f.Size)), part + ".etag": []byte(h.files[f.ID].etag)} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := c.Fetch(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	checkFiles(t, h, o, got, []int{0})
}

// spoil is every way in which what arrives differs from what was listed.
var spoil = map[string]func(data []byte, hdrLen int) []byte{
	"payload altered":        func(d []byte, n int) []byte { d[n+50] ^= 1; return d },
	"last byte altered":      func(d []byte, _ int) []byte { d[len(d)-1] ^= 1; return d },
	"header altered":         func(d []byte, n int) []byte { d[n-20] ^= 1; return d },
	"first byte altered":     func(d []byte, _ int) []byte { d[0] ^= 1; return d },
	"cut by a byte":          func(d []byte, _ int) []byte { return d[:len(d)-1] },
	"cut by a chunk":         func(d []byte, _ int) []byte { return d[:len(d)-65_552] },
	"a byte too many":        func(d []byte, _ int) []byte { return append(d, 0) },
	"nothing":                func([]byte, int) []byte { return nil },
	"not age":                func(d []byte, _ int) []byte { return bytes.Repeat([]byte("x"), len(d)) },
	"plaintext in its place": func(d []byte, _ int) []byte { return append([]byte("date,steps\n"), d...)[:len(d)] },
}

func TestTamperedFileIsRefusedAndNothingIsLeftOfIt(t *testing.T) {
	for name, change := range spoil {
		h, c := newHouse(t)
		id := keygen(t, false)
		h.grantAll(t, id, 3)
		g := h.files[h.list[1].ID]
		hdr, _, err := header.Split(bytes.NewReader(g.data))
		if err != nil {
			t.Fatal(err)
		}
		g.data = change(bytes.Clone(g.data), len(hdr))
		o := fetchOptions(t, id)
		got, err := c.Fetch(t.Context(), o)
		if !errors.Is(err, ErrTampered) || !strings.Contains(err.Error(), h.list[1].ID) {
			t.Errorf("%s: %v", name, err)
		}
		checkFiles(t, h, o, got, []int{0, 2})
		if names := visible(t, o.Out); len(names) != 2 {
			t.Errorf("%s: folder holds %v", name, names)
		}
	}
}

func TestPayloadUnderAnotherFilesHeaderIsRefused(t *testing.T) {
	h, c := newHouse(t)
	id := keygen(t, false)
	h.grantAll(t, id, 2)
	first, second := h.files[h.list[0].ID], h.files[h.list[1].ID]
	hdr, _, err := header.Split(bytes.NewReader(second.data))
	if err != nil {
		t.Fatal(err)
	}
	own, payload, err := header.Split(bytes.NewReader(first.data))
	if err != nil || len(own) != len(hdr) {
		t.Fatal(err)
	}
	spliced := bytes.NewBuffer(bytes.Clone(hdr))
	if _, err := spliced.ReadFrom(payload); err != nil {
		t.Fatal(err)
	}
	first.data = spliced.Bytes()
	o := fetchOptions(t, id)
	got, err := c.Fetch(t.Context(), o)
	if !errors.Is(err, ErrTampered) {
		t.Errorf("got %v", err)
	}
	checkFiles(t, h, o, got, []int{1})
}

func TestForgedPayloadIsRefusedByTheListedHash(t *testing.T) {
	h, c := newHouse(t)
	id := keygen(t, false)
	h.grantAll(t, id, 1)
	g := h.files[h.list[0].ID]
	forged := encrypt(t, plaintext(9), id.Recipient()) // opens perfectly well
	if len(forged) != len(g.data) {
		t.Fatal("the forgery has another length")
	}
	g.data = forged
	o := fetchOptions(t, id)
	if _, err := c.Fetch(t.Context(), o); !errors.Is(err, ErrTampered) {
		t.Errorf("got %v", err)
	}
	if names := visible(t, o.Out); len(names) != 0 {
		t.Errorf("folder holds %v", names)
	}
}

func TestWrongIdentityOpensNothingAndCostsNoSecondDownload(t *testing.T) {
	h, c := newHouse(t)
	id := keygen(t, false)
	h.grantAll(t, id, 1)
	o := fetchOptions(t, keygen(t, false))
	if _, err := c.Fetch(t.Context(), o); !errors.Is(err, ErrWrongIdentity) {
		t.Errorf("got %v", err)
	}
	if names := visible(t, o.Out); !slices.Equal(names, []string{".partial"}) {
		t.Errorf("folder holds %v", names)
	}
	o.Identities = []Identity{id}
	got, err := c.Fetch(t.Context(), o)
	if err != nil || h.files[h.list[0].ID].sent != 1 {
		t.Errorf("%d downloads, %v", h.files[h.list[0].ID].sent, err)
	}
	checkFiles(t, h, o, got, []int{0})
	if _, err := c.Fetch(t.Context(), FetchOptions{Request: request, Out: t.TempDir()}); err == nil {
		t.Error("fetched without an identity")
	}
}

func TestRefusedAndRevokedFilesAreListedNotFatal(t *testing.T) {
	h, c := newHouse(t)
	id := keygen(t, false)
	h.grantAll(t, id, 5)
	for n, status := range map[int]int{0: 403, 1: 404, 2: 410} {
		h.files[h.list[n].ID].gone = status
	}
	h.list[3].Gone = true
	o := fetchOptions(t, id)
	got, err := c.Fetch(t.Context(), o)
	if err != nil || len(got.Refused) != 4 {
		t.Fatalf("refused %+v, %v", got.Refused, err)
	}
	for _, r := range got.Refused {
		if r.Reason == "" {
			t.Errorf("no reason for %s", r.ID)
		}
	}
	checkFiles(t, h, o, got, []int{4})
}

func TestRevocationDuringADownloadLeavesNoPart(t *testing.T) {
	h, c := newHouse(t)
	id := keygen(t, false)
	h.grantAll(t, id, 1)
	g := h.files[h.list[0].ID]
	h.trouble = func(w http.ResponseWriter, r *http.Request) bool {
		if g.gone != 0 || !strings.HasPrefix(r.URL.Path, "/v1/files/") {
			return false
		}
		defer func() { g.gone = http.StatusGone }()
		return h.cut(w, r, nil)
	}
	o := fetchOptions(t, id)
	got, err := c.Fetch(t.Context(), o)
	if err != nil || len(got.Refused) != 1 || len(visible(t, o.Out)) != 0 {
		t.Errorf("%+v, %v, folder holds %v", got, err, visible(t, o.Out))
	}
}

func TestHostileListsAreRefused(t *testing.T) {
	id := keygen(t, false)
	twice := coop.NewID()
	for name, list := range map[string][]File{
		"path":     {{ID: "../../../etc/cron.d/x", Size: 300}},
		"empty id": {{ID: "", Size: 300}},
		"twice":    {{ID: twice, Size: 300}, {ID: twice, Size: 300}},
		"negative": {{ID: coop.NewID(), Size: -1}},
		"none":     {},
	} {
		h, c := newHouse(t)
		h.list = list
		o := fetchOptions(t, id)
		if _, err := c.Fetch(t.Context(), o); err == nil {
			t.Errorf("%s was accepted", name)
		}
		if _, err := os.Stat(o.Out); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s made a folder: %v", name, err)
		}
	}
}

func TestFolderOfAnotherRequestIsNotTouched(t *testing.T) {
	h, c := newHouse(t)
	id := keygen(t, false)
	h.grantAll(t, id, 1)
	o := fetchOptions(t, id)
	if err := os.MkdirAll(o.Out, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{`{"server":"https://other.example","request":"r"}`, "not json", `{"name":"my-app","version":"1"}`} {
		if err := os.WriteFile(filepath.Join(o.Out, manifestName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Fetch(t.Context(), o); err == nil {
			t.Errorf("%s was overwritten", text)
		}
		if kept, err := os.ReadFile(filepath.Join(o.Out, manifestName)); err != nil || string(kept) != text {
			t.Errorf("%s became %s", text, kept)
		}
	}
}

func TestServerThatIsGoneEndsTheFetchAndKeepsTheParts(t *testing.T) {
	h, c := newHouse(t)
	id := keygen(t, false)
	h.grantAll(t, id, 2)
	drops := 0
	h.trouble = func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasPrefix(r.URL.Path, "/v1/files/") {
			return false
		}
		if drops++; drops > 1 {
			panic(http.ErrAbortHandler)
		}
		return h.cut(w, r, nil)
	}
	o := fetchOptions(t, id)
	o.Parallel = 1
	var lost *UnreachableError
	if _, err := c.Fetch(t.Context(), o); !errors.As(err, &lost) {
		t.Errorf("got %v", err)
	}
	h.troubled(nil)
	got, err := c.Fetch(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	checkFiles(t, h, o, got, []int{0, 1})
}
