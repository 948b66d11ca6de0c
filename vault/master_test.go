package vault

import (
	"bytes"
	"crypto/ed25519"
	"io"
	"strings"
	"testing"

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
	_, err := h.Open(ctx, newMember(), "wearables", "")
	wants(t, err, ErrVaultSealed)
	if fault.KindOf(err) != fault.Unavailable {
		t.Error("the caller is not told to come back")
	}
	h.uploaded(waiting)
	_, err = h.Seal(ctx, waiting.by.id, waiting.ID, waiting.input(t))
	wants(t, err, ErrVaultSealed)
	r := newResearcher(t)
	_, err = h.fetch(r, ready.ID)
	wants(t, err, ErrVaultSealed)
	if got := readAll(t, must[Delivery](t)(h.Content(ctx, ready.by.id, ready.ID))); !bytes.Equal(got, ready.file) {
		t.Error("the member cannot get their own file")
	}
	if receipt := must[Receipt](t)(h.Revoke(ctx, gone.by.id, gone.ID)); !receipt.Complete {
		t.Errorf("pending: %v", receipt.Pending)
	}
	if n := h.keyCount(); n != 2 {
		t.Errorf("%d keys", n)
	}
	if err := h.Unlock(ctx, master); err != nil {
		t.Fatal(err)
	}
	must[Dataset](t)(h.Seal(ctx, waiting.by.id, waiting.ID, waiting.input(t)))
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

func TestASealedMasterOpensWithItsPassphraseAlone(t *testing.T) {
	classic := must[*age.X25519Identity](t)(age.GenerateX25519Identity())
	for _, id := range []age.Identity{must[age.Identity](t)(NewMaster()), classic} {
		var file bytes.Buffer
		if err := SealMaster(&file, id, "correct horse", 10); err != nil {
			t.Fatal(err)
		}
		want, _, _ := identityText(id)
		got, _, err := identityText(must[age.Identity](t)(OpenMaster(bytes.NewReader(file.Bytes()), "correct horse")))
		if err != nil || got != want {
			t.Error("another identity came back")
		}
		// stock age reads it as an identity file
		pass := must[*age.ScryptIdentity](t)(age.NewScryptIdentity("correct horse"))
		r := must[io.Reader](t)(age.Decrypt(bytes.NewReader(file.Bytes()), pass))
		if ids, err := age.ParseIdentities(r); err != nil || len(ids) != 1 {
			t.Errorf("%d identities, %v", len(ids), err)
		}
		for _, wrong := range []string{"", "correct hors", "Correct horse"} {
			_, err := OpenMaster(bytes.NewReader(file.Bytes()), wrong)
			wants(t, err, ErrMasterKey)
		}
		cut := file.Bytes()[:file.Len()-1]
		_, err = OpenMaster(bytes.NewReader(cut), "correct horse")
		wants(t, err, ErrMasterKey)
	}
}

func TestWhatIsNoMasterFileIsRefused(t *testing.T) {
	pass := must[*age.ScryptRecipient](t)(age.NewScryptRecipient("pw"))
	pass.SetWorkFactor(10)
	master := must[age.Identity](t)(NewMaster())
	text, to, _ := identityText(master)
	for name, file := range map[string][]byte{
		"empty":          nil,
		"plain identity": []byte(text),
		"no identity":    encrypt(t, []byte("hello"), pass),
		"two identities": encrypt(t, []byte(text+"\n"+text+"\n"), pass),
		"not passphrase": encrypt(t, []byte(text), to),
	} {
		if _, err := OpenMaster(bytes.NewReader(file), "pw"); err == nil {
			t.Errorf("%s was accepted", name)
		} else if strings.Contains(err.Error(), text) {
			t.Errorf("%s: the error holds the key", name)
		}
	}
	for _, logN := range []int{0, 9, 23} {
		if err := SealMaster(io.Discard, master, "pw", logN); err == nil {
			t.Errorf("work factor %d was accepted", logN)
		}
	}
	if err := SealMaster(io.Discard, master, "", 10); err == nil {
		t.Error("an empty passphrase was accepted")
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
