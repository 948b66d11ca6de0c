package treasury

import (
	"context"
	"fmt"
	"os"

	"distributed.ai/datacoop/cmd/datacoop/render"
	"distributed.ai/datacoop/web/client"
)

// JournalCmd writes the books as text.
type JournalCmd struct {
	Out       string `short:"o" required:"" type:"path" placeholder:"FILE" help:"Where to write it. A file that exists is not replaced."`
	Patronage bool   `help:"The accounts of patronage instead of the money."`
}

// Run writes the journal. It names members by their ids, so only its owner may
// read the file.
func (c *JournalCmd) Run(ctx context.Context, to *PeriodCmd) error {
	api, err := to.api()
	if err != nil {
		return err
	}
	n, err := keep(c.Out, func() ([]byte, error) { return c.read(ctx, api) })
	if err != nil {
		return err
	}
	if to.JSON {
		return render.JSON(os.Stdout, map[string]any{"file": c.Out, "bytes": n})
	}
	fmt.Printf("✓ %s: check it with hledger -f %s check --strict\n", c.Out, c.Out)
	return nil
}

func (c *JournalCmd) read(ctx context.Context, api *client.Client) ([]byte, error) {
	return api.Journal(ctx, c.Patronage)
}
