package sqlite_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/mattn/go-sqlite3"

	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/marketplace/codebook/sqlite"
	"distributed.ai/datacoop/marketplace/codebook/stream"
)

// written is a database that the library itself wrote.
func written(t testing.TB, statements ...string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "history")
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	for _, s := range append([]string{"PRAGMA synchronous=OFF"}, statements...) { // nobody needs it after a power cut
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func open(data []byte) (*sqlite.File, error) {
	return sqlite.Open(bytes.NewReader(data), int64(len(data)))
}

// rows spells out the rows of a table.
func rows(f *sqlite.File, table string, columns ...string) (out []string, err error) {
	err = f.Each(table, columns, func(row []sqlite.Value) error {
		cells := make([]string, len(row))
		for i, v := range row {
			n, _ := v.Number()
			cells[i] = [...]string{"-", fmt.Sprint(n), fmt.Sprint(v.Float), v.Text(), "blob"}[v.Kind]
		}
		out = append(out, strings.Join(cells, "|"))
		return nil
	})
	return out, err
}

// many fills a table with rows of all kinds and lengths; some overflow.
const many = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 700)
	INSERT INTO visits(id, url, at, much, odd) SELECT i*3, 'https://example.org/' || i || '/ü', i*1000003*i, replace(hex(zeroblob((i*37) % 2600)), '0', 'ß'), CASE i%5 WHEN 0 THEN NULL WHEN 1 THEN i/4.0 WHEN 2 THEN -i WHEN 3 THEN x'00ff' ELSE i%2 END FROM n`

func TestReadsWhatTheLibraryWrote(t *testing.T) {
	for _, setup := range []string{
		"PRAGMA page_size=512", "PRAGMA page_size=4096", "PRAGMA page_size=65536", "PRAGMA encoding='UTF-16le'",
		"PRAGMA encoding='UTF-16be'", "PRAGMA auto_vacuum=FULL", "PRAGMA journal_mode=WAL",
	} {
		t.Run(setup, func(t *testing.T) {
			data := written(t, setup, `CREATE TABLE "visits" (id INTEGER PRIMARY KEY AUTOINCREMENT, url LONGVARCHAR NOT NULL DEFAULT (','), [at] INTEGER, much, odd, CHECK (id > 0))`,
				`CREATE TABLE other (a, b)`, `CREATE INDEX i ON visits(url)`, many, `DELETE FROM visits WHERE id % 7 = 0`, `ALTER TABLE visits ADD COLUMN late`)
			f, err := open(data)
			if err != nil {
				t.Fatal(err)
			}
			if f.Logged() != strings.Contains(setup, "WAL") {
				t.Error("whether there is a log is told wrongly")
			}
			got, err := rows(f, "visits", "id", "url", "at", "much", "odd", "late", "none")
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for i := 1; i <= 700; i++ {
				if i*3%7 == 0 {
					continue
				}
				odd := [...]string{"-", fmt.Sprint(float64(i) / 4), fmt.Sprint(-i), "blob", fmt.Sprint(i % 2)}[i%5]
				want := fmt.Sprintf("%d|https://example.org/%d/ü|%d|%s|%s|-|-", i*3, i, i*1000003*i, strings.Repeat("ß", i*37%2600*2), odd)
				if n >= len(got) || got[n] != want {
					t.Fatalf("row %d is %.200q, want %.200q", n, got[min(n, len(got)-1)], want)
				}
				n++
			}
			if n != len(got) {
				t.Errorf("%d rows, want %d", len(got), n)
			}
		})
	}
}

func TestTablesThatAreNotThere(t *testing.T) {
	f, err := open(written(t, `CREATE TABLE plain (a, 'b c' TEXT, PRIMARY KEY (a))`, `CREATE TABLE keyed (a PRIMARY KEY, b) WITHOUT ROWID`,
		`CREATE VIEW seen AS SELECT a FROM plain`, `INSERT INTO plain VALUES (1, 'x')`, `INSERT INTO keyed VALUES (1, 2)`))
	if err != nil {
		t.Fatal(err)
	}
	for table, there := range map[string]bool{"plain": true, "keyed": false, "seen": false, "sqlite_autoindex_plain_1": false, "": false} {
		if f.Has(table) != there {
			t.Errorf("%q there: %v", table, !there)
		}
		if got, err := rows(f, table, "a"); err != nil || (len(got) == 1) != there {
			t.Errorf("%q has %q, %v", table, got, err)
		}
	}
	if !f.Has("plain", "a", "b c") || f.Has("plain", "a", "c") {
		t.Error("columns are told wrongly")
	}
}

func TestFixtures(t *testing.T) {
	for file, c := range map[string]struct {
		table   string
		columns []string
		want    string
	}{
		"11-browser/chrome.sqlite":      {"visits", []string{"id", "url", "visit_time", "visit_duration"}, "491|37|13255337775902496|0"},
		"11-browser/qutebrowser.sqlite": {"History", []string{"url", "atime"}, "https://start.duckduckgo.com/|1767168803"},
	} {
		f, err := open(testkit.FixtureBytes(t, file))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := rows(f, c.table, c.columns...); err != nil || len(got) < 2 || got[0] != c.want {
			t.Errorf("%s: %q, %v", file, got, err)
		}
	}
}

// A file that lost its end is refused when it is opened, because the header
// says how long it was, or, where the header does not, when a lost page is
// needed.
func TestCutShortIsRefused(t *testing.T) {
	whole := written(t, "PRAGMA page_size=1024", "CREATE TABLE visits (id INTEGER PRIMARY KEY, url, at, much, odd)", many)
	silent := bytes.Clone(whole)
	silent[27]++ // the length in the header is from an older library
	for _, data := range [][]byte{whole, silent} {
		for _, length := range []int{0, 15, 99, 100, 512, 1023, 1024, 5000, len(data) / 2, len(data) - 1024, len(data) - 1} {
			f, err := open(data[:length])
			if err == nil {
				_, err = rows(f, "visits", "id", "url")
			}
			if !errors.Is(err, stream.ErrMalformedFile) {
				t.Errorf("%d of %d bytes: %v", length, len(data), err)
			}
		}
	}
}

func TestCirclesEnd(t *testing.T) {
	data := written(t, "PRAGMA page_size=512", "CREATE TABLE visits (id INTEGER PRIMARY KEY, url, at, much, odd)", many)
	f, err := open(data)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rows(f, "visits", "id"); err != nil {
		t.Fatal(err)
	}
	// every page of the tree that has children now leads back to the root
	for at := 512; at < len(data); at += 512 {
		if data[at] == 0x05 {
			copy(data[at+8:], []byte{0, 0, 0, 2})
		}
	}
	if f, err = open(data); err != nil {
		t.Fatal(err)
	}
	if _, err := rows(f, "visits", "id"); !errors.Is(err, stream.ErrMalformedFile) {
		t.Errorf("a circle of pages: %v", err)
	}
}

// Whichever byte is damaged, and however, reading ends with rows or a refusal.
func TestEveryDamagedByteEndsWell(t *testing.T) {
	data := written(t, "PRAGMA page_size=512", "CREATE TABLE visits (id INTEGER PRIMARY KEY, url, at)",
		"INSERT INTO visits VALUES (7, 'https://example.org', 1.5), (9, NULL, -3), (10, hex(zeroblob(700)), 1), (11, x'0011', 70000)",
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 90) INSERT INTO visits(url, at) SELECT 'https://example.org/' || i, i FROM n")
	refused := 0
	for at := range data {
		for _, b := range []byte{0, 0xff, data[at] ^ 1} {
			damaged := bytes.Clone(data)
			damaged[at] = b
			f, err := open(damaged)
			if err == nil {
				_, err = rows(f, "visits", "id", "url", "at")
			}
			if err != nil && !errors.Is(err, stream.ErrMalformedFile) {
				t.Fatalf("byte %d is %d: %v", at, b, err)
			}
			if err != nil {
				refused++
			}
		}
	}
	t.Logf("%d bytes, %d refusals", len(data), refused)
}

func TestMediumErrorsAreNotFaults(t *testing.T) {
	broken := errors.New("disk on fire")
	data := written(t, "CREATE TABLE visits (id INTEGER PRIMARY KEY, url, at, much, odd)", many)
	f, err := sqlite.Open(&burning{bytes.NewReader(data), 4096, broken}, int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rows(f, "visits", "id"); !errors.Is(err, broken) || fault.KindOf(err) != fault.Internal {
		t.Error(err)
	}
}

// burning answers nothing beyond an offset.
type burning struct {
	io.ReaderAt
	from int64
	err  error
}

func (b *burning) ReadAt(p []byte, at int64) (int, error) {
	if at >= b.from {
		return 0, b.err
	}
	return b.ReaderAt.ReadAt(p, at)
}

// FuzzOpen holds that whatever the bytes are, reading ends, and with nothing
// but rows or a refusal.
func FuzzOpen(f *testing.F) {
	f.Add(written(f, "PRAGMA page_size=512", "CREATE TABLE visits (id INTEGER PRIMARY KEY, url, at)", "INSERT INTO visits VALUES (7, 'https://example.org', 1.5), (9, NULL, -3)"))
	f.Add(written(f, "PRAGMA page_size=512", "PRAGMA encoding='UTF-16le'", "CREATE TABLE visits (url, at)", "INSERT INTO visits VALUES (hex(zeroblob(900)), 1), ('ü', 2)"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := open(data)
		if err == nil {
			_, err = rows(file, "visits", "id", "url", "at")
		}
		if err != nil && fault.KindOf(err) != fault.Invalid {
			t.Fatal(err)
		}
	})
}
