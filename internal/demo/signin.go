package demo

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"time"

	"distributed.ai/datacoop/web/client"
)

// browser follows redirects and keeps cookies as a browser does, including
// secure ones on a loopback address.
type browser struct {
	http *http.Client
	base *url.URL
}

func newBrowser(base string) (*browser, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, fmt.Errorf("demo: base URL: %w", err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, fmt.Errorf("demo: cookies: %w", err)
	}
	return &browser{&http.Client{Jar: loopbackJar{jar}, Timeout: time.Minute}, u}, nil
}

// loopbackJar treats http on this machine as secure, which Go's jar does not.
type loopbackJar struct{ http.CookieJar }

func (j loopbackJar) SetCookies(u *url.URL, cookies []*http.Cookie) {
	j.CookieJar.SetCookies(asSecure(u), cookies)
}
func (j loopbackJar) Cookies(u *url.URL) []*http.Cookie { return j.CookieJar.Cookies(asSecure(u)) }

func asSecure(u *url.URL) *url.URL {
	out := *u
	out.Scheme = "https"
	return &out
}

// The sign-in page's form, as far as a browser needs it.
var (
	formAction  = regexp.MustCompile(`<form[^>]*action="([^"]*)"`)
	hiddenInput = regexp.MustCompile(`<input[^>]*type="hidden"[^>]*name="([^"]*)"[^>]*value="([^"]*)"`)
)

const maxPage = 1 << 20

// page does a request and reads the page it ends at.
func (b *browser) page(ctx context.Context, method, address string, form url.Values) (string, *url.URL, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return "", nil, fmt.Errorf("demo: request: %w", err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", b.base.Scheme+"://"+b.base.Host)
	}
	req.Header.Set("Accept", "text/html")
	resp, err := b.http.Do(req)
	if err != nil {
		return "", nil, fmt.Errorf("demo: page: %w", err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxPage))
	if err != nil {
		return "", nil, fmt.Errorf("demo: page: %w", err)
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return "", nil, fmt.Errorf("demo: %s answered %s", resp.Request.URL.Path, resp.Status)
	}
	return string(text), resp.Request.URL, nil
}

// SignIn signs an account in at the embedded identity provider, through its
// page, and answers a bearer token that the new session made. It returns an
// error when the sign-in does not end on the portal.
func SignIn(ctx context.Context, base string, who Account) (token string, err error) {
	b, err := enter(ctx, base, who)
	if err != nil {
		return "", err
	}
	return b.token(ctx)
}

// Session is SignIn for somebody who reads pages: what it answers sends the new
// session's cookie along.
func Session(ctx context.Context, base string, who Account) (http.RoundTripper, error) {
	b, err := enter(ctx, base, who)
	return cookies{b}, err
}

func enter(ctx context.Context, base string, who Account) (*browser, error) {
	b, err := newBrowser(base)
	if err != nil {
		return nil, err
	}
	text, at, err := b.page(ctx, http.MethodGet, base+"/login", nil)
	if err != nil {
		return nil, err
	}
	action := formAction.FindStringSubmatch(text)
	if action == nil {
		return nil, errors.New("demo: the sign-in page has no form")
	}
	target, err := at.Parse(html.UnescapeString(action[1]))
	if err != nil {
		return nil, fmt.Errorf("demo: sign-in form: %w", err)
	}
	form := url.Values{"account": {who.Subject}, "password": {who.Password}}
	for _, field := range hiddenInput.FindAllStringSubmatch(text, -1) {
		form.Set(html.UnescapeString(field[1]), html.UnescapeString(field[2]))
	}
	if _, at, err = b.page(ctx, http.MethodPost, target.String(), form); err != nil {
		return nil, err
	}
	if at.Path != "/" {
		return nil, errors.New("demo: the sign-in was refused")
	}
	return b, nil
}

// tokenHours is how long the demo's bearer tokens are good for.
const tokenHours = 24

func (b *browser) token(ctx context.Context) (string, error) {
	c, err := client.New(b.base.String(), client.WithTransport(cookies{b}))
	if err != nil {
		return "", err
	}
	tok, err := c.CreateToken(ctx, client.TokenDraft{Label: "demo", Hours: tokenHours})
	return tok.Secret, err
}

// cookies sends the browser's cookies with an API call.
type cookies struct{ b *browser }

// RoundTrip adds the session's cookie.
func (c cookies) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	for _, cookie := range c.b.http.Jar.Cookies(r.URL) {
		r.AddCookie(cookie)
	}
	return http.DefaultTransport.RoundTrip(r)
}
