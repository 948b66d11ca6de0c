package hearings

import (
	"context"
	"fmt"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/vault"
)

// Rooms are those that a statement's page asks.
type Rooms struct {
	Market     *marketplace.Service
	Governance *governance.Service
	Vault      *vault.Service
	PoolTitle  func(coop.PoolID) string
	Clock      coop.Clock
	Currency   coop.Currency
	Shelf      *Shelf
}

// Statement is one period as a member reads it: their amount, why it is that
// much, where all the money went, and what they can do about it.
type Statement struct {
	Period    marketplace.Period
	Statement appraisal.Statement
	Mine      *marketplace.Share
	Why       []Why // of the member's lines
	Models    []appraisal.Model
	Split     []appraisal.PartScore // what they said of the parts
	Params    appraisal.Params      // the numbers it was computed by
	Appeal    *marketplace.Appeal
	Contest   bool              // it can be contested now
	Lines     []Choice          // what a panel can look at
	Record    bool              // there is a record of appeals
	Vote      *Vote             // on whether the model counts; nil without one
	Titles    map[string]string // of what lines refer to
}

// Statement gathers a published statement for a member.
func (r Rooms) Statement(ctx context.Context, m coop.MemberID, id coop.PeriodID) (Statement, error) {
	period, paper, err := r.Shelf.find(ctx, r.Market, id)
	if err != nil {
		return Statement{}, err
	}
	page := Statement{Period: period, Statement: paper.statement, Models: paper.models, Split: paper.split, Params: paper.params, Titles: map[string]string{}}
	mine, err := r.Market.MemberStatement(ctx, m, id)
	if found, err := there(err); err != nil {
		return Statement{}, err
	} else if found {
		page.Mine = &mine.Share
		if page.Titles, err = r.titles(ctx, m, mine.Share); err != nil {
			return Statement{}, err
		}
		page.Lines = Judged(mine.Share, page.Titles)
		page.Why = paper.why(mine.Share, page.Titles, r.Currency, func(about marketplace.AppealLine) string { return r.Market.DossierOf(id, m, about) })
	}
	_, err = r.Market.Record(ctx, id)
	if page.Record, err = there(err); err != nil {
		return Statement{}, err
	}
	vote, voted, err := r.Market.AdoptionVote(ctx, m, id)
	if found, err := there(err); err != nil {
		return Statement{}, err
	} else if found {
		page.Vote = &Vote{vote, voted}
	}
	if page.Appeal, err = r.appeal(ctx, m, id); err != nil {
		return Statement{}, err
	}
	answered := page.Appeal == nil || page.Appeal.State == marketplace.AppealUpheld
	page.Contest = answered && period.State == marketplace.PeriodClosed && r.Clock().UnixMilli() < period.ChallengeEndsAt
	return page, nil
}

// there tells what is not there from what went wrong.
func there(err error) (bool, error) {
	if fault.KindOf(err) == fault.NotFound {
		return false, nil
	}
	return err == nil, err
}

// titles says in words what the lines of a share refer to.
func (r Rooms) titles(ctx context.Context, m coop.MemberID, s marketplace.Share) (map[string]string, error) {
	out := map[string]string{}
	list, err := r.Vault.Mine(ctx, m)
	if err != nil {
		return nil, fmt.Errorf("portal: titles: %w", err)
	}
	for _, d := range list {
		out[string(d.ID)] = r.PoolTitle(d.Pool)
	}
	for _, line := range s.Lines {
		if line.Kind != appraisal.KindWork || !coop.ValidID(line.Ref) {
			continue
		}
		c, err := r.Governance.Contribution(ctx, coop.ContributionID(line.Ref))
		found, err := there(err)
		if err != nil {
			return nil, fmt.Errorf("portal: titles: %w", err)
		}
		if found {
			out[line.Ref] = c.Title
		}
	}
	return out, nil
}

// appeal is the member's latest appeal against a statement, if any.
func (r Rooms) appeal(ctx context.Context, m coop.MemberID, id coop.PeriodID) (*marketplace.Appeal, error) {
	list, err := r.Market.Appeals(ctx, m)
	if err != nil {
		return nil, err
	}
	var out *marketplace.Appeal
	for i, a := range list {
		if a.Member == m && a.Period == id && (out == nil || a.OpenedAt > out.OpenedAt) {
			out = &list[i]
		}
	}
	return out, nil
}

// Figures are what a steward can mend for an appellant; none without a share.
func (r Rooms) Figures(ctx context.Context, a marketplace.Appeal) []Figure {
	st, err := r.Market.MemberStatement(ctx, a.Member, a.Period)
	if err != nil || a.About.Kind != "" {
		return nil
	}
	return Figures(st.Share)
}

// Earning is what one dataset brought in one period.
type Earning struct {
	Period  coop.PeriodID
	Amount  coop.Money
	Settled bool // it can no longer be contested
}

// Earnings lists the periods that one of a member's datasets is named in, newest
// first, also those in which it brought nothing.
func (r Rooms) Earnings(ctx context.Context, m coop.MemberID, ds coop.DatasetID) ([]Earning, error) {
	list, err := r.Market.MemberStatements(ctx, m)
	if err != nil {
		return nil, err
	}
	var out []Earning
	for _, st := range list {
		e, named := Earning{Period: st.Period.ID, Settled: st.Period.State != marketplace.PeriodClosed}, false
		for _, line := range st.Share.Lines {
			if line.Ref == string(ds) {
				e.Amount, named = e.Amount+coop.Money(line.Amount), true
			}
		}
		if named {
			out = append(out, e)
		}
	}
	return out, nil
}
