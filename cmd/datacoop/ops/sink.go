package ops

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"

	"distributed.ai/datacoop/cmd/datacoop/custody"
	"distributed.ai/datacoop/vault/header"
)

// sink is where a backup is written. Until finish has returned, nothing is under
// the backup's name; abandon leaves nothing behind.
type sink interface {
	// put takes a file of the given size and answers what was in it.
	put(name string, size int64, r io.Reader) (File, error)
	// drop takes a payload back, or says that it cannot.
	drop(name string) (gone bool, err error)
	// finish adds the manifest and puts the whole in its place, durably.
	finish(manifest []byte) error
	abandon() error
}

var errThere = errors.New("there is something under that name already; a backup never replaces one")

// isArchive tells an archive from a folder by its name.
func isArchive(path string) bool {
	return strings.HasSuffix(path, ".tar") || strings.HasSuffix(path, ".age")
}

// newSink begins a backup at a path that nothing is at.
func newSink(to, recipient string) (sink, error) {
	if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(errThere, err)
	}
	if isArchive(to) {
		return newTarball(to, recipient)
	}
	if recipient != "" {
		return nil, errors.New("only an archive can be encrypted: name it with .tar.age at the end")
	}
	return newFolder(to)
}

// workName is what a backup is called until it is whole.
func workName(to string) string { return "." + filepath.Base(to) + ".unfinished-*" }

// folder is a backup as a directory.
type folder struct {
	to, work string
	dirs     map[string]bool
}

func newFolder(to string) (*folder, error) {
	work, err := os.MkdirTemp(filepath.Dir(to), workName(to)) // made 0700
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	return &folder{to: to, work: work, dirs: map[string]bool{".": true}}, nil
}

func (f *folder) put(name string, _ int64, r io.Reader) (File, error) {
	path := filepath.Join(f.work, filepath.FromSlash(name))
	if err := f.mkdir(filepath.Dir(filepath.FromSlash(name))); err != nil {
		return File{}, fmt.Errorf("backup: %w", err)
	}
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return File{}, fmt.Errorf("backup: %w", err)
	}
	n, sum, err := digest(out, r)
	if err = errors.Join(err, out.Sync(), out.Close()); err != nil {
		return File{}, errors.Join(err, os.Remove(path))
	}
	return File{Name: name, Size: n, SHA256: sum}, nil
}

func (f *folder) mkdir(dir string) error {
	if f.dirs[dir] {
		return nil
	}
	f.dirs[dir] = true
	return errors.Join(f.mkdir(filepath.Dir(dir)), os.Mkdir(filepath.Join(f.work, dir), 0o700))
}

func (f *folder) drop(name string) (bool, error) {
	return true, os.Remove(filepath.Join(f.work, filepath.FromSlash(name)))
}

func (f *folder) finish(manifest []byte) error {
	if _, err := f.put(manifestFile, 0, strings.NewReader(string(manifest))); err != nil {
		return err
	}
	for dir := range f.dirs {
		if err := custody.SyncDir(filepath.Join(f.work, dir)); err != nil {
			return fmt.Errorf("backup: %w", err)
		}
	}
	err := os.Rename(f.work, f.to) // never over a folder with something in it
	if errors.Is(err, fs.ErrExist) {
		return errThere
	}
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return custody.SyncDir(filepath.Dir(f.to))
}

func (f *folder) abandon() error { return os.RemoveAll(f.work) }

// tarball is a backup as one file, encrypted if it has a recipient.
type tarball struct {
	to   string
	file *os.File
	seal io.WriteCloser // nil: not encrypted
	tar  *tar.Writer
}

func newTarball(to, recipient string) (_ *tarball, err error) {
	if strings.HasSuffix(to, ".age") != (recipient != "") {
		return nil, errors.New("the name of an archive ends with .age if, and only if, it is encrypted with --recipient")
	}
	var out tarball
	var wrap age.Recipient
	if recipient != "" {
		if wrap, _, err = header.ParseRecipient(recipient); err != nil {
			return nil, fmt.Errorf("backup: recipient: %w", err)
		}
	}
	if out.file, err = os.CreateTemp(filepath.Dir(to), workName(to)); err != nil { // made 0600
		return nil, fmt.Errorf("backup: %w", err)
	}
	out.to = to
	var w io.Writer = out.file
	if wrap != nil {
		if out.seal, err = age.Encrypt(out.file, wrap); err != nil {
			return nil, errors.Join(fmt.Errorf("backup: encrypt: %w", err), out.abandon())
		}
		w = out.seal
	}
	out.tar = tar.NewWriter(w)
	return &out, nil
}

func (t *tarball) put(name string, size int64, r io.Reader) (File, error) {
	h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, Format: tar.FormatPAX}
	if err := t.tar.WriteHeader(h); err != nil {
		return File{}, fmt.Errorf("backup: %w", err)
	}
	n, sum, err := digest(t.tar, r)
	if err == nil && n != size {
		err = fmt.Errorf("%s is %d bytes long and not %d", name, n, size)
	}
	return File{Name: name, Size: n, SHA256: sum}, err
}

func (t *tarball) drop(string) (bool, error) { return false, nil }

func (t *tarball) finish(manifest []byte) error {
	if _, err := t.put(manifestFile, int64(len(manifest)), strings.NewReader(string(manifest))); err != nil {
		return err
	}
	err := t.tar.Close()
	if t.seal != nil {
		err = errors.Join(err, t.seal.Close())
	}
	if err = errors.Join(err, t.file.Sync(), t.file.Close()); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	err = os.Link(t.file.Name(), t.to) // never over another file
	if errors.Is(err, fs.ErrExist) {
		return errThere
	}
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return errors.Join(os.Remove(t.file.Name()), custody.SyncDir(filepath.Dir(t.to)))
}

func (t *tarball) abandon() error {
	_ = t.file.Close() // it is closed already if finish came that far
	return os.Remove(t.file.Name())
}
