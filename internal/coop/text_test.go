package coop

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestOnlyPlainTextIsTaken(t *testing.T) {
	for s, want := range map[string]struct{ line, prose bool }{
		"Sleep & steps": {true, true},
		"Überschlag – 50 % «ça va» 日本 🙂": {true, true},
		"שלום":                   {true, true}, // a script may run right to left, a control may not
		"two\nlines":             {false, true},
		"a\ttab":                 {false, true},
		"":                       {},
		" \t ":                   {},
		"bell\a":                 {},
		"nul\x00":                {},
		"\x1b[31mred":            {},
		"del\x7f":                {},
		"c1 \u0085":              {},
		"turned \u202e round":    {},
		"isolated \u2066x\u2069": {},
		"marked \u200f":          {},
		"arabic mark \u061c":     {},
		"line separator \u2028":  {},
		"not UTF-8 \xff":         {},
		strings.Repeat("ü", 31):  {},
		strings.Repeat("ü", 30):  {true, true},
	} {
		if got := Line(s, 1, 30); got != want.line {
			t.Errorf("Line(%q) is %t", s, got)
		}
		if got := Prose(s, 1, 30); got != want.prose {
			t.Errorf("Prose(%q) is %t", s, got)
		}
	}
}

func FuzzShown(f *testing.F) {
	f.Add("Eva \u202e Müller\n", 5)
	f.Add("\xff\xfe", 80)
	f.Fuzz(func(t *testing.T, s string, most int) {
		most = max(0, most%200)
		shown := Shown(s, most)
		if !Line(shown, 0, most) || Shown(shown, most) != shown || utf8.RuneCountInString(shown) > most {
			t.Fatalf("%q is shown as %q", s, shown)
		}
	})
}
