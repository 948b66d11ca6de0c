package consent

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

// Cohort is the answer for all open datasets of a pool, each list by dataset.
// Its figures are about members: whoever shows them keeps the pool's minimum
// group.
type Cohort struct {
	ID         string         // of the recorded cohort; "" for a dry run
	Granted    []Decision     // what passes
	Refused    []Decision     // what does not, those that wait for a review among them
	Waiting    int            // refused only because people have to look first
	ByReason   map[string]int // datasets refused, by the code of each of their reasons
	Reasons    []ReasonCount  // the same with layer and sentence, by layer and code
	Revision   string         // hash of the law; "" while none was in force
	Digest     string         // of all outcomes; see outcomesDigest
	ConsentSeq int64
	At         int64  // Unix milliseconds
	Note       string // a sentence if every dataset had to be decided by itself; else ""
}

// ReasonCount is a reason and how many datasets it refused.
type ReasonCount struct {
	policies.Reason
	Datasets int `json:"datasets"`
}

// Members counts the members at least one of whose datasets passes.
func (c Cohort) Members() int {
	seen := map[coop.MemberID]bool{}
	for _, d := range c.Granted {
		seen[d.Member] = true
	}
	return len(seen)
}

// cohortEvent is what the audit log keeps of a cohort.
type cohortEvent struct {
	Cohort     string            `json:"cohort"`
	Request    coop.RequestID    `json:"request"`
	Researcher coop.ResearcherID `json:"researcher"`
	Pool       coop.PoolID       `json:"pool"`
	Purpose    coop.Purpose      `json:"purpose"`
	Granted    int               `json:"granted"`
	Refused    int               `json:"refused"`
	Digest     string            `json:"digest"`
	ConsentSeq int64             `json:"consent_seq"`
	At         int64             `json:"at"`
}

// DecideCohort decides about every open dataset of the ask's pool under one
// revision, and records in tx each decision and one audit entry with a digest
// of them all. It gives no permit: each delivery is decided again.
func (s *Service) DecideCohort(tx *db.Tx, a Ask) (Cohort, error) {
	if err := a.check(); err != nil {
		return Cohort{}, err
	}
	law := s.c.Engine.Current()
	c, err := s.cohort(tx, a, law)
	if err != nil {
		return Cohort{}, fmt.Errorf("consent: deciding a cohort: %w", err)
	}
	c.ID = coop.NewID()
	if err := s.recordCohort(tx, a, law, c); err != nil {
		return Cohort{}, fmt.Errorf("consent: recording a cohort: %w", err)
	}
	return c, nil
}

func (s *Service) recordCohort(tx *db.Tx, a Ask, law *policies.Revision, c Cohort) error {
	if err := keepRevision(tx, law, c.At); err != nil {
		return err
	}
	e := cohortEvent{
		Cohort: c.ID, Request: a.Request, Researcher: a.Researcher.ID, Pool: a.Pool, Purpose: a.Purpose,
		Granted: len(c.Granted), Refused: len(c.Refused), Digest: c.Digest, ConsentSeq: c.ConsentSeq, At: c.At,
	}
	leaf, err := s.c.Log.Append(tx, audit.Event{Kind: "consent.cohort", Revision: c.Revision, Verdict: "decided", Record: e})
	if err != nil {
		return err
	}
	if err := insertCohort(tx, e, c.Revision, leaf); err != nil {
		return err
	}
	if err := put(tx, c.Refused); err != nil {
		return err
	}
	return insertDecisions(tx, c.ID, leaf, byDataset(c.Granted, c.Refused)...)
}

// Check answers as DecideCohort would and records nothing. A nil revision is
// the one in force.
func (s *Service) Check(ctx context.Context, a Ask, rev *policies.Revision) (Cohort, error) {
	if err := a.check(); err != nil {
		return Cohort{}, err
	}
	if rev == nil {
		rev = s.c.Engine.Current()
	}
	var c Cohort
	err := s.c.DB.View(ctx, func(tx *db.Tx) (err error) {
		c, err = s.cohort(tx, a, rev)
		return err
	})
	if err != nil {
		return Cohort{}, fmt.Errorf("consent: checking: %w", err)
	}
	return c, nil
}

// cohort answers all at once where the law can be compiled, else one by one.
func (s *Service) cohort(tx *db.Tx, a Ask, law *policies.Revision) (Cohort, error) {
	now := s.now()
	f, err := filterOf(tx, a, law, now)
	var outcomes map[coop.DatasetID]policies.Outcome
	if err == nil {
		outcomes, err = f.byDataset(tx)
	}
	switch {
	case s.oneByOne(tx.Context(), err):
		return s.classwise(tx, a, law, now)
	case err != nil:
		return Cohort{}, err
	}
	return s.gather(tx, a, law, now, outcomes)
}

// classwise decides dataset by dataset; questions that differ only in ids have
// one answer.
func (s *Service) classwise(tx *db.Tx, a Ask, law *policies.Revision, now int64) (Cohort, error) {
	c, err := s.gather(tx, a, law, now, nil)
	if law != nil {
		c.Note = slowly
	}
	return c, err
}

// gather makes a decision of every question; those that outcomes has an answer
// to are not asked again.
func (s *Service) gather(tx *db.Tx, a Ask, law *policies.Revision, now int64, outcomes map[coop.DatasetID]policies.Outcome) (Cohort, error) {
	c := Cohort{At: now, Granted: []Decision{}, Refused: []Decision{}}
	questions, err := questionsOf(tx, a, now)
	if err != nil {
		return Cohort{}, err
	}
	if c.ConsentSeq, err = headSeq(tx); err != nil {
		return Cohort{}, err
	}
	bench := s.bench(law)
	bench.answered = outcomes
	for _, in := range questions {
		if err := tx.Context().Err(); err != nil {
			return Cohort{}, err
		}
		d, err := bench.decide(tx.Context(), a, in, StageRequest)
		if err != nil {
			return Cohort{}, err
		}
		d.ConsentSeq = c.ConsentSeq
		c.add(d)
	}
	c.Revision = hashOf(law)
	c.ByReason, c.Reasons = tally(c.Refused)
	c.Digest = outcomesDigest(byDataset(c.Granted, c.Refused))
	return c, nil
}

func (c *Cohort) add(d Decision) {
	switch {
	case d.Allow:
		c.Granted = append(c.Granted, d)
	case d.NeedsReview:
		c.Waiting++
		c.Refused = append(c.Refused, d)
	default:
		c.Refused = append(c.Refused, d)
	}
}

// questionsOf reads what the law is asked about each open dataset of the pool.
func questionsOf(tx *db.Tx, a Ask, now int64) ([]policies.Input, error) {
	datasets, err := datasetsOfPool(tx, a.Pool, now)
	if err != nil {
		return nil, err
	}
	records, err := recordsOfPool(tx, a.Pool)
	if err != nil {
		return nil, err
	}
	paused, err := pausedMembers(tx)
	if err != nil {
		return nil, err
	}
	said, err := heardOf(tx, a)
	if err != nil {
		return nil, err
	}
	out := make([]policies.Input, 0, len(datasets))
	for _, e := range datasets {
		own, pool := records[scope{e.Member, e.Pool, e.Dataset}], records[scope{e.Member, e.Pool, ""}]
		in := question(a, e, governing(own, pool), paused[e.Member], now)
		said.tell(&in)
		out = append(out, in)
	}
	return out, nil
}

func tally(refused []Decision) (map[string]int, []ReasonCount) {
	codes, counts := map[string]int{}, map[policies.Reason]int{}
	for _, d := range refused {
		for _, r := range d.Reasons {
			codes[r.Code]++
			counts[r]++
		}
	}
	reasons := slices.SortedFunc(maps.Keys(counts), func(a, b policies.Reason) int {
		return cmp.Or(cmp.Compare(a.Layer, b.Layer), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Sentence, b.Sentence))
	})
	out := make([]ReasonCount, 0, len(reasons))
	for _, r := range reasons {
		out = append(out, ReasonCount{r, counts[r]})
	}
	return codes, out
}

func byDataset(lists ...[]Decision) []Decision {
	return slices.SortedFunc(slices.Values(slices.Concat(lists...)), func(a, b Decision) int {
		return cmp.Compare(a.Dataset, b.Dataset)
	})
}

// outcomesDigest is the SHA-256, in hex, over one line for each dataset in order
// of their ids: dataset, verdict, digest of the question and codes of the
// reasons joined by commas, separated by tabs and ended by a line feed.
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
