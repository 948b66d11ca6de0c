package vault

import (
	"bytes"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

// replay puts the house right as after a restore.
func (h *house) replay(since ...audit.Leaf) Restored {
	h.t.Helper()
	var out Restored
	err := h.db.Update(h.t.Context(), func(tx *db.Tx) (err error) {
		out, err = h.Restored(tx, since)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	h.sweep()
	return out
}

func (h *house) inventory() Inventory {
	h.t.Helper()
	return must[Inventory](h.t)(TakeInventory(h.t.Context(), h.db, h.clock.Now()))
}

func (h *house) blobOf(ds coop.DatasetID) string {
	h.t.Helper()
	in := h.inventory()
	for _, p := range append(in.Payloads, in.Growing...) {
		if p.Dataset == ds {
			return p.Blob
		}
	}
	h.t.Fatal("no payload")
	return ""
}

func TestARevocationNamesInTheLogWhatItErased(t *testing.T) {
	h := newHouse(t)
	d := h.sealed(newPerson(t), noise(1_000))
	name := h.blobOf(d.ID)
	r := must[Receipt](t)(h.Revoke(t.Context(), d.by.id, d.ID))
	proof := must[audit.Proof](t)(h.log.Proof(t.Context(), r.LogIndex))
	if want := `"erases":"` + hexSHA256([]byte(name)) + `"`; !bytes.Contains(proof.Leaf, []byte(want)) || r.BlobSHA256 != hexSHA256([]byte(name)) {
		t.Errorf("%s does not say %s, nor does the receipt: %s", proof.Leaf, want, r.BlobSHA256)
	}
	if err := h.db.Truncate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if where := h.finds([]byte(name)); len(where) != 0 {
		t.Errorf("the name itself is still in %v", where)
	}
	empty := must[Dataset](t)(h.Open(t.Context(), d.by.id, "wearables", ""))
	r = must[Receipt](t)(h.Revoke(t.Context(), d.by.id, empty.ID))
	if r.BlobSHA256 == hexSHA256(nil) {
		t.Error("the log tells that nothing had been uploaded")
	}
}

func TestWhatTheLogSaysWasErasedIsErasedAgain(t *testing.T) {
	h := newHouse(t)
	keep, gone, kept := h.sealed(newPerson(t), noise(1_000)), h.sealed(newPerson(t), noise(2_000)), h.sealed(newPerson(t), noise(10))
	lab := newResearcher(t)
	must[Delivery](t)(h.fetch(lab, gone.ID))
	waiting := h.open(newPerson(t), noise(100))
	h.uploaded(waiting)
	key, hour := h.sealedKey(gone.ID), h.clock.Now().Unix()/3600+5
	leaf := audit.Leaf{Index: 77, Hour: hour, Kind: kindRevoked, Erases: hexSHA256([]byte(h.blobOf(gone.ID)))}

	h.clock.Advance(6 * time.Hour)
	got := h.replay(audit.Leaf{Kind: "consent.record", Erases: hexSHA256([]byte(h.blobOf(keep.ID)))}, leaf)
	if got != (Restored{Revoked: 1}) {
		t.Errorf("%+v", got)
	}
	_, err := h.fetch(lab, gone.ID)
	wants(t, err, errRefused)
	for _, d := range []draft{keep, kept} {
		if _, err := h.fetch(newResearcher(t), d.ID); err != nil {
			t.Error(err)
		}
	}
	if where := h.finds(key); len(where) != 0 {
		t.Errorf("its key is still in %v", where)
	}
	r := must[Receipt](t)(h.Receipt(t.Context(), gone.by.id, gone.ID))
	if at := time.Unix(hour*3600, 0).UTC().Format(time.RFC3339); !r.Complete || r.LogIndex != 77 || r.RevokedAt != at || r.Deliveries != 1 {
		t.Errorf("%+v", r)
	}
	if d := must[Dataset](t)(h.Get(t.Context(), waiting.by.id, waiting.ID)); d.State != StateReceived {
		t.Errorf("what waited is %s", d.State)
	}
	// A clock that runs behind the log's does not let it stand for a while.
	h.replay(audit.Leaf{Hour: hour + 100, Kind: kindRevoked, Erases: hexSHA256([]byte(h.blobOf(kept.ID)))})
	_, err = h.fetch(newResearcher(t), kept.ID)
	wants(t, err, errRefused)
}

func TestUploadsWhoseBytesNoBackupHoldsBeginAnew(t *testing.T) {
	h := newHouse(t)
	half, whole, cancelled := h.open(newPerson(t), noise(300_000)), h.open(newPerson(t), noise(100)), h.open(newPerson(t), noise(100))
	up := must[Upload](t)(h.CreateUpload(t.Context(), half.by.id, half.ID, int64(len(half.file))))
	must[Upload](t)(h.Append(t.Context(), half.by.id, up.ID, 0, bytes.NewReader(half.file[:100_000])))
	h.uploaded(whole)
	h.uploaded(cancelled)
	if got := h.replay(); got != (Restored{Dropped: 1}) {
		t.Errorf("%+v", got)
	}
	if d := must[Dataset](t)(h.Get(t.Context(), half.by.id, half.ID)); d.State != StateOpen {
		t.Errorf("it is %s", d.State)
	}
	half.Dataset = must[Dataset](t)(h.Get(t.Context(), half.by.id, half.ID))
	h.uploaded(half)

	// An upload that is still there may have been cancelled, replaced, sealed and revoked under another name.
	if got := h.replay(audit.Leaf{Kind: kindRevoked, Erases: hexSHA256([]byte("unknown"))}); got != (Restored{Unknown: 1, Dropped: 3}) {
		t.Errorf("%+v", got)
	}
	if n := h.files(); n != 0 {
		t.Errorf("%d files are left", n)
	}
}

func TestARevocationOfWhatWasStillComingInHolds(t *testing.T) {
	h := newHouse(t)
	d := h.open(newPerson(t), noise(300_000))
	up := must[Upload](t)(h.CreateUpload(t.Context(), d.by.id, d.ID, int64(len(d.file))))
	must[Upload](t)(h.Append(t.Context(), d.by.id, up.ID, 0, bytes.NewReader(d.file[:100_000])))
	got := h.replay(audit.Leaf{Index: 3, Hour: 1, Kind: kindRevoked, Erases: hexSHA256([]byte(h.blobOf(d.ID)))})
	if got != (Restored{Revoked: 1}) {
		t.Errorf("%+v", got)
	}
	if d := must[Dataset](t)(h.Get(t.Context(), d.by.id, d.ID)); d.State != StateShredded {
		t.Errorf("it is %s", d.State)
	}
	if n := h.files() + h.keyCount(); n != 0 {
		t.Errorf("%d files and keys are left", n)
	}
}

func TestTheInventorySaysWhatMustBeElsewhere(t *testing.T) {
	h := newHouse(t)
	sealed := h.sealed(newPerson(t), noise(1_000))
	waiting := h.open(newPerson(t), noise(100))
	h.uploaded(waiting)
	coming := h.open(newPerson(t), noise(100_000))
	must[Upload](t)(h.CreateUpload(t.Context(), coming.by.id, coming.ID, int64(len(coming.file))))
	own := must[Dataset](t)(h.OpenSelfCustody(t.Context(), newMember(), "wearables", newPerson(t).age.Recipient().String()))
	must[Receipt](t)(h.Revoke(t.Context(), sealed.by.id, h.sealed(sealed.by, noise(10)).ID))
	must[Delivery](t)(h.fetch(newResearcher(t), sealed.ID))

	in := h.inventory()
	if len(in.Payloads) != 2 || len(in.Growing) != 1 || len(in.Keyed) != 3 || in.Shredding+in.Expired+in.Stale != 0 {
		t.Fatalf("%+v", in)
	}
	for _, p := range in.Payloads {
		want := map[coop.DatasetID]draft{sealed.ID: sealed, waiting.ID: waiting}[p.Dataset]
		if m := want.manifest(t); p.SHA256 != m.SHA256 || p.Size != m.Size || p.Sealed != (p.Dataset == sealed.ID) {
			t.Errorf("%+v, %+v", p, m)
		}
	}
	for _, ds := range in.Keyed {
		if ds == own.ID {
			t.Error("a key is missed that only the member has")
		}
	}
	h.clock.Advance(100 * 24 * time.Hour)
	if in := h.inventory(); in.Expired != 2 || in.Stale != 1 {
		t.Errorf("%+v", in)
	}
}
