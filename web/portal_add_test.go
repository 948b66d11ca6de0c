package web_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"distributed.ai/datacoop/web/client"
)

var island = regexp.MustCompile(`(/islands/[0-9a-f]{16})/add\.js`)

func TestThePageThatAddsDataRunsOurScriptsAlone(t *testing.T) {
	h := openHouse(t)
	h.stranger().get("/data/add").is(http.StatusOK).says("Log in")
	page := h.browse("eva").get("/data/add").is(http.StatusOK).says("JavaScript is switched off", "datacoop upload", "Fitbit")
	if n := strings.Count(page.text, "<script"); n != 1 {
		t.Errorf("%d scripts", n)
	}
	csp := page.header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self';", "require-trusted-types-for 'script'", "trusted-types worker"} {
		if !strings.Contains(csp, want) {
			t.Errorf("content policy %q lacks %s", csp, want)
		}
	}
	folder := island.FindStringSubmatch(page.text)
	if folder == nil {
		t.Fatal("the page has no script")
	}
	b := h.stranger()
	for name, kind := range map[string]string{"add.js": "text/javascript", "worker.js": "text/javascript", "add.css": "text/css",
		"reducer.wasm": "application/wasm", "licences.txt": "text/plain"} {
		file := b.get(folder[1] + "/" + name).is(http.StatusOK)
		if got := file.header.Get("Content-Type"); !strings.HasPrefix(got, kind) || file.header.Get("Cache-Control") != "public, max-age=31536000, immutable" {
			t.Errorf("%s: %s, %s", name, got, file.header.Get("Cache-Control"))
		}
		if plain := b.get(folder[1]+"/"+name, "Accept-Encoding", "identity").is(http.StatusOK); plain.text != file.text {
			t.Errorf("%s differs unpacked", name)
		}
		if unsafe := strings.Contains(file.header.Get("Content-Security-Policy"), "wasm-unsafe-eval"); unsafe != (name == "worker.js") {
			t.Errorf("%s: WebAssembly allowed: %v", name, unsafe)
		}
		b.get("/islands/0123456789abcdef/" + name).is(http.StatusNotFound)
	}
	b.get(folder[1] + "/add.ts").is(http.StatusNotFound)
	b.get(folder[1] + "/").is(http.StatusNotFound)
}

func TestAnswersAreReadWithoutBeingSaved(t *testing.T) {
	h := openHouse(t)
	b := h.browse("eva")
	for preset, effect := range map[string]string{"public": "given", "health": "given", "any": "given", "none": "refused"} {
		var meaning struct {
			Terms     client.Terms `json:"terms"`
			Sentences []string     `json:"sentences"`
		}
		text := b.post("/data/add/terms", url.Values{"pool": {"bank"}, "preset": {preset}}).is(http.StatusOK).text
		if err := json.Unmarshal([]byte(text), &meaning); err != nil || meaning.Terms.Effect != effect || len(meaning.Sentences) == 0 || strings.Contains(text, "null") {
			t.Errorf("%s: %s, %v", preset, text, err)
		}
	}
	dear := url.Values{"pool": {"bank"}, "preset": {"own"}, "purpose": {"DUO:0000042"}, "kind": {"university"}, "price": {"900"}}
	if text := b.post("/data/add/terms", dear).is(http.StatusOK).text; !strings.Contains(text, "every request would be refused") {
		t.Errorf("a price nobody pays: %s", text)
	}
	b.get("/consent").says("You have given no answer")
}

func TestAnswersThatCannotBeRead(t *testing.T) {
	h := openHouse(t)
	b := h.browse("eva")
	b.post("/data/add/terms", url.Values{"pool": {"gold"}, "preset": {"public"}}).is(http.StatusNotFound)
	b.post("/data/add/terms", url.Values{"pool": {"bank"}}).is(http.StatusUnprocessableEntity).says("Choose one of the answers")
	b.post("/data/add/terms", url.Values{"pool": {"bank"}, "preset": {"own"}}).is(http.StatusUnprocessableEntity).says("Say which purposes are allowed")
	b.post("/data/add/terms", url.Values{"pool": {"bank"}, "preset": {"own"}, "price": {"much"}}).is(http.StatusUnprocessableEntity).keepsQuiet("much")
	b.post("/data/add/terms", url.Values{"pool": {"bank"}, "preset": {"public"}}, "Sec-Fetch-Site", "cross-site").is(http.StatusForbidden)
	h.stranger().post("/data/add/terms", url.Values{"pool": {"bank"}, "preset": {"public"}}).is(http.StatusUnauthorized)
}

func TestAStandingAnswerIsOffered(t *testing.T) {
	h := openHouse(t)
	b := h.browse("eva")
	if page := b.get("/data/add"); strings.Contains(page.text, `id="standing-energy"`) {
		t.Error("an answer is offered that was never given")
	}
	b.post("/consent/energy", url.Values{"preset": {"public"}, "step": {"save"}})
	page := b.get("/data/add").is(http.StatusOK)
	if !strings.Contains(page.text, `id="standing-energy"`) || strings.Contains(page.text, `id="standing-bank"`) {
		t.Error("the standing answer for energy is not offered")
	}
	b.post("/consent/energy/withdraw", url.Values{})
	if page := b.get("/data/add"); strings.Contains(page.text, `id="standing-energy"`) {
		t.Error("an answer is offered that was withdrawn")
	}
}
