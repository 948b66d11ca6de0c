package consent

import (
	"context"
	"fmt"
	"strings"

	"distributed.ai/datacoop/consent/cohort"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

// about is the answer of a cohort about one dataset, as the decision it is.
func about(c Cohort, ds coop.DatasetID, m coop.MemberID, out policies.Outcome) Decision {
	d := Decision{
		ID: cohort.DecisionID(c.ID, c.At, ds), Request: c.Request, Researcher: c.Researcher,
		Dataset: ds, Member: m, Pool: c.Pool, Purpose: c.Purpose, Stage: StageRequest,
		Allow: out.Allow, NeedsReview: out.NeedsReview, Reasons: out.Reasons, Obligations: out.Obligations, Rules: out.Rules,
		Revision: c.Revision, At: c.At, ConsentSeq: c.ConsentSeq,
	}
	if len(out.Asks) > 0 {
		d.Asks = out.Asks
	}
	return d
}

func (s *Service) eachCohort(ctx context.Context, since int64, fn func(Cohort) error) error {
	for seq := int64(0); ; {
		var page []Cohort
		err := s.c.DB.View(ctx, func(tx *db.Tx) (err error) {
			page, err = cohort.RecordsAfter(tx, seq, since, pageSize)
			return err
		})
		if err != nil || len(page) == 0 {
			return err
		}
		for _, c := range page {
			if err := fn(c); err != nil {
				return err
			}
			seq = c.Seq
		}
	}
}

// outcomesOf hands over every answer of a recorded cohort as the decision it is,
// with the question that was asked: put together anew from what had been said by
// the position of the cohort.
func (s *Service) outcomesOf(ctx context.Context, c Cohort, fn func(Decision, policies.Input) error) error {
	asked, err := c.Asked()
	if err != nil {
		return fmt.Errorf("%w: cohort %s: %w", ErrMismatch, c.ID, err)
	}
	var mean map[cohort.Pattern]policies.Outcome
	err = s.c.DB.View(ctx, func(tx *db.Tx) error {
		mean, err = cohort.Meaning(tx, c.Seq)
		return err
	})
	if err != nil {
		return fmt.Errorf("%w: cohort %s: %w", ErrMismatch, c.ID, err)
	}
	for after := coop.DatasetID(""); ; {
		var page []cohort.Entry
		var questions []policies.Input
		err := s.c.DB.View(ctx, func(tx *db.Tx) (err error) {
			if page, err = c.Entries(tx, after, pageSize); err == nil {
				questions, err = questionsAsOf(tx, asked, page, c.ConsentSeq)
			}
			return err
		})
		if err != nil || len(page) == 0 {
			return err
		}
		for i, e := range page {
			out, known := mean[e.Pattern]
			if !known {
				return fmt.Errorf("%w: cohort %s: no verdict", ErrMismatch, c.ID)
			}
			d := about(c, e.Dataset, e.Member, out)
			if d.input, err = questions[i].Canonical(); err != nil {
				return fmt.Errorf("%w: cohort %s: %w", ErrMismatch, c.ID, err)
			}
			d.InputSHA256 = digest(d.input)
			if err := fn(d, questions[i]); err != nil {
				return err
			}
			after = e.Dataset
		}
	}
}

// checkRecord compares the record of a cohort with its rows.
func (s *Service) checkRecord(ctx context.Context, c Cohort) error {
	return s.c.DB.View(ctx, func(tx *db.Tx) error {
		open, err := c.Open(tx)
		if err == nil {
			err = cohort.Check(tx, c, open)
		}
		if err != nil {
			return fmt.Errorf("%w: cohort %s: %w", ErrMismatch, c.ID, err)
		}
		return nil
	})
}

// outcomesDigest is the digest of a cohort of which each dataset has a decision:
// SHA-256, in hex, over one line for each in order of their ids, of dataset,
// verdict, digest of the question and codes of the reasons joined by commas,
// separated by tabs and ended by a line feed.
func outcomesDigest(decisions []Decision) string {
	var lines strings.Builder
	for _, d := range decisions {
		codes := make([]string, 0, len(d.Reasons))
		for _, r := range d.Reasons {
			codes = append(codes, r.Code)
		}
		fmt.Fprintf(&lines, "%s\t%s\t%s\t%s\n", d.Dataset, verdict(d.Allow), d.InputSHA256, strings.Join(codes, ","))
	}
	return digest([]byte(lines.String()))
}
