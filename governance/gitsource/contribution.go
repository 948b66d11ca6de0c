package gitsource

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
)

// KindGit is the kind of every contribution made here.
const KindGit = "git"

// A run of direct commits is one contribution while no pause in it is longer
// than a day, and for a week at most: somebody who commits every day for a
// year has done more than one thing.
const (
	longestPause = 24 * time.Hour
	longestRun   = 7 * 24 * time.Hour
)

// MostAuthors is the most authors one contribution is divided between.
const MostAuthors = 50

// Contribution is a piece of work that reached the branch.
type Contribution struct {
	// ID stays the same while the history grows, in every clone: the digest,
	// in hex, of what began the contribution, a merge or the first commit of a
	// run.
	ID       string
	Kind     string     // KindGit
	Title    string     // one line of at most 200 characters
	Authors  []Identity // people, at most MostAuthors, in order of appearance
	Evidence string     // "git:<tip>:<first>..<last> n commits", ids of twelve digits
	Check    string     // the git command that shows it
	Areas    []string   // top-level folders with work in them; "." is the top itself
	From, To time.Time  // of the first and last commit; zero if they do not say
	Commits  int        // for the evidence; worth nothing
	Reverts  int        // earlier commits that it takes back
	Reverted int        // its commits that were taken back later
	Growing  bool       // a direct commit of today or tomorrow may still belong to it
}

// By reports whether one of the addresses is an author's.
func (c Contribution) By(emails ...string) bool {
	return slices.ContainsFunc(c.Authors, func(a Identity) bool { return slices.ContainsFunc(emails, a.Matches) })
}

// grouping is the work of sorting a graph's commits.
type grouping struct {
	*graph
	store *objects
	out   *History
	owner []int // of each commit: index of its contribution, or one of those below
	run   *run
}

const (
	unowned = -1 - iota
	nobody
)

// run is a series of direct commits by one author.
type run struct {
	author  Identity
	commits []int
	areas   map[string]bool
}

// group fills in contributions and what was set aside.
func (g *graph) group(store *objects, now time.Time, out *History) error {
	w := &grouping{graph: g, store: store, out: out, owner: slices.Repeat([]int{unowned}, len(g.commits))}
	for _, at := range g.chain() {
		step := w.direct
		if g.commits[at].merge() {
			step = w.merged
		}
		if err := step(at); err != nil {
			return err
		}
	}
	if w.run != nil {
		last := &g.commits[w.run.commits[len(w.run.commits)-1]]
		w.finish(last.committed.Add(longestPause).After(now) && w.fits(now))
	}
	w.reverts()
	return nil
}

// direct takes a commit that was made on the branch itself.
func (w *grouping) direct(at int) error {
	c := &w.commits[at]
	s, err := w.survey(c)
	if err != nil {
		return err
	}
	if w.aside(c.bot, s) {
		w.owner[at] = nobody
		return nil
	}
	if w.run != nil && !(same(w.run.author, c.author.identity()) && w.follows(c)) {
		w.finish(false)
	}
	if w.run == nil {
		w.run = &run{author: c.author.identity(), areas: map[string]bool{}}
	}
	w.run.commits = append(w.run.commits, at)
	maps.Copy(w.run.areas, s.areas)
	w.owner[at] = len(w.out.Contributions)
	return nil
}

// follows reports whether a commit comes soon enough to belong to the run.
func (w *grouping) follows(c *commit) bool {
	last := &w.commits[w.run.commits[len(w.run.commits)-1]]
	if c.committed.IsZero() || last.committed.IsZero() {
		return false
	}
	return c.committed.Sub(last.committed).Abs() <= longestPause && w.fits(c.committed)
}

// fits reports whether the run has not lasted too long by a time.
func (w *grouping) fits(at time.Time) bool {
	return at.Sub(w.commits[w.run.commits[0]].committed).Abs() <= longestRun
}

// survey compares a commit with its first parent.
func (w *grouping) survey(c *commit) (*survey, error) {
	s := &survey{store: w.store, areas: map[string]bool{}}
	var before plumbing.Hash
	if len(c.parents) > 0 {
		before = w.commits[w.index[c.parents[0]]].tree
	}
	return s, s.compare(before, c.tree)
}

// aside counts what is nobody's work.
func (w *grouping) aside(bots bool, s *survey) bool {
	switch {
	case bots:
		w.out.Aside.Bots++
	case !s.touched:
		w.out.Aside.Empty++
	case len(s.areas) == 0:
		w.out.Aside.Vendored++
	default:
		return false
	}
	return true
}

// finish makes the current run a contribution.
func (w *grouping) finish(growing bool) {
	r := w.run
	w.run = nil
	first, last := &w.commits[r.commits[0]], &w.commits[r.commits[len(r.commits)-1]]
	c := Contribution{
		ID: identify("run", first.id), Title: more(first.subject, len(r.commits)), Authors: w.authors(r.commits),
		Areas: shown(r.areas), From: first.committed, To: last.committed,
		Commits: len(r.commits), Growing: growing, Check: "git log --first-parent " + since(first) + last.id.String(),
	}
	w.add(c, first.id, last.id, r.commits)
}

// merged takes a merge into the branch with all that it brought in.
func (w *grouping) merged(at int) error {
	if w.run != nil {
		w.finish(false)
	}
	c := &w.commits[at]
	brought := w.brought(at)
	authors := w.authors(brought)
	s, err := w.survey(c)
	if err != nil {
		return err
	}
	work := slices.DeleteFunc(slices.Clone(brought), func(i int) bool { return w.commits[i].merge() })
	if len(work) == 0 {
		w.out.Aside.Empty++
		return nil
	}
	if w.aside(len(authors) == 0, s) {
		return nil
	}
	first := &w.commits[work[0]]
	w.add(Contribution{
		ID: identify("merge", c.id), Title: mergeTitle(c, first, len(work)), Authors: authors,
		Areas: shown(s.areas), From: first.committed, To: c.committed,
		Commits: len(work), Check: "git log --no-merges " + since(c) + c.id.String(),
	}, first.id, c.id, append(brought, at))
	return nil
}

// brought lists the commits that a merge brought into the branch, oldest
// first. All that can be reached from its first parent has been seen by then.
func (w *grouping) brought(at int) (list []int) {
	w.owner[at] = nobody
	waiting := slices.Clone(w.commits[at].parents[1:])
	for len(waiting) > 0 {
		i := w.index[waiting[len(waiting)-1]]
		waiting = waiting[:len(waiting)-1]
		if w.owner[i] != unowned {
			continue
		}
		w.owner[i] = nobody
		list = append(list, i)
		waiting = append(waiting, w.commits[i].parents...)
	}
	slices.SortFunc(list, func(a, b int) int {
		x, y := &w.commits[a], &w.commits[b]
		if c := x.committed.Compare(y.committed); c != 0 {
			return c
		}
		return strings.Compare(x.id.String(), y.id.String())
	})
	return list
}

// add completes a contribution and gives it its commits.
func (w *grouping) add(c Contribution, first, last plumbing.Hash, commits []int) {
	if len(c.Authors) > MostAuthors {
		w.out.Aside.Crowds++
		w.own(commits, nobody)
		return
	}
	c.Kind = KindGit
	c.Evidence = fmt.Sprintf("git:%.12s:%.12s..%.12s %s", w.out.Tip, first.String(), last.String(), counted(c.Commits))
	w.own(commits, len(w.out.Contributions))
	w.out.Contributions = append(w.out.Contributions, c)
}

func (w *grouping) own(commits []int, owner int) {
	for _, i := range commits {
		w.owner[i] = owner
	}
}

// authors lists the people behind commits, merges and bots left out.
func (w *grouping) authors(commits []int) (list []Identity) {
	seen := map[string]bool{}
	for _, i := range commits {
		c := &w.commits[i]
		if c.merge() {
			continue
		}
		for _, p := range append([]person{c.author}, c.coauthors...) {
			if who := p.identity(); !p.bot() && !seen[who.key()] {
				seen[who.key()] = true
				list = append(list, who)
			}
		}
	}
	return list
}

// reverts notes what was taken back, once everything has its place.
func (w *grouping) reverts() {
	for i := range w.commits {
		for _, id := range w.commits[i].reverts {
			target, known := w.index[plumbing.NewHash(id)]
			if !known {
				continue
			}
			if by := w.owner[i]; by >= 0 {
				w.out.Contributions[by].Reverts++
			}
			if of := w.owner[target]; of >= 0 {
				w.out.Contributions[of].Reverted++
			}
		}
	}
}

// How many areas are named, and how long a name is, in characters.
const (
	mostAreas   = 12
	longestArea = 40
)

// shown lists areas for people: cleaned, and an ellipsis for those too many.
func shown(areas map[string]bool) (list []string) {
	for _, area := range slices.Sorted(maps.Keys(areas)) {
		if len(list) == mostAreas {
			return append(list, "…")
		}
		list = append(list, clean(area, longestArea))
	}
	return list
}

// identify makes an ID from the commit a contribution began with.
func identify(sort string, id plumbing.Hash) string {
	sum := sha256.Sum256([]byte("datacoop git contribution 1 " + sort + " " + id.String()))
	return hex.EncodeToString(sum[:])
}

// since is how git log is told to leave out what was there before a commit.
func since(c *commit) string {
	if len(c.parents) == 0 {
		return ""
	}
	return c.parents[0].String() + ".."
}

// mergeTitle prefers what the merge itself says was merged: the line below a
// pull request's number. Branch names and accounts tell reviewers nothing.
func mergeTitle(merge, first *commit, commits int) string {
	if strings.HasPrefix(merge.subject, "Merge pull request ") && merge.detail != "" {
		return merge.detail
	}
	if !strings.HasPrefix(merge.subject, "Merge ") && merge.subject != "" {
		return merge.subject
	}
	return more(first.subject, commits)
}

// more is a title that stands for several commits.
func more(subject string, commits int) string {
	if subject == "" {
		subject = "Work without a title"
	}
	if commits == 1 {
		return subject
	}
	tail := fmt.Sprintf(", and %d more", commits-1)
	return clean(subject, longestTitle-len(tail)) + tail
}

func counted(n int) string {
	if n == 1 {
		return "1 commit"
	}
	return fmt.Sprintf("%d commits", n)
}
