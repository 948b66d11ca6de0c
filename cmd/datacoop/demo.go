package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"distributed.ai/datacoop/cmd/datacoop/custody"
	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/demo"
	"distributed.ai/datacoop/web/authserver"
)

// DemoCmd starts a whole co-op and tells its story.
type DemoCmd struct {
	Listen   string `default:"localhost:8080" help:"Address to listen on; localhost:0 picks a port."`
	Data     string `type:"path" help:"Data directory. Default: one in the user's cache directory."`
	Database string `placeholder:"URL" help:"Keep the main database on this PostgreSQL server (postgres://…). Default: a file in the data directory."`
	Members  int    `default:"12" help:"How many members; at least 6."`
	Exit     bool   `help:"Stop after the story."`
	NoStory  bool   `help:"Only bring members, stewards and one researcher together."`
}

// Run tells the story and then keeps serving until it is interrupted.
func (c *DemoCmd) Run(ctx context.Context) (err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	listener, base, err := listen(c.Listen, "")
	if err != nil {
		return err
	}
	defer listener.Close()
	a, story, err := c.open(ctx, base)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	served := make(chan error, 1)
	go func() { served <- a.run(ctx, listener) }()
	if err := c.tell(ctx, story); err != nil {
		return err
	}
	if c.Exit {
		stop()
	}
	return <-served
}

// open wires the server exactly as serve does, but for the clock, the logins
// and the charter.
func (c *DemoCmd) open(ctx context.Context, base string) (*app, demo.Config, error) {
	if !isLoopback(base) {
		return nil, demo.Config{}, errors.New("the demo listens on this machine only: its logins are printed for everybody to see")
	}
	dir, err := c.directory()
	if err != nil {
		return nil, demo.Config{}, err
	}
	clock, err := demo.OpenClock(dir)
	if err != nil {
		return nil, demo.Config{}, err
	}
	config := appConfig{Data: dir, Database: c.Database, BaseURL: base, Clock: clock.Now, MaxBytes: defaultMaxUpload, Logger: newLogger(), CharterText: governance.DemoCharter()}
	if config.Charter, err = coop.ParseCharter(config.CharterText); err != nil {
		return nil, demo.Config{}, err
	}
	if err = custody.WritePrivate(filepath.Join(dir, charterFile), config.CharterText); err != nil {
		return nil, demo.Config{}, err
	}
	if config.Keys, err = custody.LoadKeys(dir); err != nil {
		return nil, demo.Config{}, err
	}
	if config.Master, err = localMaster(dir); err != nil {
		return nil, demo.Config{}, err
	}
	password := func(subject string) (string, error) { return authserver.DemoPassword(config.Keys.OAuth, subject) }
	accounts, err := demo.Accounts(c.Members, password)
	if err != nil {
		return nil, demo.Config{}, err
	}
	for _, account := range accounts {
		config.Accounts = append(config.Accounts, authserver.Account(account))
	}
	a, err := openApp(ctx, config)
	if err != nil {
		return nil, demo.Config{}, err
	}
	return a, demo.Config{BaseURL: base, Dir: dir, Accounts: accounts, Clock: clock, Currency: config.Charter.Currency,
		Out: os.Stdout, Verify: func(ctx context.Context) (string, error) { return a.verifyAll(ctx, true) }}, nil
}

// directory makes the data directory, and refuses one that a real co-op lives
// in.
func (c *DemoCmd) directory() (string, error) {
	dir := c.Data
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("data directory: %w", err)
		}
		dir = filepath.Join(cache, "datacoop-demo")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("data directory: %w", err)
	}
	if demo.RefuseData(dir) == nil {
		if _, err := os.Stat(filepath.Join(dir, custody.KeystoreFile)); err == nil {
			return "", errors.New("this directory holds a real co-op; the demo would set its clock forward")
		}
	}
	return dir, nil
}

func (c *DemoCmd) tell(ctx context.Context, story demo.Config) error {
	fmt.Printf("data directory: %s\n", story.Dir)
	if c.NoStory {
		if err := demo.Gather(ctx, story); err != nil {
			return err
		}
	} else {
		steps, err := demo.Story(ctx, story)
		if err != nil {
			return fmt.Errorf("demo: failed: %w", err)
		}
		defer fmt.Printf("demo: ok (%d steps)\n", steps)
	}
	if !c.Exit {
		invite(os.Stdout, story)
	}
	return nil
}

// invite says where to go on by hand.
func invite(w io.Writer, story demo.Config) {
	fmt.Fprintf(w, "\nThe co-op is open at %s\n\nSign in as\n", story.BaseURL)
	for _, a := range story.Accounts {
		fmt.Fprintf(w, "  %-8s %s\n", a.Subject, a.Password)
	}
	fmt.Fprintf(w, "\nTokens and the researcher's credentials are in %s\nStop with Ctrl-C.\n\n", filepath.Join(story.Dir, "demo.json"))
}
