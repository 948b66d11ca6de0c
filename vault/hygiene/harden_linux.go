package hygiene

import (
	"errors"
	"fmt"
	"syscall"
)

// prSetDumpable is PR_SET_DUMPABLE of prctl(2).
const prSetDumpable = 4

// Harden keeps keys inside this process: it leaves no core file, and no other
// process of the same user can read its memory or attach to it. Root can. A
// server calls it before it has any key; children start without it.
func Harden() error {
	none := &syscall.Rlimit{}
	err := syscall.Setrlimit(syscall.RLIMIT_CORE, none)
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, prSetDumpable, 0, 0); errno != 0 {
		err = errors.Join(err, errno)
	}
	if err != nil {
		return fmt.Errorf("hygiene: harden: %w", err)
	}
	return nil
}
