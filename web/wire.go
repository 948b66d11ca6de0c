package web

import (
	"maps"
	"slices"
	"time"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/vault"
	"distributed.ai/datacoop/web/client"
	"distributed.ai/datacoop/web/lawbook"
	"distributed.ai/datacoop/web/terms"
)

// each maps a list, never to null.
func each[A, B any](list []A, f func(A) B) []B {
	out := make([]B, 0, len(list))
	for _, v := range list {
		out = append(out, f(v))
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func millis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// since is a time that may not have happened, or never will.
func since(ms int64) *time.Time {
	if ms == 0 || ms >= coop.Forever {
		return nil
	}
	t := millis(ms)
	return &t
}

// list turns a missing list into an empty one.
func list[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}

func wireMe(m governance.Member, paused bool) client.Me {
	return client.Me{ID: string(m.ID), Name: m.Name, JoinedAt: millis(m.JoinedAt), Paused: paused, Recipient: m.Recipient,
		Offices: each(m.Offices, func(o coop.Office) string { return string(o) })}
}

func (s *Server) wirePool(p marketplace.PoolView) client.Pool {
	out := client.Pool{ID: string(p.ID), Title: p.Title, Description: p.Description, Price: int64(p.Price),
		Currency: string(s.Charter.Currency), MinimumGroup: p.MinimumGroup, Warning: p.Codebook.Also}
	if !p.TooFew {
		out.Members = &p.Members
	}
	return out
}

// chunkBytes is the suggested size of one PATCH.
const chunkBytes = 8 << 20

func (s *Server) wireDataset(d vault.Dataset, earned coop.Money) client.Dataset {
	p := d.Profile
	return client.Dataset{ID: string(d.ID), Pool: string(d.Pool), State: d.State, Custody: wireCustody(d), VaultRecipient: d.VaultRecipient,
		Size: d.PayloadSize, SHA256: d.PayloadSHA256, Raw: d.Raw,
		Profile: client.Profile{Format: p.Format, Rows: p.Rows, Columns: list(p.Columns), From: p.From, To: p.To,
			Coverage: p.Coverage, Days: p.Days, Persons: p.Persons},
		CreatedAt: millis(d.CreatedAt), SealedAt: since(d.SealedAt), ShreddedAt: since(d.RevokedAt),
		Earned: int64(earned), MaxBytes: s.Vault.MaxBytes(), ChunkBytes: chunkBytes}
}

func (s *Server) wireInvoice(v marketplace.Invoice) client.Invoice {
	return client.Invoice{ID: string(v.ID), Number: v.Number, Request: string(v.Request), Total: int64(v.Total), Paid: int64(v.Paid),
		Currency: string(s.Charter.Currency), Reference: v.Reference, IssuedAt: millis(v.IssuedAt), DueAt: millis(v.DueAt),
		SettledAt: since(v.SettledAt)}
}

func (s *Server) wireProposal(p governance.Proposal) client.Proposal {
	enact := p.ExecutableAt
	if enact == 0 {
		enact = p.ClosesAt
	}
	return client.Proposal{ID: string(p.ID), Title: p.Title, Text: p.Text, State: string(p.State), Policy: string(p.Source),
		Sentences: list(p.Sentences), Revision: p.Revision, OpenedAt: millis(p.OpenedAt), ClosesAt: millis(p.ClosesAt),
		EnactAt: millis(enact), Electorate: p.Electorate, Note: p.Reason, PolicyForm: lawbook.Form(p.Source, s.Charter.Currency)}
}

func (s *Server) wirePeriod(p marketplace.Period) client.Period {
	return client.Period{ID: string(p.ID), State: p.State, OpenedAt: millis(p.OpenedAt), ClosedAt: since(p.ClosedAt),
		ChallengeEndsAt: since(p.ChallengeEndsAt), Revenue: int64(p.Revenue), Currency: string(s.Charter.Currency),
		BundleSHA256: p.BundleSHA256, Released: p.Released}
}

func (s *Server) wireStatement(p marketplace.Published) client.StatementView {
	out := client.StatementView{Period: s.wirePeriod(p.Period), Formula: p.Statement.Formula, Bundle: p.Bundle,
		Sentences: list(p.Statement.Sentences)}
	for _, step := range p.Statement.Waterfall {
		out.Totals = append(out.Totals, client.Line{Label: step.Name, Amount: step.Amount, Sentence: step.Sentence})
	}
	for _, part := range p.Statement.Parts {
		out.Totals = append(out.Totals, client.Line{Label: part.Kind, Amount: part.Amount, Sentence: part.Sentence})
	}
	return out
}

func (s *Server) wireMine(m marketplace.MemberStatement) client.MyStatement {
	return client.MyStatement{Period: s.wirePeriod(m.Period), Amount: int64(m.Share.Amount), Currency: string(s.Charter.Currency),
		Why: m.Share.Sentence, Lines: each(m.Share.Lines, func(l appraisal.Line) client.Line {
			return client.Line{Label: l.Kind, Amount: l.Amount, Sentence: l.Sentence}
		})}
}

// wireCheck puts a dry run into words as well as numbers.
func (s *Server) wireCheck(r marketplace.CheckResult) client.CheckResult {
	out := client.CheckResult{Datasets: r.Datasets, Members: r.Members, TooFew: r.TooFew, Price: int64(r.Price),
		ByReason: terms.Reasons(r.Reasons), ByLayer: map[string]int{},
		Yield: each(r.Yield, func(y marketplace.Yield) client.PurposeYield {
			return client.PurposeYield{DUO: y.Purpose.DUO, DPV: y.Purpose.DPV, Datasets: y.Datasets}
		}), Nearest: each(r.Nearest, func(n marketplace.Suggestion) client.Nearest { return client.Nearest(n) })}
	for _, c := range r.Reasons {
		out.ByLayer[c.Layer] += c.Datasets
	}
	out.Sentences = checkSentences(r)
	if out.Warning = r.Note; r.Note != "" {
		out.Sentences = append(out.Sentences, r.Note)
	}
	return out
}

func checkSentences(r marketplace.CheckResult) []string {
	if r.TooFew {
		return []string{"Fewer members than the pool's minimum group would pass, so nothing would be released."}
	}
	return []string{"This request would pass as it stands."}
}
