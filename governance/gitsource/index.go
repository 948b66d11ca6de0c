package gitsource

import (
	"bufio"
	"encoding/binary"
	"io"

	"github.com/go-git/go-git/v5/plumbing"
)

// index finds the commits and trees of a pack that came without an index, as
// fetched packs do, and lets p find them. Files are passed over.
func (p *pack) index(o *objects) error {
	found := map[plumbing.Hash]int64{}
	p.find = func(h plumbing.Hash) (int64, bool) {
		at, ok := found[h]
		return at, ok
	}
	deltas, err := p.scan(o, found)
	if err != nil {
		return err
	}
	for len(deltas) > 0 {
		var waiting []int64
		for _, at := range deltas {
			known, err := p.resolve(o, at, found)
			if err != nil {
				return err
			}
			if !known {
				waiting = append(waiting, at)
			}
		}
		if len(waiting) == len(deltas) {
			return ErrCorrupt // what they build on is not here
		}
		deltas = waiting
	}
	return nil
}

// counter counts the bytes that were taken from a reader.
type counter struct {
	in *bufio.Reader
	at int64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.in.Read(b)
	c.at += int64(n)
	return n, err
}

func (c *counter) ReadByte() (byte, error) {
	b, err := c.in.ReadByte()
	if err == nil {
		c.at++
	}
	return b, err
}

// scan passes over the pack once. It notes whole commits and trees, and
// returns where the deltas are.
func (p *pack) scan(o *objects, found map[plumbing.Hash]int64) (deltas []int64, err error) {
	in := &counter{in: bufio.NewReaderSize(io.NewSectionReader(p.file, 0, p.size), 64<<10)}
	var head [packHeader]byte
	if _, err := io.ReadFull(in, head[:]); err != nil || string(head[:8]) != "PACK\x00\x00\x00\x02" {
		return nil, ErrCorrupt
	}
	count := binary.BigEndian.Uint32(head[8:])
	if int64(count) > int64(o.limits.Objects) {
		return nil, ErrTooLarge.With(tooManyObjects)
	}
	for range count {
		if err := o.ctx.Err(); err != nil {
			return nil, err
		}
		at := in.at
		e, err := readEntry(in, at)
		if err != nil {
			return nil, err
		}
		id, err := p.pass(o, e, in)
		if err != nil {
			return nil, err
		}
		switch {
		case e.kind.IsDelta():
			deltas = append(deltas, at)
		case !id.IsZero():
			found[id] = at
		}
	}
	return deltas, nil
}

// pass reads over an object's content. Commits and trees answer their id.
func (p *pack) pass(o *objects, e entry, in *counter) (id plumbing.Hash, err error) {
	content, err := o.zip.open(in)
	if err != nil {
		return id, ErrCorrupt
	}
	if e.kind != plumbing.CommitObject && e.kind != plumbing.TreeObject {
		if n, err := io.Copy(io.Discard, io.LimitReader(content, e.size+1)); err != nil || n != e.size {
			return id, ErrCorrupt
		}
		return id, nil
	}
	data, err := exactly(content, e.size, o.limits.Object)
	if err != nil {
		return id, err
	}
	return plumbing.ComputeHash(e.kind, data), nil
}

// resolve notes a delta whose base is known and that makes a commit or tree.
func (p *pack) resolve(o *objects, at int64, found map[plumbing.Hash]int64) (known bool, err error) {
	kind, known, err := p.kind(at)
	if err != nil || !known || kind != plumbing.CommitObject && kind != plumbing.TreeObject {
		return known, err
	}
	if err := o.ctx.Err(); err != nil {
		return false, err
	}
	made, err := p.read(o, at, 0)
	if err != nil {
		return false, err
	}
	found[plumbing.ComputeHash(made.kind, made.data)] = at
	return true, nil
}

// kind follows a chain of deltas to what they are deltas of. It is not known
// while a link names an object that was not found yet.
func (p *pack) kind(at int64) (kind plumbing.ObjectType, known bool, err error) {
	for range deepestDelta + 1 {
		e, err := p.seek(at)
		if err != nil {
			return 0, false, err
		}
		switch e.kind {
		case plumbing.OFSDeltaObject:
			at = e.base
		case plumbing.REFDeltaObject:
			if at, known = p.find(e.ref); !known {
				return 0, false, nil
			}
		default:
			return e.kind, true, nil
		}
	}
	return 0, false, ErrCorrupt
}
