package sites

import (
	"slices"
	"strings"
)

// kinds are the kinds of sites with the sites that are of them. A star stands
// for any ending, such as com or co.uk; a part of the path may follow. What is
// not listed is other. Nothing stands here that would tell about health, faith,
// politics, love, sex or money.
var kinds = []struct{ name, sites string }{
	{"other", ""},
	{"own-network", ""}, // addresses without a public name, and files
	{"search", `=google.* bing.com duckduckgo.com start.duckduckgo.com ecosia.org startpage.com qwant.com baidu.com yandex.* search.yahoo.com
		search.brave.com kagi.com perplexity.ai`},
	{"assistant", `chatgpt.com chat.openai.com claude.ai gemini.google.com copilot.microsoft.com chat.mistral.ai deepseek.com`},
	{"social", `facebook.com instagram.com twitter.com x.com reddit.com old.reddit.com linkedin.com tiktok.com pinterest.* tumblr.com
		snapchat.com threads.net bsky.app mastodon.social quora.com vk.com weibo.com discord.com nextdoor.* meetup.com`},
	{"mail-and-chat", `mail.google.com gmail.com outlook.live.com outlook.com outlook.office.com mail.yahoo.com proton.me mail.proton.me
		gmx.* web.de fastmail.com web.whatsapp.com web.telegram.org messenger.com slack.com app.slack.com teams.microsoft.com zoom.us
		meet.google.com skype.com element.io chat.google.com`},
	{"video", `youtube.com youtu.be vimeo.com netflix.com primevideo.com disneyplus.com twitch.tv dailymotion.com hulu.com max.com hbomax.com
		crunchyroll.com arte.tv ardmediathek.de zdf.de npostart.nl itv.com channel4.com bilibili.com imdb.com`},
	{"music", `spotify.com open.spotify.com music.youtube.com music.apple.com soundcloud.com bandcamp.com deezer.com tidal.com last.fm
		discogs.com genius.com musicbrainz.org`},
	{"news", `bbc.* cnn.com nytimes.com theguardian.com reuters.com apnews.com washingtonpost.com news.google.com news.yahoo.com
		lemonde.fr lefigaro.fr spiegel.de zeit.de faz.net tagesschau.de sueddeutsche.de nos.nl nu.nl elpais.com elmundo.es repubblica.it
		corriere.it aljazeera.com dw.com euronews.com news.ycombinator.com arstechnica.com theverge.com`},
	{"shopping", `amazon.* ebay.* etsy.com aliexpress.com walmart.com target.com bestbuy.com ikea.com zalando.* bol.com otto.de mediamarkt.*
		marktplaats.nl leboncoin.fr kleinanzeigen.de allegro.pl mercadolibre.* rakuten.* temu.com shein.com costco.com`},
	{"reference", `wikipedia.org wiktionary.org wikimedia.org wikidata.org britannica.com merriam-webster.com dictionary.com deepl.com
		translate.google.com linguee.* archive.org gutenberg.org openlibrary.org goodreads.com wolframalpha.com`},
	{"learning", `scholar.google.* arxiv.org jstor.org researchgate.net coursera.org edx.org khanacademy.org udemy.com duolingo.com
		classroom.google.com nature.com sciencedirect.com springer.com academia.edu doi.org`},
	{"code", `github.com gitlab.com bitbucket.org stackoverflow.com stackexchange.com superuser.com serverfault.com pypi.org npmjs.com
		pkg.go.dev go.dev crates.io docs.rs docs.python.org developer.mozilla.org readthedocs.io kaggle.com huggingface.co codeberg.org
		qutebrowser.org`},
	{"office", `docs.google.com drive.google.com sheets.google.com calendar.google.com office.com sharepoint.com onedrive.live.com
		dropbox.com notion.so trello.com atlassian.net asana.com airtable.com figma.com canva.com miro.com overleaf.com`},
	{"maps-and-travel", `maps.google.* =google.*/maps openstreetmap.org maps.apple.com booking.com airbnb.* tripadvisor.* expedia.*
		skyscanner.* kayak.* bahn.de sncf-connect.com ns.nl trainline.com uber.com citymapper.com flightradar24.com`},
	{"weather", `weather.com accuweather.com windy.com wetter.com buienradar.nl meteofrance.com yr.no wunderground.com`},
	{"games", `store.steampowered.com steamcommunity.com roblox.com epicgames.com minecraft.net playstation.com xbox.com nintendo.com
		chess.com lichess.org itch.io ign.com`},
}

// Numbers of kinds that no list decides.
const (
	otherKind = 0
	ownKind   = 1
)

// Kinds lists every kind of site.
func Kinds() (names []string) {
	for _, k := range kinds {
		names = append(names, k.name)
	}
	return names
}

// listed are the sites by name.
var listed = func() map[string]uint8 {
	out := map[string]uint8{}
	for i, k := range kinds {
		for _, site := range strings.Fields(k.sites) {
			out[site] = uint8(i)
		}
	}
	return out
}()

// address reads an address; it reports false for one of the browser's own,
// such as its settings.
func address(text string) (page, bool) {
	scheme, rest, _ := strings.Cut(text, ":")
	switch strings.ToLower(scheme) {
	case "http", "https":
		host, path := cut(strings.TrimPrefix(rest, "//"))
		site, kind := judge(host, path)
		return page{hashed(text), hashed(site), kind}, true
	case "file":
		return page{hashed(text), 0, ownKind}, true
	}
	return page{}, false
}

// cut divides what follows "//" into a host without user and port, and the
// first part of the path.
func cut(rest string) (host, path string) {
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	host, path = rest[:end], rest[end:]
	host = strings.ToLower(host[strings.LastIndexByte(host, '@')+1:])
	if !strings.HasPrefix(host, "[") {
		host, _, _ = strings.Cut(host, ":")
	}
	path, _, _ = strings.Cut(strings.TrimPrefix(path, "/"), "/")
	path, _, _ = strings.Cut(path, "?")
	return strings.TrimSuffix(host, "."), path
}

// secondLevel are names below a country's that belong to nobody.
var secondLevel = strings.Fields("ac co com edu gob gov go ne net nom or org")

// judge finds the site that a host belongs to, and its kind.
func judge(host, path string) (site string, kind uint8) {
	labels := strings.Split(strings.TrimPrefix(host, "www."), ".")
	n := len(labels)
	if n < 2 || strings.HasPrefix(host, "[") || strings.Trim(host, "0123456789.") == "" || slices.Contains([]string{"local", "lan", "home", "internal", "localhost"}, labels[n-1]) {
		return "", ownKind
	}
	ending := 1
	if n > 2 && len(labels[n-1]) == 2 && slices.Contains(secondLevel, labels[n-2]) {
		ending = 2
	}
	for from := 0; from < n-ending; from++ {
		exact := strings.Join(labels[from:], ".")
		starred := strings.Join(labels[from:n-ending], ".") + ".*"
		for _, name := range []string{exact + "/" + path, starred + "/" + path, exact, starred} {
			kind, ok := listed[name]
			if !ok && from == 0 {
				kind, ok = listed["="+name]
			}
			if ok {
				return strings.Join(labels[n-ending-1:], "."), kind
			}
		}
	}
	return strings.Join(labels[n-ending-1:], "."), otherKind
}
