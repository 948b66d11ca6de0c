package decimal_test

import (
	"fmt"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"distributed.ai/datacoop/marketplace/codebook/decimal"
)

func TestParse(t *testing.T) {
	for in, want := range map[string]decimal.Number{
		"0": 0, "-0": 0, "1": 1_000_000, "+1.5": 1_500_000, "-0.5": -500_000, "6.96999979": 6_970_000, "8.5e-05": 85,
		"1e3": 1_000_000_000, "0.0000004": 0, "0.0000005": 1, "-0.0000005": -1, "00115.8331": 115_833_100, "1E+2": 100_000_000,
		"0.97496674505045089999999999999999": 974_967, "1e-99": 0, "999999999999": 999_999_999_999_000_000,
	} {
		if got, ok := decimal.Parse(in); !ok || got != want {
			t.Errorf("Parse(%s) = %d, %v; want %d", in, got, ok, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, in := range []string{
		"", "-", "+", ".", ".5", "5.", "1,5", "1 000", "1_000", "0x10", "1e", "e5", "1e+", "1e-+5", "1e+-5", "1e100", "--1", "+-1", "1.2.3",
		"NaN", "Inf", "1/2", "١", "12..34", "$120", "1000000000000", "1e13", "99999999999999999999999999999999999999999999999999999999999999999",
	} {
		if got, ok := decimal.Parse(in); ok {
			t.Errorf("Parse(%q) = %d", in, got)
		}
	}
}

func TestText(t *testing.T) {
	for _, c := range []struct {
		v        decimal.Number
		decimals int
		want     string
	}{
		{0, 2, "0"}, {-1, 2, "0"}, {1_500_000, 0, "2"}, {-1_500_000, 0, "-2"}, {1_499_999, 0, "1"}, {6_970_000, 3, "6.97"},
		{-34_510_000, 4, "-34.51"}, {1, 6, "0.000001"}, {999_999, 1, "1"}, {25_000_000, 2, "25"},
	} {
		if got := c.v.Text(c.decimals); got != c.want {
			t.Errorf("%d with %d decimals is %s, want %s", c.v, c.decimals, got, c.want)
		}
	}
}

func TestTextAndParseAreInverses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := decimal.Number(rapid.Int64Range(-999_999_999_999_000_000, 999_999_999_999_000_000).Draw(t, "v"))
		if got, ok := decimal.Parse(v.Text(6)); !ok || got != v {
			t.Fatalf("%d becomes %s becomes %d", v, v.Text(6), got)
		}
	})
}

// rounded is a rational number in millionths, half away from zero.
func rounded(r *big.Rat) *big.Int {
	r = new(big.Rat).Mul(r, big.NewRat(1_000_000, 1))
	half := big.NewRat(int64(r.Sign()), 2)
	r.Add(r, half)
	return new(big.Int).Quo(r.Num(), r.Denom())
}

func TestTimesIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.Int64Range(-1_000_000_000_000, 1_000_000_000_000).Draw(t, "a")
		b := rapid.Int64Range(-1_000_000_000_000, 1_000_000_000_000).Draw(t, "b")
		want := rounded(new(big.Rat).Mul(big.NewRat(a, 1_000_000), big.NewRat(b, 1_000_000)))
		got, ok := decimal.Number(a).Times(decimal.Number(b))
		if !ok || want.Int64() != int64(got) {
			t.Fatalf("%d times %d = %d, want %s", a, b, got, want)
		}
	})
	if _, ok := decimal.Whole(999_999_999_999).Times(decimal.Whole(2)); ok {
		t.Error("no overflow noticed")
	}
	if _, ok := decimal.Whole(1 << 40).Times(decimal.Whole(1 << 40)); ok {
		t.Error("no overflow noticed")
	}
}

func FuzzParse(f *testing.F) {
	f.Add("-6.96999979")
	f.Add("8.5e-05")
	f.Fuzz(func(t *testing.T, in string) {
		got, ok := decimal.Parse(in)
		if !ok {
			return
		}
		exact, isNumber := new(big.Rat).SetString(in)
		if !isNumber || rounded(exact).Cmp(big.NewInt(int64(got))) != 0 {
			t.Fatalf("Parse(%q) = %s", in, fmt.Sprint(got))
		}
	})
}
