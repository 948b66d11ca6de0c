//go:build linux

package hygiene

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

const hardenEnv = "DATACOOP_TEST_HARDEN"

// TestHardenAndCrash is the child of the next test: it hardens itself and aborts.
func TestHardenAndCrash(t *testing.T) {
	if os.Getenv(hardenEnv) == "" {
		t.Skip("runs only as a child of TestAHardenedProcessLeavesNoCore")
	}
	if err := Harden(); err != nil {
		t.Fatal(err)
	}
	limits, err := os.ReadFile("/proc/self/limits")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(limits)) {
		if strings.HasPrefix(line, "Max core file size") && strings.Fields(line)[4] != "0" {
			t.Fatal("core files are allowed: " + line)
		}
	}
	dumpable, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, 3, 0, 0) // PR_GET_DUMPABLE
	if errno != 0 || dumpable != 0 {
		t.Fatalf("dumpable: %d, %v", dumpable, errno)
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGABRT)
	select {}
}

func TestAHardenedProcessLeavesNoCore(t *testing.T) {
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHardenAndCrash$")
	child.Env = append(os.Environ(), hardenEnv+"=1", "GOTRACEBACK=crash")
	out, _ := child.CombinedOutput()
	if child.ProcessState.Success() || bytes.Contains(out, []byte("FAIL")) {
		t.Fatalf("the child did not crash as it should: %s", out[:min(len(out), 2000)])
	}
	if status, ok := child.ProcessState.Sys().(syscall.WaitStatus); ok && status.CoreDump() {
		t.Error("it left a core file")
	}
}
