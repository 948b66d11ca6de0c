package consent

import (
	"errors"
	"fmt"

	"distributed.ai/datacoop/consent/cohort"
	"distributed.ai/datacoop/consent/proof"
	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

// Cohort is the recorded answer for all open datasets of a pool: what was asked,
// on what it rests, and what came of it in figures. The figures are about
// members: whoever shows them keeps the pool's minimum group.
type Cohort = cohort.Record

// Release is a dataset that a cohort passes.
type Release = cohort.Release

// cohortEvent is what the audit log keeps of a cohort.
type cohortEvent struct {
	Cohort         string            `json:"cohort"`
	Request        coop.RequestID    `json:"request"`
	Researcher     coop.ResearcherID `json:"researcher"`
	Pool           coop.PoolID       `json:"pool"`
	Purpose        coop.Purpose      `json:"purpose"`
	Granted        int               `json:"granted"`
	Refused        int               `json:"refused"`
	Counts         string            `json:"counts"`
	QuestionSHA256 string            `json:"question_sha256"`
	FilterSHA256   string            `json:"filter_sha256"`
	Digest         string            `json:"digest"`
	ConsentSeq     int64             `json:"consent_seq"`
	At             int64             `json:"at"`
}

// DecideCohort decides about every open dataset of the ask's pool under one
// revision, and records in tx one record with one audit entry, and of each
// dataset the bits of its answer. It asks the members whom the law wants asked
// (Questions). It gives no permit: each delivery is decided again.
func (s *Service) DecideCohort(tx *db.Tx, a Ask) (Cohort, error) {
	if err := a.Check(); err != nil {
		return Cohort{}, err
	}
	law := s.c.Engine.Current()
	c, err := s.begin(tx, a, law)
	if err == nil {
		err = s.answers(tx, a, law, c.At).Decide(tx, &c)
	}
	if err != nil {
		return Cohort{}, fmt.Errorf("consent: deciding a cohort: %w", err)
	}
	if err := s.keepCohort(tx, law, c); err != nil {
		return Cohort{}, fmt.Errorf("consent: recording a cohort: %w", err)
	}
	return c, nil
}

// begin is a cohort before anything is decided.
func (s *Service) begin(tx *db.Tx, a Ask, law *policies.Revision) (c Cohort, err error) {
	c = Cohort{ID: coop.NewID(), Request: a.Request, Researcher: a.Researcher.ID, Pool: a.Pool, Purpose: a.Purpose}
	c.At, c.Revision = s.now(), hashOf(law)
	if c.Seq, err = nextPlace(tx); err != nil {
		return c, err
	}
	if c.ConsentSeq, err = headSeq(tx); err != nil {
		return c, err
	}
	text, err := proof.Canonical(a.Asked(c.At))
	c.Question, c.QuestionSHA256 = string(text), digest(text)
	return c, err
}

// answers are those of a law to an ask. Datasets whose members have answered this
// very request are decided by themselves: no row knows what they said.
func (s *Service) answers(tx *db.Tx, a Ask, law *policies.Revision, now int64) cohort.Answers {
	return cohort.Answers{
		Filter: func() (*cohort.Filter, error) { return filterBefore(tx, a, law, now) },
		Aside: func(each func(coop.DatasetID, policies.Outcome) error) error {
			list, err := answered(tx, a.Request)
			for _, ds := range list {
				out, wrong := decided(tx, a, law, now, ds)
				if err = errors.Join(err, wrong); err == nil {
					err = each(ds, out)
				}
			}
			return err
		},
		Each: func(each func(coop.DatasetID, int64, policies.Outcome) error) error {
			return s.eachAnswer(tx, a, law, now, func(e cohort.Entry, out policies.Outcome) error { return each(e.Dataset, e.Who, out) })
		},
		Slowly: func(err error) bool { return s.oneByOne(tx.Context(), err) },
	}
}

func (s *Service) keepCohort(tx *db.Tx, law *policies.Revision, c Cohort) error {
	if err := keepRevision(tx, law, c.At); err != nil {
		return err
	}
	counts, err := c.Counts()
	if err != nil {
		return err
	}
	leaf, err := s.c.Log.Append(tx, audit.Event{Kind: "consent.cohort", Revision: c.Revision, Verdict: "decided", Record: cohortEvent{
		Cohort: c.ID, Request: c.Request, Researcher: c.Researcher, Pool: c.Pool, Purpose: c.Purpose,
		Granted: c.Granted, Refused: c.Refused, Counts: string(counts), QuestionSHA256: c.QuestionSHA256,
		FilterSHA256: digest([]byte(c.Filter)), Digest: c.Digest, ConsentSeq: c.ConsentSeq, At: c.At,
	}})
	if err != nil {
		return err
	}
	return cohort.Insert(tx, c, leaf)
}

// Decided finds what a cohort last answered to a request; false if none did.
func (s *Service) Decided(tx *db.Tx, id coop.RequestID) (Cohort, bool, error) {
	c, ok, err := cohort.RecordOf(tx, id)
	switch {
	case err != nil || !ok:
	case c.Seq == 0:
		err = concludeOld(tx, &c)
	case c.Filter == cohort.ClassWise:
		c.Note = cohort.Slowly
	}
	if err != nil {
		return Cohort{}, false, fmt.Errorf("consent: reading a cohort: %w", err)
	}
	return c, ok, nil
}

// EachRelease hands over the datasets that a cohort passes, by id.
func (s *Service) EachRelease(tx *db.Tx, c Cohort, fn func(Release) error) error {
	if err := cohort.EachRelease(tx, c, fn); err != nil {
		return fmt.Errorf("consent: what a cohort passes: %w", err)
	}
	return nil
}

// concludeOld counts a cohort of which each dataset has a decision.
func concludeOld(tx *db.Tx, c *Cohort) error {
	list, err := cohortOutcomes(tx, c.ID)
	if err != nil {
		return err
	}
	counter, numbers := cohort.NewCounter(), map[coop.MemberID]uint32{}
	verdicts := make([]cohort.Verdict, 0, len(list))
	for _, d := range list {
		who, known := numbers[d.Member]
		if !known {
			who = uint32(len(numbers)) // #nosec G115 -- they are all in memory
			numbers[d.Member] = who
		}
		out := policies.Outcome{Allow: d.Allow, NeedsReview: d.NeedsReview, Reasons: d.Reasons, Obligations: d.Obligations}
		counter.Add(who, counter.Counted(out))
		verdicts = append(verdicts, cohort.Verdict{Outcome: out})
	}
	if len(list) > 0 {
		c.Researcher, c.Purpose = list[0].Researcher, list[0].Purpose
	}
	c.Conclude(counter.Tally(), c.Digest, verdicts)
	return nil
}
