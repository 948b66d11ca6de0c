package sqlite

import (
	"encoding/binary"

	"distributed.ai/datacoop/marketplace/codebook/stream"
)

// Kinds of pages of a table's b-tree.
const (
	interiorPage = 0x05
	leafPage     = 0x0d
)

// walk visits one table.
type walk struct {
	file   *File
	left   int64 // pages that may still be visited
	rowID  int   // the column that stands for the row id, or -1
	places []int // of the columns in the record, or -1
	row    []Value
	data   []byte
	visit  func(row []Value) error
}

// load reads a page, counted from 1. Every page of a healthy tree is read
// once, so that more reads than pages mean a circle.
func (w *walk) load(number int64, into []byte) error {
	if w.left--; w.left < 0 || number < 1 || number > w.file.pages {
		return stream.ErrMalformedFile
	}
	n, err := w.file.at.ReadAt(into, (number-1)*w.file.pageSize)
	if n < len(into) {
		return failed(err)
	}
	return nil
}

// page visits what is below a page of the tree.
func (w *walk) page(number int64, depth int) error {
	page := make([]byte, w.file.pageSize)
	if err := w.load(number, page); err != nil {
		return err
	}
	start := 0
	if number == 1 {
		start = headerSize
	}
	page = page[:w.file.usable]
	kind, cells := page[start], int(binary.BigEndian.Uint16(page[start+3:]))
	switch {
	case depth == maxDepth:
		return stream.ErrMalformedFile
	case kind == leafPage:
		return w.leaf(page, start+8, cells)
	case kind == interiorPage:
		return w.interior(page, start, cells, depth)
	}
	return stream.ErrMalformedFile
}

func (w *walk) interior(page []byte, start, cells, depth int) error {
	for i := range cells {
		cell, err := cellAt(page, start+12, i, 4)
		if err != nil {
			return err
		}
		if err := w.page(int64(binary.BigEndian.Uint32(cell)), depth+1); err != nil {
			return err
		}
	}
	return w.page(int64(binary.BigEndian.Uint32(page[start+8:])), depth+1)
}

// cellAt is the cell with the number i, which begins with at least so many
// bytes; the pointers to the cells begin at an offset.
func cellAt(page []byte, pointers, i, least int) ([]byte, error) {
	at := pointers + 2*i
	if at+2 > len(page) {
		return nil, stream.ErrMalformedFile
	}
	cell := int(binary.BigEndian.Uint16(page[at:]))
	if cell < pointers || cell+least > len(page) {
		return nil, stream.ErrMalformedFile
	}
	return page[cell:], nil
}

func (w *walk) leaf(page []byte, pointers, cells int) error {
	for i := range cells {
		cell, err := cellAt(page, pointers, i, 2)
		if err != nil {
			return err
		}
		length, n := varint(cell)
		rowID, m := varint(cell[n:])
		if n == 0 || m == 0 || length < 0 {
			return stream.ErrMalformedFile
		}
		if err := w.payload(cell[n+m:], length); err != nil {
			return err
		}
		if err := w.record(rowID); err != nil {
			return err
		}
		if err := w.visit(w.row); err != nil {
			return err
		}
	}
	return nil
}

// local is how much of a payload of that length stands in the cell itself.
func (f *File) local(length int64) int64 {
	most := f.usable - 35
	if length <= most {
		return length
	}
	least := (f.usable-12)*32/255 - 23
	if k := least + (length-least)%(f.usable-4); k <= most {
		return k
	}
	return least
}

// payload collects a record from its cell and the overflow pages after it.
func (w *walk) payload(cell []byte, length int64) error {
	local := w.file.local(length)
	if local > int64(len(cell)) {
		return stream.ErrMalformedFile
	}
	w.data = append(w.data[:0], cell[:local]...)
	wanted := min(length, maxPayload)
	if wanted <= local {
		return nil
	}
	if int64(len(cell)) < local+4 {
		return stream.ErrMalformedFile
	}
	next := int64(binary.BigEndian.Uint32(cell[local:]))
	page := make([]byte, w.file.pageSize)
	for int64(len(w.data)) < wanted {
		if err := w.load(next, page); err != nil {
			return err
		}
		next = int64(binary.BigEndian.Uint32(page))
		w.data = append(w.data, page[4:4+min(w.file.usable-4, wanted-int64(len(w.data)))]...)
	}
	return nil
}
