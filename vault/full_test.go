//go:build linux

package vault

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"filippo.io/age"

	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/vault/reserve"
)

// smallDisk is a file system of its own that can be filled. It needs root.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=24m"); err != nil {
		t.Skipf("cannot mount a small disk (needs root): %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fillUp takes the last byte there is.
func fillUp(t *testing.T, dir string) {
	t.Helper()
	f := must[*os.File](t)(os.OpenFile(filepath.Join(dir, "filler"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600))
	defer f.Close()
	for _, size := range []int{1 << 20, 4 << 10, 1} {
		for {
			if _, err := f.Write(make([]byte, size)); err != nil {
				if !errors.Is(err, syscall.ENOSPC) {
					t.Fatal(err)
				}
				break
			}
		}
	}
}

func TestAFullDiskStopsUploadsButNoRevocation(t *testing.T) {
	disk := smallDisk(t)
	h := newHouseIn(t, disk, must[age.Identity](t)(NewMaster()), filepath.Join(disk, "ballast"))
	gone, second, keep := h.sealed(newPerson(t), noise(200_000)), h.sealed(newPerson(t), noise(1_000)), h.sealed(newPerson(t), noise(1_000))
	half := h.open(newPerson(t), noise(200_000))
	up := must[Upload](t)(h.CreateUpload(t.Context(), half.by.id, half.ID, int64(len(half.file))))
	key, payload := h.sealedKey(gone.ID), gone.file[len(gone.file)-4096:]
	fillUp(t, disk)

	_, err := h.Append(t.Context(), half.by.id, up.ID, 0, bytes.NewReader(half.file))
	if !diskFull(err) {
		t.Fatalf("uploading to a full disk: %v", err)
	}
	if now := must[Upload](t)(h.Upload(t.Context(), half.by.id, up.ID)); now.Offset != 0 {
		t.Errorf("%d bytes were acknowledged", now.Offset)
	}
	for _, d := range []draft{gone, second} {
		r, err := h.Revoke(t.Context(), d.by.id, d.ID)
		if err != nil {
			t.Fatalf("revoking on a full disk: %v", err)
		}
		if !r.Complete {
			t.Errorf("pending: %v", r.Pending)
		}
	}
	for _, secret := range [][]byte{key, payload} {
		if where := h.finds(secret); len(where) != 0 {
			t.Errorf("still in %v", where)
		}
	}
	_, err = h.Append(t.Context(), half.by.id, up.ID, 0, bytes.NewReader(half.file))
	wants(t, err, ErrStorageFull) // the room that was freed is for revocations
	if err := os.Remove(filepath.Join(disk, "filler")); err != nil {
		t.Fatal(err)
	}
	h.sweep()
	if info := must[os.FileInfo](t)(os.Stat(h.ballast)); info.Size() != reserve.Bytes {
		t.Errorf("the reserve is %d bytes", info.Size())
	}
	h.uploadedInto(up, half)
	got := must[io.ReadSeekCloser](t)(must[Delivery](t)(h.Content(t.Context(), keep.by.id, keep.ID)).Open())
	defer got.Close()
	if file := must[[]byte](t)(io.ReadAll(got)); !bytes.Equal(file, keep.file) {
		t.Error("the other member's dataset suffered")
	}
}

// The test above proves nothing if a revocation fits on a full disk anyway.
func TestWithoutAReserveAFullDiskIsAFullDisk(t *testing.T) {
	testkit.SQLiteOnly(t, "the disk that is full holds the database's file")
	disk := smallDisk(t)
	h := newHouseIn(t, disk, must[age.Identity](t)(NewMaster()), "")
	d := h.sealed(newPerson(t), noise(1_000))
	if err := errors.Join(h.db.Truncate(t.Context()), h.keys.Truncate(t.Context())); err != nil {
		t.Fatal(err)
	}
	fillUp(t, disk)
	if _, err := h.Revoke(t.Context(), d.by.id, d.ID); !diskFull(err) {
		t.Fatalf("got %v", err)
	}
	must[Delivery](t)(h.Content(t.Context(), d.by.id, d.ID))
}
