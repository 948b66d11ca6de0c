package sqlite

import (
	"encoding/binary"
	"math"
	"unicode/utf16"

	"distributed.ai/datacoop/marketplace/codebook/stream"
)

// Kinds of values.
const (
	Missing = iota // NULL, or a column that a record does not have
	Integer
	Real
	Text
	Blob
)

// Value is one cell of a row.
type Value struct {
	Kind  int
	Int   int64   // of an Integer
	Float float64 // of a Real
	bytes []byte  // of Text and Blob, as stored
	wide  uint32  // the encoding of Text
}

// Number is an Integer or a Real as a whole number, rounded towards zero; it
// reports false for anything else.
func (v Value) Number() (int64, bool) {
	switch {
	case v.Kind == Integer:
		return v.Int, true
	case v.Kind == Real && math.Abs(v.Float) < 1<<62:
		return int64(v.Float), true
	}
	return 0, false
}

// Text is a Text as UTF-8; anything else is empty.
func (v Value) Text() string {
	switch {
	case v.Kind != Text:
		return ""
	case v.wide < 2:
		return string(v.bytes)
	}
	units := make([]uint16, len(v.bytes)/2)
	for i := range units {
		if v.wide == 2 {
			units[i] = binary.LittleEndian.Uint16(v.bytes[2*i:])
		} else {
			units[i] = binary.BigEndian.Uint16(v.bytes[2*i:])
		}
	}
	return string(utf16.Decode(units))
}

// varint reads a variable-length integer: up to eight bytes with seven bits,
// a ninth with eight. It answers a length of zero where the bytes end.
func varint(b []byte) (v int64, length int) {
	for i := range min(len(b), 9) {
		if i == 8 {
			return v<<8 | int64(b[i]), 9
		}
		v = v<<7 | int64(b[i]&0x7f)
		if b[i] < 0x80 {
			return v, i + 1
		}
	}
	return 0, 0
}

// record fills the row from the payload.
func (w *walk) record(rowID int64) error {
	for i, place := range w.places {
		w.row[i] = Value{}
		if place >= 0 && place == w.rowID {
			w.row[i] = Value{Kind: Integer, Int: rowID}
		}
	}
	end, n := varint(w.data)
	if n == 0 || end < int64(n) {
		return stream.ErrMalformedFile
	}
	header := w.data[n:min(end, int64(len(w.data)))]
	at := end
	for column := 0; len(header) > 0; column++ {
		serial, n := varint(header)
		if n == 0 || serial < 0 {
			return stream.ErrMalformedFile
		}
		header = header[n:]
		size := width(serial)
		if at > int64(len(w.data))-size {
			return nil // beyond what is looked at
		}
		w.keep(column, serial, w.data[at:at+size])
		at += size
	}
	return nil
}

func (w *walk) keep(column int, serial int64, data []byte) {
	if column == w.rowID {
		return
	}
	for i, place := range w.places {
		if place == column {
			w.row[i] = decode(serial, data)
			w.row[i].wide = w.file.encoding
		}
	}
}

// width is how many bytes a value of a serial type takes.
func width(serial int64) int64 {
	switch {
	case serial < 5:
		return serial
	case serial == 5:
		return 6
	case serial < 8:
		return 8
	case serial < 12:
		return 0
	}
	return (serial - 12) / 2
}

func decode(serial int64, data []byte) Value {
	switch {
	case serial == 0 || serial == 10 || serial == 11:
		return Value{}
	case serial == 7:
		return Value{Kind: Real, Float: math.Float64frombits(binary.BigEndian.Uint64(data))}
	case serial >= 12 && serial%2 == 0:
		return Value{Kind: Blob, bytes: data}
	case serial >= 13:
		return Value{Kind: Text, bytes: data}
	case serial == 8 || serial == 9:
		return Value{Kind: Integer, Int: serial - 8}
	}
	v := int64(int8(data[0])) //nolint:gosec // two's complement, as stored
	for _, b := range data[1:] {
		v = v<<8 | int64(b)
	}
	return Value{Kind: Integer, Int: v}
}
