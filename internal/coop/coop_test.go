package coop

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestMoneyReadsBackAsItIsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := Money(rapid.Int64().Draw(t, "minor"))
		c := rapid.SampledFrom([]Currency{"EUR", "JPY", "KWD"}).Draw(t, "currency")
		if m == -1<<63 {
			t.Skip("one value has no positive twin")
		}
		got, err := ParseMoney(m.Decimal(c), c)
		if err != nil || got != m {
			t.Fatalf("%d %s became %q and then %d (%v)", m, c, m.Decimal(c), got, err)
		}
	})
}

func TestMoneyIsWrittenForPeople(t *testing.T) {
	for _, c := range []struct {
		minor    Money
		currency Currency
		want     string
	}{{1250, "EUR", "12.50 EUR"}, {7, "EUR", "0.07 EUR"}, {-7, "EUR", "-0.07 EUR"}, {500, "JPY", "500 JPY"}, {1, "KWD", "0.001 KWD"}, {0, "EUR", "0.00 EUR"},
		{-1 << 63, "EUR", "-92233720368547758.08 EUR"}, {-1 << 63, "JPY", "-9223372036854775808 JPY"}, {1<<63 - 1, "KWD", "9223372036854775.807 KWD"}} {
		if got := c.minor.Format(c.currency); got != c.want {
			t.Errorf("%d: %q, want %q", c.minor, got, c.want)
		}
	}
}

func TestWhatIsNoAmountIsRefused(t *testing.T) {
	for _, s := range []string{"", ".", "1.", ".5", "1e3", "1,5", "1.234", "+1", "--1", "1 ", "0x1", "९", "9223372036854775808", "NaN"} {
		if m, err := ParseMoney(s, "EUR"); err == nil {
			t.Errorf("%q was read as %d", s, m)
		} else if !errors.Is(err, errAmount) {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func FuzzParseMoney(f *testing.F) {
	f.Add("12.50")
	f.Add("-0.01")
	f.Fuzz(func(t *testing.T, s string) {
		m, err := ParseMoney(s, "EUR")
		if err != nil {
			return
		}
		if again, err := ParseMoney(m.Decimal("EUR"), "EUR"); err != nil || again != m {
			t.Fatalf("%q: %d, then %d (%v)", s, m, again, err)
		}
	})
}

func TestIDsAreUUIDv7AndNothingElse(t *testing.T) {
	if a, b := NewID(), NewID(); !ValidID(a) || !ValidID(b) || a >= b {
		t.Fatalf("%s, %s", a, b)
	}
	for _, s := range []string{"", "../etc/passwd", "01900000-0000-4000-8000-000000000000", strings.ToUpper(NewID()), NewID() + "\n", "%2e%2e%2f"} {
		if ValidID(s) {
			t.Errorf("%q passes for an id", s)
		}
	}
	for _, s := range []string{"", "Wearables", "a b", "-a", strings.Repeat("a", 33), "ä"} {
		if ValidSlug(s) {
			t.Errorf("%q passes for a slug", s)
		}
	}
}

// TestIDsAreWhatThePatternSays puts every byte in every place of an id.
func TestIDsAreWhatThePatternSays(t *testing.T) {
	pattern := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	const id = "0199e5f0-7a31-7c02-b4d6-fedcba987650"
	tried, valid := 0, 0
	check := func(s string) {
		tried++
		if ValidID(s) {
			valid++
		}
		if ValidID(s) != pattern.MatchString(s) {
			t.Errorf("%q: %v", s, ValidID(s))
		}
	}
	for i := range len(id) {
		for c := range 256 {
			check(id[:i] + string([]byte{byte(c)}) + id[i+1:])
		}
		check(id[:i] + id[i+1:])
		check(id[:i] + id[i:i+1] + id[i:])
	}
	// 30 digits are free, one has 4 values, and four hyphens and the 7 have one.
	if want := 30*16 + 4 + 5; valid != want || tried != len(id)*258 {
		t.Errorf("%d of %d pass, want %d", valid, tried, want)
	}
}

const charter = `name = "Co-op"
currency = "EUR"
contact = "mailto:a@coop.example"
admission = "open"
commission_permille = 100
challenge_hours = 240
permit_minutes = 5
access_days = 30
[[pools]]
id = "wearables"
title = "Wearables"
price = 100
minimum_group = 10
[waterfall]
reserve = 100
purpose = 50
members = 850
investors = 0
[split]
data = 700
work = 200
governance = 100
[judge]
beta_data = 100
[classes.policy]
support_permille = 500
window_hours = 168
[classes.statement]
support_permille = 500
window_hours = 168
[classes.bylaws]
support_permille = 667
window_hours = 168
`

func TestACharterIsReadWhole(t *testing.T) {
	c, err := ParseCharter([]byte(charter))
	if err != nil {
		t.Fatal(err)
	}
	if p, ok := c.Pool("wearables"); !ok || p.Price != 100 {
		t.Fatalf("%+v", p)
	}
	if _, ok := c.Pool("energy"); ok {
		t.Fatal("a pool out of nowhere")
	}
}

func TestAnInconsistentCharterIsRefusedByName(t *testing.T) {
	for name, c := range map[string]struct{ old, new, says string }{
		"typo":                {"commission_permille", "comission_permille", "comission_permille"},
		"no contact":          {`contact = "mailto:a@coop.example"`, "", "contact"},
		"odd currency":        {`"EUR"`, `"Euro"`, "currency"},
		"odd admission":       {`"open"`, `"everybody"`, "admission"},
		"no challenge":        {"challenge_hours = 240", "challenge_hours = 0", "challenge_hours"},
		"long permit":         {"permit_minutes = 5", "permit_minutes = 500", "permit_minutes"},
		"group of one":        {"minimum_group = 10", "minimum_group = 1", "minimum_group"},
		"negative price":      {"price = 100", "price = -1", "price"},
		"pool id":             {`id = "wearables"`, `id = "Wear ables"`, "slug"},
		"waterfall":           {"reserve = 100", "reserve = 200", "waterfall"},
		"too little for them": {"reserve = 100\npurpose = 50\nmembers = 850", "reserve = 500\npurpose = 100\nmembers = 400", "members"},
		"split":               {"data = 700", "data = 701", "split"},
		"boundless judge":     {"beta_data = 100", "beta_data = 900", "judge"},
		"minority rule":       {"support_permille = 667", "support_permille = 400", "bylaws"},
		"missing class":       {"[classes.bylaws]", "[classes.other]", "bylaws"},
		"one treasurer":       {"[[pools]]", "[[offices]]\noffice = \"treasury\"\nsubject = \"bea\"\n[[pools]]", "treasury"},
		"odd office":          {"[[pools]]", "[[offices]]\noffice = \"king\"\nsubject = \"bea\"\n[[pools]]", "king"},
		"nameless judge":      {"[[pools]]", "[[judges]]\nfamily = \"a\"\n[[pools]]", "judges"},
		"not TOML":            {"[waterfall]", "[waterfall", ""},
	} {
		text := strings.Replace(charter, c.old, c.new, 1)
		if text == charter {
			t.Fatalf("%s: nothing was changed", name)
		}
		_, err := ParseCharter([]byte(text))
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParseCharter(f *testing.F) {
	f.Add([]byte(charter))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := ParseCharter(text)
		if err == nil && c.Name == "" {
			t.Fatal("a charter without a name passed")
		}
	})
}

func TestPurposesAreKnownOrRefused(t *testing.T) {
	if !(Purpose{"DUO:0000042", "AcademicResearch"}).Valid() || (Purpose{"DUO:0000042", "Spying"}).Valid() || (Purpose{}).Valid() {
		t.Fatal("purposes")
	}
	if !(Purpose{DPV: "Marketing"}).Commercial() || (Purpose{DPV: "AcademicResearch"}).Commercial() {
		t.Fatal("commercial")
	}
	if !ValidRequesterKind("university") || ValidRequesterKind("friend") {
		t.Fatal("kinds")
	}
}
