package keystore

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/coop"
)

func TestReadingAndMintingGoOnWhileEpochsTurn(t *testing.T) {
	c := newCellar(t)
	held := []coop.DatasetID{c.minted(), c.minted(), c.minted()}
	var over atomic.Bool
	var people sync.WaitGroup
	for range 3 {
		people.Go(func() {
			for !over.Load() {
				c.opens(held...)
			}
		})
	}
	people.Go(func() {
		for !over.Load() {
			if _, err := c.Mint(t.Context(), coop.DatasetID(coop.NewID()), "x25519"); err != nil {
				t.Error(err)
			}
		}
	})
	for range 60 {
		c.clock.Advance(DefaultHorizon)
		if err := c.Turn(t.Context()); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Millisecond) // let the others meet the new epoch
	}
	over.Store(true)
	people.Wait()
	cache := c.unlocked().epochs
	for _, e := range c.epochs() {
		if _, ok := cache.get(e.Number); ok && e.DestroyedAt > 0 {
			t.Errorf("the destroyed key of epoch %d is still in memory", e.Number)
		}
	}
}

func TestADestroyedKeyStaysOutOfMemory(t *testing.T) {
	c := newCellar(t)
	ds := c.minted()
	m, first := c.unlocked(), c.row(ds)
	read, err := c.epochKey(t.Context(), m, first.Epoch) // a reader that is slow
	if err != nil {
		t.Fatal(err)
	}
	c.clock.Advance(DefaultHorizon)
	c.turn()
	m.epochs.put(first.Epoch, read) // and comes back after the turn
	if _, ok := m.epochs.get(first.Epoch); ok {
		t.Error("the destroyed key is back")
	}
	c.opens(ds)
}

// leaves writes the key file of an epoch, sealed to the given masters, as a
// process that was killed before it could say so in the database.
func (c *cellar) leaves(number int64, masters ...recipient) {
	c.t.Helper()
	id := must[Identity](c.t)(newEpochIdentity(c.unlocked()))
	if number == 1 {
		id = must[*epochKey](c.t)(c.epochKey(c.t.Context(), c.unlocked(), number)).id
	}
	if err := c.files.write(number, must[[]byte](c.t)(sealEpochKey(id, masters...))); err != nil {
		c.t.Fatal(err)
	}
}

// beside is a second process on the same database and directories.
func (c *cellar) beside() *cellar {
	c.t.Helper()
	other := &cellar{t: c.t, dir: c.dir, dirs: c.dirs, clock: c.clock, master: c.master}
	other.start()
	c.t.Cleanup(func() { _ = other.d.Close() })
	return other
}

// copied is a process on a copy of the database as it is, and on the same
// directories of epoch keys.
func (c *cellar) copied() *cellar {
	c.t.Helper()
	other := &cellar{t: c.t, dir: c.t.TempDir(), dirs: c.dirs, clock: c.clock, master: c.master}
	if err := c.Truncate(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
	file := must[[]byte](c.t)(os.ReadFile(filepath.Join(c.dir, "keys.db")))
	if err := os.WriteFile(filepath.Join(other.dir, "keys.db"), file, 0o600); err != nil {
		c.t.Fatal(err)
	}
	other.start()
	c.t.Cleanup(func() { _ = other.d.Close() })
	return other
}

func (c *cellar) epochFile(number int64) []byte {
	c.t.Helper()
	return must[[]byte](c.t)(os.ReadFile(epochFile(c.dirs[0], number)))
}

func TestOfTwoProcessesOneBeginsAnEpochAndTheOtherTakesIt(t *testing.T) {
	c := newCellar(t)
	other := c.beside()
	first := must[epoch](t)(c.currentEpoch(t.Context()))
	begun := must[epoch](t)(c.beginEpoch(t.Context(), c.unlocked(), first, nil))
	file := c.epochFile(2)
	taken := must[epoch](t)(other.beginEpoch(t.Context(), other.unlocked(), first, func() error {
		t.Error("the one who came second prepared as if it were the first")
		return nil
	}))
	if taken != begun || !bytes.Equal(file, c.epochFile(2)) {
		t.Errorf("%+v and %+v", begun, taken)
	}
	mine, theirs := c.minted(), other.minted()
	c.turn()
	other.turn() // finds everything done
	c.restart()
	c.opens(mine, theirs)
	other.opens(mine, theirs)
	if _, ok := other.unlocked().epochs.get(1); ok {
		t.Error("a key that another process has destroyed is still in memory")
	}
}

func TestTwoProcessesThatTurnAtOnceLoseNoKey(t *testing.T) {
	c := newCellar(t)
	cellars := []*cellar{c, c.beside()}
	held := []coop.DatasetID{c.minted()}
	for range 5 {
		c.clock.Advance(DefaultHorizon)
		var both sync.WaitGroup
		for _, each := range cellars {
			both.Go(func() {
				if err := each.Turn(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		held = append(held, cellars[0].minted(), cellars[1].minted())
		for _, each := range cellars {
			each.opens(held...)
		}
	}
	if all := c.epochs(); len(all) != 6 {
		t.Errorf("%d epochs", len(all))
	}
	c.restart() // with what is on the disk alone
	c.opens(held...)
}

func TestACopyOfTheDatabaseDoesNotReplaceTheKeyOfALivingEpoch(t *testing.T) {
	c := newCellar(t)
	other := c.copied()
	c.clock.Advance(DefaultHorizon)
	c.turn()
	ds := c.minted()
	file := c.epochFile(2)
	other.turn()
	if !bytes.Equal(file, c.epochFile(2)) {
		t.Error("the key file was replaced")
	}
	c.restart()
	c.opens(ds)
}

func TestAnEpochKeyUnderAnotherMasterIsNotReplaced(t *testing.T) {
	c := newCellar(t)
	ds := c.minted()
	_, stranger, _ := identityText(must[Identity](t)(NewMaster()))
	c.leaves(2, stranger)
	file := c.epochFile(2)
	c.clock.Advance(DefaultHorizon)
	wants(t, c.Turn(t.Context()), ErrEpochTaken)
	wants(t, c.Rotate(t.Context(), must[Identity](t)(NewMaster())), ErrEpochTaken)
	if all := c.epochs(); len(all) != 1 || !bytes.Equal(file, c.epochFile(2)) {
		t.Errorf("%+v", all)
	}
	c.restart()
	c.opens(ds)
	if err := os.Remove(epochFile(c.dirs[0], 2)); err != nil {
		t.Fatal(err)
	}
	c.turn()
	c.opens(ds)
}

func TestCopiesOfAnEpochKeyThatDifferAreNotUsed(t *testing.T) {
	c := newCellar(t)
	c.dirs = append(c.dirs, t.TempDir())
	c.restart()
	m := c.unlocked()
	c.leaves(2, m.to)
	first := c.epochFile(2)
	c.leaves(2, m.to)
	if err := os.WriteFile(epochFile(c.dirs[0], 2), first, 0o600); err != nil {
		t.Fatal(err)
	}
	c.clock.Advance(DefaultHorizon)
	wants(t, c.Turn(t.Context()), ErrEpochTaken)
}

func TestAProcessWhoseMasterWasRotatedAwayBeginsNothing(t *testing.T) {
	c := newCellar(t)
	other := c.beside()
	ds := c.minted()
	next := must[Identity](t)(NewMaster())
	if err := c.Rotate(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	c.clock.Advance(DefaultHorizon)
	wants(t, other.Turn(t.Context()), ErrOtherMaster)
	wants(t, other.Rotate(t.Context(), must[Identity](t)(NewMaster())), ErrOtherMaster)
	if err := other.Unlock(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	other.turn()
	c.restartWith(next)
	c.opens(ds)
}

func TestAnEpochThatDidNotBeginLeavesNoKeyInMemory(t *testing.T) {
	c := newCellar(t)
	ds := c.minted()
	first := must[epoch](t)(c.currentEpoch(t.Context()))
	ended, end := context.WithCancel(t.Context())
	_, err := c.beginEpoch(ended, c.unlocked(), first, func() error { end(); return nil })
	wants(t, err, context.Canceled) // by the statement that would have written it down
	if _, ok := c.unlocked().epochs.get(2); ok {
		t.Error("its key is in memory")
	}
	c.leaves(2, c.unlocked().to) // as if somebody had put another one in its place
	c.clock.Advance(DefaultHorizon)
	c.turn()
	c.restart()
	c.opens(ds)
}
