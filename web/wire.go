package web

import (
	"maps"
	"slices"
	"time"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/codebook"
	"distributed.ai/datacoop/vault"
	"distributed.ai/datacoop/web/client"
	"distributed.ai/datacoop/web/entry"
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

func wireToken(t entry.Token) client.Token {
	return client.Token{ID: t.ID, Label: t.Label, CreatedAt: millis(t.CreatedAt), ExpiresAt: millis(t.ExpiresAt)}
}

func (s *Server) wirePool(p marketplace.PoolView) client.Pool {
	out := client.Pool{ID: string(p.ID), Title: p.Title, Description: p.Description, Price: int64(p.Price),
		Currency: string(s.Charter.Currency), MinimumGroup: p.MinimumGroup, Warning: p.Codebook.Also}
	if !p.TooFew {
		out.Members = &p.Members
	}
	return out
}

func wireCodebook(b codebook.Codebook) client.Codebook {
	return client.Codebook{Pool: b.Pool, Title: b.Title,
		Formats: each(b.Formats, func(f codebook.Format) string { return f.ID }),
		Columns: each(b.Columns, func(c codebook.Column) client.Column {
			return client.Column{Name: c.Name, Type: c.Type, Unit: c.Unit, Source: c.Source, Description: c.Description}
		})}
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

func domainProfile(p client.Profile) vault.Profile {
	return vault.Profile{Format: p.Format, Rows: p.Rows, Columns: p.Columns, From: p.From, To: p.To,
		Coverage: p.Coverage, Days: p.Days, Persons: p.Persons}
}

// sealTerms are the terms a dataset is sealed with; nil leaves it to the
// member's answer for the pool.
func sealTerms(t *client.Terms) *consent.Terms {
	if t == nil {
		return nil
	}
	out := terms.Domain(*t)
	return &out
}

func wireRecipient(r marketplace.Recipient) client.Recipient {
	return client.Recipient{ID: string(r.ID), Recipient: r.Recipient, Proven: r.ProvenAt > 0, Challenge: r.Challenge,
		CreatedAt: millis(r.CreatedAt)}
}

// wireDecided adds what the policy said.
func wireDecided(d marketplace.Decided) client.AccessRequest {
	out := terms.Request(d.Request)
	out.Reasons, out.Warning, out.Obligations = terms.Reasons(d.Reasons), d.Warning, terms.Duties(d.Obligations)
	return out
}

func (s *Server) wireInvoice(v marketplace.Invoice) client.Invoice {
	return client.Invoice{ID: string(v.ID), Number: v.Number, Request: string(v.Request), Total: int64(v.Total), Paid: int64(v.Paid),
		Currency: string(s.Charter.Currency), Reference: v.Reference, IssuedAt: millis(v.IssuedAt), DueAt: millis(v.DueAt),
		SettledAt: since(v.SettledAt)}
}

func wireFile(f marketplace.FileView) client.File {
	return client.File{ID: string(f.ID), Size: f.Size, SHA256: f.SHA256, Raw: f.Raw, Gone: f.Gone, State: f.State}
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

func wireImpact(i governance.Impact) client.Impact {
	return client.Impact{State: i.State, Done: i.Done, Total: i.Total, Left: i.Left, Law: i.Law, Reason: i.Reason,
		Decisions: i.Decisions, NowRefused: i.NowRefused, NowAllowed: i.NowAllowed, Requests: i.Requests,
		Members: i.Members, Sentences: list(i.Sentences), Changes: list(i.Changes), Counted: i.Counted,
		Cohorts: each(i.Cohorts, func(c governance.CohortImpact) client.ImpactCohort {
			return client.ImpactCohort{Pool: string(c.Pool), Request: c.Request, Released: c.Released, ReleasedMembers: c.ReleasedMembers,
				Refused: c.Refused, RefusedMembers: c.RefusedMembers, Sentence: c.Sentence}
		})}
}

func wireContribution(c governance.Contribution) client.Contribution {
	out := client.Contribution{ID: string(c.ID), Member: string(c.Member), Kind: string(c.Kind), Title: c.Title, Text: c.Text,
		Evidence: c.Evidence, State: string(c.State), Size: c.Size, Reviews: len(c.Reviews), CreatedAt: millis(c.SubmittedAt)}
	if c.Git != nil {
		out.Source, out.Authors = c.Git.Source, c.Git.Authors
		out.Members = each(c.Git.Members, func(m coop.MemberID) string { return string(m) })
	}
	return out
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
