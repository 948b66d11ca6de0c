package audit

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestARecordHoldsIntegersThatEveryReaderKeeps(t *testing.T) {
	for _, c := range []struct {
		record any
		ok     bool
	}{
		{map[string]any{"a": 1 << 53, "b": []int64{-1 << 53, 0, 7}}, true},
		{map[string]any{"a": `1.5 and "2.5" and \`, "b\\": "1e9", "-": "\u2028"}, true},
		{[]any{nil, true, "x", map[string]any{}}, true},
		{json.RawMessage(`{"a":-0}`), true},
		{1<<53 + 1, false}, {-1<<53 - 1, false}, {uint64(math.MaxUint64), false},
		{0.5, false}, {map[string]any{"a": []any{"1", 1e21}}, false}, {json.RawMessage(`{"a":1e2}`), false},
		{json.RawMessage(`["\\",1.0]`), false}, {json.RawMessage(`["\"",2.0]`), false},
	} {
		text, err := canonical(c.record)
		if c.ok != (err == nil) || !c.ok && !errors.Is(err, errNumber) {
			t.Errorf("%v: %s, %v", c.record, text, err)
		}
	}
}

// TestNumbersAreFoundWhereADecoderFindsThem compares with encoding/json, which
// reads token by token.
func TestNumbersAreFoundWhereADecoderFindsThem(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		word := rapid.StringMatching(`[-0-9.eE"\\{}\[\],: <ä]{0,12}`)
		text, err := json.Marshal(rapid.MapOf(word, rapid.SliceOf(rapid.OneOf(
			rapid.Map(word, func(s string) any { return s }),
			rapid.Map(rapid.Int64(), func(n int64) any { return n }),
			rapid.Map(rapid.Float64Range(-1e9, 1e9), func(f float64) any { return f }),
			rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		))).Draw(rt, "record"))
		if err != nil {
			rt.Fatal(err)
		}
		dec := json.NewDecoder(strings.NewReader(string(text)))
		dec.UseNumber()
		want := true
		for token, err := dec.Token(); err == nil; token, err = dec.Token() {
			if n, ok := token.(json.Number); ok && !integer(n.String()) {
				want = false
			}
		}
		if err := integersOnly(text); want != (err == nil) {
			rt.Fatalf("%s: %v", text, err)
		}
	})
}
