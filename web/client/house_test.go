package client

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"
	"filippo.io/age/armor"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/vault/header"
)

// house is a server that speaks as much of the contract as the operations
// need, and remembers what it heard. Trouble may answer in its place.
type house struct {
	mu        sync.Mutex
	mux       *http.ServeMux
	heard     []string // method and path of every call
	bodies    bytes.Buffer
	trouble   func(w http.ResponseWriter, r *http.Request) bool
	recipient string
	answers   map[string][]byte // by idempotency key
	datasets  map[string]*stored
	order     []string
	maxBytes  int64
	classic   bool // vault recipients are X25519
	files     map[string]*granted
	list      []File
	nonce     string
	challenge string
	proven    bool
}

type stored struct {
	Dataset
	identity Identity
	upload   string
	size     int64
	got      []byte
	seal     SealBody
}

type granted struct {
	data []byte
	etag string
	gone int // status it is refused with
	sent int // times it was asked for
}

func newHouse(t *testing.T) (*house, *Client) {
	t.Helper()
	h := &house{mux: http.NewServeMux(), answers: map[string][]byte{}, datasets: map[string]*stored{}, files: map[string]*granted{}}
	for pattern, handle := range map[string]http.HandlerFunc{
		"GET /.well-known/datacoop":      h.discovery,
		"GET /v1/me":                     h.me,
		"PUT /v1/me/recipient":           h.setRecipient,
		"POST /v1/datasets":              h.open,
		"GET /v1/me/datasets":            h.mine,
		"POST /v1/uploads":               h.create,
		"HEAD /v1/uploads/{id}":          h.offset,
		"PATCH /v1/uploads/{id}":         h.patch,
		"DELETE /v1/uploads/{id}":        h.cancel,
		"POST /v1/datasets/{id}/seal":    h.seal,
		"GET /v1/requests/{id}/files":    h.listFiles,
		"GET /v1/files/{id}":             h.file,
		"POST /v1/recipients":            h.register,
		"POST /v1/recipients/{id}/proof": h.proof,
	} {
		h.mux.HandleFunc(pattern, handle)
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	c, err := New(server.URL, WithToken("member"), withPause(time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	return h, c
}

func (h *house) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.heard = append(h.heard, r.Method+" "+r.URL.Path)
	r.Body = io.NopCloser(io.TeeReader(r.Body, &h.bodies))
	if r.Header.Get("Authorization") != "Bearer member" {
		refuse(w, 401, "token-invalid", "This token is unknown.")
		return
	}
	if h.trouble != nil && h.trouble(w, r) {
		return
	}
	h.mux.ServeHTTP(w, r)
}

// count is how often a call was heard.
func (h *house) count(call string) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, heard := range h.heard {
		if strings.HasPrefix(heard, call) {
			n++
		}
	}
	return n
}

func (h *house) troubled(trouble func(w http.ResponseWriter, r *http.Request) bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.trouble = trouble
}

func refuse(w http.ResponseWriter, status int, code, title string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(Problem{Type: "urn:datacoop:problem:" + code, Title: title, Status: status})
}

// tell answers JSON; a POST with a key seen before gets the same answer.
func (h *house) tell(w http.ResponseWriter, r *http.Request, status int, v any) {
	text, _ := json.Marshal(v)
	if key := r.Header.Get("Idempotency-Key"); key != "" {
		h.answers[key] = text
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(text)
}

func (h *house) again(w http.ResponseWriter, r *http.Request) bool {
	text, seen := h.answers[r.Header.Get("Idempotency-Key")]
	if seen {
		w.Header().Set("Content-Type", "application/json")
		w.Write(text)
	}
	return seen
}

func (h *house) discovery(w http.ResponseWriter, r *http.Request) {
	h.tell(w, r, 200, Discovery{Name: "Testers", CharterDigest: "c0ffee"})
}

func (h *house) me(w http.ResponseWriter, r *http.Request) {
	h.tell(w, r, 200, Me{ID: "m1", Recipient: h.recipient})
}

func (h *house) setRecipient(w http.ResponseWriter, r *http.Request) {
	var body RecipientBody
	json.NewDecoder(r.Body).Decode(&body)
	h.recipient = body.Recipient
	w.WriteHeader(http.StatusNoContent)
}

func (h *house) open(w http.ResponseWriter, r *http.Request) {
	if h.again(w, r) {
		return
	}
	var body DatasetDraft
	json.NewDecoder(r.Body).Decode(&body)
	id, _ := Keygen(h.classic)
	d := &stored{identity: id, Dataset: Dataset{ID: coop.NewID(), Pool: body.Pool, State: "open", VaultRecipient: id.Recipient(),
		Profile: Profile{Columns: []string{}}, MaxBytes: h.maxBytes, ChunkBytes: 64 << 10}}
	h.datasets[d.ID] = d
	h.order = append(h.order, d.ID)
	h.tell(w, r, 201, d.Dataset)
}

func (h *house) mine(w http.ResponseWriter, r *http.Request) {
	page := Page[Dataset]{Items: []Dataset{}}
	for _, id := range h.order {
		if d := h.datasets[id]; d != nil {
			page.Items = append(page.Items, d.Dataset)
		}
	}
	h.tell(w, r, 200, page)
}

func (h *house) create(w http.ResponseWriter, r *http.Request) {
	text, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(r.Header.Get("Upload-Metadata"), "dataset "))
	d := h.datasets[string(text)]
	switch {
	case d == nil:
		refuse(w, 404, "dataset-not-found", "There is no such dataset.")
	case d.upload != "":
		refuse(w, 409, "upload-exists", "This dataset has an upload already.")
	default:
		d.upload, d.State = coop.NewID(), "uploading"
		d.size, _ = strconv.ParseInt(r.Header.Get("Upload-Length"), 10, 64)
		w.Header().Set("Location", "/v1/uploads/"+d.upload)
		w.WriteHeader(201)
	}
}

func (h *house) uploading(w http.ResponseWriter, r *http.Request) *stored {
	for _, d := range h.datasets {
		if d.upload == r.PathValue("id") {
			return d
		}
	}
	refuse(w, 404, "upload-not-found", "There is no such upload.")
	return nil
}

func (h *house) offset(w http.ResponseWriter, r *http.Request) {
	if d := h.uploading(w, r); d != nil {
		w.Header().Set("Upload-Offset", strconv.Itoa(len(d.got)))
	}
}

func (h *house) patch(w http.ResponseWriter, r *http.Request) {
	d := h.uploading(w, r)
	if d == nil {
		return
	}
	if r.Header.Get("Upload-Offset") != strconv.Itoa(len(d.got)) {
		refuse(w, 409, "upload-offset", "The upload stands at another offset.")
		return
	}
	body, _ := io.ReadAll(r.Body)
	if d.got = append(d.got, body...); int64(len(d.got)) == d.size {
		d.State = "received"
	}
	w.Header().Set("Upload-Offset", strconv.Itoa(len(d.got)))
	w.WriteHeader(http.StatusNoContent)
}

func (h *house) cancel(w http.ResponseWriter, r *http.Request) {
	if d := h.uploading(w, r); d != nil {
		d.upload, d.got, d.State = "", nil, "open"
		w.WriteHeader(http.StatusNoContent)
	}
}

func (h *house) seal(w http.ResponseWriter, r *http.Request) {
	d := h.datasets[r.PathValue("id")]
	switch {
	case d == nil:
		refuse(w, 404, "dataset-not-found", "There is no such dataset.")
		return
	case h.again(w, r):
		return
	case d.State != "received":
		refuse(w, 409, "dataset-sealed", "This dataset is sealed already, or not complete.")
		return
	}
	json.NewDecoder(r.Body).Decode(&d.seal)
	hdr, payload, err := header.Split(bytes.NewReader(d.got))
	if err != nil || d.seal.Manifest.HeaderSHA256 != hexSum(hdr) {
		refuse(w, 422, "manifest-mismatch", "The manifest does not describe the file that was received.")
		return
	}
	body, _ := io.ReadAll(payload)
	now := time.Now()
	d.State, d.SealedAt, d.SHA256, d.Size = "available", &now, hexSum(body), int64(len(body))
	if d.seal.Manifest.SHA256 != d.SHA256 || d.seal.Manifest.Size != d.Size {
		refuse(w, 422, "manifest-mismatch", "The manifest does not describe the file that was received.")
		return
	}
	h.tell(w, r, 200, d.Dataset)
}

func hexSum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// encrypt makes an age file.
func encrypt(t *testing.T, plain []byte, to ...string) []byte {
	t.Helper()
	var recipients []age.Recipient
	for _, s := range to {
		r, _, err := header.ParseRecipient(s)
		if err != nil {
			t.Fatal(err)
		}
		recipients = append(recipients, r)
	}
	var out bytes.Buffer
	w, err := age.Encrypt(&out, recipients...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// grant puts an age file before the researcher and lists it truthfully.
func (h *house) grant(t *testing.T, data []byte) File {
	t.Helper()
	_, payload, err := header.Split(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(payload)
	f := File{ID: coop.NewID(), Size: int64(len(data)), SHA256: hexSum(body)}
	h.files[f.ID] = &granted{data: data, etag: fmt.Sprintf("%q", f.SHA256[:16])}
	h.list = append(h.list, f)
	return f
}

func (h *house) listFiles(w http.ResponseWriter, r *http.Request) {
	cut := min(3, len(h.list))
	if r.URL.Query().Get("cursor") == "rest" {
		h.tell(w, r, 200, Page[File]{Items: h.list[cut:]})
		return
	}
	page := Page[File]{Items: h.list[:cut]}
	if cut < len(h.list) {
		page.Next = "rest"
		w.Header().Set("Link", "<"+r.URL.Path+`?cursor=rest>; rel="next"`)
	}
	h.tell(w, r, 200, page)
}

func (h *house) file(w http.ResponseWriter, r *http.Request) {
	g := h.files[r.PathValue("id")]
	if g == nil {
		refuse(w, 404, "file-not-found", "There is no such file.")
		return
	}
	g.sent++
	if g.gone != 0 {
		refuse(w, g.gone, "refused", "The member has withdrawn.")
		return
	}
	w.Header().Set("ETag", g.etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(g.data))
}

func (h *house) register(w http.ResponseWriter, r *http.Request) {
	var body RecipientBody
	json.NewDecoder(r.Body).Decode(&body)
	out := Recipient{ID: "r1", Recipient: body.Recipient, Proven: h.proven}
	if h.challenge == "" {
		var err error
		if h.nonce, h.challenge, err = header.Challenge(body.Recipient); err != nil {
			refuse(w, 422, "recipient-malformed", "This is not an age recipient.")
			return
		}
	}
	if !h.proven {
		out.Challenge = h.challenge
	}
	h.tell(w, r, 201, out)
}

func (h *house) proof(w http.ResponseWriter, r *http.Request) {
	var body ProofBody
	json.NewDecoder(r.Body).Decode(&body)
	if body.Nonce != h.nonce {
		refuse(w, 422, "proof-wrong", "This is not the nonce.")
		return
	}
	h.proven = true
	h.tell(w, r, 200, Recipient{ID: "r1", Proven: true})
}

// armored wraps an age file in PEM.
func armored(t *testing.T, data []byte) string {
	t.Helper()
	var out bytes.Buffer
	w := armor.NewWriter(&out)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func keygen(t *testing.T, classic bool) Identity {
	t.Helper()
	id, err := Keygen(classic)
	if err != nil {
		t.Fatal(err)
	}
	return id
}
