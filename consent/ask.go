package consent

import (
	"unicode/utf8"

	"distributed.ai/datacoop/consent/terms"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/policies"
)

// ErrAsk refuses a question that is not one. What is merely not permitted is
// not an error but a recorded refusal.
var ErrAsk = fault.New(fault.Invalid, "ask-invalid", "The request cannot be decided as it stands.")

// Ask is a researcher's request as decisions see it.
type Ask struct {
	Request       coop.RequestID
	Researcher    Requester
	Pool          coop.PoolID
	Purpose       coop.Purpose
	Price         coop.Money // for one dataset
	RetentionDays int64
	Recipient     string // the age recipient a permit is for; needed by Decide alone
	Reviewed      bool   // a steward has said yes, where a policy or a condition asks for that
	Study         policies.Study
}

// Requester is who asks, as the co-op knows them at this moment.
type Requester struct {
	ID     coop.ResearcherID
	Kind   string // one of coop.RequesterKinds
	Vetted bool
	Region string // ISO 3166-1 alpha-2

	Institution string // as vetted; "" is not known
}

const maxText = 4096 // an age recipient, the longest text of an ask, has about 2,000

func (a Ask) check() error {
	ok := coop.ValidID(a.Request) && coop.ValidID(a.Researcher.ID) && coop.ValidSlug(a.Pool) &&
		a.Price <= terms.MaxPrice && a.Price >= -terms.MaxPrice &&
		a.RetentionDays <= terms.MaxPrice && a.RetentionDays >= -terms.MaxPrice
	ok = ok && len(a.Study.Kinds) <= terms.MaxEntries && a.Study.PublishFrom >= 0 && a.Study.PublishFrom <= coop.Forever &&
		(a.Study.Disease == "" || policies.ValidDisease(a.Study.Disease)) &&
		(a.Study.Project == "" || policies.ValidName(a.Study.Project))
	words := []string{a.Purpose.DUO, a.Purpose.DPV, a.Researcher.Kind, a.Researcher.Region, a.Recipient, a.Researcher.Institution}
	for _, s := range append(words, a.Study.Kinds...) {
		ok = ok && len(s) <= maxText && utf8.ValidString(s)
	}
	if !ok {
		return ErrAsk
	}
	return nil
}

// request is the ask as the law reads it.
func (a Ask) request(now int64) policies.Request {
	return policies.Request{
		ID:   string(a.Request),
		Pool: string(a.Pool),
		Requester: policies.Requester{
			ID: string(a.Researcher.ID), Kind: a.Researcher.Kind,
			Vetted: a.Researcher.Vetted, Region: a.Researcher.Region, Institution: a.Researcher.Institution,
		},
		DUO:           a.Purpose.DUO,
		DPV:           a.Purpose.DPV,
		Commercial:    a.Purpose.Commercial(),
		PriceMinor:    int64(a.Price),
		RetentionDays: a.RetentionDays,
		Reviewed:      a.Reviewed,
		Study:         a.Study,
		Time:          now,
	}
}

// question puts together everything the law is asked about one dataset.
func question(a Ask, e enrolled, records []Record, paused bool, now int64) policies.Input {
	in := policies.Input{
		Request: a.request(now),
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
	in := question(a, m.enrolled, governing(own, pool), m.paused, now)
	said, err := heardAbout(tx, in)
	if err != nil {
		return policies.Input{}, err
	}
	said.tell(&in)
	return in, nil
}
