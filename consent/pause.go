package consent

import (
	"context"
	"fmt"

	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

// pauseEvent is what the audit log keeps of a pause.
type pauseEvent struct {
	Member coop.MemberID `json:"member"`
	Paused bool          `json:"paused"`
	At     int64         `json:"at"`
	Seq    int64         `json:"seq"`
}

// Pause stops every use of the member's data from the next decision on and
// changes nothing else. Pausing twice is harmless, and is written down twice: a
// pause of somebody else's does not end with that one's reason then (NewestPause).
func (s *Service) Pause(ctx context.Context, m coop.MemberID) error { return s.setPaused(ctx, m, true) }

// Resume ends a pause: every record governs again as it did. Resuming twice is
// harmless.
func (s *Service) Resume(ctx context.Context, m coop.MemberID) error {
	return s.setPaused(ctx, m, false)
}

// PauseAll pauses every member who has said or shared anything, in the caller's
// transaction, and answers how many that are: what was answered has been lost,
// and only the members know what they want. Each resumes for themselves.
func (s *Service) PauseAll(tx *db.Tx) (members int, err error) {
	all, err := activeMembers(tx)
	if err != nil {
		return 0, fmt.Errorf("consent: pausing: %w", err)
	}
	for _, m := range all {
		if err := s.SetPausedTx(tx, m, true); err != nil {
			return 0, fmt.Errorf("consent: pausing: %w", err)
		}
	}
	return len(all), nil
}

func (s *Service) setPaused(ctx context.Context, m coop.MemberID, paused bool) error {
	if !coop.ValidID(m) {
		return ErrNoMember
	}
	return s.c.DB.Update(ctx, func(tx *db.Tx) error { return s.SetPausedTx(tx, m, paused) })
}

// SetPausedTx is Pause or Resume in the caller's transaction.
func (s *Service) SetPausedTx(tx *db.Tx, m coop.MemberID, paused bool) error {
	_, was, err := s.NewestPause(tx, m)
	if err != nil || !was && !paused {
		return err
	}
	seq, err := nextSeq(tx)
	if err != nil {
		return err
	}
	e := pauseEvent{m, paused, s.now(), seq}
	verdict := map[bool]string{true: "paused", false: "resumed"}[paused]
	leaf, err := s.c.Log.Append(tx, audit.Event{Kind: "consent.pause", Verdict: verdict, Record: e})
	if err != nil {
		return err
	}
	if err := insertPause(tx, e, leaf); err != nil {
		return err
	}
	return flattenScope(tx, scope{member: m})
}
