package ops

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/cmd/datacoop/custody"
	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/vault"
)

func TestWhatWasRevokedAfterABackupStaysRevoked(t *testing.T) {
	for _, form := range []string{"backup", "backup.tar"} {
		t.Run(form, func(t *testing.T) {
			w := newWorld(t)
			keep, gone, also := w.share(t, 1_000), w.share(t, 200_000), w.share(t, 10)
			b := w.backup(form)
			receipt := w.revoke(t, gone)
			later := w.share(t, 100) // and lost
			w.revoke(t, later)
			mirror := w.mirror(t, w.path("mirror"))
			epochs := filepath.Join(w.data, custody.EpochDir)

			dark := w.path("dark")
			w.check(w.restore(Restore{From: b, Data: dark}))
			if _, err := w.serve(dark); err == nil || !strings.Contains(err.Error(), "revoked since") {
				t.Errorf("a server started on what nobody has vouched for: %v", err)
			}
			w.check(w.restore(Restore{Data: dark, Log: mirror})) // still without the epoch's key
			if _, err := w.serve(dark); !errors.Is(err, vault.ErrEpochLost) {
				t.Errorf("without its epoch's key the vault opened: %v", err)
			}

			fresh := w.path("fresh")
			w.check(w.restore(Restore{From: b, Data: fresh, Epochs: epochs, Log: mirror}))
			s := w.start(fresh)
			defer s.Close()
			s.resume(t, keep, also)
			s.delivers(t, keep, also)
			if _, err := s.fetch(t, gone); err == nil {
				t.Error("what was revoked is delivered again")
			}
			for _, name := range listing(t, fresh) {
				if strings.HasSuffix(name, filepath.Base(receipt.BlobSHA256)) {
					t.Error(name)
				}
			}
			if n := len(slices.DeleteFunc(listing(t, fresh), func(n string) bool { return !strings.HasPrefix(n, "blobs/payload/") })); n != 2 {
				t.Errorf("%d payloads are there", n)
			}
			again, err := s.vault.Receipt(t.Context(), gone.member, gone.id)
			if err != nil || !again.Complete || again.LogIndex != receipt.LogIndex || again.BlobSHA256 != receipt.BlobSHA256 {
				t.Errorf("%+v, %v", again, err)
			}
			s.continues(t, mirror)
		})
	}
}

// resume ends the pause that a restore has put members on who had no say.
func (s *served) resume(t testing.TB, all ...owned) {
	t.Helper()
	for _, o := range all {
		if _, err := s.fetch(t, o); !errors.Is(err, errRefused) {
			t.Errorf("answers were lost and a member is not paused: %v", err)
		}
		must(t, s.Consent.Resume(t.Context(), o.member))
	}
}

// continues fails unless the log goes on where the mirror ends.
func (s *served) continues(t testing.TB, mirror string) {
	t.Helper()
	held, err := os.ReadFile(filepath.Join(mirror, "checkpoint"))
	must(t, err)
	note, err := s.Log.Checkpoint(t.Context())
	must(t, err)
	p, err := audit.Read(note, s.Log.VerifierKey(), func(path string) ([]byte, error) { return s.Log.Tile(t.Context(), path) })
	must(t, err)
	if err := p.Reaches(held, s.Log.VerifierKey()); err != nil {
		t.Errorf("the log does not go on where it was published to: %v", err)
	}
	if _, err := s.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAfterTheHorizonNoBackupOpensWhatWasRevoked(t *testing.T) {
	w := newWorld(t)
	keep, gone := w.share(t, 1_000), w.share(t, 1_000)
	b := w.backup("backup")
	r := w.revoke(t, gone)
	w.clock.Advance(8 * 24 * time.Hour)
	w.check(w.vault.Sweep(t.Context())) // turns the epoch: living keys are sealed anew, the old epoch's key is destroyed
	dark, err := time.Parse(time.RFC3339, r.BackupsDarkBy)
	if err != nil || dark.After(w.clock.Now()) {
		t.Fatalf("the receipt promises %s, %v", r.BackupsDarkBy, err)
	}
	w.delivers(t, keep) // the live rows were resealed

	// Whoever has the old backup and everything that is on the live system now,
	// says that nothing was revoked, and knows the passphrase.
	old := w.path("old")
	w.check(w.restore(Restore{From: b, Data: old, Epochs: filepath.Join(w.data, custody.EpochDir), NothingNewer: true}))
	if _, err := w.serve(old); !errors.Is(err, vault.ErrEpochLost) {
		t.Errorf("the old keystore opened: %v", err)
	}
	w.check(os.RemoveAll(filepath.Join(old, custody.EpochDir)))
	w.check(os.CopyFS(filepath.Join(old, custody.EpochDir), os.DirFS(filepath.Join(w.data, custody.EpochDir))))
	if _, err := w.serve(old); !errors.Is(err, vault.ErrEpochLost) {
		t.Errorf("the old keystore opened: %v", err)
	}
	// Nor does the new epoch's key open the old rows when it is put in the old one's place.
	files := listing(t, filepath.Join(old, custody.EpochDir))
	if len(files) != 1 {
		t.Fatalf("%v", files)
	}
	w.check(os.Rename(filepath.Join(old, custody.EpochDir, files[0]), filepath.Join(old, custody.EpochDir, "epoch-00000001.age")))
	if _, err := w.serve(old); !errors.Is(err, vault.ErrEpochLost) {
		t.Errorf("the old keystore opened: %v", err)
	}

	// A backup of the new epoch opens, and does not hold what was revoked.
	b = w.backup("later")
	fresh := w.path("fresh")
	w.check(w.restore(Restore{From: b, Data: fresh, Epochs: filepath.Join(w.data, custody.EpochDir), NothingNewer: true}))
	s := w.start(fresh)
	defer s.Close()
	s.delivers(t, keep)
	if _, err := s.fetch(t, gone); err == nil {
		t.Error("what was revoked is delivered")
	}
}

func TestAnswersThatWereLostPauseEverybody(t *testing.T) {
	w := newWorld(t)
	withdrawn, other := w.share(t, 100), w.share(t, 100)
	b := w.backup("backup")
	_, err := w.Consent.WithdrawDataset(t.Context(), withdrawn.member, withdrawn.id)
	w.check(err)
	mirror := w.mirror(t, w.path("mirror"))
	fresh := w.path("fresh")
	w.check(w.restore(Restore{From: b, Data: fresh, Epochs: filepath.Join(w.data, custody.EpochDir), Log: mirror}))
	s := w.start(fresh)
	defer s.Close()
	for _, o := range []owned{withdrawn, other} {
		if _, err := s.fetch(t, o); !errors.Is(err, errRefused) {
			t.Errorf("the answer given before the backup governs again: %v", err)
		}
	}
	s.resume(t, other)
	s.delivers(t, other)
}

func TestNothingIsPausedIfNoAnswerWasLost(t *testing.T) {
	w := newWorld(t)
	o := w.share(t, 100)
	b := w.backup("backup")
	_, err := w.fetch(t, o) // a decision is logged after the backup
	w.check(err)
	fresh := w.path("fresh")
	w.check(w.restore(Restore{From: b, Data: fresh, Epochs: filepath.Join(w.data, custody.EpochDir), Log: w.mirror(t, w.path("mirror"))}))
	s := w.start(fresh)
	defer s.Close()
	s.delivers(t, o)
}

func TestUploadsThatWereNotSealed(t *testing.T) {
	w := newWorld(t)
	replaced, up := w.uploaded(t, 1_000)
	waiting, still := w.uploaded(t, 2_000)
	b := w.backup("backup")

	// Nothing was revoked since: what waited goes on waiting and can be sealed.
	calm := w.path("calm")
	w.check(w.restore(Restore{From: b, Data: calm, Epochs: filepath.Join(w.data, custody.EpochDir), Log: w.mirror(t, w.path("mirror"))}))
	s := w.start(calm)
	s.seal(t, waiting, still)
	s.delivers(t, waiting)
	w.check(s.Close())

	// It is cancelled, and something is revoked that the backup does not know,
	// which could be what took its place: the older bytes must not come back.
	w.check(w.vault.Cancel(t.Context(), replaced.member, up.ID))
	w.revoke(t, w.share(t, 10))
	wary := w.path("wary")
	w.check(w.restore(Restore{From: b, Data: wary, Epochs: filepath.Join(w.data, custody.EpochDir), Log: w.mirror(t, w.path("mirror2"))}))
	s = w.start(wary)
	defer s.Close()
	for _, name := range listing(t, wary) {
		if strings.HasPrefix(name, "blobs/") {
			t.Errorf("%s came back", name)
		}
	}
	if d, err := s.vault.Get(t.Context(), replaced.member, replaced.id); err != nil || d.State != vault.StateOpen {
		t.Errorf("%s, %v", d.State, err)
	}
}

func TestALogThatCannotTellIsRefusedAndNothingIsLeft(t *testing.T) {
	w := newWorld(t)
	o := w.share(t, 100)
	early := w.mirror(t, w.path("early"))
	w.share(t, 100)
	b := w.backup("backup")

	keys, err := os.ReadFile(filepath.Join(w.data, keysFile))
	w.check(err)
	other := newWorldWith(t, keys) // signs with the same key, and has another history
	for range 12 {
		other.share(t, 10)
	}
	forked := other.mirror(t, w.path("forked"))
	stranger := newWorld(t)
	for range 12 {
		stranger.share(t, 10)
	}

	_, err = w.fetch(t, o)
	w.check(err)
	middle := w.mirror(t, w.path("middle"))
	w.revoke(t, o)
	torn := w.mirror(t, w.path("torn"))
	for _, name := range listing(t, torn) {
		if strings.HasPrefix(name, "tile/") {
			flip(t, filepath.Join(torn, name), 40)
		}
	}

	for name, c := range map[string]Restore{
		"one that ends before the backup":                       {Log: early},
		"another co-op's":                                       {Log: forked},
		"one with an altered leaf":                              {Log: torn},
		"a folder with nothing in it":                           {Log: t.TempDir()},
		"nowhere":                                               {Log: w.path("nowhere")},
		"another history's checkpoint":                          {Checkpoint: filepath.Join(forked, "checkpoint"), NothingNewer: true},
		"nothing newer, with a checkpoint that shows otherwise": {Checkpoint: filepath.Join(torn, "checkpoint"), NothingNewer: true},
		"a log behind the checkpoint":                           {Log: middle, Checkpoint: filepath.Join(torn, "checkpoint")},
	} {
		c.From, c.Data = b, w.path("target")
		if err := w.restore(c); err == nil {
			t.Errorf("%s was believed", name)
		}
		if left := listing(t, c.Data); len(left) > 0 {
			t.Errorf("%s: left %v", name, left)
		}
	}
	if err := w.restore(Restore{From: b, Data: w.path("ok"), Checkpoint: filepath.Join(torn, "checkpoint")}); err != nil {
		t.Error(err) // said plainly, and not served
	}
	if Refuse(w.path("ok")) == nil {
		t.Error("a backup that is older than the published checkpoint would be served")
	}
}

func TestARevocationThatNamesNothingStopsTheRestore(t *testing.T) {
	w := newWorld(t)
	w.share(t, 100)
	b := w.backup("backup")
	w.check(w.DB.Update(t.Context(), appendLeaf(w.Log, audit.Event{Kind: kindRevoked, Record: "as earlier versions wrote them"})))
	err := w.restore(Restore{From: b, Data: w.path("fresh"), Log: w.mirror(t, w.path("mirror"))})
	if err == nil || !strings.Contains(err.Error(), "does not say what it erased") {
		t.Errorf("%v", err)
	}
	if left := listing(t, w.path("fresh")); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

func TestARestoreThatWasCutOffAfterReplayGoesOn(t *testing.T) {
	w := newWorld(t)
	keep, gone := w.share(t, 100), w.share(t, 100)
	b := w.backup("backup")
	w.revoke(t, gone)
	c := Restore{From: b, Data: w.path("fresh"), Log: w.mirror(t, w.path("mirror"))}
	w.check(w.restore(Restore{From: c.From, Data: c.Data}))

	rooms, err := w.lent().Open(t.Context(), c.Data, "")
	w.check(err)
	m, _, err := readMark(c.Data)
	w.check(err)
	w.check(c.replay(t.Context(), rooms, m.MadeAt)) // killed here
	w.check(rooms.Close())
	if Refuse(c.Data) == nil {
		t.Error("half a restore would be served")
	}
	c.From, c.Epochs = "", filepath.Join(w.data, custody.EpochDir)
	w.check(w.restore(c))
	s := w.start(c.Data)
	defer s.Close()
	s.delivers(t, keep)
	if _, err := s.fetch(t, gone); err == nil {
		t.Error("what was revoked is delivered again")
	}
	if err := w.restore(c); err == nil {
		t.Error("a directory that is served already was taken for a restored one")
	}
}

func appendLeaf(log *audit.Log, e audit.Event) func(*db.Tx) error {
	return func(tx *db.Tx) error { _, err := log.Append(tx, e); return err }
}
