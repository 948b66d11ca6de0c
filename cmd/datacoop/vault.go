package main

import (
	"context"
	"errors"
	"fmt"

	"distributed.ai/datacoop/cmd/datacoop/custody"
)

// VaultCmd keeps the vault's master key.
type VaultCmd struct {
	Seal   custody.SealCmd   `cmd:"" help:"Make the master key and seal it with a passphrase."`
	Unseal custody.UnsealCmd `cmd:"" help:"Check that a passphrase opens the vault; changes nothing."`
	Rotate VaultRotateCmd    `cmd:"" help:"Replace the master key, while the server is stopped."`
	Shares custody.SharesCmd `cmd:"" help:"Share the passphrase among custodians, and put it together."`
}

// VaultRotateCmd replaces the master key of a data directory.
type VaultRotateCmd struct {
	Data           string `required:"" type:"existingdir" help:"The data directory."`
	Charter        string `type:"existingfile" help:"Charter file, if it is not in the data directory."`
	PassphraseFile string `required:"" type:"existingfile" help:"The passphrase; it stays the same, as do custodians' shares."`
}

// Run moves the keystore to a new master key. It can be repeated after a
// crash.
func (c *VaultRotateCmd) Run(ctx context.Context) (err error) {
	release, err := custody.Lock(c.Data)
	if err != nil {
		return err
	}
	defer func() { _ = release() }() // nothing depends on it any more
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
	r, err := custody.BeginRotation(c.Data, c.PassphraseFile)
	if err != nil {
		return err
	}
	if a.vault.Unlock(ctx, r.Old) != nil { // already moved, if an earlier run was interrupted
		err = a.vault.Unlock(ctx, r.Next)
	}
	if err == nil {
		err = a.vault.Rotate(ctx, r.Next)
	}
	if err == nil {
		err = r.Finish()
	}
	if err != nil {
		return err
	}
	fmt.Printf("✓ Every dataset's key is sealed anew. Copy %s and %s soon: older copies of the keystore open nothing any more.\n",
		custody.MasterFile, custody.KeystoreFile)
	return nil
}
