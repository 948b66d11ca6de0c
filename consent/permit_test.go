package consent

import (
	"reflect"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/db"
)

func TestZeroPermitOpensNothing(t *testing.T) {
	var p Permit
	now := time.Now()
	for _, at := range []time.Time{{}, now, now.Add(time.Hour), time.Unix(0, 0)} {
		if p.Valid(at) {
			t.Errorf("valid at %v", at)
		}
	}
	if p.Within(nil) || p.Dataset() != "" || p.Request() != "" || p.Recipient() != "" || p.Decision() != "" || !p.Expires().IsZero() {
		t.Errorf("%+v", p)
	}
}

// Nothing outside this package can fill in a permit: no field is exported, so
// that a composite literal, an assignment and encoding/json all fail.
func TestPermitCannotBeForged(t *testing.T) {
	kind := reflect.TypeFor[Permit]()
	for i := range kind.NumField() {
		if kind.Field(i).IsExported() {
			t.Errorf("%s can be set from outside", kind.Field(i).Name)
		}
	}
	for i := range reflect.PointerTo(kind).NumMethod() {
		if m := reflect.PointerTo(kind).Method(i); m.Type.NumOut() != 1 {
			t.Errorf("%s does more than tell", m.Name)
		}
	}
}

func TestPermitIsForOneThingAndForMinutes(t *testing.T) {
	h, m := open(t), newMember()
	ds := h.share(m, "wearables")
	must[Record](t)(h.PutPool(t.Context(), m, "wearables", agree()))
	a := study()
	issued := h.clock.Now()
	h.update(func(tx *db.Tx) error {
		d, p, err := h.Decide(tx, a, ds)
		if err != nil {
			return err
		}
		if p.Dataset() != ds || p.Request() != a.Request || p.Recipient() != a.Recipient || p.Purpose() != a.Purpose || p.Decision() != d.ID {
			t.Errorf("%+v", p)
		}
		for _, c := range []struct {
			at   time.Duration
			want bool
		}{{-time.Millisecond, false}, {0, true}, {permitFor - time.Millisecond, true}, {permitFor, false}, {24 * time.Hour, false}} {
			if p.Valid(issued.Add(c.at)) != c.want {
				t.Errorf("after %v: %v", c.at, !c.want)
			}
		}
		if !p.Within(tx) || p.Within(nil) {
			t.Error("the permit does not know its transaction")
		}
		return nil
	})
}
