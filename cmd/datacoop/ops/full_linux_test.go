package ops

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// smallDisk is a file system of its own. It needs root.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("cannot mount a small disk (needs root): %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func TestAFullDiskLeavesNothingHalfMade(t *testing.T) {
	w := newWorld(t)
	for range 4 {
		w.share(t, 800_000)
	}
	b := w.backup("backup.tar")
	disk := smallDisk(t, "2m")
	for _, name := range []string{"b", "b.tar"} {
		if err := (&Backup{Data: w.data, To: filepath.Join(disk, name)}).Run(t.Context(), w.lent()); err == nil {
			t.Errorf("%s fits on a disk that is too small for it", name)
		}
		if left := listing(t, disk); len(left) > 0 {
			t.Errorf("left %v", left)
		}
	}
	w.check(w.restore(Restore{From: b, Check: true}))
	target := filepath.Join(disk, "data")
	if err := w.restore(Restore{From: b, Data: target}); err == nil {
		t.Error("it was restored to a disk that is too small for it")
	}
	// Enough when it was looked at, and not when it is written.
	m, err := survey(t.Context(), fromTarball{path: b}, func(int64, int64) {})
	w.check(err)
	w.check(os.MkdirAll(target, 0o700))
	if err := unpack(t.Context(), fromTarball{path: b}, m, target, func(int64, int64) {}); err == nil {
		t.Error("unpacked on a full disk")
	}
	w.check(empty(target))
	if left := listing(t, disk); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}
