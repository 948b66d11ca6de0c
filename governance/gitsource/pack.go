package gitsource

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
)

// packFile is what a pack is read from.
type packFile interface {
	io.ReaderAt
	io.Seeker
	io.Closer
}

// pack reads single objects of a pack file (gitformat-pack(5)).
type pack struct {
	file packFile
	size int64
	find func(plumbing.Hash) (int64, bool)
	in   *bufio.Reader
}

// place is where an object lies.
type place struct {
	pack *pack
	at   int64
}

func newPack(file packFile) (*pack, error) {
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, fmt.Errorf("gitsource: pack: %w", err)
	}
	return &pack{file: file, size: size, in: bufio.NewReaderSize(nil, 4096)}, nil
}

// deepestDelta is git's own limit of a chain of deltas.
const deepestDelta = 4095

// entry is the head of an object in a pack.
type entry struct {
	kind plumbing.ObjectType
	size int64         // inflated; of a delta, the delta's own
	base int64         // offset, of an OFS delta
	ref  plumbing.Hash // of a REF delta
}

func (p *pack) read(o *objects, at int64, depth int) (object, error) {
	if found, ok := o.bases.get(place{p, at}); ok {
		return found, nil
	}
	if depth > deepestDelta {
		return object{}, ErrCorrupt
	}
	e, err := p.seek(at)
	if err != nil {
		return object{}, err
	}
	content, err := o.zip.open(p.in)
	if err != nil {
		return object{}, ErrCorrupt
	}
	data, err := exactly(content, e.size, o.limits.Object)
	if err != nil {
		return object{}, err
	}
	found := object{e.kind, data}
	if e.kind.IsDelta() {
		if found, err = p.patch(o, e, data, depth); err != nil {
			return object{}, err
		}
	}
	o.bases.put(place{p, at}, found, len(found.data))
	return found, nil
}

// patch applies a delta, after looking at how much it would make.
func (p *pack) patch(o *objects, e entry, delta []byte, depth int) (object, error) {
	target, ok := targetSize(delta)
	if !ok {
		return object{}, ErrCorrupt
	}
	if target > uint64(o.limits.Object) { //nolint:gosec // limits are positive
		return object{}, ErrTooLarge.With(tooLargeObject)
	}
	base, err := p.base(o, e, depth)
	if err != nil {
		return object{}, err
	}
	data, err := packfile.PatchDelta(base.data, delta)
	if err != nil {
		return object{}, fmt.Errorf("%w (%w)", ErrCorrupt, err)
	}
	return object{base.kind, data}, nil
}

func (p *pack) base(o *objects, e entry, depth int) (object, error) {
	if e.kind == plumbing.OFSDeltaObject {
		return p.read(o, e.base, depth+1)
	}
	if at, ok := p.find(e.ref); ok {
		return p.read(o, at, depth+1)
	}
	return o.find(e.ref, depth+1)
}

// seek reads the head of the object at an offset; p.in stands at its content.
func (p *pack) seek(at int64) (entry, error) {
	if at < packHeader || at >= p.size {
		return entry{}, ErrCorrupt
	}
	p.in.Reset(io.NewSectionReader(p.file, at, p.size-at))
	return readEntry(p.in, at)
}

// packHeader is the length of a pack's own head.
const packHeader = 12

// readEntry reads an object's head: kind and size, and a delta's base.
func readEntry(in interface {
	io.Reader
	io.ByteReader
}, at int64) (e entry, err error) {
	b, err := in.ReadByte()
	if err != nil {
		return e, ErrCorrupt
	}
	e.kind, e.size = plumbing.ObjectType(b>>4&7), int64(b&15)
	for shift := 4; b&0x80 != 0; shift += 7 {
		if b, err = in.ReadByte(); err != nil || shift > 55 {
			return e, ErrCorrupt
		}
		e.size |= int64(b&0x7f) << shift
	}
	switch e.kind {
	case plumbing.CommitObject, plumbing.TreeObject, plumbing.BlobObject, plumbing.TagObject:
		return e, nil
	case plumbing.REFDeltaObject:
		if _, err = io.ReadFull(in, e.ref[:]); err != nil {
			return e, ErrCorrupt
		}
		return e, nil
	case plumbing.OFSDeltaObject:
		back, err := readBack(in)
		e.base = at - back
		if err != nil || e.base < packHeader || back == 0 {
			return e, ErrCorrupt
		}
		return e, nil
	default:
		return e, ErrCorrupt
	}
}

var errDistance = errors.New("a distance that leads out of every pack")

// readBack reads how far back a delta's base lies.
func readBack(in io.ByteReader) (int64, error) {
	b, err := in.ReadByte()
	n := int64(b & 0x7f)
	for err == nil && b&0x80 != 0 {
		if n > 1<<48 {
			return 0, errDistance
		}
		b, err = in.ReadByte()
		n = (n+1)<<7 | int64(b&0x7f)
	}
	return n, err
}

// targetSize is how many bytes a delta says it makes.
func targetSize(delta []byte) (uint64, bool) {
	_, n := binary.Uvarint(delta)
	if n <= 0 {
		return 0, false
	}
	size, m := binary.Uvarint(delta[n:])
	return size, m > 0
}
