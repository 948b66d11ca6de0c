package cohort

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/policies"
)

func TestWhatIsNotKnownIsRefusedAndNotLeftOut(t *testing.T) {
	ok := policies.Compare("record.paused", policies.OpEq, false)
	long := make([]any, maxArguments+1)
	for i := range long {
		long[i] = int64(i)
	}
	for name, c := range map[string]policies.Condition{
		"nothing":                     {},
		"a node of no type":           {Operator: policies.OpAnd, Value: []policies.Condition{ok}},
		"a document":                  {Type: "document", Operator: "exists", Field: "record.effect", Value: ok},
		"another column":              policies.Compare("record.member", policies.OpEq, "m"),
		"SQL for a column":            policies.Compare("effect = '' OR 1", policies.OpEq, int64(1)),
		"a column without its table":  policies.Compare("effect", policies.OpEq, "given"),
		"another operator":            policies.Compare("record.effect", "startswith", "g"),
		"texts put in order":          policies.Compare("dataset.region", policies.OpLt, "M"),
		"truths put in order":         policies.Compare("record.paused", policies.OpLte, true),
		"parts put in order":          policies.Compare("record.limits", policies.OpGt, int64(1)),
		"a text for a number":         policies.Compare("record.expires", policies.OpLt, "5"),
		"a number for a text":         policies.Compare("record.effect", policies.OpEq, int64(1)),
		"a number for a truth":        policies.Compare("record.paused", policies.OpEq, int64(1)),
		"a fraction":                  policies.Compare("record.min_price_minor", policies.OpLt, 1.5),
		"null":                        policies.Compare("record.effect", policies.OpEq, nil),
		"in something":                policies.Compare("record.effect", policies.OpIn, "given"),
		"in a list of something else": policies.Compare("record.limits", policies.OpIn, []any{int64(1), "2"}),
		"in a list that is too long":  policies.Compare("record.limits", policies.OpIn, long),
		"a field that is not there":   policies.Compare("record.expires", policies.OpLt, policies.FieldRef{Field: "record.ends"}),
		"a field of another kind":     policies.Compare("record.expires", policies.OpLt, policies.FieldRef{Field: "record.effect"}),
		"a compound of a comparison":  {Type: policies.TypeCompound, Operator: policies.OpAnd, Value: ok},
		"another compound":            {Type: policies.TypeCompound, Operator: "nor", Value: []policies.Condition{ok}},
		"a no to two":                 {Type: policies.TypeCompound, Operator: policies.OpNot, Value: []policies.Condition{ok, ok}},
		"a compound with a field":     {Type: policies.TypeCompound, Operator: policies.OpAnd, Field: "record.effect", Value: []policies.Condition{ok}},
		"deep inside":                 policies.Any(ok, policies.Not(policies.All(ok, policies.Compare("record.member", policies.OpEq, "m")))),
		"beside what decides already": policies.All(policies.Never(), policies.Compare("record.member", policies.OpEq, "m")),
	} {
		if e, err := SQL(c); !errors.Is(err, ErrCondition) || e.SQL != "" {
			t.Errorf("%s became %q, %v", name, e.SQL, err)
		}
		if e, err := Bits([]policies.Condition{c}); !errors.Is(err, ErrCondition) || e.SQL != "" {
			t.Errorf("bits: %s became %q, %v", name, e.SQL, err)
		}
		if name == "in a list that is too long" {
			continue // memory binds nothing
		}
		if _, err := NewColumns(0).Count(c); !errors.Is(err, ErrCondition) {
			t.Errorf("columns: %s: %v", name, err)
		}
	}
	many := make([]policies.Condition, maxBits+1)
	for i := range many {
		many[i] = ok
	}
	if _, err := Bits(many); !errors.Is(err, ErrCondition) {
		t.Errorf("too many bits: %v", err)
	}
}

func TestValuesAreBoundAndNeverWritten(t *testing.T) {
	evil := `'; DROP TABLE consent_records; --`
	e, err := SQL(policies.Any(policies.Compare("dataset.region", policies.OpEq, evil), policies.Compare("dataset.region", policies.OpIn, []any{evil, "DE"})))
	if err != nil || strings.Contains(e.SQL, "DROP") || e.SQL != "(region = ? OR region IN (?, ?))" || fmt.Sprint(e.Args) != fmt.Sprint([]any{evil, evil, "DE"}) {
		t.Errorf("%q %v, %v", e.SQL, e.Args, err)
	}
}

func TestWhatHoldsEverywhereOrNowhereHasNoDigit(t *testing.T) {
	e, err := Bits([]policies.Condition{
		policies.Always(), policies.Never(), policies.Not(policies.Never()), policies.Compare("record.limits", policies.OpIn, []any{}),
		policies.All(policies.Never(), policies.Compare("record.paused", policies.OpEq, true)),
		policies.Any(policies.Always(), policies.Compare("record.paused", policies.OpEq, true)),
		policies.Compare("record.paused", policies.OpEq, true),
	})
	if err != nil || e.SQL != "0 + CASE WHEN paused = ? THEN 1 ELSE 0 END" {
		t.Errorf("%q, %v", e.SQL, err)
	}
	for c, want := range map[*policies.Condition]string{ptr(policies.Always()): Everywhere, ptr(policies.Not(policies.Always())): Nowhere} {
		if e, err := SQL(*c); err != nil || e.SQL != want {
			t.Errorf("%q, %v", e.SQL, err)
		}
	}
}

// What all alternatives demand is compared once; alternatives that differ in a
// value alone are not taken for the same.
func TestWhatAllAlternativesDemandIsComparedOnce(t *testing.T) {
	a, b := policies.Compare("record.paused", policies.OpEq, false), policies.Compare("record.effect", policies.OpEq, "given")
	x, y := policies.Compare("dataset.region", policies.OpIn, []any{"a b", "c"}), policies.Compare("dataset.region", policies.OpIn, []any{"a", "b c"})
	for want, c := range map[string]policies.Condition{
		"(paused = ? AND effect = ? AND (region IN (?, ?) OR region IN (?, ?)))": policies.Any(policies.All(a, x, b), policies.All(b, y, a)),
		"(paused = ? AND effect = ?)":                                            policies.Any(policies.All(a, b), policies.All(b, a)),
		"paused = ?":                                                             policies.Any(policies.All(a, b), a),
		"((paused = ? AND effect = ?) OR region IN (?, ?))":                      policies.Any(policies.All(a, b), x),
		"(region IN (?, ?) OR region IN (?, ?))":                                 policies.Any(x, y),
	} {
		if e, err := SQL(c); err != nil || e.SQL != want {
			t.Errorf("%q, not %q, %v", e.SQL, want, err)
		}
	}
}

func ptr[T any](v T) *T { return &v }

func TestRecordsThatDoNotGovernTogetherMakeNoRow(t *testing.T) {
	given, no := policies.Record{Effect: policies.Given}, policies.Record{Effect: policies.Refused}
	paused := no
	paused.Paused = true
	for name, records := range map[string][]policies.Record{
		"two that permit": {given, given}, "three": {given, no, no}, "one paused": {given, paused},
	} {
		if row, err := Flatten(records); !errors.Is(err, ErrRow) {
			t.Errorf("%s became %+v, %v", name, row, err)
		}
	}
	if row, err := Flatten(nil); err != nil || row != (Row{}) {
		t.Errorf("%+v, %v", row, err)
	}
	if row, err := Flatten([]policies.Record{given, no}); err != nil || row.Effect != policies.Given || row.Later != policies.Refused || row.Limits != "{}" {
		t.Errorf("%+v, %v", row, err)
	}
	if _, err := Part(1, policies.PartPurposes, "{"); err == nil {
		t.Error("read a part that is none")
	}
}

// anyCondition is a random condition of known fields.
func anyCondition(d *rand.Rand, depth int) policies.Condition {
	if depth > 0 && d.IntN(3) > 0 {
		of := make([]policies.Condition, d.IntN(4))
		for i := range of {
			of[i] = anyCondition(d, depth-1)
		}
		switch d.IntN(3) {
		case 0:
			return policies.All(of...)
		case 1:
			return policies.Any(of...)
		}
		return policies.Not(anyCondition(d, depth-1))
	}
	equal := []string{policies.OpEq, policies.OpNe}
	order := []string{policies.OpEq, policies.OpNe, policies.OpLt, policies.OpLte, policies.OpGt, policies.OpGte}
	n := int64(d.IntN(5))
	switch d.IntN(7) {
	case 0:
		return policies.Compare("record.expires", order[d.IntN(6)], n)
	case 1:
		return policies.Compare("record.effect", equal[d.IntN(2)], []string{"", "given", "refused", "lost"}[d.IntN(4)])
	case 2:
		return policies.Compare("record.paused", equal[d.IntN(2)], d.IntN(2) == 0)
	case 3:
		return policies.Compare("record.limits", policies.OpIn, []any{n, int64(d.IntN(5)), int64(1 << 40)}[:d.IntN(4)])
	case 4:
		return policies.Compare("record.not_before", order[d.IntN(6)], policies.FieldRef{Field: "record.expires"})
	case 5:
		return policies.Compare("dataset.region", policies.OpIn, []any{"DE", "FR", "XX"}[:1+d.IntN(3)])
	}
	return policies.Compare("dataset.region", equal[d.IntN(2)], []string{"DE", "FR", "", "XX"}[d.IntN(4)])
}

// holds is the meaning of a condition, as plainly as it can be said.
func holds(c policies.Condition, f Flat) bool {
	if list, ok := c.Value.([]policies.Condition); ok {
		held := 0
		for _, each := range list {
			if holds(each, f) {
				held++
			}
		}
		return map[string]bool{policies.OpAnd: held == len(list), policies.OpOr: held > 0, policies.OpNot: held == 0}[c.Operator]
	}
	fields := map[string]any{"record.expires": f.Expires, "record.not_before": f.NotBefore, "record.effect": f.Effect,
		"record.paused": f.Paused, "record.limits": int64(f.Limits), "dataset.region": f.Region}
	left, right := fields[c.Field], c.Value
	if ref, ok := right.(policies.FieldRef); ok {
		right = fields[ref.Field]
	}
	switch c.Operator {
	case policies.OpEq:
		return left == right
	case policies.OpNe:
		return left != right
	case policies.OpIn:
		for _, v := range right.([]any) {
			if v == left {
				return true
			}
		}
		return false
	}
	a, b := left.(int64), right.(int64)
	return map[string]bool{policies.OpLt: a < b, policies.OpLte: a <= b, policies.OpGt: a > b, policies.OpGte: a >= b}[c.Operator]
}

const rows = `CREATE TABLE cohort_rows (n BIGINT NOT NULL, region TEXT NOT NULL, effect TEXT NOT NULL, paused BIGINT NOT NULL,
not_before BIGINT NOT NULL, expires BIGINT NOT NULL, limits BIGINT NOT NULL)`

// SQL in either database, the bits of it and columns in memory all say what the
// condition says.
func TestRenderedConditionsHoldWhereTheConditionDoes(t *testing.T) {
	d, all, columns := rand.New(rand.NewPCG(11, 3)), []Flat{}, NewColumns(0)
	for range 1200 { // more than one block
		f := Flat{Region: []string{"DE", "FR", "US", ""}[d.IntN(4)], Effect: []string{"", "given", "refused"}[d.IntN(3)],
			Paused: d.IntN(3) == 0, NotBefore: int64(d.IntN(5)), Expires: int64(d.IntN(5)), Limits: int32(d.IntN(5))}
		all = append(all, f)
		columns.Add(f)
	}
	store := testkit.DB(t)
	err := store.Update(t.Context(), func(tx *db.Tx) error {
		if _, err := tx.Exec(rows); err != nil {
			return err
		}
		for i, f := range all {
			paused := map[bool]int{true: 1}[f.Paused]
			if err := tx.ExecOne(`INSERT INTO cohort_rows VALUES (?, ?, ?, ?, ?, ?, ?)`, i, f.Region, f.Effect, paused, f.NotBefore, f.Expires, f.Limits); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	some := 0
	for range 150 {
		c := anyCondition(d, 3)
		want := []int32{}
		for i, f := range all {
			if holds(c, f) {
				want = append(want, int32(i))
			}
		}
		if len(want) > 0 && len(want) < len(all) {
			some++
		}
		compareAll(t, store, columns, c, want)
	}
	if some < 40 {
		t.Errorf("only %d conditions told rows apart", some)
	}
}

func compareAll(t *testing.T, store *db.DB, columns *Columns, c policies.Condition, want []int32) {
	t.Helper()
	got, err := columns.Select(c)
	if count, failed := columns.Count(c); err != nil || failed != nil || count != len(want) || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("columns: %v for %d rows, %v, %v: %+v", count, len(want), err, failed, c)
	}
	where, err := SQL(c)
	if err != nil {
		t.Fatal(err)
	}
	bits, err := Bits([]policies.Condition{policies.Compare("record.paused", policies.OpEq, true), c})
	if err != nil {
		t.Fatal(err)
	}
	query := func(tx *db.Tx, condition string, args ...any) (list []int32, err error) {
		r, err := tx.Query(`SELECT n FROM cohort_rows WHERE `+condition+` ORDER BY n`, args...)
		if err != nil {
			return nil, err
		}
		defer r.Close()
		for r.Next() {
			var n int32
			if err := r.Scan(&n); err != nil {
				return nil, err
			}
			list = append(list, n)
		}
		return list, r.Err()
	}
	err = store.View(t.Context(), func(tx *db.Tx) error {
		if got, err = query(tx, where.SQL, where.Args...); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("%s: %d rows for %d, %v", where.SQL, len(got), len(want), err)
		}
		if where.SQL == Everywhere || where.SQL == Nowhere {
			return nil
		}
		if got, err = query(tx, "("+bits.SQL+") IN (2, 3)", bits.Args...); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("%s: %d rows for %d, %v", bits.SQL, len(got), len(want), err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSetsCountEachOnce(t *testing.T) {
	var a, b Set
	for _, n := range []uint32{0, 63, 64, 1000, 64, 0} {
		a.Add(n)
	}
	b.Add(64)
	b.Add(7)
	if a.Len() != 4 || b.Len() != 2 || Union(&a, &b) != 5 || Union(&b, &a) != 5 || Union(&a, &Set{}) != 4 {
		t.Errorf("%d, %d, %d", a.Len(), b.Len(), Union(&a, &b))
	}
}
