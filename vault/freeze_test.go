package vault

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
)

// frozen reports whether a delivery was refused because stewards stopped all.
func frozen(err error) bool {
	var f *fault.Error
	return errors.As(err, &f) && f.Code == "frozen"
}

func TestAFreezeStopsADownloadUnderWayAndLeavesMembersTheirOwn(t *testing.T) {
	h, by, r := newHouse(t), newPerson(t), newResearcher(t)
	plain := noise(3 << 20)
	d := h.sealed(by, plain)
	got := must[Delivery](t)(h.fetch(r, d.ID))
	file := must[io.ReadSeekCloser](t)(got.Open())
	defer file.Close()
	if _, err := io.ReadFull(file, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	err := h.db.Update(t.Context(), func(tx *db.Tx) error {
		_, err := h.consent.Freeze(tx, newMember(), "Somebody may have a password.")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, file)
	if !frozen(err) || n >= 1<<20 {
		t.Errorf("%d bytes came after the freeze, then %v", n, err)
	}
	if !got.Revoked() {
		t.Error("the delivery says that it may go on")
	}
	if _, err = h.fetch(r, d.ID); !frozen(err) {
		t.Errorf("a frozen co-op delivers: %v", err)
	}
	mine := must[Delivery](t)(h.Content(t.Context(), by.id, d.ID))
	if !bytes.Equal(decrypt(t, readAll(t, mine), by.age), plain) {
		t.Error("a member cannot have their own file back")
	}
}
