package portal

import (
	"context"
	"slices"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/vault"
	"distributed.ai/datacoop/web/portal/chart"
	"distributed.ai/datacoop/web/portal/feed"
	"distributed.ai/datacoop/web/portal/hearings"
)

// owned is one of the member's datasets with what came of it.
type owned struct {
	vault.Dataset
	Title       string // of its pool
	Earned      coop.Money
	Requests    int // that read it
	Refusals    int // requests that were refused it
	Researchers []string
	history     feed.History
}

// Over reports whether the dataset has been revoked.
func (d owned) Over() bool { return d.RevokedAt != 0 }

// Sealed reports whether the dataset has contents that can be described.
func (d owned) Sealed() bool { return d.SealedAt != 0 }

// mine lists the member's datasets, newest first.
func (p *Portal) mine(ctx context.Context, m coop.MemberID) ([]owned, error) {
	list, err := p.Vault.Mine(ctx, m)
	if err != nil {
		return nil, err
	}
	earned, err := p.Market.Earned(ctx, m)
	if err != nil {
		return nil, err
	}
	out := make([]owned, 0, len(list))
	for _, d := range slices.Backward(list) {
		out = append(out, owned{Dataset: d, Title: p.poolTitle(d.Pool), Earned: earned[d.ID]})
	}
	return out, nil
}

func (p *Portal) poolTitle(id coop.PoolID) string {
	if pool, ok := p.Charter.Pool(id); ok {
		return pool.Title
	}
	return string(id)
}

// datasets is the list of what the member gave.
func (p *Portal) datasets(v *visit) error {
	list, err := p.mine(v.ctx(), v.me.ID)
	if err != nil {
		return err
	}
	if err := p.whoUsed(v.ctx(), v.me.ID, list); err != nil {
		return err
	}
	waiting, err := p.Market.Waiting(v.ctx(), v.me.ID)
	if err != nil {
		return err
	}
	return v.show("data", struct {
		Datasets []owned
		Waiting  int
	}{list, waiting})
}

// whoUsed adds to each dataset who read it and how many were refused.
func (p *Portal) whoUsed(ctx context.Context, m coop.MemberID, list []owned) error {
	all, err := p.reader().Histories(ctx, m)
	for i, d := range list {
		h := all[d.ID]
		list[i].history, list[i].Requests, list[i].Refusals = h, len(h.Read), len(h.Refused)
		if err == nil {
			list[i].Researchers, err = p.reader().Readers(ctx, h)
		}
	}
	return err
}

// find is one of the member's datasets; NotFound for anybody else's.
func (p *Portal) find(v *visit) (owned, error) {
	if !coop.ValidID(v.id()) {
		return owned{}, errNotHere
	}
	d, err := p.Vault.Get(v.ctx(), v.me.ID, coop.DatasetID(v.id()))
	if err != nil {
		return owned{}, err
	}
	earned, err := p.Market.Earned(v.ctx(), v.me.ID)
	if err != nil {
		return owned{}, err
	}
	return owned{Dataset: d, Title: p.poolTitle(d.Pool), Earned: earned[d.ID]}, nil
}

// usesShown is how many decisions a dataset's page lists.
const usesShown = 50

// dataset is everything about one dataset.
func (p *Portal) dataset(v *visit) error {
	d, err := p.find(v)
	if err != nil {
		return err
	}
	one := []owned{d}
	if err := p.whoUsed(v.ctx(), v.me.ID, one); err != nil {
		return err
	}
	uses, more, err := p.reader().Newest(v.ctx(), v.me.ID, d.ID, usesShown)
	if err != nil {
		return err
	}
	answer, err := p.standing(v.ctx(), v.me.ID, d.Pool, d.ID)
	if err != nil {
		return err
	}
	page := struct {
		Dataset  owned
		Standing standing
		Uses     []feed.Use
		More     bool
		Receipt  *vault.Receipt
		Chart    chart.Chart
		Earned   []hearings.Earning
		Reports  []marketplace.Report
	}{one[0], answer, uses, more, nil, one[0].history.Chart(p.Clock()), nil, nil}
	if page.Reports, err = p.Market.DatasetReports(v.ctx(), v.me.ID, d.ID); err != nil {
		return err
	}
	if page.Earned, err = p.rooms().Earnings(v.ctx(), v.me.ID, d.ID); err != nil {
		return err
	}
	if d.Over() {
		r, err := p.Vault.Receipt(v.ctx(), v.me.ID, d.ID)
		if err != nil {
			return err
		}
		page.Receipt = &r
	}
	return v.show("dataset", page)
}

var errSure = fault.New(fault.Invalid, "confirm-first", "Say that you are sure with the button below. Nothing was changed.")

func (p *Portal) revokeForm(v *visit) error {
	d, err := p.find(v)
	if err != nil {
		return err
	}
	if d.Over() { // somebody went back in their browser
		return v.done("/data/"+string(d.ID), note{Title: "This dataset is revoked already", Text: "Nothing more was done. Its receipt is on this page."})
	}
	return v.show("revoke", d)
}

// revoke destroys a dataset once the member has said that they are sure.
func (p *Portal) revoke(v *visit) error {
	if v.form.Get("sure") != "yes" {
		return v.again(errSure, p.revokeForm)
	}
	d, err := p.find(v)
	if err != nil {
		return err
	}
	r, err := p.Vault.Revoke(v.ctx(), v.me.ID, d.ID)
	if err != nil {
		return err
	}
	n := note{Title: "This dataset is revoked and destroyed", Text: "Below is your signed receipt. Keep a copy of it."}
	if !r.Complete {
		n = note{Title: "This dataset is revoked", Text: "Nobody gets it any more. The last steps of destroying it are still under way; the receipt below says which."}
	}
	return v.done("/data/"+string(d.ID), n)
}

// receipt is the signed receipt of a revocation, byte for byte.
func (p *Portal) receipt(v *visit) error {
	if !coop.ValidID(v.id()) {
		return errNotHere
	}
	r, err := p.Vault.Receipt(v.ctx(), v.me.ID, coop.DatasetID(v.id()))
	if err != nil {
		return err
	}
	text, err := r.JSON()
	if err != nil {
		return err
	}
	return v.download("application/json", "revocation-"+v.id()+".json", text)
}
