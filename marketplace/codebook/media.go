package codebook

import (
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"distributed.ai/datacoop/marketplace/codebook/decimal"
	"distributed.ai/datacoop/marketplace/codebook/plays"
)

// maxPlays bounds one day; nobody plays more.
const maxPlays = 10_000

var mediaBook = Codebook{
	Pool:  "media",
	Title: "What was watched and heard",
	Row:   "one thing played once",
	Columns: []Column{
		{Name: "date", Type: TypeDate, Source: "Netflix: Date; Spotify: ts, endTime; YouTube: time",
			Description: "Day; for Spotify and YouTube in universal time."},
		{Name: "entry", Type: TypeInteger, Min: 1, Max: maxPlays, Source: "numbered by the reducer",
			Description: "Number within the day, in no meaningful order."},
		{Name: "kind", Type: TypeCode, Codes: []string{"audiobook", "episode", "podcast", "title", "track", "video"}, Source: "Netflix: derived from the shape of Title, which is dropped; Spotify: which fields are filled; YouTube: header",
			Description: "Netflix is episode where the title has three or more parts divided by colons (series: season: episode), else title. That is a guess: single-season shows can appear as title, long film names as episode. track is music, video is YouTube."},
		{Name: "series", Type: TypeInteger, Min: 1, Max: 1_000_000, Source: "numbered by the reducer; the part of Netflix: Title before the first colon; Spotify: artist, show or book; YouTube: channel; all dropped",
			Description: "Number of the series, artist, show or channel within this export, in order of first playing; empty for titles. It tells what belongs together, not what it is."},
		{Name: "minutes", Type: TypeDecimal, Decimals: 1, Max: 1_440, Unit: "min", Source: "Spotify: ms_played, msPlayed", Description: "For how long it was played; empty where the export does not say. Below half a minute it was skipped."},
	},
	Also: "Titles, artists and channels are left out, because they can tell faith, health or politics. Others at home may use the same account. Then what they played, and when, is in here too.",
}

// played reports whether the entries of a Google activity are YouTube's.
func played(h head) bool { return strings.HasPrefix(h.fields["header"], "YouTube") }

func mediaPool() pool {
	return pool{book: mediaBook, reducer: func() reducer { return &media{counts: map[plays.Play]int{}} }, formats: []format{
		{Format: Format{ID: plays.Netflix, Title: "Netflix viewing history", File: "NetflixViewingHistory.csv", How: "On netflix.com: Account, your profile, what you viewed, Download all."},
			match: func(h head) bool { return slices.Equal(h.header, []string{"Title", "Date"}) }},
		{Format: Format{ID: plays.SpotifyExtended, Title: "Spotify, extended history", File: "Streaming_History_Audio_….json", How: "On spotify.com: Account, Privacy. Ask for the extended history. It takes some weeks."},
			match: func(h head) bool { return h.holds("ts", "ms_played") }},
		{Format: Format{ID: plays.SpotifyAccount, Title: "Spotify, last year", File: "StreamingHistory_music_0.json", How: "On spotify.com: Account, Privacy. Ask for your account data."},
			match: func(h head) bool { return h.holds("endTime", "msPlayed") }},
		{Format: Format{ID: plays.YouTube, Title: "YouTube history", File: "watch-history.json", How: "From Google Takeout: ask for YouTube and choose JSON."},
			match: func(h head) bool { return h.holds("header", "title", "time") && played(h) }},
	}}
}

// media counts equal plays; across overlapping files the larger count stands.
// Titles stay in memory until rows and go no further.
type media struct {
	counts  map[plays.Play]int
	total   int
	skipped int
}

func (m *media) read(formatID string, r io.Reader) error {
	here := map[plays.Play]int{}
	skipped, err := plays.Read(formatID, r, func(p plays.Play) error {
		here[p]++
		if m.total++; m.total > maxRows {
			return ErrTooLarge
		}
		return nil
	})
	for p, n := range here {
		m.counts[p] = max(m.counts[p], n)
	}
	m.skipped += skipped
	return err
}

func (m *media) rows() (result, error) {
	all := slices.SortedFunc(maps.Keys(m.counts), plays.Play.Compare)
	res, numbers, entry := result{persons: 1, skipped: m.skipped}, map[plays.Play]int{}, 0
	for i, p := range all {
		if i > 0 && all[i-1].Date != p.Date {
			entry = 0
		}
		number, minutes := "", ""
		if p.Series != "" {
			key := plays.Play{Kind: p.Kind, Series: p.Series}
			if numbers[key] == 0 {
				numbers[key] = len(numbers) + 1
			}
			number = strconv.Itoa(numbers[key])
		}
		if p.Millis >= 0 {
			minutes = (decimal.Number(p.Millis) * 1000).Per(60).Text(1)
		}
		for range m.counts[p] {
			if entry++; entry > maxPlays {
				res.skipped++
				continue
			}
			res.rows = append(res.rows, []string{p.Date, strconv.Itoa(entry), p.Kind, number, minutes})
		}
	}
	return res, nil
}
