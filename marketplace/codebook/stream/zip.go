package stream

import (
	"archive/zip"
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
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

var dataSuffixes = []string{".xml", ".csv", ".txt", ".tsv", ".ofx", ".qfx", ".json", ".jsonl", ".ndjson", ".gpx", ".tcx", ".fit", ".gz",
	".vcf", ".sqlite", ".sqlite3", ".db", ""}

// Kinds of files that an archive holds and nobody reads.
const (
	LeftPicture  = "picture"
	LeftSound    = "sound or film"
	LeftDocument = "document"
	LeftArchive  = "archive"
	LeftEmpty    = "empty file"
	LeftLog      = "database log" // the newest part of a database, which its program has not moved into it yet
	LeftOther    = "other file"
)

var kinds = map[string]string{
	".jpg": LeftPicture, ".jpeg": LeftPicture, ".png": LeftPicture, ".gif": LeftPicture, ".heic": LeftPicture, ".svg": LeftPicture, ".webp": LeftPicture,
	".mp3": LeftSound, ".m4a": LeftSound, ".wav": LeftSound, ".mp4": LeftSound, ".mov": LeftSound, ".avi": LeftSound,
	".pdf": LeftDocument, ".html": LeftDocument, ".htm": LeftDocument, ".md": LeftDocument, ".doc": LeftDocument, ".docx": LeftDocument,
	".xlsx": LeftDocument, ".zip": LeftArchive, ".tgz": LeftArchive, ".tar": LeftArchive, ".7z": LeftArchive,
}

// KindOf is the kind of a file that nobody reads, by the ending of its name.
func KindOf(name string) string {
	if strings.HasSuffix(name, "-wal") {
		return LeftLog
	}
	return cmp.Or(kinds[strings.ToLower(path.Ext(name))], LeftOther)
}

// eachEntry visits the files of an archive that could be exports. Files that
// are not recognised are left out: real archives carry pictures, routes and
// read-me files beside the data.
func (in Input) eachEntry(file io.Reader, buffered io.Reader, visit func(p Part) error, left func(kind string)) error {
	if left == nil {
		left = func(string) {}
	}
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
		suffix := strings.ToLower(path.Ext(entry.Name))
		if strings.HasSuffix(entry.Name, "/") || hidden(entry.Name) {
			continue
		}
		if !slices.Contains(dataSuffixes, suffix) {
			left(KindOf(entry.Name))
			continue
		}
		err := visitEntry(entry, &budget, visit)
		switch {
		case errors.Is(err, ErrEmptyFile):
			left(LeftEmpty)
		case errors.Is(err, ErrUnknownFormat):
			left(KindOf(entry.Name))
		case err != nil:
			return err
		default:
			found = true
		}
	}
	if !found {
		return ErrUnknownFormat
	}
	return nil
}

func hidden(name string) bool {
	return strings.HasPrefix(name, "__MACOSX/") || strings.HasPrefix(path.Base(name), ".")
}

func visitEntry(entry *zip.File, budget *int64, visit func(p Part) error) error {
	if entry.Flags&1 != 0 {
		return ErrEncryptedFile
	}
	content, err := entry.Open()
	if err != nil {
		return ErrMalformedFile
	}
	defer func() { _ = content.Close() }()
	packed := int64(entry.CompressedSize64) //nolint:gosec // an absurd size only tightens the budget
	p, err := newPart(entry.Name, &unpacking{in: content, packed: func() int64 { return packed }, budget: budget}, budget)
	if err != nil {
		return err
	}
	return visit(p)
}

// unpacked reads through gzip, which some providers pack each file with.
func unpacked(r io.Reader, budget *int64) (io.Reader, error) {
	in := bufio.NewReaderSize(r, 4096)
	if magic, _ := in.Peek(3); !bytes.Equal(magic, []byte("\x1f\x8b\x08")) {
		return in, nil
	}
	source := &counting{in: in}
	content, err := gzip.NewReader(source)
	if err != nil {
		return nil, ErrMalformedFile
	}
	return &unpacking{in: content, packed: func() int64 { return source.n }, budget: budget}, nil
}

// counting says how much has been read.
type counting struct {
	in io.Reader
	n  int64
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	c.n += int64(n)
	return n, err
}

// unpacking counts what really comes out of an entry, whatever its header says.
type unpacking struct {
	in       io.Reader
	packed   func() int64
	unpacked int64
	budget   *int64
}

func (u *unpacking) Read(p []byte) (int, error) {
	n, err := u.in.Read(p)
	u.unpacked += int64(n)
	*u.budget -= int64(n)
	if *u.budget < 0 || u.unpacked > freeUnpacked && u.unpacked/maxRatio > u.packed() {
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
