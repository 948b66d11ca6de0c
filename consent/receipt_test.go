package consent

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"strings"
	"testing"

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
		"another key named":        replace("did:key:z6Mk", "did:key:z6Mj"),
		"no signature":             replace(`"proofValue":"z`, `"proofValue":"`),
		"a short signature":        replace(`"proofValue":"z`, `"proofValue":"z1","other":"z`),
		"another signature":        replace(`"proofValue":"z`, `"proofValue":"z2`),
		"a huge one":               strings.Repeat(" ", 256<<10) + good,
	} {
		if bad == good {
			t.Errorf("%s: nothing was changed", name)
		}
		wants(t, VerifyReceipt([]byte(bad), public()), ErrReceipt)
	}
	wants(t, VerifyReceipt([]byte(good), other.Public().(ed25519.PublicKey)), ErrReceipt)
	wants(t, VerifyReceipt([]byte(good), nil), ErrReceipt)
}
