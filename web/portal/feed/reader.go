package feed

import (
	"context"
	"maps"
	"slices"
	"time"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/policies"
	"distributed.ai/datacoop/web/portal/chart"
)

// Reader reads what was decided about members' data. It is safe for concurrent
// use.
type Reader struct {
	Consent   *consent.Service
	Market    *marketplace.Service
	PoolTitle func(coop.PoolID) string
}

// Asks finds what requests are for, each once.
func (r Reader) Asks(ctx context.Context) func(coop.RequestID) (marketplace.Asking, error) {
	known := map[coop.RequestID]marketplace.Asking{}
	return func(id coop.RequestID) (marketplace.Asking, error) {
		a, ok := known[id]
		if ok {
			return a, nil
		}
		a, err := r.Market.Asking(ctx, id)
		if err != nil {
			return marketplace.Asking{}, err
		}
		known[id] = a
		return a, nil
	}
}

// Reading all decisions goes page by page; what is older than this many pages
// only the feed shows.
const (
	batch      = 200
	maxBatches = 25
)

// All hands over a member's decisions, newest first, until keep says no or
// there are very many.
func (r Reader) All(ctx context.Context, m coop.MemberID, keep func(consent.Decision) bool) error {
	before := ""
	for range maxBatches {
		list, err := r.Consent.Uses(ctx, m, before, batch)
		if err != nil {
			return err
		}
		for _, d := range list {
			if !keep(d) {
				return nil
			}
		}
		if len(list) < batch {
			return nil
		}
		before = string(list[len(list)-1].ID)
	}
	return nil
}

// Described adds to decisions what was asked.
func (r Reader) Described(ctx context.Context, list []consent.Decision) ([]Use, error) {
	asks := r.Asks(ctx)
	out := make([]Use, 0, len(list))
	for _, d := range list {
		a, err := asks(d.Request)
		if err != nil {
			return nil, err
		}
		out = append(out, Use{Decision: d, Ask: a, Pool: r.PoolTitle(d.Pool)})
	}
	return out, nil
}

// Newest lists the newest decisions about one dataset, at most limit, and
// whether there are more.
func (r Reader) Newest(ctx context.Context, m coop.MemberID, ds coop.DatasetID, limit int) (out []Use, more bool, err error) {
	list, next, err := r.Consent.UsesSeen(ctx, m, consent.Seen{Dataset: ds}, "", limit)
	if err != nil {
		return nil, false, err
	}
	out, err = r.Described(ctx, list)
	return out, next != "", err
}

// maxRows is the most decisions one table holds.
const maxRows = 10_000

// CSV is the feed from a place on as comma-separated values, for a spreadsheet.
func (r Reader) CSV(ctx context.Context, m coop.MemberID, c Chosen) ([]byte, error) {
	var all []Use
	for before := c.Before; len(all) < maxRows; {
		list, next, err := r.Consent.UsesSeen(ctx, m, c.Seen(), before, batch)
		if err != nil {
			return nil, err
		}
		uses, err := r.Described(ctx, list)
		if err != nil {
			return nil, err
		}
		if all, before = append(all, uses...), next; next == "" {
			break
		}
	}
	return Table(all), nil
}

// History is which requests read one dataset and which were refused it, each
// with when it last was, in Unix milliseconds.
type History struct{ Read, Refused map[coop.RequestID]int64 }

// Chart draws it as of now.
func (h History) Chart(now time.Time) chart.Chart {
	return chart.Months(now, slices.Collect(maps.Values(h.Read)), slices.Collect(maps.Values(h.Refused)))
}

// Histories are those of all of a member's datasets that anybody asked for.
func (r Reader) Histories(ctx context.Context, m coop.MemberID) (map[coop.DatasetID]History, error) {
	out := map[coop.DatasetID]History{}
	err := r.All(ctx, m, func(d consent.Decision) bool {
		h, ok := out[d.Dataset]
		if !ok {
			h = History{map[coop.RequestID]int64{}, map[coop.RequestID]int64{}}
			out[d.Dataset] = h
		}
		switch {
		case d.NeedsReview: // nothing is said yet
		case !d.Allow:
			h.Refused[d.Request] = max(h.Refused[d.Request], d.At)
		case d.Stage == consent.StageDelivery:
			h.Read[d.Request] = max(h.Read[d.Request], d.At)
		}
		return true
	})
	return out, err
}

// Readers are the names of those who read a dataset, each once.
func (r Reader) Readers(ctx context.Context, h History) ([]string, error) {
	names, asks := map[string]bool{}, r.Asks(ctx)
	for id := range h.Read {
		a, err := asks(id)
		if err != nil {
			return nil, err
		}
		names[a.Who.Name] = true
	}
	return slices.Sorted(maps.Keys(names)), nil
}

// noConsent is law's reason where a member has said nothing.
const noConsent = "no-consent"

// Recent is what became of the requests for a member's data of late.
type Recent struct {
	Read, Refused map[coop.RequestID]bool
	Unanswered    map[coop.PoolID]map[coop.RequestID]bool // refused because there was no answer
}

// Since looks at what was decided from a moment on, in Unix milliseconds.
func (r Reader) Since(ctx context.Context, m coop.MemberID, since int64) (Recent, error) {
	out := Recent{map[coop.RequestID]bool{}, map[coop.RequestID]bool{}, map[coop.PoolID]map[coop.RequestID]bool{}}
	return out, r.All(ctx, m, func(d consent.Decision) bool {
		switch {
		case d.At < since:
			return false
		case d.NeedsReview: // nothing is said yet
		case !d.Allow:
			out.Refused[d.Request] = true
			if slices.ContainsFunc(d.Reasons, func(r policies.Reason) bool { return r.Code == noConsent }) {
				if out.Unanswered[d.Pool] == nil {
					out.Unanswered[d.Pool] = map[coop.RequestID]bool{}
				}
				out.Unanswered[d.Pool][d.Request] = true
			}
		case d.Stage == consent.StageDelivery:
			out.Read[d.Request] = true
		}
		return true
	})
}
