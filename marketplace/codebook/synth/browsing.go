package synth

import (
	"fmt"
	"strings"
	"time"
)

// surf is one page that was visited.
type surf struct {
	at           time.Time
	url, title   string
	openSeconds  int
	page, typing int
}

// usual are addresses that an invented person visits, some of them telling.
var usual = []string{
	"https://www.google.com/search?q=" + firstName + "+" + lastName, "https://en.wikipedia.org/wiki/" + town, "https://github.com/" + streamer + "/diary",
	"https://www.youtube.com/watch?v=orchard", "https://news.ycombinator.com/item?id=" + customer, "https://www.bol.com/nl/order/" + accountID,
	"https://mail.google.com/mail/u/0/#inbox/" + email, "https://www." + website + "/" + firstName, "https://clinic." + website + "/results?patient=" + patientID,
	"https://www.openstreetmap.org/#map=19/" + latitude + "/" + longitude, "http://localhost:8080/", "https://www.buienradar.nl/weer/" + town, "https://www.reddit.com/user/" + streamer,
}

// surfs draws the visits of one person; every browser tells the same ones.
func (m *maker) surfs() (out []surf) {
	m.reseed("browsing")
	for i := range m.days {
		at := m.day(i).Add(time.Duration(m.between(6, 9)) * time.Hour)
		for range m.between(4, 18) {
			at = at.Add(time.Duration(m.between(30, 2_600)) * time.Second)
			page := m.IntN(len(usual))
			out = append(out, surf{at: at, url: usual[page], title: firstName + "’s page", openSeconds: m.between(5, 600), page: page + 1})
		}
	}
	return out
}

// pages are the addresses as rows of a database.
func pages() (rows [][]any) {
	for _, url := range usual {
		rows = append(rows, []any{nil, url, "Page of " + firstName + " " + lastName})
	}
	return rows
}

func chromeHistory(m *maker) {
	var visits [][]any
	for _, s := range m.surfs() {
		visits = append(visits, []any{nil, s.page, int(s.at.UnixMicro()) + 11_644_473_600_000_000, 0, 0x30000001, s.openSeconds * 1_000_000})
	}
	m.database(dbTable{"urls", "id INTEGER PRIMARY KEY AUTOINCREMENT,url LONGVARCHAR,title LONGVARCHAR", pages()},
		dbTable{"visits", "id INTEGER PRIMARY KEY,url INTEGER NOT NULL,visit_time INTEGER NOT NULL,from_visit INTEGER,transition INTEGER DEFAULT 0 NOT NULL,visit_duration INTEGER DEFAULT 0 NOT NULL", visits})
}

func firefoxHistory(m *maker) {
	var visits [][]any
	for _, s := range m.surfs() {
		visits = append(visits, []any{nil, 0, s.page, int(s.at.UnixMicro()), 1})
	}
	m.database(dbTable{"moz_places", "id INTEGER PRIMARY KEY, url LONGVARCHAR, title LONGVARCHAR", pages()},
		dbTable{"moz_historyvisits", "id INTEGER PRIMARY KEY, from_visit INTEGER, place_id INTEGER, visit_date INTEGER, visit_type INTEGER", visits})
}

func safariHistory(m *maker) {
	var visits [][]any
	for _, s := range m.surfs() {
		visits = append(visits, []any{nil, s.page, int(s.at.Unix()) - 978_307_200, s.title, nil})
	}
	m.database(dbTable{"history_items", "id INTEGER PRIMARY KEY AUTOINCREMENT,url TEXT NOT NULL,domain_expansion TEXT NULL", pages()},
		dbTable{"history_visits", "id INTEGER PRIMARY KEY AUTOINCREMENT,history_item INTEGER NOT NULL,visit_time REAL NOT NULL,title TEXT NULL,redirect_destination INTEGER NULL", visits})
}

func quteHistory(m *maker) {
	var visits [][]any
	for _, s := range m.surfs() {
		visits = append(visits, []any{s.url, s.title, int(s.at.Unix()), 0})
	}
	m.database(dbTable{"History", "url NOT NULL, title NOT NULL, atime NOT NULL, redirect NOT NULL", visits})
}

func browserExport(m *maker) {
	for _, s := range m.surfs() {
		m.printf("{\"url\":%q,\"dt\":%d.0,\"metadata\":{\"title\":%q,\"description\":null,\"preview_image\":null,\"duration\":%d}}\n", s.url, s.at.Unix(), s.title, s.openSeconds)
	}
}

func chromeTakeout(m *maker) {
	all := m.surfs()
	m.printf("{\"Browser History\": [\n")
	m.list(len(all), func(i int) {
		m.printf(`{"favicon_url": "https://%s/icon.png", "page_transition": "LINK", "title": %q, "url": %q, "time_usec": %d, "client_id": %q}`, website, all[i].title, all[i].url, all[i].at.UnixMicro(), customer)
	})
	m.printf("\n]}\n")
}

func googleActivity(m *maker) {
	all := m.surfs()
	m.printf("[\n")
	m.list(len(all), func(i int) {
		wrapped := "https://www.google.com/url?q=" + strings.NewReplacer(":", "%3A", "/", "%2F").Replace(all[i].url) + "&usg=x"
		m.printf(`{"header": "Search", "title": "Visited %s", "titleUrl": %q, "time": %q, "products": ["Search"], "locationInfos": [{"name": "At home", "url": "https://www.google.com/maps/@?center=%s,%s", "source": "From your places (Home)"}]}`,
			all[i].title, wrapped, all[i].at.Format("2006-01-02T15:04:05.000Z"), latitude, longitude)
	})
	m.printf("\n]\n")
}

// played is one song or video, with the artist or channel it is of.
type played struct {
	at       time.Time
	artist   int
	song     int
	seconds  int
	podcast  bool
	listened string
}

// songs draws what one person hears; both of Spotify's exports tell the same.
func (m *maker) songs() (out []played) {
	m.reseed("songs")
	for i := range m.days {
		at := m.day(i).Add(time.Duration(m.between(7, 18)) * time.Hour)
		for range m.IntN(12) {
			p := played{at: at, artist: m.IntN(40), song: m.IntN(9), seconds: m.between(4, 290), podcast: m.oneIn(9)}
			if p.podcast {
				p.seconds *= 9
			}
			at = at.Add(time.Duration(p.seconds+2) * time.Second)
			out = append(out, p)
		}
	}
	return out
}

func (p played) names() (artist, title string) {
	return fmt.Sprintf("%s %d", seriesName, p.artist), fmt.Sprintf("%s, no. %d", song, p.song)
}

func spotifyExtended(m *maker) {
	all := m.songs()
	m.printf("[\n")
	m.list(len(all), func(i int) {
		p := all[i]
		artist, title := p.names()
		m.printf(`{"ts": %q, "username": %q, "platform": "iOS 19 (%s)", "ms_played": %d, "conn_country": "NL", "ip_addr": "192.0.2.71", `, p.at.Format(time.RFC3339), streamer, iphone, p.seconds*1000)
		if p.podcast {
			m.printf(`"master_metadata_track_name": null, "episode_name": %q, "episode_show_name": %q, "incognito_mode": false}`, title, artist)
			return
		}
		m.printf(`"master_metadata_track_name": %q, "master_metadata_album_artist_name": %q, "spotify_track_uri": "spotify:track:%d", "episode_name": null, "skipped": false, "incognito_mode": %t}`, title, artist, p.song, i%40 == 39)
	})
	m.printf("\n]\n")
}

func spotifyAccount(m *maker) {
	all := m.songs()
	m.printf("[\n")
	m.list(len(all), func(i int) {
		artist, title := all[i].names()
		m.printf(`{"endTime": %q, "artistName": %q, "trackName": %q, "msPlayed": %d}`, all[i].at.Format("2006-01-02 15:04"), artist, title, all[i].seconds*1000)
	})
	m.printf("\n]\n")
}

func youTube(m *maker) {
	all := m.songs()
	m.printf("[\n")
	m.list(len(all), func(i int) {
		m.printf(`{"header": "YouTube", "title": "Watched %s", "titleUrl": "https://www.youtube.com/watch?v=%s%d", "subtitles": [{"name": "%s TV", "url": "https://www.youtube.com/channel/%s%d"}], "time": %q, "products": ["YouTube"]}`,
			filmName, customer, i, lastName, channel, all[i].artist, all[i].at.Format(time.RFC3339))
	})
	m.printf("\n]\n")
}
