package codebook_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/marketplace/codebook"
)

// folders are the fixtures that are personal data of some kind.
var folders = []string{"01-apple-health", "02-fitbit-cohort", "03-activity-files", "04-openmhealth", "05-synthea-csv", "06-synthea-fhir-r4", "07-cgm",
	"08-genotype", "09-takeout", "10-media", "11-browser", "12-bank", "13-energy"}

// everyFixture lists their files, without the pages that say where they come
// from.
func everyFixture(t *testing.T) (all []string) {
	t.Helper()
	for _, folder := range folders {
		root := testkit.Fixture(t, folder)
		err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() && entry.Name() != "SOURCE.md" {
				rel, _ := filepath.Rel(filepath.Dir(root), file)
				all = append(all, filepath.ToSlash(rel))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func fixtureInput(t *testing.T, rel string) codebook.Input {
	t.Helper()
	return codebook.Bytes(path.Base(rel), testkit.FixtureBytes(t, rel))
}

// outcome is what becomes of files: pool, format, rows, records left out and
// the digest of the table, or the code of the refusal.
func outcome(t *testing.T, pool string, inputs ...codebook.Input) string {
	t.Helper()
	table, profile, err := codebook.Reduce(pool, inputs...)
	if err != nil {
		return refusal(t, err)
	}
	sum := sha256.Sum256([]byte(csvOf(t, table)))
	return fmt.Sprintf("%s %s %d rows %d skipped %s", pool, profile.Format, len(table.Rows), profile.Skipped, hex.EncodeToString(sum[:8]))
}

func refusal(t *testing.T, err error) string {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.Invalid {
		t.Fatalf("no refusal but %v", err)
	}
	return "refused " + f.Code
}

func outcomeOf(t *testing.T, in codebook.Input) string {
	t.Helper()
	_, pool, err := codebook.Recognise(in)
	if err != nil {
		return refusal(t, err)
	}
	return outcome(t, pool, in)
}

const fixtureTable = "testdata/fixtures.tsv"

// told reads the table: what becomes of each fixture, and why it is refused.
func told(t *testing.T) (outcomes, reasons map[string]string) {
	t.Helper()
	text, err := os.ReadFile(fixtureTable)
	if err != nil {
		t.Fatal(err)
	}
	outcomes, reasons = map[string]string{}, map[string]string{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(cells) != 3 {
			t.Fatalf("%q has no three cells", line)
		}
		outcomes[cells[0]], reasons[cells[0]] = cells[1], cells[2]
	}
	return outcomes, reasons
}

// TestEveryFixtureIsReducedOrRefusedForAReason holds for each file of the
// fixtures alone, and for those of a folder together, pool by pool. A fixture
// that the table does not name fails, and so does a refusal without a reason.
func TestEveryFixtureIsReducedOrRefusedForAReason(t *testing.T) {
	want, reasons := told(t)
	got := map[string]string{}
	together := map[string][]codebook.Input{}
	for _, rel := range everyFixture(t) {
		in := fixtureInput(t, rel)
		got[rel] = outcomeOf(t, in)
		if pool, _, ok := strings.Cut(got[rel], " "); ok && pool != "refused" || strings.HasSuffix(rel, "patients.csv") {
			if _, pool, err := codebook.Recognise(in); err == nil {
				folder, _, _ := strings.Cut(rel, "/")
				together[folder+"/ "+pool] = append(together[folder+"/ "+pool], in)
			}
		}
	}
	for name, inputs := range together {
		_, pool, _ := strings.Cut(name, " ")
		got[name] = outcome(t, pool, inputs...)
		slices.Reverse(inputs)
		if other := outcome(t, pool, inputs...); other != got[name] {
			t.Errorf("%s: %s, in another order %s", name, got[name], other)
		}
	}
	if *update {
		writeTold(t, got, reasons)
		want, reasons = told(t)
	}
	for name, is := range got {
		switch {
		case want[name] == "":
			t.Errorf("%s is not named: %s", name, is)
		case want[name] != is:
			t.Errorf("%s: %s, want %s", name, is, want[name])
		case strings.HasPrefix(is, "refused") && len(reasons[name]) < 10:
			t.Errorf("%s is %s, and nobody says why", name, is)
		case strings.HasPrefix(reasons[name], "not yet"):
			t.Errorf("%s: %s", name, reasons[name])
		}
	}
	for name := range want {
		if got[name] == "" {
			t.Errorf("%s is named and not there", name)
		}
	}
	t.Logf("%d fixtures and %d sets of them", len(got)-len(together), len(together))
}

func writeTold(t *testing.T, outcomes, reasons map[string]string) {
	t.Helper()
	var out strings.Builder
	for _, name := range slices.Sorted(maps.Keys(outcomes)) {
		why := reasons[name]
		if !strings.HasPrefix(outcomes[name], "refused") {
			why = ""
		}
		fmt.Fprintf(&out, "%s\t%s\t%s\n", name, outcomes[name], why)
	}
	if err := os.WriteFile(fixtureTable, []byte(out.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

var (
	words   = regexp.MustCompile(`[\p{L}\p{N}][\p{L}\p{N}@._'’+-]{3,}`)
	telling = regexp.MustCompile(`\p{L}{3}|[0-9]{9}`)

	concepts = regexp.MustCompile(`(SCT|RXNORM):[0-9]+`) // codes of a clinical terminology are long numbers too
)

// identifying are the words of a file that no codebook has: names, addresses,
// numbers of accounts and devices. Numbers and times are none; they are what
// the tables are made of.
func identifying(data []byte, known string) map[string]bool {
	seen, out := map[string]bool{}, map[string]bool{}
	for _, word := range words.FindAll(data, -1) {
		w := string(word)
		if seen[w] {
			continue
		}
		seen[w] = true
		if telling.Match(word) && !strings.Contains(known, strings.ToLower(w)) {
			out[w] = true
		}
	}
	return out
}

// TestNoIdentifierOfAnyFixtureReachesATable plants one more into every fixture
// that has room for words: the result must be the very same as without it. And
// no word of a fixture that could name somebody is in its table, nor the
// coordinates of a track.
func TestNoIdentifierOfAnyFixtureReachesATable(t *testing.T) {
	var books strings.Builder
	for _, book := range codebook.All() {
		fmt.Fprintf(&books, "%v\n", book)
	}
	known := strings.ToLower(books.String())
	plants, looked := 0, 0
	for _, rel := range everyFixture(t) {
		data := testkit.FixtureBytes(t, rel)
		want, refused := resultOf(t, codebook.Bytes(path.Base(rel), data))
		if with := testkit.Plant(t, rel, data); with != nil {
			plants++
			got, _ := resultOf(t, codebook.Bytes(path.Base(rel), with))
			if got != want && !numbered(rel) {
				t.Errorf("%s: with an identifier in it the result is another", rel)
			}
			if found := leaks(got); found != nil {
				t.Errorf("%s: the result holds %q", rel, found)
			}
		}
		if refused {
			continue
		}
		cells := map[string]bool{}
		for _, w := range words.FindAllString(concepts.ReplaceAllString(want, ""), -1) {
			cells[w] = true
		}
		for w := range identifying(data, known) {
			looked++
			if cells[w] {
				t.Errorf("%s: the table holds %q", rel, w)
			}
		}
	}
	t.Logf("planted into %d fixtures, looked for %d words", plants, looked)
}

// resultOf is the table as CSV, or all that a refusal says.
func resultOf(t *testing.T, in codebook.Input) (text string, refused bool) {
	t.Helper()
	_, pool, err := codebook.Recognise(in)
	if err == nil {
		var table codebook.Table
		if table, _, err = codebook.Reduce(pool, in); err == nil {
			return csvOf(t, table), false
		}
	}
	return fmt.Sprintf("%s %v %+v", refusal(t, err), err, err), true
}

// numbered are fixtures whose rows depend on the order of their titles, which
// planting changes.
func numbered(rel string) bool { return strings.HasPrefix(rel, "10-media") }
