package cohort

import (
	"fmt"
	"strconv"
	"strings"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

// Class is some datasets of a pool that no request of one moment tells apart.
type Class struct {
	Example  coop.DatasetID
	Datasets int
	Members  []uint32 // whose they are, by number; one for each dataset
}

// Crowd are the open datasets of a pool in classes: rows that have the same
// columns, with what lies before, at and after one moment taken together. It is
// for asking many questions of the same datasets: each looks at every class once
// and at no row.
type Crowd struct {
	Classes []Class
	Tries   int // how many questions are reasonable

	now     int64
	holds   []int64 // categories of each class
	columns *Columns
}

// EachMember calls fn with the member of every dataset of a class.
func (c Class) EachMember(fn func(who uint32)) {
	for _, who := range c.Members {
		fn(who)
	}
}

// What many questions may cost. Each that is put to a filter judges every part
// there is, and without a filter every class is decided.
const (
	mostTries   = 120
	leastTries  = 48 // enough for every purpose and use
	mostJudged  = 60_000
	mostDecided = 20_000
)

// ReadCrowd reads the rows of a pool.
func ReadCrowd(tx *db.Tx, w Where) (*Crowd, error) {
	parts, err := Parts(tx)
	if err != nil {
		return nil, err
	}
	c := &Crowd{Tries: min(mostTries, max(leastTries, mostJudged/max(len(parts), 1))), now: w.Now, columns: NewColumns(0)}
	places := map[string]int{}
	err = eachKey(tx, w, func(ds []byte, who uint32, key []byte) error {
		place, known := places[string(key)]
		if !known {
			flat, holds, err := readKey(string(key), w.Now)
			if err != nil {
				return err
			}
			place = len(c.Classes)
			places[string(key)], c.Classes, c.holds = place, append(c.Classes, Class{Example: coop.DatasetID(ds)}), append(c.holds, holds)
			c.columns.Add(flat)
		}
		class := &c.Classes[place]
		class.Datasets, class.Members = class.Datasets+1, append(class.Members, who)
		return nil
	})
	return c, err
}

// readKey reads a row out of its key. Of a moment the key knows on which side of
// now it lies, and so does the row.
func readKey(key string, now int64) (f Flat, holds int64, err error) {
	fields := strings.Split(key, ",")
	if len(fields) != 17 {
		return Flat{}, 0, fmt.Errorf("%w: rows of another layout", ErrFilter)
	}
	numbers := make([]int64, len(fields))
	for i := 3; i < len(fields); i++ {
		n, wrong := strconv.ParseInt(fields[i], 10, 64)
		if numbers[i] = n; wrong != nil {
			return Flat{}, 0, fmt.Errorf("%w: %w", ErrFilter, wrong)
		}
	}
	part := func(i int) int32 { return int32(numbers[i]) } // #nosec G115 -- numbers of parts, as in a Flat
	return Flat{
		Region: fields[0], Effect: fields[1], Later: fields[2], Paused: numbers[3] != 0, Commercial: numbers[4] != 0,
		NotBefore: now + numbers[5], Expires: now + numbers[6], Withdrawn: now + numbers[7], MinPrice: numbers[8],
		Purposes: part(9), Except: part(10), DPV: part(11), Kinds: part(12), Regions: part(13), Limits: part(14), LaterPurposes: part(15),
	}, numbers[16], nil
}

// moments are the columns of which a Crowd knows only the side of now.
var moments = map[string]bool{"not_before": true, "expires": true, "withdrawn": true}

// sided refuses a condition that asks more of a moment than on which side of now
// it lies.
func (c *Crowd) sided(n node) error {
	for _, each := range n.of {
		if err := c.sided(each); err != nil {
			return err
		}
	}
	if !moments[n.left.column] && (n.other == nil || !moments[n.other.column]) {
		return nil
	}
	if n.other != nil {
		return fmt.Errorf("%w: moments compared with each other", ErrFilter)
	}
	for _, v := range n.values {
		if v != c.now {
			return fmt.Errorf("%w: a moment compared with another than now", ErrFilter)
		}
	}
	return nil
}

// patterns answers for each class under which law of a filter it falls and which
// of its conditions hold.
func (c *Crowd) patterns(groups []Group) ([]Pattern, error) {
	out := make([]Pattern, len(c.Classes))
	for law, g := range groups {
		if err := c.mark(g, policies.Always(), func(i int32) { out[i].Law = int64(law) }); err != nil {
			return nil, err
		}
		nodes, conditions := 0, append([]policies.Condition{g.law.Allow}, g.law.Bits...)
		for _, condition := range conditions {
			n, err := check(condition)
			if err != nil {
				return nil, err
			}
			if n.always() || n.never() {
				continue
			}
			bit := int64(1) << nodes
			if err := c.mark(g, condition, func(i int32) { out[i].Bits |= bit }); err != nil {
				return nil, err
			}
			nodes++
		}
	}
	return out, nil
}

// mark calls fn with every class of a group for which a condition holds.
func (c *Crowd) mark(g Group, condition policies.Condition, fn func(int32)) error {
	n, err := check(condition)
	if err == nil {
		err = c.sided(n)
	}
	if err != nil {
		return err
	}
	own := map[int64]bool{}
	for _, h := range g.Holds {
		if id, ok := h.(int64); ok {
			own[id] = true
		}
	}
	return c.columns.each(condition, func(held []int32) {
		for _, i := range held {
			if g.Holds == nil || own[c.holds[i]] {
				fn(i)
			}
		}
	})
}

// Alone are datasets in classes that no request of one moment and requester
// tells apart, by what the law is asked about them and not by their rows.
type Alone struct {
	Classes   []Class
	Questions []policies.Input // about one of each class
	places    map[string]int
}

// Tries is how many questions are reasonable.
func (a *Alone) Tries() int { return min(mostTries, mostDecided/max(len(a.Classes), 1)) }

// Add puts a dataset into its class. What can change the answer to its question
// and to those that ask for something else of it makes one: the class of a
// question knows prices and publications only as that question sees them.
func (a *Alone) Add(in policies.Input, e Entry) error {
	key, err := in.Class()
	if err != nil {
		return err
	}
	for _, r := range in.Records {
		key += fmt.Sprintf(" %d %d", r.MinPriceMinor, r.Limits.PublishFrom)
	}
	place, known := a.places[key]
	if !known {
		if a.places == nil {
			a.places = map[string]int{}
		}
		place = len(a.Classes)
		a.places[key], a.Classes, a.Questions = place, append(a.Classes, Class{Example: e.Dataset}), append(a.Questions, in)
	}
	class := &a.Classes[place]
	class.Datasets, class.Members = class.Datasets+1, append(class.Members, uint32(e.Who)) // #nosec G115 -- numbers of members
	return nil
}
