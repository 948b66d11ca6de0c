package custody

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"distributed.ai/datacoop/vault"
)

// SharesCmd puts the master key under the control of several people.
type SharesCmd struct {
	Split   SplitCmd   `cmd:"" help:"Seal the key anew so that any so many of the custodians open it together."`
	Check   CheckCmd   `cmd:"" help:"Check one's own share without the others."`
	Combine CombineCmd `cmd:"" help:"Put shares together into the passphrase."`
}

// SplitCmd makes the shares.
type SplitCmd struct {
	Data           string   `required:"" type:"existingdir" help:"The data directory."`
	PassphraseFile string   `required:"" type:"existingfile" help:"The passphrase that opens the key now."`
	Threshold      int      `required:"" help:"How many custodians open the key together; fewer learn nothing."`
	Custodian      []string `required:"" help:"Age recipient of a custodian, or a file that holds one; once for each."`
	Out            string   `required:"" type:"path" help:"New directory for the shares; hand them out and delete it."`
}

// Run writes the shares and their public part first and replaces the sealed
// key then, so that a crash in between leaves either the old passphrase or the
// shares good.
func (c *SplitCmd) Run() error {
	release, err := Lock(c.Data)
	if err != nil {
		return err
	}
	defer func() { _ = release() }() // nothing depends on it any more
	master, err := OpenMaster(c.Data, c.PassphraseFile)
	if err != nil {
		return err
	}
	recipients, err := custodians(c.Custodian)
	if err != nil {
		return err
	}
	split, err := vault.SplitMaster(master, c.Threshold, recipients)
	if err != nil {
		return err
	}
	if err := os.Mkdir(c.Out, 0o700); err != nil {
		return fmt.Errorf("shares: %w", err)
	}
	for i, share := range split.Shares {
		name := fmt.Sprintf("share-%d-of-%d.age", i+1, len(split.Shares))
		if err := WritePrivate(filepath.Join(c.Out, name), share); err != nil {
			return err
		}
	}
	for _, file := range []struct {
		path string
		text []byte
	}{{filepath.Join(c.Out, BoardFile), split.Board}, {filepath.Join(c.Data, MasterFile), split.Sealed}, {filepath.Join(c.Data, BoardFile), split.Board}} {
		if err := WritePrivate(file.path, file.text); err != nil {
			return err
		}
	}
	fmt.Printf("✓ %d of %d custodians open the vault's key together; the old passphrase no longer does.\n", c.Threshold, len(recipients))
	fmt.Printf("Give each custodian their file from %s with a copy of %s, have each run \"datacoop vault shares check\",\n"+
		"then delete the folder, the old passphrase and every older copy of %s.\n", c.Out, BoardFile, MasterFile)
	return nil
}

// custodians reads recipients that were named or lie in files.
func custodians(named []string) ([]string, error) {
	out := make([]string, 0, len(named))
	for _, name := range named {
		if !strings.HasPrefix(name, "age1") {
			text, err := os.ReadFile(name)
			if err != nil {
				return nil, fmt.Errorf("custodian: %w", err)
			}
			name = strings.TrimSpace(string(text))
		}
		out = append(out, name)
	}
	return out, nil
}

// CheckCmd lets a custodian check a share.
type CheckCmd struct {
	Board    string `required:"" type:"existingfile" help:"The public part of the split (vault.shares.json)."`
	Identity string `type:"existingfile" help:"The custodian's age identity file, if the share is still encrypted."`
	Share    string `arg:"" type:"existingfile" help:"The share."`
}

// Run says which share it is.
func (c *CheckCmd) Run() error {
	board, err := os.ReadFile(c.Board)
	if err != nil {
		return fmt.Errorf("shares: %w", err)
	}
	text, err := openShare(c.Share, []string{c.Identity})
	if err != nil {
		return err
	}
	index, err := vault.CheckShare(board, text)
	if err != nil {
		return err
	}
	fmt.Printf("✓ This is share %d, and it fits the others.\n", index)
	return nil
}

// CombineCmd is the ceremony.
type CombineCmd struct {
	Data     string   `required:"" type:"existingdir" help:"The data directory."`
	Identity []string `type:"existingfile" help:"Identity files of custodians whose shares are still encrypted."`
	Out      string   `required:"" type:"path" help:"New file for the passphrase; the server takes it with --passphrase-file."`
	Share    []string `arg:"" type:"existingfile" help:"Shares, as custodians received them or decrypted."`
}

// Run checks every share, makes the passphrase and tries it before it writes
// it.
func (c *CombineCmd) Run() error {
	board, err := os.ReadFile(filepath.Join(c.Data, BoardFile))
	if err != nil {
		return fmt.Errorf("shares: %w", err)
	}
	var texts [][]byte
	for _, path := range c.Share {
		text, err := openShare(path, c.Identity)
		if err == nil {
			_, err = vault.CheckShare(board, text)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(path), err)
		}
		texts = append(texts, text)
	}
	phrase, err := vault.CombineShares(board, texts...)
	if err != nil {
		return err
	}
	sealed, err := os.ReadFile(filepath.Join(c.Data, MasterFile))
	if err != nil {
		return fmt.Errorf("vault key: %w", err)
	}
	if _, err := vault.OpenMaster(bytes.NewReader(sealed), phrase); err != nil {
		return err
	}
	if _, err := os.Stat(c.Out); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s exists already", filepath.Base(c.Out))
	}
	if err := WritePrivate(c.Out, []byte(phrase+"\n")); err != nil {
		return err
	}
	fmt.Printf("✓ The shares open the vault's key. The passphrase is in %s: start the server with it, then delete it.\n", c.Out)
	return nil
}

// openShare reads a share that is decrypted already, or decrypts it.
func openShare(path string, identities []string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("share: %w", err)
	}
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		return text, nil
	}
	for _, path := range identities {
		if path == "" {
			continue
		}
		identity, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("identity: %w", err)
		}
		if plain, err := vault.OpenShare(bytes.NewReader(text), bytes.NewReader(identity)); err == nil {
			return plain, nil
		}
	}
	return nil, errors.New("the share is encrypted, and no identity was given that opens it")
}
