package gitsource

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// longestTitle is the length of a title in characters.
const longestTitle = 200

// clean makes one line of plain text of at most limit characters: no controls,
// nothing invisible, nothing that reorders what stands around it.
func clean(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError:
			return '\uFFFD'
		case unicode.IsControl(r), unicode.IsSpace(r):
			return ' '
		case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r), unicode.Is(unicode.Variation_Selector, r):
			return -1
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > limit {
		s = strings.TrimSpace(string(runes[:limit-1])) + "…"
	}
	return s
}

// decode turns a commit's bytes into text. Encodings other than UTF-8 and
// Latin-1 lose what cannot be read.
func decode(raw []byte, encoding string) string {
	if utf8.Valid(raw) {
		return string(raw)
	}
	switch strings.ToLower(encoding) {
	case "iso-8859-1", "iso8859-1", "latin1", "latin-1", "windows-1252", "cp1252":
		runes := make([]rune, len(raw))
		for i, b := range raw {
			runes[i] = rune(b)
		}
		return string(runes)
	}
	return strings.ToValidUTF8(string(raw), "\uFFFD")
}
