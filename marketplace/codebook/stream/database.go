package stream

import (
	"bytes"
	"errors"
	"io"
	"path"
	"slices"
	"strings"
)

// Database is what an SQLite database begins with.
const Database = "SQLite format 3\x00"

// databaseLog is what the write-ahead log beside a database begins with, but
// for its last bit.
const databaseLog = "\x37\x7f\x06"

// packers are what archives and packed files begin with that are not unpacked
// here: xz, 7z, RAR, bzip2, Zstandard.
var packers = []string{"\xfd7zXZ", "7z\xbc\xaf\x27\x1c", "Rar!\x1a\x07", "BZh", "\x28\xb5\x2f\xfd"}

// unread refuses, by their beginning, files that nobody here can open.
func unread(magic []byte) error {
	begins := func(text string) bool { return strings.HasPrefix(string(magic), text) }
	switch {
	case begins("age-"):
		return ErrEncryptedFile
	case begins(databaseLog):
		return ErrDatabaseLog
	case slices.ContainsFunc(packers, begins):
		return ErrPackedFile
	}
	return nil
}

// large visits a database that is too large to be held in memory.
func (in Input) large(file, buffered io.Reader, visit func(p Part) error) error {
	at, size, err := in.randomAccess(file, buffered)
	if err != nil {
		return err
	}
	start := make([]byte, sniffed)
	n, err := at.ReadAt(start, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return Fault(err)
	}
	return visit(Part{Name: path.Base(in.Name), Start: start[:n], Text: io.NewSectionReader(at, 0, size), At: at, Size: size})
}

// held takes a file into memory.
func held(r io.Reader) (io.ReaderAt, int64, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxBuffered+1))
	if err != nil {
		return nil, 0, Fault(err)
	}
	if len(data) > maxBuffered {
		return nil, 0, ErrTooLarge
	}
	return bytes.NewReader(data), int64(len(data)), nil
}
