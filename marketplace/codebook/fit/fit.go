// Package fit reads FIT, the binary format of sports watches and scales
// (Garmin, "FIT Protocol", D00001275).
//
// A file is a list of messages, each with numbered fields; which number means
// what is the caller's concern. The package guarantees that the header and the
// check sum at the end were right before [Decode] returns without an error,
// that fields which hold no value are not told, and that memory does not grow
// with the file. Definitions of either byte order, compressed time stamps and
// files that follow one another are understood; fields that some developer
// added are skipped, and so are texts and lists of numbers, which no table has
// a place for.
//
// It refuses files that are cut short, whose check sum is wrong, or that use a
// message before defining it: all three are [stream.ErrMalformedFile].
package fit

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"

	"distributed.ai/datacoop/marketplace/codebook/stream"
)

// Epoch is the moment that time stamps count from, in Unix seconds
// (1989-12-31T00:00:00Z).
const Epoch = 631_065_600

// Timestamp is the field of every message that says when it was.
const Timestamp = 253

// Message is one record of the file. It belongs to the visitor until it
// returns.
type Message struct {
	Number int // global message number, such as 18 for a session
	values map[byte]int64
}

// Value is a field's number as it is stored, without scale and offset; false
// where the message lacks it or says that it is unknown.
func (m *Message) Value(field byte) (int64, bool) {
	v, ok := m.values[field]
	return v, ok
}

// Is reports whether a text begins as FIT files do.
func Is(start []byte) bool {
	return len(start) >= 12 && (start[0] == 12 || start[0] == 14) && bytes.Equal(start[8:12], []byte(".FIT"))
}

var errFound = errors.New("found")

// Type is what a file says it holds (field type of the message file_id), given
// its beginning; -1 where it does not say.
func Type(start []byte) int {
	kind := -1
	err := Decode(bytes.NewReader(start), func(m *Message) error {
		if v, ok := m.Value(0); ok && m.Number == 0 {
			kind = int(v)
		}
		return errFound
	})
	if !errors.Is(err, errFound) {
		return -1
	}
	return kind
}

// Decode visits every message. Errors of visit end it and are passed on; what
// was visited before an error must be thrown away.
func Decode(r io.Reader, visit func(m *Message) error) error {
	in := bufio.NewReader(r)
	for first := true; ; first = false {
		if _, err := in.Peek(1); errors.Is(err, io.EOF) && !first {
			return nil
		}
		d := &decoder{in: in, visit: visit, message: Message{values: map[byte]int64{}}}
		if err := d.file(); err != nil {
			if errors.Is(err, io.EOF) {
				return stream.ErrMalformedFile
			}
			return stream.Fault(err)
		}
	}
}

type decoder struct {
	in    *bufio.Reader
	visit func(*Message) error
	left  int64 // bytes of messages to come
	sum   uint16
	time  int64 // of the last message that told one
	local [16]*definition

	message Message
}

// definition says how messages of a local type are laid out.
type definition struct {
	number int
	order  binary.ByteOrder
	fields []field
	extra  int // bytes that developers added
}

type field struct{ number, size, base byte }

// file reads one header, the messages and the check sum. That of the header
// alone may be missing.
func (d *decoder) file() error {
	d.left = 1 << 40
	header, err := d.take(12)
	if err != nil {
		return err
	}
	if !Is(header) {
		return stream.ErrMalformedFile
	}
	size, length := header[0], int64(binary.LittleEndian.Uint32(header[4:8]))
	if size == 14 {
		want := d.sum
		stored, err := d.take(2)
		if err != nil {
			return err
		}
		if got := binary.LittleEndian.Uint16(stored); got != 0 && got != want {
			return stream.ErrMalformedFile
		}
	}
	d.left = length
	for d.left > 0 {
		if err := d.record(); err != nil {
			return err
		}
	}
	want := d.sum
	d.left = 2
	stored, err := d.take(2)
	if err != nil {
		return err
	}
	if binary.LittleEndian.Uint16(stored) != want {
		return stream.ErrMalformedFile
	}
	return nil
}

// take reads n bytes, at most 255 times 255 of them, and adds them to the sum.
func (d *decoder) take(n int) ([]byte, error) {
	if int64(n) > d.left {
		return nil, stream.ErrMalformedFile
	}
	out := make([]byte, n)
	if _, err := io.ReadFull(d.in, out); err != nil {
		return nil, err
	}
	d.left -= int64(n)
	for _, b := range out {
		d.sum = add(d.sum, b)
	}
	return out, nil
}

// add is FIT's CRC-16 (polynomial 0x8005, reflected), four bits at a time.
func add(sum uint16, b byte) uint16 {
	table := [16]uint16{
		0x0000, 0xCC01, 0xD801, 0x1400, 0xF001, 0x3C00, 0x2800, 0xE401,
		0xA001, 0x6C00, 0x7800, 0xB401, 0x5000, 0x9C01, 0x8801, 0x4400,
	}
	sum = sum>>4 ^ table[sum&15] ^ table[b&15]
	return sum>>4 ^ table[sum&15] ^ table[b>>4]
}

func (d *decoder) record() error {
	head, err := d.take(1)
	if err != nil {
		return err
	}
	switch h := head[0]; {
	case h&0x80 != 0: // compressed: the lower bits of the time are in the header
		offset := int64(h & 31)
		d.time += (offset - d.time) & 31
		return d.data(h>>5&3, true)
	case h&0x40 != 0:
		return d.define(h&15, h&0x20 != 0)
	default:
		return d.data(h&15, false)
	}
}

func (d *decoder) define(local byte, developers bool) error {
	head, err := d.take(5)
	if err != nil {
		return err
	}
	def := &definition{order: binary.LittleEndian}
	if head[1] == 1 {
		def.order = binary.BigEndian
	}
	def.number = int(def.order.Uint16(head[2:4]))
	list, err := d.take(3 * int(head[4]))
	if err != nil {
		return err
	}
	for i := 0; i < len(list); i += 3 {
		def.fields = append(def.fields, field{list[i], list[i+1], list[i+2]})
	}
	if developers {
		if def.extra, err = d.developers(); err != nil {
			return err
		}
	}
	d.local[local] = def
	return nil
}

// developers counts the bytes of fields that are not Garmin's.
func (d *decoder) developers() (bytes int, err error) {
	n, err := d.take(1)
	if err != nil {
		return 0, err
	}
	list, err := d.take(3 * int(n[0]))
	for i := 1; i < len(list); i += 3 {
		bytes += int(list[i])
	}
	return bytes, err
}

func (d *decoder) data(local byte, timed bool) error {
	def := d.local[local]
	if def == nil {
		return stream.ErrMalformedFile
	}
	m := &d.message
	m.Number = def.number
	clear(m.values)
	for _, f := range def.fields {
		raw, err := d.take(int(f.size))
		if err != nil {
			return err
		}
		if v, ok := number(raw, f.base, def.order); ok {
			m.values[f.number] = v
		}
	}
	if _, err := d.take(def.extra); err != nil {
		return err
	}
	if timed {
		m.values[Timestamp] = d.time
	} else if at, ok := m.values[Timestamp]; ok {
		d.time = at
	}
	return d.visit(m)
}

// number reads a whole number by its base type, of which the lowest five bits
// count; false for other types and for the value that means "unknown".
func number(raw []byte, base byte, order binary.ByteOrder) (int64, bool) {
	size := map[byte]int{0: 1, 1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 10: 1, 11: 2, 12: 4, 14: 8, 15: 8, 16: 8}[base&31]
	if size == 0 || len(raw) != size {
		return 0, false
	}
	var v uint64
	switch size {
	case 1:
		v = uint64(raw[0])
	case 2:
		v = uint64(order.Uint16(raw))
	case 4:
		v = uint64(order.Uint32(raw))
	case 8:
		v = order.Uint64(raw)
	}
	bits := 8 * uint(size)
	most := ^uint64(0) >> (64 - bits)
	switch base & 31 {
	case 1, 3, 5, 14: // signed
		return int64(v<<(64-bits)) >> (64 - bits), v != most>>1 //nolint:gosec // two's complement is what is wanted
	case 10, 11, 12, 16: // zero means unknown
		return int64(v), v != 0 && v <= 1<<62
	}
	return int64(v), v != most && v <= 1<<62
}
