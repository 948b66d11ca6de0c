package coop

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// bidi holds the characters that reorder the text around them: they could make
// somebody read something else than what they agree to.
var bidi = &unicode.RangeTable{R16: []unicode.Range16{
	{Lo: 0x061c, Hi: 0x061c, Stride: 1},
	{Lo: 0x200e, Hi: 0x200f, Stride: 1},
	{Lo: 0x202a, Hi: 0x202e, Stride: 1},
	{Lo: 0x2066, Hi: 0x2069, Stride: 1},
}}

// separators break lines although they are no control characters.
const separators = "\u2028\u2029"

// Line reports whether s is one line of plain text with least to most
// characters, blanks at its ends not counted among the least. Plain text is
// valid UTF-8 without control characters and without characters that change
// the direction of writing.
func Line(s string, least, most int) bool {
	return measured(s, least, most) && !strings.ContainsFunc(s, unshown)
}

// Prose is Line for text that may have several lines and tabs.
func Prose(s string, least, most int) bool {
	return measured(s, least, most) && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '\n' && r != '\r' && r != '\t' && unshown(r)
	})
}

// Shown is s as one line of plain text of at most so many characters, with
// blanks for what Line refuses. It is for names that are given by others and
// for which nobody is kept out.
func Shown(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if unshown(r) || r == utf8.RuneError {
			return ' '
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > most {
		s = strings.TrimSpace(string(runes[:most]))
	}
	return s
}

func measured(s string, least, most int) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= most && utf8.RuneCountInString(strings.TrimSpace(s)) >= least
}

func unshown(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(bidi, r) || strings.ContainsRune(separators, r)
}
