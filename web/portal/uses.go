package portal

import (
	"context"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
)

// use is a decision about the member's data with what was asked.
type use struct {
	consent.Decision
	Ask  ask
	Pool string
}

// ask is what somebody said they want data for.
type ask struct{ Title, Who string }

// asks finds what requests are for, each once.
func (p *Portal) asks(ctx context.Context) func(coop.RequestID) (ask, error) {
	known := map[coop.RequestID]ask{}
	return func(id coop.RequestID) (ask, error) {
		a, ok := known[id]
		if ok {
			return a, nil
		}
		title, who, err := p.Market.Purpose(ctx, id)
		if err != nil {
			return ask{}, err
		}
		known[id] = ask{title, who}
		return known[id], nil
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

func (p *Portal) described(ctx context.Context, list []consent.Decision) ([]use, error) {
	asks := p.asks(ctx)
	out := make([]use, 0, len(list))
	for _, d := range list {
		a, err := asks(d.Request)
		if err != nil {
			return nil, err
		}
		out = append(out, use{d, a, p.poolTitle(d.Pool)})
	}
	return out, nil
}

// usesOf lists the newest decisions about one dataset, and whether there are
// more.
func (p *Portal) usesOf(ctx context.Context, m coop.MemberID, ds coop.DatasetID) (out []use, more bool, err error) {
	var list []consent.Decision
	err = p.decisions(ctx, m, func(d consent.Decision) bool {
		if d.Dataset == ds {
			list = append(list, d)
		}
		return len(list) <= usesShown
	})
	if err != nil {
		return nil, false, err
	}
	if more = len(list) > usesShown; more {
		list = list[:usesShown]
	}
	out, err = p.described(ctx, list)
	return out, more, err
}

// pageLength is how many entries a page of a list has.
const pageLength = 25

// uses is the feed of everything that was decided about the member's data.
func (p *Portal) uses(v *visit) error {
	before := v.r.URL.Query().Get("before")
	list, err := p.Consent.Uses(v.ctx(), v.me.ID, before, pageLength+1)
	if err != nil {
		return err
	}
	next := ""
	if len(list) > pageLength {
		list = list[:pageLength]
		next = string(list[pageLength-1].ID)
	}
	uses, err := p.described(v.ctx(), list)
	if err != nil {
		return err
	}
	return v.show("uses", struct {
		Uses  []use
		Next  string
		First bool
	}{uses, next, before == ""})
}
