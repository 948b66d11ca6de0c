// Package treasury holds the treasurer's commands: closing a period, watching
// its statement come, settling it, and the payout file; and the comparison of
// judges with people that members may want to see before they trust one.
//
// Every step is a call of the server, which decides what is allowed: money
// needs two people, and nothing is paid while it can still be contested. The
// commands hold no rule of their own.
package treasury

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"distributed.ai/datacoop/cmd/datacoop/render"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/web/client"
)

// PeriodCmd groups the steps of a period in their order.
type PeriodCmd struct {
	Server string `default:"http://localhost:8080" help:"The co-op's address."`
	Token  string `required:"" placeholder:"TOKEN" help:"Your token, from the portal. Better set DATACOOP_TOKEN: others can see a command line."`
	JSON   bool   `name:"json" help:"Answer as JSON."`

	List     ListCmd     `cmd:"" help:"List the periods and how far each is."`
	Close    CloseCmd    `cmd:"" help:"Close a period: what comes later belongs to the next one."`
	Appraise AppraiseCmd `cmd:"" help:"Wait for a closed period's statement and show what it says."`
	Settle   SettleCmd   `cmd:"" help:"Post the shares, once the time to contest them has passed."`
	Release  ReleaseCmd  `cmd:"" help:"Release a payout; it needs two people."`
	Payout   PayoutCmd   `cmd:"" help:"Write the payout as pain.001, for the bank."`
	Journal  JournalCmd  `cmd:"" help:"Write the books as a plain-text journal, for hledger and for 'verify ledger'."`
}

// ListCmd lists periods.
type ListCmd struct{}

// CloseCmd closes a period.
type CloseCmd struct {
	Period string `arg:"" help:"Such as P0001."`
}

// AppraiseCmd waits for a statement.
type AppraiseCmd struct {
	Period string        `arg:"" help:"Such as P0001."`
	Wait   time.Duration `default:"10m" help:"How long to wait for the judges; the formula pays without them."`
}

// SettleCmd settles a period.
type SettleCmd struct {
	Period string `arg:"" help:"Such as P0001."`
}

// ReleaseCmd releases a payout.
type ReleaseCmd struct {
	Period string `arg:"" help:"Such as P0001."`
}

// PayoutCmd writes a payout file.
type PayoutCmd struct {
	Period string `arg:"" help:"Such as P0001."`
	Out    string `short:"o" required:"" type:"path" placeholder:"FILE" help:"Where to write it. A file that exists is not replaced."`
	Format string `enum:"pain.001.001.09,pain.001.001.03" default:"pain.001.001.09" help:"The version of pain.001 that the bank takes: ${enum}."`
}

func (c *PeriodCmd) api() (*client.Client, error) {
	return client.New(c.Server, client.WithToken(c.Token))
}

// step makes one call and shows the period as it then is.
func (c *PeriodCmd) step(call func(*client.Client) (client.Period, error), done func(client.Period) string) error {
	api, err := c.api()
	if err != nil {
		return err
	}
	p, err := call(api)
	if err != nil {
		return err
	}
	if c.JSON {
		return render.JSON(os.Stdout, p)
	}
	fmt.Println("✓ " + done(p))
	return nil
}

// Run lists the periods, newest first.
func (c *ListCmd) Run(ctx context.Context, to *PeriodCmd) error {
	api, err := to.api()
	if err != nil {
		return err
	}
	list := []client.Period{}
	for p, err := range api.Periods(ctx) {
		if err != nil {
			return err
		}
		list = append(list, p)
	}
	if to.JSON {
		return render.JSON(os.Stdout, list)
	}
	if len(list) == 0 {
		fmt.Println("There is no period yet.")
	}
	for _, p := range list {
		fmt.Printf("%s  %-8s  %14s  %s\n", p.ID, p.State, money(p), next(p))
	}
	return nil
}

// Run closes the period.
func (c *CloseCmd) Run(ctx context.Context, to *PeriodCmd) error {
	return to.step(func(api *client.Client) (client.Period, error) { return api.ClosePeriod(ctx, c.Period) },
		func(p client.Period) string {
			return fmt.Sprintf("%s is closed with a revenue of %s. %s", p.ID, money(p), next(p))
		})
}

// Run settles the period.
func (c *SettleCmd) Run(ctx context.Context, to *PeriodCmd) error {
	return to.step(func(api *client.Client) (client.Period, error) { return api.SettlePeriod(ctx, c.Period) },
		func(p client.Period) string { return fmt.Sprintf("%s is settled. %s", p.ID, next(p)) })
}

// Run releases the payout.
func (c *ReleaseCmd) Run(ctx context.Context, to *PeriodCmd) error {
	return to.step(func(api *client.Client) (client.Period, error) { return api.ReleasePeriod(ctx, c.Period) },
		func(p client.Period) string {
			return fmt.Sprintf("You released the payout of %s. %s", p.ID, next(p))
		})
}

// pause is the time between two looks at a period.
const pause = time.Second

var errNoStatement = errors.New("there is no statement yet; run the same command again later")

// Run waits until the statement is there and shows it.
func (c *AppraiseCmd) Run(ctx context.Context, to *PeriodCmd) error {
	api, err := to.api()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.Wait)
	defer cancel()
	view, err := await(ctx, api, c.Period)
	if err != nil {
		return err
	}
	if to.JSON {
		return render.JSON(os.Stdout, view)
	}
	fmt.Printf("%s  %s\n", view.Period.ID, next(view.Period))
	for _, sentence := range view.Sentences {
		fmt.Println("  " + sentence)
	}
	fmt.Println("\nRecompute it: datacoop verify statement BUNDLE (the bundle is in the answer with --json).")
	return nil
}

// await looks at the period until its statement is there.
func await(ctx context.Context, api *client.Client, period string) (client.StatementView, error) {
	for told := false; ; told = true {
		p, err := find(ctx, api, period)
		switch {
		case ctx.Err() != nil:
			return client.StatementView{}, errNoStatement
		case err != nil:
			return client.StatementView{}, err
		case p.State == "open":
			return client.StatementView{}, fmt.Errorf("%s is open; close it first", p.ID)
		case p.ChallengeEndsAt != nil:
			return api.Statement(ctx, period)
		case !told:
			fmt.Fprintln(os.Stderr, "The judges are being asked …")
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

func find(ctx context.Context, api *client.Client, period string) (client.Period, error) {
	for p, err := range api.Periods(ctx) {
		if err != nil || p.ID == period {
			return p, err
		}
	}
	return client.Period{}, fmt.Errorf("there is no period %s", period)
}

// Run writes the file, once the payout was released by two people.
func (c *PayoutCmd) Run(ctx context.Context, to *PeriodCmd) error {
	api, err := to.api()
	if err != nil {
		return err
	}
	n, err := keep(c.Out, func() ([]byte, error) { return api.PayoutFileAs(ctx, c.Period, c.Format) })
	if err != nil {
		return err
	}
	if to.JSON {
		return render.JSON(os.Stdout, map[string]any{"period": c.Period, "file": c.Out, "bytes": n})
	}
	fmt.Printf("✓ %s: give it to the bank once; a second upload pays twice.\n", c.Out)
	return nil
}

// keep writes what read answers into a new file that only its owner may read. On
// an error there is no file.
func keep(path string, read func() ([]byte, error)) (n int, err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, fmt.Errorf("output: %w", err)
	}
	text, err := read()
	if err == nil {
		_, err = f.Write(text)
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return 0, errors.Join(err, os.Remove(path))
	}
	return len(text), nil
}

// next says what happens next with a period.
func next(p client.Period) string {
	switch {
	case p.State == "open":
		return "Revenue is still coming in."
	case p.State == "closed" && p.ChallengeEndsAt == nil:
		return "The judges are being asked; the statement follows."
	case p.State == "closed":
		return "It can be contested until " + p.ChallengeEndsAt.UTC().Format("2006-01-02 15:04 MST") + "."
	case p.State == "settled" && p.Released > 0:
		return "One treasurer has released the payout; a second one is needed."
	case p.State == "settled":
		return "Two treasurers have to release the payout."
	}
	return "The payout is released."
}

func money(p client.Period) string { return coop.Money(p.Revenue).Format(coop.Currency(p.Currency)) }
