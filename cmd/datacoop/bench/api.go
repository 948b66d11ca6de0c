package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/web/client"
)

const (
	city      = 12_000 // members, with four datasets for every three of them
	cities    = 3      // times doubled; 128,000 datasets then
	dryRuns   = 100
	callers   = 8  // at once
	callsEach = 40 // few enough for the limit on requests
)

// api measures what people wait for over HTTP: reading something of theirs, and
// the dry run of a request in a large pool.
func api(ctx context.Context, env Env) (out []Figure, err error) {
	p, err := gather(ctx, env)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.Stop()) }()
	get, err := p.gets(ctx)
	if err != nil {
		return nil, err
	}
	check, err := p.checks(ctx)
	if err != nil {
		return nil, err
	}
	page, err := p.pages(ctx)
	if err != nil {
		return nil, err
	}
	return []Figure{get, check, page}, nil
}

// gets has a few members read who they are, all at once.
func (p *people) gets(ctx context.Context) (Figure, error) {
	all, failed := make([]series, callers), make([]error, callers)
	var done sync.WaitGroup
	for i := range callers {
		done.Go(func() {
			who := p.members[i%len(p.members)].api
			for range callsEach {
				failed[i] = errors.Join(failed[i], all[i].time(func() error { _, err := who.Me(ctx); return err }))
			}
		})
	}
	done.Wait()
	whole := slices.Concat(all...)
	return atMost(25, Figure{Name: "api_get_p99_ms", Value: whole.quantile(99) * 1000, Unit: "ms", Samples: len(whole),
		Anchor: fmt.Sprintf("absolute; an authenticated GET of JSON over HTTP, %d at once, median %.2f ms", callers, whole.median()*1000)}), errors.Join(failed...)
}

// checks asks for dry runs in a pool of more than a hundred thousand datasets,
// each for another purpose than the one before, in turns with one filtered count.
func (p *people) checks(ctx context.Context) (Figure, error) {
	if _, err := settle(ctx, p.Coop, pool, city); err != nil {
		return Figure{}, err
	}
	if err := consent.Double(ctx, p.DB, cities); err != nil {
		return Figure{}, err
	}
	ask := study()
	ask.Pool = pool
	shared, err := p.Consent.Tally(ctx, ask, nil)
	if err != nil {
		return Figure{}, err
	}
	var dry, count series
	purposes := coop.DUOPurposes()
	for i := range dryRuns {
		draft := client.RequestDraft{Pool: pool, Title: "A benchmark", DUO: purposes[i%len(purposes)].Code, DPV: "AcademicResearch", RetentionDays: 365}
		err := errors.Join(
			dry.time(func() error { _, err := p.researcher.CheckRequest(ctx, draft); return err }),
			count.time(func() error { _, err := p.Consent.Passing(ctx, []consent.Ask{ask}, nil); return err }))
		if err != nil {
			return Figure{}, err
		}
	}
	return Figure{Name: "check_100k_p99_ms", Value: dry.quantile(99) * 1000, Unit: "ms", Goal: "none", OK: true, Samples: dryRuns,
		Anchor: fmt.Sprintf("a dry run over HTTP with what other purposes would pass and the nearest requests, of %d datasets of %d members; median %.0f ms, "+
			"which is %.1f times one filtered count of the same datasets, %.1f ms", shared.Granted+shared.Refused, shared.AllMembers,
			dry.median()*1000, dry.median()/count.median(), count.median()*1000)}, nil
}

// quantile is the least time, in seconds, that a share of all in per cent took at
// most.
func (s series) quantile(percent int) float64 {
	sorted := slices.Sorted(slices.Values(s))
	if len(sorted) == 0 {
		return 0
	}
	return sorted[int(math.Ceil(float64(len(sorted)*percent)/100))-1].Seconds()
}
