package stream

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
)

// Limits on archives. An Apple Health export unpacks to about thirty times its
// size and may hold a few thousand workout routes.
const (
	maxEntries   = 20_000
	maxUnpacked  = 8 << 30
	maxRatio     = 250      // unpacked to packed, once past freeUnpacked
	freeUnpacked = 16 << 20 // small files may compress as well as they like
	maxBuffered  = 64 << 20
)

var dataSuffixes = []string{".xml", ".csv", ".txt", ".tsv", ".ofx", ".qfx", ".json"}

// eachEntry visits the files of an archive that could be exports. Files that
// are not recognised are left out: real archives carry pictures, routes and
// read-me files beside the data.
func (in Input) eachEntry(file io.Reader, buffered io.Reader, visit func(p Part) error) error {
	at, size, err := in.randomAccess(file, buffered)
	if err != nil {
		return err
	}
	archive, err := zip.NewReader(at, size)
	if err != nil {
		return ErrMalformedFile
	}
	if len(archive.File) > maxEntries {
		return ErrZipBomb
	}
	slices.SortFunc(archive.File, func(a, b *zip.File) int { return strings.Compare(a.Name, b.Name) })
	budget, found := int64(maxUnpacked), false
	for _, entry := range archive.File {
		if !slices.Contains(dataSuffixes, strings.ToLower(path.Ext(entry.Name))) || hidden(entry.Name) {
			continue
		}
		ok, err := visitEntry(entry, &budget, visit)
		if err != nil {
			return err
		}
		found = found || ok
	}
	if !found {
		return ErrUnknownFormat
	}
	return nil
}

func hidden(name string) bool {
	return strings.HasPrefix(name, "__MACOSX/") || strings.HasPrefix(path.Base(name), ".")
}

// visitEntry reports whether the entry was an export the package knows.
func visitEntry(entry *zip.File, budget *int64, visit func(p Part) error) (bool, error) {
	if entry.Flags&1 != 0 {
		return false, ErrEncryptedFile
	}
	content, err := entry.Open()
	if err != nil {
		return false, ErrMalformedFile
	}
	defer func() { _ = content.Close() }()
	p, err := newPart(&unpacking{in: content, packed: int64(entry.CompressedSize64), budget: budget}) //nolint:gosec // an absurd size only tightens the budget
	if err == nil {
		err = visit(p)
	}
	if errors.Is(err, ErrUnknownFormat) || errors.Is(err, ErrEmptyFile) {
		return false, nil
	}
	return err == nil, err
}

// unpacking counts what really comes out of an entry, whatever its header says.
type unpacking struct {
	in       io.Reader
	packed   int64
	unpacked int64
	budget   *int64
}

func (u *unpacking) Read(p []byte) (int, error) {
	n, err := u.in.Read(p)
	u.unpacked += int64(n)
	*u.budget -= int64(n)
	if *u.budget < 0 || u.unpacked > freeUnpacked && u.unpacked/maxRatio > u.packed {
		return 0, ErrZipBomb
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return n, ErrMalformedFile
	}
	return n, err
}

func (in Input) randomAccess(file, buffered io.Reader) (io.ReaderAt, int64, error) {
	if in.At != nil {
		return in.At, in.Size, nil
	}
	if at, ok := file.(io.ReaderAt); ok && in.Size > 0 {
		return at, in.Size, nil
	}
	data, err := io.ReadAll(io.LimitReader(buffered, maxBuffered+1))
	if err != nil {
		return nil, 0, fmt.Errorf("stream: read archive: %w", err)
	}
	if len(data) > maxBuffered {
		return nil, 0, ErrTooLarge
	}
	return bytes.NewReader(data), int64(len(data)), nil
}
