// Package annals gathers what the co-op did, for the pages that tell it: the
// minutes, month by month, and the stops of all deliveries.
//
// It is an annex of the portal and keeps nothing.
//
// # What it guarantees
//
// The minutes of a year hold every proposal that was decided in it, every revision
// of the law that came into force, every statement and settlement and every stop,
// each under the month in which it happened, newest first.
//
// # What it refuses
//
// To name who voted how, what a member earned or whose data were concerned: it
// reads nothing that knows.
package annals

import (
	"cmp"
	"context"
	"slices"
	"time"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace"
)

// Rooms are those that are asked.
type Rooms struct {
	Market     *marketplace.Service
	Governance *governance.Service
	Clock      coop.Clock
}

// Incident is a stop of all deliveries with the names of who did what.
type Incident struct {
	marketplace.Incident
	Frozen, Asked, Lifted string
	AskedByMe             bool
}

// Incidents lists all stops, newest first, for a steward.
func (r Rooms) Incidents(ctx context.Context, me coop.MemberID) ([]Incident, error) {
	all, err := r.Market.Incidents(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Incident, 0, len(all))
	for _, i := range all {
		out = append(out, Incident{i, r.name(ctx, i.FrozenBy), r.name(ctx, i.AskedBy), r.name(ctx, i.LiftedBy), i.AskedBy == me})
	}
	return out, nil
}

func (r Rooms) name(ctx context.Context, id coop.MemberID) string {
	if id == "" {
		return ""
	}
	m, err := r.Governance.Member(ctx, id)
	if err != nil || m.Name == "" {
		return "a former member"
	}
	return m.Name
}

// What an entry is about.
const (
	Decided = "decided" // a proposal, one way or the other
	Law     = "law"     // a revision came into force
	Closed  = "closed"  // a period ended
	Settled = "settled" // its money was shared out
	Frozen  = "frozen"  // all deliveries were stopped
	Lifted  = "lifted"  // and made again
)

// Entry is one thing that happened.
type Entry struct {
	At       int64
	Kind     string
	Proposal governance.Proposal // Decided
	Revision string              // Law
	Period   marketplace.Period  // Closed, Settled
	Incident marketplace.Incident
}

// Month is what happened in one.
type Month struct {
	Name    string // "March 2026"
	Entries []Entry
}

// Minutes are one year's.
type Minutes struct {
	Year, Before, After int // the years beside it; 0 where there is none to tell of
	Months              []Month
}

// firstYear is before any co-op that runs on this.
const firstYear = 2024

// Minutes gathers a year. Another than there can be is the present one.
func (r Rooms) Minutes(ctx context.Context, year int) (Minutes, error) {
	now := r.Clock().UTC().Year()
	if year < firstYear || year > now {
		year = now
	}
	out := Minutes{Year: year}
	if year > firstYear {
		out.Before = year - 1
	}
	if year < now {
		out.After = year + 1
	}
	all, err := r.entries(ctx, time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli())
	if err != nil {
		return Minutes{}, err
	}
	slices.SortStableFunc(all, func(a, b Entry) int { return cmp.Compare(b.At, a.At) })
	for _, e := range all {
		at := time.UnixMilli(e.At).UTC()
		if at.Year() != year {
			continue
		}
		name := at.Format("January 2006")
		if n := len(out.Months); n == 0 || out.Months[n-1].Name != name {
			out.Months = append(out.Months, Month{Name: name})
		}
		last := &out.Months[len(out.Months)-1]
		last.Entries = append(last.Entries, e)
	}
	return out, nil
}

// entries are all that happened from a moment on, and perhaps some before.
func (r Rooms) entries(ctx context.Context, since int64) ([]Entry, error) {
	out, err := r.council(ctx, since)
	if err != nil {
		return nil, err
	}
	periods, err := r.Market.Periods(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range periods {
		if p.ClosedAt > 0 {
			out = append(out, Entry{At: p.ClosedAt, Kind: Closed, Period: p})
		}
		if p.SettledAt > 0 {
			out = append(out, Entry{At: p.SettledAt, Kind: Settled, Period: p})
		}
	}
	incidents, err := r.Market.Incidents(ctx)
	for _, i := range incidents {
		out = append(out, Entry{At: i.FrozenAt, Kind: Frozen, Incident: i})
		if i.LiftedAt > 0 {
			out = append(out, Entry{At: i.LiftedAt, Kind: Lifted, Incident: i})
		}
	}
	return out, err
}

// batch is how many rows are asked for at once.
const batch = 100

// council lists proposals and laws, as far back as a moment.
func (r Rooms) council(ctx context.Context, since int64) (out []Entry, err error) {
	for before := ""; ; {
		list, err := r.Governance.Proposals(ctx, governance.Page{Before: before, Limit: batch})
		if err != nil {
			return nil, err
		}
		for _, p := range list {
			if p.Tally != nil || p.State == governance.Void {
				out = append(out, Entry{At: cmp.Or(p.ClosesAt, p.OpenedAt), Kind: Decided, Proposal: p})
			}
		}
		if len(list) < batch || list[len(list)-1].ClosesAt < since {
			break
		}
		before = string(list[len(list)-1].ID)
	}
	for before := int64(0); ; {
		laws, err := r.Governance.Revisions(ctx, before, batch)
		if err != nil {
			return nil, err
		}
		for _, l := range laws {
			out = append(out, Entry{At: l.EnactedAt, Kind: Law, Revision: l.Revision})
			before = l.Seq
		}
		if len(laws) < batch || laws[len(laws)-1].EnactedAt < since {
			return out, nil
		}
	}
}
