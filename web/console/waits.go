package console

import (
	"cmp"
	"context"
	"math"
	"slices"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace"
)

// wait is one thing that a researcher has to do: pay, report, delete, or answer
// a price.
type wait struct {
	Request coop.RequestID
	Title   string
	Invoice *marketplace.Invoice    // to be paid
	Open    coop.Money              // of it
	Duty    *marketplace.ReportDuty // to be done
	Until   int64                   // Unix ms; 0 for no day
	Late    bool
}

// waits lists what a researcher has to do, the most urgent first.
func (c Console) waits(ctx context.Context, r coop.ResearcherID, invoices []marketplace.Invoice) (out []wait, err error) {
	now := c.Market.Clock().UnixMilli()
	titles, out, err := c.priced(ctx, r)
	if err != nil {
		return nil, err
	}
	for _, v := range invoices {
		if v.SettledAt == 0 {
			out = append(out, wait{Request: v.Request, Title: titles[v.Request], Invoice: &v, Open: v.Total - v.Paid, Until: v.DueAt, Late: now > v.DueAt})
		}
	}
	duties, err := c.Market.ReportDuties(ctx, r)
	for _, d := range duties {
		if d.Owes() {
			out = append(out, wait{Request: d.Request, Title: d.Title, Duty: &d, Until: d.OverdueAt(), Late: d.Overdue()})
		}
	}
	slices.SortStableFunc(out, func(a, b wait) int { return cmp.Compare(a.by(), b.by()) })
	return out, err
}

// by is when it has to be done; what has no day comes after what has one.
func (w wait) by() int64 {
	if w.Until == 0 {
		return math.MaxInt64
	}
	return w.Until
}

// priced answers the titles of all requests, and which of them wait for the
// researcher to accept a price.
func (c Console) priced(ctx context.Context, r coop.ResearcherID) (titles map[coop.RequestID]string, out []wait, err error) {
	titles = map[coop.RequestID]string{}
	const many = 500
	for before := ""; ; {
		list, err := c.Market.Requests(ctx, r, before, many)
		if err != nil {
			return nil, nil, err
		}
		for _, q := range list {
			titles[q.ID] = q.Title
			if q.State == marketplace.StateDecided {
				out = append(out, wait{Request: q.ID, Title: q.Title})
			}
		}
		if len(list) < many {
			return titles, out, nil
		}
		before = string(list[many-1].ID)
	}
}
