package consent

import (
	"context"
	"errors"
	"fmt"

	"distributed.ai/datacoop/consent/cohort"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

// Class is some datasets of a pool that no request of one moment tells apart.
type Class = cohort.Class

// Members is a set of members, by number.
type Members = cohort.Set

// Crowd are the open datasets of a pool in classes, at one moment and under one
// law, for whoever asks many questions about them. It is good within Explore
// alone. Its figures are about members: whoever shows them keeps the pool's
// minimum group.
type Crowd struct {
	Classes []Class
	Note    string // a sentence if every class has to be decided by itself; else ""
	Tries   int    // how many questions are reasonable

	tx    *db.Tx
	law   *policies.Revision
	now   int64
	rows  *cohort.Crowd    // nil if every class has to be decided by itself
	alone []policies.Input // then a question about one of each
}

// Explore hands over the datasets of an ask's pool, and records nothing. A nil
// revision is the one in force. Where the law cannot be compiled for one of the
// questions that fn puts, fn is called a second time, with a Crowd that decides
// class by class and says so; fn must not have done anything until it returns.
func (s *Service) Explore(ctx context.Context, a Ask, rev *policies.Revision, fn func(*Crowd) error) error {
	err := s.survey(ctx, a, rev, func(tx *db.Tx, law *policies.Revision, now int64) error {
		c := &Crowd{tx: tx, law: law, now: now}
		err := c.read(a.Pool)
		if err == nil {
			err = fn(c)
		}
		if !s.oneByOne(ctx, err) {
			return err
		}
		if c, err = s.slowCrowd(tx, a, law, now); err != nil {
			return err
		}
		return fn(c)
	})
	if err != nil {
		return fmt.Errorf("consent: exploring: %w", err)
	}
	return nil
}

func (c *Crowd) read(p coop.PoolID) (err error) {
	if c.law == nil {
		return policies.ErrSealed
	}
	if c.rows, err = cohort.ReadCrowd(c.tx, cohort.Where{Pool: p, Now: c.now}); err == nil {
		c.Classes, c.Tries = c.rows.Classes, c.rows.Tries
	}
	return err
}

// Passing answers for each class whether it would be released for an ask.
func (c *Crowd) Passing(ctx context.Context, a Ask) ([]bool, error) {
	if c.rows == nil {
		outcomes, err := c.Decide(ctx, a)
		out := make([]bool, len(outcomes))
		for i, o := range outcomes {
			out[i] = o.Allow
		}
		return out, err
	}
	f, err := filterOf(c.tx, a, c.law, c.now)
	if err != nil {
		return nil, err
	}
	return c.rows.Passing(c.tx, f)
}

// Decide answers for each class in full. Of every kind of answer a filter gives,
// one is decided by the law itself.
func (c *Crowd) Decide(ctx context.Context, a Ask) ([]policies.Outcome, error) {
	out := make([]policies.Outcome, len(c.Classes))
	if c.rows == nil {
		for i := range out {
			var err error
			if out[i], err = c.One(ctx, a, i); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	f, err := filterOf(c.tx, a, c.law, c.now)
	if err != nil {
		return nil, err
	}
	return c.rows.Decide(c.tx, f)
}

// One asks the law itself about a class.
func (c *Crowd) One(ctx context.Context, a Ask, class int) (policies.Outcome, error) {
	if c.rows != nil {
		return decided(c.tx, a, c.law, c.now, c.Classes[class].Example)
	}
	in := c.alone[class]
	in.Request = a.Asked(c.now)
	out, _ := c.law.Decide(ctx, in) // whatever goes wrong is a refusal
	return out, ctx.Err()
}

// Tally counts outcomes of classes.
func (c *Crowd) Tally(outcomes []policies.Outcome) Tally {
	out := cohort.TallyOf(c.Classes, outcomes)
	out.Revision, out.At, out.Note = hashOf(c.law), c.now, c.Note
	return out
}

// slowCrowd puts questions into classes that no request of one moment and
// requester tells apart.
func (s *Service) slowCrowd(tx *db.Tx, a Ask, law *policies.Revision, now int64) (*Crowd, error) {
	c := &Crowd{tx: tx, law: law, now: now}
	if law != nil {
		c.Note = cohort.Slowly
	}
	var alone cohort.Alone
	err := eachOpen(tx, a.Pool, now, func(page []cohort.Entry) error {
		questions, err := questionsAsOf(tx, a.Asked(now), page, newest)
		for i, in := range questions {
			if err = alone.Add(in, page[i]); err != nil {
				return err
			}
		}
		return errors.Join(err, tx.Context().Err())
	})
	c.Classes, c.alone, c.Tries = alone.Classes, alone.Questions, alone.Tries()
	return c, err
}
