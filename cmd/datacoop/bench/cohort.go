package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

const (
	cohortRounds = 5
	recordRounds = 3     // each of them writes a million rows twice
	loopSample   = 2_000 // decisions a loop over the nation is scaled from
)

// use runs fn and notes the processor time it took.
func (s *series) use(fn func() error) error {
	before := cpu()
	if err := fn(); err != nil {
		return err
	}
	*s = append(*s, cpu()-before)
	return nil
}

// cohort measures deciding a nation's datasets at once.
func cohort(ctx context.Context, env Env) (out []Figure, err error) {
	c, err := env.Start(ctx, filepath.Join(env.Dir, "coop"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.Stop()) }()
	people, err := settle(ctx, c, nations, town)
	if err != nil {
		return nil, err
	}
	if err := consent.Double(ctx, c.DB, doubled); err != nil {
		return nil, err
	}
	n := &nation{Coop: c, people: people, ask: study(), now: c.Clock().UnixMilli()}
	for _, answer := range []func() error{ // while nothing else is in memory
		func() error { _, err := c.Consent.Tally(ctx, n.ask, nil); return err },
		func() error { return n.write(ctx) },
	} {
		grown, err := growth(answer)
		if err != nil {
			return nil, err
		}
		n.grown = max(n.grown, grown)
	}
	if n.columns, err = c.Consent.Columns(ctx, nations); err != nil {
		return nil, err
	}
	for range 1 << doubled {
		for i := range people {
			record := people[i].record // every member has their own
			for range people[i].datasets {
				n.records = append(n.records, &record)
			}
		}
	}
	n.rows = len(n.records)
	return n.measure(ctx)
}

// nation is a million datasets: in the database, in columns, and as records in
// memory.
type nation struct {
	*Coop
	people  []neighbour
	ask     consent.Ask
	now     int64
	rows    int
	grown   float64 // megabytes
	columns *consent.Columns
	records []*policies.Record

	sql, tally, inColumns, hand, allows, decides series
	recorded, rewritten                          series
}

func (n *nation) measure(ctx context.Context) ([]Figure, error) {
	if err := n.agree(ctx); err != nil {
		return nil, err
	}
	for range cohortRounds {
		if err := n.round(ctx); err != nil {
			return nil, err
		}
	}
	for range recordRounds - 1 {
		if err := n.write(ctx); err != nil {
			return nil, err
		}
	}
	scaled := float64(n.rows) / loopSample
	figure := func(name string, value float64, unit, anchor string) Figure {
		return Figure{Name: name, Value: value, Unit: unit, Samples: cohortRounds, Anchor: anchor}
	}
	return []Figure{
		atLeast(50, figure("cohort_1M_loop_vs_filter", n.allows.median()*scaled/n.sql.median(), "x",
			fmt.Sprintf("processor time: a loop of prepared allow questions, scaled from %d, to one filtered count in SQL, %.2f s for %d", loopSample, n.sql.median(), n.rows))),
		atLeast(30, figure("cohort_1M_reasons_loop_vs_filter", n.decides.median()*scaled/n.tally.median(), "x",
			fmt.Sprintf("a loop of prepared full decisions to a tally with every reason, streamed from SQL, %.2f s", n.tally.median()))),
		atMost(12, figure("cohort_1M_sql_vs_handwritten", n.sql.median()/n.hand.median(), "x",
			fmt.Sprintf("a scan written by hand in Go over typed records in memory, %.3f s", n.hand.median()))),
		atMost(2, figure("cohort_1M_columns_vs_handwritten", n.inColumns.median()/n.hand.median(), "x", "the same scan; law compiled to closures over columns, compiling included")),
		atMost(4, Figure{Name: "cohort_1M_record_vs_insert", Value: n.recorded.median() / n.rewritten.median(), Unit: "x", Samples: recordRounds,
			Anchor: fmt.Sprintf("processor time: the same rows inserted once more from where they are, %.2f s for %d; a cohort decided and recorded with digest, counts and reasons takes %.2f s",
				n.rewritten.median(), n.rows, n.recorded.median())}),
		atMost(64, figure("cohort_1M_rss_mb", n.grown, "MB", "absolute; resident memory at most, above what it was before, of a tally and of recording a cohort")),
	}, nil
}

// agree refuses to measure answers that differ.
func (n *nation) agree(ctx context.Context) error {
	law := n.Engine.Current()
	hand := byHand(n.ask, n.now).count(n.records)
	columns, err := n.columns.Passing(ctx, n.ask, law)
	if err != nil {
		return err
	}
	passing, err := n.Consent.Passing(ctx, []consent.Ask{n.ask}, nil)
	if err != nil {
		return err
	}
	tally, err := n.Consent.Tally(ctx, n.ask, nil)
	if err != nil {
		return err
	}
	if hand != columns || hand != passing[0].Datasets || hand != tally.Granted || hand == 0 || tally.Note != "" || tally.Granted+tally.Refused != n.rows {
		return fmt.Errorf("%d of %d by hand, %d in columns, %d in SQL, %d tallied; %s", hand, n.rows, columns, passing[0].Datasets, tally.Granted, tally.Note)
	}
	return nil
}

func (n *nation) round(ctx context.Context) error {
	law := n.Engine.Current()
	runtime.GC()
	return errors.Join(
		n.sql.use(func() error { _, err := n.Consent.Passing(ctx, []consent.Ask{n.ask}, nil); return err }),
		n.hand.use(func() error { byHand(n.ask, n.now).count(n.records); return nil }),
		n.inColumns.use(func() error { _, err := n.columns.Passing(ctx, n.ask, law); return err }),
		n.allows.use(n.loop(func(in policies.Input) error { _, err := law.Allows(ctx, in); return err })),
		n.tally.use(func() error { _, err := n.Consent.Tally(ctx, n.ask, nil); return err }),
		n.decides.use(n.loop(func(in policies.Input) error { _, err := law.Decide(ctx, in); return err })),
	)
}

// write records a cohort, and then the rows of it once more.
func (n *nation) write(ctx context.Context) error {
	var c consent.Cohort
	runtime.GC()
	err := n.recorded.use(func() error {
		return n.DB.Update(ctx, func(tx *db.Tx) (err error) {
			a := n.ask
			a.Request = coop.RequestID(coop.NewID())
			c, err = n.Consent.DecideCohort(tx, a)
			return err
		})
	})
	if err != nil {
		return err
	}
	if n.rows == 0 {
		n.rows = c.Granted + c.Refused
	}
	if c.Granted+c.Refused != n.rows || c.Note != "" {
		return fmt.Errorf("a cohort of %d and %d datasets was recorded: %s", c.Granted, c.Refused, c.Note)
	}
	return n.rewritten.use(func() error {
		rows, err := consent.Rewrite(ctx, n.DB, c.Seq, -c.Seq)
		if err == nil && rows != int64(n.rows) {
			err = fmt.Errorf("%d rows inserted", rows)
		}
		return err
	})
}

func (n *nation) loop(one func(policies.Input) error) func() error {
	return func() error {
		for i := range loopSample {
			if err := one(n.people[i].question(n.ask, n.now)); err != nil {
				return err
			}
		}
		return nil
	}
}

// growth is by how many megabytes this process grows while it does something.
func growth(fn func() error) (float64, error) {
	debug.FreeOSMemory()
	before, err := resident()
	if err != nil {
		return 0, err
	}
	most, done, stopped := before, make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for tick := time.NewTicker(5 * time.Millisecond); ; {
			select {
			case <-done:
				tick.Stop()
				return
			case <-tick.C:
				if now, err := resident(); err == nil {
					most = max(most, now)
				}
			}
		}
	}()
	err = fn()
	close(done)
	<-stopped
	return float64(most-before) / (1 << 20), err
}

// resident is how many bytes of memory this process holds.
func resident() (int64, error) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, fmt.Errorf("resident memory is read on Linux alone: %w", err)
	}
	fields := bytes.Fields(text)
	if len(fields) < 2 {
		return 0, errors.New("resident memory: nothing to read")
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	return pages * int64(os.Getpagesize()), err
}
