package ops

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"filippo.io/age"

	"distributed.ai/datacoop/cmd/datacoop/custody"
	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/policies"
	"distributed.ai/datacoop/vault"
	"distributed.ai/datacoop/vault/header"
)

const (
	origin     = "coop.test/log"
	passphrase = "correct horse battery staple"
)

// world is a co-op on a disk that can be lost.
type world struct {
	t     testing.TB
	clock *testkit.Clock
	root  string // where backups go
	data  string
	*served
}

// served is a co-op while a server holds it.
type served struct {
	*Rooms
	keys  *db.DB
	vault *vault.Service
}

func newWorld(t testing.TB) *world { return newWorldWith(t, nil) }

// newWorldWith gives a co-op the server keys of another one.
func newWorldWith(t testing.TB, keys []byte) *world {
	t.Helper()
	w := &world{t: t, clock: testkit.NewClock(), root: t.TempDir()}
	w.data = filepath.Join(w.root, "data")
	w.check(os.Mkdir(w.data, 0o700))
	w.check(custody.SealMaster(w.data, passphrase, custody.RandomLogN))
	w.check(os.WriteFile(filepath.Join(w.data, charterFile), []byte("name = \"Test\"\n"), 0o600))
	if keys != nil {
		w.check(os.WriteFile(filepath.Join(w.data, keysFile), keys, 0o600))
	}
	_, err := custody.LoadKeys(w.data)
	w.check(err)
	w.served = w.start(w.data)
	t.Cleanup(func() { _ = w.Close() })
	return w
}

func (w *world) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// start serves a directory with the vault unlocked.
func (w *world) start(dir string) *served {
	w.t.Helper()
	s, err := w.serve(dir)
	w.check(err)
	return s
}

func (w *world) serve(dir string) (*served, error) {
	if err := Refuse(dir); err != nil {
		return nil, err
	}
	phrase := filepath.Join(w.root, "phrase.txt")
	w.check(os.WriteFile(phrase, []byte(passphrase), 0o600))
	master, err := custody.OpenMaster(dir, phrase)
	w.check(err)
	s, err := w.open(context.Background(), dir, master)
	if err != nil {
		return nil, err
	}
	return s, s.vault.Sweep(context.Background())
}

func (w *world) open(ctx context.Context, dir string, master vault.Identity) (_ *served, err error) {
	s := &served{Rooms: &Rooms{Clock: w.clock.Now}}
	var closers []func() error
	s.Close = func() (err error) {
		for _, c := range closers {
			err = errors.Join(err, c())
		}
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.DB, err = db.Open(ctx, filepath.Join(dir, mainFile)); err != nil {
		return nil, err
	}
	closers = append(closers, s.DB.Close)
	if s.keys, err = db.Open(ctx, filepath.Join(dir, custody.KeystoreFile)); err != nil {
		return nil, err
	}
	closers = append(closers, s.keys.Close)
	keys, err := custody.LoadKeys(dir)
	if err != nil {
		return nil, err
	}
	if s.Log, err = audit.New(ctx, s.DB, origin, keys.Log(), w.clock.Now); err != nil {
		return nil, err
	}
	law, err := policies.Compile(ctx, policies.Default())
	if err != nil {
		return nil, err
	}
	s.Consent, err = consent.New(ctx, consent.Config{DB: s.DB, Engine: policies.NewEngine(law), Log: s.Log, Clock: w.clock.Now,
		Key: testkit.Key(), PermitFor: time.Minute, Charter: coop.Charter{Name: "Test", Currency: "EUR"}})
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(dir, blobsDir), 0o700); err != nil {
		return nil, err
	}
	blobs, err := vault.OpenBlobs(filepath.Join(dir, blobsDir))
	if err != nil {
		return nil, err
	}
	closers = append(closers, blobs.Close)
	s.vault, err = vault.New(ctx, vault.Config{DB: s.DB, Keystore: s.keys, Blobs: blobs, Consent: s.Consent, Log: s.Log, Clock: w.clock.Now,
		Master: master, Key: testkit.Key(), MaxBytes: 32 << 20, EpochDirs: []string{filepath.Join(dir, custody.EpochDir)},
		Ballast: filepath.Join(dir, ballastFile), Logger: slog.New(slog.NewTextHandler(w.t.Output(), nil))})
	s.Vault = s.vault
	s.Verify = func(ctx context.Context) (string, error) {
		if _, err := s.Log.Verify(ctx); err != nil {
			return "", err
		}
		c, err := s.vault.Verify(ctx, nil)
		if len(c.Wrong) > 0 {
			err = errors.Join(err, errors.New(c.Wrong[0].Sentence))
		}
		return count(c.Datasets, "payload", "payloads"), err
	}
	return s, err
}

// lent is what the front door lends to the commands.
func (w *world) lent() House {
	return House{
		Open: func(ctx context.Context, dir, _ string) (*Rooms, error) {
			s, err := w.open(ctx, dir, nil)
			if err != nil {
				return nil, err
			}
			return s.Rooms, nil
		},
		Charter: func(dir, _ string) ([]byte, coop.Charter, error) {
			text, err := os.ReadFile(filepath.Join(dir, charterFile))
			return text, coop.Charter{Name: "Test"}, err
		},
		LogKey: func(dir string, _ coop.Charter) (string, ed25519.PrivateKey, error) {
			keys, err := custody.LoadKeys(dir)
			return origin, keys.Log(), err
		},
		Bar:   func(string) (func(int64, int64), func()) { return func(int64, int64) {}, func() {} },
		Clock: func(string) (coop.Clock, error) { return w.clock.Now, nil },
	}
}

func (w *world) path(name string) string { return filepath.Join(w.root, name) }

// backup makes one and answers where it is.
func (w *world) backup(name string) string {
	w.t.Helper()
	w.check((&Backup{Data: w.data, To: w.path(name)}).Run(w.t.Context(), w.lent()))
	return w.path(name)
}

func (w *world) restore(c Restore) error {
	w.t.Helper()
	return c.Run(w.t.Context(), w.lent())
}

// mirror keeps the log as a member would, who follows it.
func (s *served) mirror(t testing.TB, dir string) string {
	t.Helper()
	note, err := s.Log.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	keep := func(path string, data []byte) {
		if err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(dir, path)), 0o700), os.WriteFile(filepath.Join(dir, path), data, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	_, err = audit.Recompute(note, s.Log.VerifierKey(), func(path string) ([]byte, error) {
		data, err := s.Log.Tile(t.Context(), path)
		keep(path, data)
		return data, err
	})
	if err != nil {
		t.Fatal(err)
	}
	keep("checkpoint", note)
	return dir
}

// owned is a dataset with whoever uploaded it.
type owned struct {
	id     coop.DatasetID
	member coop.MemberID
	plain  []byte
}

// share uploads a file of n bytes and seals it, with consent to any research.
func (s *served) share(t testing.TB, n int) owned {
	t.Helper()
	o, up := s.uploaded(t, n)
	s.seal(t, o, up)
	return o
}

// pending is an upload that is complete and not sealed.
type pending struct {
	vault.Upload
	recipient string
}

func (s *served) uploaded(t testing.TB, n int) (owned, pending) {
	t.Helper()
	ctx := t.Context()
	own, err := age.GenerateX25519Identity()
	must(t, err)
	o := owned{member: coop.MemberID(coop.NewID()), plain: bytes.Repeat([]byte("steps 8000\n"), n/11+1)}
	d, err := s.vault.Open(ctx, o.member, "wearables", own.Recipient().String())
	must(t, err)
	o.id = d.ID
	to, _, err := header.ParseRecipient(d.VaultRecipient)
	must(t, err)
	var file bytes.Buffer
	w, err := age.Encrypt(&file, own.Recipient(), to)
	must(t, err)
	_, err = w.Write(o.plain)
	must(t, errors.Join(err, w.Close()))
	up, err := s.vault.CreateUpload(ctx, o.member, d.ID, int64(file.Len()))
	must(t, err)
	up, err = s.vault.Append(ctx, o.member, up.ID, 0, &file)
	must(t, err)
	return o, pending{up, d.VaultRecipient}
}

func (s *served) seal(t testing.TB, o owned, up pending) {
	t.Helper()
	terms := consent.Terms{Effect: consent.Given, Purposes: []string{"DUO:0000042"}, RequesterKinds: []string{"university"}}
	_, err := s.vault.Seal(t.Context(), o.member, o.id, vault.SealInput{Terms: &terms, Profile: vault.Profile{Pool: "wearables"},
		Manifest: vault.Manifest{Dataset: string(o.id), SHA256: up.PayloadSHA256, Size: up.PayloadSize, HeaderSHA256: up.HeaderSHA256, VaultRecipient: up.recipient}})
	must(t, err)
}

var errRefused = errors.New("consent says no")

// fetch is a researcher's download, opened.
func (s *served) fetch(t testing.TB, o owned) ([]byte, error) {
	t.Helper()
	lab, err := age.GenerateHybridIdentity()
	must(t, err)
	var d vault.Delivery
	err = s.DB.Update(t.Context(), func(tx *db.Tx) error {
		decision, permit, err := s.Consent.Decide(tx, consent.Ask{Request: coop.RequestID(coop.NewID()), Pool: "wearables", Recipient: lab.Recipient().String(),
			RetentionDays: 30, Purpose: coop.Purpose{DUO: "DUO:0000042", DPV: "AcademicResearch"},
			Researcher: consent.Requester{ID: coop.ResearcherID(coop.NewID()), Kind: "university", Vetted: true, Region: "DE"}}, o.id)
		if err != nil {
			return err
		}
		if !decision.Allow {
			return errRefused
		}
		d, err = s.vault.Rewrap(tx, permit)
		return err
	})
	if err != nil {
		return nil, err
	}
	f, err := d.Open()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	plain, err := age.Decrypt(f, lab)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(plain)
}

// delivers fails unless a researcher gets exactly what the member uploaded.
func (s *served) delivers(t testing.TB, all ...owned) {
	t.Helper()
	for _, o := range all {
		if got, err := s.fetch(t, o); err != nil || !bytes.Equal(got, o.plain) {
			t.Errorf("%s is not delivered: %d bytes, %v", o.id, len(got), err)
		}
	}
}

func (s *served) revoke(t testing.TB, o owned) vault.Receipt {
	t.Helper()
	r, err := s.vault.Revoke(t.Context(), o.member, o.id)
	must(t, err)
	if !r.Complete {
		t.Fatalf("pending: %v", r.Pending)
	}
	return r
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// listing names every file below a directory.
func listing(t testing.TB, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path == dir {
			return nil
		}
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			names = append(names, filepath.ToSlash(rel))
		}
		return err
	})
	must(t, err)
	return names
}

func (w *world) payloadOf(ds owned) string {
	w.t.Helper()
	inventory, err := vault.TakeInventory(w.t.Context(), w.DB, w.clock.Now())
	w.check(err)
	for _, p := range inventory.Payloads {
		if p.Dataset == ds.id {
			return filepath.Join(w.data, filepath.FromSlash(payloadName(p.Blob)))
		}
	}
	w.t.Fatal("no payload")
	return ""
}

func flip(t testing.TB, path string, at int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	must(t, err)
	defer f.Close()
	var b [1]byte
	_, err = f.ReadAt(b[:], at)
	must(t, err)
	b[0] ^= 1
	_, err = f.WriteAt(b[:], at)
	must(t, err)
}
