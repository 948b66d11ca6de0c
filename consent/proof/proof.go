// Package proof signs JSON documents so that anybody can check them offline,
// with the W3C cryptosuite eddsa-jcs-2022, and reads such signatures back.
//
// It is an annex of consent, whose receipts are such documents. It guarantees
// that what verifies is byte for byte what was signed, and refuses everything
// with a second reading: JSON that is not canonical, a field outside of the
// signature, another suite, purpose, meaning or key.
package proof

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/gowebpki/jcs"

	"distributed.ai/datacoop/internal/coop"
)

// Receipts carry a proof of the W3C cryptosuite eddsa-jcs-2022 (Data Integrity
// EdDSA Cryptosuites v1.0, section 3.3): Ed25519 over the SHA-256 of the
// canonical proof options followed by the SHA-256 of the canonical document.
const (
	proofType    = "DataIntegrityProof"
	proofSuite   = "eddsa-jcs-2022"
	proofPurpose = "assertionMethod"
)

// ErrReceipt says that a document is not what the holder of the key signed.
var ErrReceipt = errors.New("consent: the receipt does not verify")

// maxReceipt is far more than any receipt has, in bytes.
const maxReceipt = 256 << 10

// Sign adds a proof to the document and returns it as canonical JSON.
func Sign(document map[string]any, key ed25519.PrivateKey, created string) ([]byte, error) {
	public, _ := key.Public().(ed25519.PublicKey)
	proof := map[string]any{
		"type":               proofType,
		"cryptosuite":        proofSuite,
		"created":            created,
		"verificationMethod": verificationMethod(public),
		"proofPurpose":       proofPurpose,
		"@context":           document["@context"],
	}
	message, err := proofMessage(proof, document)
	if err != nil {
		return nil, fmt.Errorf("consent: signing a receipt: %w", err)
	}
	proof["proofValue"] = "z" + base58(ed25519.Sign(key, message))
	signed := map[string]any{"proof": proof}
	for name, value := range document {
		signed[name] = value
	}
	return Canonical(signed)
}

// Verify accepts exactly what Sign returns under the key: canonical JSON, so
// that there is one reading of it, with one proof and nothing unsigned. Any
// failure is ErrReceipt.
func Verify(text []byte, key ed25519.PublicKey) error {
	if len(text) > maxReceipt || len(key) != ed25519.PublicKeySize {
		return fmt.Errorf("%w: too large, or no key", ErrReceipt)
	}
	again, err := jcs.Transform(text)
	if err != nil || !bytes.Equal(again, text) {
		return fmt.Errorf("%w: not canonical JSON", ErrReceipt)
	}
	var document map[string]any
	if err := json.Unmarshal(text, &document); err != nil {
		return fmt.Errorf("%w: not a JSON object", ErrReceipt)
	}
	proof, ok := document["proof"].(map[string]any)
	if !ok || !proofFits(proof, document, key) {
		return fmt.Errorf("%w: no proof of this key", ErrReceipt)
	}
	value, _ := proof["proofValue"].(string)
	signature, ok := fromBase58(strings.TrimPrefix(value, "z"))
	if !ok || !strings.HasPrefix(value, "z") || len(signature) != ed25519.SignatureSize {
		return fmt.Errorf("%w: malformed signature", ErrReceipt)
	}
	delete(document, "proof")
	delete(proof, "proofValue")
	message, err := proofMessage(proof, document)
	if err != nil || !ed25519.Verify(key, message, signature) {
		return fmt.Errorf("%w: wrong signature", ErrReceipt)
	}
	return nil
}

func proofFits(proof, document map[string]any, key ed25519.PublicKey) bool {
	own, errOwn := Canonical([]any{proof["@context"]})
	its, errIts := Canonical([]any{document["@context"]})
	return proof["type"] == proofType && proof["cryptosuite"] == proofSuite && proof["proofPurpose"] == proofPurpose &&
		proof["verificationMethod"] == verificationMethod(key) &&
		errOwn == nil && errIts == nil && bytes.Equal(own, its)
}

func proofMessage(proof, document map[string]any) ([]byte, error) {
	options, err := Canonical(proof)
	if err != nil {
		return nil, err
	}
	body, err := Canonical(document)
	if err != nil {
		return nil, err
	}
	first, second := sha256.Sum256(options), sha256.Sum256(body)
	return append(first[:], second[:]...), nil
}

// verificationMethod names an Ed25519 key as did:key: base58 of the multicodec
// prefix 0xed01 and the key.
func verificationMethod(key ed25519.PublicKey) string {
	id := "z" + base58(append([]byte{0xed, 0x01}, key...))
	return "did:key:" + id + "#" + id
}

const base58Digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// base58 is the Bitcoin alphabet's encoding: each leading zero byte is a 1.
func base58(b []byte) string {
	var out []byte
	n, base, digit := new(big.Int).SetBytes(b), big.NewInt(58), new(big.Int)
	for n.Sign() > 0 {
		n.DivMod(n, base, digit)
		out = append(out, base58Digits[digit.Int64()])
	}
	for i := 0; i < len(b) && b[i] == 0; i++ {
		out = append(out, base58Digits[0])
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return string(out)
}

// fromBase58 decodes what base58 writes, up to the length of a signature.
func fromBase58(s string) ([]byte, bool) {
	if len(s) > 2*ed25519.SignatureSize {
		return nil, false
	}
	n, base := new(big.Int), big.NewInt(58)
	zeros, leading := 0, true
	for i := range len(s) {
		digit := strings.IndexByte(base58Digits, s[i])
		if digit < 0 {
			return nil, false
		}
		if leading = leading && digit == 0; leading {
			zeros++
		}
		n.Add(n.Mul(n, base), big.NewInt(int64(digit)))
	}
	return append(make([]byte, zeros), n.Bytes()...), true
}

// Canonical is v as canonical JSON (RFC 8785), fractions included.
func Canonical(v any) ([]byte, error) {
	text, err := coop.Canonical(v)
	if !errors.Is(err, coop.ErrNotCanonical) {
		return text, err
	}
	text, err = json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return jcs.Transform(text)
}
