package custody

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/term"

	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/vault"
)

// SealCmd makes and seals the master key of a new co-op.
type SealCmd struct {
	Data           string `required:"" type:"existingdir" help:"The data directory."`
	PassphraseFile string `type:"existingfile" help:"Read the passphrase from a file instead of asking."`
}

// minPassphrase is the shortest passphrase that is taken.
const minPassphrase = 16

// Run asks for a passphrase and writes the sealed key. It never replaces one.
func (c *SealCmd) Run() error {
	passphrase, err := NewPassphrase(c.PassphraseFile)
	if err != nil {
		return err
	}
	if err := SealMaster(c.Data, passphrase, HumanLogN); err != nil {
		return err
	}
	fmt.Printf("The vault's key is sealed in %s.\nKeep the passphrase apart from it: without both, every dataset is lost.\n", MasterFile)
	return nil
}

// NewPassphrase reads a passphrase from a file, or asks for it twice, and
// refuses one that is too short.
func NewPassphrase(file string) (string, error) {
	passphrase, err := chosen(file)
	if err != nil {
		return "", err
	}
	if len(passphrase) < minPassphrase {
		return "", fmt.Errorf("a passphrase needs at least %d characters; who guesses it can open every dataset", minPassphrase)
	}
	return passphrase, nil
}

func chosen(file string) (string, error) {
	if file != "" {
		return readPassphrase(file)
	}
	first, err := ask("Passphrase for the vault: ")
	if err != nil {
		return "", err
	}
	again, err := ask("The same again: ")
	if err != nil {
		return "", err
	}
	if !bytes.Equal(first, again) {
		return "", errors.New("the two differ; nothing was written")
	}
	return string(first), nil
}

// ask reads a line from the terminal without showing it.
func ask(prompt string) ([]byte, error) {
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return nil, errors.New("there is no terminal to ask at; use --passphrase-file")
	}
	fmt.Fprint(os.Stderr, prompt)
	line, err := term.ReadPassword(int(os.Stdin.Fd()))
	fmt.Fprintln(os.Stderr)
	if err != nil {
		return nil, fmt.Errorf("passphrase: %w", err)
	}
	return line, nil
}

// UnsealCmd checks that a vault will open. A running server is not touched.
type UnsealCmd struct {
	Data           string `required:"" type:"existingdir" help:"The data directory."`
	PassphraseFile string `type:"existingfile" help:"Read the passphrase from a file instead of asking."`
}

// Run opens the sealed key and compares it with the keystore.
func (c *UnsealCmd) Run(ctx context.Context) error {
	master, err := c.open()
	if err != nil {
		return err
	}
	err = c.check(ctx, master)
	switch {
	case errors.Is(err, vault.ErrVaultSealed):
		fmt.Println("✓ The passphrase opens the vault's key. Nothing is sealed to it yet.")
	case err != nil:
		return err
	default:
		fmt.Println("✓ The passphrase opens the vault's key, and the key opens the keystore.")
	}
	fmt.Println("Nothing was changed. The server unseals when it starts with --passphrase-file.")
	return nil
}

func (c *UnsealCmd) check(ctx context.Context, master vault.Identity) error {
	path := filepath.Join(c.Data, KeystoreFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return vault.ErrVaultSealed
	}
	d, err := db.Open(ctx, path)
	if err != nil {
		return err
	}
	return errors.Join(vault.CheckMaster(ctx, d, []string{filepath.Join(c.Data, EpochDir)}, master), d.Close())
}

func (c *UnsealCmd) open() (vault.Identity, error) {
	if file := FindPassphrase(c.PassphraseFile); file != "" {
		return OpenMaster(c.Data, file)
	}
	return AskMaster(c.Data)
}

// AskMaster unseals a data directory's master identity with a passphrase that
// somebody types at the terminal.
func AskMaster(dir string) (vault.Identity, error) {
	if _, err := OpenMaster(dir, ""); err != nil { // before anybody types
		return nil, err
	}
	phrase, err := ask("Passphrase of the vault: ")
	if err != nil {
		return nil, err
	}
	sealed, err := os.ReadFile(filepath.Join(dir, MasterFile))
	if err != nil {
		return nil, fmt.Errorf("vault key: %w", err)
	}
	return vault.OpenMaster(bytes.NewReader(sealed), strings.TrimSpace(string(phrase)))
}

// Credential is the name under which systemd hands over the passphrase, with
// LoadCredential= or LoadCredentialEncrypted= in the unit.
const Credential = "datacoop.passphrase"

// FindPassphrase is the file with the passphrase: the one that was named, else
// the credential of the systemd unit, else none ("").
func FindPassphrase(named string) string {
	dir := os.Getenv("CREDENTIALS_DIRECTORY")
	if named != "" || dir == "" {
		return named
	}
	file := filepath.Join(dir, Credential)
	if _, err := os.Stat(file); err != nil { //nolint:gosec // the directory is the service manager's word
		return ""
	}
	return file
}
