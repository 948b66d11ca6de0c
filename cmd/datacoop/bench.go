package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"distributed.ai/datacoop/cmd/datacoop/bench"
)

// BenchCmd measures the performance goals on this machine.
type BenchCmd struct {
	Name string `arg:"" optional:"" help:"Which one: grant, upload, download, rotate, decide, cohort, api, replay, settle or appraisal. Default: all of them."`
	JSON bool   `help:"Print one JSON object a line."`
	Dir  string `type:"existingdir" help:"Where to work; needs 4 GB. Default: the system's directory for temporary files."`

	bench.Judges
}

// Run prints each figure beside what it was compared with.
func (c *BenchCmd) Run(ctx context.Context) error {
	dir, err := os.MkdirTemp(c.Dir, "datacoop-bench-")
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // what is left is the system's to sweep
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	return bench.Run(ctx, c.Name, bench.Env{Dir: dir, Start: startBench, Out: os.Stdout, JSON: c.JSON, Judges: c.Judges, Server: []string{self, "demo", "--no-story"}})
}

// startBench serves a demo's co-op without its story.
func startBench(ctx context.Context, dir string) (*bench.Coop, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	listener, base, err := listen("localhost:0", "")
	if err != nil {
		return nil, err
	}
	a, story, err := (&DemoCmd{Data: dir, Members: 12}).open(ctx, base)
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	stop := a.background(ctx, listener)
	return &bench.Coop{Base: base, Data: filepath.Clean(dir), Master: a.Master, Accounts: story.Accounts, Clock: a.Clock, DB: a.db, Engine: a.engine,
		Consent: a.consent, Vault: a.vault, Governance: a.governance, Market: a.market, Stop: stop}, nil
}

// background runs the server until stop is called.
func (a *app) background(ctx context.Context, listener net.Listener) (stop func() error) {
	ctx, end := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- a.run(ctx, listener) }()
	return func() error {
		end()
		return errors.Join(<-served, a.Close())
	}
}
