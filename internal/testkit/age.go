package testkit

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// CurrentAge builds the age command of the version that go.mod names, outside of
// this module, which does not need what the command needs. Empty, with the reason
// in the test's log, where it cannot be built.
func CurrentAge(t testing.TB) string {
	t.Helper()
	version, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Version}}", "filippo.io/age").Output()
	if err != nil {
		t.Logf("which age go.mod names: %v", err)
		return ""
	}
	dir := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "install", "filippo.io/age/cmd/age@"+strings.TrimSpace(string(version))) //nolint:gosec // the version that go.mod names
	build.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		t.Logf("the current age command cannot be built: %v\n%s", err, out)
		return ""
	}
	return filepath.Join(dir, "age")
}
