// Package bench measures the vault's performance goals.
//
// A figure that is a time says little about another machine. So each is put
// beside an anchor that is measured in the same run and, in turns with it, on
// the same machine: what the bare operation costs, or what a plain tool does.
// What is printed is the ratio of the medians, with the goal it is held to.
//
// Everything runs against a real co-op on a new data directory, wired as the
// server wires itself and reached over HTTP where members and researchers reach
// it. Memory is measured in a process of its own. Figures on a busy machine
// are the busy machine's; run it on one that has nothing else to do.
//
// One benchmark is no race: "appraisal" puts judges on trial, see package trial.
//
// It refuses to measure what it could not set up: a figure is there with all
// its samples, or not at all.
package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"time"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/demo"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/policies"
	"distributed.ai/datacoop/vault"
)

// Coop is a running co-op of its own, made for one benchmark.
type Coop struct {
	Base       string         // of its HTTP server
	Data       string         // its data directory
	Master     vault.Identity // the vault's
	Accounts   []demo.Account
	Clock      func() time.Time
	DB         *db.DB
	Engine     *policies.Engine
	Consent    *consent.Service
	Vault      *vault.Service
	Governance *governance.Service
	Market     *marketplace.Service
	Stop       func() error
}

// Env is what benchmarks are given.
type Env struct {
	Dir    string                                               // empty; removed by the caller
	Start  func(ctx context.Context, dir string) (*Coop, error) // makes a co-op in a directory and serves it
	Judges Judges
	Server []string // command line of a server in a process of its own, without --data and --listen
	Out    io.Writer
	JSON   bool
}

// Figure is one measured goal.
type Figure struct {
	Name    string  `json:"name"`
	Value   float64 `json:"value"`
	Unit    string  `json:"unit"`
	Goal    string  `json:"goal"` // such as ">= 2000"
	Anchor  string  `json:"anchor"`
	Samples int     `json:"samples"`
	OK      bool    `json:"ok"`
	Skipped string  `json:"skipped,omitempty"` // why there is no value
}

// Names lists the benchmarks there are.
func Names() []string {
	return []string{"grant", "upload", "download", "rotate", "decide", "cohort", "api", "replay", "settle", "appraisal"}
}

// Run measures the named benchmark, or every one without a name, and prints its
// figures as they come. An error means that something could not be measured;
// a goal that is missed is not an error.
func Run(ctx context.Context, name string, env Env) error {
	all := map[string]func(context.Context, Env) ([]Figure, error){
		"grant": grant, "upload": upload, "download": download, "rotate": rotate, "decide": decide, "cohort": cohort, "api": api, "replay": replay, "settle": settlement, "appraisal": appraise,
	}
	if name != "" && all[name] == nil {
		return fmt.Errorf("there is no benchmark %q; there are %v", name, Names())
	}
	if !env.JSON {
		fmt.Fprintf(env.Out, "%s/%s, %d processors, %s\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	}
	for _, each := range Names() {
		if name != "" && each != name {
			continue
		}
		own := env
		var err error
		if own.Dir, err = os.MkdirTemp(env.Dir, each+"-"); err != nil {
			return fmt.Errorf("bench %s: %w", each, err)
		}
		figures, err := all[each](ctx, own)
		if err != nil {
			return fmt.Errorf("bench %s: %w", each, err)
		}
		for _, f := range figures {
			if err := env.print(f); err != nil {
				return err
			}
		}
		if err := os.RemoveAll(own.Dir); err != nil {
			return fmt.Errorf("bench %s: %w", each, err)
		}
	}
	return nil
}

func (e Env) print(f Figure) error {
	if e.JSON {
		return json.NewEncoder(e.Out).Encode(f)
	}
	if f.Skipped != "" {
		_, err := fmt.Fprintf(e.Out, "– %-36s skipped, goal %s: %s\n", f.Name, f.Goal, f.Skipped)
		return err
	}
	mark := "✓"
	if !f.OK {
		mark = "✗"
	}
	_, err := fmt.Fprintf(e.Out, "%s %-36s %10.4g %-7s goal %-9s %4d samples, %s\n", mark, f.Name, f.Value, f.Unit, f.Goal, f.Samples, f.Anchor)
	return err
}

// atMost and atLeast make a figure with its goal.
func atMost(goal float64, f Figure) Figure {
	f.Goal, f.OK = fmt.Sprintf("<= %g", goal), f.Value <= goal
	return f
}

func atLeast(goal float64, f Figure) Figure {
	f.Goal, f.OK = fmt.Sprintf(">= %g", goal), f.Value >= goal
	return f
}

// series is a number of timings of one thing.
type series []time.Duration

// time runs fn and notes how long it took.
func (s *series) time(fn func() error) error {
	begun := time.Now()
	if err := fn(); err != nil {
		return err
	}
	*s = append(*s, time.Since(begun))
	return nil
}

// median is the middle one, in seconds.
func (s series) median() float64 {
	sorted := slices.Sorted(slices.Values(s))
	if len(sorted) == 0 {
		return 0
	}
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]).Seconds() / 2
}
