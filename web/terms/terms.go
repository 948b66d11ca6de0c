// Package terms translates between what the API says of consent, of requests and
// of what was decided about them, and what the rooms below know, field by field.
//
// # What it guarantees
//
// Nothing is lost on the way: a test fills every field and finds it on the other
// side. Lists that the API always writes are never null; the others are left out
// where they say nothing.
//
// # What it refuses
//
// Nothing. What makes no sense is refused by package consent, with sentences; a
// day that cannot be read is handed on as one that says nothing of itself, so
// that the room below refuses it.
package terms

import (
	"time"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/policies"
	"distributed.ai/datacoop/web/client"
)

// Domain is what a member answers, as package consent takes it.
func Domain(t client.Terms) consent.Terms {
	return consent.Terms{Effect: t.Effect, Purposes: t.Purposes, Except: t.Except, DPV: t.DPV, RequesterKinds: t.RequesterKinds,
		Regions: t.Regions, Commercial: t.Commercial, MinPrice: coop.Money(t.MinPrice), Days: t.Days,
		Diseases: t.Diseases, Conditions: t.Conditions, Studies: t.Studies, Users: t.Users, Projects: t.Projects,
		Institutions: t.Institutions, KeepMonths: t.KeepMonths, PublishFrom: t.PublishFrom, Categories: t.Categories, Mode: t.Mode}
}

// Wire is the same as the API writes it.
func Wire(t consent.Terms) client.Terms {
	return client.Terms{Effect: t.Effect, Purposes: list(t.Purposes), Except: list(t.Except), DPV: list(t.DPV),
		RequesterKinds: list(t.RequesterKinds), Regions: list(t.Regions), Commercial: t.Commercial,
		MinPrice: int64(t.MinPrice), Days: t.Days,
		Diseases: t.Diseases, Conditions: t.Conditions, Studies: t.Studies, Users: t.Users, Projects: t.Projects,
		Institutions: t.Institutions, KeepMonths: t.KeepMonths, PublishFrom: t.PublishFrom, Categories: t.Categories, Mode: t.Mode}
}

// Unanswered is what the API says of a pool that a member has not answered for.
func Unanswered(pool coop.PoolID, d coop.Default) client.ConsentRecord {
	return client.ConsentRecord{Pool: string(pool), State: client.Unanswered, Terms: Wire(consent.Terms{Effect: consent.Refused}),
		Sentences: d.Sentences(), Default: &client.ConsentDefault{Answer: d.Answer, Days: d.Days, KeepMonths: d.KeepMonths, Conditions: list(d.Conditions)}}
}

// list turns a missing list into an empty one.
func list(l []string) []string {
	if l == nil {
		return []string{}
	}
	return l
}

// ErrDay refuses a day that is none.
var ErrDay = fault.New(fault.Invalid, "day-invalid", "The day from which results are published must be written YYYY-MM-DD.")

// WireStudy is what a request said of its study, as the API writes it.
func WireStudy(s policies.Study) client.Study {
	out := client.Study{Disease: s.Disease, Kinds: s.Kinds, Ethics: s.Ethics, Publishes: s.Publishes, Returns: s.Returns,
		Collaborates: s.Collaborates, Project: s.Project}
	if s.PublishFrom > 0 {
		out.PublishFrom = time.UnixMilli(s.PublishFrom).UTC().Format(time.DateOnly)
	}
	return out
}

// Study is what a request says of its study.
func Study(s client.Study) (policies.Study, error) {
	out := policies.Study{Disease: s.Disease, Kinds: s.Kinds, Ethics: s.Ethics, Publishes: s.Publishes, Returns: s.Returns,
		Collaborates: s.Collaborates, Project: s.Project}
	if s.PublishFrom != "" {
		day, err := time.Parse(time.DateOnly, s.PublishFrom)
		if err != nil || day.UnixMilli() <= 0 {
			return policies.Study{}, ErrDay
		}
		out.PublishFrom = day.UnixMilli()
	}
	return out, nil
}
