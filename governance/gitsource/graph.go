package gitsource

import (
	"cmp"
	"slices"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
)

// graph is every commit that can be reached from a tip, which is the first.
type graph struct {
	commits []commit
	index   map[plumbing.Hash]int
}

func load(store *objects, tip plumbing.Hash, limit int) (*graph, error) {
	g := &graph{index: map[plumbing.Hash]int{tip: 0}}
	waiting := []plumbing.Hash{tip}
	for len(waiting) > 0 {
		id := waiting[len(waiting)-1]
		waiting = waiting[:len(waiting)-1]
		c, err := store.commit(id)
		if err != nil {
			return nil, err
		}
		g.index[id] = len(g.commits)
		g.commits = append(g.commits, c)
		for _, p := range slices.Backward(c.parents) {
			if _, seen := g.index[p]; seen {
				continue
			}
			if len(g.index) >= limit {
				return nil, ErrTooLarge.With(tooManyCommits)
			}
			g.index[p] = -1
			waiting = append(waiting, p)
		}
	}
	return g, nil
}

// facts counts.
func (g *graph) facts() History {
	h := History{Tip: g.commits[0].id.String(), Commits: len(g.commits)}
	emails, names, people := map[string]bool{}, map[string]bool{}, map[string]int{}
	for i := range g.commits {
		c := &g.commits[i]
		emails[c.author.email], names[c.author.name] = true, true
		if c.bot {
			h.BotCommits++
		} else {
			people[c.author.name]++
		}
		count(&h.Merges, c.merge())
		count(&h.SignedOff, c.signed)
		count(&h.CoAuthored, c.together)
		h.span(c.committed)
	}
	h.AuthorEmails, h.AuthorNames = len(emails), len(names)
	most := make([]int, 0, len(people))
	for _, n := range people {
		most = append(most, n)
	}
	slices.SortFunc(most, func(a, b int) int { return cmp.Compare(b, a) })
	for _, n := range most[:min(3, len(most))] {
		h.TopThree += n
	}
	return h
}

func count(n *int, yes bool) {
	if yes {
		*n++
	}
}

func (h *History) span(at time.Time) {
	if at.IsZero() {
		return
	}
	if h.First.IsZero() || at.Before(h.First) {
		h.First = at
	}
	if at.After(h.Last) {
		h.Last = at
	}
}

// chain lists the tip's first parents, oldest first.
func (g *graph) chain() (list []int) {
	for at := 0; ; {
		list = append(list, at)
		c := &g.commits[at]
		if len(c.parents) == 0 {
			break
		}
		at = g.index[c.parents[0]]
	}
	slices.Reverse(list)
	return list
}
