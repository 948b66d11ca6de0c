package keystore

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/testkit"
)

// cellar is a keystore on disk that can be closed and opened again.
type cellar struct {
	t      testing.TB
	dir    string
	dirs   []string
	clock  *testkit.Clock
	master Identity
	ended  []int64
	d      *db.DB
	*Store
}

func newCellar(t testing.TB) *cellar {
	t.Helper()
	dir := t.TempDir()
	c := &cellar{t: t, dir: dir, dirs: []string{filepath.Join(dir, "epochs")}, clock: testkit.NewClock(), master: must[Identity](t)(NewMaster())}
	c.start()
	t.Cleanup(func() { _ = c.d.Close() })
	return c
}

func (c *cellar) start() {
	c.t.Helper()
	ctx := context.Background()
	c.d = must[*db.DB](c.t)(db.Open(ctx, filepath.Join(c.dir, "keys.db")))
	c.Store = must[*Store](c.t)(New(ctx, c.config()))
	if c.master == nil {
		return
	}
	if err := c.Unlock(ctx, c.master); err != nil {
		c.t.Fatal(err)
	}
}

func (c *cellar) config() Config {
	return Config{DB: c.d, Dirs: c.dirs, Clock: c.clock.Now, Logger: slog.New(slog.NewTextHandler(c.t.Output(), nil)),
		Ended: func(_ context.Context, e Epoch) error { c.ended = append(c.ended, e.Number); return nil }}
}

func (c *cellar) restart() {
	c.t.Helper()
	if err := c.d.Close(); err != nil {
		c.t.Fatal(err)
	}
	c.start()
}

// restartWith starts it with another master, after the old one was refused.
func (c *cellar) restartWith(next Identity) {
	c.t.Helper()
	old := c.master
	c.master = nil
	c.restart()
	wants(c.t, c.Unlock(c.t.Context(), old), ErrOtherMaster)
	c.master = next
	c.restart()
}

func (c *cellar) minted() coop.DatasetID {
	c.t.Helper()
	ds := coop.DatasetID(coop.NewID())
	must[string](c.t)(c.Mint(c.t.Context(), ds, "hybrid"))
	return ds
}

func (c *cellar) opens(ids ...coop.DatasetID) {
	c.t.Helper()
	for _, ds := range ids {
		if _, err := c.Identity(c.t.Context(), ds); err != nil {
			c.t.Error(err)
		}
	}
}

func (c *cellar) turn() {
	c.t.Helper()
	if err := c.Turn(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
}

func (c *cellar) unlocked() opened {
	c.t.Helper()
	return must[opened](c.t)(c.Store.master.get())
}

func (c *cellar) row(ds coop.DatasetID) (k key) {
	c.t.Helper()
	err := c.d.View(c.t.Context(), func(tx *db.Tx) (err error) {
		k, err = getKey(tx, ds)
		return err
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return k
}

func (c *cellar) epochs() []Epoch { return must[[]Epoch](c.t)(c.Epochs(c.t.Context())) }

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

func flip(b []byte) []byte {
	out := bytes.Clone(b)
	out[len(out)/2] ^= 1
	return out
}

func TestARotationThatWasKilledIsFinishedWithTheNewMasterAlone(t *testing.T) {
	for _, killed := range []string{"before it began", "before that was written down", "before any key moved",
		"before the old key was destroyed", "before that was recorded"} {
		c := newCellar(t)
		a, b := c.minted(), c.minted()
		next := must[Identity](t)(NewMaster())
		_, to, _ := identityText(next)
		m := c.unlocked()
		successor := opened{id: next, to: to, epochs: m.epochs}
		current := must[epoch](t)(c.currentEpoch(t.Context()))
		if killed == "before it began" || killed == "before that was written down" {
			c.leaves(1, m.to, to)
			if killed != "before it began" {
				c.leaves(2, to)
			}
			c.restart() // with the old master: nothing has happened
			c.opens(a, b)
			if err := c.Rotate(t.Context(), next); err != nil {
				t.Fatal(killed, err)
			}
			c.restartWith(next)
			c.opens(a, b)
			continue
		}
		begun := must[epoch](t)(c.succeed(t.Context(), m, current, successor))
		if killed != "before any key moved" {
			if err := c.reseal(t.Context(), successor, begun); err != nil {
				t.Fatal(err)
			}
		}
		if killed == "before that was recorded" {
			if err := c.files.destroy(1); err != nil {
				t.Fatal(err)
			}
		}
		late := c.minted()
		c.restartWith(next)
		c.opens(a, b, late)
		c.turn()
		c.opens(a, b, late)
		if all := c.epochs(); len(all) != 2 || all[0].DestroyedAt == 0 || all[1].Keys != 3 || len(c.ended) != 1 || c.ended[0] != 1 {
			t.Errorf("killed %s: %+v, told %v", killed, all, c.ended)
		}
	}
}

func TestWithoutItsEpochsKeyAKeystoreStaysLocked(t *testing.T) {
	c := newCellar(t)
	c.minted()
	c.Lock()
	path := epochFile(c.dirs[0], 1)
	file := must[[]byte](t)(os.ReadFile(path))
	_, to, _ := identityText(c.master)
	other, _, err := newIdentity("hybrid")
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string][]byte{"empty": {}, "cut": file[:len(file)-1], "flipped": flip(file),
		"another key": encrypt(t, []byte(other+"\n"), to), "no key": encrypt(t, []byte("hello"), to)} {
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := c.Unlock(t.Context(), c.master); !errors.Is(err, ErrEpochLost) || !c.Locked() {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	wants(t, c.Unlock(t.Context(), c.master), ErrEpochLost)
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.Unlock(t.Context(), c.master); err != nil {
		t.Error(err)
	}
}

func TestAMirrorKeepsTheKeystoreAliveAndIsDestroyedWithIt(t *testing.T) {
	c := newCellar(t)
	c.dirs = append(c.dirs, filepath.Join(t.TempDir(), "mirror")) // complete from the next epoch on
	c.restart()
	ds := c.minted()
	c.clock.Advance(6 * 24 * time.Hour)
	c.turn()
	if err := os.Remove(epochFile(c.dirs[0], 2)); err != nil {
		t.Fatal(err)
	}
	c.restart()
	c.opens(ds)
	c.clock.Advance(6 * 24 * time.Hour)
	c.turn()
	for _, dir := range c.dirs {
		if files, err := os.ReadDir(dir); err != nil || len(files) != 1 || files[0].Name() != "epoch-00000003.age" {
			t.Errorf("%v, %v", files, err)
		}
	}
}

func TestAKeyThatCannotBeDestroyedKeepsItsEpochOpen(t *testing.T) {
	c := newCellar(t)
	ds := c.minted()
	path := epochFile(c.dirs[0], 1)
	if err := errors.Join(os.Rename(path, path+".aside"), os.Mkdir(path, 0o700)); err != nil { // nothing overwrites a directory
		t.Fatal(err)
	}
	c.clock.Advance(7 * 24 * time.Hour)
	if err := c.Turn(t.Context()); err == nil {
		t.Fatal("no error")
	}
	if all := c.epochs(); len(all) != 2 || all[0].DestroyedAt != 0 || !all[0].Overdue || len(c.ended) != 0 {
		t.Errorf("%+v", all)
	}
	c.opens(ds)
	if err := errors.Join(os.Remove(path), os.Rename(path+".aside", path)); err != nil {
		t.Fatal(err)
	}
	c.turn()
	if all := c.epochs(); len(all) != 2 || all[0].DestroyedAt == 0 || len(c.ended) != 1 {
		t.Errorf("%+v", all)
	}
}

func TestAServerThatSleptThroughATurnGoesOnWithTheNewEpoch(t *testing.T) {
	c := newCellar(t)
	ds := c.minted()
	second := must[*Store](t)(New(t.Context(), c.config()))
	if err := second.Unlock(t.Context(), c.master); err != nil {
		t.Fatal(err)
	}
	c.clock.Advance(6 * 24 * time.Hour)
	c.turn()
	if _, err := second.Mint(t.Context(), coop.DatasetID(coop.NewID()), "hybrid"); err != nil {
		t.Error(err)
	}
	if _, err := second.Identity(t.Context(), ds); err != nil {
		t.Error(err)
	}
	if all := c.epochs(); all[1].Keys != 2 || all[0].Keys != 0 {
		t.Errorf("%+v", all)
	}
}

func TestADamagedRowDoesNotKeepItsEpochAlive(t *testing.T) {
	c := newCellar(t)
	keep, damaged := c.minted(), c.minted()
	err := c.d.Update(t.Context(), func(tx *db.Tx) error {
		return resealKey(tx, key{Dataset: damaged, Epoch: 1, Sealed: flip(c.row(damaged).Sealed)}, 1)
	})
	if err != nil {
		t.Fatal(err)
	}
	c.clock.Advance(7 * 24 * time.Hour)
	c.turn()
	if all := c.epochs(); all[0].DestroyedAt == 0 || all[1].Keys != 1 {
		t.Errorf("%+v", all)
	}
	c.opens(keep)
	if _, err := c.Identity(t.Context(), damaged); err == nil {
		t.Error("a damaged key opened")
	}
}

func TestARowInAnothersPlaceIsRefused(t *testing.T) {
	c := newCellar(t)
	mine, victims := c.minted(), c.minted()
	err := c.d.Update(t.Context(), func(tx *db.Tx) error {
		return resealKey(tx, key{Dataset: mine, Epoch: 1, Sealed: c.row(victims).Sealed}, 1)
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Identity(t.Context(), mine); err == nil {
		t.Error("the victim's key opened")
	}
	c.opens(victims)
}

func TestARowIsBoundToItsDatasetAndEpoch(t *testing.T) {
	c := newCellar(t)
	ds := c.minted()
	row := c.row(ds)
	if row.Sealed[0] != direct {
		t.Fatal("an unlocked keystore wrote the slow form")
	}
	k := must[*epochKey](t)(c.epochKey(t.Context(), c.unlocked(), 1))
	must[string](t)(k.open(row))
	for i := range row.Sealed {
		bad := row
		bad.Sealed = bytes.Clone(row.Sealed)
		bad.Sealed[i] ^= 0x40
		if _, err := k.open(bad); err == nil {
			t.Fatalf("byte %d changed and opened", i)
		}
		bad.Sealed = row.Sealed[:i]
		if _, err := k.open(bad); err == nil {
			t.Fatalf("cut to %d bytes and opened", i)
		}
	}
	other := row
	other.Epoch = 2
	if _, err := k.open(other); err == nil {
		t.Error("it opens in another epoch")
	}
	c.Lock()
	if slow := c.row(c.minted()); !bytes.HasPrefix(slow.Sealed, []byte("age-encryption.org/v1")) {
		t.Error("a locked keystore wrote something else than an age file")
	} else if _, err := k.open(slow); err != nil {
		t.Error(err)
	}
}

func TestADeletedKeyOpensNothingAndDoesNotComeBack(t *testing.T) {
	c := newCellar(t)
	keep, gone := c.minted(), c.minted()
	stale := []key{c.row(keep), c.row(gone)} // read by a turn that is under way
	if err := c.Forget(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	_, err := c.Identity(t.Context(), gone)
	wants(t, err, ErrNoKey)
	begun := must[epoch](t)(c.beginEpoch(t.Context(), c.unlocked(), must[epoch](t)(c.currentEpoch(t.Context())), nil))
	if err := c.resealBatch(t.Context(), c.unlocked(), stale, 2, must[*epochKey](t)(c.epochKey(t.Context(), c.unlocked(), begun.Number))); err != nil {
		t.Fatal(err)
	}
	if held := must[[]coop.DatasetID](t)(c.Holders(t.Context())); len(held) != 1 || held[0] != keep {
		t.Errorf("%v", held)
	}
}

func TestALockedKeystoreMintsAndOpensNothing(t *testing.T) {
	c := newCellar(t)
	c.Lock()
	ds := c.minted()
	_, err := c.Identity(t.Context(), ds)
	wants(t, err, ErrSealed)
	wants(t, c.Turn(t.Context()), ErrSealed)
	wants(t, c.Rotate(t.Context(), c.master), ErrSealed)
	if err := c.Unlock(t.Context(), c.master); err != nil {
		t.Fatal(err)
	}
	c.opens(ds)
}
