package codebook

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"slices"
	"strings"

	"distributed.ai/datacoop/marketplace/codebook/decimal"
	"distributed.ai/datacoop/marketplace/codebook/fit"
	"distributed.ai/datacoop/marketplace/codebook/sqlite"
	"distributed.ai/datacoop/marketplace/codebook/stream"
)

// reducer collects what a pool's formats hold and makes rows of it.
type reducer interface {
	read(format string, r io.Reader) error
	rows() (result, error)
}

// namedReader is a reducer of exports whose files are told apart by nothing
// but their names.
type namedReader interface {
	readNamed(format, name string, r io.Reader) error
}

// databaseReader is a reducer that also reads databases.
type databaseReader interface {
	readDatabase(format string, f *sqlite.File) error
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
	name   string // of the file, where twins are told apart by nothing else
	start  []byte
	root   string            // local name of the XML root element
	header []string          // first row, read as CSV
	fields map[string]string // of the first JSON object; those that are no text are empty
	db     *sqlite.File      // where it is a database
}

func newHead(part stream.Part) (head, error) {
	h, text := head{name: part.Name, start: part.Start}, bytes.TrimSpace(part.Start)
	var err error
	switch {
	case part.At != nil:
		h.db, err = sqlite.Open(part.At, part.Size)
	case bytes.HasPrefix(text, []byte("<")):
		h.root, err = stream.Root(part.Start)
	case bytes.HasPrefix(text, []byte("{")), bytes.HasPrefix(text, []byte("[")):
		h.fields = stream.Object(part.Start)
	default:
		h.header = stream.Header(part.Start)
	}
	return h, err
}

// holds reports whether the first JSON object has all these fields.
func (h head) holds(fields ...string) bool {
	for _, f := range fields {
		if _, ok := h.fields[f]; !ok {
			return false
		}
	}
	return true
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
	h, err := newHead(part)
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
	if fit.Is(part.Start) {
		return format{}, pool{}, ErrUnknownFormat.With("It is a FIT file, but of another kind than an activity or a weight scale.")
	}
	if h.root == "html" && h.contains("My Activity") {
		return format{}, pool{}, ErrUnknownFormat.With("It is your activity as a web page. Ask Google Takeout for it as JSON.")
	}
	return format{}, pool{}, ErrUnknownFormat
}

var errFound = errors.New("found")

// Recognise tells which format a file has and which pool that belongs to, by
// its content; the name does not matter. Of an archive it names the first file
// that is an export, in the order of their names.
func Recognise(in Input) (formatID, poolID string, err error) {
	var damaged error
	err = in.Each(func(part stream.Part) error {
		f, p, err := recognised(part)
		if errors.Is(err, ErrMalformedFile) {
			damaged = err // another file of the archive may be whole
			return nil
		}
		if err != nil {
			return err
		}
		formatID, poolID = f.ID, p.book.Pool
		return errFound
	}, nil)
	if errors.Is(err, errFound) {
		return formatID, poolID, nil
	}
	return "", "", cmp.Or(err, damaged)
}

// Reduce turns the files of one member into the pool's table. Several files
// complete each other. The fault, if any, names no file: hand in one at a time
// to know which. Of an archive, files that are no export or belong to another
// pool are left out and counted in Profile.Left. Where each file stands for
// itself, as recordings of sport do, so is a damaged one among several.
func Reduce(poolID string, inputs ...Input) (Table, Profile, error) {
	p, ok := poolFor(poolID)
	if !ok {
		return Table{}, Profile{}, ErrUnknownPool
	}
	n := reading{pool: p, reducer: p.reducer(), seen: map[string]bool{}, left: map[string]int{}}
	var damaged error
	for _, in := range inputs {
		err := n.input(in)
		if n.apart && len(inputs) > 1 && isDamage(err) {
			damaged = err
			n.left[LeftDamaged]++
			continue
		}
		if err != nil {
			return Table{}, Profile{}, err
		}
	}
	if len(n.seen) == 0 && damaged != nil {
		return Table{}, Profile{}, damaged
	}
	return n.finish()
}

func isDamage(err error) bool { return errors.Is(err, ErrMalformedFile) || errors.Is(err, ErrBadValue) }

// reading is one call of Reduce.
type reading struct {
	pool
	reducer reducer
	seen    map[string]bool // formats that were read
	left    map[string]int  // files of archives that were not, by kind
}

func (n *reading) input(in Input) error {
	read, other := false, false
	var damaged []error
	err := in.Each(func(part stream.Part) error {
		f, belongs, err := recognised(part)
		switch {
		case errors.Is(err, ErrMalformedFile):
			damaged = append(damaged, err)
			return nil
		case err != nil:
			return err
		case belongs.book.Pool != n.book.Pool:
			other = true
			n.left[LeftOtherPool]++
			return nil
		}
		err = n.part(f.ID, part)
		if n.apart && isDamage(err) {
			damaged = append(damaged, err)
			return nil
		}
		read, n.seen[f.ID] = true, true
		return err
	}, func(kind string) { n.left[kind]++ })
	switch {
	case err == nil && damaged != nil && !read:
		return damaged[0]
	case err == nil && damaged != nil:
		n.left[LeftDamaged] += len(damaged)
	case err == nil && other && !read:
		return ErrWrongPool
	}
	return err
}

// part reads one file in the way that its reducer wants it.
func (n *reading) part(formatID string, part stream.Part) error {
	switch r := n.reducer.(type) {
	case namedReader:
		return r.readNamed(formatID, part.Name, part.Text)
	case databaseReader:
		if part.At == nil {
			break
		}
		db, err := sqlite.Open(part.At, part.Size)
		if err != nil {
			return err
		}
		return r.readDatabase(formatID, db)
	}
	return n.reducer.read(formatID, part.Text)
}

func (n *reading) finish() (Table, Profile, error) {
	res, err := n.reducer.rows()
	if err != nil {
		return Table{}, Profile{}, err
	}
	t := Table{Codebook: n.documented(), Rows: res.rows}
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
	for _, f := range n.formats {
		if n.seen[f.ID] {
			formats = append(formats, f.ID)
		}
	}
	profile := profileOf(t, strings.Join(formats, "+"), res.persons, res.skipped)
	profile.Left = leftOut(n.left)
	return t, profile, nil
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
