package governance

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestPlainText(t *testing.T) {
	for _, c := range []struct {
		s           string
		line, prose bool
	}{
		{"Ein Satz über Äpfel.", true, true},
		{"👩‍👩‍👧", true, true},
		{"two\nlines\tand a tab\r\n", false, true},
		{"", false, false},
		{" \n ", false, false},
		{"bell\a", false, false},
		{"del\x7f", false, false},
		{"\xc3\x28", false, false},
		{"over\u202eride", false, false},
		{"isol\u2066ate", false, false},
		{strings.Repeat("ä", 20), true, true},
		{strings.Repeat("ä", 21), false, false},
	} {
		if got := line(c.s, 1, 20); got != c.line {
			t.Errorf("line(%q) = %v", c.s, got)
		}
		if got := prose(c.s, 1, 30); got != c.prose && len(c.s) < 40 {
			t.Errorf("prose(%q) = %v", c.s, got)
		}
	}
}

func FuzzDisplayName(f *testing.F) {
	for _, s := range []string{"", "Ada", " a  b ", "\xff", "\u202e", strings.Repeat("ä ", 100), "a\x00b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		name := displayName(s)
		if !utf8.ValidString(name) || !line(name, 1, longestName) || strings.TrimSpace(name) != name {
			t.Errorf("displayName(%q) = %q", s, name)
		}
		if again := displayName(name); again != name {
			t.Errorf("displayName(%q) = %q, then %q", s, name, again)
		}
	})
}
