package synth_test

import (
	"archive/zip"
	"bytes"
	"database/sql"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3"

	"distributed.ai/datacoop/marketplace/codebook/synth"
)

var monday = time.Date(2026, time.February, 2, 15, 30, 0, 0, time.UTC)

var formats = []string{
	"fitbit-daily-activity", "fitbit-sleep-day", "fitbit-weight", "apple-health", "green-button", "ofx", "camt.053", "dexcom-clarity",
	"netflix-viewing", "synthea-patients", "synthea-observations", "synthea-conditions", "synthea-medications", "synthea-procedures",
	"synthea-immunizations", "synthea-allergies", "synthea-encounters",
	"23andme", "ancestrydna", "ftdna", "ftdna-famfinder", "living-dna", "myheritage", "vcf", "genotype-table",
	"google-timeline", "google-timeline-ios", "google-semantic", "google-records", "chrome-history", "firefox-history", "safari-history",
	"qutebrowser-history", "browserexport", "google-chrome", "google-activity", "spotify-extended", "spotify-account", "youtube-history",
}

// plain is the text of an export, unpacked where it is an archive.
func plain(t *testing.T, format string, seed uint64) string {
	t.Helper()
	_, data, ok := synth.Export(format, seed, monday, 90)
	if !ok {
		t.Fatalf("%s is unknown", format)
	}
	if !bytes.HasPrefix(data, []byte("PK")) {
		return string(data)
	}
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, entry := range archive.File {
		r, err := entry.Open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(&out, r); err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

func TestSameSeedSameBytes(t *testing.T) {
	for _, format := range formats {
		_, first, _ := synth.Export(format, 4, monday, 90)
		_, again, _ := synth.Export(format, 4, monday.Truncate(24*time.Hour), 90)
		_, other, _ := synth.Export(format, 5, monday, 90)
		if !bytes.Equal(first, again) {
			t.Errorf("%s differs for the same seed", format)
		}
		if bytes.Equal(first, other) && format != "synthea-patients" {
			t.Errorf("%s is the same for another seed", format)
		}
	}
}

func TestEveryIdentifierIsPlantedAndEveryExportHasSome(t *testing.T) {
	seen := map[string]bool{}
	for _, format := range formats {
		text, any := plain(t, format, 4), false
		for _, planted := range synth.Planted() {
			if strings.Contains(text, planted) || strings.Contains(text, strings.ReplaceAll(planted, "'", "&#39;")) {
				seen[planted], any = true, true
			}
		}
		if !any {
			t.Errorf("%s identifies nobody", format)
		}
	}
	for _, planted := range synth.Planted() {
		if !seen[planted] {
			t.Errorf("%q is nowhere", planted)
		}
	}
}

func TestUnknownFormatsAndLengths(t *testing.T) {
	for _, days := range []int{-5, 0, 3661} {
		if _, _, ok := synth.Export("ofx", 1, monday, days); ok {
			t.Errorf("%d days pass", days)
		}
	}
	if _, _, ok := synth.Export("papyrus", 1, monday, 5); ok {
		t.Error("an unknown format passes")
	}
}

// The library that wrote every real history finds nothing to complain of in
// an invented one.
func TestInventedDatabasesAreDatabases(t *testing.T) {
	for format, count := range map[string]string{"chrome-history": "visits", "firefox-history": "moz_historyvisits", "safari-history": "history_visits", "qutebrowser-history": "History"} {
		_, data, _ := synth.Export(format, 4, monday, 2000)
		path := filepath.Join(t.TempDir(), "history")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := sql.Open("sqlite3", path)
		if err != nil {
			t.Fatal(err)
		}
		verdict, rows := "", 0
		if err := db.QueryRow("PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
			t.Errorf("%s: %s, %v", format, verdict, err)
		}
		if err := db.QueryRow("SELECT count(*) FROM " + count).Scan(&rows); err != nil || rows < 10_000 {
			t.Errorf("%s: %d rows, %v", format, rows, err)
		}
		_ = db.Close()
	}
}
