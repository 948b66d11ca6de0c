package treasury

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"distributed.ai/datacoop/cmd/datacoop/render"
	"distributed.ai/datacoop/web/client"
)

// JudgesCmd tries other judges beside those in force.
type JudgesCmd struct {
	Server string `default:"http://localhost:8080" help:"The co-op's address."`
	Token  string `required:"" placeholder:"TOKEN" help:"Your token, from the portal. Better set DATACOOP_TOKEN: others can see a command line."`
	JSON   bool   `name:"json" help:"Answer as JSON."`

	List     ListJudgesCmd `cmd:"" help:"List the candidates and how far each is."`
	Try      TryCmd        `cmd:"" help:"Have other judges, or another way of asking, run in shadow; for the treasury."`
	Show     ShowJudgeCmd  `cmd:"" help:"Show a candidate and its comparison with the judge in force."`
	Offer    OfferCmd      `cmd:"" help:"Put a candidate to the vote; the server refuses one that is not proven better."`
	Vote     VoteJudgeCmd  `cmd:"" help:"Vote on a candidate."`
	Withdraw WithdrawCmd   `cmd:"" help:"End a candidate; for the treasury."`
	People   PeopleCmd     `cmd:"" help:"Show a period's calibration set: what members drawn by lot said of pairs."`
}

// ListJudgesCmd lists candidates.
type ListJudgesCmd struct{}

// TryCmd enters a candidate.
type TryCmd struct {
	File  string `arg:"" type:"existingfile" help:"TOML in a charter's keys: [[judges]], rubric, prompt; or learned_weights = true alone."`
	Title string `required:"" help:"One line that members read."`
	Why   string `required:"" help:"Why it should be better."`
}

// ShowJudgeCmd shows a candidate.
type ShowJudgeCmd struct {
	ID string `arg:"" help:"The candidate's id."`
}

// OfferCmd puts a candidate to the vote.
type OfferCmd struct {
	ID string `arg:"" help:"The candidate's id."`
}

// VoteJudgeCmd votes on a candidate.
type VoteJudgeCmd struct {
	ID     string `arg:"" help:"The candidate's id."`
	Choice string `arg:"" enum:"yes,no,abstain" help:"yes, no or abstain. A ballot cannot be changed."`
}

// WithdrawCmd ends a candidate.
type WithdrawCmd struct {
	ID string `arg:"" help:"The candidate's id."`
}

// PeopleCmd shows a calibration set.
type PeopleCmd struct {
	Period string `arg:"" help:"Such as P0001."`
}

// candidate is what of a candidate is shown in a terminal.
type candidate struct {
	ID, Title, State, Answer string
	Runs                     []struct{ Period, State string }
	Verdict                  *struct{ Sentences []string }
	Vote                     *struct{ State string }
}

func (c candidate) line() string {
	state := c.State
	if c.Vote != nil {
		state = "vote: " + c.Vote.State
	}
	return fmt.Sprintf("%s  %-14s  %-10s  %d runs  %s", c.ID, state, c.Answer, len(c.Runs), c.Title)
}

// call makes one call and shows what comes of it.
func (c *JudgesCmd) call(do func(*client.Client) (json.RawMessage, error), show func(json.RawMessage) error) error {
	api, err := client.New(c.Server, client.WithToken(c.Token))
	if err != nil {
		return err
	}
	text, err := do(api)
	if err != nil {
		return err
	}
	if c.JSON {
		return render.JSON(os.Stdout, text)
	}
	return show(text)
}

func shown(text json.RawMessage) error {
	var c candidate
	if err := json.Unmarshal(text, &c); err != nil {
		return err
	}
	fmt.Println(c.line())
	for _, r := range c.Runs {
		fmt.Printf("  %s: %s\n", r.Period, r.State)
	}
	if c.Verdict == nil {
		fmt.Println("There is no comparison yet: it takes two periods that people have judged.")
		return nil
	}
	fmt.Println(strings.Join(c.Verdict.Sentences, "\n"))
	return nil
}

// Run lists candidates, newest first.
func (c *ListJudgesCmd) Run(ctx context.Context, to *JudgesCmd) error {
	return to.call(func(api *client.Client) (json.RawMessage, error) { return api.Read(ctx, "v1", "candidates") },
		func(text json.RawMessage) error {
			var page struct{ Items []candidate }
			if err := json.Unmarshal(text, &page); err != nil {
				return err
			}
			if len(page.Items) == 0 {
				fmt.Println("Nothing is being tried.")
			}
			for _, one := range page.Items {
				fmt.Println(one.line())
			}
			return nil
		})
}

// Run enters a candidate.
func (c *TryCmd) Run(ctx context.Context, to *JudgesCmd) error {
	form, err := os.ReadFile(c.File)
	if err != nil {
		return fmt.Errorf("candidate: %w", err)
	}
	draft := map[string]string{"title": c.Title, "why": c.Why, "form": string(form)}
	return to.call(func(api *client.Client) (json.RawMessage, error) { return api.Create(ctx, draft, "v1", "candidates") }, shown)
}

// Run shows a candidate.
func (c *ShowJudgeCmd) Run(ctx context.Context, to *JudgesCmd) error {
	return to.call(func(api *client.Client) (json.RawMessage, error) { return api.Read(ctx, "v1", "candidates", c.ID) }, shown)
}

// Run offers a candidate.
func (c *OfferCmd) Run(ctx context.Context, to *JudgesCmd) error {
	return to.call(func(api *client.Client) (json.RawMessage, error) {
		return api.Create(ctx, nil, "v1", "candidates", c.ID, "offer")
	}, shown)
}

// Run votes on a candidate and shows the receipt, once.
func (c *VoteJudgeCmd) Run(ctx context.Context, to *JudgesCmd) error {
	return to.call(func(api *client.Client) (json.RawMessage, error) {
		return api.Create(ctx, map[string]string{"choice": c.Choice}, "v1", "candidates", c.ID, "ballots")
	}, func(text json.RawMessage) error {
		var ballot struct{ Receipt string }
		if err := json.Unmarshal(text, &ballot); err != nil {
			return err
		}
		fmt.Println("✓ your vote is cast; your receipt, shown once: " + ballot.Receipt)
		return nil
	})
}

// Run ends a candidate.
func (c *WithdrawCmd) Run(ctx context.Context, to *JudgesCmd) error {
	return to.call(func(api *client.Client) (json.RawMessage, error) {
		return api.Create(ctx, nil, "v1", "candidates", c.ID, "withdraw")
	}, shown)
}

// Run shows a calibration set.
func (c *PeopleCmd) Run(ctx context.Context, to *JudgesCmd) error {
	return to.call(func(api *client.Client) (json.RawMessage, error) {
		return api.Read(ctx, "v1", "periods", c.Period, "calibration")
	}, func(text json.RawMessage) error {
		var set struct {
			State, Why, Commitment string
			Asked, Of              int
			Open                   []json.RawMessage
			Holdout                json.RawMessage
		}
		if err := json.Unmarshal(text, &set); err != nil {
			return err
		}
		fmt.Printf("%s: %s, %d of %d pairs asked about\n", c.Period, set.State, set.Asked, set.Of)
		if set.Why != "" {
			fmt.Println(set.Why)
		}
		if set.Commitment != "" {
			fmt.Printf("%d pairs are open; the sealed half is committed to as %s; disclosed: %v\n", len(set.Open), set.Commitment, len(set.Holdout) > 0)
		}
		return nil
	})
}
