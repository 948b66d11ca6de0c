package governance

import (
	"strings"
	"testing"
	"unicode/utf8"

	"distributed.ai/datacoop/internal/coop"
)

func FuzzDisplayName(f *testing.F) {
	for _, s := range []string{"", "Ada", " a  b ", "\xff", "\u202e", strings.Repeat("ä ", 100), "a\x00b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		name := displayName(s)
		if !utf8.ValidString(name) || !coop.Line(name, 1, longestName) || strings.TrimSpace(name) != name {
			t.Errorf("displayName(%q) = %q", s, name)
		}
		if again := displayName(name); again != name {
			t.Errorf("displayName(%q) = %q, then %q", s, name, again)
		}
	})
}
