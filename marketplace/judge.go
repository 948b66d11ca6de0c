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
	err := s.Jobs.Enqueue(tx, kindAppraise, string(id)+"/"+occasion, appraiseJob{id, by}, s.Clock())
	if err != nil {
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
func (s *Service) heard(ctx context.Context, p Period, ev appraisal.Evidence, n veil.Names) (*appraisal.Opinion, error) {
	if p.BundleSHA256 == "" {
		return s.opinion(ctx, ev, n), nil
	}
	text, err := read(ctx, s, func(tx *db.Tx) ([]byte, error) { return getBundle(tx, p.ID) })
	if err != nil {
		return nil, err
	}
	before, err := appraisal.ParseBundle(text)
	if err != nil {
		return nil, fmt.Errorf("marketplace: earlier statement: %w", err)
	}
	return before.Opinion.Restrict(ev), nil
}

// opinion asks the judge about blinded evidence. Nobody's income waits on a
// model: whatever goes wrong is logged, and without an opinion the baseline
// pays.
func (s *Service) opinion(ctx context.Context, ev appraisal.Evidence, n veil.Names) *appraisal.Opinion {
	if s.Judge == nil {
		return nil
	}
	op, err := s.weigh(ctx, ev, n)
	if err != nil {
		s.Logger.WarnContext(ctx, "no opinion: the baseline pays", "period", ev.Period, "error", err)
		return nil
	}
	return &op
}

func (s *Service) weigh(ctx context.Context, ev appraisal.Evidence, n veil.Names) (appraisal.Opinion, error) {
	exhibits, err := s.exhibits(ctx, ev, n)
	if err != nil {
		return appraisal.Opinion{}, err
	}
	params, err := s.terms(ctx, coop.PeriodID(ev.Period))
	if err != nil {
		return appraisal.Opinion{}, err
	}
	task, err := appraisal.NewTask(ev, params, s.Charter.Rubric, exhibits)
	if err != nil {
		return appraisal.Opinion{}, fmt.Errorf("marketplace: task: %w", err)
	}
	op, err := s.Judge.Weigh(ctx, task)
	if err != nil {
		return appraisal.Opinion{}, fmt.Errorf("marketplace: weigh: %w", err)
	}
	if _, err := appraisal.Close(ev, params, &op); err != nil {
		return appraisal.Opinion{}, fmt.Errorf("marketplace: opinion: %w", err)
	}
	return op, nil
}

// exhibits are the texts of the period's work, one for each contribution.
func (s *Service) exhibits(ctx context.Context, ev appraisal.Evidence, n veil.Names) ([]appraisal.Exhibit, error) {
	out := []appraisal.Exhibit{}
	seen := map[string]bool{}
	for _, w := range ev.Work {
		id := appraisal.DossierID(ev.Salt, appraisal.KindWork, w.Contribution)
		if seen[id] {
			continue
		}
		seen[id] = true
		c, err := s.Governance.Contribution(ctx, coop.ContributionID(n.Resolve(w.Contribution)))
		if err != nil {
			return nil, fmt.Errorf("marketplace: exhibit: %w", err)
		}
		out = append(out, appraisal.NewExhibit(id, c.Title+"\n"+c.Text))
	}
	return out, nil
}
