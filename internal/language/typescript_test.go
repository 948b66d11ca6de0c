package language

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// tsToken is a token of a script: a word or number, a mark, or a literal.
type tsToken struct {
	kind byte   // 'w', 'p', or '"' for a literal, '`' for a piece of a template, '/' for a pattern
	text string // of a literal: what it stands for
	line int
}

// tokens cuts TypeScript into tokens, without comments. What stands in ${…} of a
// template is tokens too, in round brackets.
func tokens(source string) ([]tsToken, error) {
	c := &tsCutter{source: source, line: 1}
	for c.at < len(c.source) {
		if err := c.next(); err != nil {
			return nil, fmt.Errorf("line %d: %w", c.line, err)
		}
	}
	if len(c.open) > 0 {
		return nil, fmt.Errorf("%d templates never end", len(c.open))
	}
	return c.out, nil
}

type tsCutter struct {
	source string
	at     int
	line   int
	out    []tsToken
	braces int
	open   []int // how many braces were open where each template's ${ began
}

func (c *tsCutter) add(kind byte, text string, length int) {
	c.out = append(c.out, tsToken{kind, text, c.line})
	c.line += strings.Count(c.source[c.at:c.at+length], "\n")
	c.at += length
}

var tsWord = regexp.MustCompile(`^[\p{L}\p{N}_$]+`)

func (c *tsCutter) next() error {
	rest := c.source[c.at:]
	switch {
	case strings.HasPrefix(rest, "\n"):
		c.at, c.line = c.at+1, c.line+1
	case unicode.IsSpace(rune(rest[0])):
		c.at++
	case strings.HasPrefix(rest, "//"):
		c.at += len(rest[:strings.IndexByte(rest+"\n", '\n')])
	case strings.HasPrefix(rest, "/*"):
		end := strings.Index(rest, "*/")
		if end < 0 {
			return fmt.Errorf("a comment never ends")
		}
		c.line += strings.Count(rest[:end], "\n")
		c.at += end + 2
	case rest[0] == '"':
		return c.literal(rest)
	case rest[0] == '\'':
		return fmt.Errorf("a literal in single quotation marks")
	case rest[0] == '`':
		c.at++
		return c.template()
	case rest[0] == '/' && c.begins():
		return c.pattern(rest)
	case tsWord.MatchString(rest):
		c.add('w', tsWord.FindString(rest), len(tsWord.FindString(rest)))
	case rest[0] == '}' && len(c.open) > 0 && c.open[len(c.open)-1] == c.braces:
		c.open = c.open[:len(c.open)-1]
		c.add('p', ")", 1)
		return c.template()
	default:
		c.braces += map[byte]int{'{': 1, '}': -1}[rest[0]]
		c.add('p', rest[:1], 1)
	}
	return nil
}

// literal takes one in double quotation marks, which Go writes the same way.
func (c *tsCutter) literal(rest string) error {
	quoted, err := strconv.QuotedPrefix(rest)
	if err != nil {
		return err
	}
	text, err := strconv.Unquote(quoted)
	c.add('"', text, len(quoted))
	return err
}

// template takes a piece of a template, up to its end or to the next ${.
func (c *tsCutter) template() error {
	rest := c.source[c.at:]
	for i := 0; i < len(rest); i++ {
		switch {
		case rest[i] == '\\':
			i++
		case rest[i] == '`':
			c.add('`', rest[:i], i)
			c.at++
			return nil
		case strings.HasPrefix(rest[i:], "${"):
			c.add('`', rest[:i], i)
			c.at++
			c.open = append(c.open, c.braces)
			c.add('p', "(", 1)
			return nil
		}
	}
	return fmt.Errorf("a template never ends")
}

// begins reports whether a slash here begins a pattern and does not divide.
func (c *tsCutter) begins() bool {
	if len(c.out) == 0 {
		return true
	}
	last := c.out[len(c.out)-1]
	return last.kind == 'p' && !strings.Contains(")]}", last.text) || last.kind == 'w' && last.text == "return"
}

func (c *tsCutter) pattern(rest string) error {
	class := false
	for i := 1; i < len(rest) && rest[i] != '\n'; i++ {
		switch {
		case rest[i] == '\\':
			i++
		case rest[i] == '[':
			class = true
		case rest[i] == ']':
			class = false
		case rest[i] == '/' && !class:
			c.add('/', rest[1:i], i+1)
			return nil
		}
	}
	return fmt.Errorf("a pattern never ends")
}

// script's sentences: each is a literal and the first that said is given. Any
// other text is refused, but for names: of files that are imported, of what a
// table is looked up by, of figures' and dates' forms.
func sentencesOf(source string) (messages []string, err error) {
	list, err := tokens(source)
	if err != nil {
		return nil, err
	}
	is := func(i int, texts ...string) bool {
		return i >= 0 && i < len(list) && list[i].kind != '"' && list[i].kind != '`' && slices.Contains(texts, list[i].text)
	}
	for i, t := range list {
		called := t.kind == 'w' && t.text == "said" && is(i+1, "(")
		if called && list[i+2].kind != '"' {
			return nil, fmt.Errorf("line %d: said is given no literal", t.line)
		}
		if t.kind != '"' && t.kind != '`' || !strings.ContainsFunc(t.text, unicode.IsLetter) {
			continue
		}
		switch {
		case t.kind == '"' && is(i-1, "(") && is(i-2, "said") && is(i+1, ",", ")"):
			messages = append(messages, t.text)
		case t.kind == '"' && (is(i-1, "from") || is(i-1, "{", ",") && is(i+1, ":")):
		default:
			return nil, fmt.Errorf("line %d: %q is said to nobody: give said the whole sentence", t.line, t.text)
		}
	}
	return messages, nil
}

func TestSentencesAreReadFromScripts(t *testing.T) {
	source := "import { said } from \"./said.ts\"; // said(\"no\")\nconst w = {\n \"a b\": (n: number) => (n === 1 ? said(\"1 row\") : said(\"{1} rows\", `${number(n / 2 / 1)}`)),\n" +
		"  deep: () => `${x.replace(/[/\"`]/g, \"\")}, ${said(\"It’s \\\"so\\\".\")}: ${y}`, /* said(\"never\") */ };"
	got, err := sentencesOf(source)
	if want := []string{"1 row", "{1} rows", `It’s "so".`}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v", got, err)
	}
	for why, source := range map[string]string{
		"a template":             "said(`One`)",
		"joined literals":        `said("One " + "two")`,
		"a choice":               `said(n ? "One" : "two")`,
		"a name":                 `said(text)`,
		"a text by itself":       `const a = "One two";`,
		"a second text":          `said("One {1}", "two")`,
		"a text in a template":   "const a = `${n} rows`;",
		"another mark":           `const a = 'One';`,
		"a template without end": "const a = `${n",
	} {
		if got, err := sentencesOf(source); err == nil {
			t.Errorf("%s was taken: %q", why, got)
		}
	}
}

// uttered are the sentences of the scripts.
func uttered(t *testing.T) (out []string) {
	t.Helper()
	everyFile(t, "islands/src/words.ts", func(path, source string) {
		messages, err := sentencesOf(source)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		out = append(out, messages...)
	})
	if len(out) < 100 {
		t.Fatalf("only %d sentences of scripts were found", len(out))
	}
	return out
}

// showing are the calls and fields through which a text comes before somebody,
// and hidden those whose texts nobody but programs and logs read.
var (
	showing = []string{"say", "tell", "make", "list", "refuse", "Refusal", "Option", "append", "trouble"}
	fields  = []string{"textContent", "innerText", "title", "ariaLabel", "label", "placeholder", "alt"}
	hidden  = []string{"Error", "TypeError"}
	phrase  = regexp.MustCompile(`\p{L}{2,}[,.;:!?]? +[\p{L}“]+|^\p{Lu}\p{Ll}+[.!?]?$`)
	names   = regexp.MustCompile(`^(Accept|Authorization|Location|Content-.*|Upload-.*|Tus-.*|If-.*|ETag|Idempotency-Key|Ed25519|POST|Enter|Escape|AES-.*|HMAC|SHA-256|X25519|Worker|use strict|datacoop .* v1)$`)
)

// spoken are the texts of a script that somebody might read.
func spoken(source string) (out []string, err error) {
	list, err := tokens(source)
	if err != nil {
		return nil, err
	}
	type call struct {
		name string
		at   int // which argument
	}
	var calls []call
	for i, t := range list {
		last := tsToken{}
		if i > 0 {
			last = list[i-1]
		}
		switch {
		case t.kind == 'p' && strings.Contains("([{", t.text):
			name := ""
			if t.text == "(" && last.kind == 'w' {
				name = last.text
			} else if len(calls) > 0 && t.text != "{" { // in brackets, or a template: of the call around it
				name = calls[len(calls)-1].name
			}
			calls = append(calls, call{name: name})
		case t.kind == 'p' && strings.Contains(")]}", t.text) && len(calls) > 0:
			calls = calls[:len(calls)-1]
		case t.kind == 'p' && t.text == "," && len(calls) > 0:
			calls[len(calls)-1].at++
		case (t.kind == '"' || t.kind == '`') && strings.ContainsFunc(t.text, unicode.IsLetter):
			in := call{}
			if len(calls) > 0 {
				in = calls[len(calls)-1]
			}
			field := "" // that is set to it
			if last.text == "=" && i > 2 && list[i-3].text == "." {
				field = list[i-2].text
			}
			shown := slices.Contains(showing, in.name) && in.at > 0 || slices.Contains(fields, field)
			if shown || field != "className" && phrase.MatchString(t.text) && !names.MatchString(t.text) && !slices.Contains(hidden, in.name) && last.text != "from" {
				out = append(out, fmt.Sprintf("line %d: %q", t.line, t.text))
			}
		}
	}
	return out, nil
}

func TestTextsOfScriptsAreFound(t *testing.T) {
	for source, want := range map[string]int{
		`say("where", "Here")`:                           1,
		"tell(\"where\", `${n} rows`)":                   1,
		`it.title = "here"`:                              1,
		`throw refuse("gone", words.gone)`:               0,
		`throw refuse("gone", "away")`:                   1,
		`throw new Error("the page has no such thing")`:  0,
		`const a = { why: "It is gone." };`:              1,
		`import { a } from "./two words.ts"`:             0,
		`make("p", make("strong", name))`:                0,
		`make("p", "gone")`:                              1,
		`new Option(n ? "one" : "two", value)`:           0, // a word by itself in the first place is not told from a name
		"const a = `${n} days of it`;":                   1,
		`h.set("Content-Type", "application/json")`:      0,
		`root.querySelector("form, .approve, [hidden]")`: 0,
	} {
		if got, err := spoken(source); err != nil || len(got) != want {
			t.Errorf("%s: %q, %v", source, got, err)
		}
	}
}

// TestScriptsSayNothingOfTheirOwn: what a script says is in words.ts, or in the
// page.
func TestScriptsSayNothingOfTheirOwn(t *testing.T) {
	for _, end := range []string{".ts", "templates/passkey.js"} {
		everyFile(t, end, func(path, source string) {
			if strings.HasSuffix(path, "/words.ts") || !strings.Contains(path, "/src/") && end == ".ts" {
				return
			}
			found, err := spoken(source)
			if err != nil {
				t.Errorf("%s: %v", path, err)
			}
			for _, text := range found {
				t.Errorf("%s: %s is a text; it belongs into words.ts or into the page", path, text)
			}
		})
	}
}
