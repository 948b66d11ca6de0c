package language

import (
	"regexp"
	"strconv"
)

// heard are the attributes whose values people read or hear; shown and counted
// are the words that actions are given to show: of a tag, of a menu's item, and
// the two forms of a number of things.
var (
	heard   = regexp.MustCompile(`(\s(?:aria-label|alt|placeholder|title)=")([^"]*)(")`)
	shown   = regexp.MustCompile(`(\(tag |\(link \S+ "[^"]*" )("(?:[^"\\]|\\.)*")()`)
	counted = regexp.MustCompile(`(\bcount (?:\([^)]*\)|\S+) )("(?:[^"\\]|\\.)*") ("(?:[^"\\]|\\.)*")`)
)

// inside says the words in a piece that is no text: the values of attributes
// and what actions are given.
func inside(t piece, say func(string) string) string {
	switch t.kind {
	case tag:
		return each(heard, t.text, func(p []string) string { return p[1] + rewrite(p[2], say) + p[3] })
	case action, control:
		text := each(shown, t.text, func(p []string) string { return p[1] + literal(p[2], say) })
		return each(counted, text, func(p []string) string {
			return p[1] + literal(p[2], say) + " " + literal(p[3], say)
		})
	case words:
	}
	return t.text
}

// each rewrites what a pattern finds, from its parts.
func each(pattern *regexp.Regexp, text string, with func(parts []string) string) string {
	return pattern.ReplaceAllStringFunc(text, func(found string) string {
		return with(pattern.FindStringSubmatch(found))
	})
}

// literal says the text of a literal in Go's syntax.
func literal(source string, say func(string) string) string {
	text, err := strconv.Unquote(source)
	if err != nil {
		return source // the template's parser will say so
	}
	return strconv.Quote(say(text))
}
