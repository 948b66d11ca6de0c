package portal

import (
	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/web/portal/feed"
)

// reader reads decisions for their pages.
func (p *Portal) reader() feed.Reader {
	return feed.Reader{Consent: p.Consent, Market: p.Market, PoolTitle: p.poolTitle}
}

// pageLength is how many entries a page of a list has.
const pageLength = 25

// uses is the feed of everything that was decided about the member's data.
func (p *Portal) uses(v *visit) error {
	c := feed.Read(v.r.URL.Query())
	list, next, err := p.Consent.UsesSeen(v.ctx(), v.me.ID, c.Seen(), c.Before, pageLength)
	if err != nil {
		return err
	}
	page := struct {
		Chosen   feed.Chosen
		Uses     []feed.Use
		Next     string
		Datasets []owned
	}{Chosen: c, Next: next}
	if page.Uses, err = p.reader().Described(v.ctx(), list); err != nil {
		return err
	}
	if page.Datasets, err = p.mine(v.ctx(), v.me.ID); err != nil {
		return err
	}
	return v.show("uses", page)
}

// use is everything about one decision.
func (p *Portal) use(v *visit) error {
	d, err := p.Consent.Use(v.ctx(), v.me.ID, coop.DecisionID(v.id()))
	if err != nil {
		return err
	}
	one, err := p.reader().Described(v.ctx(), []consent.Decision{d})
	if err != nil {
		return err
	}
	return v.show("use", one[0])
}

// pastLaw is the law that something was decided under, in words and as it is
// enforced.
func (p *Portal) pastLaw(v *visit) error {
	law, err := p.Consent.Law(v.ctx(), v.id())
	if err != nil {
		return err
	}
	now := p.Engine.Current()
	return v.show("law", struct {
		Hash, Source string
		Sentences    []string
		Now          bool
	}{law.Hash(), string(law.Source()), law.Sentences(), now != nil && now.Hash() == law.Hash()})
}

// usesTable is the feed as comma-separated values, for a spreadsheet.
func (p *Portal) usesTable(v *visit) error {
	text, err := p.reader().CSV(v.ctx(), v.me.ID, feed.Read(v.r.URL.Query()))
	if err != nil {
		return err
	}
	return v.download("text/csv; charset=utf-8", "uses.csv", text)
}
