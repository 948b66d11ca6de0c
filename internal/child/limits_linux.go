package child

import (
	"errors"
	"os/exec"
	"runtime/debug"
	"syscall"
	"time"
)

// impose sets the limits on this process, hard ones, so that they cannot be
// raised again. It may write no file and leave no core.
func (l Limits) impose() error {
	debug.SetMemoryLimit(l.Memory / 2) // collect garbage harder before the wall is met
	seconds := uint64(max(1, l.CPU/time.Second))
	return errors.Join(
		hard(syscall.RLIMIT_CPU, seconds),
		hard(syscall.RLIMIT_FSIZE, 0),
		hard(syscall.RLIMIT_CORE, 0),
		limitMemory(uint64(max(0, l.Memory))),
	)
}

func hard(what int, to uint64) error {
	return syscall.Setrlimit(what, &syscall.Rlimit{Cur: to, Max: to})
}

func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
