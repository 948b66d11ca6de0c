package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"distributed.ai/datacoop/cmd/datacoop/law"
)

// PolicyCmd works on access policies before they are proposed.
type PolicyCmd struct {
	Check  law.CheckCmd    `cmd:"" help:"Say whether a policy could be put to the vote, and what it would change."`
	Render law.RenderCmd   `cmd:"" help:"Write a policy as English, as Rego or as ODRL."`
	Impact PolicyImpactCmd `cmd:"" help:"Say what a policy would have meant for the decisions of the last year, in a data directory or on a server."`
}

// PolicyImpactCmd replays a policy on past decisions.
type PolicyImpactCmd struct {
	File    string `arg:"" type:"existingfile" help:"A Rego file of package coop.access in any layout, or a rule document."`
	Data    string `type:"existingdir" help:"The data directory; a server may run on it."`
	Charter string `type:"existingfile" help:"Charter file, if it is not in the data directory."`
	Server  string `placeholder:"URL" help:"The co-op's address, where there is no data directory: the server replays its own past decisions."`
	Token   string `placeholder:"TOKEN" help:"A member's token, from the portal. Better set DATACOOP_TOKEN: others can see a command line."`
	JSON    bool   `name:"json" help:"Answer as JSON."`
}

// Run prints what would have come out otherwise, or why the policy is refused.
func (c *PolicyImpactCmd) Run(ctx context.Context) (err error) {
	text, err := os.ReadFile(c.File)
	if err != nil {
		return fmt.Errorf("policy: %w", err)
	}
	if c.Data == "" && c.Server == "" {
		return errors.New("--data or --server says where the past decisions are")
	}
	if c.Data == "" {
		told, err := law.There(ctx, c.Server, c.Token, c.File, text)
		if err != nil {
			return err
		}
		return told.Tell(os.Stdout, c.JSON)
	}
	config, err := verifyConfig(c.Data, c.Charter)
	if err != nil {
		return err
	}
	a := &app{appConfig: config}
	defer func() { err = errors.Join(err, a.Close()) }()
	for _, floor := range []func(context.Context) error{a.openFoundation, a.openConsent, a.openRooms} {
		if err := floor(ctx); err != nil {
			return err
		}
	}
	if err := a.governance.LoadLaw(ctx); err != nil {
		return err
	}
	report, impact, err := a.governance.Preview(ctx, text)
	if err != nil {
		return err
	}
	return law.Here(c.File, report, impact).Tell(os.Stdout, c.JSON)
}
