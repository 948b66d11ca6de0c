package codebook

import (
	"cmp"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"distributed.ai/datacoop/marketplace/codebook/stream"
)

var mediaBook = Codebook{
	Pool:  "media",
	Title: "Films and series watched",
	Row:   "one viewing",
	Columns: []Column{
		{Name: "date", Type: TypeDate, Source: "Netflix: Date", Description: "Day of viewing."},
		{Name: "entry", Type: TypeInteger, Min: 1, Max: 10_000, Source: "numbered by the reducer",
			Description: "Number within the day, in no meaningful order."},
		{Name: "kind", Type: TypeCode, Codes: []string{"episode", "title"}, Source: "derived from the shape of Netflix: Title, which is dropped",
			Description: "episode where the title has three or more parts divided by colons (series: season: episode), else title. A guess: single-season shows can appear as title, long film names as episode."},
		{Name: "series", Type: TypeInteger, Min: 1, Max: 100_000, Source: "numbered by the reducer; the part of Netflix: Title before the first colon, which is dropped",
			Description: "Number of the series within this export in order of first viewing; empty for titles. It tells which episodes belong together, not what they are."},
	},
	Also: "Titles are left out, because what somebody watches is free text that can tell religion, health or politics. A shared profile also shows what others in the household watched, and when.",
}

// netflix is the viewing history a profile's owner can download: two columns,
// newest first, dates in the order of the account's language.
var netflix = format{
	Format: Format{ID: "netflix-viewing", Title: "Netflix viewing history", File: "NetflixViewingHistory.csv",
		How: "On netflix.com: Account, your profile, Viewing activity, Download all."},
	match: func(h head) bool { return slices.Equal(h.header, []string{"Title", "Date"}) },
}

func mediaPool() pool {
	return pool{book: mediaBook, formats: []format{netflix}, reducer: func() reducer { return &media{counts: map[viewing]int{}} }}
}

type viewing struct{ date, title string }

// media counts equal viewings; across overlapping files the larger count
// stands. Titles stay in memory until rows and go no further.
type media struct{ counts map[viewing]int }

// rawDate is a date whose parts may be day and month or month and day.
type rawDate struct {
	first, second, year int
	iso                 bool
}

func (m *media) read(_ string, r io.Reader) error {
	f, err := stream.OpenCSV(r)
	if err != nil {
		return err
	}
	var titles []string
	var dates []rawDate
	for {
		more, err := f.Next()
		if err != nil {
			return err
		}
		if !more {
			break
		}
		d, ok := parseRawDate(f.Text("Date"))
		if !ok {
			return f.Bad("Date")
		}
		if titles, dates = append(titles, f.Text("Title")), append(dates, d); len(titles) > maxRows {
			return ErrTooLarge
		}
	}
	return m.add(titles, dates)
}

func (m *media) add(titles []string, dates []rawDate) error {
	days, err := resolve(dates)
	if err != nil {
		return err
	}
	here := map[viewing]int{}
	for i, title := range titles {
		here[viewing{days[i], title}]++
	}
	for v, n := range here {
		m.counts[v] = max(m.counts[v], n)
	}
	return nil
}

func parseRawDate(text string) (rawDate, bool) {
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return rawDate{t.Day(), int(t.Month()), t.Year(), true}, true
	}
	separator := strings.Trim(text, "0123456789")
	parts := strings.Split(text, separator[:min(len(separator), 1)])
	if len(parts) != 3 {
		return rawDate{}, false
	}
	var n [3]int
	for i, part := range parts {
		v, err := strconv.ParseUint(part, 10, 14)
		if err != nil {
			return rawDate{}, false
		}
		n[i] = int(v)
	}
	if n[2] < 100 {
		n[2] += 2000
	}
	return rawDate{n[0], n[1], n[2], false}, true
}

// day reads the date one way or the other; "" where that is no date.
func (d rawDate) day(monthFirst bool) string {
	day, month := d.first, d.second
	if monthFirst && !d.iso {
		day, month = month, day
	}
	t := time.Date(d.year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if t.Day() != day || int(t.Month()) != month || !plausible(t) {
		return ""
	}
	return t.Format(time.DateOnly)
}

// resolve decides for the whole file: the order in which every date exists,
// and of two such the one in which the file runs from new to old.
func resolve(dates []rawDate) ([]string, error) {
	readings := [2][]string{readAll(dates, false), readAll(dates, true)}
	switch a, b := readings[0], readings[1]; {
	case a == nil && b == nil && len(dates) > 0:
		return nil, ErrBadValue.With("A date does not exist.")
	case b == nil || slices.Equal(a, b):
		return a, nil
	case a == nil:
		return b, nil
	}
	a, b := newestFirst(readings[0]), newestFirst(readings[1])
	switch {
	case a && !b:
		return readings[0], nil
	case b && !a:
		return readings[1], nil
	}
	return nil, ErrAmbiguousDates
}

func readAll(dates []rawDate, monthFirst bool) []string {
	var out []string
	for _, d := range dates {
		day := d.day(monthFirst)
		if day == "" {
			return nil
		}
		out = append(out, day)
	}
	return out
}

func newestFirst(days []string) bool {
	return slices.IsSortedFunc(days, func(a, b string) int { return cmp.Compare(b, a) })
}

// series is the part of the title that episodes share.
func (v viewing) series() (string, bool) {
	name, rest, _ := strings.Cut(v.title, ": ")
	return name, strings.Contains(rest, ": ")
}

func (m *media) rows() (result, error) {
	views := slices.SortedFunc(maps.Keys(m.counts), func(a, b viewing) int {
		return cmp.Or(cmp.Compare(a.date, b.date), cmp.Compare(a.title, b.title))
	})
	res, numbers, entry := result{persons: 1}, map[string]int{}, 0
	for i, v := range views {
		if i > 0 && views[i-1].date != v.date {
			entry = 0
		}
		kind, number := "title", ""
		if name, ok := v.series(); ok {
			if numbers[name] == 0 {
				numbers[name] = len(numbers) + 1
			}
			kind, number = "episode", strconv.Itoa(numbers[name])
		}
		for range m.counts[v] {
			entry++
			res.rows = append(res.rows, []string{v.date, strconv.Itoa(entry), kind, number})
		}
	}
	return res, nil
}
