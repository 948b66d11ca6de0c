package policies

import (
	"fmt"
	"slices"
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"
)

// lawText is what one rule of law says in its head.
type lawText struct{ code, sentence string }

// lawOf reads {"code": "…", "sentence": "…"} from the head of a rule.
func lawOf(rule *ast.Rule) (lawText, bool) {
	if rule.Head.Key == nil {
		return lawText{}, false
	}
	return lawIn(rule.Head.Key)
}

func lawIn(term *ast.Term) (lawText, bool) {
	object, ok := term.Value.(ast.Object)
	if !ok || object.Len() != 2 {
		return lawText{}, false
	}
	code, okCode := constant(object, "code")
	sentence, okSentence := constant(object, "sentence")
	return lawText{code, sentence}, okCode && okSentence
}

func constant(object ast.Object, key string) (string, bool) {
	term := object.Get(ast.StringTerm(key))
	if term == nil {
		return "", false
	}
	s, ok := term.Value.(ast.String)
	return string(s), ok
}

// reserved lists the codes of the kernel and the engine.
var reserved = sync.OnceValue(func() []string {
	out := []string{CodeUnavailable, CodeMalformed, CodeUnexplained}
	for _, text := range regoIn("kernel", false) {
		for _, law := range lawsIn(text) {
			out = append(out, law.code)
		}
	}
	return out
})

// lawsIn lists every code and sentence of a kernel file, in heads and in tables.
func lawsIn(text []byte) (out []lawText) {
	ast.WalkTerms(ast.MustParseModuleWithOpts(string(text), ast.ParserOptions{}), func(t *ast.Term) bool {
		law, ok := lawIn(t)
		if ok {
			out = append(out, law)
		}
		return ok
	})
	return out
}

// openings begin the sentence that Sentences makes of a rule.
var openings = map[string]string{
	ruleForbid:     "A request is refused",
	ruleReview:     "People look at a request first",
	ruleObligation: "Whoever receives data takes on a duty",
}

// sentences says what the rules of an access policy state, in file order.
func sentences(module *ast.Module) []string {
	set, _ := ast.BuildAnnotationSet([]*ast.Module{module})
	var out []string
	for _, rule := range module.Rules {
		name, _ := plainName(rule)
		law, ok := lawOf(rule)
		if !ok || openings[name] == "" {
			continue
		}
		sentence := fmt.Sprintf("%s: “%s”", openings[name], law.sentence)
		if title := titleOf(set, rule); title != "" {
			sentence = title + ". " + sentence
		}
		if !slices.Contains(out, sentence) {
			out = append(out, sentence)
		}
	}
	return out
}

func titleOf(set *ast.AnnotationSet, rule *ast.Rule) string {
	if set == nil {
		return ""
	}
	for _, a := range set.GetRuleScope(rule) {
		if a.Title != "" {
			return a.Title
		}
	}
	return ""
}
