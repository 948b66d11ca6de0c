package main

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

// serverKeys are the secrets of a running co-op that are not the vault's: who
// holds them can sign receipts and log heads and mint tokens, and can open no
// dataset.
type serverKeys struct {
	Log     []byte `json:"log"`     // Ed25519 seed of the transparency log
	Receipt []byte `json:"receipt"` // Ed25519 seed of receipts
	OAuth   []byte `json:"oauth"`   // HMAC secret of tokens and client secrets
	OIDC    []byte `json:"oidc"`    // PKCS #8 P-256 key of the embedded issuer
}

const keysFile = "server.keys"

// loadKeys reads the data directory's keys, making them the first time.
func loadKeys(dir string) (serverKeys, error) {
	path := filepath.Join(dir, keysFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeKeys(path)
	}
	if err != nil {
		return serverKeys{}, fmt.Errorf("server keys: %w", err)
	}
	var k serverKeys
	if err := json.Unmarshal(text, &k); err != nil {
		return serverKeys{}, fmt.Errorf("server keys: %s is damaged", path)
	}
	if len(k.Log) != ed25519.SeedSize || len(k.Receipt) != ed25519.SeedSize || len(k.OAuth) < 32 || len(k.OIDC) == 0 {
		return serverKeys{}, fmt.Errorf("server keys: %s is incomplete", path)
	}
	return k, nil
}

func makeKeys(path string) (serverKeys, error) {
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return serverKeys{}, fmt.Errorf("server keys: %w", err)
	}
	oidc, err := x509.MarshalPKCS8PrivateKey(signer)
	if err != nil {
		return serverKeys{}, fmt.Errorf("server keys: %w", err)
	}
	k := serverKeys{Log: random(ed25519.SeedSize), Receipt: random(ed25519.SeedSize), OAuth: random(32), OIDC: oidc}
	text, err := json.Marshal(k)
	if err != nil {
		return serverKeys{}, fmt.Errorf("server keys: %w", err)
	}
	return k, writePrivate(path, text)
}

// random returns n bytes; crypto/rand never fails.
func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

// writePrivate writes a file only its owner can read, whole or not at all.
func writePrivate(path string, text []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*") // made 0600
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // already renamed when all went well
	_, err = tmp.Write(text)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return os.Rename(tmp.Name(), path)
}

func (k serverKeys) log() ed25519.PrivateKey     { return ed25519.NewKeyFromSeed(k.Log) }
func (k serverKeys) receipt() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(k.Receipt) }

// repeat is the secret of the digests that tell repeated calls apart.
func (k serverKeys) repeat() []byte {
	mac := hmac.New(sha256.New, k.OAuth)
	mac.Write([]byte("datacoop web repeated calls"))
	return mac.Sum(nil)
}

func (k serverKeys) oidc() (*ecdsa.PrivateKey, error) {
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
