package consent

import (
	"context"
	"errors"
	"fmt"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
)

// ErrCursor refuses a position that is not one of the member's own decisions.
var ErrCursor = fault.New(fault.Invalid, "cursor-invalid", "The list cannot be continued from there.")

// maxPage is the most decisions Uses returns at once.
const maxPage = 200

// Uses lists what was decided about the member's data, yes and no alike, newest
// first, at most limit (200 at most) older than the decision named before; ""
// begins with the newest. The id of the last one is where the next page goes on.
func (s *Service) Uses(ctx context.Context, m coop.MemberID, before string, limit int) ([]Decision, error) {
	var out []Decision
	err := s.c.DB.View(ctx, func(tx *db.Tx) (err error) {
		out, err = usesBefore(tx, m, before, min(max(limit, 1), maxPage))
		return err
	})
	switch {
	case errors.Is(err, db.ErrNoRow):
		return nil, ErrCursor
	case err != nil:
		return nil, fmt.Errorf("consent: uses: %w", err)
	}
	return out, nil
}

// ByRequest lists what was decided about a request at one stage, or at all if
// stage is "", oldest first. A request that was decided twice is there twice.
func (s *Service) ByRequest(ctx context.Context, r coop.RequestID, stage string) ([]Decision, error) {
	var out []Decision
	err := s.c.DB.View(ctx, func(tx *db.Tx) (err error) {
		out, err = s.ByRequestTx(tx, r, stage)
		return err
	})
	return out, err
}

// ByRequestTx is ByRequest in the caller's transaction.
func (s *Service) ByRequestTx(tx *db.Tx, r coop.RequestID, stage string) ([]Decision, error) {
	out, err := decisionsByRequest(tx, r, stage)
	if err != nil {
		return nil, fmt.Errorf("consent: decisions of a request: %w", err)
	}
	return out, nil
}
