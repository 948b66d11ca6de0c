package main

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/ledger"
	"distributed.ai/datacoop/vault"
	"distributed.ai/datacoop/web/client"
)

// VerifyReceiptCmd checks a consent or revocation receipt.
type VerifyReceiptCmd struct {
	File   string `arg:"" type:"existingfile" help:"The receipt."`
	Key    string `help:"The co-op's receipt key, as /.well-known/datacoop names it."`
	Server string `help:"Where to ask for the key instead."`
}

// Run says whether the co-op signed the receipt, byte for byte.
func (c *VerifyReceiptCmd) Run(ctx context.Context) error {
	text, err := os.ReadFile(c.File)
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
	if err := check(text, key); err != nil {
		return err
	}
	fmt.Printf("✓ %s, signed by the co-op, unchanged\n", kind)
	return nil
}

var errKey = errors.New("name the co-op's receipt key with --key, or its server with --server")

func (c *VerifyReceiptCmd) key(ctx context.Context) (ed25519.PublicKey, error) {
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

// VerifyStatementCmd recomputes a statement from its bundle.
type VerifyStatementCmd struct {
	File string `arg:"" name:"bundle" type:"existingfile" help:"The bundle, or the statement as the API answers it."`
}

// Run recomputes every share and compares byte for byte.
func (c *VerifyStatementCmd) Run() error {
	text, err := os.ReadFile(c.File)
	if err != nil {
		return fmt.Errorf("statement: %w", err)
	}
	var view client.StatementView
	if json.Unmarshal(text, &view) == nil && len(view.Bundle) > 0 {
		text = view.Bundle
	}
	if err := appraisal.Verify(text); err != nil {
		return err
	}
	bundle, err := appraisal.ParseBundle(text)
	if err != nil {
		return err
	}
	fmt.Printf("✓ statement of %s: %d shares recomputed, byte for byte\n", bundle.Statement.Period, len(bundle.Statement.Shares))
	return nil
}

// VerifyLedgerCmd checks a journal.
type VerifyLedgerCmd struct {
	File string `arg:"" name:"journal" type:"existingfile" help:"The plain-text journal."`
}

// Run checks that every entry balances and that none is missing.
func (c *VerifyLedgerCmd) Run() error {
	file, err := os.Open(c.File)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	defer file.Close()
	j, err := ledger.VerifyJournal(file)
	if err != nil {
		return err
	}
	fmt.Printf("✓ journal: %d entries in %s balance and chain\n", j.Entries, j.Currency)
	return nil
}

// VerifyLogCmd recomputes a server's transparency log from what it publishes.
type VerifyLogCmd struct {
	Server string `required:"" help:"The co-op's server."`
	Key    string `help:"The log's verifier key, if you have it from elsewhere; else the server's word is taken."`
}

// Run reads every leaf the server publishes and compares the tree's root with
// the signed checkpoint.
func (c *VerifyLogCmd) Run(ctx context.Context) error {
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
	tree, err := signedTree(ctx, api, c.Key)
	if err != nil {
		return err
	}
	root, err := recompute(ctx, api, tree.N)
	if err != nil {
		return err
	}
	if root != tree.Hash {
		return errors.New("log: the leaves do not make the signed tree")
	}
	fmt.Printf("✓ log: %d leaves make the signed tree\n", tree.N)
	return nil
}

func signedTree(ctx context.Context, api *client.Client, key string) (tlog.Tree, error) {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("log: key: %w", err)
	}
	checkpoint, err := api.Checkpoint(ctx)
	if err != nil {
		return tlog.Tree{}, err
	}
	signed, err := note.Open(checkpoint, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("log: checkpoint: %w", err)
	}
	return parseTree(signed.Text)
}

// parseTree reads the body of a C2SP tlog-checkpoint: origin, size, root.
func parseTree(text string) (tlog.Tree, error) {
	var origin, root string
	var tree tlog.Tree
	if _, err := fmt.Sscanf(text, "%s\n%d\n%s\n", &origin, &tree.N, &root); err != nil {
		return tlog.Tree{}, fmt.Errorf("log: checkpoint: %w", err)
	}
	hash, err := base64.StdEncoding.DecodeString(root)
	if err != nil || len(hash) != tlog.HashSize {
		return tlog.Tree{}, errors.New("log: checkpoint: the root is not a hash")
	}
	tree.Hash = tlog.Hash(hash)
	return tree, nil
}

// perTile is how many entries a full tile of a C2SP tlog-tiles log holds.
const perTile = 256

// recompute hashes size leaves from the entry tiles into a root.
func recompute(ctx context.Context, api *client.Client, size int64) (tlog.Hash, error) {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, at := range indexes {
			out[i] = stored[at]
		}
		return out, nil
	})
	for n := int64(0); n < size; {
		leaves, err := entries(ctx, api, n, min(size-n, perTile))
		if err != nil {
			return tlog.Hash{}, err
		}
		for _, leaf := range leaves {
			hashes, err := tlog.StoredHashes(n, leaf, reader)
			if err != nil {
				return tlog.Hash{}, fmt.Errorf("log: %w", err)
			}
			stored = append(stored, hashes...)
			n++
		}
	}
	return tlog.TreeHash(size, reader)
}

// entries reads the tile of leaves from the first, of which there are width.
func entries(ctx context.Context, api *client.Client, first, width int64) ([][]byte, error) {
	tile := tlog.Tile{H: 8, L: -1, N: first / perTile, W: int(width)}
	path := tile.Path()[len("tile/8/data/"):] // C2SP names entries, and no height
	data, err := api.Tile(ctx, "tile/entries/"+path)
	if err != nil {
		return nil, err
	}
	var out [][]byte
	for len(data) > 0 {
		if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
			return nil, errors.New("log: an entry tile is cut off")
		}
		end := 2 + int(binary.BigEndian.Uint16(data))
		out = append(out, data[2:end])
		data = data[end:]
	}
	if int64(len(out)) != width {
		return nil, errors.New("log: an entry tile is incomplete")
	}
	return out, nil
}
