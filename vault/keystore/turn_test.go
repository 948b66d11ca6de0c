package keystore

import (
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
