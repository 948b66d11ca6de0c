package language

import (
	"regexp"
	"slices"
	"sort"
	"strings"
)

// pattern is a message with places in it, for what the rooms below say: they
// have filled the places already.
type pattern struct {
	match *regexp.Regexp
	said  string
	weigh int // how much of it is words
}

// longest is how much of a text is looked up, and deepest how often what stands
// in a place is looked up in turn: "2 datasets" in a sentence, and no more. What
// is longer or deeper was written by people, and some of them mean no good.
const (
	longest = 500
	deepest = 2
)

// Say says a sentence of the rooms below. What the catalogue does not know,
// such as a name, comes back as it is.
func (c *Catalogue) Say(english string) string { return c.say(english, deepest) }

// SayEach says each of some sentences.
func (c *Catalogue) SayEach(english []string) []string {
	out := make([]string, len(english))
	for i, sentence := range english {
		out[i] = c.Say(sentence)
	}
	return out
}

func (c *Catalogue) say(english string, depth int) string {
	if c == nil || english == "" {
		return english
	}
	if said, ok := c.messages[english]; ok {
		return said
	}
	if len(english) > longest || depth == 0 {
		return english
	}
	for _, key := range []string{initial(english), ""} {
		for _, p := range c.patterns[key] {
			if parts := p.match.FindStringSubmatch(english); parts != nil {
				return c.put(p.said, parts, depth-1)
			}
		}
	}
	return english
}

// put fills the places of a translation with what stood in the sentence, each
// said in the same language where that is known.
func (c *Catalogue) put(said string, parts []string, depth int) string {
	return marks.ReplaceAllStringFunc(said, func(mark string) string {
		if n := int(mark[1] - '0'); len(mark) == 3 && n > 0 && n < len(parts) {
			return c.say(parts[n], depth)
		}
		return mark
	})
}

// places is what a message matches once its places were filled.
func places(english string) *regexp.Regexp {
	var expr strings.Builder
	expr.WriteString("(?s)^")
	rest := english
	for at := marks.FindStringIndex(rest); at != nil; at = marks.FindStringIndex(rest) {
		expr.WriteString(regexp.QuoteMeta(rest[:at[0]]) + "(.+)")
		rest = rest[at[1]:]
	}
	expr.WriteString(regexp.QuoteMeta(rest) + "$")
	return regexp.MustCompile(expr.String())
}

// initial is the first word of a text, or nothing where a place begins it.
func initial(s string) string {
	word, _, _ := strings.Cut(s, " ")
	if strings.ContainsAny(word, "{}") {
		return ""
	}
	return word
}

// patterns are the messages with places, by their first word; those that begin
// with a place are under "". The ones with more words come first, so that the
// most exact one is found. What scripts alone say is left out: they fill it.
func patterns(messages map[string]string, but ...string) map[string][]pattern {
	out := map[string][]pattern{}
	for english, said := range messages {
		if slices.Contains(but, english) {
			continue
		}
		holes := marks.FindAllString(english, -1)
		if len(holes) == 0 || len(holes) > 9 || strings.ContainsAny(english, "<>") {
			continue
		}
		bare := marks.ReplaceAllString(english, "")
		if strings.TrimSpace(bare) == "" {
			continue
		}
		key := initial(english)
		out[key] = append(out[key], pattern{places(english), said, len(bare)})
	}
	for _, list := range out {
		sort.Slice(list, func(i, j int) bool {
			if list[i].weigh != list[j].weigh {
				return list[i].weigh > list[j].weigh
			}
			return list[i].match.String() < list[j].match.String()
		})
	}
	return out
}
