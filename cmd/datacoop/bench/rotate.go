package bench

import (
	"context"
	"errors"
	"sync"

	"distributed.ai/datacoop/vault"
)

// rotated is how many keys move.
const rotated = 3000

// rotate measures what replacing the master key costs, per key and processor
// second. Keys that were made while the vault was locked are sealed to the
// epoch's public key, which is post-quantum; those are measured. The first
// rotation seals them under a symmetric key, as all keys are that an unlocked
// vault makes, and a second one measures that.
func rotate(ctx context.Context, env Env) (out []Figure, err error) {
	p, err := gather(ctx, env)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.Stop()) }()
	p.Vault.Lock()
	if err := p.mint(ctx); err != nil {
		return nil, err
	}
	if err := p.Vault.Unlock(ctx, p.Master); err != nil {
		return nil, err
	}
	locked, moved, err := p.rotate(ctx)
	if err != nil {
		return nil, err
	}
	usual, again, err := p.rotate(ctx)
	if err != nil {
		return nil, err
	}
	return []Figure{
		atLeast(1200, Figure{Name: "rotate_keys_per_cpu_second", Value: locked, Unit: "1/s", Samples: moved,
			Anchor: "absolute; keys sealed post-quantum: opened, sealed to the next epoch and stored durably, in this process"}),
		{Name: "rotate_usual_keys_per_cpu_second", Value: usual, Unit: "1/s", Goal: "none", Samples: again, OK: true,
			Anchor: "the same keys once more, now sealed under the epoch's symmetric key, as an unlocked vault seals them"},
	}, nil
}

// mint opens datasets, several at once so that they share commits.
func (p *people) mint(ctx context.Context) error {
	var work sync.WaitGroup
	failed := make([]error, 32)
	for i := range failed {
		work.Go(func() {
			for range rotated / len(failed) {
				if _, err := p.Vault.Open(ctx, p.members[0].id, pool, ""); err != nil {
					failed[i] = err
					return
				}
			}
		})
	}
	work.Wait()
	return errors.Join(failed...)
}

// rotate replaces the master key once and answers how many keys it moved per
// processor second.
func (p *people) rotate(ctx context.Context) (rate float64, moved int, err error) {
	next, err := vault.NewMaster()
	if err != nil {
		return 0, 0, err
	}
	before := cpu()
	if err := p.Vault.Rotate(ctx, next); err != nil {
		return 0, 0, err
	}
	used := cpu() - before
	epochs, err := p.Vault.Epochs(ctx)
	if err != nil {
		return 0, 0, err
	}
	moved = int(epochs[len(epochs)-1].Keys)
	return float64(moved) / used.Seconds(), moved, nil
}
