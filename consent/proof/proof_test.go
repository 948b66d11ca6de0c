package proof

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"strings"
	"testing"

	"github.com/gowebpki/jcs"
	"pgregory.net/rapid"

	"distributed.ai/datacoop/internal/testkit"
)

func public() ed25519.PublicKey { return testkit.Key().Public().(ed25519.PublicKey) }

// The test vector of Data Integrity EdDSA Cryptosuites v1.0, appendix B.2
// (representation: eddsa-jcs-2022).
func TestProofIsTheW3CCryptosuite(t *testing.T) {
	secret, ok := fromBase58("3u2en7t5LR2WtQH5PfFqMqwVHBeXouLzo6haApm8XHqvjxq")
	if !ok || !bytes.HasPrefix(secret, []byte{0x80, 0x26}) {
		t.Fatalf("the key of the vector reads as %x", secret)
	}
	key := ed25519.NewKeyFromSeed(secret[2:])
	var document map[string]any
	if err := json.Unmarshal([]byte(w3cDocument), &document); err != nil {
		t.Fatal(err)
	}
	signed, err := Sign(document, key, "2023-02-24T23:36:38Z")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(signed, []byte(`"proofValue":"z2HnFSSPPBzR36zdDgK8PbEHeXbR56YF24jwMpt3R1eHXQzJDMWS93FCzpvJpwTWd3GAVFuUfjoJdcnTMuVor51aX"`)) ||
		!bytes.Contains(signed, []byte(`"verificationMethod":"did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2#z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"`)) {
		t.Errorf("signed as %s", signed)
	}
	if err := Verify(signed, key.Public().(ed25519.PublicKey)); err != nil {
		t.Error(err)
	}
}

const w3cDocument = `{
	"@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
	"id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
	"type": ["VerifiableCredential", "AlumniCredential"],
	"name": "Alumni Credential",
	"description": "A minimum viable example of an Alumni Credential.",
	"issuer": "https://vc.example/issuers/5678",
	"validFrom": "2023-01-01T00:00:00Z",
	"credentialSubject": {"id": "did:example:abcdefgh", "alumniOf": "The School of Examples"}
}`

func TestBase58RoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.Byte(), 0, 64).Draw(t, "bytes")
		if got, ok := fromBase58(base58(b)); !ok || !bytes.Equal(got, b) {
			t.Fatalf("%x became %x", b, got)
		}
	})
	for _, bad := range []string{"0", "O", "I", "l", "é", " ", strings.Repeat("z", 200)} {
		if _, ok := fromBase58(bad); ok {
			t.Errorf("read %q", bad)
		}
	}
}

func FuzzVerify(f *testing.F) {
	signed, err := Sign(map[string]any{"@context": map[string]any{"a": "b"}, "c": "d"}, testkit.Key(), "2026-03-02T12:00:00.000Z")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(signed)
	f.Add([]byte(`{"proof":{"proofValue":"z"}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if Verify(text, public()) != nil {
			return
		}
		if again, err := jcs.Transform(text); err != nil || !bytes.Equal(again, text) {
			t.Errorf("accepted text that is not canonical: %q", text)
		}
	})
}
