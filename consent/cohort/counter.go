package cohort

import (
	"cmp"
	"slices"

	"distributed.ai/datacoop/policies"
)

// Tally is how datasets would be decided, in figures. They are about members:
// whoever shows them keeps the pool's minimum group.
type Tally struct {
	Granted        int // datasets that pass
	Members        int // members at least one of whose datasets passes
	Refused        int // datasets that do not, those that wait for a review among them
	RefusedMembers int // members at least one of whose datasets does not
	AllMembers     int
	Waiting        int           // datasets refused only because people have to look first
	Reasons        []ReasonTally // by layer, code and sentence
	Revision       string        // hash of the law; "" while none was in force
	ConsentSeq     int64
	At             int64  // Unix milliseconds
	Note           string // a sentence if every dataset had to be decided by itself; else ""
}

// ReasonTally is a reason, how many datasets it refused and how many members
// have one of them.
type ReasonTally struct {
	policies.Reason
	Datasets int `json:"datasets"`
	Members  int `json:"members"`
}

// Counter adds up answers about the datasets of numbered members.
type Counter struct {
	t                Tally
	granted, refused Set
	reasons          map[policies.Reason]*reasonCount
}

type reasonCount struct {
	datasets int
	members  Set
}

// Counted is an outcome as a Counter knows it.
type Counted struct {
	allow, waits bool
	reasons      []*reasonCount
}

// NewCounter has counted nothing.
func NewCounter() *Counter { return &Counter{reasons: map[policies.Reason]*reasonCount{}} }

// Counted makes an outcome ready to be added many times.
func (c *Counter) Counted(o policies.Outcome) Counted {
	out := Counted{allow: o.Allow, waits: o.NeedsReview}
	for _, r := range o.Reasons {
		if c.reasons[r] == nil {
			c.reasons[r] = &reasonCount{}
		}
		out.reasons = append(out.reasons, c.reasons[r])
	}
	return out
}

// Add counts one dataset of a member.
func (c *Counter) Add(who uint32, o Counted) {
	if o.allow {
		c.t.Granted++
		c.granted.Add(who)
		return
	}
	c.t.Refused++
	c.refused.Add(who)
	if o.waits {
		c.t.Waiting++
	}
	for _, r := range o.reasons {
		r.datasets++
		r.members.Add(who)
	}
}

// Tally is what has been added so far.
func (c *Counter) Tally() Tally {
	t := c.t
	t.Members, t.RefusedMembers, t.AllMembers = c.granted.Len(), c.refused.Len(), Union(&c.granted, &c.refused)
	t.Reasons = make([]ReasonTally, 0, len(c.reasons))
	for reason, r := range c.reasons {
		if r.datasets > 0 {
			t.Reasons = append(t.Reasons, ReasonTally{reason, r.datasets, r.members.Len()})
		}
	}
	slices.SortFunc(t.Reasons, func(a, b ReasonTally) int {
		return cmp.Or(cmp.Compare(a.Layer, b.Layer), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Sentence, b.Sentence))
	})
	return t
}
