package codebook_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/marketplace/codebook"
)

func cutShort(t testing.TB, rel string, length int) codebook.Input {
	t.Helper()
	return codebook.Bytes("upload", testkit.FixtureBytes(t, rel)[:length])
}

func gzipped(t testing.TB, text string) codebook.Input {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := io.WriteString(w, text); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	return codebook.Bytes("upload.gz", out.Bytes())
}

func databaseOf(t testing.TB, statements ...string) codebook.Input {
	t.Helper()
	return codebook.Bytes("upload", testkit.Changed(t, nil, statements...))
}

// A member packs the folder of the browser's profile: the databases are found
// by what they are, whatever their names, and the rest is told.
func TestAProfileFolderAsAnArchive(t *testing.T) {
	chrome, qute := testkit.FixtureBytes(t, "11-browser/chrome.sqlite"), testkit.FixtureBytes(t, "11-browser/qutebrowser.sqlite")
	in := zipped(t, "profile/<b>.sqlite", "SQLite format 3\x00", "profile/Bookmarks", "{}", "profile/History", string(chrome), "profile/History-wal", "\x37\x7f\x06\x82", "profile/data.db", string(qute))
	format, pool, err := codebook.Recognise(in)
	if err != nil || format != "chrome-history" || pool != "browsing" {
		t.Errorf("%s, %s, %v", format, pool, err)
	}
	table, profile := reduce(t, pool, in)
	if got := strings.Join(column(t, table, "kind"), " "); got != "own-network music code search" {
		t.Error(got)
	}
	if got := fmt.Sprint(profile.Left); got != "[{damaged file 1} {database log 1} {other file 1}]" {
		t.Error(got)
	}
	alone := zipped(t, "profile/<b>.sqlite", "SQLite format 3\x00")
	if _, _, err := codebook.Recognise(alone); !errors.Is(err, codebook.ErrMalformedFile) {
		t.Error(err)
	}
	if _, _, err := codebook.Reduce(pool, alone); !errors.Is(err, codebook.ErrMalformedFile) {
		t.Error(err)
	}
}

// A database that is too large for memory is read by jumping about in it.
func TestAHistoryLargerThanMemory(t *testing.T) {
	chrome := testkit.FixtureBytes(t, "11-browser/chrome.sqlite")
	want, _ := reduce(t, "browsing", codebook.Bytes("History", chrome))
	silent := bytes.Clone(chrome)
	silent[27]++ // it does not say how long it is
	size := int64(4 << 30)
	in := codebook.Input{Name: "History", Size: size, At: &padded{silent}, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(io.NewSectionReader(&padded{silent}, 0, size)), nil
	}}
	if got, _ := reduce(t, "browsing", in); csvOf(t, got) != csvOf(t, want) {
		t.Error("another table")
	}
	in.At = nil
	in.Open = func() (io.ReadCloser, error) { return io.NopCloser(&streamOnly{&padded{silent}, 0}), nil }
	if _, _, err := codebook.Reduce("browsing", in); !errors.Is(err, codebook.ErrTooLarge) {
		t.Errorf("no way to jump: %v", err)
	}
}

// padded is a file with zeros after its end.
type padded struct{ data []byte }

func (p *padded) ReadAt(to []byte, at int64) (int, error) {
	clear(to)
	if at < int64(len(p.data)) {
		copy(to, p.data[at:])
	}
	return len(to), nil
}

type streamOnly struct {
	from *padded
	at   int64
}

func (s *streamOnly) Read(to []byte) (int, error) {
	n, err := s.from.ReadAt(to, s.at)
	s.at += int64(n)
	return n, err
}

func TestAWebPageOfActivityIsToldWhatToAskFor(t *testing.T) {
	_, _, err := codebook.Recognise(fixture(t, "09-takeout/purarue/HtmlTakeout/My Activity/Chrome/MyActivity.html"))
	var f *fault.Error
	if !errors.As(err, &f) || len(f.Detail) != 1 || !strings.Contains(f.Detail[0], "JSON") {
		t.Error(err)
	}
}

// What a location table says is too coarse to find a home: moving the whole
// history to another town changes no cell.
func TestAnotherTownIsTheSameTable(t *testing.T) {
	name, data, err := codebook.Synthesise("google-timeline", 5, monday, 40)
	if err != nil {
		t.Fatal(err)
	}
	here, _ := reduce(t, "location", codebook.Bytes(name, data))
	there, _ := reduce(t, "location", codebook.Bytes(name, bytes.ReplaceAll(data, []byte(", 4."), []byte(", 104."))))
	a, b := cells(t, here, "date", "covered_min", "places", "away_min", "distance_km"), cells(t, there, "date", "covered_min", "places", "away_min", "distance_km")
	if a != b || len(here.Rows) != 40 {
		t.Errorf("%d rows\n%s\n%s", len(here.Rows), a, b)
	}
}

func TestGenesOfTwoProvidersComplete(t *testing.T) {
	table, profile := reduce(t, "genotype", export(t, "23andme", 9), export(t, "ftdna", 9), export(t, "vcf", 9))
	if profile.Skipped != 1 || profile.From != "" || profile.Days != 0 { // the provider's own control marker
		t.Errorf("%+v", profile)
	}
	builds := map[string]int{}
	for _, b := range column(t, table, "build") {
		builds[b]++
	}
	if len(builds) != 1 || builds["37"] != len(table.Rows) {
		t.Errorf("builds %v", builds)
	}
}

func TestSongsAndFilmsStandSideBySide(t *testing.T) {
	songs := text("[{\"ts\":\"2026-01-05T20:00:00Z\",\"ms_played\":180500,\"master_metadata_track_name\":\"B\",\"master_metadata_album_artist_name\":\"<b>Rosalind</b>\"},\n" +
		"{\"ts\":\"2026-01-05T21:00:00Z\",\"ms_played\":180500,\"master_metadata_track_name\":\"B\",\"master_metadata_album_artist_name\":\"<b>Rosalind</b>\"}]")
	films := text("Title,Date\nA Quiet Orchard,05/01/2026\n\"Rosalind: Season 1: One\",13/01/2025\n")
	want := "2025-01-13 1 episode 1  \n2026-01-05 1 title   \n2026-01-05 2 track 2 3 \n2026-01-05 3 track 2 3"
	for _, inputs := range [][]codebook.Input{{songs, films}, {films, songs, songs}} {
		table, _ := reduce(t, "media", inputs...)
		if got := cells(t, table, "date", "entry", "kind", "series", "minutes"); got != want {
			t.Errorf("%q", got)
		}
	}
}
