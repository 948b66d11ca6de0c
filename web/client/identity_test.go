package client

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
)

func TestIdentityFileIsAgesOwn(t *testing.T) {
	for _, classic := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "key.txt")
		id := keygen(t, classic)
		if err := id.WriteFile(path); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(text), "\n# public key: "+id.Recipient()+"\n") {
			t.Errorf("file %q, %v", text, err)
		}
		if parsed, err := age.ParseIdentities(bytes.NewReader(text)); err != nil || len(parsed) != 1 {
			t.Errorf("age reads %d identities, %v", len(parsed), err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v, %v", info.Mode(), err)
		}
		again, err := ReadIdentity(path)
		if err != nil || again.Recipient() != id.Recipient() {
			t.Errorf("read back %v, %v", again, err)
		}
		if err := id.WriteFile(path); err == nil {
			t.Error("an identity was overwritten")
		}
		if strings.HasPrefix(id.Recipient(), "age1pq1") == classic {
			t.Errorf("classic %v: %s", classic, id.Recipient())
		}
	}
}

func TestPrintingAnIdentityShowsNoSecret(t *testing.T) {
	id := keygen(t, false)
	secret := id.keys[0].String()
	said := fmt.Sprintf("%v %+v %#v %s %q", id, id, id, id, []Identity{id}) + fmt.Sprintln(struct{ I Identity }{id})
	if strings.Contains(said, "AGE-SECRET-KEY") || strings.Contains(said, secret[20:40]) {
		t.Error("the secret was printed")
	}
	if (Identity{}).Recipient() != "" {
		t.Error("nobody has a recipient")
	}
}

func TestFilesThatAreNoIdentityAreRefusedWithoutQuotingThem(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"garbage":    "hunter2-my-password\n",
		"damaged":    keygen(t, true).keys[0].String()[:60] + "\n",
		"recipient":  keygen(t, true).Recipient() + "\n",
		"empty":      "",
		"comments":   "# nothing here\n",
		"passphrase": "age-encryption.org/v1\n-> scrypt hunter2 18\n",
		"armored":    "-----BEGIN AGE ENCRYPTED FILE-----\nhunter2\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := ReadIdentity(path)
		if err == nil {
			t.Errorf("%s was accepted", name)
			continue
		}
		if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: %v", name, err)
		}
		if (name == "passphrase" || name == "armored") != strings.Contains(err.Error(), "passphrase") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := ReadSigningKey(path); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s as a signing key: %v", name, err)
		}
	}
	if _, err := ReadIdentity(filepath.Join(dir, "missing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
}

func TestSigningKeyGoesToDiskAndBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sign.pem")
	key, err := NewSigningKey()
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteSigningKey(path, key); err != nil {
		t.Fatal(err)
	}
	again, err := ReadSigningKey(path)
	if err != nil || !again.Equal(key) {
		t.Errorf("read back: %v", err)
	}
	if err := WriteSigningKey(path, key); err == nil {
		t.Error("a signing key was overwritten")
	}
}

func TestManifestIsSignedInCanonicalForm(t *testing.T) {
	m := Manifest{Dataset: "d", SHA256: "s", Size: 12345678901, HeaderSHA256: "h", VaultRecipient: "<&>", Terms: "t"}
	canonical, err := m.Canonical()
	const want = `{"dataset":"d","header_sha256":"h","sha256":"s","size":12345678901,"terms":"t","vault_recipient":"<&>"}`
	if err != nil || string(canonical) != want {
		t.Errorf("got %s, %v", canonical, err)
	}
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := m.Sign(key); err != nil || len(s) != 88 {
		t.Errorf("signature %q, %v", s, err)
	}
}

func TestResearcherProvesPossessionOnce(t *testing.T) {
	h, c := newHouse(t)
	id := keygen(t, false)
	for range 2 {
		if r, err := c.ProveRecipient(t.Context(), id); err != nil || !r.Proven {
			t.Fatalf("%+v, %v", r, err)
		}
	}
	if n := h.count("POST /v1/recipients/r1/proof"); n != 1 {
		t.Errorf("%d proofs", n)
	}
}

func TestChallengeThatIsNoNonceIsNotAnswered(t *testing.T) {
	id := keygen(t, false)
	for name, challenge := range map[string]string{
		"a member's table": armored(t, encrypt(t, []byte("date,steps\n2026-01-05,8000\n"), id.Recipient())),
		"a short secret":   armored(t, encrypt(t, []byte("ABCDEFGH"), id.Recipient())),
		"much text":        armored(t, encrypt(t, bytes.Repeat([]byte("A"), 60_000), id.Recipient())),
		"somebody else's":  armored(t, encrypt(t, []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), keygen(t, false).Recipient())),
		"not armored":      "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
		"none":             "",
	} {
		h, c := newHouse(t)
		h.challenge, h.nonce = challenge, "never"
		h.trouble = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/v1/recipients" {
				h.tell(w, r, 201, Recipient{ID: "r1", Challenge: challenge})
				return true
			}
			return false
		}
		if _, err := c.ProveRecipient(t.Context(), id); err == nil || h.count("POST /v1/recipients/r1/proof") != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}
