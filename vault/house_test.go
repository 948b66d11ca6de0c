package vault

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"filippo.io/age"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/policies"
	"distributed.ai/datacoop/vault/header"
)

const maxBytes = 32 << 20

// house is a co-op with a vault, on disk, that can be closed and opened again.
type house struct {
	t       testing.TB
	dir     string
	address string // of the database; empty: in dir, or a schema of the server
	clock   *testkit.Clock
	master  age.Identity
	log     *audit.Log
	db      *db.DB
	keys    *db.DB
	blobs   *Blobs
	consent *consent.Service
	*Service
	classic bool
	ballast string
	bucket  string // "": payloads are files
}

func newHouse(t testing.TB) *house {
	t.Helper()
	master, err := NewMaster()
	if err != nil {
		t.Fatal(err)
	}
	return newHouseIn(t, t.TempDir(), master, "")
}

func newHouseIn(t testing.TB, dir string, master age.Identity, ballast string) *house {
	t.Helper()
	h := &house{t: t, dir: dir, clock: testkit.NewClock(), master: master, ballast: ballast}
	for _, d := range []string{"db", "keys", "blobs", "epochs"} {
		if err := os.Mkdir(filepath.Join(h.dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	h.start()
	t.Cleanup(h.stop)
	return h
}

func (h *house) start() {
	h.t.Helper()
	ctx := context.Background()
	if h.address == "" {
		h.address = testkit.AddressAt(h.t, filepath.Join(h.dir, "db", "coop.db"))
	}
	h.db = must[*db.DB](h.t)(db.Open(ctx, h.address))
	h.keys = must[*db.DB](h.t)(db.Open(ctx, filepath.Join(h.dir, "keys", "keys.db")))
	if h.bucket == "" {
		h.blobs = must[*Blobs](h.t)(OpenBlobs(filepath.Join(h.dir, "blobs")))
	} else {
		h.blobs = must[*Blobs](h.t)(OpenBucket(ctx, filepath.Join(h.dir, "blobs"), h.bucket))
	}
	h.log = must[*audit.Log](h.t)(audit.New(ctx, h.db, "coop.test/log", testkit.Key(), h.clock.Now))
	law := must[*policies.Revision](h.t)(policies.Compile(ctx, policies.Default()))
	h.consent = must[*consent.Service](h.t)(consent.New(ctx, consent.Config{DB: h.db, Engine: policies.NewEngine(law), Log: h.log,
		Clock: h.clock.Now, Key: testkit.Key(), PermitFor: 10 * time.Minute, Charter: coop.Charter{Name: "Test", Currency: "EUR"}}))
	h.Service = must[*Service](h.t)(New(ctx, h.config()))
}

func (h *house) config() Config {
	return Config{DB: h.db, Keystore: h.keys, Blobs: h.blobs, Consent: h.consent, Log: h.log, Clock: h.clock.Now,
		Master: h.master, Key: testkit.Key(), MaxBytes: maxBytes, ClassicRecipients: h.classic,
		EpochDirs: []string{filepath.Join(h.dir, "epochs")}, Ballast: h.ballast,
		Logger: slog.New(slog.NewTextHandler(h.t.Output(), nil))}
}

func (h *house) stop() {
	if err := errors.Join(h.db.Close(), h.keys.Close(), h.blobs.Close()); err != nil {
		h.t.Error(err)
	}
}

// restart is what a stopped server does: everything in memory is gone.
func (h *house) restart() {
	h.t.Helper()
	h.stop()
	h.start()
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func wants(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got %v, want %v", err, want)
	}
}

func newMember() coop.MemberID { return coop.MemberID(coop.NewID()) }

// someTerms allow universities any research.
var someTerms = consent.Terms{Effect: consent.Given, Purposes: []string{"DUO:0000042"}, RequesterKinds: []string{"university"}}

// person is a member with a key of their own.
type person struct {
	id  coop.MemberID
	age *age.HybridIdentity
}

func newPerson(t testing.TB) person {
	return person{newMember(), must[*age.HybridIdentity](t)(age.GenerateHybridIdentity())}
}

// draft is a dataset that is open, with a file made for it.
type draft struct {
	Dataset
	by   person
	file []byte // the age file
}

func (h *house) open(by person, plain []byte) draft {
	h.t.Helper()
	d := must[Dataset](h.t)(h.Open(h.t.Context(), by.id, "wearables", by.age.Recipient().String()))
	to, _, err := header.ParseRecipient(d.VaultRecipient)
	if err != nil {
		h.t.Fatal(err)
	}
	return draft{d, by, encrypt(h.t, plain, by.age.Recipient(), to)}
}

func encrypt(t testing.TB, plain []byte, to ...age.Recipient) []byte {
	t.Helper()
	var out bytes.Buffer
	w := must[io.WriteCloser](t)(age.Encrypt(&out, to...))
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// uploaded sends the whole file in one part.
func (h *house) uploaded(d draft) Upload {
	h.t.Helper()
	up := must[Upload](h.t)(h.CreateUpload(h.t.Context(), d.by.id, d.ID, int64(len(d.file))))
	return must[Upload](h.t)(h.Append(h.t.Context(), d.by.id, up.ID, 0, bytes.NewReader(d.file)))
}

// manifest is what an honest client says about its file.
func (d draft) manifest(t testing.TB) Manifest {
	t.Helper()
	hdr, payload, err := header.Split(bytes.NewReader(d.file))
	if err != nil {
		t.Fatal(err)
	}
	rest := must[[]byte](t)(io.ReadAll(payload))
	return Manifest{Dataset: string(d.ID), SHA256: hexSHA256(rest), Size: int64(len(rest)),
		HeaderSHA256: hexSHA256(hdr), VaultRecipient: d.VaultRecipient, Terms: "2026-03"}
}

func (d draft) input(t testing.TB) SealInput {
	t.Helper()
	return SealInput{Manifest: d.manifest(t), Terms: &someTerms,
		Profile: Profile{Format: "fitbit", Pool: "wearables", Rows: 940, Coverage: 910, From: "2016-04", To: "2016-05"}}
}

// sealed is a whole upload, from nothing to available.
func (h *house) sealed(by person, plain []byte) draft {
	h.t.Helper()
	d := h.open(by, plain)
	h.uploaded(d)
	d.Dataset = must[Dataset](h.t)(h.Seal(h.t.Context(), by.id, d.ID, d.input(h.t)))
	return d
}

// researcher asks under one request.
type researcher struct {
	request   coop.RequestID
	recipient string
	age       age.Identity
}

func newResearcher(t testing.TB) researcher {
	id := must[*age.HybridIdentity](t)(age.GenerateHybridIdentity())
	return researcher{coop.RequestID(coop.NewID()), id.Recipient().String(), id}
}

func (r researcher) ask() consent.Ask {
	return consent.Ask{Request: r.request, Pool: "wearables", Recipient: r.recipient, RetentionDays: 30,
		Purpose:    coop.Purpose{DUO: "DUO:0000042", DPV: "AcademicResearch"},
		Researcher: consent.Requester{ID: coop.ResearcherID(coop.NewID()), Kind: "university", Vetted: true, Region: "DE"}}
}

// fetch decides and rewraps in one transaction, as a delivery does.
func (h *house) fetch(r researcher, ds coop.DatasetID) (out Delivery, err error) {
	h.t.Helper()
	return out, h.db.Update(h.t.Context(), func(tx *db.Tx) error {
		decision, permit, err := h.consent.Decide(tx, r.ask(), ds)
		if err != nil {
			return err
		}
		if !decision.Allow {
			return errRefused
		}
		out, err = h.Rewrap(tx, permit)
		return err
	})
}

var errRefused = errors.New("consent says no")

func readAll(t testing.TB, d Delivery) []byte {
	t.Helper()
	f := must[io.ReadSeekCloser](t)(d.Open())
	defer func() { _ = f.Close() }()
	return must[[]byte](t)(io.ReadAll(f))
}

func decrypt(t testing.TB, file []byte, id age.Identity) []byte {
	t.Helper()
	r := must[io.Reader](t)(age.Decrypt(bytes.NewReader(file), id))
	return must[[]byte](t)(io.ReadAll(r))
}

// finds searches every file of the house, byte by byte, and names those that
// hold the needle.
func (h *house) finds(needle []byte) (where []string) {
	h.t.Helper()
	err := filepath.WalkDir(h.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, needle) {
			where = append(where, filepath.Base(path))
		}
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return where
}

// files counts the payload files, whole or not.
func (h *house) files() int {
	return len(must[[]string](h.t)(h.blobs.Names(h.t.Context()))) + len(must[[]string](h.t)(h.blobs.Partials()))
}

func (h *house) sealedKey(ds coop.DatasetID) (sealed []byte) {
	h.t.Helper()
	err := h.keys.View(h.t.Context(), func(tx *db.Tx) error {
		return tx.QueryRow(`SELECT sealed FROM keystore_keys WHERE dataset = ?`, ds).Scan(&sealed)
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return sealed
}

func (h *house) row(id coop.UploadID) (u upload) {
	h.t.Helper()
	err := h.db.View(h.t.Context(), func(tx *db.Tx) (err error) {
		u, err = getUpload(tx, id)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return u
}

func noise(n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(i*i>>8 ^ i*31)
	}
	return out
}

func (h *house) keyCount() (n int) {
	h.t.Helper()
	return len(must[[]coop.DatasetID](h.t)(h.Service.keys.Holders(h.t.Context())))
}

func (h *house) payloadFile(ds coop.DatasetID) string {
	h.t.Helper()
	var d Dataset
	err := h.db.View(h.t.Context(), func(tx *db.Tx) (err error) {
		d, err = getDataset(tx, ds)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return filepath.Join(h.dir, "blobs", "payload", d.blob[:2], d.blob)
}

// tamper flips a bit of a payload at rest.
func (h *house) tamper(ds coop.DatasetID) {
	h.t.Helper()
	path := h.payloadFile(ds)
	data := must[[]byte](h.t)(os.ReadFile(path))
	data[len(data)/2] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// fixedKey is a recipient that makes age encrypt under a key of our choice: it
// swaps the file key that age drew for the forger's.
type fixedKey struct{ key []byte }

func (f fixedKey) Wrap(fileKey []byte) ([]*age.Stanza, error) {
	copy(fileKey, f.key)
	return []*age.Stanza{{Type: "forged"}}, nil
}

// intact counts the datasets that are what was sealed; the error names one that
// is not.
func (h *house) intact() (int64, error) {
	h.t.Helper()
	c, err := h.Verify(h.t.Context(), nil)
	for _, w := range c.Wrong {
		err = errors.Join(err, errors.New(string(w.Dataset)+": "+w.Sentence))
	}
	return c.Datasets, err
}
