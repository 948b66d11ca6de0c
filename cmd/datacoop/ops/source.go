package ops

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"filippo.io/age"
)

// source is a backup that is read. Walk hands over each of its files once; the
// manifest of a folder comes first and that of an archive last. It refuses
// whatever no backup holds.
type source interface {
	walk(ctx context.Context, visit func(name string, size int64, r io.Reader) error) error
	// length is how many bytes a walk reads, as far as that is known.
	length() int64
}

// openSource finds out what a path is. Identities is an age identity file for
// an archive that is encrypted.
func openSource(path, identities string) (source, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	if info.IsDir() {
		return fromFolder{path}, nil
	}
	from := fromTarball{path: path, bytes: info.Size()}
	if identities == "" {
		return from, nil
	}
	f, err := os.Open(identities)
	if err != nil {
		return nil, fmt.Errorf("identity: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	if from.identities, err = age.ParseIdentities(f); err != nil {
		return nil, errors.New("the identity file holds no age identity")
	}
	return from, nil
}

type fromFolder struct{ path string }

func (f fromFolder) length() (total int64) {
	_ = filepath.WalkDir(f.path, func(_ string, d fs.DirEntry, err error) error { // what cannot be counted is met by the walk
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				total += info.Size()
			}
		}
		return nil
	})
	return total
}

func (f fromFolder) walk(ctx context.Context, visit func(string, int64, io.Reader) error) error {
	root, err := os.OpenRoot(f.path)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	defer func() { _ = root.Close() }() // it was only read
	if err := one(root, manifestFile, visit); err != nil {
		return err
	}
	return fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fmt.Errorf("backup: %w", err)
		case ctx.Err() != nil:
			return ctx.Err()
		case d.IsDir() || name == manifestFile:
			return nil
		case !d.Type().IsRegular() || !allowed(name):
			return strange(name)
		}
		return one(root, name, visit)
	})
}

func one(root *os.Root, name string, visit func(string, int64, io.Reader) error) error {
	info, err := root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) && name == manifestFile {
		return errors.New("there is no manifest: this is no backup, or one that was never finished")
	}
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	if !info.Mode().IsRegular() {
		return strange(name)
	}
	f, err := root.Open(name)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return errors.Join(visit(name, info.Size(), f), f.Close())
}

func strange(name string) error {
	return fmt.Errorf("the backup holds %.120q, which no backup has: nothing was written", name)
}

type fromTarball struct {
	path       string
	bytes      int64
	identities []age.Identity
}

func (f fromTarball) length() int64 { return f.bytes }

// sealed is how an age file begins.
const sealed = "age-encryption.org/v1\n"

var errCut = errors.New("the archive is cut short or was altered: nothing was written")

func (f fromTarball) walk(ctx context.Context, visit func(string, int64, io.Reader) error) error {
	file, err := os.Open(f.path)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	plain, err := f.open(bufio.NewReaderSize(file, 1<<20))
	if err != nil {
		return err
	}
	in := tar.NewReader(plain)
	seen := map[string]bool{}
	for {
		h, err := in.Next()
		switch {
		case errors.Is(err, io.EOF) && !seen[manifestFile]:
			return errors.New("there is no manifest: this is no backup, or one that is cut short")
		case errors.Is(err, io.EOF):
			_, err = io.Copy(io.Discard, plain) // the end of an encrypted file is proven too
			if err != nil {
				return fmt.Errorf("%w (%w)", errCut, err)
			}
			return nil
		case err != nil:
			return fmt.Errorf("%w (%w)", errCut, err)
		case ctx.Err() != nil:
			return ctx.Err()
		case h.Typeflag != tar.TypeReg || seen[h.Name] || seen[manifestFile] || h.Name != manifestFile && !allowed(h.Name):
			return strange(h.Name)
		}
		seen[h.Name] = true
		if err := visit(h.Name, h.Size, in); err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) {
				return fmt.Errorf("%w (%w)", errCut, err)
			}
			return err
		}
	}
}

// open decrypts an archive that is encrypted.
func (f fromTarball) open(in *bufio.Reader) (io.Reader, error) {
	head, _ := in.Peek(len(sealed)) // what is shorter is no archive, as tar will say
	switch {
	case !bytes.Equal(head, []byte(sealed)):
		return in, nil
	case len(f.identities) == 0:
		return nil, errors.New("the archive is encrypted: name the identity file that opens it with --identity")
	}
	plain, err := age.Decrypt(in, f.identities...)
	if err != nil {
		return nil, fmt.Errorf("the identity does not open the archive, or its head was altered (%w)", err)
	}
	return plain, nil
}

// survey reads a whole backup and compares every byte with its manifest. It
// writes nothing.
func survey(ctx context.Context, from source, show func(done, total int64)) (Manifest, error) {
	var m Manifest
	found := map[string]File{}
	at := meter{total: from.length(), show: show, ctx: ctx}
	var keys limited
	err := from.walk(ctx, func(name string, _ int64, r io.Reader) (err error) {
		if name == manifestFile {
			m, err = parseManifest(r)
			return err
		}
		if name == keysFile {
			r = io.TeeReader(r, &keys)
		}
		n, sum, err := digest(&at, r)
		found[name] = File{Name: name, Size: n, SHA256: sum}
		return err
	})
	if err != nil {
		return Manifest{}, err
	}
	for _, f := range m.Files {
		got, there := found[f.Name]
		switch {
		case !there:
			return Manifest{}, fmt.Errorf("%s is in the manifest and not in the backup: nothing was written", f.Name)
		case got.Size != f.Size || got.SHA256 != f.SHA256:
			return Manifest{}, fmt.Errorf("%s is not what the manifest says: nothing was written", f.Name)
		}
		delete(found, f.Name)
	}
	for name := range found {
		return Manifest{}, fmt.Errorf("%s is not in the manifest: nothing was written", name)
	}
	if err := m.verify(keys.Bytes()); err != nil {
		return Manifest{}, err
	}
	return m, nil
}

// limited keeps the beginning of what is written to it, and takes all of it.
type limited struct{ bytes.Buffer }

const maxKeys = 64 << 10

func (l *limited) Write(p []byte) (int, error) {
	if room := maxKeys - l.Len(); room > 0 {
		l.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

// meter shows how many bytes have passed.
type meter struct {
	done, total int64
	show        func(done, total int64)
	ctx         context.Context
}

func (m *meter) Write(p []byte) (int, error) {
	m.done += int64(len(p))
	m.show(min(m.done, m.total), m.total)
	return len(p), m.ctx.Err()
}
