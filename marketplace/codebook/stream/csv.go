package stream

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
)

// CSV reads comma-separated text with a header row as a stream. Columns
// are found by name; those nobody asks for are never looked at.
type CSV struct {
	in    *csv.Reader
	guard *Guard
	index map[string]int
	twice map[string]bool
	row   []string
	line  int
}

// OpenCSV reads the header row.
func OpenCSV(r io.Reader) (*CSV, error) {
	g := NewGuard(r)
	f := &CSV{in: csv.NewReader(g), guard: g, index: map[string]int{}, twice: map[string]bool{}}
	f.in.ReuseRecord = true
	header, err := f.in.Read()
	if err != nil {
		return nil, csvFault(err)
	}
	for i, name := range header {
		name = strings.TrimSpace(name)
		_, f.twice[name] = f.index[name]
		f.index[name] = i
	}
	return f, nil
}

// Next moves to the next row; it reports false at the end.
func (f *CSV) Next() (bool, error) {
	row, err := f.in.Read()
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	if err != nil {
		return false, csvFault(err)
	}
	f.guard.Renew()
	f.row = row
	f.line, _ = f.in.FieldPos(0)
	return true, nil
}

// Text is the trimmed cell of a column, or empty where the file lacks it. It
// serves as a key or is parsed; it is never copied to a table.
func (f *CSV) Text(column string) string {
	i, ok := f.index[column]
	if !ok {
		return ""
	}
	return strings.TrimSpace(f.row[i])
}

// Has reports whether the file has the column.
func (f *CSV) Has(column string) bool {
	_, ok := f.index[column]
	return ok
}

// Twice reports whether the file has several columns of this name, of which
// Text reads the last.
func (f *CSV) Twice(column string) bool { return f.twice[column] }

// Bad refuses a cell of the current row. The column's name must be a constant.
func (f *CSV) Bad(column string) error { return BadValue("Line", f.line, "column "+column) }

func csvFault(err error) error {
	var syntax *csv.ParseError
	if errors.As(err, &syntax) || errors.Is(err, io.EOF) {
		return ErrMalformedFile
	}
	return Fault(err)
}

// Header is the first row of a text, given its beginning; nil where that is
// not CSV.
func Header(start []byte) []string {
	row, err := csv.NewReader(bytes.NewReader(start)).Read()
	if err != nil {
		return nil
	}
	for i, name := range row {
		row[i] = strings.TrimSpace(name)
	}
	return row
}
