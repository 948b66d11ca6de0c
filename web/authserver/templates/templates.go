// Package templates is what people see of the issuer: the pages on which they
// sign in, join, and get back in.
//
// # What it is for
//
// [Read] reads the pages in every language that the portal speaks, and each is
// answered in the one that its reader chose in the portal, or else asks for.
// What the one script has to say stands in the page, so it has a language too.
//
// # What it guarantees
//
// A page runs no script but passkey.js, has its style allowed by its digest and
// is kept by no browser. It is rendered before any of it is sent.
//
// # What it refuses
//
// To know why a page is shown, or anything of who reads it.
package templates

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"

	"distributed.ai/datacoop/internal/language"
)

//go:embed *.html page.css passkey.js
var files embed.FS

// Failed is what a person reads when the server is at fault.
const Failed = "The server failed. Nothing was changed; please try again."

// Scripted is the policy of a page that runs the one script there is and sends
// its forms home.
const Scripted = "script-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'; form-action 'self'"

// RetryAfter is how many seconds somebody should wait for the server to be well.
const RetryAfter = "5"

// Pages renders pages. It is safe for concurrent use. The style is in the page,
// allowed by its hash; the script, where there is one, is a file of its own.
type Pages struct {
	spoken *language.Set
	set    map[*language.Catalogue]language.Parsed
	policy string // style part of the content security policy
	script []byte
}

// Read reads the pages in English and in the languages whose catalogues there
// are; more is as [language.Spoken] takes it. An error names the file at fault.
func Read(more fs.FS) (*Pages, error) {
	style, err := files.ReadFile("page.css")
	if err != nil {
		return nil, fmt.Errorf("login page: %w", err)
	}
	sum := sha256.Sum256(style)
	p := &Pages{set: map[*language.Catalogue]language.Parsed{},
		policy: "style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"}
	if p.script, err = files.ReadFile("passkey.js"); err != nil {
		return nil, fmt.Errorf("login page: %w", err)
	}
	if p.spoken, err = language.Spoken(more); err != nil {
		return nil, fmt.Errorf("login page: %w", err)
	}
	for _, c := range p.spoken.All() {
		funcs := template.FuncMap{
			"language": c.TagOf,
			"style":    func() template.CSS { return template.CSS(style) }, // #nosec G203 -- embedded, a constant
		}
		if p.set[c], err = c.Parse(files, funcs); err != nil {
			return nil, fmt.Errorf("login page: %w", err)
		}
	}
	return p, nil
}

// Write answers with a page, of that name and filled with data. The policy is
// added to that of every page.
func (p *Pages) Write(w http.ResponseWriter, r *http.Request, status int, name, policy string, data any) {
	page, err := p.render(p.spoken.Of(r), name, data)
	if err != nil {
		http.Error(w, Failed, http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Add("Vary", "Accept-Language")
	if status == http.StatusServiceUnavailable {
		h.Set("Retry-After", RetryAfter)
	}
	h.Set("Content-Security-Policy", "default-src 'none'; "+p.policy+"; "+policy+"; frame-ancestors 'none'; base-uri 'none'")
	w.WriteHeader(status)
	_, _ = w.Write(page) // the peer has gone; there is nobody to tell
}

func (p *Pages) render(c *language.Catalogue, name string, data any) ([]byte, error) {
	parsed, ok := p.set[c][name]
	if !ok {
		return nil, fmt.Errorf("login page: no page %s", name)
	}
	t, err := parsed()
	if err != nil {
		return nil, err
	}
	var page bytes.Buffer
	err = t.Execute(&page, data)
	return page.Bytes(), err
}

// Problem tells a person why there is nowhere to go from here.
func (p *Pages) Problem(w http.ResponseWriter, r *http.Request, status int, sentence string) {
	p.Write(w, r, status, "problem", "form-action 'none'", struct{ Message string }{sentence})
}

// ServeScript serves the one script. Pages name it without a version, so a
// browser asks each time.
func (p *Pages) ServeScript(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(p.script) // the peer has gone; there is nobody to tell
}
