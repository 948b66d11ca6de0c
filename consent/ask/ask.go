// Package ask is the question that consent answers: a researcher's request as
// decisions see it, before any dataset is looked at. It refuses what is no
// question; what is merely not permitted is for the law to say.
package ask

import (
	"unicode/utf8"

	"distributed.ai/datacoop/consent/terms"
	"distributed.ai/datacoop/internal/coop"
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

// Check refuses what is no question with ErrAsk.
func (a Ask) Check() error {
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

// Asked is the ask as the law reads it at a moment, in Unix milliseconds.
func (a Ask) Asked(now int64) policies.Request {
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
