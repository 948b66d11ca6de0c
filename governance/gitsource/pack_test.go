package gitsource

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"encoding/binary"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
)

// packed writes packs by hand, right or wrong.
type packed struct {
	out   bytes.Buffer
	count uint32
}

func newPacked() *packed {
	p := &packed{}
	p.out.WriteString("PACK\x00\x00\x00\x02\x00\x00\x00\x00")
	return p
}

// add writes an object's head, its base as it is, and its content deflated.
func (p *packed) add(kind plumbing.ObjectType, size uint64, base, content []byte) (at int64) {
	at = int64(p.out.Len())
	b := byte(kind)<<4 | byte(size&15)
	for size >>= 4; size > 0; size >>= 7 {
		p.out.WriteByte(b | 0x80)
		b = byte(size & 0x7f)
	}
	p.out.WriteByte(b)
	p.out.Write(base)
	z := zlib.NewWriter(&p.out)
	_, _ = z.Write(content)
	_ = z.Close()
	p.count++
	return at
}

func (p *packed) whole(kind plumbing.ObjectType, content []byte) int64 {
	return p.add(kind, uint64(len(content)), nil, content)
}

func (p *packed) bytes() []byte {
	data := bytes.Clone(p.out.Bytes())
	binary.BigEndian.PutUint32(data[8:], p.count)
	sum := sha1.Sum(data)
	return append(data, sum[:]...)
}

// delta copies size bytes from the start of a base again and again.
func delta(base, target uint64, commands ...byte) []byte {
	out := binary.AppendUvarint(nil, base)
	return append(binary.AppendUvarint(out, target), commands...)
}

// back is how an OFS delta names its base.
func back(n int64) []byte {
	out := []byte{byte(n & 0x7f)}
	for n >>= 7; n > 0; n >>= 7 {
		n--
		out = append([]byte{byte(n&0x7f) | 0x80}, out...)
	}
	return out
}

type memory struct{ *bytes.Reader }

func (memory) Close() error { return nil }

// indexed takes a pack the way a fetched one is taken.
func indexed(t testing.TB, data []byte, l Limits) (*objects, error) {
	o := newObjects(t.Context(), l.orDefault())
	p, err := newPack(memory{bytes.NewReader(data)})
	must(t, err)
	o.packs = append(o.packs, p)
	return o, p.index(o)
}

const commitText = "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor Ann <ann@coop.test> 1 +0000\ncommitter Ann <ann@coop.test> 1 +0000\n\nBegin\n"

func TestDeltasOfBothKindsAreApplied(t *testing.T) {
	p := newPacked()
	base := p.whole(plumbing.CommitObject, []byte(commitText))
	n := uint64(len(commitText))
	again := delta(n, n+1, 0x90, byte(n), 1, '!') // copy all, add one byte
	at := p.add(plumbing.OFSDeltaObject, uint64(len(again)), back(int64(p.out.Len())-base), again)
	second := plumbing.ComputeHash(plumbing.CommitObject, []byte(commitText+"!"))
	third := delta(n+1, n+2, 0x90, byte(n+1), 1, '?')
	p.add(plumbing.REFDeltaObject, uint64(len(third)), second[:], third)
	p.whole(plumbing.BlobObject, []byte("passed over"))
	o, err := indexed(t, p.bytes(), Limits{})
	must(t, err)
	for _, text := range []string{commitText, commitText + "!", commitText + "!?"} {
		data, err := o.read(plumbing.ComputeHash(plumbing.CommitObject, []byte(text)), plumbing.CommitObject)
		must(t, err)
		if string(data) != text {
			t.Errorf("%q", data)
		}
	}
	if at <= base {
		t.Fatal("the deltas are not where they should be")
	}
	_, err = o.read(plumbing.ComputeHash(plumbing.BlobObject, []byte("passed over")), plumbing.BlobObject)
	refused(t, err, ErrCorrupt)
}

func TestAPackThatWouldFillTheMemoryIsRefused(t *testing.T) {
	n := uint64(len(commitText))
	copies := bytes.Repeat([]byte{0x90, byte(n)}, 1000)
	for what, c := range map[string]struct {
		build func(p *packed)
		want  error
	}{
		"a size that is a lie": {func(p *packed) { p.add(plumbing.CommitObject, 5, nil, []byte(commitText)) }, ErrCorrupt},
		"an absurd size":       {func(p *packed) { p.add(plumbing.CommitObject, 1<<50, nil, []byte(commitText)) }, ErrTooLarge},
		"an endless size": {func(p *packed) {
			p.out.Write(bytes.Repeat([]byte{0xff}, 20))
			p.count++
		}, ErrCorrupt},
		"a delta that makes too much": {func(p *packed) {
			base := p.whole(plumbing.CommitObject, []byte(commitText))
			d := delta(n, 1<<40, copies...)
			p.add(plumbing.OFSDeltaObject, uint64(len(d)), back(int64(p.out.Len())-base), d)
		}, ErrTooLarge},
		"a small delta on one that makes too much": {func(p *packed) {
			base := p.whole(plumbing.CommitObject, []byte(commitText))
			d := delta(n, 1<<40, copies...)
			middle := p.add(plumbing.OFSDeltaObject, uint64(len(d)), back(int64(p.out.Len())-base), d)
			d = delta(1<<40, 10, 0x90, 10)
			p.add(plumbing.OFSDeltaObject, uint64(len(d)), back(int64(p.out.Len())-middle), d)
		}, ErrTooLarge},
		"a delta for another base": {func(p *packed) {
			base := p.whole(plumbing.CommitObject, []byte(commitText))
			d := delta(n+1, 10, 0x90, 10)
			p.add(plumbing.OFSDeltaObject, uint64(len(d)), back(int64(p.out.Len())-base), d)
		}, ErrCorrupt},
		"a delta on itself":        {func(p *packed) { p.add(plumbing.OFSDeltaObject, 2, []byte{0}, []byte{1, 1}) }, ErrCorrupt},
		"a delta on what is ahead": {func(p *packed) { p.add(plumbing.OFSDeltaObject, 2, back(1<<40), []byte{1, 1}) }, ErrCorrupt},
		"deltas on each other": {func(p *packed) {
			ref := plumbing.NewHash(strings.Repeat("ab", 20))
			p.add(plumbing.REFDeltaObject, 2, ref[:], []byte{1, 1})
			p.add(plumbing.REFDeltaObject, 2, ref[:], []byte{1, 1})
		}, ErrCorrupt},
		"an empty delta": {func(p *packed) {
			p.add(plumbing.OFSDeltaObject, 0, back(int64(p.out.Len())-p.whole(plumbing.CommitObject, nil)), nil)
		}, ErrCorrupt},
		"an unknown kind": {func(p *packed) { p.add(5, 1, nil, []byte{1}) }, ErrCorrupt},
		"fewer objects than it says": {func(p *packed) {
			p.whole(plumbing.CommitObject, []byte(commitText))
			p.count++
		}, ErrCorrupt},
		"more objects than allowed": {func(p *packed) { p.count = 1 << 31 }, ErrTooLarge},
	} {
		p := newPacked()
		c.build(p)
		if _, err := indexed(t, p.bytes(), Limits{}); err == nil {
			t.Errorf("%s was taken", what)
		} else {
			refused(t, err, c.want)
		}
	}
	for _, data := range []string{"", "PACK", "PACK\x00\x00\x00\x03\x00\x00\x00\x00", strings.Repeat("x", 100)} {
		_, err := indexed(t, []byte(data), Limits{})
		refused(t, err, ErrCorrupt)
	}
}

// An index that git wrote and one made here lead to the same history.
func TestAFetchedPackReadsLikeACloned(t *testing.T) {
	dir := imported(t, "ofxparse")
	o := Options{Now: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), Limits: Limits{}.orDefault()}
	want, err := Read(t.Context(), dir, o)
	must(t, err)
	for _, deltas := range []string{"--delta-base-offset", "--no-reuse-delta"} {
		name := filepath.Join(t.TempDir(), "all")
		command(t, dir, []byte("refs/heads/main\n"), "pack-objects", "--revs", "-q", deltas, name)
		packs, err := filepath.Glob(name + "-*.pack")
		must(t, err)
		data, err := os.ReadFile(packs[0])
		must(t, err)
		store, err := indexed(t, data, Limits{})
		must(t, err)
		got, err := read(store, plumbing.NewHash(want.Tip), o)
		must(t, err)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: another history", deltas)
		}
	}
}
