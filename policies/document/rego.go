package document

import (
	"bytes"
	_ "embed" // the law a new co-op starts with
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// header begins every access policy that a document renders to.
const header = "# METADATA\n" +
	"# title: Access policy\n" +
	"# description: |\n" +
	"#   The members' own law. Everything in it narrows: `forbid` refuses, `review`\n" +
	"#   asks people first, `obligation` adds a duty. Members change it by vote.\n" +
	"# scope: package\n" +
	"package coop.access\n"

// heads are the rules of an access policy by the effect they have.
var heads = map[string]string{Forbid: "forbid", Review: "review", Oblige: "obligation"}

// Lines of a rule around what it says.
const (
	linesOpen   = " contains {\n"
	linesClose  = "}\n"
	linesIf     = "} if {\n"
	metaBegin   = "# METADATA\n"
	metaTitle   = "# title: "
	metaReason  = "# description: "
	fieldCode   = "\t\"code\": "
	fieldSaying = "\t\"sentence\": "
)

// Rego renders the document as package coop.access, in the layout the gate asks
// for.
func (d Document) Rego() []byte {
	var out strings.Builder
	out.WriteString(header)
	for _, r := range d.Rules {
		out.WriteString("\n" + metaBegin + metaTitle + yaml(r.Title) + "\n")
		if r.Description != "" {
			out.WriteString(metaReason + yaml(r.Description) + "\n")
		}
		out.WriteString(heads[r.Effect] + linesOpen + fieldCode + quoted(r.Code) + ",\n" + fieldSaying + quoted(d.told(r)) + ",\n")
		if len(r.When) == 0 {
			out.WriteString(linesClose)
			continue
		}
		out.WriteString(linesIf)
		for _, c := range r.When {
			out.WriteString("\t" + regoOf(c) + "\n")
		}
		out.WriteString(linesClose)
	}
	return []byte(out.String())
}

// regoOf is a condition as one line of Rego. Every form is true or false for
// every request: what is known of nothing is within nothing.
func regoOf(c Condition) string {
	switch c.About {
	case aboutVetted:
		return "input.request.requester.vetted == " + choose(c.Is == isYes, "true", "false")
	case aboutCommercial:
		return "input.request.commercial == " + choose(c.Is == isYes, "true", "false")
	case aboutKind:
		return listed("input.request.requester.kind", c.Is == isOneOf, c.Values)
	case aboutPool:
		return listed("input.request.pool", c.Is == isOneOf, c.Values)
	case aboutMembers:
		return listed("input.dataset.region", c.Is == isWithin, spread(c.Values))
	case aboutCountry:
		return inTree("covering.region[input.request.requester.region]", c)
	case aboutPurpose:
		return inTree(closureOf(c)+".duo[input.request.duo]", c)
	case aboutUse:
		return inTree(closureOf(c)+".dpv[input.request.dpv]", c)
	case aboutData:
		return ofData(c)
	case aboutPrice:
		return "input.request.price_minor " + choose(c.Is == isBelow, "< ", ">= ") + strconv.FormatInt(c.Number, 10)
	}
	return "input.request.retention_days " + choose(c.Is == isAbove, "> ", "<= ") + strconv.FormatInt(c.Number, 10)
}

func listed(what string, yes bool, values []string) string {
	if len(values) == 1 {
		return what + choose(yes, " == ", " != ") + quoted(values[0])
	}
	return choose(yes, "", "not ") + what + " in " + list(values)
}

// inTree counts the terms of a closure that are among the values.
func inTree(closure string, c Condition) string {
	return "count([term | some term in data.terms." + closure + "; " + listed("term", true, c.Values) + "]) " + counted(c)
}

// ofData looks at each kind of personal data in the dataset. Law has no touching
// closure of those, so what lies above is looked up from the value's side.
func ofData(c Condition) string {
	out := "count([term | some held in input.dataset.categories; some term in data.terms.covering.category[held]; " + listed("term", true, c.Values) + "])"
	if c.Is == isTouching || c.Is == isClearOf {
		above := "some term in " + list(c.Values) + "; held in data.terms.covering.category[term]"
		if len(c.Values) == 1 {
			above = "held in data.terms.covering.category." + c.Values[0]
		}
		out += " + count([held | some held in input.dataset.categories; " + above + "])"
	}
	return out + " " + counted(c)
}

func closureOf(c Condition) string {
	return choose(c.Is == isTouching || c.Is == isClearOf, "touching", "covering")
}

func counted(c Condition) string {
	return choose(c.Is == isWithin || c.Is == isTouching, "> 0", "== 0")
}

func list(values []string) string {
	all := make([]string, 0, len(values))
	for _, v := range values {
		all = append(all, quoted(v))
	}
	return "[" + strings.Join(all, ", ") + "]"
}

// quoted is a text as JSON and Rego both write it.
func quoted(s string) string {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		panic("document: " + err.Error()) // a text
	}
	return strings.TrimSuffix(out.String(), "\n")
}

// plainYAML matches what YAML reads as the same text without quotation marks:
// two words or more of plain letters.
var plainYAML = regexp.MustCompile(`^[A-Za-z]+ [A-Za-z0-9 ,.()'/-]*[A-Za-z0-9.)]$`)

func yaml(s string) string {
	if plainYAML.MatchString(s) {
		return s
	}
	return quoted(s)
}

//go:embed default.json
var defaultDocument []byte

// Default is the document of the law a new co-op starts with: policies.Default
// is its Rego.
func Default() []byte { return bytes.Clone(defaultDocument) }

func unquoted(s string) (string, error) {
	var out string
	if err := json.Unmarshal([]byte(s), &out); err != nil {
		return "", fmt.Errorf("document: %w", err)
	}
	return out, nil
}
