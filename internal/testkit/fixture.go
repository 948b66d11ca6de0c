package testkit

import (
	"os"
	"path/filepath"
	"testing"
)

// FixturesEnv names the environment variable that says where the fixtures are.
// Without it they are looked for in shared/fixtures beside the repository.
const FixturesEnv = "DATACOOP_FIXTURES"

// Fixture returns the path of a fixture, a file or folder named relative to
// the fixtures, such as "02-fitbit-cohort/dailyActivity_merged.csv". The test
// is skipped if it is not there.
func Fixture(t testing.TB, rel string) string {
	t.Helper()
	root, ok := Fixtures()
	if !ok {
		t.Skipf("no fixtures: set %s or put them in shared/fixtures beside the repository", FixturesEnv)
	}
	path := filepath.Join(root, filepath.FromSlash(rel))
	if _, err := os.Stat(path); err != nil {
		t.Skipf("fixture %s is missing", rel)
	}
	return path
}

// FixtureBytes returns the contents of a fixture file, or skips the test.
func FixtureBytes(t testing.TB, rel string) []byte {
	t.Helper()
	data, err := os.ReadFile(Fixture(t, rel))
	if err != nil {
		t.Fatalf("read fixture: %v", err)
	}
	return data
}

// Fixtures finds the folder of real inputs beside the repository; false if
// there is none.
func Fixtures() (string, bool) {
	if dir := os.Getenv(FixturesEnv); dir != "" {
		return dir, true
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", false
	}
	for {
		candidate := filepath.Join(dir, "shared", "fixtures")
		if info, err := os.Stat(candidate); err == nil && info.IsDir() {
			return candidate, true
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", false
		}
		dir = parent
	}
}
