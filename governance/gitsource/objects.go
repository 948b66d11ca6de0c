package gitsource

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/idxfile"
	"github.com/go-git/go-git/v5/storage/filesystem/dotgit"
)

// objects reads commits and trees from a repository's files, never more of one
// than the limit: go-git's own storage holds whole objects, and the bases of
// their deltas, in memory, whatever size a hostile pack says they have. It is
// for one goroutine.
type objects struct {
	ctx    context.Context
	limits Limits
	packs  []*pack
	loose  []*dotgit.DotGit // this repository's and those it borrows from
	reads  int
	trees  *generations[plumbing.Hash, object]
	bases  *generations[place, object]
	zip    inflater
	close  func()
}

// object is what an id stands for.
type object struct {
	kind plumbing.ObjectType
	data []byte
}

// cacheBytes is how much of what was read is kept, at most twice.
const cacheBytes = 64 << 20

func newObjects(ctx context.Context, limits Limits) *objects {
	o := &objects{ctx: ctx, limits: limits,
		trees: newGenerations[plumbing.Hash, object](cacheBytes), bases: newGenerations[place, object](cacheBytes)}
	o.close = func() {
		for _, p := range o.packs {
			_ = p.file.Close() // opened to be read
		}
	}
	return o
}

// openObjects opens every pack of a repository and of those it borrows from.
func openObjects(ctx context.Context, dir *dotgit.DotGit, limits Limits) (*objects, error) {
	o := newObjects(ctx, limits)
	if err := o.add(dir, 0); err != nil {
		o.close()
		return nil, err
	}
	return o, nil
}

// deepestAlternates is git's own limit of repositories borrowing in a chain.
const deepestAlternates = 5

func (o *objects) add(dir *dotgit.DotGit, depth int) error {
	o.loose = append(o.loose, dir)
	packs, err := dir.ObjectPacks()
	if err != nil {
		return fmt.Errorf("gitsource: packs: %w", err)
	}
	total := int64(0)
	for _, id := range packs {
		p, count, err := openPack(dir, id)
		if err != nil {
			return err
		}
		o.packs = append(o.packs, p)
		if total += count; total > int64(o.limits.Objects) {
			return ErrTooLarge.With(tooManyObjects)
		}
	}
	if depth == deepestAlternates {
		return nil
	}
	for _, path := range lenders(dir) {
		if err := o.add(dotgit.New(osfs.New(path)), depth+1); err != nil {
			return err
		}
	}
	return nil
}

// mostLenders and longestLenders bound what a list of lenders may say.
const (
	mostLenders    = 16
	longestLenders = 64 << 10
)

// lenders lists the repositories that one borrows objects from
// (gitrepository-layout(5), objects/info/alternates). Those that are not there
// are noticed when an object is missing.
func lenders(dir *dotgit.DotGit) (paths []string) {
	f, err := dir.Fs().Open("objects/info/alternates")
	if err != nil {
		return nil
	}
	text, err := io.ReadAll(io.LimitReader(f, longestLenders))
	_ = f.Close() // opened to be read
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(text)) {
		path := strings.TrimSuffix(line, "\n")
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir.Fs().Root(), "objects", path)
		}
		if filepath.Base(path) == "objects" && len(paths) < mostLenders {
			paths = append(paths, filepath.Dir(path))
		}
	}
	return paths
}

func openPack(dir *dotgit.DotGit, id plumbing.Hash) (p *pack, count int64, err error) {
	index := idxfile.NewMemoryIndex()
	f, err := dir.ObjectPackIdx(id)
	if err != nil {
		return nil, 0, fmt.Errorf("gitsource: pack index: %w", err)
	}
	err = idxfile.NewDecoder(f).Decode(index)
	_ = f.Close() // opened to be read
	if err != nil {
		return nil, 0, fmt.Errorf("%w (%w)", ErrCorrupt, err)
	}
	if count, err = index.Count(); err != nil {
		return nil, 0, fmt.Errorf("%w (%w)", ErrCorrupt, err)
	}
	file, err := dir.ObjectPack(id)
	if err != nil {
		return nil, 0, fmt.Errorf("gitsource: pack: %w", err)
	}
	if p, err = newPack(file); err != nil {
		return nil, 0, err
	}
	p.find = func(h plumbing.Hash) (int64, bool) {
		at, err := index.FindOffset(h)
		return at, err == nil
	}
	return p, count, nil
}

// commit reads and parses a commit, whose id must be the digest of its content.
func (o *objects) commit(id plumbing.Hash) (commit, error) {
	data, err := o.read(id, plumbing.CommitObject)
	if err != nil {
		return commit{}, err
	}
	if plumbing.ComputeHash(plumbing.CommitObject, data) != id {
		return commit{}, ErrCorrupt
	}
	c, err := parseCommit(data)
	c.id = id
	return c, err
}

// read returns an object of the wanted kind. The bytes are shared: they must
// not be changed.
func (o *objects) read(id plumbing.Hash, kind plumbing.ObjectType) ([]byte, error) {
	if err := o.ctx.Err(); err != nil {
		return nil, err
	}
	found, cached := o.trees.get(id)
	if !cached {
		if o.reads++; o.reads > o.limits.Objects {
			return nil, ErrTooLarge.With(tooManyObjects)
		}
		var err error
		if found, err = o.find(id, 0); err != nil {
			return nil, err
		}
		if kind == plumbing.TreeObject {
			o.trees.put(id, found, len(found.data))
		}
	}
	if found.kind != kind {
		return nil, ErrCorrupt
	}
	return found.data, nil
}

func (o *objects) find(id plumbing.Hash, depth int) (object, error) {
	for _, p := range o.packs {
		if at, ok := p.find(id); ok {
			return p.read(o, at, depth)
		}
	}
	for _, dir := range o.loose {
		f, err := dir.Object(id)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return object{}, fmt.Errorf("gitsource: object: %w", err)
		}
		found, err := o.readLoose(f)
		_ = f.Close() // opened to be read
		return found, err
	}
	return object{}, ErrCorrupt.With(missingObject)
}

// longestLooseHeader has room for any kind and size.
const longestLooseHeader = 32

// readLoose reads an object that has a file of its own: deflated, "kind size",
// a zero byte and the content.
func (o *objects) readLoose(f io.Reader) (object, error) {
	in := bufio.NewReader(f)
	content, err := o.zip.open(in)
	if err != nil {
		return object{}, ErrCorrupt
	}
	head := make([]byte, 0, longestLooseHeader)
	for {
		var b [1]byte
		if _, err := io.ReadFull(content, b[:]); err != nil || len(head) == cap(head) {
			return object{}, ErrCorrupt
		}
		if b[0] == 0 {
			break
		}
		head = append(head, b[0])
	}
	word, digits, _ := strings.Cut(string(head), " ")
	kind, err := plumbing.ParseObjectType(word)
	if err != nil {
		return object{}, ErrCorrupt
	}
	size, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || size < 0 {
		return object{}, ErrCorrupt
	}
	data, err := exactly(content, size, o.limits.Object)
	return object{kind, data}, err
}

// inflater reuses one reader for all objects.
type inflater struct{ reader io.ReadCloser }

func (z *inflater) open(in io.Reader) (io.Reader, error) {
	if z.reader == nil {
		reader, err := zlib.NewReader(in)
		if err != nil {
			return nil, err
		}
		z.reader = reader
		return reader, nil
	}
	resetter, ok := z.reader.(zlib.Resetter)
	if !ok {
		return nil, errors.New("zlib readers cannot be reset")
	}
	return z.reader, resetter.Reset(in, nil)
}

// exactly reads size bytes, after which the stream must end.
func exactly(in io.Reader, size, limit int64) ([]byte, error) {
	if size > limit {
		return nil, ErrTooLarge.With(tooLargeObject)
	}
	var out bytes.Buffer
	out.Grow(int(min(size, 1<<20)) + bytes.MinRead) // a size may be a lie
	if n, err := out.ReadFrom(io.LimitReader(in, size+1)); err != nil || n != size {
		return nil, ErrCorrupt
	}
	return out.Bytes(), nil
}

// generations is a cache that forgets what was not used for a while: when the
// young are too many they become the old, and the old are gone.
type generations[K comparable, V any] struct {
	young, old map[K]V
	size, room int
}

func newGenerations[K comparable, V any](room int) *generations[K, V] {
	return &generations[K, V]{young: map[K]V{}, room: room}
}

func (g *generations[K, V]) get(key K) (V, bool) {
	if v, ok := g.young[key]; ok {
		return v, true
	}
	v, ok := g.old[key]
	return v, ok
}

func (g *generations[K, V]) put(key K, v V, size int) {
	const overhead = 128
	if g.size += size + overhead; g.size > g.room {
		g.old, g.young, g.size = g.young, map[K]V{}, size+overhead
	}
	g.young[key] = v
}
