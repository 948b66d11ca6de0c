package vault

import (
	"context"
	"crypto/ed25519"
	"errors"
	"os"
	"strings"
	"testing"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

func (h *house) exec(query string, args ...any) {
	h.t.Helper()
	if err := h.db.Update(h.t.Context(), func(tx *db.Tx) error { return tx.ExecOne(query, args...) }); err != nil {
		h.t.Fatal(err)
	}
}

// signedBy is sealed with a manifest that the member has signed.
func (h *house) signedBy(by person, plain []byte) draft {
	h.t.Helper()
	_, key, _ := ed25519.GenerateKey(nil)
	d := h.open(by, plain)
	h.uploaded(d)
	in := d.input(h.t)
	in.SigningKey = key.Public().(ed25519.PublicKey)
	in.Signature = must[[]byte](h.t)(in.Manifest.Sign(key))
	d.Dataset = must[Dataset](h.t)(h.Seal(h.t.Context(), by.id, d.ID, in))
	return d
}

func TestVerifyNamesEveryDatasetThatIsNotWhatWasSealed(t *testing.T) {
	h := newHouse(t)
	by := newPerson(t)
	whole := h.signedBy(by, noise(200_000))
	flipped, cut, gone := h.sealed(by, noise(1_000)), h.sealed(by, noise(70_000)), h.sealed(by, noise(100))
	header, forged := h.sealed(by, noise(10)), h.signedBy(by, noise(20))
	withdrawn := h.sealed(by, noise(30))
	if n, err := h.intact(); n != 7 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	h.tamper(flipped.ID)
	if err := errors.Join(os.Truncate(h.payloadFile(cut.ID), 65_000), os.Remove(h.payloadFile(gone.ID))); err != nil {
		t.Fatal(err)
	}
	h.exec(`UPDATE vault_headers SET header = ? WHERE dataset = ?`, []byte("age-encryption.org/v1"), header.ID)
	h.exec(`UPDATE vault_datasets SET terms = 'others' WHERE id = ?`, forged.ID)
	must[Receipt](t)(h.Revoke(t.Context(), by.id, withdrawn.ID))

	var done, total int64
	c, err := h.Verify(t.Context(), func(d, of int64) {
		if d < done || d > of {
			t.Errorf("%d of %d after %d", d, of, done)
		}
		done, total = d, of
	})
	if err != nil {
		t.Fatal(err)
	}
	if c.Datasets != 6 || c.Signed != 2 || c.Bytes != done || done == 0 || total < done {
		t.Errorf("%+v, %d of %d", c, done, total)
	}
	got := map[coop.DatasetID]string{}
	for _, w := range c.Wrong {
		got[w.Dataset] = w.Sentence
	}
	want := map[coop.DatasetID]string{flipped.ID: "not the one that was sealed", cut.ID: "cut short", gone.ID: "missing",
		header.ID: "header", forged.ID: "signed"}
	for ds, word := range want {
		if !strings.Contains(got[ds], word) {
			t.Errorf("%q does not say %q", got[ds], word)
		}
	}
	if len(got) != len(want) || got[whole.ID] != "" {
		t.Errorf("%v", got)
	}
}

func TestAnInterruptedVerifyDoesNotBlameADataset(t *testing.T) {
	h := newHouse(t)
	h.sealed(newPerson(t), noise(300_000))
	ctx, stop := context.WithCancel(t.Context())
	c, err := h.Verify(ctx, func(int64, int64) { stop() })
	if !errors.Is(err, context.Canceled) || len(c.Wrong) > 0 {
		t.Errorf("%+v, %v", c, err)
	}
}
