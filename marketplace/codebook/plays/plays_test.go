package plays_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/marketplace/codebook/plays"
	"distributed.ai/datacoop/marketplace/codebook/stream"
)

const (
	extended = `[{"ts":"2026-01-05T23:59:59Z","username":"rosalind","platform":"Rosalind's iPhone","ms_played":180500,"conn_country":"NL","ip_addr":"192.0.2.7","master_metadata_track_name":"A Quiet Orchard","master_metadata_album_artist_name":"The Lantern Keepers","episode_name":null,"incognito_mode":false},
		{"ts":"2026-01-06T07:00:00Z","ms_played":60000,"master_metadata_track_name":"Secret","master_metadata_album_artist_name":"x","incognito_mode":true},
		{"ts":"2026-01-06T08:00:00Z","ms_played":600000,"master_metadata_track_name":null,"episode_name":"One","episode_show_name":"Show"},
		{"ts":"2026-01-06T09:00:00Z","ms_played":700000,"audiobook_title":"Book","audiobook_chapter_title":"One"},
		{"ts":"2026-01-06T10:00:00Z","ms_played":1000,"master_metadata_track_name":null},
		{"ts":"yesterday","ms_played":1000,"master_metadata_track_name":"x"}, {"ts":"2026-01-06T10:00:00Z","ms_played":"long"}, {"ts":"2026-01-06T10:00:00Z","ms_played":86400001,"master_metadata_track_name":"x"}]`
	account = `[{"endTime":"2026-01-05 23:59","artistName":"The Lantern Keepers","trackName":"A Quiet Orchard","msPlayed":180500},{"endTime":"2026-01-06 00:01","podcastName":"Show","episodeName":"One","msPlayed":0},{"endTime":"","trackName":"x"}]`
	youtube = `[{"header":"YouTube","title":"Watched A Quiet Orchard","titleUrl":"https://www.youtube.com/watch?v=abc","subtitles":[{"name":"Lantern","url":"https://www.youtube.com/channel/L"}],"time":"2026-01-05T23:59:59.123Z","products":["YouTube"]},
		{"header":"YouTube","title":"Watched an ad","titleUrl":"https://www.youtube.com/watch?v=ad","time":"2026-01-05T23:00:00Z","details":[{"name":"From Google Ads"}]},
		{"header":"YouTube","title":"Searched for Rosalind","titleUrl":"https://www.youtube.com/results?search_query=Rosalind","time":"2026-01-05T23:00:00Z"},
		{"header":"YouTube Music","titleUrl":"https://music.youtube.com/watch?v=def","time":"2026-01-06T01:00:00+02:00"}, {"header":"Maps","titleUrl":"https://x/watch?v=1","time":"2026-01-06T01:00:00Z"}, {"header":"YouTube","titleUrl":"https://www.youtube.com/watch?v=removed","time":"soon"}]`
)

func TestEveryExport(t *testing.T) {
	for format, c := range map[string]struct {
		text, want string
		skipped    int
	}{
		plays.SpotifyExtended: {extended, "2026-01-05 track The Lantern Keepers/A Quiet Orchard 180500|2026-01-06 podcast Show/One 600000|2026-01-06 audiobook Book/Book\nOne 700000", 3},
		plays.SpotifyAccount:  {account, "2026-01-05 track The Lantern Keepers/A Quiet Orchard 180500|2026-01-06 podcast Show/One 0", 1},
		plays.YouTube:         {youtube, "2026-01-05 video https://www.youtube.com/channel/L/abc -1|2026-01-05 track /def -1", 1},
	} {
		var got []string
		skipped, err := plays.Read(format, strings.NewReader(c.text), func(p plays.Play) error {
			got = append(got, fmt.Sprintf("%s %s %s/%s %d", p.Date, p.Kind, p.Series, p.Title, p.Millis))
			return nil
		})
		if err != nil || strings.Join(got, "|") != c.want || skipped != c.skipped {
			t.Errorf("%s: %d skipped, %v\n%s", format, skipped, err, strings.Join(got, "|"))
		}
	}
}

func TestRefusals(t *testing.T) {
	full := errors.New("full")
	add := func(plays.Play) error { return full }
	for _, text := range []string{"", extended[:300], `[{"ts": }]`, `{"ts":"2026-01-05T23:59:59Z"`} {
		if _, err := plays.Read(plays.SpotifyExtended, strings.NewReader(text), add); !errors.Is(err, stream.ErrMalformedFile) && !errors.Is(err, full) {
			t.Errorf("%.20q: %v", text, err)
		}
	}
	if _, err := plays.Read(plays.YouTube, strings.NewReader(youtube), add); !errors.Is(err, full) {
		t.Error(err)
	}
}

// FuzzRead holds that a play has a day, a kind and no more than a day of time.
func FuzzRead(f *testing.F) {
	for i, text := range []string{extended, account, youtube} {
		f.Add(i, text)
	}
	f.Fuzz(func(t *testing.T, format int, text string) {
		formats := []string{plays.SpotifyExtended, plays.SpotifyAccount, plays.YouTube}
		_, err := plays.Read(formats[uint(format)%3], strings.NewReader(text), func(p plays.Play) error {
			if _, err := time.Parse(time.DateOnly, p.Date); err != nil || p.Kind == "" || p.Title == "" || p.Millis > 86_400_000 {
				t.Fatalf("%+v", p)
			}
			return nil
		})
		if err != nil && fault.KindOf(err) != fault.Invalid {
			t.Fatal(err)
		}
	})
}
