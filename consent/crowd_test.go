package consent

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

// explored compares what a crowd says, in full and about what passes, with the
// law asked about each dataset by itself.
func (h *house) explored(c *Crowd, a Ask, law *policies.Revision) (released int, err error) {
	want := h.check(a, law)
	outcomes, err := c.Decide(h.t.Context(), a)
	if err != nil {
		return 0, err
	}
	passing, err := c.Passing(h.t.Context(), a)
	if err != nil {
		return 0, err
	}
	t := c.Tally(outcomes)
	t.Note, t.ConsentSeq = "", want.ConsentSeq
	if !reflect.DeepEqual(t, want.Tally) {
		return 0, fmt.Errorf("the crowd counts %+v, the law %+v", t, want.Tally)
	}
	by := map[coop.DatasetID]Decision{}
	for _, d := range want.all() {
		by[d.Dataset] = d
	}
	for i, o := range outcomes {
		d := by[c.Classes[i].Example]
		same := o.Allow == d.Allow && o.Allow == passing[i] && reflect.DeepEqual(o.Reasons, d.Reasons) && reflect.DeepEqual(o.Obligations, d.Obligations)
		if !same {
			return 0, fmt.Errorf("the crowd says %+v and %v, the law %+v of %s", o, passing[i], d, d.input)
		}
		if i%6 > 0 {
			continue
		}
		if one, err := c.One(h.t.Context(), a, i); err != nil || one.Allow != d.Allow || !reflect.DeepEqual(one.Reasons, d.Reasons) {
			return 0, fmt.Errorf("one class says %+v, the law %+v, %v", one, d, err)
		}
	}
	return t.Granted, nil
}

// Many questions about one crowd have the answers of the law, also where they
// ask for another price, another purpose or by somebody else than the first, and
// whether or not the law can be asked of rows.
func TestACrowdAnswersLikeTheLaw(t *testing.T) {
	h, d := open(t), roll(77)
	edges := h.nation(d, 30)
	slow := lawWith(t, "forbid", `startswith(input.dataset.region, "F")`)
	released, asked := 0, 0
	for i, law := range []*policies.Revision{h.engine.Current(), d.mutant(t), d.mutant(t), slow} {
		begun := h.clock.Now()
		if moment := edges[d.IntN(len(edges))] + int64(i%3) - 1; moment < coop.Forever-2 {
			h.clock.Advance(time.UnixMilli(moment).Sub(begun))
		}
		first, before, note := d.anyAsk(), asked, ""
		err := h.Explore(t.Context(), first, law, func(c *Crowd) error {
			note, asked = c.Note, before
			for n := range 4 {
				a := first
				if n > 0 {
					a = d.anyAsk()
				}
				more, err := h.explored(c, a, law)
				if err != nil {
					return err
				}
				released, asked = released+more, asked+1
			}
			return nil
		})
		if err != nil || (note != "") != (law == slow) {
			t.Fatalf("law %d: told %q, %v", i, note, err)
		}
		h.clock.Advance(begun.Sub(h.clock.Now()))
	}
	if released < 10 || asked != 16 {
		t.Errorf("%d released in %d questions: the property was not tried", released, asked)
	}
}

// Where rows say more than records, the crowd is read anew from the records.
func TestACrowdDoesNotBelieveRowsThatDisagree(t *testing.T) {
	h := open(t)
	m := newMember()
	h.share(m, "wearables")
	must[Record](t)(h.PutPool(t.Context(), m, "wearables", agree()))
	h.update(func(tx *db.Tx) error { return tx.ExecOne(`UPDATE consent_datasets SET min_price = 100000000`) })
	log, calls := h.listen(), 0
	var passes []bool
	err := h.Explore(t.Context(), study(), nil, func(c *Crowd) (err error) {
		calls++
		passes, err = c.Passing(t.Context(), study())
		return err
	})
	if err != nil || calls != 2 || len(passes) != 1 || !passes[0] || !strings.Contains(log.String(), "disagrees with the law") {
		t.Errorf("%v after %d calls, %v: %s", passes, calls, err, log)
	}
}

func TestACrowdWithoutLawReleasesNobody(t *testing.T) {
	h := open(t)
	h.village()
	h.engine.Seal()
	err := h.Explore(t.Context(), study(), nil, func(c *Crowd) error {
		outcomes, err := c.Decide(t.Context(), study())
		if sum := c.Tally(outcomes); sum.Granted != 0 || sum.Refused != 10 || sum.Revision != "" || c.Note != "" {
			t.Errorf("%+v", sum)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	bad := study()
	bad.Pool = "Wearables"
	wants(t, h.Explore(t.Context(), bad, nil, func(*Crowd) error { return nil }), ErrAsk)
}
