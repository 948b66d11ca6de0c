// Package sqlite reads the rows of SQLite 3 database files, in which browsers
// keep their history. It is small, pure Go and only reads, so that it also
// runs in the browser, where the library SQLite itself does not.
//
// It is for one thing: visiting all rows of a table, in the order of their row
// ids, and handing out the columns that are asked for by name. It follows the
// file format as sqlite.org documents it ("Database File Format"): table
// b-trees, records, overflow pages and the three text encodings.
//
// It guarantees, whatever the bytes are, that reading ends: no page is visited
// twice within a table, and what is held in memory is one path of pages and
// one record of at most 4 MiB; columns of a record that lie beyond that are
// read as missing. A file that was cut short or whose pages lead nowhere is
// refused as malformed, with stream's faults.
//
// It refuses to write, to run SQL, to use indices, and to read tables without
// row ids, virtual tables and views, which it treats as not there. It does not
// read a write-ahead log: what a running browser has written to "-wal" beside
// the file and not yet moved into it is missing; [File.Logged] tells whether
// there could be such a file.
package sqlite

import (
	"bytes"
	"encoding/binary"
	"io"

	"distributed.ai/datacoop/marketplace/codebook/stream"
)

const (
	headerSize = 100
	maxPayload = 4 << 20 // of a record that is looked at
	maxSchema  = 10_000  // objects a database may declare
	maxDepth   = 32      // of a b-tree; 2^32 pages never need more
)

// File is an open database.
type File struct {
	at       io.ReaderAt
	pageSize int64
	usable   int64 // bytes of a page that hold data
	pages    int64
	encoding uint32
	logged   bool
	tables   map[string]table
}

// Open reads the header and the list of tables of a database of so many bytes.
// Error: stream.ErrMalformedFile.
func Open(at io.ReaderAt, size int64) (*File, error) {
	var h [headerSize]byte
	if n, err := at.ReadAt(h[:], 0); n < len(h) {
		return nil, failed(err)
	}
	f := &File{at: at, pageSize: int64(binary.BigEndian.Uint16(h[16:])), encoding: binary.BigEndian.Uint32(h[56:])}
	if f.pageSize == 1 {
		f.pageSize = 1 << 16
	}
	f.usable = f.pageSize - int64(h[20])
	f.logged = h[18] == 2 || h[19] == 2
	if !bytes.HasPrefix(h[:], []byte(stream.Database)) || f.pageSize < 512 || f.pageSize&(f.pageSize-1) != 0 || f.usable < 480 || f.encoding > 3 {
		return nil, stream.ErrMalformedFile
	}
	f.pages = size / f.pageSize
	// The size in the header holds where the library that wrote it last knew it.
	if said := int64(binary.BigEndian.Uint32(h[28:])); bytes.Equal(h[24:28], h[92:96]) && said > f.pages {
		return nil, stream.ErrMalformedFile
	}
	return f, f.readSchema()
}

// Logged reports whether the database keeps a write-ahead log, so that the
// newest rows may be in a file beside it.
func (f *File) Logged() bool { return f.logged }

// Has reports whether there is a table of this name with all these columns.
func (f *File) Has(name string, columns ...string) bool {
	t, ok := f.tables[name]
	for _, c := range columns {
		_, there := t.columns[c]
		ok = ok && there
	}
	return ok
}

// Each visits the rows of a table in the order of their row ids and hands over
// the values of the columns, in the order asked for. The values belong to
// visit until it returns. A table or a column that is not there has no rows or
// values. Error: stream.ErrMalformedFile, and what visit answers.
func (f *File) Each(name string, columns []string, visit func(row []Value) error) error {
	t, ok := f.tables[name]
	if !ok {
		return nil
	}
	places := make([]int, len(columns))
	for i, c := range columns {
		place, ok := t.columns[c]
		if !ok {
			place = -1
		}
		places[i] = place
	}
	w := &walk{file: f, left: f.pages, rowID: t.rowID, places: places, row: make([]Value, len(columns)), visit: visit}
	return w.page(t.root, 0)
}

// failed tells a file that ends too early from a medium that does not answer.
func failed(err error) error {
	if err == nil || err == io.EOF { //nolint:errorlint // ReadAt answers io.EOF itself
		return stream.ErrMalformedFile
	}
	return stream.Fault(err)
}
