package bench

import (
	"context"
	"errors"
	"path/filepath"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

const (
	decideRounds = 7
	decideBatch  = 300 // decisions in a sample
	anewBatch    = 3   // as many of the slow anchor
)

// decide measures deciding about single datasets, with everything ready, without
// reasons, from nothing, and in the transaction that records it.
func decide(ctx context.Context, env Env) (out []Figure, err error) {
	c, err := env.Start(ctx, filepath.Join(env.Dir, "coop"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.Stop()) }()
	ask, shared, people, err := hamlet(ctx, c)
	if err != nil {
		return nil, err
	}
	law, now := c.Engine.Current(), c.Clock().UnixMilli()
	each := func(n int, one func(policies.Input) error) func() error {
		return func() error {
			for i := range n {
				if err := one(people[i].question(ask, now)); err != nil {
					return err
				}
			}
			return nil
		}
	}
	var ready, allowed, anew, recorded series
	for range decideRounds {
		err := errors.Join(
			ready.use(each(decideBatch, func(in policies.Input) error { _, err := law.Decide(ctx, in); return err })),
			allowed.use(each(decideBatch, func(in policies.Input) error { _, err := law.Allows(ctx, in); return err })),
			anew.use(each(anewBatch, func(in policies.Input) error { _, err := law.Anew(ctx, in); return err })),
			recorded.use(func() error {
				return c.DB.Update(ctx, func(tx *db.Tx) error {
					for _, ds := range shared {
						if _, _, err := c.Consent.Decide(tx, ask, ds); err != nil {
							return err
						}
					}
					return nil
				})
			}),
		)
		if err != nil {
			return nil, err
		}
	}
	figure := func(name string, value float64, anchor string) Figure {
		return Figure{Name: name, Value: value, Unit: "x", Samples: decideRounds, Anchor: "processor time: " + anchor}
	}
	one := ready.median() / decideBatch
	return []Figure{
		atLeast(15, figure("decide_vs_rego_new", anew.median()/anewBatch/one, "rego.New with the modules for one decision, to a prepared full decision")),
		atMost(0.35, figure("allow_vs_decide", allowed.median()/decideBatch/one, "yes or no alone, to a full decision with reasons")),
		atMost(1.4, figure("record_vs_decide", recorded.median()/decideBatch/one, "read, decided, recorded with its audit entry and committed by the three hundred, to a full decision")),
	}, nil
}

// hamlet is as many members as a sample has decisions, with one dataset each.
func hamlet(ctx context.Context, c *Coop) (ask consent.Ask, shared []coop.DatasetID, people []neighbour, err error) {
	ask = study()
	ask.Recipient = "age1recipient"
	err = c.DB.Update(ctx, func(tx *db.Tx) error {
		d := dice()
		for len(people) < decideBatch {
			n, m, ds := dweller(d), coop.MemberID(coop.NewID()), coop.DatasetID(coop.NewID())
			n.asLaw(c.Clock().UnixMilli())
			e := consent.Enrolment{Dataset: ds, Member: m, Pool: nations, Categories: []string{"PhysicalHealth"}, Region: n.region, Sealed: c.Clock().UnixMilli()}
			if err := c.Consent.Enrol(tx, e); err != nil {
				return err
			}
			if _, err := c.Consent.PutPoolTx(tx, m, nations, n.terms); err != nil {
				return err
			}
			people, shared = append(people, n), append(shared, ds)
		}
		return nil
	})
	return ask, shared, people, err
}
