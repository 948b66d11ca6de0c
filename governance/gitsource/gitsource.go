// Package gitsource reads the history of a git repository and tells what was
// contributed to it, and by whom.
//
// # What it is for
//
// Members who work on code should not have to describe it: the repository
// knows. [Read] opens a repository on this machine, or fetches one over https
// where that is allowed, and returns a [History]: facts about the whole, and
// the work that reached the branch, grouped into [Contribution] values that two
// other members can look up and size.
//
// # How work is grouped
//
// The branch is followed along first parents. Each merge into it is one
// contribution: the commits it brought in. Commits made directly on it are one
// contribution as long as one author made them, no more than a day apart and
// within a week. A run that may still grow is marked, so that nobody submits
// half of it. Whatever is grouped once stays grouped that way while the history
// grows, and keeps its ID.
//
// Bots are set aside, and so are changes that touch nothing but vendored or
// generated files, which are told by their paths, and merges that changed
// nothing. Co-authors named in trailers are authors. Reverts are noted. Lines
// and commits are never a measure of anything: evidence names commits so that a
// person can look at them.
//
// # What it guarantees
//
// Nothing is checked out, written to the repository or run: no hooks, filters
// or helpers. Symbolic links in the tree are names among others. What a hostile
// repository can cost is bounded in time, objects, bytes and memory, see
// [Limits], and ends in a fault. The text of commits is cleaned before it is
// passed on: valid UTF-8, one line, nothing invisible and nothing that reorders
// text. The ID of every commit is checked against its content.
//
// Names and addresses are personal data of people who may have nothing to do
// with the co-op. They stay in memory, inside [Identity], which prints as
// nothing and can only be asked whether an address is theirs.
//
// # What it refuses
//
// Any other way to reach a repository than a path and https; redirects to
// another host; addresses with a password; shallow clones, because a history
// without its beginning would be grouped wrongly; and formats that go-git does
// not read, such as SHA-256.
package gitsource

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/storage/filesystem"
	"github.com/go-git/go-git/v5/storage/filesystem/dotgit"
)

// Options says what to read and how far to go. The zero value reads a local
// repository within the default limits.
type Options struct {
	Branch      string    // empty: main, or where HEAD points if there is no main
	AllowRemote bool      // fetch from https addresses
	Limits      Limits    // zero fields have defaults
	Now         time.Time // zero: the machine's clock; tells which work is still growing

	remote *remote // set by tests, which have certificates of their own
}

// Limits bounds what reading may cost. Zero fields stand for the default.
type Limits struct {
	Commits int           // of the branch; default 250,000
	Objects int           // of the repository, and how many are read; default 8,000,000
	Object  int64         // bytes of one commit or tree; default 16 MiB
	Bytes   int64         // fetched over the network; default 512 MiB
	Time    time.Duration // default five minutes
}

func (l Limits) orDefault() Limits {
	fill(&l.Commits, 250_000)
	fill(&l.Objects, 8_000_000)
	fill(&l.Object, 16<<20)
	fill(&l.Bytes, 512<<20)
	fill(&l.Time, 5*time.Minute)
	return l
}

func fill[T int | int64 | time.Duration](v *T, standard T) {
	if *v <= 0 {
		*v = standard
	}
}

// History is what a branch says about itself. The figures are facts to look
// at; nothing is paid by them.
type History struct {
	Tip          string // commit id
	Commits      int    // reachable from the tip, merges included
	Merges       int    // with more than one parent
	AuthorEmails int    // different ones, as written
	AuthorNames  int    // different ones, as written
	BotCommits   int    // by authors that are bots
	SignedOff    int    // with a Signed-off-by trailer
	CoAuthored   int    // with a Co-authored-by trailer
	TopThree     int    // by the three author names with most of them, bots left out
	First, Last  time.Time

	Contributions []Contribution // oldest first
	Aside         Aside
}

// TopThreeShare is which part of all commits not made by bots the three most
// active author names made, rounded to four decimals; 0 where there is none.
func (h History) TopThreeShare() float64 {
	people := h.Commits - h.BotCommits
	if people == 0 {
		return 0
	}
	const scale = 10_000
	return float64((2*h.TopThree*scale+people)/(2*people)) / scale
}

// Aside counts what was on the branch and is nobody's contribution.
type Aside struct {
	Bots     int // made by bots alone
	Vendored int // nothing but vendored or generated files
	Empty    int // changed nothing
	Crowds   int // more authors than a contribution can be divided between
}

// Read reads a repository: the path of one on this machine, bare or not, or an
// https address if o.AllowRemote. Faults: [ErrLocation], [ErrRemote],
// [ErrNoRepository], [ErrFormat], [ErrNoBranch], [ErrShallow], [ErrTooLarge],
// [ErrTooSlow], [ErrCorrupt], [ErrUnreachable].
func Read(ctx context.Context, location string, o Options) (_ History, err error) {
	o.Limits = o.Limits.orDefault()
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	timed, cancel := context.WithTimeoutCause(ctx, o.Limits.Time, ErrTooSlow)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w (panic: %v)", ErrCorrupt, p) // a library that met what it did not expect
		}
		if err != nil && timed.Err() != nil {
			err = context.Cause(timed)
		}
	}()
	store, tip, err := open(timed, location, o)
	if err != nil {
		return History{}, err
	}
	defer store.close()
	return read(store, tip, o)
}

func read(store *objects, tip plumbing.Hash, o Options) (History, error) {
	g, err := load(store, tip, o.Limits.Commits)
	if err != nil {
		return History{}, err
	}
	h := g.facts()
	return h, g.group(store, o.Now, &h)
}

func open(ctx context.Context, location string, o Options) (*objects, plumbing.Hash, error) {
	address, err := parseLocation(location)
	if err != nil {
		return nil, plumbing.ZeroHash, err
	}
	if address == nil {
		return openLocal(ctx, location, o)
	}
	if !o.AllowRemote {
		return nil, plumbing.ZeroHash, ErrRemote
	}
	from := o.remote
	if from == nil {
		from = &remote{}
	}
	return from.fetch(ctx, address, o)
}

func openLocal(ctx context.Context, path string, o Options) (*objects, plumbing.Hash, error) {
	repo, err := plainOpen(path)
	if err != nil {
		return nil, plumbing.ZeroHash, err
	}
	if cut, err := repo.Storer.Shallow(); err != nil {
		return nil, plumbing.ZeroHash, fmt.Errorf("gitsource: shallow: %w", err)
	} else if len(cut) > 0 {
		return nil, plumbing.ZeroHash, ErrShallow
	}
	tip, err := branch(o.Branch, func(name plumbing.ReferenceName) (plumbing.Hash, error) {
		ref, err := repo.Reference(name, true)
		if err != nil {
			return plumbing.ZeroHash, err
		}
		return ref.Hash(), nil
	})
	if err != nil {
		return nil, plumbing.ZeroHash, err
	}
	files, ok := repo.Storer.(*filesystem.Storage)
	if !ok {
		return nil, plumbing.ZeroHash, errors.New("gitsource: the repository is not in files")
	}
	store, err := openObjects(ctx, dotgit.New(files.Filesystem()), o.Limits)
	return store, tip, err
}

func plainOpen(path string) (*git.Repository, error) {
	repo, err := git.PlainOpenWithOptions(path, &git.PlainOpenOptions{EnableDotGitCommonDir: true})
	switch {
	case err == nil:
		return repo, nil
	case errors.Is(err, git.ErrUnknownExtension), errors.Is(err, git.ErrUnsupportedExtensionRepositoryFormatVersion),
		errors.Is(err, git.ErrUnsupportedRepositoryFormatVersion):
		return nil, ErrFormat
	default:
		return nil, ErrNoRepository
	}
}

// branch finds the commit to start from.
func branch(name string, find func(plumbing.ReferenceName) (plumbing.Hash, error)) (plumbing.Hash, error) {
	names := []plumbing.ReferenceName{plumbing.Main, plumbing.HEAD}
	if name != "" {
		names = []plumbing.ReferenceName{plumbing.NewBranchReferenceName(name)}
	}
	for _, n := range names {
		if n.Validate() != nil {
			continue
		}
		if tip, err := find(n); err == nil && !tip.IsZero() {
			return tip, nil
		}
	}
	return plumbing.ZeroHash, ErrNoBranch
}
