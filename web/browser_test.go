package web_test

import (
	"bytes"
	"html"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// browser is a person at the portal: it keeps cookies, follows redirects and
// reads pages.
type browser struct {
	h    *house
	http *http.Client
}

// visited is a page as it arrived, after redirects.
type visited struct {
	t      *testing.T
	status int
	header http.Header
	path   string // with the query
	text   string
}

// secureJar treats http on this machine as secure, as browsers do.
type secureJar struct{ http.CookieJar }

func secure(u *url.URL) *url.URL { out := *u; out.Scheme = "https"; return &out }

func (j secureJar) SetCookies(u *url.URL, c []*http.Cookie) { j.CookieJar.SetCookies(secure(u), c) }
func (j secureJar) Cookies(u *url.URL) []*http.Cookie       { return j.CookieJar.Cookies(secure(u)) }

// stranger is a browser that is not signed in.
func (h *house) stranger() *browser {
	h.t.Helper()
	jar, err := cookiejar.New(nil)
	ok(h.t, err)
	return &browser{h, &http.Client{Jar: secureJar{jar}}}
}

// browse signs somebody in at the issuer's page.
func (h *house) browse(subject string) *browser {
	h.t.Helper()
	b := h.stranger()
	login := b.get("/login").is(http.StatusOK)
	form := url.Values{"account": {subject}, "password": {password}, "form": {login.hidden("form")}}
	if at := b.post("/oauth/login", form); at.path != "/" || at.status != http.StatusOK {
		h.t.Fatalf("sign-in ended at %s with %d", at.path, at.status)
	}
	return b
}

func (b *browser) do(r *http.Request) visited {
	b.h.t.Helper()
	r.Header.Set("Accept", "text/html,application/xhtml+xml")
	if r.Method == http.MethodPost && r.Header.Get("Sec-Fetch-Site") == "" {
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	resp, err := b.http.Do(r)
	ok(b.h.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	ok(b.h.t, err)
	page := visited{b.h.t, resp.StatusCode, resp.Header, resp.Request.URL.RequestURI(), string(text)}
	page.plain()
	return page
}

func (b *browser) get(path string, headers ...string) visited {
	b.h.t.Helper()
	r, err := http.NewRequest(http.MethodGet, b.h.base+path, nil)
	ok(b.h.t, err)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return b.do(r)
}

func (b *browser) post(path string, form url.Values, headers ...string) visited {
	b.h.t.Helper()
	r, err := http.NewRequest(http.MethodPost, b.h.base+path, strings.NewReader(form.Encode()))
	ok(b.h.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return b.do(r)
}

// upload posts a form with a file in it.
func (b *browser) upload(path string, form url.Values, field, content string) visited {
	b.h.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name, values := range form {
		ok(b.h.t, w.WriteField(name, values[0]))
	}
	part, err := w.CreateFormFile(field, "file")
	ok(b.h.t, err)
	_, err = io.WriteString(part, content)
	ok(b.h.t, err)
	ok(b.h.t, w.Close())
	r, err := http.NewRequest(http.MethodPost, b.h.base+path, &body)
	ok(b.h.t, err)
	r.Header.Set("Content-Type", w.FormDataContentType())
	return b.do(r)
}

func (v visited) is(status int) visited {
	v.t.Helper()
	if v.status != status {
		v.t.Fatalf("%s answered %d, want %d:\n%s", v.path, v.status, status, v.said())
	}
	return v
}

// says checks that the page holds a sentence as a reader sees it.
func (v visited) says(sentences ...string) visited {
	v.t.Helper()
	for _, s := range sentences {
		if !strings.Contains(v.said(), s) {
			v.t.Fatalf("%s does not say %q:\n%s", v.path, s, v.said())
		}
	}
	return v
}

func (v visited) keepsQuiet(words ...string) visited {
	v.t.Helper()
	for _, s := range words {
		if strings.Contains(v.said(), s) {
			v.t.Fatalf("%s says %q", v.path, s)
		}
	}
	return v
}

var (
	tags   = regexp.MustCompile(`(?s)<[^>]*>`)
	spaces = regexp.MustCompile(`\s+`)
)

// said is the text of the main part, without markup.
func (v visited) said() string {
	_, main, _ := strings.Cut(v.text, "<main")
	main, _, _ = strings.Cut(main, "</main>")
	return strings.TrimSpace(spaces.ReplaceAllString(html.UnescapeString(tags.ReplaceAllString("<main"+main, " ")), " "))
}

// hidden is the value of a hidden field.
func (v visited) hidden(name string) string {
	v.t.Helper()
	m := regexp.MustCompile(`<input[^>]*type="hidden"[^>]*name="` + name + `"[^>]*value="([^"]*)"`).FindStringSubmatch(v.text)
	if m == nil {
		v.t.Fatalf("%s has no hidden field %s", v.path, name)
	}
	return html.UnescapeString(m[1])
}
