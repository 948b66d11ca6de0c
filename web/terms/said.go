package terms

import (
	"time"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/policies"
	"distributed.ai/datacoop/web/client"
)

func each[A, B any](list []A, f func(A) B) []B {
	out := make([]B, 0, len(list))
	for _, v := range list {
		out = append(out, f(v))
	}
	return out
}

func at(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// since is a time that may not have happened, or never will.
func since(ms int64) *time.Time {
	if ms == 0 || ms >= coop.Forever {
		return nil
	}
	t := at(ms)
	return &t
}

// Record is an answer of a member as the API writes it, with prices in the
// currency.
func Record(r consent.Record, c coop.Currency) client.ConsentRecord {
	return client.ConsentRecord{ID: r.ID, Pool: string(r.Pool), Dataset: string(r.Dataset), State: r.State, Terms: Wire(r.Terms),
		Sentences: list(r.Sentences(c)), CreatedAt: at(r.CreatedAt), ExpiresAt: since(r.Expires), WithdrawnAt: since(r.WithdrawnAt)}
}

// Preview says what an answer would mean where researchers pay the price; nil
// where that is not known.
func Preview(t consent.Terms, c coop.Currency, price *coop.Money) client.ConsentPreview {
	out := client.ConsentPreview{Sentences: t.Sentences(c), Warnings: []string{}}
	allows, refuses := consent.Split(out.Sentences)
	out.Allows, out.Refuses = list(allows), list(refuses)
	if price != nil && t.MinPrice > *price {
		out.Warnings = append(out.Warnings, "Researchers pay less in this pool than this asks for, so every request would be refused.")
	}
	return out
}

func reason(r policies.Reason) client.Reason {
	return client.Reason{Code: r.Code, Layer: r.Layer, Sentence: r.Sentence}
}

// Reasons is why datasets are refused, and how many.
func Reasons(counted []marketplace.ReasonCount) []client.ReasonCount {
	return each(counted, func(c marketplace.ReasonCount) client.ReasonCount {
		return client.ReasonCount{Reason: reason(c.Reason), Datasets: c.Datasets}
	})
}

// Duties are obligations in sentences.
func Duties(obligations []policies.Obligation) []string {
	return each(obligations, func(o policies.Obligation) string { return o.Sentence })
}

// Use is a decision about a member's data, with who asked and what for.
func Use(d consent.Decision, a marketplace.Asking) client.Use {
	return client.Use{ID: string(d.ID), At: at(d.At), Stage: d.Stage, Allowed: d.Allow, Dataset: string(d.Dataset),
		Pool: string(d.Pool), Researcher: a.Who.Name, Kind: a.Who.Kind, Region: a.Who.Region, Request: string(d.Request), Title: a.Title,
		DUO: d.Purpose.DUO, DPV: d.Purpose.DPV, Revision: d.Revision, NeedsReview: d.NeedsReview,
		Reasons: each(d.Reasons, reason), Obligations: Duties(d.Obligations), Rules: list(d.Rules)}
}

// Question is what a member is or was asked about a request.
func Question(q consent.Question, a marketplace.Asking) client.Question {
	return client.Question{Request: string(q.Request), Dataset: string(q.Dataset), Title: a.Title,
		Researcher: a.Who.Name, Kind: a.Who.Kind, Region: a.Who.Region, DUO: a.Purpose.DUO, DPV: a.Purpose.DPV,
		Open: a.Waits(), Until: since(a.Wait.Until), Answer: q.Answer, AskedAt: at(q.AskedAt), AnsweredAt: since(q.AnsweredAt)}
}

// Request is a researcher's request.
func Request(r marketplace.Request) client.AccessRequest {
	return client.AccessRequest{ID: string(r.ID), State: r.State, Pool: string(r.Pool), Title: r.Title,
		DUO: r.Purpose.DUO, DPV: r.Purpose.DPV, RetentionDays: r.RetentionDays, Recipient: string(r.Recipient),
		Granted: r.Granted, Refused: r.Refused, Reasons: []client.ReasonCount{}, Obligations: []string{},
		Revision: r.Revision, SubmittedAt: at(r.SubmittedAt), ExpiresAt: since(r.ExpiresAt), Note: r.Note, Study: WireStudy(r.Study)}
}

// Reviewed is a request with what a steward said about it.
func Reviewed(a marketplace.Asking) client.AccessRequest {
	out := Request(a.Request)
	out.Reviewed, out.Review = Spoken(a), a.Wait.Reason
	return out
}

// Spoken is what a steward said: yes, no, or nothing.
func Spoken(a marketplace.Asking) string {
	switch {
	case !a.Wait.Spoken():
		return ""
	case a.Wait.Approved():
		return client.AnswerYes
	}
	return client.AnswerNo
}

// Case is a request with what a steward is asked about it.
func Case(c marketplace.Case) client.ReviewCase {
	return client.ReviewCase{Request: Reviewed(c.Asking), Researcher: c.Who.Name, Kind: c.Who.Kind, Region: c.Who.Region,
		Institution: c.Who.Institution, Until: at(c.Wait.Until), Judge: Reasons(c.Judge), Other: Reasons(c.Other),
		Open: c.Waits() && !c.Wait.Spoken(), Reviewed: Spoken(c.Asking), Reason: c.Wait.Reason}
}
