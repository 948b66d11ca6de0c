package client

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"

	"github.com/gowebpki/jcs"
)

const pemPrivate = "PRIVATE KEY"

// NewSigningKey makes the Ed25519 key with which a member vouches for
// manifests.
func NewSigningKey() (ed25519.PrivateKey, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a signing key: %w", err)
	}
	return key, nil
}

// WriteSigningKey writes a signing key as PKCS #8 in PEM (RFC 5958, RFC 7468),
// which OpenSSL reads too. It never overwrites a file.
func WriteSigningKey(path string, key ed25519.PrivateKey) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("write signing key: %w", err)
	}
	defer clear(der)
	return writeSecret(path, pem.EncodeToMemory(&pem.Block{Type: pemPrivate, Bytes: der}))
}

// ReadSigningKey reads what WriteSigningKey or "openssl genpkey -algorithm
// ed25519" wrote. Its errors never quote the file.
func ReadSigningKey(path string) (ed25519.PrivateKey, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read signing key: %w", err)
	}
	defer clear(data)
	block, _ := pem.Decode(data)
	if block == nil || block.Type != pemPrivate {
		return nil, fmt.Errorf("%s is not a private key in PEM", path)
	}
	defer clear(block.Bytes)
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(ed25519.PrivateKey)
	if err != nil || !ok {
		return nil, fmt.Errorf("%s is not an Ed25519 private key", path)
	}
	return key, nil
}

// Sign signs a manifest: Ed25519 over its RFC 8785 form, in standard base64.
func (m Manifest) Sign(key ed25519.PrivateKey) (string, error) {
	canonical, err := m.Canonical()
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(ed25519.Sign(key, canonical)), nil
}

// Canonical is the RFC 8785 form of a manifest: what a signature covers.
func (m Manifest) Canonical() ([]byte, error) {
	text, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("write manifest: %w", err)
	}
	canonical, err := jcs.Transform(text)
	if err != nil {
		return nil, fmt.Errorf("write manifest: %w", err)
	}
	return canonical, nil
}

// PublicSigningKey is the public half of a signing key, as SetSigningKey takes
// it.
func PublicSigningKey(key ed25519.PrivateKey) ed25519.PublicKey {
	return ed25519.PublicKey(key[ed25519.PrivateKeySize-ed25519.PublicKeySize:])
}
