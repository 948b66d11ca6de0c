package governance

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// bidi holds the characters that reorder the text around them: in a proposal
// they could make members read something else than what they vote on.
var bidi = &unicode.RangeTable{R16: []unicode.Range16{
	{Lo: 0x202a, Hi: 0x202e, Stride: 1},
	{Lo: 0x2066, Hi: 0x2069, Stride: 1},
}}

// line reports whether s is one line of plain text with lo to hi characters.
func line(s string, lo, hi int) bool {
	return bounded(s, lo, hi) && strings.IndexFunc(s, unprintable) < 0
}

// prose is line for text that may have several lines and tabs.
func prose(s string, lo, hi int) bool {
	return bounded(s, lo, hi) && strings.IndexFunc(s, func(r rune) bool {
		return r != '\n' && r != '\r' && r != '\t' && unprintable(r)
	}) < 0
}

func bounded(s string, lo, hi int) bool {
	n := utf8.RuneCountInString(s)
	return utf8.ValidString(s) && n <= hi && utf8.RuneCountInString(strings.TrimSpace(s)) >= lo
}

func unprintable(r rune) bool { return unicode.IsControl(r) || unicode.Is(bidi, r) }

// displayName makes a name fit to be shown: whatever an identity provider
// sends, nobody is kept out for it.
func displayName(s string) string {
	s = strings.Map(func(r rune) rune {
		if unprintable(r) || r == utf8.RuneError {
			return ' '
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > longestName {
		s = strings.TrimSpace(string(runes[:longestName]))
	}
	if s == "" {
		return "Member"
	}
	return s
}
