package vault

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

// Sweep finishes what a crash, a full disk or time has left behind: it
// completes revocations, deletes keys that belong to no dataset or to a
// revoked one (as after a backup was restored), expires headers and uploads,
// and unlinks files that no row knows. A server calls it before it serves and
// may call it at any time after; each step can be repeated. Every step is
// tried; the errors come joined.
func (s *Service) Sweep(ctx context.Context) error {
	return errors.Join(
		s.sweepRevoked(ctx),
		s.sweepKeys(ctx),
		s.sweepGrants(ctx),
		s.sweepUploads(ctx),
		s.sweepFiles(ctx),
	)
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
	var held, living []coop.DatasetID
	err := s.keys.View(ctx, func(tx *db.Tx) (err error) {
		held, err = keyHolders(tx)
		return err
	})
	if err != nil {
		return fmt.Errorf("vault: sweep keys: %w", err)
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
	if err := s.forget(ctx, orphans...); err != nil {
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
	files, err := s.cfg.Blobs.names()
	if err != nil || len(files) == 0 {
		return err
	}
	var known []string
	err = s.db.View(ctx, func(tx *db.Tx) (err error) {
		known, err = knownBlobs(tx)
		return err
	})
	if err != nil {
		return fmt.Errorf("vault: sweep files: %w", err)
	}
	keep := set(known)
	for _, name := range files {
		if keep[name] {
			continue
		}
		if err := s.cfg.Blobs.remove(name); err != nil {
			return err
		}
	}
	return nil
}

func set[T comparable](items []T) map[T]bool {
	out := make(map[T]bool, len(items))
	for _, item := range items {
		out[item] = true
	}
	return out
}
