package main

import (
	"context"
	"errors"
	"slices"

	"github.com/alecthomas/kong"

	"distributed.ai/datacoop/cmd/datacoop/custody"
)

// InviteCmd makes an invitation for a subject that the charter names. All other
// invitations are made in the portal, by members.
type InviteCmd struct {
	Config  kong.ConfigFlag `env:"-" type:"existingfile" help:"Settings that init wrote (datacoop.toml)."`
	Data    string          `required:"" type:"existingdir" help:"The data directory."`
	BaseURL string          `required:"" help:"How people reach the server."`
	Charter string          `type:"existingfile" help:"Charter file. Default: charter.toml in the data directory."`
	Subject string          `arg:"" help:"Whom the charter names for an office."`
}

// Run prints the link. An older one for the same subject stops working.
func (c *InviteCmd) Run(ctx context.Context) error {
	_, charter, err := loadCharter(c.Data, c.Charter)
	if err != nil {
		return err
	}
	if !slices.Contains(subjects(charter), c.Subject) {
		return errors.New("the charter names nobody of that subject for an office; members are invited in the portal")
	}
	keys, err := custody.LoadKeys(c.Data)
	if err != nil {
		return err
	}
	invitations, err := reserve(ctx, c.Data, "", c.BaseURL, keys, charter, c.Subject)
	if err != nil {
		return err
	}
	show(invitations)
	return nil
}
