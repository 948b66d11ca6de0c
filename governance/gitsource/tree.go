package gitsource

import (
	"bytes"

	"github.com/go-git/go-git/v5/plumbing"
)

// node is an entry of a tree. Symbolic links and submodules are files here:
// nothing follows them.
type node struct {
	name []byte
	dir  bool
	mode string
	id   plumbing.Hash
}

// nextNode cuts the first entry off a tree: mode, blank, name, zero byte, id.
func nextNode(tree []byte) (n node, rest []byte, err error) {
	mode, rest, ok := bytes.Cut(tree, []byte(" "))
	if !ok || len(mode) > 6 {
		return n, nil, ErrCorrupt
	}
	name, rest, ok := bytes.Cut(rest, []byte{0})
	if !ok || len(name) == 0 || len(rest) < len(n.id) {
		return n, nil, ErrCorrupt
	}
	n.name, n.mode = name, string(mode)
	n.dir = n.mode == "40000" || n.mode == "040000"
	copy(n.id[:], rest)
	return n, rest[len(n.id):], nil
}

// before is the order of git's trees, where a folder's name ends in a slash.
func (n node) before(other node) bool {
	shared := min(len(n.name), len(other.name))
	if c := bytes.Compare(n.name[:shared], other.name[:shared]); c != 0 {
		return c < 0
	}
	return n.at(shared) < other.at(shared)
}

func (n node) at(i int) byte {
	switch {
	case i < len(n.name):
		return n.name[i]
	case n.dir:
		return '/'
	}
	return 0
}

// differences calls visit with each entry that two trees do not share: from is
// nil for a new one, to for a removed one. It stops when visit answers false.
func differences(from, to []byte, visit func(from, to *node) (bool, error)) error {
	var a, b *node
	var err error
	for {
		if a, from, err = take(a, from); err != nil {
			return err
		}
		if b, to, err = take(b, to); err != nil {
			return err
		}
		var more bool
		switch {
		case a == nil && b == nil:
			return nil
		case b == nil || a != nil && a.before(*b):
			more, err = visit(a, nil)
			a = nil
		case a == nil || b.before(*a):
			more, err = visit(nil, b)
			b = nil
		default:
			more = true
			if a.id != b.id || a.mode != b.mode {
				more, err = visit(a, b)
			}
			a, b = nil, nil
		}
		if err != nil || !more {
			return err
		}
	}
}

// take fills an empty hand with the next entry.
func take(hand *node, tree []byte) (*node, []byte, error) {
	if hand != nil || len(tree) == 0 {
		return hand, tree, nil
	}
	n, rest, err := nextNode(tree)
	return &n, rest, err
}

// survey says where a change was made.
type survey struct {
	store   *objects
	touched bool            // something changed at all
	areas   map[string]bool // top-level folders in which somebody's own work changed; "." is the top itself
}

// deepestFolder is deeper than any path an operating system takes.
const deepestFolder = 2048

// compare adds the changes between two trees; a zero id is an empty one.
func (s *survey) compare(from, to plumbing.Hash) error {
	return s.each(from, to, func(name string, from, to *node) (bool, error) {
		s.touched = true
		area := "."
		if from != nil && from.dir || to != nil && to.dir {
			area = name
		}
		if s.areas[area] {
			return true, nil
		}
		own, err := s.own(name, from, to, 0)
		if own {
			s.areas[area] = true
		}
		return true, err
	})
}

// own reports whether a change touches a file that is neither vendored nor
// generated. It looks no further than the first.
func (s *survey) own(name string, from, to *node, depth int) (own bool, err error) {
	if depth > deepestFolder {
		return false, ErrCorrupt
	}
	if from != nil && !from.dir || to != nil && !to.dir {
		if !asideFile(name) {
			return true, nil
		}
	}
	var old, young plumbing.Hash
	if from != nil && from.dir {
		old = from.id
	}
	if to != nil && to.dir {
		young = to.id
	}
	if old == young || asideFolder(name) {
		return false, nil
	}
	err = s.each(old, young, func(name string, from, to *node) (bool, error) {
		own, err = s.own(name, from, to, depth+1)
		return !own, err
	})
	return own, err
}

func (s *survey) each(from, to plumbing.Hash, visit func(name string, from, to *node) (bool, error)) error {
	if from == to {
		return nil
	}
	old, err := s.tree(from)
	if err != nil {
		return err
	}
	young, err := s.tree(to)
	if err != nil {
		return err
	}
	return differences(old, young, func(from, to *node) (bool, error) {
		any := to
		if any == nil {
			any = from
		}
		return visit(string(any.name), from, to)
	})
}

func (s *survey) tree(id plumbing.Hash) ([]byte, error) {
	if id.IsZero() {
		return nil, nil
	}
	return s.store.read(id, plumbing.TreeObject)
}
