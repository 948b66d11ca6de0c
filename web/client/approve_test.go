package client

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"

	"filippo.io/age"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/vault/header"
)

// kept is what a member keeps the only key of, and an approval for it.
type kept struct {
	id      Identity
	sign    ed25519.PrivateKey
	payload []byte
	Approval
}

func keep(t *testing.T, classic bool) kept {
	t.Helper()
	id, err := Keygen(classic)
	ok(t, err)
	sign, err := NewSigningKey()
	ok(t, err)
	to, _, err := header.ParseRecipient(id.Recipient())
	ok(t, err)
	var file bytes.Buffer
	w, err := age.Encrypt(&file, to)
	ok(t, err)
	_, err = io.WriteString(w, "steps")
	ok(t, errors.Join(err, w.Close()))
	hdr, payload, err := header.Split(&file)
	ok(t, err)
	k := kept{id: id, sign: sign}
	k.payload, err = io.ReadAll(payload)
	ok(t, err)
	researcher, err := Keygen(classic)
	ok(t, err)
	k.Approval = Approval{ID: coop.NewID(), Dataset: coop.NewID(), Recipient: researcher.Recipient()}
	k.vouch(t, hdr)
	return k
}

// vouch signs the manifest of a header.
func (k *kept) vouch(t *testing.T, hdr []byte) {
	t.Helper()
	sum := sha256.Sum256(hdr)
	k.Header = base64.StdEncoding.EncodeToString(hdr)
	k.Manifest = Manifest{Dataset: k.Dataset, SHA256: strings.Repeat("0", 64), Size: 21, HeaderSHA256: hex.EncodeToString(sum[:]), Terms: "t"}
	signature, err := k.Manifest.Sign(k.sign)
	ok(t, err)
	k.Signature = signature
}

func (k kept) public() ed25519.PublicKey { return PublicSigningKey(k.sign) }

func TestOnlyAHeaderTheMemberSignedIsOpened(t *testing.T) {
	mine, private := keep(t, false), keep(t, false)
	if err := mine.Verify(mine.public()); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*kept){
		"another file's header":         func(k *kept) { k.Header = private.Header },
		"another file altogether":       func(k *kept) { k.Header, k.Manifest, k.Signature = private.Header, private.Manifest, private.Signature },
		"another dataset":               func(k *kept) { k.Dataset = coop.NewID() },
		"a manifest nobody signed":      func(k *kept) { k.Signature = "" },
		"a signature that is not one":   func(k *kept) { k.Signature = "!" },
		"a manifest that was altered":   func(k *kept) { k.Manifest.Size++ },
		"a header that was altered":     func(k *kept) { k.Header = base64.StdEncoding.EncodeToString([]byte("age-encryption.org/v1\n")) },
		"one that the vault opens, too": func(k *kept) { k.Manifest.VaultRecipient = "age1vault"; k.Signature, _ = k.Manifest.Sign(k.sign) },
	} {
		k := mine
		spoil(&k)
		if err := k.Verify(mine.public()); !errors.Is(err, ErrNotMine) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := mine.Verify(nil); !errors.Is(err, ErrUnsigned) {
		t.Errorf("without a signing key: %v", err)
	}
	if err := mine.Verify(private.public()); !errors.Is(err, ErrNotMine) {
		t.Errorf("with another signing key: %v", err)
	}
	mine.Header = "not base64!"
	if err := mine.Verify(mine.public()); err == nil {
		t.Error("a header that is not base64 is taken")
	}
}

func TestTheReWrappedHeaderIsForTheResearcherAlone(t *testing.T) {
	for _, classic := range []bool{false, true} {
		k := keep(t, classic)
		researcher, err := Keygen(classic)
		ok(t, err)
		k.Recipient = researcher.Recipient()
		other, err := Keygen(classic)
		ok(t, err)
		several := Identity{keys: append(append([]key{}, other.keys...), k.id.keys...)} // a file with more than one
		hdr, err := k.Rewrap(several)
		ok(t, err)
		info, err := header.Inspect(hdr)
		if err != nil || len(info.Stanzas) != 1 || info.PostQuantum == classic {
			t.Errorf("%+v: %v", info, err)
		}
		var plain strings.Builder
		if _, err := researcher.Decrypt(&plain, io.MultiReader(bytes.NewReader(hdr), bytes.NewReader(k.payload))); err != nil || plain.String() != "steps" {
			t.Errorf("the researcher reads %q: %v", plain.String(), err)
		}
		if _, err := k.id.Decrypt(io.Discard, io.MultiReader(bytes.NewReader(hdr), bytes.NewReader(k.payload))); !errors.Is(err, ErrWrongIdentity) {
			t.Errorf("the member's own key opens it too: %v", err)
		}
		if _, err := k.Rewrap(other); !errors.Is(err, ErrWrongIdentity) {
			t.Errorf("another identity: %v", err)
		}
	}
}

func TestARequestThatIsNotWellFormedIsNotReWrapped(t *testing.T) {
	mine := keep(t, false)
	for name, spoil := range map[string]func(*kept){
		"no recipient": func(k *kept) { k.Recipient = "" },
		"a plugin":     func(k *kept) { k.Recipient = "age1yubikey1qqq" },
		"no header":    func(k *kept) { k.Header = "" },
		"a passphrase file": func(k *kept) {
			k.Header = base64.StdEncoding.EncodeToString([]byte("age-encryption.org/v1\n-> scrypt x 18\n\n---"))
		},
	} {
		k := mine
		spoil(&k)
		if _, err := k.Rewrap(k.id); err == nil {
			t.Errorf("%s: it was re-wrapped", name)
		}
	}
}

func TestKeepingTheOnlyKeyNeedsASignature(t *testing.T) {
	id, err := Keygen(false)
	ok(t, err)
	c, err := New("https://coop.example", WithTransport(nil))
	ok(t, err)
	_, err = c.Share(t.Context(), ShareOptions{Pool: "wearables", Recipient: id.Recipient(), SelfCustody: true, Dir: t.TempDir()})
	if !errors.Is(err, ErrUnsignedUpload) {
		t.Error(err)
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
