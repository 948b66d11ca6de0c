//go:build linux || darwin

package ops

import (
	"math"
	"syscall"
)

// room is how many bytes a file system has left, of how many.
func room(dir string) (free, total int64, ok bool) {
	var s syscall.Statfs_t
	if syscall.Statfs(dir, &s) != nil || s.Bsize <= 0 {
		return 0, 0, false
	}
	size := uint64(s.Bsize)
	return bounded(s.Bavail, size), bounded(s.Blocks, size), true
}

func bounded(blocks, size uint64) int64 {
	if blocks > math.MaxInt64/size {
		return math.MaxInt64
	}
	return int64(blocks * size) //nolint:gosec // it fits, as was just compared
}
