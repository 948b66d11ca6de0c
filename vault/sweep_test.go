package vault

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/vault/blobs"
)

func TestTheSweeperRemovesWhatNoRowKnowsAndNothingElse(t *testing.T) {
	h := newHouse(t)
	keep := h.sealed(newPerson(t), noise(50_000))
	half := h.open(newPerson(t), noise(50_000))
	up := must[Upload](t)(h.CreateUpload(t.Context(), half.by.id, half.ID, int64(len(half.file))))
	up = must[Upload](t)(h.Append(t.Context(), half.by.id, up.ID, 0, bytes.NewReader(half.file[:20_000])))
	orphan := blobs.NewName()
	for _, path := range []string{"partial/" + blobs.NewName(), "payload/" + orphan[:2] + "/" + orphan} {
		if err := os.WriteFile(filepath.Join(h.dir, "blobs", path), []byte("left over"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	lost := coop.DatasetID(coop.NewID())
	if _, err := h.Service.keys.Mint(t.Context(), lost, "hybrid"); err != nil {
		t.Fatal(err)
	}
	key := h.sealedKey(lost)
	if err := h.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if h.files() != 2 || h.keyCount() != 2 || len(h.finds(key)) != 0 || len(h.finds([]byte("left over"))) != 0 {
		t.Errorf("%d files, %d keys", h.files(), h.keyCount())
	}
	h.uploadedInto(up, half)
	if got := readAll(t, must[Delivery](t)(h.Content(t.Context(), keep.by.id, keep.ID))); !bytes.Equal(got, keep.file) {
		t.Error("the sweeper took what belongs to somebody")
	}
}

func TestAKeyThatARestoredBackupBringsBackIsSweptAway(t *testing.T) {
	h := newHouse(t)
	d := h.sealed(newPerson(t), noise(1_000))
	sealed := h.sealedKey(d.ID)
	must[Receipt](t)(h.Revoke(t.Context(), d.by.id, d.ID))
	err := h.keys.Update(t.Context(), func(tx *db.Tx) error {
		return tx.ExecOne(`INSERT INTO keystore_keys (dataset, epoch, sealed, created_at) VALUES (?, 1, ?, 0)`, d.ID, sealed)
	})
	if err != nil {
		t.Fatal(err)
	}
	h.restart()
	_, err = h.fetch(newResearcher(t), d.ID)
	wants(t, err, errRefused)
	if err := h.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if h.keyCount() != 0 || len(h.finds(sealed)) != 0 {
		t.Error("the key is back")
	}
}

func TestAKeystoreThatIsBehindOpensNothing(t *testing.T) {
	h := newHouse(t)
	d := h.sealed(newPerson(t), noise(1_000))
	if err := h.Service.keys.Forget(t.Context(), d.ID); err != nil {
		t.Fatal(err)
	}
	_, err := h.fetch(newResearcher(t), d.ID)
	wants(t, err, ErrRevoked)
}
