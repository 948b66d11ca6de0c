package language

import (
	"regexp"
	"strings"
)

// piece is a piece of a template's source.
type piece struct {
	kind kind
	text string // as it stands in the source
	name string // of a tag, or the first word of an action
	ends bool   // a tag that closes
}

type kind int

const (
	words   kind = iota // text that is shown
	tag                 // an HTML tag, with the actions inside it
	action              // an action that prints something
	control             // an action that decides what follows, or a comment
)

// inline are the tags that may stand inside a sentence. Every other tag ends it.
var inline = map[string]bool{
	"a": true, "abbr": true, "b": true, "br": true, "code": true, "dfn": true, "em": true, "i": true, "kbd": true,
	"q": true, "small": true, "span": true, "strong": true, "time": true,
}

// assigns is how an action begins that gives a variable its value.
var assigns = regexp.MustCompile(`^\$\w+(?:\s*,\s*\$\w+)?\s*:?=`)

// firstWord is the word that an action begins with, if it begins with one.
var firstWord = regexp.MustCompile(`^\w+`)

// controls are the first words of actions that print nothing themselves.
var controls = map[string]bool{
	"if": true, "else": true, "end": true, "range": true, "with": true, "define": true, "block": true,
	"break": true, "continue": true,
}

// lex cuts a template's source into pieces. What it cannot make sense of is
// text; the template's own parser says what is wrong with it.
func lex(source string) []piece {
	var out []piece
	for source != "" {
		n := 0
		switch {
		case strings.HasPrefix(source, "{{"):
			n = actionEnd(source)
			out = append(out, actionPiece(source[:n]))
		case startsTag(source):
			n = tagEnd(source)
			out = append(out, tagPiece(source[:n]))
		default:
			n = textEnd(source)
			out = append(out, piece{kind: words, text: source[:n]})
		}
		source = source[n:]
	}
	return out
}

// actionEnd is the length of the action at the start of s.
func actionEnd(s string) int {
	if body := strings.TrimLeft(strings.TrimPrefix(s[2:], "-"), " "); strings.HasPrefix(body, "/*") {
		if end := strings.Index(s, "*/"); end >= 0 {
			if shut := strings.Index(s[end:], "}}"); shut >= 0 {
				return end + shut + 2
			}
		}
		return len(s)
	}
	for i := 2; i < len(s); i++ {
		switch s[i] {
		case '"', '`':
			i = quoted(s, i)
		case '}':
			if strings.HasPrefix(s[i:], "}}") {
				return i + 2
			}
		}
	}
	return len(s)
}

// quoted is the place of the quotation mark that ends the literal begun at i.
func quoted(s string, i int) int {
	mark := s[i]
	for i++; i < len(s) && s[i] != mark; i++ {
		if s[i] == '\\' && mark == '"' {
			i++
		}
	}
	return i
}

// startsTag tells a tag from a lesser-than sign.
func startsTag(s string) bool {
	return len(s) > 1 && s[0] == '<' && (s[1] == '/' || s[1] == '!' || s[1] >= 'a' && s[1] <= 'z' || s[1] >= 'A' && s[1] <= 'Z')
}

// tagEnd is the length of the tag at the start of s, over the values of its
// attributes and the actions in it.
func tagEnd(s string) int {
	for i := 1; i < len(s); i++ {
		switch {
		case strings.HasPrefix(s[i:], "{{"):
			i += actionEnd(s[i:]) - 1
		case s[i] == '"':
			i = attributeEnd(s, i)
		case s[i] == '>':
			return i + 1
		}
	}
	return len(s)
}

// attributeEnd is the place of the mark that ends the value begun at i.
func attributeEnd(s string, i int) int {
	for i++; i < len(s) && s[i] != '"'; i++ {
		if strings.HasPrefix(s[i:], "{{") {
			i += actionEnd(s[i:]) - 1
		}
	}
	return i
}

// textEnd is the length of the text at the start of s.
func textEnd(s string) int {
	for i := 1; i < len(s); i++ {
		if startsTag(s[i:]) || strings.HasPrefix(s[i:], "{{") {
			return i
		}
	}
	return len(s)
}

func actionPiece(text string) piece {
	body := strings.TrimSpace(strings.TrimPrefix(strings.TrimSuffix(strings.TrimPrefix(strings.TrimSuffix(text, "}}"), "{{"), "-"), "-"))
	name := firstWord.FindString(body)
	kind := action
	if controls[name] || strings.HasPrefix(body, "/*") || assigns.MatchString(body) {
		kind = control
	}
	return piece{kind: kind, text: text, name: name}
}

func tagPiece(text string) piece {
	body := strings.TrimSuffix(strings.TrimPrefix(text, "<"), ">")
	ends := strings.HasPrefix(body, "/")
	body = strings.TrimPrefix(body, "/")
	end := strings.IndexFunc(body, func(r rune) bool { return r == ' ' || r == '\n' || r == '\t' || r == '/' || r == '{' })
	if end >= 0 {
		body = body[:end]
	}
	return piece{kind: tag, text: text, name: strings.ToLower(body), ends: ends}
}
