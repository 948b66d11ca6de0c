package bench

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/ledger"
)

const (
	payees       = 1_000_000
	settleRounds = 5
	fuzzed       = 1_000_000 // apportionments
	firstPeriod  = coop.PeriodID("P0001")
)

// settlement measures posting what a million members get, and that what they
// get is exact.
func settlement(ctx context.Context, env Env) ([]Figure, error) {
	exact, err := apportionments(dice(), fuzzed)
	if err != nil {
		return nil, err
	}
	var settled, bare series
	var most float64
	for i := range settleRounds {
		mb, err := settleOnce(ctx, env, filepath.Join(env.Dir, "settle-"+strconv.Itoa(i)), &settled)
		if err != nil {
			return nil, err
		}
		most = max(most, mb)
		if err := bareOnce(ctx, env, filepath.Join(env.Dir, "bare-"+strconv.Itoa(i)), &bare); err != nil {
			return nil, err
		}
	}
	return []Figure{
		atMost(1.3, Figure{Name: "settle_1M_vs_bare_insert", Value: settled.median() / bare.median(), Unit: "ratio", Samples: settleRounds,
			Anchor: fmt.Sprintf("%.2f s to read, check, chain and post %d shares durably, to %.2f s for one transaction that only inserts the same postings and balances, "+
				"in the same batches of prepared rows", settled.median(), payees, bare.median())}),
		atMost(500, Figure{Name: "settle_1M_rss_mb", Value: most, Unit: "MB", Samples: settleRounds,
			Anchor: "absolute; resident memory of the whole process at most while it settles"}),
		atLeast(fuzzed, Figure{Name: "apportion_fuzz_exact", Value: float64(exact), Unit: "cases", Samples: fuzzed,
			Anchor: "random apportionments that add up to the unit and lie within one unit of their quotas, by big integers"}),
	}, nil
}

// crowdOf is what each of a million members gets of a revenue, and the steps of
// the statement that says so.
func crowdOf(d *rand.Rand) ([]ledger.Due, []appraisal.Step, error) {
	const revenue = 9_876_543_210
	steps := []appraisal.Step{
		{Name: appraisal.StepCommission, Amount: revenue / 10}, {Name: appraisal.StepReserve, Amount: revenue / 20},
		{Name: appraisal.StepPurpose, Amount: revenue / 50}, {Name: appraisal.StepMembers, Amount: revenue - revenue/10 - revenue/20 - revenue/50}}
	weights := make([]appraisal.Weight, payees)
	for i := range weights {
		weights[i] = appraisal.Weight{Key: coop.NewID(), W: 1 + d.Int64N(1_000_000)}
	}
	shares, err := appraisal.Apportion(steps[3].Amount, weights, string(firstPeriod))
	if err != nil {
		return nil, nil, err
	}
	out := make([]ledger.Due, len(shares))
	for i, s := range shares {
		out[i] = ledger.Due{Member: coop.MemberID(s.Key), Amount: coop.Money(s.Amount)}
	}
	return slices.DeleteFunc(out, func(due ledger.Due) bool { return due.Amount == 0 }), steps, nil
}

// settleOnce settles a million shares in a co-op of their own, and answers how
// many megabytes the process held at most.
func settleOnce(ctx context.Context, env Env, dir string, settled *series) (mb float64, err error) {
	c, err := env.Start(ctx, dir)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, c.Stop()) }()
	treasurer, err := (&people{Coop: c}).signIn(ctx, c.Accounts[1])
	if err != nil {
		return 0, err
	}
	if err := populate(ctx, c); err != nil {
		return 0, err
	}
	debug.FreeOSMemory()
	before, err := resident()
	if err != nil {
		return 0, err
	}
	grown, err := growth(func() error {
		return settled.time(func() error {
			_, err := c.Market.Settle(ctx, treasurer.id, firstPeriod)
			return err
		})
	})
	return float64(before)/(1<<20) + grown, err
}

func populate(ctx context.Context, c *Coop) error {
	members, steps, err := crowdOf(dice())
	if err != nil {
		return err
	}
	return c.Market.Populate(ctx, firstPeriod, members, steps)
}

// bareOnce inserts as many rows in books that have seen as little.
func bareOnce(ctx context.Context, env Env, dir string, bare *series) (err error) {
	c, err := env.Start(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Stop()) }()
	members, steps, err := crowdOf(dice())
	if err != nil {
		return err
	}
	if err := c.Market.Populate(ctx, firstPeriod, nil, steps); err != nil {
		return err
	}
	return bare.time(func() error { return ledger.Bare(ctx, c.DB, members) })
}

// apportionments divides n random totals and counts those that are exact.
func apportionments(d *rand.Rand, n int) (exact int, err error) {
	for i := range n {
		weights := make([]appraisal.Weight, 1+d.IntN(12))
		for k := range weights {
			weights[k] = appraisal.Weight{Key: strconv.Itoa(k), W: d.Int64N(1 << (1 + d.IntN(62)))}
		}
		weights[d.IntN(len(weights))].W++ // somebody is there to pay
		total := d.Int64N(1 << (1 + d.IntN(62)))
		shares, err := appraisal.Apportion(total, weights, strconv.Itoa(i))
		if err != nil {
			return exact, fmt.Errorf("apportion %d between %v: %w", total, weights, err)
		}
		if isExact(total, weights, shares) {
			exact++
		}
	}
	return exact, nil
}

// isExact holds shares against their quotas, share × Σw against total × w.
func isExact(total int64, weights []appraisal.Weight, shares []appraisal.Share) bool {
	sum := new(big.Int)
	for _, w := range weights {
		sum.Add(sum, big.NewInt(w.W))
	}
	left := total
	for i, s := range shares {
		left -= s.Amount
		off := new(big.Int).Mul(big.NewInt(s.Amount), sum)
		off.Sub(off, new(big.Int).Mul(big.NewInt(total), big.NewInt(weights[i].W)))
		if off.CmpAbs(sum) >= 0 || s.Amount < 0 || s.Key != weights[i].Key {
			return false
		}
	}
	return left == 0
}
