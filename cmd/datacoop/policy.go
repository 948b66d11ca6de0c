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
	Impact PolicyImpactCmd `cmd:"" help:"Say what a policy would have meant for the decisions of the last year."`
}

// PolicyImpactCmd replays a policy on past decisions.
type PolicyImpactCmd struct {
	File    string `arg:"" type:"existingfile" help:"A Rego file of package coop.access, in any layout."`
	Data    string `required:"" type:"existingdir" help:"The data directory; a server may run on it."`
	Charter string `type:"existingfile" help:"Charter file, if it is not in the data directory."`
	JSON    bool   `name:"json" help:"Answer as JSON."`
}

// Run prints what would have come out otherwise, or why the policy is refused.
func (c *PolicyImpactCmd) Run(ctx context.Context) (err error) {
	text, err := os.ReadFile(c.File)
	if err != nil {
		return fmt.Errorf("policy: %w", err)
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
	return law.Tell(os.Stdout, c.File, c.JSON, report, impact)
}
