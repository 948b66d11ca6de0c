package document

import (
	"bytes"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"distributed.ai/datacoop/internal/coop"
)

// Read finds the document that a text of Rego was rendered from. It reports
// false for law outside of the fragment: for every text that no document renders
// to, byte for byte.
func Read(rego []byte, c coop.Currency) (Document, bool) {
	body, ok := strings.CutPrefix(string(rego), header)
	if !ok {
		return Document{}, false
	}
	d := Document{currency: c}
	for _, block := range strings.Split(body, "\n"+metaBegin)[1:] {
		r, ok := d.readRule(block)
		if !ok {
			return Document{}, false
		}
		d.Rules = append(d.Rules, r)
	}
	d, err := Parse(d.Canonical(), c)
	if err != nil || !bytes.Equal(d.Rego(), rego) {
		return Document{}, false
	}
	return d, true
}

// readRule reads what stands below a line of metaBegin.
func (d Document) readRule(block string) (r Rule, ok bool) {
	lines := strings.SplitAfter(block, "\n")
	next := func(prefix string) (string, bool) {
		if len(lines) == 0 || !strings.HasPrefix(lines[0], prefix) {
			return "", false
		}
		line := strings.TrimSuffix(strings.TrimPrefix(lines[0], prefix), "\n")
		lines = lines[1:]
		return line, true
	}
	title, ok := next(metaTitle)
	if !ok {
		return Rule{}, false
	}
	r.Title = plain(title)
	if description, said := next(metaReason); said {
		r.Description = plain(description)
	}
	head, _ := next("")
	for effect, name := range heads {
		if head+"\n" == name+linesOpen {
			r.Effect = effect
		}
	}
	code, okCode := next(fieldCode)
	saying, okSaying := next(fieldSaying)
	if r.Effect == "" || !okCode || !okSaying {
		return Rule{}, false
	}
	r.Code = plain(strings.TrimSuffix(code, ","))
	for _, line := range lines {
		line, inside := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "\t")
		if !inside {
			continue // brackets, which comparing the whole text checks
		}
		c, ok := readCondition(line)
		if !ok {
			return Rule{}, false
		}
		r.When = append(r.When, c)
	}
	d.heard(&r, plain(strings.TrimSuffix(saying, ",")))
	return r, true
}

// plain reads a text with or without quotation marks.
func plain(s string) string {
	if text, err := unquoted(s); err == nil {
		return text
	}
	return s
}

var daysPattern = regexp.MustCompile(`^(.*) You have ([1-9][0-9]{0,4}) days from when you receive the data\.$`)

// heard takes apart what told puts together: the sentence of a rule by itself,
// one of the duties or the words of an author, and days.
func (d Document) heard(r *Rule, said string) {
	r.Duty, r.Sentence, r.Days = "", "", 0
	if r.Effect != Oblige {
		if said != d.sentence(*r) {
			r.Sentence = said
		}
		return
	}
	if m := daysPattern.FindStringSubmatch(said); m != nil {
		n, _ := strconv.ParseInt(m[2], 10, 64)
		said, r.Days = m[1], n
	}
	if i := slices.IndexFunc(duties, func(d Duty) bool { return d.Sentence == said }); i >= 0 {
		r.Duty = duties[i].Name
		return
	}
	r.Sentence = said
}

// form is how a kind of condition is written around its values or number.
type form struct {
	condition     Condition
	many          bool // the values stand in a list
	before, after string
}

// Words and a number that no condition has, to find where they are written.
const (
	placeholder       = "Placeholder"
	placeholderNumber = 987_654_321_987
)

// forms lists every kind of condition, made from the very functions that write
// them.
var forms = sync.OnceValue(func() (out []form) {
	for _, s := range subjects() {
		for _, is := range s.Is {
			c := Condition{About: s.Name, Is: is}
			switch is {
			case isYes, isNo:
				out = append(out, form{condition: c, before: regoOf(c)})
			case isBelow, isAtLeast, isAbove, isAtMost:
				c.Number = placeholderNumber
				out = append(out, c.form(false, strconv.Itoa(placeholderNumber)))
			default:
				c.Values = []string{placeholder}
				one := c.form(false, placeholder)
				c.Values = []string{placeholder, placeholder}
				out = append(out, one, c.form(true, list(c.Values)))
			}
		}
	}
	return out
})

func (c Condition) form(many bool, mark string) form {
	text := regoOf(c)
	if c.About == aboutMembers { // its values are spread, so that no word of ours would be left
		text = listed("input.dataset.region", c.Is == isWithin, c.Values)
	}
	before, after, _ := strings.Cut(text, mark)
	return form{Condition{About: c.About, Is: c.Is}, many, before, after}
}

var (
	wordPattern = regexp.MustCompile(`^[A-Za-z0-9:-]+`)
	listPattern = regexp.MustCompile(`^\["[A-Za-z0-9:-]+"(, "[A-Za-z0-9:-]+")+\]`)
	eachPattern = regexp.MustCompile(`[A-Za-z0-9:-]+`)
)

func readCondition(line string) (Condition, bool) {
	for _, f := range forms() {
		if c, ok := f.read(line); ok {
			return c, true
		}
	}
	return Condition{}, false
}

// read reads a line of this form.
func (f form) read(line string) (Condition, bool) {
	c := f.condition
	rest, ok := strings.CutPrefix(line, f.before)
	if !ok {
		return c, false
	}
	switch c.Is {
	case isYes, isNo:
		return c, rest == ""
	case isBelow, isAtLeast, isAbove, isAtMost:
		n, err := strconv.ParseInt(rest, 10, 64)
		c.Number = n
		return c, err == nil
	}
	said, mark := wordPattern.FindString(rest), placeholder
	if f.many {
		said, mark = listPattern.FindString(rest), list([]string{placeholder, placeholder})
	}
	c.Values = eachPattern.FindAllString(said, -1)
	return c, said != "" && rest[len(said):] == strings.ReplaceAll(f.after, mark, said) // which may name them again
}
