package policies

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/format"
)

// MaxAccess is the most bytes an access policy may have.
const MaxAccess = 64 << 10

// The parser's work doubles with every comprehension within another and squares
// with the length of a chain, and no deadline stops it. These bounds keep the
// worst file of MaxAccess under a second.
const (
	maxNesting = 10  // brackets within brackets
	maxLine    = 600 // bytes
)

// Names of the rules that carry the law of an access policy.
const (
	ruleForbid     = "forbid"
	ruleReview     = "review"
	ruleObligation = "obligation"
)

var lawRules = []string{ruleForbid, ruleReview, ruleObligation}

// Format returns the canonical layout of an access policy, the only one the
// gate accepts, so that one text has one hash.
func Format(access []byte) ([]byte, error) {
	if finding := tooBig(access); finding != "" {
		return nil, &Broken{[]string{finding}}
	}
	parser := parserOptions()
	out, err := format.SourceWithOpts(accessPath, access, format.Opts{RegoVersion: ast.RegoV1, ParserOptions: &parser})
	if err != nil {
		return nil, &Broken{complaints(err)}
	}
	return out, nil
}

// shape says in sentences what keeps a text from being an access policy. With
// no finding the module is what the text says.
func shape(access []byte) (*ast.Module, []string) {
	if finding := tooBig(access); finding != "" {
		return nil, []string{finding}
	}
	module, err := ast.ParseModuleWithOpts(accessPath, string(access), parserOptions())
	if err != nil {
		return nil, complaints(err)
	}
	s := &shaper{module: module}
	s.packageAndImports()
	s.layout(access)
	s.rules()
	s.reads()
	return module, s.findings
}

func tooBig(access []byte) string {
	switch {
	case len(access) > MaxAccess:
		return fmt.Sprintf("The file is larger than %d KiB.", MaxAccess>>10)
	case !utf8.Valid(access) || bytes.ContainsRune(access, 0):
		return "The file is not plain UTF-8 text."
	case bytes.Contains(access, []byte(`$"`)) || bytes.Contains(access, []byte("$`")):
		return "A dollar sign must not stand before a quotation mark: there are no text templates."
	case nesting(access) > maxNesting:
		return fmt.Sprintf("Brackets are nested more than %d deep.", maxNesting)
	case slices.ContainsFunc(bytes.Split(access, []byte("\n")), func(line []byte) bool { return len(line) > maxLine }):
		return fmt.Sprintf("A line is longer than %d characters.", maxLine)
	case len(bytes.TrimSpace(access)) == 0:
		return "The file is empty."
	}
	return ""
}

// nesting is how deep brackets stand within brackets. Those in texts count, but
// none of them closes one outside: a text cannot hide depth.
func nesting(text []byte) (deepest int) {
	depth, floor := 0, 0
	var quote byte // of the text or comment the walk is in; 0 outside
	for i := 0; i < len(text); i++ {
		switch b := text[i]; {
		case quote == '"' && b == '\\':
			i++
		case quote != 0 && b == quote, quote == '"' && b == '\n':
			quote, depth, floor = 0, floor, 0
		case quote == 0 && (b == '"' || b == '`' || b == '#'):
			quote, floor = b, depth
			if b == '#' {
				quote = '\n'
			}
		case b == '(' || b == '[' || b == '{':
			depth++
			deepest = max(deepest, depth)
		case b == ')' || b == ']' || b == '}':
			depth = max(floor, depth-1)
		}
	}
	return deepest
}

// complaints turns what the parser or compiler says into sentences.
func complaints(err error) []string {
	errs, ok := err.(ast.Errors)
	if !ok {
		return []string{"The file cannot be read: " + err.Error() + "."}
	}
	var out []string
	for _, e := range errs {
		line := 0
		if e.Location != nil {
			line = e.Location.Row
		}
		said := fmt.Sprintf("%s (%s)", e.Message, e.Code)
		if sentence := typeSentence(e); sentence != "" {
			said = sentence
		}
		out = append(out, fmt.Sprintf("Line %d: %s.", line, said))
	}
	return out
}

type shaper struct {
	module   *ast.Module
	findings []string
}

func (s *shaper) say(loc *ast.Location, sentence string, args ...any) {
	line := 0
	if loc != nil {
		line = loc.Row
	}
	finding := fmt.Sprintf("Line %d: ", line) + fmt.Sprintf(sentence, args...)
	if !slices.Contains(s.findings, finding) {
		s.findings = append(s.findings, finding)
	}
}

func (s *shaper) packageAndImports() {
	if s.module.Package.Path.String() != "data.coop.access" {
		s.say(s.module.Package.Loc(), "The package must be exactly coop.access.")
	}
	for _, i := range s.module.Imports {
		s.say(i.Loc(), "Leave imports out; everything a policy may read has its full name.")
	}
}

// canonicalLayout stands in every finding about layout.
const canonicalLayout = "the canonical layout"

func (s *shaper) layout(access []byte) {
	want, err := Format(access)
	if err != nil {
		s.findings = append(s.findings, "The file cannot be brought into "+canonicalLayout+".")
		return
	}
	if bytes.Equal(want, access) {
		return
	}
	have, lines := bytes.Split(access, []byte("\n")), bytes.Split(want, []byte("\n"))
	row := 0
	for row < len(have) && row < len(lines) && bytes.Equal(have[row], lines[row]) {
		row++
	}
	s.findings = append(s.findings, fmt.Sprintf("Line %d: The file is not in %s; `opa fmt` produces it.", row+1, canonicalLayout))
}

// rules checks what the file defines: at least forbid, the three law rules in
// their fixed form, and helpers that something uses.
func (s *shaper) rules() {
	codes := map[string]string{}
	forbids := false
	for _, rule := range s.module.Rules {
		name, ok := plainName(rule)
		switch {
		case !ok:
			s.say(rule.Loc(), "Name a rule by one word, without dots or brackets.")
		case slices.Contains(lawRules, name):
			forbids = forbids || name == ruleForbid
			s.lawRule(rule, name, codes)
		case strings.HasPrefix(name, "test_") || strings.HasPrefix(name, "todo_test_"):
			s.say(rule.Loc(), "Tests do not belong in an access policy.")
		case !s.used(name):
			s.say(rule.Loc(), "Nothing uses the rule %s; rules that refuse are called forbid.", name)
		}
	}
	if !forbids {
		s.findings = append(s.findings, "The file must define forbid: without it nothing would ever be released.")
	}
}

func plainName(rule *ast.Rule) (string, bool) {
	ref := rule.Head.Ref()
	if len(ref) != 1 {
		return "", false
	}
	name, ok := ref[0].Value.(ast.Var)
	return string(name), ok
}

func (s *shaper) lawRule(rule *ast.Rule, name string, codes map[string]string) {
	if rule.Head.RuleKind() != ast.MultiValue || rule.Else != nil || rule.Default || len(rule.Head.Args) > 0 {
		s.say(rule.Loc(), "Write it as: %s contains {\"code\": \"…\", \"sentence\": \"…\"} if { … }.", name)
		return
	}
	law, ok := lawOf(rule)
	if !ok {
		s.say(rule.Loc(), "Code and sentence of %s must be fixed texts, and the only two things in it.", name)
		return
	}
	if !codePattern.MatchString(law.code) || len(law.code) > 64 {
		s.say(rule.Loc(), "The code must be lower-case words with hyphens between them, 64 characters at most.")
	}
	if slices.Contains(reserved(), law.code) {
		s.say(rule.Loc(), "The code %s belongs to base law; choose another.", law.code)
	}
	if !sentencePattern.MatchString(law.sentence) || strings.ContainsFunc(law.sentence, unicode.IsControl) {
		s.say(rule.Loc(), "The sentence must begin with a capital letter, end with a full stop and have 10 to 300 characters.")
	}
	if other, ok := codes[law.code]; ok && other != name+law.sentence {
		s.say(rule.Loc(), "The code %s is used twice with different sentences.", law.code)
	}
	codes[law.code] = name + law.sentence
}

var (
	codePattern     = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	sentencePattern = regexp.MustCompile(`^\p{Lu}.{8,298}\.$`)
)

// used reports whether a helper's name stands anywhere but in the heads that
// define it.
func (s *shaper) used(name string) bool {
	found := false
	look := func(v ast.Var) bool {
		found = found || string(v) == name
		return found
	}
	for _, rule := range s.module.Rules {
		for r := rule; r != nil; r = r.Else {
			ast.WalkVars(r.Body, look)
			ast.WalkVars(r.Head.Args, look)
			for _, t := range []*ast.Term{r.Head.Key, r.Head.Value} {
				if t != nil {
					ast.WalkVars(t, look)
				}
			}
		}
	}
	return found
}
