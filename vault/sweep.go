package vault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

// Sweep finishes what a crash, a full disk or time has left behind: it
// completes revocations, deletes keys that belong to no dataset or to a
// revoked one (as after a backup was restored), turns the epoch, expires
// headers and uploads, and unlinks files that no row knows. A server calls it
// before it serves and may call it at any time after; each step can be
// repeated. Every step is tried; the errors come joined.
func (s *Service) Sweep(ctx context.Context) error {
	return errors.Join(
		s.sweepKeys(ctx),
		s.sweepDue(ctx),
		s.sweepFiles(ctx),
	)
}

// How often Keep looks for what is due, and for what is astray.
const (
	keepEvery  = time.Minute
	sweepEvery = 24 * time.Hour
)

// Keep does what falls due until ctx ends: a server runs it beside its work.
// What fails is logged and tried again.
func (s *Service) Keep(ctx context.Context) {
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	swept := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		work := s.sweepDue
		if time.Since(swept) >= sweepEvery {
			work, swept = s.Sweep, time.Now()
		}
		if err := work(ctx); err != nil && ctx.Err() == nil {
			s.cfg.Logger.ErrorContext(ctx, "vault: what was due is not done; it is tried again", "error", err)
		}
	}
}

// sweepDue does what time alone makes due.
func (s *Service) sweepDue(ctx context.Context) error {
	return errors.Join(
		s.sweepRevoked(ctx),
		s.sweepEpochs(ctx),
		s.sweepGrants(ctx),
		s.sweepUploads(ctx),
		s.ballast.Fill(),
	)
}

// sweepEpochs leaves the epoch to whoever unlocks the vault, if it is locked.
func (s *Service) sweepEpochs(ctx context.Context) error {
	err := s.TurnEpoch(ctx)
	if errors.Is(err, ErrVaultSealed) {
		return nil
	}
	return err
}

func (s *Service) sweepRevoked(ctx context.Context) error {
	var ids []coop.DatasetID
	err := s.db.View(ctx, func(tx *db.Tx) (err error) {
		ids, err = shreddingDatasets(tx)
		return err
	})
	if err != nil {
		return fmt.Errorf("vault: sweep: %w", err)
	}
	for _, ds := range ids {
		if _, err := s.shred(ctx, ds); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) sweepKeys(ctx context.Context) error {
	s.minting.Lock() // no key is on its way to a dataset row
	defer s.minting.Unlock()
	var living []coop.DatasetID
	held, err := s.keys.Holders(ctx)
	if err != nil {
		return err
	}
	err = s.db.View(ctx, func(tx *db.Tx) (err error) {
		living, err = livingDatasets(tx)
		return err
	})
	if err != nil {
		return fmt.Errorf("vault: sweep keys: %w", err)
	}
	lives := set(living)
	orphans := slices.DeleteFunc(held, func(ds coop.DatasetID) bool { return lives[ds] })
	if len(orphans) == 0 {
		return nil
	}
	if err := s.keys.Forget(ctx, orphans...); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	return s.keys.Truncate(ctx)
}

func (s *Service) sweepGrants(ctx context.Context) error {
	err := s.db.Update(ctx, func(tx *db.Tx) error { return expireGrantsBefore(tx, s.now()) })
	if err != nil {
		return fmt.Errorf("vault: sweep grants: %w", err)
	}
	return nil
}

func (s *Service) sweepUploads(ctx context.Context) error {
	now := s.now()
	var rows []upload
	err := s.db.View(ctx, func(tx *db.Tx) (err error) {
		rows, err = expiredUploads(tx, now)
		return err
	})
	if err != nil {
		return fmt.Errorf("vault: sweep uploads: %w", err)
	}
	for _, row := range rows {
		// Not found: a part came in meanwhile and it lives on, or it is gone.
		if err := s.dropUpload(ctx, row, now); err != nil && !errors.Is(err, ErrUploadNotFound) {
			return err
		}
	}
	return nil
}

// sweepFiles looks at files first and at rows second: a file is made after its
// row, so one that is listed and has no row has lost it.
func (s *Service) sweepFiles(ctx context.Context) error {
	partials, err := s.cfg.Blobs.Partials()
	if err != nil {
		return err
	}
	whole, err := s.cfg.Blobs.Names(ctx)
	if err != nil {
		return err
	}
	var known, growing []string
	err = s.db.View(ctx, func(tx *db.Tx) (err error) {
		if known, err = knownBlobs(tx); err != nil {
			return err
		}
		growing, err = growingBlobs(tx)
		return err
	})
	if err != nil {
		return fmt.Errorf("vault: sweep files: %w", err)
	}
	for _, name := range without(partials, growing) {
		if err := s.cfg.Blobs.RemovePartial(name); err != nil {
			return fmt.Errorf("vault: sweep files: %w", err)
		}
	}
	for _, name := range without(whole, known) {
		if err := s.cfg.Blobs.Remove(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

func without[T comparable](items, others []T) []T {
	skip := set(others)
	return slices.DeleteFunc(items, func(item T) bool { return skip[item] })
}

func set[T comparable](items []T) map[T]bool {
	out := make(map[T]bool, len(items))
	for _, item := range items {
		out[item] = true
	}
	return out
}
