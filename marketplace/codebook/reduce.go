package codebook

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"

	"distributed.ai/datacoop/marketplace/codebook/decimal"
	"distributed.ai/datacoop/marketplace/codebook/stream"
)

// reducer collects what a pool's formats hold and makes rows of it.
type reducer interface {
	read(format string, r io.Reader) error
	rows() (result, error)
}

type result struct {
	rows    [][]string
	persons int
	skipped int
}

// Input is one file of an export. Open is called once for each call of
// Recognise or Reduce and must start at the beginning. A ZIP archive needs
// random access: give At and Size, or let Open return something that is an
// io.ReaderAt too, as *os.File is, and give Size; otherwise the archive is
// held in memory, up to 64 MiB. The name is shown to nobody and is no part of
// any result.
type Input = stream.Input

// Bytes is an Input that is held in memory.
func Bytes(name string, data []byte) Input { return stream.Bytes(name, data) }

// head is what a file is recognised by.
type head struct {
	start  []byte
	root   string   // local name of the XML root element
	header []string // first row, read as CSV
}

func newHead(start []byte) (head, error) {
	if bytes.HasPrefix(bytes.TrimSpace(start), []byte("<")) {
		root, err := stream.Root(start)
		return head{start: start, root: root}, err
	}
	return head{start: start, header: stream.Header(start)}, nil
}

// has reports whether the header row names all these columns.
func (h head) has(columns ...string) bool {
	for _, c := range columns {
		if !slices.Contains(h.header, c) {
			return false
		}
	}
	return true
}

func (h head) contains(text string) bool { return bytes.Contains(h.start, []byte(text)) }

// recognised finds format and pool by content.
func recognised(part stream.Part) (format, pool, error) {
	h, err := newHead(part.Start)
	if err != nil {
		return format{}, pool{}, err
	}
	for _, p := range pools() {
		for _, f := range p.formats {
			if f.match(h) {
				return f, p, nil
			}
		}
	}
	return format{}, pool{}, ErrUnknownFormat
}

var errFound = errors.New("found")

// Recognise tells which format a file has and which pool that belongs to, by
// its content; the name does not matter. Of an archive it names the first file
// that is an export, in the order of their names.
func Recognise(in Input) (formatID, poolID string, err error) {
	err = in.Each(func(part stream.Part) error {
		f, p, err := recognised(part)
		if err != nil {
			return err
		}
		formatID, poolID = f.ID, p.book.Pool
		return errFound
	})
	if errors.Is(err, errFound) {
		err = nil
	}
	return formatID, poolID, err
}

// Reduce turns the files of one member into the pool's table. Several files
// complete each other. The fault, if any, names no file: hand in one at a time
// to know which.
func Reduce(poolID string, inputs ...Input) (Table, Profile, error) {
	p, ok := poolFor(poolID)
	if !ok {
		return Table{}, Profile{}, ErrUnknownPool
	}
	red, seen := p.reducer(), map[string]bool{}
	for _, in := range inputs {
		if err := readInput(p, red, in, seen); err != nil {
			return Table{}, Profile{}, err
		}
	}
	return p.finish(red, seen)
}

func readInput(p pool, red reducer, in Input, seen map[string]bool) error {
	read, other := false, false
	err := in.Each(func(part stream.Part) error {
		f, belongs, err := recognised(part)
		switch {
		case err != nil:
			return err
		case belongs.book.Pool != p.book.Pool:
			other = true
			return nil
		}
		read, seen[f.ID] = true, true
		return red.read(f.ID, part.Text)
	})
	if err == nil && other && !read {
		return ErrWrongPool
	}
	return err
}

func (p pool) finish(red reducer, seen map[string]bool) (Table, Profile, error) {
	res, err := red.rows()
	if err != nil {
		return Table{}, Profile{}, err
	}
	t := Table{Codebook: p.documented(), Rows: res.rows}
	t.canonical()
	if len(t.Rows) == 0 {
		return Table{}, Profile{}, ErrNoData
	}
	if len(t.Rows) > maxRows {
		return Table{}, Profile{}, ErrTooLarge
	}
	if err := t.check(); err != nil {
		return Table{}, Profile{}, err
	}
	var formats []string
	for _, f := range p.formats {
		if seen[f.ID] {
			formats = append(formats, f.ID)
		}
	}
	return t, profileOf(t, strings.Join(formats, "+"), res.persons, res.skipped), nil
}

// number reads a cell for a column of the table. Empty is missing; anything
// that does not parse or does not fit is refused.
func number(f *stream.CSV, from string, fits Column) (cell, error) {
	text := f.Text(from)
	if text == "" {
		return cell{}, nil
	}
	v, ok := decimal.Parse(text)
	if !ok || !fits.holds(v) {
		return cell{}, f.Bad(from)
	}
	return known(v), nil
}
