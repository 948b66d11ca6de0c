package vault

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestAReceiptSaysWhatWasAndWhatWasNotAchieved(t *testing.T) {
	h := newHouse(t)
	d := h.sealed(newPerson(t), noise(1_000))
	must[Delivery](t)(h.fetch(newResearcher(t), d.ID))
	must[Delivery](t)(h.fetch(newResearcher(t), d.ID))
	r := must[Receipt](t)(h.Revoke(t.Context(), d.by.id, d.ID))
	if r.GrantsDeleted != 2 || r.Deliveries != 2 || r.Dataset != string(d.ID) || r.HeaderSHA256 == "" {
		t.Errorf("%+v", r)
	}
	headers := saidFreed
	if h.db.Overwrites() {
		headers = saidLog
	}
	for _, s := range []Statement{saidRefused, saidGrants, saidKey, saidKeyLog, headers, saidFile} {
		if !says(r.Achieved, s) {
			t.Errorf("%s is not claimed", s.Code)
		}
	}
	for _, s := range []Statement{saidCopies, saidBackups, saidOpeners, saidDisk} {
		if !says(r.NotAchieved, s) {
			t.Errorf("%s is concealed", s.Code)
		}
	}
	text := string(must[[]byte](t)(r.JSON()))
	for _, want := range []string{"cannot be called back", `"revoked_at":"2026-03-02T12:00:00Z"`, `"backups_dark_by":"2026-03-09T12:00:00Z"`} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing", want)
		}
	}
	proof, err := h.log.Proof(t.Context(), r.LogIndex)
	if err != nil {
		t.Fatal(err)
	}
	if err := proof.Check(h.log.VerifierKey()); err != nil {
		t.Error(err)
	}
}

func TestAReceiptCannotBeChanged(t *testing.T) {
	h := newHouse(t)
	d := h.sealed(newPerson(t), noise(1_000))
	r := must[Receipt](t)(h.Revoke(t.Context(), d.by.id, d.ID))
	text := must[[]byte](t)(r.JSON())
	if err := VerifyReceipt(text, testKeyPublic()); err != nil {
		t.Fatal(err)
	}
	for i := range text {
		bad := bytes.Clone(text)
		bad[i] ^= 1
		if VerifyReceipt(bad, testKeyPublic()) == nil {
			t.Fatalf("byte %d changed and accepted: %s", i, bad[max(0, i-20):i+1])
		}
	}
	other, _, _ := ed25519.GenerateKey(nil)
	wants(t, VerifyReceipt(text, other), ErrReceipt)
	wants(t, VerifyReceipt(text, nil), ErrReceipt)
	var indented bytes.Buffer
	_ = json.Indent(&indented, text, "", " ")
	wants(t, VerifyReceipt(indented.Bytes(), testKeyPublic()), ErrReceipt)
	extra := append(bytes.TrimSuffix(bytes.Clone(text), []byte("}")), []byte(`,"x":1}`)...)
	wants(t, VerifyReceipt(extra, testKeyPublic()), ErrReceipt)
	for _, junk := range []string{"", "{}", "null", "[]", `{"type":"datacoop-revocation-receipt/1"}`} {
		wants(t, VerifyReceipt([]byte(junk), testKeyPublic()), ErrReceipt)
	}
}

func FuzzReceipt(f *testing.F) {
	f.Add([]byte(`{"type":"datacoop-revocation-receipt/1","signature":""}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := VerifyReceipt(text, testKeyPublic()); !errors.Is(err, ErrReceipt) {
			t.Errorf("an unsigned receipt was answered with %v", err)
		}
	})
}
