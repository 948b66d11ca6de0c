// Command datacoop runs a personal data cooperative and everything its people
// do from a terminal: a whole co-op to try out (demo), the server (serve), and
// the tools of members, researchers and treasurers.
//
// It wires the rooms of the house together and holds no rule of its own.
// Settings come from flags, then from DATACOOP_* variables, then from a file of
// settings, then from defaults; secrets are never printed, but for the demo's,
// which are nobody's, and for the codes of invitations, which are for others.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"distributed.ai/datacoop/cmd/datacoop/law"
	"distributed.ai/datacoop/internal/child"
)

func main() {
	child.Serve(law.Work)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	k := kong.Parse(&commands{}, kong.Name("datacoop"), kong.DefaultEnvars("DATACOOP"), kong.ShortUsageOnError(),
		kong.Configuration(readSettings),
		kong.Description("A personal data cooperative: encrypted data, voted policies, fair shares."),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(lent()))
	k.FatalIfErrorf(k.Run())
}
