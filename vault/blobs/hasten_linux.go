package blobs

import (
	"os"
	"syscall"
)

// rangeWrite is SYNC_FILE_RANGE_WRITE of sync_file_range(2).
const rangeWrite = 2

// Hasten has the system begin to write a range of a file to the disk, so that
// the Sync that follows has less to wait for. It promises nothing, and a
// failure is Sync's to report.
func Hasten(f *os.File, from, length int64) {
	conn, err := f.SyscallConn()
	if err != nil {
		return
	}
	_ = conn.Control(func(fd uintptr) {
		_ = syscall.SyncFileRange(int(fd), from, length, rangeWrite)
	})
}
