package vault

import (
	"bytes"
	"crypto/ed25519"
	"testing"
	"time"

	"filippo.io/age"

	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/internal/testkit"
)

func TestASealedVaultTakesUploadsAndOpensNothing(t *testing.T) {
	h := newHouse(t)
	ready := h.sealed(newPerson(t), noise(1_000))
	waiting := h.open(newPerson(t), noise(1_000))
	gone := h.sealed(newPerson(t), noise(1_000))
	master := h.master
	h.master = nil
	h.restart()
	if !h.Locked() {
		t.Fatal("it started unlocked")
	}
	ctx := t.Context()
	begun := h.open(newPerson(t), noise(1_000))
	h.uploaded(begun)
	h.uploaded(waiting)
	_, err := h.Seal(ctx, waiting.by.id, waiting.ID, waiting.input(t))
	wants(t, err, ErrVaultSealed)
	if fault.KindOf(err) != fault.Unavailable {
		t.Error("the caller is not told to come back")
	}
	r := newResearcher(t)
	_, err = h.fetch(r, ready.ID)
	wants(t, err, ErrVaultSealed)
	if got := readAll(t, must[Delivery](t)(h.Content(ctx, ready.by.id, ready.ID))); !bytes.Equal(got, ready.file) {
		t.Error("the member cannot get their own file")
	}
	if receipt := must[Receipt](t)(h.Revoke(ctx, gone.by.id, gone.ID)); !receipt.Complete {
		t.Errorf("pending: %v", receipt.Pending)
	}
	if n := h.keyCount(); n != 3 {
		t.Errorf("%d keys", n)
	}
	if err := h.Unlock(ctx, master); err != nil {
		t.Fatal(err)
	}
	for _, d := range []draft{waiting, begun} {
		must[Dataset](t)(h.Seal(ctx, d.by.id, d.ID, d.input(t)))
	}
	must[Delivery](t)(h.fetch(r, ready.ID))
	h.Lock()
	_, err = h.fetch(r, ready.ID)
	wants(t, err, ErrVaultSealed)
}

func TestOnlyTheKeystoresOwnMasterUnlocksIt(t *testing.T) {
	h := newHouse(t)
	h.sealed(newPerson(t), noise(1_000))
	other := must[age.Identity](t)(NewMaster())
	wants(t, h.Unlock(t.Context(), other), ErrOtherMaster)
	if h.Locked() {
		t.Error("a wrong key locked the vault")
	}
	h.restart()
	if err := h.Unlock(t.Context(), h.master); err != nil {
		t.Error(err)
	}
	scrypt := must[*age.ScryptIdentity](t)(age.NewScryptIdentity("x"))
	if err := h.Unlock(t.Context(), scrypt); err == nil {
		t.Error("a passphrase was taken for a master identity")
	}
}

func TestAnIncompleteConfigurationIsRefused(t *testing.T) {
	h := newHouse(t)
	for name, spoil := range map[string]func(*Config){
		"one database":   func(c *Config) { c.Keystore = c.DB },
		"no database":    func(c *Config) { c.DB = nil },
		"no blobs":       func(c *Config) { c.Blobs = nil },
		"no consent":     func(c *Config) { c.Consent = nil },
		"no log":         func(c *Config) { c.Log = nil },
		"no clock":       func(c *Config) { c.Clock = nil },
		"no key":         func(c *Config) { c.Key = nil },
		"no room":        func(c *Config) { c.MaxBytes = 0 },
		"no epochs":      func(c *Config) { c.EpochDirs = nil },
		"epochs astray":  func(c *Config) { c.EpochDirs = []string{"/dev/null/epochs"} },
		"no time":        func(c *Config) { c.Horizon = -time.Hour },
		"foreign master": func(c *Config) { c.Master = must[age.Identity](t)(NewMaster()) },
	} {
		c := h.config()
		spoil(&c)
		if _, err := New(t.Context(), c); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func testKeyPublic() ed25519.PublicKey { return testkit.Key().Public().(ed25519.PublicKey) }
