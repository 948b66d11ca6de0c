package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"os"

	"distributed.ai/datacoop/cmd/datacoop/approval"
	"distributed.ai/datacoop/cmd/datacoop/render"
	"distributed.ai/datacoop/web/client"
)

// ApproveCmd is how a member who keeps the only key to their data answers
// granted requests.
type ApproveCmd struct {
	Server     string   `default:"http://localhost:8080" help:"The co-op's address."`
	Token      string   `required:"" placeholder:"TOKEN" help:"Your token, from the portal. Better set DATACOOP_TOKEN: others can see a command line."`
	Identity   string   `type:"path" placeholder:"FILE" help:"Your identity file, which opens your data's key on this machine; needed to approve."`
	SigningKey string   `type:"path" placeholder:"FILE" help:"Key that signed what you uploaded; needed to approve. Default: the file beside your identity that ends in .sign."`
	All        bool     `help:"Approve everything that waits."`
	Decline    []string `placeholder:"ID" help:"Say no to this request, for good; may be given more than once."`
	Yes        bool     `short:"y" help:"Do not ask."`
	JSON       bool     `name:"json" help:"Answer as JSON."`
	IDs        []string `arg:"" optional:"" name:"id" help:"What to approve. Without any, what waits is listed."`
}

// Run lists what waits for the member, or answers it. The key is re-wrapped on
// this machine; the server gets a header for one researcher.
func (c *ApproveCmd) Run(ctx context.Context) error {
	return plain(c.run(ctx), "What was answered stays answered; run the same command again for the rest.")
}

func (c *ApproveCmd) run(ctx context.Context) error {
	api, err := client.New(c.Server, client.WithToken(c.Token))
	if err != nil {
		return err
	}
	waiting := []client.Approval{}
	for a, err := range api.Approvals(ctx) {
		if err != nil {
			return err
		}
		waiting = append(waiting, a)
	}
	approve, decline, err := approval.Choose(waiting, c.IDs, c.Decline, c.All)
	if err != nil {
		return err
	}
	if len(approve)+len(decline) == 0 {
		return c.list(waiting)
	}
	keys, err := c.keys(len(approve) > 0)
	if err != nil {
		return err
	}
	say := talk(c.JSON)
	if err := c.confirm(say, approve, decline); err != nil {
		return err
	}
	answers := approval.Answers{Say: say, Total: len(approve) + len(decline), Words: func(err error) error { return plain(err, "") }}
	for _, a := range decline {
		out, err := api.Decline(ctx, a.ID)
		answers.Note(ctx, a, out, err)
	}
	for _, a := range approve {
		out, err := api.Approve(ctx, a, keys.id, keys.own)
		answers.Note(ctx, a, out, err)
	}
	if c.JSON {
		if err := render.JSON(os.Stdout, answers.Given()); err != nil {
			return err
		}
	}
	return answers.End(ctx)
}

type memberKeys struct {
	id  client.Identity
	own ed25519.PublicKey
}

// keys reads what opens the member's headers and what says which are theirs.
func (c *ApproveCmd) keys(needed bool) (memberKeys, error) {
	if !needed {
		return memberKeys{}, nil
	}
	if c.Identity == "" {
		return memberKeys{}, errors.New("to approve, name your identity file with --identity: only that opens your data")
	}
	id, err := client.ReadIdentity(c.Identity)
	if err != nil {
		return memberKeys{}, err
	}
	key, err := signingKey(c.SigningKey, c.Identity)
	if err != nil {
		return memberKeys{}, err
	}
	if key == nil {
		return memberKeys{}, fmt.Errorf("%w. Name it with --signing-key", client.ErrUnsigned)
	}
	return memberKeys{id, client.PublicSigningKey(key)}, nil
}

// list says what waits, or that nothing does.
func (c *ApproveCmd) list(waiting []client.Approval) error {
	if c.JSON {
		return render.JSON(os.Stdout, waiting)
	}
	if len(waiting) == 0 {
		fmt.Println("Nothing waits for you.")
		return nil
	}
	fmt.Printf("%s for you. Nobody but you can open this data.\n", counted(len(waiting), "request waits", "requests wait"))
	for _, a := range waiting {
		approval.Describe(os.Stdout, a)
	}
	fmt.Println("\nSay yes with:  datacoop approve --identity FILE ID…   (or --all)")
	fmt.Println("Say no with:   datacoop approve --decline ID")
	return nil
}

var errUnanswered = errors.New("nothing was answered")

// confirm shows what is going to be answered and asks.
func (c *ApproveCmd) confirm(say io.Writer, approve, decline []client.Approval) error {
	for _, part := range []struct {
		title string
		list  []client.Approval
	}{{"To be approved:", approve}, {"To be declined, for good:", decline}} {
		if len(part.list) > 0 {
			fmt.Fprintln(say, part.title)
		}
		for _, a := range part.list {
			approval.Describe(say, a)
		}
	}
	if len(approve) > 0 {
		fmt.Fprintln(say, "\nThe key is wrapped on this machine to the recipients above. The server says whose they are: if it matters to you,\n"+
			"compare the SHA-256 with the researcher, over another way than this server. What is fetched cannot be called back.")
	}
	return agree(say, c.Yes, "Do this?", errUnanswered)
}
