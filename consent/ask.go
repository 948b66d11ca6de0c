package consent

import (
	"distributed.ai/datacoop/consent/ask"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

// Ask is a researcher's request as decisions see it.
type Ask = ask.Ask

// Requester is who asks, as the co-op knows them at this moment.
type Requester = ask.Requester

// ErrAsk refuses a question that is not one.
var ErrAsk = ask.ErrAsk

// question puts together everything the law is asked about one dataset.
func question(asked policies.Request, e enrolled, records []Record, paused bool) policies.Input {
	in := policies.Input{
		Request: asked,
		Dataset: policies.Dataset{
			ID: string(e.Dataset), Member: string(e.Member), Pool: string(e.Pool),
			Categories: e.Categories, Region: e.Region, Sealed: e.Sealed, Closed: e.closed,
		},
		Records: make([]policies.Record, 0, len(records)),
	}
	for _, r := range records {
		in.Records = append(in.Records, r.policy(paused))
	}
	return in
}

// policy is the record as the law reads it.
func (r Record) policy(paused bool) policies.Record {
	scope := "pool"
	if r.Dataset != "" {
		scope = "dataset"
	}
	return policies.Record{
		ID: r.ID, Effect: r.effect, Scope: scope,
		Purposes: r.Purposes, Except: r.Except, DPV: r.DPV,
		RequesterKinds: r.RequesterKinds, Regions: r.Regions,
		Commercial: r.Commercial, MinPriceMinor: int64(r.MinPrice),
		NotBefore: r.NotBefore, Expires: r.Expires, Withdrawn: r.WithdrawnAt,
		Paused: paused, Limits: r.Terms.Limits(),
	}
}

// governing picks the records that answer for one dataset: its own, or else the
// pool's; and besides its own also a refusal or withdrawal that was given for
// the whole pool later.
func governing(dataset, pool Record) []Record {
	switch {
	case dataset.Seq == 0 && pool.Seq == 0:
		return nil
	case dataset.Seq == 0:
		return []Record{pool}
	case pool.Seq > dataset.Seq && pool.effect != policies.Given:
		return []Record{dataset, pool}
	}
	return []Record{dataset}
}

// questionFor reads what the law is asked about one dataset.
func questionFor(tx *db.Tx, a Ask, m matter, now int64) (policies.Input, error) {
	own, pool, err := recordsFor(tx, m.enrolled)
	if err != nil {
		return policies.Input{}, err
	}
	in := question(a.Asked(now), m.enrolled, governing(own, pool), m.paused)
	said, err := heardAbout(tx, in)
	if err != nil {
		return policies.Input{}, err
	}
	said.tell(&in)
	return in, nil
}
