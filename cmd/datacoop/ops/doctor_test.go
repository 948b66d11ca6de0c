package ops

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/cmd/datacoop/custody"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

// examined is what doctor finds now.
func (w *world) examined(c Doctor) *report {
	w.t.Helper()
	c.Data = w.data
	return c.examine(w.t.Context(), w.clock.Now(), c.Database != "")
}

// finds fails unless there is a finding of a state whose sentence holds a word,
// with something to do about it.
func (w *world) finds(r *report, name, state, word string) {
	w.t.Helper()
	for _, f := range r.Findings {
		if f.Name == name && f.State == state && strings.Contains(f.Says, word) {
			if (f.Do == "") != (state == fine) {
				w.t.Errorf("%s: %q says to do %q", f.Name, f.Says, f.Do)
			}
			return
		}
	}
	w.t.Errorf("no %s %s with %q in %+v", state, name, word, r.Findings)
}

func snapshot(t *testing.T, dir string) string {
	t.Helper()
	var out strings.Builder
	for _, name := range listing(t, dir) {
		if strings.HasSuffix(name, "-shm") {
			continue // SQLite's readers keep their marks there
		}
		info, err := os.Stat(filepath.Join(dir, name))
		must(t, err)
		fmt.Fprintln(&out, name, info.Size(), info.Mode(), info.ModTime().UnixNano())
	}
	return out.String()
}

func TestADoctorFindsAHealthyCoopHealthyAndChangesNothing(t *testing.T) {
	w := newWorld(t)
	w.share(t, 1_000)
	w.uploaded(t, 10)
	w.backup("backup")
	for _, when := range []string{"beside a server", "without one", "sealed"} {
		if when == "without one" {
			w.check(w.Close())
		}
		if when == "sealed" {
			s, err := w.open(t.Context(), w.data, nil)
			w.check(err)
			defer s.Close()
		}
		before := snapshot(t, w.data)
		r := w.examined(Doctor{})
		if after := snapshot(t, w.data); after != before {
			t.Errorf("%s: it was\n%sand became\n%s", when, before, after)
		}
		for _, f := range r.Findings {
			if f.State != fine {
				t.Errorf("%s: %+v", when, f)
			}
		}
		if !r.OK || len(r.Epochs) != 1 || r.Epochs[0].Keys != 2 || r.Epochs[0].KeyFiles != 1 {
			t.Errorf("%s: %+v", when, r.Epochs)
		}
		w.finds(r, "uploads", fine, "1 is complete")
		text, err := json.Marshal(r)
		w.check(err)
		keys, err := custody.LoadKeys(w.data)
		w.check(err)
		for _, secret := range []string{passphrase, "AGE-SECRET-KEY", string(keys.OAuth)} {
			if strings.Contains(string(text), secret) {
				t.Error("a secret is in the report")
			}
		}
	}
}

func TestADoctorTellsWhatIsWrong(t *testing.T) {
	epoch1 := func(w *world) string { return filepath.Join(w.data, custody.EpochDir, "epoch-00000001.age") }
	exec := func(d *db.DB, query string, args ...any) error {
		return d.Update(context.Background(), func(tx *db.Tx) error { return tx.ExecOne(query, args...) })
	}
	for name, c := range map[string]struct {
		hurt  func(w *world, o owned) error
		doc   Doctor
		what  string
		state string
		word  string
	}{
		"an epoch's key that is lost":    {func(w *world, _ owned) error { return os.Remove(epoch1(w)) }, Doctor{}, "epoch 1", wrong, "missing"},
		"an epoch that outlived its end": {func(w *world, _ owned) error { w.clock.Advance(8 * 24 * time.Hour); return nil }, Doctor{}, "epoch 1", wrong, "should have been destroyed"},
		"an epoch that is due":           {func(w *world, _ owned) error { w.clock.Advance(6*24*time.Hour + time.Hour); return nil }, Doctor{}, "epoch 1", heed, "due to turn"},
		"a key file of no epoch": {func(w *world, _ owned) error {
			return os.WriteFile(strings.Replace(epoch1(w), "00000001", "00000007", 1), nil, 0o600)
		}, Doctor{}, "epochs", heed, "no epoch"},
		"a missing payload": {func(w *world, o owned) error { return os.Remove(w.payloadOf(o)) }, Doctor{}, "payloads", wrong, "missing"},
		"an orphan": {func(w *world, _ owned) error {
			return os.WriteFile(filepath.Join(w.data, "blobs/partial", strings.Repeat("a", 32)), nil, 0o600)
		}, Doctor{}, "payloads", heed, "no dataset"},
		"a lost key": {func(w *world, o owned) error {
			return exec(w.keys, `DELETE FROM keystore_keys WHERE dataset = ?`, o.id)
		}, Doctor{}, "keys", wrong, "no key"},
		"a key of nobody": {func(w *world, _ owned) error {
			return exec(w.keys, `INSERT INTO keystore_keys VALUES (?, 1, '', 0)`, coop.NewID())
		}, Doctor{}, "sweeper", heed, "1 key of no dataset"},
		"a key of an unknown epoch": {func(w *world, _ owned) error {
			return exec(w.keys, `INSERT INTO keystore_keys VALUES (?, 9, '', 0)`, coop.NewID())
		}, Doctor{}, "keys", wrong, "does not know"},
		"an interrupted revocation": {func(w *world, o owned) error {
			return exec(w.DB, `UPDATE vault_datasets SET state = 'shredding', blob = '' WHERE id = ?`, o.id)
		}, Doctor{}, "sweeper", heed, "1 revocation,"},
		"no master key": {func(w *world, _ owned) error { return os.Remove(filepath.Join(w.data, custody.MasterFile)) }, Doctor{}, "master key", wrong, "not there"},
		"a master key that is not sealed": {func(w *world, _ owned) error {
			return os.WriteFile(filepath.Join(w.data, custody.MasterFile), []byte("AGE-SECRET-KEY-1"), 0o600)
		}, Doctor{}, "master key", wrong, "no sealed key"},
		"an interrupted rotation": {func(w *world, _ owned) error {
			return os.WriteFile(filepath.Join(w.data, custody.NextFile), nil, 0o600)
		}, Doctor{}, "master key", wrong, "interrupted"},
		"keys that others can read": {func(w *world, _ owned) error { return os.Chmod(filepath.Join(w.data, keysFile), 0o640) }, Doctor{}, "permissions", wrong, "server.keys"},
		"a clock that went back":    {func(w *world, _ owned) error { w.clock.Advance(-3 * time.Hour); return nil }, Doctor{}, "clock", wrong, "behind"},
		"no reserve":                {func(w *world, _ owned) error { return os.Remove(filepath.Join(w.data, ballastFile)) }, Doctor{}, "reserve", heed, "no room"},
		"no backup":                 {func(*world, owned) error { return nil }, Doctor{}, "backup", heed, "no backup"},
		"a backup that is dark": {func(w *world, _ owned) error {
			w.backup("backup")
			w.clock.Advance(7 * 24 * time.Hour)
			return w.vault.Sweep(context.Background())
		}, Doctor{}, "backup", heed, "epoch that has ended"},
		"an ended epoch's key that is back": {func(w *world, _ owned) error {
			key, err := os.ReadFile(epoch1(w))
			w.check(err)
			w.clock.Advance(7 * 24 * time.Hour)
			w.check(w.vault.Sweep(context.Background()))
			return os.WriteFile(epoch1(w), key, 0o600)
		}, Doctor{}, "epoch 1", wrong, "here again"},
		"a database that is gone": {func(w *world, _ owned) error { w.check(w.Close()); return os.Remove(filepath.Join(w.data, mainFile)) }, Doctor{}, "database", wrong, "cannot be opened"},
		"a keystore that is noise": {func(w *world, _ owned) error {
			w.check(w.Close())
			return os.WriteFile(filepath.Join(w.data, custody.KeystoreFile), []byte(strings.Repeat("noise", 4000)), 0o600)
		}, Doctor{}, "keystore", wrong, "cannot be opened"},
		"a restore that is not over":        {func(w *world, _ owned) error { return writeMark(w.data, mark{State: markUnreconciled}) }, Doctor{}, "restore", wrong, "not over"},
		"http for the public":               {func(*world, owned) error { return nil }, Doctor{BaseURL: "http://coop.example", BuiltinAccounts: true}, "address", wrong, "not https"},
		"a database on a server":            {func(*world, owned) error { return nil }, Doctor{Database: "postgres://db/coop"}, "database", heed, "PostgreSQL"},
		"nowhere to sign in":                {func(*world, owned) error { return nil }, Doctor{BaseURL: "https://coop.example"}, "sign-in", wrong, "no place"},
		"a passphrase beside a public key":  {func(w *world, _ owned) error { return os.WriteFile(filepath.Join(w.data, phraseFile), nil, 0o600) }, Doctor{BaseURL: "https://coop.example"}, "passphrase", wrong, "public server"},
		"a passphrase that others can read": {func(w *world, _ owned) error { return os.Chmod(w.path("phrase.txt"), 0o644) }, Doctor{BaseURL: "https://coop.example", BuiltinAccounts: true, PassphraseFile: "phrase.txt"}, "passphrase", heed, "read by others"},
		"a certificate that is not there":   {func(*world, owned) error { return nil }, Doctor{BaseURL: "https://coop.example", BuiltinAccounts: true, ACMEHost: "coop.example"}, "certificate", heed, "no certificate"},
		"a certificate that is none": {func(w *world, _ owned) error {
			w.check(os.Mkdir(filepath.Join(w.data, acmeDir), 0o700))
			return os.WriteFile(filepath.Join(w.data, acmeDir, "coop.example"), []byte("x"), 0o600)
		}, Doctor{BaseURL: "https://coop.example", BuiltinAccounts: true, ACMEHost: "coop.example"}, "certificate", wrong, "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.check(c.hurt(w, w.share(t, 100)))
			if c.doc.PassphraseFile != "" {
				c.doc.PassphraseFile = w.path(c.doc.PassphraseFile)
			}
			r := w.examined(c.doc)
			w.finds(r, c.what, c.state, c.word)
			if r.OK == (c.state == wrong) {
				t.Errorf("ok: %v", r.OK)
			}
		})
	}
}

func TestADoctorSeesWhoServes(t *testing.T) {
	w := newWorld(t)
	w.finds(w.examined(Doctor{}), "server", fine, "none runs")
	release, err := custody.Lock(w.data)
	w.check(err)
	r := w.examined(Doctor{})
	w.finds(r, "server", fine, "one runs")
	w.check(release())
}
