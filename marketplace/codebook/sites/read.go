package sites

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"

	"distributed.ai/datacoop/marketplace/codebook/decimal"
	"distributed.ai/datacoop/marketplace/codebook/sqlite"
	"distributed.ai/datacoop/marketplace/codebook/stream"
)

// Formats of histories.
const (
	Chrome      = "chrome-history"
	Firefox     = "firefox-history"
	Safari      = "safari-history"
	Qutebrowser = "qutebrowser-history"
	Export      = "browserexport"
	Takeout     = "google-chrome"
	Activity    = "google-activity"
)

// database is how a browser keeps its history: a table of visits that points
// to one of pages, or holds the address itself.
type database struct {
	pages            string // empty where visits hold the address
	visits           string
	page, at, kind   string // columns of visits: the page or address, the time, the kind of visit
	duration         string
	scale, epoch     int64 // microseconds of one unit of time; when it began, in seconds since 1970
	counts           func(kind int64) bool
	pageKey, address string
}

var databases = map[string]database{
	// A visit that was redirected has no end of chain; 3 and 4 are frames.
	Chrome: {pages: "urls", visits: "visits", page: "url", at: "visit_time", kind: "transition", duration: "visit_duration", scale: 1, epoch: -11_644_473_600,
		counts: func(k int64) bool { return k&0x20000000 != 0 && k&0xff != 3 && k&0xff != 4 }, pageKey: "id", address: "url"},
	// 4 is an embedded object, 7 a download, 8 a frame, 9 a reload.
	Firefox: {pages: "moz_places", visits: "moz_historyvisits", page: "place_id", at: "visit_date", kind: "visit_type", scale: 1,
		counts: func(k int64) bool { return k != 4 && k < 7 }, pageKey: "id", address: "url"},
	Safari: {pages: "history_items", visits: "history_visits", page: "history_item", at: "visit_time", kind: "redirect_destination", scale: aSecond, epoch: 978_307_200,
		counts: func(k int64) bool { return k == 0 }, pageKey: "id", address: "url"},
	Qutebrowser: {visits: "History", page: "url", at: "atime", kind: "redirect", scale: aSecond, counts: func(k int64) bool { return k == 0 }},
}

// SniffDatabase tells which browser a database belongs to; empty for none.
func SniffDatabase(f *sqlite.File) string {
	for _, id := range []string{Chrome, Firefox, Safari, Qutebrowser} {
		d := databases[id]
		if f.Has(d.visits, d.page, d.at) && (d.pages == "" || f.Has(d.pages, d.pageKey, d.address)) {
			return id
		}
	}
	return ""
}

// ReadDatabase takes in the history that a browser keeps.
// Error: stream.ErrMalformedFile, stream.ErrTooLarge.
func (l *Log) ReadDatabase(format string, f *sqlite.File) error {
	d, pages := databases[format], map[int64]page{}
	if d.pages != "" {
		err := f.Each(d.pages, []string{d.pageKey, d.address}, func(row []sqlite.Value) error {
			if p, ok := address(row[1].Text()); ok {
				id, _ := row[0].Number()
				pages[id] = p
			}
			if len(pages) > maxVisits {
				return stream.ErrTooLarge
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return f.Each(d.visits, []string{d.page, d.at, d.kind, d.duration}, func(row []sqlite.Value) error {
		id, _ := row[0].Number()
		p, ok := pages[id]
		if d.pages == "" {
			p, ok = address(row[0].Text())
		}
		if kind, _ := row[2].Number(); !ok || !d.counts(kind) {
			return nil
		}
		at, known := row[1].Number()
		if !known || at < 0 || at > 1<<55/d.scale {
			l.skipped++
			return nil
		}
		duration, _ := row[3].Number()
		return l.add(at*d.scale+d.epoch*aSecond, p, duration)
	})
}

// Read takes in a history as JSON. Entries that do not say what they should
// are counted and left out. Errors: stream.ErrMalformedFile, stream.ErrTooLarge.
func (l *Log) Read(format string, r io.Reader) error {
	list := ""
	if format == Takeout {
		list = "Browser History"
	}
	return stream.EachJSON(r, list, l.entry)
}

// entry is a visit in any of the three spellings.
type entry struct {
	URL      string          `json:"url"`
	Dt       json.RawMessage `json:"dt"` // seconds
	Metadata *struct {
		Duration json.RawMessage `json:"duration"` // seconds
	} `json:"metadata"`
	TimeUsec int64  `json:"time_usec"`
	TitleURL string `json:"titleUrl"`
	Time     string `json:"time"`
}

func (l *Log) entry(text []byte) error {
	var e entry
	err := json.Unmarshal(text, &e)
	var other *json.UnmarshalTypeError
	if err != nil && !errors.As(err, &other) {
		return stream.ErrMalformedFile
	}
	at, ok := e.at()
	if err != nil || !ok || e.URL+e.TitleURL == "" && e.Time == "" {
		l.skipped++
		return nil
	}
	p, ok := address(unwrapped(e.URL + e.TitleURL))
	if !ok {
		return nil
	}
	duration := int64(0)
	if e.Metadata != nil {
		duration, _ = micros(e.Metadata.Duration)
	}
	return l.add(at, p, duration)
}

func (e entry) at() (micro int64, ok bool) {
	switch {
	case e.TimeUsec != 0:
		return e.TimeUsec, true
	case e.Time != "":
		t, err := time.Parse(time.RFC3339, e.Time)
		return t.UnixMicro(), err == nil
	}
	return micros(e.Dt)
}

// micros reads seconds.
func micros(raw json.RawMessage) (int64, bool) {
	v, ok := decimal.Parse(string(raw))
	return int64(v), ok
}

// unwrapped is the page that Google's counting address leads to.
func unwrapped(text string) string {
	rest, ok := strings.CutPrefix(text, "https://www.google.com/url?q=")
	if !ok {
		return text
	}
	rest, _, _ = strings.Cut(rest, "&")
	return strings.NewReplacer("%3A", ":", "%3a", ":", "%2F", "/", "%2f", "/").Replace(rest)
}
