package vault

import (
	"context"
	"errors"

	"distributed.ai/datacoop/internal/fault"
)

// errDatabaseFull is how the database says that its disk is full.
var errDatabaseFull = fault.New(fault.Unavailable, "storage-full", "")

func diskFull(err error) bool {
	return errors.Is(err, errDatabaseFull) || errors.Is(err, ErrStorageFull)
}

// urgently does what must not fail for want of room: on a full disk it drops
// the ballast and tries once more.
func (s *Service) urgently(ctx context.Context, do func() error) error {
	err := do()
	if diskFull(err) && s.ballast.Drop() {
		s.cfg.Logger.WarnContext(ctx, "vault: the disk is full; the reserve is used up for a revocation")
		err = do()
	}
	return err
}
