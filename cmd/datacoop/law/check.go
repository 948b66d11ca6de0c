package law

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"distributed.ai/datacoop/cmd/datacoop/render"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/policies"
	"distributed.ai/datacoop/policies/rehearsal"
)

// CheckCmd puts policies through the gate that every proposal passes, and says
// what each would change.
type CheckCmd struct {
	Files    []string `arg:"" name:"file" type:"existingfile" help:"Rego files of package coop.access, or rule documents."`
	Against  string   `type:"existingfile" placeholder:"FILE" help:"The policy in force: say who would newly get data, and who no longer."`
	Pairs    bool     `help:"Also change every two things at once, which takes longer. Without --against it compares with the policy a new co-op starts with."`
	Currency string   `default:"EUR" help:"The co-op's currency, in which prices are said."`
	JSON     bool     `name:"json" help:"Answer as JSON."`
}

// checked is what is said about one file.
type checked struct {
	File      string            `json:"file"`
	OK        bool              `json:"ok"`
	Findings  []string          `json:"findings"`           // why the gate refuses it
	Revision  string            `json:"revision,omitempty"` // what it would be in force as
	Sentences []string          `json:"sentences"`          // what it says
	Document  string            `json:"document,omitempty"` // digest of the rule document; "" if none expresses it
	Steps     []policies.Step   `json:"steps"`              // what was tried, in order
	Changes   *rehearsal.Result `json:"changes,omitempty"`  // against the policy in force
}

// errGate ends the command after the findings were printed.
var errGate = errors.New("the gate refuses a policy")

// Run says of each policy what it says and would change, or why it is refused.
func (c *CheckCmd) Run(ctx context.Context) error {
	before, err := c.before(ctx)
	if err != nil {
		return err
	}
	var refused error
	all := make([]checked, 0, len(c.Files))
	for _, name := range c.Files {
		one, err := c.one(ctx, name, before)
		if err != nil {
			return err
		}
		if !one.OK {
			refused = errGate
		}
		all = append(all, one)
		if !c.JSON {
			one.show(os.Stdout)
		}
	}
	if c.JSON {
		if err := render.JSON(os.Stdout, all); err != nil {
			return err
		}
	}
	return refused
}

// before is the law to compare with; nil if nothing is to be compared.
func (c *CheckCmd) before(ctx context.Context) (*policies.Revision, error) {
	switch {
	case c.Against == "" && !c.Pairs:
		return nil, nil
	case c.Against == "":
		return policies.Compile(ctx, policies.Default())
	case !coop.Currency(c.Currency).Valid():
		return nil, errors.New("--currency takes the three letters of a currency, such as EUR")
	}
	text, report, err := c.gated(ctx, c.Against, nil)
	if err != nil {
		return nil, err
	}
	if !report.OK {
		return nil, fmt.Errorf("%s is no law to compare with: %s", c.Against, report.Findings[0])
	}
	return policies.Compile(ctx, text)
}

func (c *CheckCmd) one(ctx context.Context, name string, before *policies.Revision) (checked, error) {
	var present []byte
	if before != nil {
		present = before.Source()
	}
	text, report, err := c.gated(ctx, name, present)
	if err != nil {
		return checked{}, err
	}
	one := checked{File: name, OK: report.OK, Findings: list(report.Findings), Revision: report.Revision,
		Sentences: list(report.Sentences), Steps: report.Steps}
	if !report.OK {
		return one, nil
	}
	if err := c.published(ctx, &one, text); err != nil || before == nil {
		return one, err
	}
	revision, err := policies.Compile(ctx, text)
	if err != nil {
		return checked{}, fmt.Errorf("policy: %w", err)
	}
	bar := newBar()
	found, err := rehearsal.Compare(ctx, before, revision,
		rehearsal.Options{Pairs: c.Pairs, Currency: coop.Currency(c.Currency), Progress: bar.show})
	bar.end()
	if err != nil {
		return checked{}, fmt.Errorf("policy: %w", err)
	}
	one.Changes = &found
	one.Steps = append(one.Steps, policies.Step{Name: "changes", Holds: "What it would change was tried.", OK: found.Asked > 0, Tried: true,
		Figure: fmt.Sprintf("%d requests, %d kinds of which come out otherwise", found.Asked, len(found.Findings))})
	return one, nil
}

func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

func (c checked) show(to io.Writer) {
	if !c.OK {
		fmt.Fprintf(to, "✗ %s\n", c.File)
		c.steps(to)
		lines(to, c.Findings)
		return
	}
	fmt.Fprintf(to, "✓ %s  revision %.12s\n", c.File, c.Revision)
	c.steps(to)
	lines(to, c.Sentences)
	c.form(to)
	if c.Changes != nil {
		fmt.Fprintf(to, "  what it would change, by %d requests that were tried:\n", c.Changes.Asked)
		lines(to, c.Changes.Sentences())
	}
}

// steps prints what was tried, with a mark and a figure.
func (c checked) steps(to io.Writer) {
	for _, s := range c.Steps {
		mark, figure := "✗", s.Figure
		switch {
		case !s.Tried:
			mark, figure = "·", "not tried"
		case s.OK:
			mark = "✓"
		}
		fmt.Fprintf(to, "  %s %-10s  %s (%s)\n", mark, s.Name, s.Holds, figure)
	}
}

// lines prints sentences, each on a line of its own.
func lines(to io.Writer, list []string) {
	for _, line := range list {
		fmt.Fprintln(to, "  "+line)
	}
}

// bar shows on standard error how many requests have been tried: drawn on a
// terminal, a line now and then elsewhere.
type bar struct {
	drawn *progressbar.ProgressBar // nil until something moves, and where there is no terminal
	said  time.Time
}

const (
	barRefresh   = 100 * time.Millisecond
	lineInterval = 5 * time.Second
)

func terminal() bool { return term.IsTerminal(int(os.Stderr.Fd())) }

// endless is a bar for work of which nobody knows how much there is.
func endless() *progressbar.ProgressBar {
	return progressbar.NewOptions64(-1, progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetDescription("past decisions"),
		progressbar.OptionSetElapsedTime(true), progressbar.OptionThrottle(barRefresh))
}

func newBar() *bar { return &bar{said: time.Now()} }

func (b *bar) show(done, total int64) {
	if !terminal() {
		if time.Since(b.said) >= lineInterval {
			b.said = time.Now()
			fmt.Fprintf(os.Stderr, "%d of %d requests tried\n", done, total)
		}
		return
	}
	if b.drawn == nil {
		b.drawn = progressbar.NewOptions64(total, progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetDescription("requests"),
			progressbar.OptionShowCount(), progressbar.OptionFullWidth(), progressbar.OptionThrottle(barRefresh),
			progressbar.OptionSetPredictTime(true))
	}
	_ = b.drawn.Set64(done) // a bar that cannot be drawn is no reason to stop
}

// end leaves the line the bar is on.
func (b *bar) end() {
	if b.drawn != nil {
		_ = b.drawn.Exit()
		fmt.Fprintln(os.Stderr)
	}
}
