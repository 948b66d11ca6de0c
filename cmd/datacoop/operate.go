package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"distributed.ai/datacoop/cmd/datacoop/custody"
	"distributed.ai/datacoop/cmd/datacoop/ops"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/demo"
	"distributed.ai/datacoop/web"
)

// lent is what the commands of package ops need of this one.
func lent() ops.House {
	return ops.House{Open: openRestored, Migrate: migrate, Charter: loadCharter, LogKey: logKey, Clock: domainClock,
		Bar: func(what string) (func(done, total int64), func()) {
			bar := newProgress(what)
			return bar.show, bar.end
		}}
}

// migrate opens all rooms as a server does, and closes them again.
func migrate(ctx context.Context, dir, database, charter string) ([]db.Migrated, error) {
	config, err := verifyConfig(dir, charter)
	if err != nil {
		return nil, err
	}
	if config.Clock, err = domainClock(dir); err != nil {
		return nil, err
	}
	config.Database, config.BaseURL = database, "http://localhost"
	config.Login = web.Login{Issuer: "https://issuer.invalid", ClientID: "migrate"} // is asked when somebody signs in, and nobody does
	a, err := openApp(ctx, config)
	if err != nil {
		return nil, err
	}
	return append(a.db.Migrated(), a.keystore.Migrated()...), a.Close()
}

// openRestored opens the rooms of a data directory with the vault locked.
func openRestored(ctx context.Context, dir, charter string) (_ *ops.Rooms, err error) {
	config, err := verifyConfig(dir, charter)
	if err != nil {
		return nil, err
	}
	if config.Clock, err = domainClock(dir); err != nil {
		return nil, err
	}
	a := &app{appConfig: config}
	for _, floor := range []func(context.Context) error{a.openFoundation, a.openConsent, a.openRooms, a.openMarket} {
		if err := floor(ctx); err != nil {
			return nil, errors.Join(err, a.Close())
		}
	}
	return &ops.Rooms{DB: a.db, Log: a.log, Consent: a.consent, Vault: a.vault, Clock: config.Clock, Close: a.Close,
		Verify: func(ctx context.Context) (string, error) { return a.verifyAll(ctx, true) }}, nil
}

// logKey answers the log's name and key of a data directory that has them.
func logKey(dir string, charter coop.Charter) (string, ed25519.PrivateKey, error) {
	if _, err := os.Stat(filepath.Join(dir, custody.KeysFile)); err != nil {
		return "", nil, fmt.Errorf("server keys: %w", err)
	}
	keys, err := custody.LoadKeys(dir)
	if err != nil {
		return "", nil, err
	}
	return logOrigin(charter.Name), keys.Log(), nil
}

// domainClock is the machine's clock, or the one of a demo.
func domainClock(dir string) (coop.Clock, error) {
	if demo.RefuseData(dir) == nil {
		return coop.SystemClock, nil
	}
	clock, err := demo.OpenClock(dir)
	if err != nil {
		return nil, err
	}
	return clock.Now, nil
}
