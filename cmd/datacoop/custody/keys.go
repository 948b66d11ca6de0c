package custody

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ServerKeys are the secrets of a running co-op that are not the vault's: who
// holds them can sign receipts and log heads and mint tokens, and can open no
// dataset.
type ServerKeys struct {
	LogSeed     []byte `json:"log"`     // Ed25519 seed of the transparency log
	ReceiptSeed []byte `json:"receipt"` // Ed25519 seed of receipts
	OAuth       []byte `json:"oauth"`   // HMAC secret of tokens and client secrets
	OIDC        []byte `json:"oidc"`    // PKCS #8 P-256 key of the embedded issuer
}

// KeysFile holds the ServerKeys of a data directory.
const KeysFile = "server.keys"

// LoadKeys reads the data directory's keys, making them the first time.
func LoadKeys(dir string) (ServerKeys, error) {
	path := filepath.Join(dir, KeysFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeKeys(path)
	}
	if err != nil {
		return ServerKeys{}, fmt.Errorf("server keys: %w", err)
	}
	var k ServerKeys
	if err := json.Unmarshal(text, &k); err != nil {
		return ServerKeys{}, fmt.Errorf("server keys: %s is damaged", path)
	}
	if len(k.LogSeed) != ed25519.SeedSize || len(k.ReceiptSeed) != ed25519.SeedSize || len(k.OAuth) < 32 || len(k.OIDC) == 0 {
		return ServerKeys{}, fmt.Errorf("server keys: %s is incomplete", path)
	}
	return k, nil
}

func makeKeys(path string) (ServerKeys, error) {
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return ServerKeys{}, fmt.Errorf("server keys: %w", err)
	}
	oidc, err := x509.MarshalPKCS8PrivateKey(signer)
	if err != nil {
		return ServerKeys{}, fmt.Errorf("server keys: %w", err)
	}
	k := ServerKeys{LogSeed: random(ed25519.SeedSize), ReceiptSeed: random(ed25519.SeedSize), OAuth: random(32), OIDC: oidc}
	text, err := json.Marshal(k)
	if err != nil {
		return ServerKeys{}, fmt.Errorf("server keys: %w", err)
	}
	return k, WritePrivate(path, text)
}

// random returns n bytes; crypto/rand never fails.
func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

// Log is the key that signs the transparency log.
func (k ServerKeys) Log() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(k.LogSeed) }

// Receipt is the key that signs receipts.
func (k ServerKeys) Receipt() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(k.ReceiptSeed) }

// Repeat is the secret of the digests that tell repeated calls apart.
func (k ServerKeys) Repeat() []byte {
	mac := hmac.New(sha256.New, k.OAuth)
	mac.Write([]byte("datacoop web repeated calls"))
	return mac.Sum(nil)
}

// Issuer is the key that the embedded issuer signs with.
func (k ServerKeys) Issuer() (*ecdsa.PrivateKey, error) {
	key, err := x509.ParsePKCS8PrivateKey(k.OIDC)
	if err != nil {
		return nil, fmt.Errorf("server keys: %w", err)
	}
	signer, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errors.New("server keys: the issuer's key is not ECDSA")
	}
	return signer, nil
}
