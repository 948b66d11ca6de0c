package codebook

import (
	"io"

	"distributed.ai/datacoop/marketplace/codebook/sites"
	"distributed.ai/datacoop/marketplace/codebook/sqlite"
)

var browsingBook = Codebook{
	Pool:  "browsing",
	Title: "Web browsing by kind of site",
	Row:   "one kind of site in one quarter of one day",
	Columns: []Column{
		{Name: "date", Type: TypeDate, Unit: "UTC", Source: "Chrome: visit_time; Firefox: visit_date; Safari: visit_time; qutebrowser: atime; browserexport: dt; Takeout: time_usec, time",
			Description: "Day in universal time; browsers write down no time zone."},
		{Name: "hours", Type: TypeCode, Unit: "UTC", Codes: sites.Parts(), Source: "as date", Description: "Quarter of the day, in universal time."},
		{Name: "kind", Type: TypeCode, Codes: sites.Kinds(), Source: "the domain of the address, by a list of a few hundred widely used sites; the address is dropped",
			Description: "Kind of site. other is every site that is not on the list, and on purpose every site about health, faith, politics, love or money. own-network is a device or file of one's own."},
		{Name: "visits", Type: TypeInteger, Min: 1, Max: 1_000_000, Source: "number of visits; frames, reloads in Firefox and steps of redirections are left out",
			Description: "Pages visited."},
		{Name: "sites", Type: TypeInteger, Min: 1, Max: 1_000_000, Source: "number of different registered domains among them", Description: "How many different sites that were. Which ones stays on the device."},
		minutes("open_min", 360, "Chrome: visit_duration; browserexport: duration; at most four hours a visit", "How long the pages were open; empty where the browser does not say. Open is not the same as looked at."),
	},
	Also: "Addresses, titles and searches are left out, and domains too, even as codes: they are few enough to try them all. On a shared computer the history is also that of others who use it.",
}

const closeFirst = " Close the browser first: while it runs, its newest visits are in a second file beside this one."

func browsingPool() pool {
	p := pool{book: browsingBook, apart: true, reducer: func() reducer { return &browsing{} }}
	for _, f := range []Format{
		{ID: sites.Chrome, Title: "Chrome, Edge or Brave history", File: "History", How: "In the folder of the browser's profile (chrome://version names it)." + closeFirst},
		{ID: sites.Firefox, Title: "Firefox history", File: "places.sqlite", How: "In the folder of the profile (about:profiles names it)." + closeFirst},
		{ID: sites.Safari, Title: "Safari history", File: "History.db", How: "In the folder Library/Safari of your home." + closeFirst},
		{ID: sites.Qutebrowser, Title: "qutebrowser history", File: "history.sqlite", How: "In the folder that :version names as data." + closeFirst},
	} {
		p.formats = append(p.formats, format{Format: f, match: func(h head) bool { return h.db != nil && sites.SniffDatabase(h.db) == f.ID }})
	}
	p.formats = append(p.formats,
		format{Format: Format{ID: sites.Export, Title: "browserexport", File: "history.jsonl", How: "With the program browserexport: merge --json, also packed with gzip."},
			match: func(h head) bool { return h.holds("url", "dt") }},
		format{Format: Format{ID: sites.Takeout, Title: "Chrome history from Google", File: "History.json", How: "From Google Takeout: Chrome."},
			match: func(h head) bool { return h.holds("Browser History") }},
		format{Format: Format{ID: sites.Activity, Title: "My activity at Google", File: "MyActivity.json", How: "From Google Takeout: My activity, as JSON. YouTube belongs to another pool."},
			match: func(h head) bool { return h.holds("header", "title", "time") && !played(h) }})
	return p
}

type browsing struct{ log sites.Log }

func (b *browsing) read(formatID string, r io.Reader) error { return b.log.Read(formatID, r) }

func (b *browsing) readDatabase(formatID string, f *sqlite.File) error {
	return b.log.ReadDatabase(formatID, f)
}

func (b *browsing) rows() (result, error) {
	counts, skipped := b.log.Counts()
	res := result{persons: 1, skipped: skipped}
	for _, c := range counts {
		row := []string{c.Date, c.Part, c.Kind, whole(int64(c.Visits), 1_000_000), whole(int64(c.Sites), 1_000_000), ""}
		if c.Seconds > 0 {
			row[5] = whole((c.Seconds+30)/60, 360)
		}
		res.rows = append(res.rows, row)
	}
	return res, nil
}
