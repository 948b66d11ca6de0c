package islands_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/marketplace/codebook"
	"distributed.ai/datacoop/web/islands"
)

// program unpacks the committed reducer into a file.
func program(t *testing.T) string {
	t.Helper()
	packed, err := islands.Assets().Open("reducer.wasm.gz")
	if err != nil {
		t.Fatal(err)
	}
	plain, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(plain)
	if err != nil {
		t.Fatal(err)
	}
	return keep(t, "reducer.wasm", data)
}

// keep writes a file that is gone after the test.
func keep(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// inventions are exports of every format, as files.
func inventions(t *testing.T) (paths []string) {
	t.Helper()
	start := time.Date(2026, time.March, 2, 0, 0, 0, 0, time.UTC)
	for _, book := range codebook.All() {
		for _, f := range book.Formats {
			name, data, err := codebook.Synthesise(f.ID, 11, start, 40)
			if err != nil {
				t.Fatal(err)
			}
			paths = append(paths, keep(t, name, data))
		}
	}
	return paths
}

// personal are the folders of fixtures that are personal data of some kind.
var personal = []string{"01-apple-health", "02-fitbit-cohort", "03-activity-files", "04-openmhealth", "05-synthea-csv", "06-synthea-fhir-r4", "07-cgm",
	"08-genotype", "09-takeout", "10-media", "11-browser", "12-bank", "13-energy"}

// others are the exports that other people wrote, good ones and bad ones: each
// file alone, and those of a folder that belong to the pool of its first.
func others(t *testing.T) (jobs [][]string) {
	t.Helper()
	for _, folder := range personal {
		pools := map[string][]string{}
		err := filepath.WalkDir(testkit.Fixture(t, folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			jobs = append(jobs, []string{path})
			if pool, _, ok := strings.Cut(native(t, path), " "); ok {
				pools[pool] = append(pools[pool], path)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, together := range pools {
			jobs = append(jobs, together)
		}
	}
	return jobs
}

// native reduces files as the command line does: the pool and the digest of
// the CSV, or the code of the refusal.
func native(t *testing.T, paths ...string) string {
	t.Helper()
	var all []codebook.Input
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, codebook.Bytes(filepath.Base(path), data))
	}
	_, pool, err := codebook.Recognise(all[0])
	var table codebook.Table
	if err == nil {
		table, _, err = codebook.Reduce(pool, all...)
	}
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Code
	}
	sum := sha256.New()
	if err != nil || table.WriteCSV(sum) != nil {
		t.Fatal(err)
	}
	return pool + " " + hex.EncodeToString(sum.Sum(nil))
}

func TestBrowserReducesAsTheCommandLineDoes(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed: apt-get install nodejs")
	}
	jobs := others(t)
	for _, p := range inventions(t) {
		jobs = append(jobs, []string{p})
	}
	order, err := json.Marshal(map[string]any{"wasm": program(t), "jobs": jobs})
	if err != nil {
		t.Fatal(err)
	}
	run := exec.Command(node, "browser/reduce.mjs")
	run.Stdin, run.Stderr = bytes.NewReader(order), os.Stderr
	out, err := run.Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != len(jobs) {
		t.Fatalf("%d answers about %d exports", len(lines), len(jobs))
	}
	tables := 0
	for i, paths := range jobs {
		want := native(t, paths...)
		if lines[i] != want {
			t.Errorf("%s: %s in the browser, %s on the command line", filepath.Base(paths[0]), lines[i], want)
		}
		if strings.Contains(want, " ") {
			tables++
		}
	}
	t.Logf("%d exports, %d tables, %d refusals", len(jobs), tables, len(jobs)-tables)
}
