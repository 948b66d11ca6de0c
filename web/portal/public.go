package portal

import (
	"fmt"
	"net/http"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/policies/document"
	"distributed.ai/datacoop/web/portal/words"
)

// law is what the members' vote says now, for everybody.
type law struct {
	Sentences []string
	Revision  string // empty while every request is refused
	Source    string
}

func (p *Portal) law() law {
	rev := p.Engine.Current()
	if rev == nil {
		return law{Sentences: []string{"No law can be read just now, so every request is refused."}}
	}
	return law{document.Sentences(rev.Source(), rev.Sentences(), p.Charter.Currency), rev.Hash(), string(rev.Source())}
}

// front is the first page: what the co-op is, or for a member where they stand.
func (p *Portal) front(v *visit) error {
	if v.me.ID != "" {
		return p.overview(v)
	}
	pools, err := p.Market.Pools(v.ctx())
	if err != nil {
		return err
	}
	return v.show("welcome", struct {
		Pools []marketplace.PoolView
		Law   law
	}{pools, p.law()})
}

func (p *Portal) about(v *visit) error {
	return v.show("about", struct {
		Law    law
		Locked bool
	}{p.law(), p.Vault.Locked()})
}

func (p *Portal) pools(v *visit) error {
	pools, err := p.Market.Pools(v.ctx())
	if err != nil {
		return err
	}
	return v.show("pools", pools)
}

// reportsShown is how many reports a pool's page lists.
const reportsShown = 20

func (p *Portal) pool(v *visit) error {
	pool, err := p.Market.Pool(v.ctx(), coop.PoolID(v.id()))
	if err != nil {
		return err
	}
	reports, err := p.Market.PoolReports(v.ctx(), pool.ID, "", reportsShown)
	if err != nil {
		return err
	}
	return v.show("pool", struct {
		marketplace.PoolView
		Reports []marketplace.Report
	}{pool, reports})
}

func (p *Portal) researchers(v *visit) error { return v.show("researchers", p.BaseURL) }

// robots keeps crawlers to the pages that are for everybody.
func (p *Portal) robots(v *visit) error {
	v.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = fmt.Fprint(v.w, "User-agent: *\nAllow: /$\nAllow: /about\nAllow: /pools\nAllow: /researchers\nAllow: /static/\nDisallow: /\n")
	return nil
}

// securityLifetime is how long security.txt claims to be right, in machine
// time; RFC 9116 asks for less than a year.
const securityLifetime = 180 * 24 * time.Hour

// securityText is RFC 9116's file.
func (p *Portal) securityText(v *visit) error {
	v.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	expires := time.Now().UTC().Add(securityLifetime).Truncate(time.Hour).Format(time.RFC3339)
	_, _ = fmt.Fprintf(v.w, "Contact: %s\nExpires: %s\nPreferred-Languages: en\nCanonical: %s/.well-known/security.txt\n",
		words.Contact(p.Charter.Contact), expires, p.BaseURL)
	return nil
}

// download sends a file to keep, byte for byte.
func (v *visit) download(kind, name string, text []byte) error {
	h := v.w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	v.w.WriteHeader(http.StatusOK)
	_, _ = v.w.Write(text) // the only failure is a reader who is gone
	return nil
}

// static answers a style sheet or an image.
func (p *Portal) static(v *visit) error {
	if !p.pages.assets.Serve(v.w, v.r) {
		return errNotHere
	}
	return nil
}
