package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"
)

// VaultCmd keeps the vault's master key.
type VaultCmd struct {
	Seal VaultSealCmd `cmd:"" help:"Make the master key and seal it with a passphrase."`
}

// VaultSealCmd makes and seals the master key of a new co-op.
type VaultSealCmd struct {
	Data           string `required:"" type:"existingdir" help:"The data directory."`
	PassphraseFile string `type:"existingfile" help:"Read the passphrase from a file instead of asking."`
}

// minPassphrase is the shortest passphrase that is taken.
const minPassphrase = 16

// Run asks for a passphrase and writes the sealed key. It never replaces one.
func (c *VaultSealCmd) Run() error {
	passphrase, err := c.passphrase()
	if err != nil {
		return err
	}
	if len(passphrase) < minPassphrase {
		return fmt.Errorf("a passphrase needs at least %d characters; who guesses it can open every dataset", minPassphrase)
	}
	if err := sealMaster(c.Data, passphrase, humanLogN); err != nil {
		return err
	}
	fmt.Printf("The vault's key is sealed in %s.\nKeep the passphrase apart from it: without both, every dataset is lost.\n", masterFile)
	return nil
}

func (c *VaultSealCmd) passphrase() (string, error) {
	if c.PassphraseFile != "" {
		text, err := os.ReadFile(c.PassphraseFile)
		if err != nil {
			return "", fmt.Errorf("passphrase: %w", err)
		}
		return strings.TrimSpace(string(text)), nil
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
