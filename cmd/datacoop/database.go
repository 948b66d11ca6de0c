package main

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"distributed.ai/datacoop/cmd/datacoop/custody"
	"distributed.ai/datacoop/internal/db"
)

// openDatabase opens the main database of a data directory, at the address
// that was told or where it is known to be. A database on a server belongs to
// the directory whose keys came first: two co-ops never share one, and the
// demo never writes into a real one.
func openDatabase(ctx context.Context, dir, told string, keys custody.ServerKeys) (*db.DB, error) {
	address, err := custody.Database(dir, told)
	if err != nil {
		return nil, err
	}
	d, err := db.Open(ctx, address)
	if err != nil {
		return nil, err
	}
	public, _ := keys.Log().Public().(ed25519.PublicKey) // of an Ed25519 key it is nothing else
	owner := sha256.Sum256(public)
	err = d.Claim(ctx, hex.EncodeToString(owner[:]))
	if err == nil {
		err = custody.KeepDatabase(dir, address)
	}
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}
