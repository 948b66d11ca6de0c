package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"distributed.ai/datacoop/cmd/datacoop/custody"
	"distributed.ai/datacoop/cmd/datacoop/proof"
	"distributed.ai/datacoop/internal/coop"
)

// verifyAll recomputes everything the tables claim: the log against its
// leaves and records, the ledger against its entries, each published statement
// from its bundle, with its vote, its calibration set and what candidates for
// judging were compared by, each decision from its question and its law, each stored
// payload against its hash and its member's signature, and the votes against
// their ballots. Payloads may be left out.
func (a *app) verifyAll(ctx context.Context, payloads bool) (string, error) {
	leaves, err := a.log.Verify(ctx)
	if err != nil {
		return "", fmt.Errorf("log: %w", err)
	}
	entries, err := a.ledger.Verify(ctx)
	if err != nil {
		return "", fmt.Errorf("ledger: %w", err)
	}
	statements, err := a.market.Verify(ctx)
	if err != nil {
		return "", fmt.Errorf("statements: %w", err)
	}
	replaying := newCount("decisions")
	decisions, err := a.consent.ReplayAll(ctx, func(done, total int) { replaying.show(int64(done), int64(total)) })
	replaying.end()
	if err != nil {
		return "", fmt.Errorf("decisions: %w", err)
	}
	votes, err := a.governance.Verify(ctx)
	if err != nil {
		return "", fmt.Errorf("votes: %w", err)
	}
	said := fmt.Sprintf("%d log entries, %d ledger entries, %d statements, %d decisions, %d votes", leaves, entries, statements, decisions, votes)
	if !payloads {
		return said + "; payloads not read", nil
	}
	checked, err := a.verifyPayloads(ctx)
	return said + ", " + checked, err
}

// verifyPayloads reads every payload and names each that is not what was sealed.
func (a *app) verifyPayloads(ctx context.Context) (string, error) {
	bar := newProgress("payloads")
	checked, err := a.vault.Verify(ctx, bar.show)
	bar.end()
	if err != nil {
		return "", fmt.Errorf("vault: %w", err)
	}
	for _, w := range checked.Wrong {
		fmt.Fprintf(os.Stderr, "✗ dataset %s: %s\n", w.Dataset, w.Sentence)
	}
	if n := len(checked.Wrong); n > 0 {
		return "", fmt.Errorf("vault: %d of %d payloads are not what was sealed", n, checked.Datasets)
	}
	return fmt.Sprintf("%d payloads (%s, %d signed by their members)", checked.Datasets, bytesOf(checked.Bytes), checked.Signed), nil
}

// VerifyCmd recomputes what claims to be true.
type VerifyCmd struct {
	Receipt     proof.Receipt     `cmd:"" help:"A consent or revocation receipt."`
	Statement   proof.Statement   `cmd:"" help:"A period's statement, from its bundle."`
	Calibration proof.Calibration `cmd:"" help:"What people drawn by lot said of pairs in a period."`
	Comparison  proof.Comparison  `cmd:"" help:"Whether a candidate for judging is better, from what people said."`
	Log         proof.Log         `cmd:"" help:"A server's transparency log, from what it publishes."`
	Ledger      proof.Ledger      `cmd:"" help:"A plain-text journal of the books."`
	All         VerifyAllCmd      `cmd:"" help:"Everything behind a data directory."`
}

// VerifyAllCmd recomputes everything behind a data directory, also while a
// server runs on it.
type VerifyAllCmd struct {
	Data    string `required:"" type:"existingdir" help:"The data directory."`
	Charter string `type:"existingfile" help:"Charter file, if it is not in the data directory."`

	Payloads bool `default:"true" negatable:"" help:"Read every encrypted file and compare it with its manifest and its member's signature; --no-payloads leaves them out."`
}

// Run prints what was recomputed.
func (c *VerifyAllCmd) Run(ctx context.Context) (err error) {
	config, err := verifyConfig(c.Data, c.Charter)
	if err != nil {
		return err
	}
	a := &app{appConfig: config}
	defer func() { err = errors.Join(err, a.Close()) }()
	for _, floor := range []func(context.Context) error{a.openFoundation, a.openConsent, a.openRooms, a.openMarket} {
		if err := floor(ctx); err != nil {
			return err
		}
	}
	said, err := a.verifyAll(ctx, c.Payloads)
	if err != nil {
		return err
	}
	fmt.Println("✓ " + said)
	return nil
}

func verifyConfig(dir, charter string) (appConfig, error) {
	config := appConfig{Data: dir, Clock: coop.SystemClock, MaxBytes: defaultMaxUpload, Logger: newLogger()}
	var err error
	if config.CharterText, config.Charter, err = loadCharter(dir, charter); err != nil {
		return appConfig{}, err
	}
	config.Keys, err = custody.LoadKeys(dir)
	return config, err
}
