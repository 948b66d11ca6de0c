package client

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"

	"distributed.ai/datacoop/marketplace/codebook"
)

// Preview is what would be shared, for the member to look at before anything
// leaves the machine.
type Preview struct {
	Pool    string
	Title   string // of the pool's codebook; empty for a pool without one
	Raw     bool   // the file as it is, instead of the pool's table
	Size    int64  // bytes before encryption
	Profile Profile
	Columns []codebook.Column // every column of the table; none if Raw
	Rows    [][]string        // the first rows of the table; none if Raw
	Left    []codebook.Left   // files of archives that were not read; it stays here
	Warning string            // when the data describe other people too
}

const previewRows = 5

// fingerprinted is how many bytes a file has at least whose digest the co-op is
// told: a shorter one could be found by trying.
const fingerprinted = 4096

// content is what is going to be encrypted and how to read it again.
type content struct {
	Preview
	digest [sha256.Size]byte
	write  func(io.Writer) error
}

var errChanged = errors.New("the file changed while it was being read; try again when it is at rest")

// InputFile is a file on disk as an input for Share and the codebook.
func InputFile(path string) (codebook.Input, error) {
	info, err := os.Stat(path)
	if err != nil {
		return codebook.Input{}, fmt.Errorf("read export: %w", err)
	}
	if !info.Mode().IsRegular() {
		return codebook.Input{}, fmt.Errorf("%s is not a file", path)
	}
	open := func() (io.ReadCloser, error) { return os.Open(path) }
	return codebook.Input{Name: filepath.Base(path), Size: info.Size(), Open: open}, nil
}

func prepare(pool string, raw bool, inputs []codebook.Input) (content, error) {
	if len(inputs) == 0 {
		return content{}, errors.New("there is no file to share")
	}
	out := content{Preview: Preview{Pool: pool, Raw: raw}}
	if book, ok := codebook.For(pool); ok {
		out.Title, out.Warning = book.Title, book.Also
	}
	read := out.table
	if raw {
		read = out.raw
	}
	if err := read(inputs); err != nil {
		return content{}, err
	}
	counted := &counter{to: sha256.New()}
	if err := out.write(counted); err != nil {
		return content{}, err
	}
	out.Size, out.digest = counted.n, [sha256.Size]byte(counted.to.Sum(nil))
	if out.Size >= fingerprinted {
		out.Profile.Fingerprint = hex.EncodeToString(out.digest[:])
	}
	return out, nil
}

// counter counts and hashes what is written to it.
type counter struct {
	to hash.Hash
	n  int64
}

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return c.to.Write(p)
}

// Reduce is codebook.Reduce with the name of the file at fault in its error,
// where that can be told.
func Reduce(pool string, inputs ...codebook.Input) (codebook.Table, codebook.Profile, error) {
	table, profile, err := codebook.Reduce(pool, inputs...)
	if err != nil {
		err = blame(inputs, err)
	}
	return table, profile, err
}

func (c *content) table(inputs []codebook.Input) error {
	table, profile, err := Reduce(c.Pool, inputs...)
	if err != nil {
		return err
	}
	c.Profile, c.Columns, c.Left = wireProfile(profile), table.Codebook.Columns, profile.Left
	c.Rows = table.Rows[:min(len(table.Rows), previewRows)]
	c.write = table.WriteCSV
	return nil
}

// raw shares one file as it is. If it is an export the pool knows, its profile
// is that of the table it would reduce to.
func (c *content) raw(inputs []codebook.Input) error {
	if len(inputs) > 1 {
		return errors.New("as it is, one file makes one dataset; share them one at a time")
	}
	in := inputs[0]
	format, pool, err := codebook.Recognise(in)
	if err == nil && pool != c.Pool {
		return fmt.Errorf("%s: %w", in.Name, codebook.ErrWrongPool)
	}
	c.Profile = Profile{Format: format, Columns: []string{}}
	if _, profile, err := codebook.Reduce(c.Pool, in); err == nil {
		c.Profile = wireProfile(profile)
	}
	c.write = func(w io.Writer) error { return copyInput(w, in) }
	return nil
}

func copyInput(w io.Writer, in codebook.Input) error {
	file, err := in.Open()
	if err != nil {
		return fmt.Errorf("read %s: %w", in.Name, err)
	}
	defer func() { _ = file.Close() }() // it was only read
	if _, err := io.Copy(w, file); err != nil {
		return fmt.Errorf("read %s: %w", in.Name, err)
	}
	return nil
}

// blame names the file that err is about, where that can be told.
func blame(inputs []codebook.Input, err error) error {
	if len(inputs) == 1 && !errors.Is(err, codebook.ErrUnknownPool) {
		return fmt.Errorf("%s: %w", inputs[0].Name, err)
	}
	for _, in := range inputs {
		if _, _, unknown := codebook.Recognise(in); unknown != nil {
			return fmt.Errorf("%s: %w", in.Name, unknown)
		}
	}
	return err
}

func wireProfile(p codebook.Profile) Profile {
	return Profile{Format: p.Format, Rows: p.Rows, Columns: append([]string{}, p.Columns...), From: p.From, To: p.To,
		Coverage: p.Coverage, Days: p.Days, Persons: p.Persons}
}

// verified passes content on and refuses if it is not what was shown.
func (c content) verified(w io.Writer) error {
	sum := sha256.New()
	if err := c.write(io.MultiWriter(w, sum)); err != nil {
		return err
	}
	if !bytes.Equal(sum.Sum(nil), c.digest[:]) {
		return errChanged
	}
	return nil
}
