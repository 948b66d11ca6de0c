package language

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// Messages lists the sentences and words of a template's source, in order. A
// message is what stands between two tags that end a sentence: actions inside
// it are {1}, {2} and so on, tags inside it are <1>…</1>. The texts of
// attributes that people read or hear, and of the words that actions are given,
// are messages too.
func Messages(source string) []string {
	var out []string
	rewrite(source, func(m string) string {
		out = append(out, m)
		return m
	})
	return out
}

// Page is a template's source with each message said in the catalogue's
// language. A message that the catalogue lacks stays in English.
//
// What the actions print passes through the function say, which the templates
// must be given.
func (c *Catalogue) Page(source string) string {
	if c == nil {
		return source
	}
	return rewrite(wrap(source), c.message)
}

// printed is an action, in its parts.
var printed = regexp.MustCompile(`(?s)^(\{\{(?:- )?\s*)(.*?)(\s*(?: -)?\}\})$`)

// wrap passes what the actions of a text print through the function say. What
// stands in an attribute is for programs.
func wrap(source string) string {
	var out strings.Builder
	for _, t := range lex(source) {
		if t.kind == action && t.name != "template" {
			t.text = printed.ReplaceAllString(t.text, "${1}say (${2})${3}")
		}
		out.WriteString(t.text)
	}
	return out.String()
}

// rewrite puts what say answers in the place of each message.
func rewrite(source string, say func(string) string) string {
	var out strings.Builder
	var run []piece
	flush := func() {
		out.WriteString(sentence(run, say))
		run = run[:0]
	}
	literally := false // in <pre>, where commands stand
	for _, t := range lex(source) {
		if t.kind == tag && t.name == "pre" {
			literally = !t.ends
		}
		if literally {
			out.WriteString(t.text)
			continue
		}
		t.text = inside(t, say)
		if t.kind == control || t.kind == tag && !inline[t.name] {
			flush()
			out.WriteString(t.text)
			continue
		}
		run = append(run, t)
	}
	flush()
	return out.String()
}

// sentence says a run of text, actions and inline tags. What stands around the
// message, white space, a link around the whole of it, stays as it is.
func sentence(run []piece, say func(string) string) string {
	first, last := bare(run)
	var before, after strings.Builder
	for _, t := range run[:first] {
		before.WriteString(t.text)
	}
	for _, t := range run[last:] {
		after.WriteString(t.text)
	}
	return before.String() + message(run[first:last], say) + after.String()
}

// bare is the part of a run between the tags and the white space around it.
func bare(run []piece) (first, last int) {
	first, last = 0, len(run)
	for {
		switch {
		case first < last && blank(run[first]):
			first++
		case first < last && blank(run[last-1]):
			last--
		case last-first > 1 && wraps(run[first:last]):
			first, last = first+1, last-1
		case first < last && run[first].kind == tag && run[first].ends:
			first++ // it closes something before a decision
		case first < last && run[last-1].kind == tag && !run[last-1].ends && run[last-1].name != "br":
			last-- // it opens something that a decision closes
		default:
			return first, last
		}
	}
}

func blank(t piece) bool { return t.kind == words && strings.TrimSpace(t.text) == "" }

// wraps reports whether the first tag of a run is closed by the last.
func wraps(run []piece) bool {
	first, last := run[0], run[len(run)-1]
	if first.kind != tag || first.ends || last.kind != tag || !last.ends || first.name != last.name {
		return false
	}
	depth := 0
	for i, t := range run {
		if t.kind == tag && t.name == first.name {
			if depth++; t.ends {
				depth -= 2
			}
		}
		if depth == 0 {
			return i == len(run)-1
		}
	}
	return false
}

// message says one message, if there is a letter in it.
func message(run []piece, say func(string) string) string {
	plain, holes := outline(run)
	source := &strings.Builder{}
	for _, t := range run {
		source.WriteString(t.text)
	}
	text := strings.Join(strings.Fields(plain), " ")
	if !readable(run) {
		return source.String()
	}
	said := say(text)
	if said == text {
		return source.String()
	}
	lead, trail := edges(source.String())
	return lead + fill(said, holes) + trail
}

// readable reports whether a run holds a word.
func readable(run []piece) bool {
	for _, t := range run {
		if t.kind == words && strings.IndexFunc(strings.NewReplacer("&nbsp;", "", "&amp;", "", "&quot;", "").Replace(t.text), unicode.IsLetter) >= 0 {
			return true
		}
	}
	return false
}

// edges is the white space around a text.
func edges(s string) (lead, trail string) {
	body := strings.TrimSpace(s)
	at := strings.Index(s, body)
	return s[:at], s[at+len(body):]
}

// outline writes a run with numbers in the place of actions and tags, and the
// source of each.
func outline(run []piece) (string, map[string]string) {
	var out strings.Builder
	holes := map[string]string{}
	actions, tags := 0, 0
	var open []string
	for _, t := range run {
		mark := t.text
		switch {
		case t.kind == action:
			actions++
			mark = "{" + strconv.Itoa(actions) + "}"
		case t.kind == tag && t.ends && len(open) > 0:
			mark, open = "</"+open[len(open)-1]+">", open[:len(open)-1]
		case t.kind == tag:
			tags++
			mark = fmt.Sprintf("<%d>", tags)
			if t.name != "br" {
				open = append(open, strconv.Itoa(tags))
			}
		}
		if t.kind != words {
			holes[mark] = t.text
		}
		out.WriteString(mark)
	}
	return out.String(), holes
}

// fill puts the actions and tags back. Read has made sure that a message in
// another language has the same ones.
func fill(said string, holes map[string]string) string {
	pairs := make([]string, 0, 2*len(holes))
	for mark, text := range holes {
		pairs = append(pairs, mark, text)
	}
	return strings.NewReplacer(pairs...).Replace(said)
}
