package codebook_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/marketplace/codebook"
)

var update = flag.Bool("update", false, "rewrite golden files")

var monday = time.Date(2026, time.February, 2, 0, 0, 0, 0, time.UTC)

// export is a synthetic export of sixty days.
func export(t testing.TB, format string, seed uint64) codebook.Input {
	t.Helper()
	name, data, err := codebook.Synthesise(format, seed, monday, 60)
	if err != nil {
		t.Fatal(err)
	}
	return codebook.Bytes(name, data)
}

func fixture(t testing.TB, rel string) codebook.Input {
	t.Helper()
	return codebook.Bytes("upload", testkit.FixtureBytes(t, rel))
}

func text(s string) codebook.Input { return codebook.Bytes("upload", []byte(s)) }

func reduce(t testing.TB, pool string, inputs ...codebook.Input) (codebook.Table, codebook.Profile) {
	t.Helper()
	table, profile, err := codebook.Reduce(pool, inputs...)
	if err != nil {
		t.Fatal(err)
	}
	return table, profile
}

func csvOf(t testing.TB, table codebook.Table) string {
	t.Helper()
	var out bytes.Buffer
	if err := table.WriteCSV(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// column is a column's cells by its name.
func column(t testing.TB, table codebook.Table, name string) []string {
	t.Helper()
	i := slices.IndexFunc(table.Codebook.Columns, func(c codebook.Column) bool { return c.Name == name })
	if i < 0 {
		t.Fatalf("no column %s", name)
	}
	var out []string
	for _, row := range table.Rows {
		out = append(out, row[i])
	}
	return out
}

func TestEveryCodebookIsDocumented(t *testing.T) {
	types := []string{codebook.TypeInteger, codebook.TypeDecimal, codebook.TypeDate, codebook.TypeTime, codebook.TypeCode}
	for _, book := range codebook.All() {
		if !coop.ValidSlug(book.Pool) || book.Title == "" || book.Row == "" || len(book.Formats) == 0 {
			t.Errorf("%s: incomplete", book.Pool)
		}
		names := map[string]bool{}
		for _, c := range book.Columns {
			if !regexp.MustCompile(`^[a-z][a-z0-9_]*$`).MatchString(c.Name) || names[c.Name] {
				t.Errorf("%s: column %q is no unique name", book.Pool, c.Name)
			}
			names[c.Name] = true
			if c.Source == "" || !strings.HasSuffix(c.Description, ".") || !slices.Contains(types, c.Type) {
				t.Errorf("%s.%s: undocumented", book.Pool, c.Name)
			}
			isNumber := c.Type == codebook.TypeInteger || c.Type == codebook.TypeDecimal
			if isNumber != (c.Max > c.Min) || (c.Type == codebook.TypeDecimal) != (c.Decimals > 0) {
				t.Errorf("%s.%s: bounds and type disagree", book.Pool, c.Name)
			}
			if (c.Type == codebook.TypeCode) != (len(c.Codes) > 0 || c.Scheme != "") {
				t.Errorf("%s.%s: codes and type disagree", book.Pool, c.Name)
			}
		}
		if found, ok := codebook.For(book.Pool); !ok || found.Title != book.Title {
			t.Errorf("For(%s) does not find it", book.Pool)
		}
	}
	if _, ok := codebook.For("genealogy"); ok {
		t.Error("For finds a pool nobody wrote")
	}
}

func TestEveryFormatIsSynthesisedAndRecognised(t *testing.T) {
	for _, book := range codebook.All() {
		for _, f := range book.Formats {
			in := export(t, f.ID, 7)
			in.Name = "renamed.bin"
			format, pool, err := codebook.Recognise(in)
			if err != nil || format != f.ID || pool != book.Pool {
				t.Errorf("Recognise(%s) = %s, %s, %v", f.ID, format, pool, err)
			}
		}
	}
}

func TestCSVRoundTrip(t *testing.T) {
	for _, book := range codebook.All() {
		sample, err := codebook.Sample(book.Pool)
		if err != nil {
			t.Fatal(err)
		}
		table, err := codebook.ParseCSV(book.Pool, bytes.NewReader(sample))
		if err != nil {
			t.Fatalf("%s: %v", book.Pool, err)
		}
		if csvOf(t, table) != string(sample) {
			t.Errorf("%s: the round trip changed the table", book.Pool)
		}
	}
}

func TestSampleIsGolden(t *testing.T) {
	for _, book := range codebook.All() {
		got, err := codebook.Sample(book.Pool)
		if err != nil {
			t.Fatal(err)
		}
		got = got[:bytes.LastIndexByte(got[:min(len(got), 4096)], '\n')+1]
		path := filepath.Join("testdata", book.Pool+".csv")
		if *update {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: the beginning of the sample changed; run with -update if it should", book.Pool)
		}
	}
}

func TestSampleOfUnknownPool(t *testing.T) {
	if _, err := codebook.Sample("nothing"); err == nil {
		t.Error("no refusal")
	}
}

func TestSampleFillsEveryColumn(t *testing.T) {
	never := map[string][]string{
		"glucose":   {"limit"},
		"wearables": {},
	}
	for _, book := range codebook.All() {
		sample, err := codebook.Sample(book.Pool)
		if err != nil {
			t.Fatal(err)
		}
		table, err := codebook.ParseCSV(book.Pool, bytes.NewReader(sample))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range book.Columns {
			filled := strings.Join(column(t, table, c.Name), "") != ""
			if !filled && !slices.Contains(never[book.Pool], c.Name) {
				t.Errorf("%s.%s is empty throughout", book.Pool, c.Name)
			}
		}
	}
}
