package bench

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

const (
	replayRounds = 5
	replayed     = 10 // recorded decisions to each question
)

// replay measures deciding the past once more: under one law, as a proposal is
// tried, and all of it under its own, comparing every part of the answers.
func replay(ctx context.Context, env Env) (out []Figure, err error) {
	c, err := env.Start(ctx, filepath.Join(env.Dir, "coop"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.Stop()) }()
	ask, shared, _, err := hamlet(ctx, c)
	if err != nil {
		return nil, err
	}
	decided := 0
	for range replayed {
		for _, price := range []coop.Money{300, 500, 700} {
			ask.Request, ask.Price = coop.RequestID(coop.NewID()), price
			if err := decideAll(ctx, c, ask, shared); err != nil {
				return nil, err
			}
			decided += len(shared)
		}
	}
	var allows, all series
	for range replayRounds {
		err := errors.Join(
			allows.use(func() error {
				flips, n, err := c.Consent.Replay(ctx, c.Engine.Current(), 0)
				return same(err, n, decided, len(flips))
			}),
			all.use(func() error {
				n, err := c.Consent.ReplayAll(ctx)
				return same(err, n, decided, 0)
			}),
		)
		if err != nil {
			return nil, err
		}
	}
	each := func(s series) float64 { return float64(decided) / s.median() }
	anchor := fmt.Sprintf("absolute; %d recorded decisions, %d to each question, which is decided once, %%s", decided, replayed)
	return []Figure{
		atLeast(10_000, Figure{Name: "replay_allows_per_cpu_second", Value: each(allows), Unit: "1/s", Samples: replayRounds,
			Anchor: fmt.Sprintf(anchor, "yes or no compared under one law")}),
		atLeast(5_000, Figure{Name: "replay_decisions_per_cpu_second", Value: each(all), Unit: "1/s", Samples: replayRounds,
			Anchor: fmt.Sprintf(anchor, "compared bit for bit with what was recorded, each under its own law")}),
	}, nil
}

// decideAll decides one delivery of each dataset.
func decideAll(ctx context.Context, c *Coop, ask consent.Ask, shared []coop.DatasetID) error {
	return c.DB.Update(ctx, func(tx *db.Tx) error {
		for _, ds := range shared {
			if _, _, err := c.Consent.Decide(tx, ask, ds); err != nil {
				return err
			}
		}
		return nil
	})
}

// same refuses to measure a replay that leaves something out or answers
// otherwise.
func same(err error, got, decided, flips int) error {
	if err == nil && (got != decided || flips != 0) {
		err = fmt.Errorf("%d of %d decisions replayed, %d differ", got, decided, flips)
	}
	return err
}
