package annals

import (
	"cmp"
	"context"
	"slices"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/web/portal/words"
)

// Votable is a proposal on the list of votes.
type Votable struct {
	governance.Proposal
	Left  string
	Voted bool
}

// Open reports whether ballots are taken.
func (o Votable) Open() bool { return o.State == governance.Voting }

// Votes sorts open votes before closed ones, the most urgent first, and adds what
// a member has to do with each.
func (r Rooms) Votes(ctx context.Context, m coop.MemberID, list []governance.Proposal) ([]Votable, error) {
	now := r.Clock().UnixMilli()
	out := make([]Votable, 0, len(list))
	for _, o := range list {
		voted, err := r.Governance.Voted(ctx, m, o.ID)
		if err != nil {
			return nil, err
		}
		until := o.ClosesAt
		if o.State == governance.Passed {
			until = o.ExecutableAt
		}
		out = append(out, Votable{o, words.Left(now, until), voted})
	}
	slices.SortStableFunc(out, func(a, b Votable) int {
		switch {
		case a.Open() && b.Open():
			return cmp.Compare(a.ClosesAt, b.ClosesAt)
		case a.Open():
			return -1
		case b.Open():
			return 1
		}
		return cmp.Compare(b.OpenedAt, a.OpenedAt)
	})
	return out, nil
}

// Names finds what members are called, each once.
func (r Rooms) Names(ctx context.Context) func(coop.MemberID) (string, error) {
	known := map[coop.MemberID]string{}
	return func(id coop.MemberID) (string, error) {
		name, ok := known[id]
		if ok {
			return name, nil
		}
		m, err := r.Governance.Member(ctx, id)
		if err != nil {
			return "", err
		}
		known[id] = words.Or(m.Name, "A former member")
		return known[id], nil
	}
}
