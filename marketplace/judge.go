package marketplace

import (
	"context"
	"encoding/json"
	"fmt"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/veil"
)

// kindAppraise is the job that appraises a closed period where a judge has to
// be asked, which takes longer than anybody waits for an answer.
const kindAppraise = "marketplace.appraise"

type appraiseJob struct {
	Period  coop.PeriodID `json:"period"`
	Steward coop.MemberID `json:"steward"`
}

// appraiseLater has the queue publish the statement of a period. Occasion tells
// one publication of a period from another. Without a judge there is nothing to
// wait for, and nothing is queued.
func (s *Service) appraiseLater(tx *db.Tx, id coop.PeriodID, by coop.MemberID, occasion string) error {
	if s.Judge == nil {
		return nil
	}
	if err := s.Jobs.Enqueue(tx, kindAppraise, string(id)+"/"+occasion, appraiseJob{id, by}, s.Clock()); err != nil {
		return fmt.Errorf("marketplace: appraise later: %w", err)
	}
	return nil
}

func (s *Service) appraise(ctx context.Context, payload []byte) error {
	var job appraiseJob
	if err := json.Unmarshal(payload, &job); err != nil {
		return fmt.Errorf("marketplace: appraise: %w", err)
	}
	_, err := s.publish(ctx, job.Period, job.Steward)
	return err
}

// publishOrWait publishes at once where the baseline pays; otherwise the queue
// does, and the period is answered as it stands.
func (s *Service) publishOrWait(ctx context.Context, id coop.PeriodID, by coop.MemberID) (Period, error) {
	if s.Judge == nil {
		return s.publish(ctx, id, by)
	}
	return read(ctx, s, func(tx *db.Tx) (Period, error) { return getPeriod(tx, id) })
}

// heard is the opinion that a statement rests on. Judges are asked once for
// each period: where a statement is computed again, because an appeal mended a
// fact, what they answered then counts, so that nobody shops for answers. An
// answer about evidence that changed before it was published is read by nobody.
func (s *Service) heard(ctx context.Context, p Period, ev appraisal.Evidence, n veil.Names, params appraisal.Params) (*appraisal.Opinion, error) {
	if p.BundleSHA256 == "" {
		return s.opinion(ctx, p, ev, n, params), nil
	}
	before, err := s.earlier(ctx, p)
	if err != nil {
		return nil, err
	}
	return before.Opinion.Restrict(ev), nil
}

// weights are how much families count in a period: as in its first statement,
// where one is computed again, since the answers that it uses were combined so.
func (s *Service) weights(ctx context.Context, p Period) ([]appraisal.Reliability, error) {
	if p.BundleSHA256 == "" {
		return s.Reliability(ctx, p.ClosedAt)
	}
	before, err := s.earlier(ctx, p)
	return before.Params.Reliability, err
}

// earlier is the statement that a period had before this computation.
func (s *Service) earlier(ctx context.Context, p Period) (appraisal.Bundle, error) {
	text, err := read(ctx, s, func(tx *db.Tx) ([]byte, error) { return getBundle(tx, p.ID) })
	if err != nil {
		return appraisal.Bundle{}, err
	}
	before, err := appraisal.ParseBundle(text)
	if err != nil {
		err = fmt.Errorf("marketplace: earlier statement: %w", err)
	}
	return before, err
}

// opinion asks the judge about blinded evidence. Nobody's income waits on a
// model: whatever goes wrong is logged, and without an opinion the baseline
// pays.
func (s *Service) opinion(ctx context.Context, p Period, ev appraisal.Evidence, n veil.Names, params appraisal.Params) *appraisal.Opinion {
	if s.Judge == nil {
		return nil
	}
	op, err := s.Weigh(ctx, p.ClosedAt, ev, n, params)
	if err != nil {
		s.Logger.WarnContext(ctx, "no opinion: the baseline pays", "period", ev.Period, "error", err)
		return nil
	}
	return &op
}
