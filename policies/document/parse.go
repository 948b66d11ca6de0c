package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"unicode/utf8"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/policies"
)

// Parse reads a document that says its prices in a currency. The error of a text
// that breaks a rule is a Refused with every finding.
func Parse(text []byte, c coop.Currency) (Document, error) {
	switch {
	case !c.Valid():
		return Document{}, &Refused{[]string{"The currency is not one the co-op can have."}}
	case len(text) > MaxDocument:
		return Document{}, &Refused{[]string{fmt.Sprintf("The document is larger than %d KiB.", MaxDocument>>10)}}
	case !utf8.Valid(text):
		return Document{}, &Refused{[]string{"The document is not plain UTF-8 text."}}
	}
	if why := oddJSON(text); why != "" {
		return Document{}, &Refused{[]string{why}}
	}
	d := Document{currency: c}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&d); err != nil {
		return Document{}, &Refused{[]string{unreadable(err)}}
	}
	d.order()
	if findings := d.check(); len(findings) > 0 {
		return Document{}, &Refused{findings}
	}
	for i, r := range d.Rules { // one way to say what a rule tells
		d.heard(&d.Rules[i], d.told(r))
	}
	if findings := d.checkTogether(); len(findings) > 0 {
		return Document{}, &Refused{findings}
	}
	return d, nil
}

// maxDepth is how deep lists and objects of a document stand in one another:
// document, rules, rule, conditions, condition, values.
const maxDepth = 8

// oddJSON says in a sentence what encoding/json would let pass: a name that
// stands twice, or in other letters, depth, text after the end; "" for nothing.
func oddJSON(text []byte) string {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if why := walk(dec, 0); why != "" {
		return why
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return "There is text after the end of the document."
	}
	return ""
}

func walk(dec *json.Decoder, depth int) string {
	token, err := dec.Token()
	if err != nil {
		return "The document is not JSON."
	}
	opened, nested := token.(json.Delim)
	if !nested {
		return ""
	}
	if depth > maxDepth {
		return "The document is nested too deep."
	}
	seen := map[string]bool{}
	for dec.More() {
		if opened == '{' {
			key, err := dec.Token()
			name, _ := key.(string)
			if err != nil {
				return "The document is not JSON."
			}
			if seen[name] {
				return "A field stands twice in one object."
			}
			if seen[name] = true; !fieldPattern.MatchString(name) {
				return "There is a field that a document does not know; fields have small letters."
			}
		}
		if why := walk(dec, depth+1); why != "" {
			return why
		}
	}
	if _, err := dec.Token(); err != nil {
		return "The document is not JSON."
	}
	return ""
}

var fieldPattern = regexp.MustCompile(`^[a-z]+$`)

// unreadable puts what the decoder found into a sentence without the value.
func unreadable(err error) string {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) && wrong.Field == "" {
		return "A document is an object with rules."
	}
	if wrong != nil {
		return fmt.Sprintf("The field %s is of another kind than it must be.", wrong.Field)
	}
	return "There is a field that a document does not know, or the text is not JSON."
}

// order brings conditions and values into their one order.
func (d *Document) order() {
	for i := range d.Rules {
		r := &d.Rules[i]
		r.When = slices.Clone(r.When)
		for j := range r.When {
			c := &r.When[j]
			c.Values = slices.Clone(c.Values)
			slices.Sort(c.Values)
			c.Values = slices.Compact(c.Values)
			if c.About == aboutMembers && known(*c) {
				c.Values = gather(spread(c.Values))
			}
			if len(c.Values) == 0 {
				c.Values = nil
			}
		}
		slices.SortStableFunc(r.When, func(a, b Condition) int { return a.place() - b.place() })
		if len(r.When) == 0 {
			r.When = nil
		}
	}
}

func known(c Condition) bool {
	s, ok := subjectOf(c.About)
	return ok && !slices.ContainsFunc(c.Values, func(v string) bool { return !slices.Contains(s.Values, v) })
}

var (
	codePattern     = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	sentencePattern = regexp.MustCompile(`^\p{Lu}.{8,}\.$`)
)

func (d Document) check() (findings []string) {
	if len(d.Rules) == 0 || len(d.Rules) > maxRules {
		return []string{fmt.Sprintf("A document has 1 to %d rules.", maxRules)}
	}
	for i, r := range d.Rules {
		findings = append(findings, d.checkRule(i, r)...)
	}
	if !slices.ContainsFunc(d.Rules, func(r Rule) bool { return r.Effect == Forbid }) {
		findings = append(findings, "At least one rule must forbid something: without one, nothing would ever be released.")
	}
	return findings
}

func (d Document) checkRule(i int, r Rule) (findings []string) {
	say := func(format string, args ...any) { findings = append(findings, findingf(i, format, args...)) }
	if !codePattern.MatchString(r.Code) || len(r.Code) > 64 {
		say("The code must be lower-case words with hyphens between them, 64 characters at most.")
	}
	if !coop.Line(r.Title, 3, maxTitle) {
		say("The title must be one line of 3 to %d characters.", maxTitle)
	}
	if r.Description != "" && !coop.Line(r.Description, 3, maxText) {
		say("The description must be one line of 3 to %d characters.", maxText)
	}
	if r.Sentence != "" && (!coop.Line(r.Sentence, 10, maxText) || !sentencePattern.MatchString(r.Sentence)) {
		say("The sentence must be one line that begins with a capital letter, ends with a full stop and has 10 to %d characters.", maxText)
	}
	findings = append(findings, checkEffect(i, r)...)
	for j, c := range r.When {
		if why := c.why(); why != "" {
			say("%s", why)
		}
		if j > 0 && (r.When[j-1].About == c.About && (r.When[j-1].Is == c.Is || c.Is == isYes || c.Is == isNo)) {
			say("Two conditions say of %s that it is %s; say it in one.", shown(c.About), shown(c.Is))
		}
	}
	return findings
}

func checkEffect(i int, r Rule) (findings []string) {
	say := func(format string, args ...any) { findings = append(findings, findingf(i, format, args...)) }
	_, known := dutyOf(r.Duty)
	switch {
	case r.Effect != Forbid && r.Effect != Review && r.Effect != Oblige:
		say("The effect must be forbid, review or oblige.")
	case r.Effect != Oblige && (r.Duty != "" || r.Days != 0):
		say("Only a rule that obliges has a duty and days to do it in.")
	case r.Effect == Oblige && (r.Duty == "") == (r.Sentence == ""):
		say("A rule that obliges names one of the duties, or says another in a sentence, and not both.")
	case r.Duty != "" && !known:
		say("There is no duty of that name.")
	}
	if r.Days < 0 || r.Days > policies.MaxRetentionDays() {
		say("Days are a number from 1 to %d.", policies.MaxRetentionDays())
	}
	return findings
}

// why says in a sentence what is wrong with a condition, or nothing.
func (c Condition) why() string {
	s, ok := subjectOf(c.About)
	switch {
	case !ok:
		return "A condition is about something that documents cannot speak of; documents speak of kinds of requests, never of persons or dates."
	case !slices.Contains(s.Is, c.Is):
		return fmt.Sprintf("Of %s a condition can say: %s.", s.Name, join(s.Is, "or"))
	}
	switch c.Is {
	case isYes, isNo:
		if c.Values != nil || c.Number != 0 {
			return fmt.Sprintf("Of %s a condition says yes or no and nothing else.", s.Name)
		}
		return ""
	case isBelow, isAtLeast, isAbove, isAtMost:
		return c.whyNumber()
	}
	switch {
	case c.Number != 0:
		return fmt.Sprintf("%s has values and no number.", s.Name)
	case len(c.Values) == 0 || len(c.Values) > maxValues:
		return fmt.Sprintf("%s needs 1 to %d values.", s.Name, maxValues)
	case c.About == aboutPool && slices.ContainsFunc(c.Values, func(v string) bool { return !coop.ValidSlug(v) }):
		return "A pool is a letter and then at most 31 letters, digits or hyphens."
	case c.About != aboutPool && !known(c):
		return fmt.Sprintf("One of the values of %s is not a term that law knows.", s.Name)
	}
	return ""
}

func (c Condition) whyNumber() string {
	most := int64(maxPriceMinor)
	if c.About == aboutRetention {
		most = policies.MaxRetentionDays()
	}
	if c.Values != nil || c.Number < 1 || c.Number > most {
		return fmt.Sprintf("%s needs a number from 1 to %d and no values.", c.About, most)
	}
	return ""
}

// shown is a word of a document as it may stand in a finding: one that is known,
// or none.
func shown(word string) string {
	if codePattern.MatchString(word) && len(word) <= 32 {
		return word
	}
	return "something"
}

// maxSentence and maxLine are the bounds of the gate.
const (
	maxSentence = 300
	maxLine     = 600
)

// checkTogether looks at rules beside one another, once each is right by itself.
func (d Document) checkTogether() (findings []string) {
	codes, says, tells := map[string]int{}, map[string]int{}, map[string]int{}
	for i, r := range d.Rules {
		if j, ok := codes[r.Code]; ok {
			findings = append(findings, findingf(i, "It has the code of rule %d.", j+1))
		}
		sentence := d.sentence(r)
		if j, ok := says[sentence]; ok {
			findings = append(findings, findingf(i, "It says the same as rule %d.", j+1))
		}
		told := r.Effect + r.Title + "\n" + d.told(r)
		if j, ok := tells[told]; ok {
			findings = append(findings, findingf(i, "It has the title and the sentence of rule %d.", j+1))
		}
		codes[r.Code], says[sentence], tells[told] = i, i, i
		if utf8.RuneCountInString(d.told(r)) > maxSentence {
			findings = append(findings, findingf(i, "It says more than fits in one sentence; give it a sentence of its own."))
		}
		if slices.ContainsFunc(r.When, func(c Condition) bool { return len(regoOf(c)) > maxLine }) {
			findings = append(findings, findingf(i, "One condition has more values than fit on a line; make it two rules."))
		}
	}
	return findings
}
