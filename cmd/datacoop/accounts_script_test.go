package main

import (
	"context"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/web/client"
)

// public is the address that people open in these scripts.
const public = "https://coop.example"

// TestAccountScripts drives a co-op that keeps its members' accounts itself,
// as the public reaches it: through a proxy that ends TLS.
func TestAccountScripts(t *testing.T) {
	people := people{t: t, devices: map[string]*testkit.Passkey{}}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/accounts",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			port, err := freePort()
			env.Setenv("PORT", port)
			env.Setenv("DATACOOP_SERVER", "http://localhost:"+port)
			env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, "cache"))
			return err
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"up": up, "accept": people.accept, "passkey": people.passkey, "invite": makeInvitation,
			"nosecrets": nosecrets, "synthesise": synthesise,
		},
	})
}

// people are newcomers by name, each with a device.
type people struct {
	t       *testing.T
	devices map[string]*testkit.Passkey
}

// proxy sends what is meant for the public address to the server, as one that
// ends TLS does.
type proxy struct{ to string }

func (p proxy) RoundTrip(asked *http.Request) (*http.Response, error) {
	r := asked.Clone(asked.Context())
	r.Host = r.URL.Host
	r.URL.Scheme, r.URL.Host = "http", p.to
	r.Header.Set("X-Forwarded-For", "203.0.113.7")
	r.Header.Set("X-Forwarded-Proto", "https")
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err == nil {
		resp.Request = asked
	}
	return resp, err
}

// visitor is a browser at the public address.
type visitor struct {
	ts   *testscript.TestScript
	http *http.Client
}

func visit(ts *testscript.TestScript) visitor {
	jar, err := cookiejar.New(nil)
	ts.Check(err)
	return visitor{ts, &http.Client{Jar: jar, Transport: proxy{"localhost:" + ts.Getenv("PORT")}}}
}

// open gets a page, or posts a form to it.
func (v visitor) open(path string, form url.Values) (page string, at *url.URL, status int) {
	method := http.MethodGet
	if form != nil {
		method = http.MethodPost
	}
	r, err := http.NewRequest(method, public+path, strings.NewReader(form.Encode()))
	v.ts.Check(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Accept", "text/html")
	resp, err := v.http.Do(r)
	v.ts.Check(err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	v.ts.Check(err)
	return string(text), resp.Request.URL, resp.StatusCode
}

var (
	dataOptions = regexp.MustCompile(`data-options="([^"]*)"`)
	sealedForm  = regexp.MustCompile(`name="form" value="([^"]*)"`)
	joinLink    = regexp.MustCompile(public + `(/oauth/join\?invitation=\S+)`)
)

// ceremony reads the one form of a page that asks for a passkey.
func ceremony(ts *testscript.TestScript, page string) (options string, form url.Values) {
	o, f := dataOptions.FindStringSubmatch(page), sealedForm.FindStringSubmatch(page)
	if o == nil || f == nil {
		ts.Fatalf("nothing asks for a passkey in %s", page)
	}
	return html.UnescapeString(o[1]), url.Values{"form": {html.UnescapeString(f[1])}}
}

// accept FILE NAME opens the first link in a file, makes an account with a
// passkey, signs in with it and keeps a token in NAME_TOKEN and DATACOOP_TOKEN.
// Negated, the link must be refused with a sentence.
func (p people) accept(ts *testscript.TestScript, neg bool, args []string) {
	link := joinLink.FindStringSubmatch(ts.ReadFile(args[0]))
	if link == nil {
		ts.Fatalf("no link in %s", args[0])
	}
	v := visit(ts)
	page, _, status := v.open(link[1], nil)
	if neg {
		if status != http.StatusForbidden || !strings.Contains(page, "invitation") {
			ts.Fatalf("%d %s", status, page)
		}
		return
	}
	p.devices[args[1]] = testkit.NewPasskey(p.t, public)
	options, form := ceremony(ts, page)
	form.Set("name", args[1])
	form.Set("adult", "yes")
	form.Set("credential", p.devices[args[1]].Make(p.t, options))
	if page, _, status = v.open("/oauth/join", form); status != http.StatusOK || !strings.Contains(page, "Keep your recovery code") {
		ts.Fatalf("%d %s", status, page)
	}
	_, at, _ := v.open("/login", nil)
	v.token(at, args[1])
}

// passkey NAME signs in again, in another browser.
func (p people) passkey(ts *testscript.TestScript, _ bool, args []string) {
	v := visit(ts)
	page, _, _ := v.open("/login", nil)
	options, form := ceremony(ts, page)
	form.Set("credential", p.devices[args[0]].Use(p.t, options))
	_, at, _ := v.open("/oauth/login", form)
	v.token(at, args[0])
}

var secret = regexp.MustCompile(`dcm_[A-Z2-7]+`)

// token makes a token on the portal's page.
func (v visitor) token(at *url.URL, name string) {
	if at.String() != public+"/" {
		v.ts.Fatalf("the sign-in ended at %s", at)
	}
	page, _, _ := v.open("/tokens", url.Values{"label": {"script"}, "hours": {"24"}})
	v.ts.Setenv("DATACOOP_TOKEN", secret.FindString(page))
	v.ts.Setenv(name+"_TOKEN", secret.FindString(page))
}

// invite NAME FILE has somebody make an invitation, and keeps its link.
// Negated, they may not.
func makeInvitation(ts *testscript.TestScript, neg bool, args []string) {
	i, err := as(ts, args[0]).Invite(context.Background())
	if neg {
		if !client.IsStatus(err, http.StatusForbidden) {
			ts.Fatalf("%v", err)
		}
		return
	}
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(i.Link), 0o600))
}
