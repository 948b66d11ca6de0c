package coop

import "strconv"

// Writer writes canonical JSON (RFC 8785) field by field, for what is written so
// often that reflection costs too much. Its caller names the fields of an object
// in the order of RFC 8785, writes integers within ±2⁵³ and texts of UTF-8.
type Writer struct {
	out   []byte
	first bool // nothing has been written in this object or list yet
}

// NewWriter expects so many bytes.
func NewWriter(size int) *Writer { return &Writer{make([]byte, 0, size), true} }

// Bytes is what has been written.
func (w *Writer) Bytes() []byte { return w.out }

// Open begins an object or a list.
func (w *Writer) Open(b byte) { w.out, w.first = append(w.out, b), true }

// Close ends it.
func (w *Writer) Close(b byte) { w.out, w.first = append(w.out, b), false }

// Next begins the next element of a list.
func (w *Writer) Next() {
	if !w.first {
		w.out = append(w.out, ',')
	}
	w.first = false
}

// Name begins the next field of an object.
func (w *Writer) Name(name string) {
	w.Next()
	w.out = append(append(append(w.out, '"'), name...), '"', ':')
}

// Text writes a field.
func (w *Writer) Text(name, s string) {
	w.Name(name)
	w.out = AppendText(w.out, s)
}

// Number writes a field.
func (w *Writer) Number(name string, n int64) {
	w.Name(name)
	w.out = strconv.AppendInt(w.out, n, 10)
}

// Truth writes a field.
func (w *Writer) Truth(name string, b bool) {
	w.Name(name)
	w.out = strconv.AppendBool(w.out, b)
}

// Texts writes a field.
func (w *Writer) Texts(name string, list []string) {
	w.Name(name)
	w.Open('[')
	for _, s := range list {
		w.Next()
		w.out = AppendText(w.out, s)
	}
	w.Close(']')
}

// SaidText writes a field unless it is empty.
func (w *Writer) SaidText(name, s string) {
	if s != "" {
		w.Text(name, s)
	}
}

// SaidNumber writes a field unless it is zero.
func (w *Writer) SaidNumber(name string, n int64) {
	if n != 0 {
		w.Number(name, n)
	}
}

// SaidTruth writes a field unless it is false.
func (w *Writer) SaidTruth(name string, b bool) {
	if b {
		w.Truth(name, b)
	}
}

// SaidTexts writes a field unless it is empty.
func (w *Writer) SaidTexts(name string, list []string) {
	if len(list) > 0 {
		w.Texts(name, list)
	}
}

// Said writes an object unless it would be empty.
func (w *Writer) Said(name string, fields func()) {
	before, first := len(w.out), w.first
	w.Name(name)
	w.Open('{')
	fields()
	if w.first {
		w.out, w.first = w.out[:before], first
		return
	}
	w.Close('}')
}
