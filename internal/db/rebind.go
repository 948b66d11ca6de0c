package db

import (
	"regexp"
	"strconv"
	"strings"
)

// rebind numbers the placeholders of a statement, as PostgreSQL wants them:
// every question mark outside literals, quoted names and comments becomes $1,
// $2 and so on, from left to right, with a blank where it would grow together
// with what stands beside it.
func rebind(query string) string {
	if !strings.Contains(query, "?") {
		return query
	}
	var out strings.Builder
	out.Grow(len(query) + len(query)/8)
	n := 0
	for code, other := range split(query) {
		for {
			before, after, found := strings.Cut(code, "?")
			out.WriteString(before)
			if !found {
				break
			}
			n++
			apart := ""
			if text := out.String(); text != "" && inWord(text[len(text)-1]) {
				apart = " "
			}
			out.WriteString(apart + "$" + strconv.Itoa(n))
			if next := after + other; next != "" && inWord(next[0]) {
				out.WriteByte(' ')
			}
			code = after
		}
		out.WriteString(other)
	}
	return out.String()
}

var (
	textType   = regexp.MustCompile(`(?i)(\w\s+)TEXT\b`) // after a column's name, which may be text
	liteSuffix = regexp.MustCompile(`(?i)\)\s*(?:WITHOUT\s+ROWID|STRICT)\b(?:\s*,\s*(?:WITHOUT\s+ROWID|STRICT)\b)*`)
)

// postgresSchema turns a migration into PostgreSQL's dialect. Text compares
// byte by byte, as it does in SQLite, whatever locale the database was made
// with: what is hashed in order of a column must not depend on that, nor an
// index on the version of a C library. SQLite's table suffixes go.
func postgresSchema(text string) string {
	var out strings.Builder
	for code, other := range split(text) {
		code = liteSuffix.ReplaceAllString(code, ")")
		out.WriteString(textType.ReplaceAllString(code, `${1}TEXT COLLATE "C"`))
		out.WriteString(other)
	}
	return out.String()
}

// split cuts SQL into pairs of code and what follows it that is none: a
// literal, a quoted name or a comment, whole. Together they are the text.
func split(text string) func(yield func(code, other string) bool) {
	return func(yield func(code, other string) bool) {
		start := 0
		for i := 0; i < len(text); {
			end := skip(text, i)
			if end == i {
				i++
				continue
			}
			if !yield(text[start:i], text[i:end]) {
				return
			}
			start, i = end, end
		}
		yield(text[start:], "")
	}
}

// skip returns where the literal, quoted name or comment ends that begins at
// i, or i if none begins there. What is not closed reaches to the end.
func skip(text string, i int) int {
	switch rest := text[i:]; {
	case rest[0] == '\'':
		return i + quoted(rest, '\'', escapes(text, i))
	case rest[0] == '"':
		return i + quoted(rest, '"', false)
	case strings.HasPrefix(rest, "--"):
		return i + through(rest, "\n")
	case strings.HasPrefix(rest, "/*"):
		return i + comment(rest)
	case rest[0] == '$' && (i == 0 || !inWord(text[i-1])):
		if tag := dollarTag.FindString(rest); tag != "" {
			return i + len(tag) + through(rest[len(tag):], tag)
		}
	}
	return i
}

var dollarTag = regexp.MustCompile(`^\$(?:[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*)?\$`)

func inWord(c byte) bool {
	return c == '_' || c == '$' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= 0x80
}

// escapes reports whether the quote at i opens a literal with backslashes, as
// in E'…'.
func escapes(text string, i int) bool {
	return i > 0 && (text[i-1] == 'E' || text[i-1] == 'e') && (i == 1 || !inWord(text[i-2]))
}

// quoted is the length of what quote encloses. Doubled it stands for itself:
// the next one then opens what is again skipped.
func quoted(text string, quote byte, backslash bool) int {
	for i := 1; i < len(text); i++ {
		switch {
		case backslash && text[i] == '\\':
			i++
		case text[i] == quote && i+1 < len(text) && text[i+1] == quote:
			i++
		case text[i] == quote:
			return i + 1
		}
	}
	return len(text)
}

func through(text, end string) int {
	if at := strings.Index(text, end); at >= 0 {
		return at + len(end)
	}
	return len(text)
}

// comment is the length of a comment, with those it holds.
func comment(text string) int {
	depth := 0
	for i := 0; i+1 < len(text); i++ {
		switch text[i : i+2] {
		case "/*":
			depth, i = depth+1, i+1
		case "*/":
			depth, i = depth-1, i+1
			if depth == 0 {
				return i + 1
			}
		}
	}
	return len(text)
}
