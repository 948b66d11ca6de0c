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
// second; the keys are sealed post-quantum.
func rotate(ctx context.Context, env Env) (out []Figure, err error) {
	p, err := gather(ctx, env)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.Stop()) }()
	var work sync.WaitGroup
	failed := make(chan error, 32)
	for range cap(failed) { // side by side, so that they share commits
		work.Go(func() {
			for range rotated / cap(failed) {
				if _, err := p.Vault.Open(ctx, p.members[0].id, pool, ""); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	work.Wait()
	select {
	case err := <-failed:
		return nil, err
	default:
	}
	next, err := vault.NewMaster()
	if err != nil {
		return nil, err
	}
	before := cpu()
	if err := p.Vault.Rotate(ctx, next); err != nil {
		return nil, err
	}
	used := cpu() - before
	epochs, err := p.Vault.Epochs(ctx)
	if err != nil {
		return nil, err
	}
	moved := epochs[len(epochs)-1].Keys
	return []Figure{atLeast(1200, Figure{Name: "rotate_keys_per_cpu_second", Value: float64(moved) / used.Seconds(), Unit: "1/s",
		Samples: int(moved), Anchor: "absolute; opened, sealed to the next epoch and stored durably, in this process"})}, nil
}
