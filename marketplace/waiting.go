package marketplace

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/review"
)

// kindConclude is the job that decides a request when the time for people to
// speak is up.
const kindConclude = "marketplace.conclude"

func (s *Service) concludeLater(tx *db.Tx, id coop.RequestID, until int64) error {
	return s.Jobs.Enqueue(tx, kindConclude, string(id), expireJob{id}, time.UnixMilli(until))
}

func (s *Service) concludeJob(ctx context.Context, payload []byte) error {
	var job expireJob
	if err := json.Unmarshal(payload, &job); err != nil {
		return fmt.Errorf("marketplace: conclude: %w", err)
	}
	return s.DB.Update(ctx, func(tx *db.Tx) error { return s.conclude(tx, job.Request) })
}

// conclude decides a request anew once everybody has spoken or the time is up,
// by law and consent as they are now. Before, and ever after, it does nothing.
func (s *Service) conclude(tx *db.Tx, id coop.RequestID) error {
	r, err := getRequest(tx, id)
	if err != nil || r.State != StateInReview {
		return err
	}
	wait, ready, err := review.Ready(tx, s.Consent, id, s.now())
	if err != nil || !ready {
		return err
	}
	r.Reviewed = wait.Approved()
	q, err := question(tx, r, File{Price: r.Price})
	if err != nil {
		return err
	}
	cohort, err := s.Consent.DecideCohort(tx, q)
	if err != nil {
		return fmt.Errorf("marketplace: decide: %w", err)
	}
	pool, _ := s.Charter.Pool(r.Pool)
	granted := r.outcome(cohort, max(pool.MinimumGroup, 2)) // also for a pool the charter has given up
	if err := concludeRequest(tx, r); err != nil {
		return err
	}
	return s.grant(tx, r, cohort, granted)
}

// AnswerQuestion records what a member says about one request for one of their
// datasets; the last answer that was waited for decides the request.
func (s *Service) AnswerQuestion(ctx context.Context, m coop.MemberID, r coop.RequestID, ds coop.DatasetID, yes bool) error {
	_, err := write(ctx, s, func(tx *db.Tx) (struct{}, error) {
		if err := s.Consent.Answer(tx, m, r, ds, yes); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, s.conclude(tx, r)
	})
	return err
}

// Review records what a steward of vetting says about a request that waits for
// one, and what they found, which the researcher reads; review.ErrNotAsked if it
// does not wait.
func (s *Service) Review(ctx context.Context, steward coop.MemberID, id coop.RequestID, yes bool, reason string) error {
	_, err := duty(ctx, s, steward, coop.Vetting, func(tx *db.Tx) (struct{}, error) {
		if err := review.Say(tx, id, steward, yes, reason, s.now()); err != nil {
			return struct{}{}, err
		}
		verdict := map[bool]string{true: "approved", false: "declined"}[yes]
		err := s.log(tx, "request.reviewed", verdict, map[string]any{"request": string(id), "steward": string(steward), "reason": reason})
		if err != nil {
			return struct{}{}, err
		}
		return struct{}{}, s.conclude(tx, id)
	})
	return err
}
