package bench

import (
	"context"
	"errors"
	"fmt"
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
	swapBatch    = 5   // revisions put in force in a sample
)

// decide measures deciding about single datasets, with everything ready, without
// reasons, from nothing, in the transaction that records it and asked of another
// process, and putting law in force.
func decide(ctx context.Context, env Env) (out []Figure, err error) {
	c, err := env.Start(ctx, filepath.Join(env.Dir, "coop"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.Stop()) }()
	b := &bureau{Coop: c, law: c.Engine.Current()}
	if b.ask, b.shared, b.people, err = hamlet(ctx, c); err != nil {
		return nil, err
	}
	b.now = c.Clock().UnixMilli()
	other, why := startOPA(ctx, filepath.Join(env.Dir, "opa"), b.law)
	if why == nil {
		defer other.stop()
		why = b.sameAnswers(ctx, other)
	}
	for range decideRounds {
		if err := b.round(ctx); err != nil {
			return nil, err
		}
		if why == nil {
			why = b.against(ctx, other)
		}
	}
	return b.figures(why), nil
}

// bureau is where single datasets are decided about.
type bureau struct {
	*Coop
	law    *policies.Revision
	ask    consent.Ask
	shared []coop.DatasetID
	people []neighbour
	now    int64
	bodies [][]byte // the questions about them, as a server reads them

	ready, allowed, anew, recorded, swapped, compiled, served series // processor time
	embedded, waited                                          series // time by the clock, ours and the server's
}

func (b *bureau) each(n int, one func(policies.Input) error) func() error {
	return func() error {
		for i := range n {
			if err := one(b.people[i].question(b.ask, b.now)); err != nil {
				return err
			}
		}
		return nil
	}
}

func (b *bureau) round(ctx context.Context) error {
	source := b.law.Source()
	return errors.Join(
		b.ready.use(b.each(decideBatch, func(in policies.Input) error { _, err := b.law.Decide(ctx, in); return err })),
		b.allowed.use(b.each(decideBatch, func(in policies.Input) error { _, err := b.law.Allows(ctx, in); return err })),
		b.anew.use(b.each(anewBatch, func(in policies.Input) error { _, err := b.law.Anew(ctx, in); return err })),
		b.recorded.use(func() error { return decideAll(ctx, b.Coop, b.ask, b.shared) }),
		b.swapped.use(func() error {
			for range swapBatch {
				law, err := policies.Compile(ctx, source)
				if err != nil {
					return err
				}
				b.Engine.Swap(law)
			}
			return nil
		}),
		b.law.CompileStrictly(swapBatch, b.compiled.use),
	)
}

// sameAnswers refuses to measure what answers otherwise.
func (b *bureau) sameAnswers(ctx context.Context, other *opaServer) error {
	return b.each(decideBatch, func(in policies.Input) error {
		ours, err := b.law.Decide(ctx, in)
		if err != nil {
			return err
		}
		text, err := body(in)
		if err != nil {
			return err
		}
		b.bodies = append(b.bodies, text)
		theirs, err := other.ask(ctx, text)
		if err == nil && (theirs.Allow != ours.Allow || len(theirs.Reasons) != len(ours.Reasons) || len(theirs.Obligations) != len(ours.Obligations)) {
			err = fmt.Errorf("it answers %+v, not %+v", theirs, ours)
		}
		return err
	})()
}

// against asks both. The server's questions have been written down before, ours
// are put together for each.
func (b *bureau) against(ctx context.Context, other *opaServer) error {
	serve := func() error {
		for _, text := range b.bodies {
			if _, err := other.ask(ctx, text); err != nil {
				return err
			}
		}
		return nil
	}
	return errors.Join(
		b.embedded.time(b.each(decideBatch, func(in policies.Input) error { _, err := b.law.Decide(ctx, in); return err })),
		b.waited.time(func() error { return other.use(&b.served, serve) }),
	)
}

func (b *bureau) figures(why error) []Figure {
	figure := func(name string, value float64, anchor string) Figure {
		return Figure{Name: name, Value: value, Unit: "x", Samples: decideRounds, Anchor: anchor}
	}
	one := b.ready.median() / decideBatch
	served := Figure{Name: "decide_vs_opa_server", Unit: "x", Goal: ">= 2"}
	if served.Skipped = fmt.Sprint(why); why == nil {
		served = atLeast(2, figure(served.Name, b.served.median()/b.ready.median(),
			fmt.Sprintf("processor time of both processes: OPA %s as a server on loopback over one connection, to a prepared full decision; by the clock %.2f", opaVersion(), b.waited.median()/b.embedded.median())))
	}
	return []Figure{
		atLeast(15, figure("decide_vs_rego_new", b.anew.median()/anewBatch/one, "processor time: rego.New with the modules for one decision, to a prepared full decision")),
		served,
		atMost(0.35, figure("allow_vs_decide", b.allowed.median()/decideBatch/one, "processor time: yes or no alone, to a full decision with reasons")),
		atMost(1.4, figure("record_vs_decide", b.recorded.median()/decideBatch/one,
			fmt.Sprintf("processor time: read, decided, recorded with its audit entry and committed by the three hundred, to a full decision, %.0f µs", one*1e6))),
		atMost(3, figure("swap_vs_compile", b.swapped.median()/b.compiled.median(),
			fmt.Sprintf("processor time: a policy's text checked, read, named, compiled, prepared and put in force, to one strict compile of what has been read, %.1f ms", b.compiled.median()/swapBatch*1e3))),
	}
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
