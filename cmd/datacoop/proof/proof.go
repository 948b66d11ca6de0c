// Package proof holds the commands that check what a co-op hands out: receipts,
// statements, journals and its log. They need no database and no trust in the
// server, only files and, where it is not given, the key the server names.
//
// A check prints one line with ✓ or returns why it failed; it never says that
// something holds which it has not recomputed.
package proof

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace/ledger"
	"distributed.ai/datacoop/vault"
	"distributed.ai/datacoop/web"
	"distributed.ai/datacoop/web/client"
)

// mostRead is how many bytes of a file are read: more than a co-op hands out in one.
const mostRead = 256 << 20

var errLong = errors.New("the file is longer than any that a co-op hands out")

// read reads a file that somebody else made.
func read(name string) ([]byte, error) {
	file, err := os.Open(name) // #nosec G304 -- who runs the command names it
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // it was only read
	return readAtMost(file, mostRead)
}

func readAtMost(from io.Reader, most int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(from, most+1))
	if err == nil && int64(len(text)) > most {
		return nil, errLong
	}
	return text, err
}

// Receipt checks a receipt of consent, of a revocation or of a closed account.
type Receipt struct {
	File   string `arg:"" type:"existingfile" help:"The receipt."`
	Key    string `help:"The co-op's receipt key, as /.well-known/datacoop names it."`
	Server string `help:"Where to ask for the key instead."`
}

// Run says whether the co-op signed the receipt, byte for byte.
func (c *Receipt) Run(ctx context.Context) error {
	text, err := read(c.File)
	if err != nil {
		return fmt.Errorf("receipt: %w", err)
	}
	key, err := c.key(ctx)
	if err != nil {
		return err
	}
	kind, check := "consent receipt", consent.VerifyReceipt
	if _, err := vault.ParseReceipt(text); err == nil {
		kind, check = "revocation receipt", vault.VerifyReceipt
	}
	if web.IsClosing(text) {
		kind, check = "receipt of a closed account", web.VerifyClosing
	}
	if err := check(text, key); err != nil {
		return err
	}
	fmt.Printf("✓ %s, signed by the co-op, unchanged\n", kind)
	if says := notice(text); says != "" {
		fmt.Println("  It says: " + says)
	}
	return nil
}

// notice is what a consent receipt says in sentences, as one line; "" of any
// other.
func notice(receipt []byte) string {
	var r struct {
		Records []struct {
			Notice struct {
				Text string `json:"dct:description"`
			} `json:"dpv:hasNotice"`
		} `json:"dpv:hasRecordOfActivity"`
	}
	if json.Unmarshal(receipt, &r) != nil || len(r.Records) == 0 {
		return ""
	}
	return coop.Shown(r.Records[0].Notice.Text, 4000)
}

var errKey = errors.New("name the co-op's receipt key with --key, or its server with --server")

func (c *Receipt) key(ctx context.Context) (ed25519.PublicKey, error) {
	if c.Key == "" && c.Server != "" {
		api, err := client.New(c.Server)
		if err != nil {
			return nil, err
		}
		d, err := api.Discovery(ctx)
		if err != nil {
			return nil, err
		}
		c.Key = d.ReceiptKey
	}
	key, err := base64.StdEncoding.DecodeString(c.Key)
	if err != nil || len(key) != ed25519.PublicKeySize {
		return nil, errKey
	}
	return key, nil
}

// Ledger checks a journal.
type Ledger struct {
	File string `arg:"" name:"journal" type:"existingfile" help:"The plain-text journal."`
}

// Run checks that every entry balances and that none is missing.
func (c *Ledger) Run() error {
	file, err := os.Open(c.File)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	j, err := ledger.VerifyJournal(file)
	if err != nil {
		return err
	}
	fmt.Printf("✓ journal: %d entries in %s balance and chain\n", j.Entries, j.Currency)
	return nil
}

// Log recomputes a server's transparency log from what it publishes.
type Log struct {
	Server string `required:"" help:"The co-op's server."`
	Key    string `help:"The log's verifier key, if you have it from elsewhere; else the server's word is taken."`
	Mirror string `type:"path" help:"Keep a copy of the log in this folder once it is checked. Whoever has one can prove later what was published, and a co-op that was restored from a backup learns from it what was revoked since."`
}

// Run reads every leaf the server publishes and compares the tree's root with
// the signed checkpoint.
func (c *Log) Run(ctx context.Context) error {
	api, err := client.New(c.Server)
	if err != nil {
		return err
	}
	if c.Key == "" {
		d, err := api.Discovery(ctx)
		if err != nil {
			return err
		}
		c.Key = d.LogKey
	}
	checkpoint, err := api.Checkpoint(ctx)
	if err != nil {
		return err
	}
	read := map[string][]byte{}
	leaves, err := audit.Recompute(checkpoint, c.Key, func(path string) ([]byte, error) {
		data, err := api.Tile(ctx, path)
		read[path] = data
		return data, err
	})
	if err != nil {
		return err
	}
	if c.Mirror != "" {
		if err := c.keep(checkpoint, read); err != nil {
			return fmt.Errorf("mirror: %w", err)
		}
	}
	fmt.Printf("✓ log: %d leaves make the signed tree\n", leaves)
	return nil
}

// checkpointFile is the log's newest signed head, beside the tiles it covers.
const checkpointFile = "checkpoint"

// keep writes the tiles of leaves first and the checkpoint that covers them
// last. It refuses to replace a longer log, or another co-op's.
func (c *Log) keep(checkpoint []byte, tiles map[string][]byte) error {
	if err := os.MkdirAll(c.Mirror, 0o755); err != nil { // #nosec G301 -- the log is public
		return err
	}
	root, err := os.OpenRoot(c.Mirror)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }() // what was written is closed
	if err := c.continues(root, tiles, checkpoint); err != nil {
		return err
	}
	for path, data := range tiles {
		if err := root.MkdirAll(filepath.Dir(path), 0o755); err != nil { // #nosec G301 -- the log is public
			return err
		}
		if err := root.WriteFile(path, data, 0o644); err != nil { // #nosec G306 -- the log is public
			return err
		}
	}
	if err := root.WriteFile(checkpointFile+".new", checkpoint, 0o644); err != nil { // #nosec G306 -- the log is public
		return err
	}
	return root.Rename(checkpointFile+".new", checkpointFile)
}

// continues compares what the mirror holds with what the server publishes now:
// a server that shows another history than before is caught here.
func (c *Log) continues(root *os.Root, tiles map[string][]byte, checkpoint []byte) error {
	held, err := root.ReadFile(checkpointFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	now, err := audit.Read(checkpoint, c.Key, func(path string) ([]byte, error) { return tiles[path], nil })
	if err != nil {
		return err
	}
	switch err := now.Reaches(held, c.Key); {
	case errors.Is(err, audit.ErrBehind):
		return errors.New("the server publishes less than it did before: entries have been taken back")
	case errors.Is(err, audit.ErrFork):
		return errors.New("the server publishes another history than it did before")
	case err != nil:
		return fmt.Errorf("the folder holds the log of another co-op: %w", err)
	}
	return nil
}
