package portal

import (
	"context"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/web/portal/feed"
)

// asks finds what requests are for, each once.
func (p *Portal) asks(ctx context.Context) func(coop.RequestID) (marketplace.Asking, error) {
	known := map[coop.RequestID]marketplace.Asking{}
	return func(id coop.RequestID) (marketplace.Asking, error) {
		a, ok := known[id]
		if ok {
			return a, nil
		}
		a, err := p.Market.Asking(ctx, id)
		if err != nil {
			return marketplace.Asking{}, err
		}
		known[id] = a
		return a, nil
	}
}

// Reading all decisions goes page by page; what is older than this many pages
// only the feed shows.
const (
	batch      = 200
	maxBatches = 25
)

// decisions hands over the member's decisions, newest first, until keep says
// no.
func (p *Portal) decisions(ctx context.Context, m coop.MemberID, keep func(consent.Decision) bool) error {
	before := ""
	for range maxBatches {
		list, err := p.Consent.Uses(ctx, m, before, batch)
		if err != nil {
			return err
		}
		for _, d := range list {
			if !keep(d) {
				return nil
			}
		}
		if len(list) < batch {
			return nil
		}
		before = string(list[len(list)-1].ID)
	}
	return nil
}

func (p *Portal) described(ctx context.Context, list []consent.Decision) ([]feed.Use, error) {
	asks := p.asks(ctx)
	out := make([]feed.Use, 0, len(list))
	for _, d := range list {
		a, err := asks(d.Request)
		if err != nil {
			return nil, err
		}
		out = append(out, feed.Use{Decision: d, Ask: a, Pool: p.poolTitle(d.Pool)})
	}
	return out, nil
}

// usesOf lists the newest decisions about one dataset, and whether there are
// more.
func (p *Portal) usesOf(ctx context.Context, m coop.MemberID, ds coop.DatasetID) (out []feed.Use, more bool, err error) {
	list, next, err := p.Consent.UsesSeen(ctx, m, consent.Seen{Dataset: ds}, "", usesShown)
	if err != nil {
		return nil, false, err
	}
	out, err = p.described(ctx, list)
	return out, next != "", err
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
	if page.Uses, err = p.described(v.ctx(), list); err != nil {
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
	one, err := p.described(v.ctx(), []consent.Decision{d})
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

// maxRows is the most decisions one table holds.
const maxRows = 10_000

// usesTable is the feed as comma-separated values, for a spreadsheet.
func (p *Portal) usesTable(v *visit) error {
	c := feed.Read(v.r.URL.Query())
	var all []feed.Use
	for before := c.Before; len(all) < maxRows; {
		list, next, err := p.Consent.UsesSeen(v.ctx(), v.me.ID, c.Seen(), before, batch)
		if err != nil {
			return err
		}
		uses, err := p.described(v.ctx(), list)
		if err != nil {
			return err
		}
		if all, before = append(all, uses...), next; next == "" {
			break
		}
	}
	return v.download("text/csv; charset=utf-8", "uses.csv", feed.Table(all))
}
