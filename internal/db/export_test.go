package db

import (
	"testing"
	"time"
)

// Rebind and PostgresSchema are what the fuzz tests look at.
var (
	Rebind         = rebind
	PostgresSchema = postgresSchema
)

// ParseAddress tells what an address means: whether the connection is
// encrypted and the server's name verified, and how many readers there are.
func ParseAddress(address string) (encrypted, verified bool, readers int, err error) {
	cfg, opt, err := parseAddress(address)
	if err != nil {
		return false, false, 0, err
	}
	encrypted = cfg.TLSConfig != nil && !opportunistic(cfg)
	return encrypted, encrypted && !cfg.TLSConfig.InsecureSkipVerify, opt.readers, nil
}

// Hurry shortens how long the database is waited for.
func Hurry(t testing.TB, d *DB, patience time.Duration) {
	d.patience, d.reading = patience, patience
	was := settleTimeout
	settleTimeout = patience
	t.Cleanup(func() { settleTimeout = was })
}
