//go:build linux && !race

package child

import "syscall"

func limitMemory(to uint64) error { return hard(syscall.RLIMIT_DATA, to) }
