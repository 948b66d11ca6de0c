// Package plays reads what music, podcast and film services remember of what
// somebody played: Spotify's two exports, the YouTube part of Google Takeout
// and the viewing history of Netflix.
//
// It guarantees that a [Play] says when, of what kind and for how long, and
// with what other plays it belongs together; names of songs and channels serve
// to tell them apart and are for the reader of this package to number and
// drop. Addresses, devices and countries are not read. Songs heard in a
// private session, and advertisements, are left out.
//
// It refuses files that are cut short, and tables whose dates cannot be told;
// entries of the other exports that do not say what they should are counted.
package plays

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"

	"distributed.ai/datacoop/marketplace/codebook/stream"
)

// Formats of the exports.
const (
	SpotifyExtended = "spotify-extended" // every play, asked for separately
	SpotifyAccount  = "spotify-account"  // the last year, part of the account data
	YouTube         = "youtube-history"
	Netflix         = "netflix-viewing"
)

// Kinds of what was played.
const (
	Track     = "track"
	Podcast   = "podcast"
	Audiobook = "audiobook"
	Video     = "video"
	Episode   = "episode" // of a series
	Title     = "title"   // a film, or what cannot be told from one
)

// Play is one thing played once.
type Play struct {
	Date   string // YYYY-MM-DD, universal time
	Kind   string
	Series string // the artist, show or channel
	Title  string
	Millis int64 // for how long; negative if the export does not say
}

// aDay bounds one play, in milliseconds: what claims to be longer was not
// played but left running.
const aDay = 86_400_000

// Read hands each play of a file to add and counts entries that tell none.
// Errors: stream.ErrMalformedFile, stream.ErrBadValue and calendar.ErrAmbiguous
// of Netflix, and what add answers.
func Read(format string, r io.Reader, add func(Play) error) (skipped int, err error) {
	if format == Netflix {
		return 0, netflix(r, add)
	}
	read := map[string]func([]byte) (Play, bool, error){SpotifyExtended: extended, SpotifyAccount: account, YouTube: watched}[format]
	err = stream.EachJSON(r, "", func(text []byte) error {
		p, ok, err := read(text)
		var other *json.UnmarshalTypeError
		switch {
		case errors.As(err, &other), err == nil && ok && !p.plausible():
			skipped++
			return nil
		case err != nil:
			return stream.ErrMalformedFile
		case !ok:
			return nil
		}
		return add(p)
	})
	return skipped, err
}

// Compare orders plays by day and then by what was played.
func (p Play) Compare(q Play) int {
	return cmp.Or(cmp.Compare(p.Date, q.Date), cmp.Compare(p.Title, q.Title), cmp.Compare(p.Kind, q.Kind), cmp.Compare(p.Series, q.Series), cmp.Compare(p.Millis, q.Millis))
}

func (p Play) plausible() bool { return p.Date != "" && p.Title != "" && p.Millis <= aDay }

// day is the day of a time in a layout; empty where it is none.
func day(layout, text string) string {
	t, err := time.Parse(layout, text)
	if err != nil || t.Year() < 1990 || t.Year() > 2099 {
		return ""
	}
	return t.UTC().Format(time.DateOnly)
}

// extended reads an entry of Streaming_History_Audio or Video.
func extended(text []byte) (Play, bool, error) {
	var e struct {
		Ts        string `json:"ts"`
		Played    int64  `json:"ms_played"`
		Track     string `json:"master_metadata_track_name"`
		Artist    string `json:"master_metadata_album_artist_name"`
		Episode   string `json:"episode_name"`
		Show      string `json:"episode_show_name"`
		Book      string `json:"audiobook_title"`
		Chapter   string `json:"audiobook_chapter_title"`
		Incognito bool   `json:"incognito_mode"`
	}
	if err := json.Unmarshal(text, &e); err != nil {
		return Play{}, false, err
	}
	p := Play{Date: day(time.RFC3339, e.Ts), Kind: Track, Series: e.Artist, Title: e.Track, Millis: e.Played}
	switch {
	case e.Episode != "":
		p.Kind, p.Series, p.Title = Podcast, e.Show, e.Episode
	case e.Book != "":
		p.Kind, p.Series, p.Title = Audiobook, e.Book, e.Book+"\n"+e.Chapter
	case e.Track == "":
		return Play{}, false, nil // a file of one's own, or withdrawn since
	}
	return p, !e.Incognito, nil
}

// account reads an entry of StreamingHistory_music or _podcast.
func account(text []byte) (Play, bool, error) {
	var e struct {
		EndTime                  string
		MsPlayed                 int64
		ArtistName, TrackName    string
		PodcastName, EpisodeName string
	}
	if err := json.Unmarshal(text, &e); err != nil {
		return Play{}, false, err
	}
	p := Play{Date: day("2006-01-02 15:04", e.EndTime), Kind: Track, Series: e.ArtistName, Title: e.TrackName, Millis: e.MsPlayed}
	if e.EpisodeName != "" {
		p.Kind, p.Series, p.Title = Podcast, e.PodcastName, e.EpisodeName
	}
	return p, true, nil
}

// watched reads an entry of watch-history or My Activity. Searches and visits
// to channels lead elsewhere than to a video.
func watched(text []byte) (Play, bool, error) {
	var e struct {
		Header, Title, TitleURL, Time string
		Subtitles                     []struct{ URL, Name string }
		Details                       []struct{ Name string }
	}
	if err := json.Unmarshal(text, &e); err != nil {
		return Play{}, false, err
	}
	_, id, ok := strings.Cut(e.TitleURL, "/watch?v=")
	for _, d := range e.Details {
		ok = ok && !strings.Contains(d.Name, "Google Ads")
	}
	p := Play{Date: day(time.RFC3339, e.Time), Kind: Video, Title: id, Millis: -1}
	if e.Header == "YouTube Music" {
		p.Kind = Track
	}
	if len(e.Subtitles) > 0 {
		p.Series = e.Subtitles[0].URL
	}
	return p, ok && (e.Header == "YouTube" || e.Header == "YouTube Music"), nil
}
