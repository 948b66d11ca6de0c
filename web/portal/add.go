package portal

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/web/islands"
	"distributed.ai/datacoop/web/portal/consenting"
)

// addPool is a pool that data can be added to, with what the member's answer
// for all of it says; no sentence if there is none.
type addPool struct {
	marketplace.PoolView
	Standing []string
	Default  []string // what holds without one
}

// add is the page that adds data. Reading, reducing and encrypting happen in
// the browser; the policy lets the page run nothing but the scripts of package
// islands.
func (p *Portal) add(v *visit) error {
	pools, err := p.Market.Pools(v.ctx())
	if err != nil {
		return err
	}
	page := struct {
		Folder, BaseURL string
		Pools           []addPool
		Choices         consenting.Choices
		Price           coop.Money // the page fills it in once it knows the pool
		Outlook         []marketplace.Outlook
	}{Folder: islands.Folder(), BaseURL: p.BaseURL}
	if page.Outlook, err = p.Market.Outlook(v.ctx(), p.Charter.Pools...); err != nil {
		return err
	}
	if page.Choices, err = p.choices(v.ctx(), nil); err != nil {
		return err
	}
	for _, pool := range pools {
		s, err := p.standing(v.ctx(), v.me.ID, pool.ID, "")
		if err != nil {
			return err
		}
		if !s.Found || s.Record.State != consent.StateGiven && s.Record.State != consent.StateRefused {
			s.Sentences = nil
		}
		page.Pools = append(page.Pools, addPool{pool, s.Sentences, s.Default})
	}
	v.w.Header().Set("Content-Security-Policy", islands.PagePolicy)
	return v.show("add", page)
}

// island answers one of the files that run in the browser.
func (p *Portal) island(v *visit) error {
	if !strings.HasPrefix(v.r.URL.Path, islands.Folder()+"/") {
		return errNotHere // of an older or a newer program
	}
	islands.Handler().ServeHTTP(v.w, v.r)
	return nil
}

// meaning is what an answer means, for the page that adds data: as the API
// takes it, and in sentences.
type meaning struct {
	Terms     consent.Terms `json:"terms"`
	Sentences []string      `json:"sentences"`
}

// addTerms reads an answer from the form and says what it means. It saves
// nothing: the answer is sent with the dataset.
func (p *Portal) addTerms(v *visit) error {
	pool, ok := p.Charter.Pool(coop.PoolID(v.form.Get("pool")))
	if !ok {
		return errNotHere
	}
	t, err := consenting.Read(v.form, p.Charter.Currency)
	if err == nil {
		err = t.Validate()
	}
	if err != nil {
		return err
	}
	m := meaning{t, t.Sentences(p.Charter.Currency)}
	if t.MinPrice > pool.Price {
		m.Sentences = append(m.Sentences, fmt.Sprintf("Researchers pay %s in this pool. You ask for more, so every request would be refused.", p.amount(pool.Price)))
	}
	m.Sentences = p.pages.languages.Of(v.r).SayEach(m.Sentences)
	for _, list := range []*[]string{&m.Terms.Purposes, &m.Terms.Except, &m.Terms.DPV, &m.Terms.RequesterKinds, &m.Terms.Regions} {
		*list = append([]string{}, *list...) // the API takes no null
	}
	text, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("portal: terms: %w", err)
	}
	v.w.Header().Set("Content-Type", "application/json")
	v.w.WriteHeader(http.StatusOK)
	_, _ = v.w.Write(text) // the only failure is a reader who is gone
	return nil
}
