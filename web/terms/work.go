package terms

import (
	"time"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace/codebook"
	"distributed.ai/datacoop/web/client"
)

// Codebook is a pool's documented table.
func Codebook(b codebook.Codebook) client.Codebook {
	return client.Codebook{Pool: b.Pool, Title: b.Title,
		Formats: each(b.Formats, func(f codebook.Format) string { return f.ID }),
		Columns: each(b.Columns, func(c codebook.Column) client.Column {
			return client.Column{Name: c.Name, Type: c.Type, Unit: c.Unit, Source: c.Source, Description: c.Description}
		})}
}

// Impact is what a proposal would have meant.
func Impact(i governance.Impact) client.Impact {
	return client.Impact{State: i.State, Done: i.Done, Total: i.Total, Left: i.Left, Law: i.Law, Reason: i.Reason,
		Decisions: i.Decisions, NowRefused: i.NowRefused, NowAllowed: i.NowAllowed, Requests: i.Requests,
		Members: i.Members, Sentences: list(i.Sentences), Changes: list(i.Changes), Counted: i.Counted,
		Cohorts: each(i.Cohorts, func(c governance.CohortImpact) client.ImpactCohort {
			return client.ImpactCohort{Pool: string(c.Pool), Request: c.Request, Released: c.Released, ReleasedMembers: c.ReleasedMembers,
				Refused: c.Refused, RefusedMembers: c.RefusedMembers, Sentence: c.Sentence}
		})}
}

// Contribution is work done for the co-op.
func Contribution(c governance.Contribution) client.Contribution {
	out := client.Contribution{ID: string(c.ID), Member: string(c.Member), Kind: string(c.Kind), Title: c.Title, Text: c.Text,
		Evidence: c.Evidence, State: string(c.State), Size: c.Size, Reviews: len(c.Reviews), CreatedAt: time.UnixMilli(c.SubmittedAt).UTC()}
	if c.Git != nil {
		out.Source, out.Authors = c.Git.Source, c.Git.Authors
		out.Members = each(c.Git.Members, func(m coop.MemberID) string { return string(m) })
	}
	return out
}
