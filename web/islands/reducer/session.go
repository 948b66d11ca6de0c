//go:build js && wasm

package main

import (
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"syscall/js"

	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/marketplace/codebook"
)

// session is the one export that the page is looking at. The page calls one
// function at a time.
type session struct {
	inputs []codebook.Input
	left   []codebook.Left // files of a folder that are not among them
	whole  content         // as reduced
	kept   content         // what the member has not left out
	out    *io.PipeReader
}

type content struct {
	table   codebook.Table
	profile codebook.Profile
}

// open(sizes, read, names) begins a session with files of these sizes in
// bytes. read(file, from, length) answers bytes of a file as a Uint8Array. The
// names tell files apart that look alike inside, and are kept no longer.
func (s *session) open(args []js.Value) (any, error) {
	s.forget()
	for i := range args[0].Length() {
		in := input(i, int64(args[0].Index(i).Float()), args[1])
		in.Name = args[2].Index(i).String()
		s.inputs = append(s.inputs, in)
	}
	return nil, nil
}

// gather() leaves out what of a folder's files is no export, or belongs to
// another pool than the first that is: a found as JSON.
func (s *session) gather([]js.Value) (any, error) {
	kept, left, err := codebook.Gather("", s.inputs)
	if err != nil {
		return nil, err
	}
	format, pool, err := codebook.Recognise(kept[0])
	if err != nil {
		return nil, err
	}
	s.inputs, s.left = kept, left
	book, _ := codebook.For(pool)
	return text(found{format, titles(book, format), pool})
}

// found is what a file was recognised as.
type found struct {
	Format string `json:"format"`
	Title  string `json:"title"`
	Pool   string `json:"pool"`
}

// recognise(file) tells what one of the files is: a found as JSON.
func (s *session) recognise(args []js.Value) (any, error) {
	format, pool, err := codebook.Recognise(s.inputs[args[0].Int()])
	if err != nil {
		return nil, err
	}
	book, _ := codebook.For(pool)
	return text(found{format, titles(book, format), pool})
}

// titles names formats, which are joined by "+", in words.
func titles(book codebook.Codebook, formats string) string {
	var out []string
	for _, id := range strings.Split(formats, "+") {
		i := slices.IndexFunc(book.Formats, func(f codebook.Format) bool { return f.ID == id })
		if i >= 0 {
			out = append(out, book.Formats[i].Title)
		}
	}
	return strings.Join(out, ", ")
}

// summary is what a table is and how much of it there is.
type summary struct {
	Title   string            `json:"title"` // of the formats
	Row     string            `json:"row"`   // what one row stands for
	Also    string            `json:"also"`  // a warning where the data describe other people too
	Left    []codebook.Left   `json:"left"`  // files that were not read, by kind
	Columns []codebook.Column `json:"columns"`
	Whole   extent            `json:"whole"`
	Kept    extent            `json:"kept"`
}

type extent struct {
	Profile codebook.Profile `json:"profile"`
	First   string           `json:"first"` // day, YYYY-MM-DD
	Last    string           `json:"last"`
}

func (c content) extent() extent {
	first, last := c.table.Days()
	return extent{c.profile, first, last}
}

func (s *session) summary() (any, error) {
	book := s.whole.table.Codebook
	left := codebook.AddLeft(s.left, s.whole.profile.Left)
	return text(summary{titles(book, s.whole.profile.Format), book.Row, book.Also, left, book.Columns, s.whole.extent(), s.kept.extent()})
}

// reduce(pool) reduces the files to the pool's table: a summary as JSON.
func (s *session) reduce(args []js.Value) (any, error) {
	table, profile, err := codebook.Reduce(args[0].String(), s.inputs...)
	if err != nil {
		return nil, err
	}
	s.whole = content{table, profile}
	s.kept = s.whole
	return s.summary()
}

// narrow(without, from, to) leaves out columns and days, of the whole table
// each time: a summary as JSON. After a refusal everything is as it was.
func (s *session) narrow(args []js.Value) (any, error) {
	n := codebook.Narrowing{From: args[1].String(), To: args[2].String()}
	for i := range args[0].Length() {
		n.Without = append(n.Without, args[0].Index(i).String())
	}
	table, profile, err := s.whole.table.Narrow(s.whole.profile, n)
	if err != nil {
		return nil, err
	}
	s.kept = content{table, profile}
	return s.summary()
}

// rows(from, to) answers rows of what is kept as JSON, as many as there are.
func (s *session) page(args []js.Value) (any, error) {
	rows := s.kept.table.Rows
	from, to := min(args[0].Int(), len(rows)), min(args[1].Int(), len(rows))
	return text(rows[from:max(from, to)])
}

// csv() begins to hand over what is kept and answers how many bytes that is.
func (s *session) csv([]js.Value) (any, error) {
	in, out := io.Pipe()
	s.stop()
	table := s.kept.table
	go func() { _ = out.CloseWithError(table.WriteCSV(out)) }() // it always succeeds
	s.out = in
	return length(table), nil
}

// length is how many bytes the table has as CSV.
func length(t codebook.Table) (n int) {
	for _, c := range t.Codebook.Columns {
		n += len(c.Name) + 1
	}
	for _, row := range t.Rows {
		for _, cell := range row {
			n += len(cell) + 1
		}
	}
	return n
}

// pull(length) answers the next bytes of the CSV as a Uint8Array, an empty one
// after the last.
func (s *session) pull(args []js.Value) (any, error) {
	buf := make([]byte, args[0].Int())
	n, err := io.ReadFull(s.out, buf)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	out := js.Global().Get("Uint8Array").New(n)
	js.CopyBytesToJS(out, buf[:n])
	return out, nil
}

// close() forgets everything.
func (s *session) close([]js.Value) (any, error) {
	s.forget()
	return nil, nil
}

func (s *session) forget() {
	s.stop()
	*s = session{}
}

// stop ends a CSV that nobody read to its end.
func (s *session) stop() {
	if s.out != nil {
		_ = s.out.Close() // it always succeeds
		s.out = nil
	}
}

func text(v any) (any, error) {
	out, err := json.Marshal(v)
	return string(out), err
}

// answer makes {value} or {fault: {code, message, detail}} of a result. What
// is no fault of the file is told without its text.
func answer(value any, err error) any {
	if err == nil {
		return map[string]any{"value": value}
	}
	f := fault.New(fault.Internal, "unreadable", "This file could not be read. Close other programs that use it, then choose it again.")
	errors.As(err, &f)
	detail := make([]any, 0, len(f.Detail))
	for _, d := range f.Detail {
		detail = append(detail, d)
	}
	return map[string]any{"fault": map[string]any{"code": f.Code, "message": f.Message, "detail": detail}}
}
