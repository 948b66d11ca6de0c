package consent

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"strings"
	"testing"

	"github.com/gowebpki/jcs"
	"pgregory.net/rapid"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/testkit"
)

func public() ed25519.PublicKey { return testkit.Key().Public().(ed25519.PublicKey) }

func receiptOf(t *testing.T) []byte {
	h, m := open(t), newMember()
	terms := agree()
	terms.Days, terms.Regions, terms.Except, terms.DPV = 30, []string{"EU"}, []string{"DUO:0000007"}, []string{"AcademicResearch"}
	terms.Purposes = []string{"DUO:0000042"}
	r := must[Record](t)(h.PutPool(t.Context(), m, "wearables", terms))
	return must[[]byte](t)(h.Receipt(t.Context(), m, r.ID))
}

func TestReceiptVerifiesOfflineAndIsAlwaysTheSame(t *testing.T) {
	h, m := open(t), newMember()
	ds := h.share(m, "wearables")
	given := must[Record](t)(h.PutPool(t.Context(), m, "wearables", agree()))
	withdrawn := must[Record](t)(h.WithdrawPool(t.Context(), m, "wearables"))
	refused := must[Record](t)(h.PutDataset(t.Context(), m, ds, Terms{Effect: Refused}))
	for status, r := range map[string]Record{"dpv:ConsentGiven": given, "dpv:ConsentWithdrawn": withdrawn, "dpv:ConsentRefused": refused} {
		one := must[[]byte](t)(h.Receipt(t.Context(), m, r.ID))
		h.clock.Advance(day)
		two := must[[]byte](t)(h.Receipt(t.Context(), m, r.ID))
		if !bytes.Equal(one, two) {
			t.Errorf("%s: two receipts of one record differ", status)
		}
		if err := VerifyReceipt(one, public()); err != nil {
			t.Errorf("%s: %v", status, err)
		}
		if !bytes.Contains(one, []byte(status)) || bytes.Count(one, []byte(r.ID)) < 4 {
			t.Errorf("%s is not in %s", status, one)
		}
	}
}

// The fields ISO/IEC TS 27560 asks for, by their names in the Data Privacy
// Vocabulary.
func TestReceiptHoldsWhatTheStandardAsksFor(t *testing.T) {
	var receipt map[string]any
	if err := json.Unmarshal(receiptOf(t), &receipt); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"@context", "@type", "dct:identifier", "dpv:hasIdentifier", "dct:created", "dct:conformsTo", "dpv:hasRecordOfActivity", "proof"} {
		if receipt[name] == nil {
			t.Errorf("the receipt has no %s", name)
		}
	}
	record := receipt["dpv:hasRecordOfActivity"].([]any)[0].(map[string]any)
	for _, name := range []string{"dct:conformsTo", "dct:identifier", "dpv:hasIdentifier", "dpv:hasDataSubject", "dpv:hasNotice", "dpv:hasProcess"} {
		if record[name] == nil {
			t.Errorf("the record has no %s", name)
		}
	}
	process := record["dpv:hasProcess"].(map[string]any)
	for _, name := range []string{"dpv:hasPurpose", "dpv:hasPersonalData", "dpv:hasStorageCondition", "dpv:hasDataController", "dpv:hasRecipient",
		"dpv:hasConsentControl", "dpv:hasJurisdiction", "dpv:hasRight", "dpv:hasLegalBasis", "dpv:hasConsentStatus", "dpv:hasProhibition"} {
		if process[name] == nil {
			t.Errorf("the process has no %s", name)
		}
	}
	status := process["dpv:hasConsentStatus"].(map[string]any)
	for _, name := range []string{"dpv:isIndicatedAtTime", "dpv:isIndicatedBy", "dpv:hasDuration"} {
		if status[name] == nil {
			t.Errorf("the event has no %s", name)
		}
	}
	// Every prefixed name in the receipt is defined in its context.
	context := receipt["@context"].(map[string]any)
	walk(receipt, func(word string) {
		prefix, _, ok := strings.Cut(word, ":")
		if ok && !strings.HasPrefix(word, "urn:") && context[prefix] == nil {
			t.Errorf("%s is not defined", word)
		}
	})
}

func walk(v any, word func(string)) {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			if name != "@context" && name != "proof" {
				word(name)
				if name == "@type" || strings.HasPrefix(name, "dpv:has") {
					walkValue(value, word)
				} else {
					walk(value, word)
				}
			}
		}
	case []any:
		for _, value := range v {
			walk(value, word)
		}
	}
}

func walkValue(v any, word func(string)) {
	switch v := v.(type) {
	case string:
		if !strings.Contains(v, "://") {
			word(v)
		}
	case []any:
		for _, value := range v {
			walkValue(value, word)
		}
	default:
		walk(v, word)
	}
}

func TestNobodyElseGetsAReceipt(t *testing.T) {
	h, m := open(t), newMember()
	r := must[Record](t)(h.PutPool(t.Context(), m, "wearables", agree()))
	for _, who := range []coop.MemberID{newMember(), "", "me"} {
		_, err := h.Receipt(t.Context(), who, r.ID)
		wants(t, err, ErrNoRecord)
	}
	_, err := h.Receipt(t.Context(), m, coop.NewID())
	wants(t, err, ErrNoRecord)
}

func TestChangedReceiptsDoNotVerify(t *testing.T) {
	good := string(receiptOf(t))
	other := ed25519.NewKeyFromSeed(bytes.Repeat([]byte("x"), ed25519.SeedSize))
	replace := func(old, with string) string { return strings.Replace(good, old, with, 1) }
	for name, bad := range map[string]string{
		"nothing":                  "",
		"no JSON":                  "receipt",
		"a list":                   "[]",
		"no proof":                 "{}",
		"half":                     good[:len(good)/2],
		"a space more":             good + " ",
		"another status":           replace("ConsentGiven", "ConsentRefused"),
		"another purpose":          replace("DUO_0000042", "DUO_0000043"),
		"another pool":             replace("wearables", "genotype"),
		"a field more":             replace(`{"@context"`, `{"@also":1,"@context"`),
		"a field twice":            replace(`"dct:created"`, `"dct:created":"x","dct:created"`),
		"another time of proof":    replace(`"created":"2026`, `"created":"2027`),
		"another purpose of proof": replace("assertionMethod", "authentication"),
		"another suite":            replace("eddsa-jcs-2022", "eddsa-rdfc-2022"),
		"another type":             replace("DataIntegrityProof", "Ed25519Signature2020"),
		"another meaning":          replace("https://w3id.org/dpv#", "https://example.org/dpv#"),
		"another key named":        strings.ReplaceAll(good, verificationMethod(public()), verificationMethod(other.Public().(ed25519.PublicKey))),
		"no signature":             replace(`"proofValue":"z`, `"proofValue":"`),
		"a short signature":        replace(`"proofValue":"z`, `"proofValue":"z1","other":"z`),
		"another signature":        replace(`"proofValue":"z`, `"proofValue":"z2`),
		"a huge one":               strings.Repeat(" ", maxReceipt+1) + good,
	} {
		if bad == good {
			t.Errorf("%s: nothing was changed", name)
		}
		wants(t, VerifyReceipt([]byte(bad), public()), ErrReceipt)
	}
	wants(t, VerifyReceipt([]byte(good), other.Public().(ed25519.PublicKey)), ErrReceipt)
	wants(t, VerifyReceipt([]byte(good), nil), ErrReceipt)
}

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
	signed := must[[]byte](t)(sign(document, key, "2023-02-24T23:36:38Z"))
	if !bytes.Contains(signed, []byte(`"proofValue":"z2HnFSSPPBzR36zdDgK8PbEHeXbR56YF24jwMpt3R1eHXQzJDMWS93FCzpvJpwTWd3GAVFuUfjoJdcnTMuVor51aX"`)) ||
		!bytes.Contains(signed, []byte(`"verificationMethod":"did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2#z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"`)) {
		t.Errorf("signed as %s", signed)
	}
	if err := VerifyReceipt(signed, key.Public().(ed25519.PublicKey)); err != nil {
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

func FuzzVerifyReceipt(f *testing.F) {
	signed, err := sign(map[string]any{"@context": map[string]any{"a": "b"}, "c": "d"}, testkit.Key(), "2026-03-02T12:00:00.000Z")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(signed)
	f.Add([]byte(`{"proof":{"proofValue":"z"}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if VerifyReceipt(text, public()) != nil {
			return
		}
		if again, err := jcs.Transform(text); err != nil || !bytes.Equal(again, text) {
			t.Errorf("accepted text that is not canonical: %q", text)
		}
	})
}
