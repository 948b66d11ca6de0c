package sites_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3"

	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/marketplace/codebook/sites"
	"distributed.ai/datacoop/marketplace/codebook/sqlite"
	"distributed.ai/datacoop/marketplace/codebook/stream"
)

func told(l *sites.Log) (string, int) {
	counts, skipped := l.Counts()
	var out []string
	for _, c := range counts {
		out = append(out, fmt.Sprintf("%s %s %s %d/%d %ds", c.Date, c.Part, c.Kind, c.Visits, c.Sites, c.Seconds))
	}
	return strings.Join(out, "\n"), skipped
}

func database(t testing.TB, data []byte) (string, *sqlite.File) {
	t.Helper()
	f, err := sqlite.Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return sites.SniffDatabase(f), f
}

func written(t testing.TB, statements ...string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "history")
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
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

func TestFixtures(t *testing.T) {
	for file, want := range map[string]string{
		"chrome.sqlite":      "2021-01-17 06-12 own-network 5/1 0s\n2021-04-01 06-12 music 1/1 16s",
		"qutebrowser.sqlite": "2025-12-31 06-12 search 1/1 0s\n2025-12-31 06-12 code 1/1 0s",
		"merged_dump.json":   "2020-09-15 00-06 code 1/1 10s",
		"merged_dump.jsonl":  "2020-09-15 00-06 code 2/1 20s",
	} {
		data, l := testkit.FixtureBytes(t, "11-browser/"+file), &sites.Log{}
		var err error
		if strings.HasSuffix(file, ".sqlite") {
			kind, f := database(t, data)
			err = l.ReadDatabase(kind, f)
		} else {
			err = l.Read(sites.Export, bytes.NewReader(data))
		}
		if err != nil {
			t.Fatal(err)
		}
		if got, skipped := told(l); got != want || skipped != 0 {
			t.Errorf("%s: %d skipped\n%s", file, skipped, got)
		}
	}
}

// One morning in every browser: two pages of one site for 90 seconds, a frame,
// a redirect, the settings, and an address with a password.
func TestEveryBrowserTellsTheSame(t *testing.T) {
	const addresses = `(1, 'https://en.wikipedia.org/wiki/Achterberg'), (2, 'https://de.wikipedia.org/wiki/Oudewater?q=rosalind'), (3, 'chrome://settings'), (4, 'https://rosalind:secret@BBC.co.uk:443/news')`
	at := time.Date(2026, 3, 4, 7, 30, 0, 0, time.UTC)
	chrome, safari := at.UnixMicro()+11_644_473_600_000_000, float64(at.Unix()-978_307_200)+0.25
	for want, data := range map[string][]byte{
		sites.Chrome: written(t, "CREATE TABLE urls(id INTEGER PRIMARY KEY, url, title)", "CREATE TABLE visits(id INTEGER PRIMARY KEY, url, visit_time, transition, visit_duration)",
			"INSERT INTO urls(id, url) VALUES "+addresses, fmt.Sprintf(`INSERT INTO visits(url, visit_time, transition, visit_duration) VALUES (1, %[1]d, 805306368, 60000000), (2, %[1]d, 805306369, 30000000),
				(2, %[1]d + 1, 805306371, 0), (4, %[1]d - 5, 268435456, 0), (3, %[1]d, 805306368, 0), (4, %[1]d, 805306368, 0), (4, -1, 805306368, 0), (9, %[1]d, 805306368, 0)`, chrome)),
		sites.Firefox: written(t, "CREATE TABLE moz_places(id INTEGER PRIMARY KEY, url, title)", "CREATE TABLE moz_historyvisits(id INTEGER PRIMARY KEY, place_id, visit_date, visit_type)",
			"INSERT INTO moz_places(id, url) VALUES "+addresses, fmt.Sprintf("INSERT INTO moz_historyvisits(place_id, visit_date, visit_type) VALUES (1, %[1]d, 1), (2, %[1]d, 6), (2, %[1]d + 1, 8), (4, %[1]d - 5, 4), (3, %[1]d, 1), (4, %[1]d, 2), (4, NULL, 1)", at.UnixMicro())),
		sites.Safari: written(t, "CREATE TABLE history_items(id INTEGER PRIMARY KEY, url)", "CREATE TABLE history_visits(id INTEGER PRIMARY KEY, history_item, visit_time REAL, redirect_destination)",
			"INSERT INTO history_items VALUES "+addresses, fmt.Sprintf("INSERT INTO history_visits(history_item, visit_time, redirect_destination) VALUES (1, %[1]f, NULL), (2, %[1]f, NULL), (4, %[1]f, 17), (3, %[1]f, NULL), (4, %[1]f, NULL), (4, 'now', NULL)", safari)),
	} {
		kind, f := database(t, data)
		if kind != want {
			t.Fatalf("%s is taken for %q", want, kind)
		}
		l, seconds := &sites.Log{}, 0
		if kind == sites.Chrome {
			seconds = 90
		}
		for range 2 { // the same file twice changes nothing
			if err := l.ReadDatabase(kind, f); err != nil {
				t.Fatal(err)
			}
		}
		got, skipped := told(l)
		if want := fmt.Sprintf("2026-03-04 06-12 reference 2/1 %ds\n2026-03-04 06-12 news 1/1 0s", seconds); !same(got, want) || skipped != 2 {
			t.Errorf("%s: %d skipped\n%s", kind, skipped, got)
		}
	}
}

// same compares lines in any order.
func same(a, b string) bool {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

func TestKinds(t *testing.T) {
	for address, want := range map[string]string{
		"https://www.google.de/search?q=x": "search", "https://www.google.com/maps/@33,-88": "maps-and-travel", "https://maps.google.co.uk/": "maps-and-travel",
		"https://mail.google.com/mail/u/0": "mail-and-chat", "https://amazon.co.uk": "shopping", "https://smile.amazon.com.au?x": "shopping", "https://x.com/a": "social", "https://accounts.google.com/": "other",
		"https://notx.com/": "other", "https://google.evil.example/": "other", "https://github.com#x": "code", "HTTPS://GITHUB.COM./a": "code",
		"http://localhost:8080/": "own-network", "http://192.168.0.1/": "own-network", "http://[::1]:80/": "own-network", "http://router": "own-network",
		"http://nas.local/": "own-network", "file:///home/rosalind/diary.txt": "own-network", "https://clinic.example/": "other", "https://": "own-network",
		"about:blank": "", "moz-extension://abc/": "", "javascript:alert(1)": "", "view-source:https://github.com": "", "": "", "data:text/html,x": "",
	} {
		l := &sites.Log{}
		if err := l.Read(sites.Export, strings.NewReader(fmt.Sprintf(`{"url": %q, "dt": 1600133363.72}`, address))); err != nil {
			t.Fatal(err)
		}
		counts, _ := l.Counts()
		got := ""
		if len(counts) == 1 {
			got = counts[0].Kind
		}
		if got != want {
			t.Errorf("%s is %q", address, got)
		}
	}
}

func TestTakeout(t *testing.T) {
	l := &sites.Log{}
	if err := l.Read(sites.Takeout, strings.NewReader(`{"Session": [{"url": "x"}], "Browser History": [{"title": "Rosalind", "url": "https://github.com/a", "time_usec": 1600133363720000, "client_id": "x"}, {"url": "https://github.com/a"}, {"time_usec": "x"}]}`)); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"Maps", "Search", "Google Play Books"} {
		if err := l.Read(sites.Activity, bytes.NewReader(testkit.FixtureBytes(t, "09-takeout/dogsheep/Takeout/My Activity/"+file+"/My Activity.json"))); err != nil {
			t.Fatal(err)
		}
	}
	got, skipped := told(l)
	want := "2018-12-08 18-24 other 1/1 0s\n2019-05-30 00-06 maps-and-travel 2/2 0s\n2019-05-30 12-18 search 1/1 0s\n2019-05-30 12-18 code 1/1 0s\n2020-09-15 00-06 code 1/1 0s"
	if !same(got, want) || skipped != 2 {
		t.Errorf("%d skipped\n%s", skipped, got)
	}
}

func TestRefusals(t *testing.T) {
	for _, text := range []string{"", `[{"url": "https://github.com", "dt": 1600133363`, `{"url": }`, `[` + strings.Repeat(`[`, 20_000) + strings.Repeat(`]`, 20_000) + `]`} {
		l := &sites.Log{}
		if err := l.Read(sites.Export, strings.NewReader(text)); !errors.Is(err, stream.ErrMalformedFile) {
			t.Errorf("%.30q: %v", text, err)
		}
	}
	if kind, _ := database(t, written(t, "CREATE TABLE visits(id, url)", "CREATE TABLE contacts(name)")); kind != "" {
		t.Errorf("an address book is taken for %s", kind)
	}
}

// FuzzRead holds that counts are of known kinds and within their quarter.
func FuzzRead(f *testing.F) {
	f.Add(`{"url":"https://github.com/junegunn/fzf","dt":1600133363.72,"metadata":{"title":null,"duration":10}}`)
	f.Add(`[{"header":"Maps","titleUrl":"https://www.google.com/maps/@33.5","time":"2019-05-30T05:17:16.626Z"}]`)
	f.Add(`{"Browser History":[{"url":"http://a@[::1]:8/","time_usec":1600133363720000}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		for _, format := range []string{sites.Export, sites.Takeout} {
			l := &sites.Log{}
			if err := l.Read(format, strings.NewReader(text)); err != nil {
				if fault.KindOf(err) != fault.Invalid {
					t.Fatal(err)
				}
				continue
			}
			counts, _ := l.Counts()
			for _, c := range counts {
				if _, err := time.Parse(time.DateOnly, c.Date); err != nil || !slices.Contains(sites.Kinds(), c.Kind) || !slices.Contains(sites.Parts(), c.Part) || c.Sites < 1 || c.Sites > c.Visits || c.Seconds < 0 {
					t.Fatalf("%+v", c)
				}
			}
		}
	})
}
