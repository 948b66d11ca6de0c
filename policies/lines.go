package policies

import (
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Law is what an access policy can say, and where it says it.
type Law struct {
	Name     string `json:"name"` // as in Outcome.Rules
	Sentence string `json:"sentence"`
	Lines    []int  `json:"lines"` // where rules begin that say it
}

// Laws lists what the rules of the revision's access policy can say, in the
// order of the file.
func (r *Revision) Laws() []Law {
	module := ast.MustParseModuleWithOpts(string(r.sources[accessPath]), ast.ParserOptions{RegoVersion: ast.RegoV1})
	var out []Law
	for _, rule := range module.Rules {
		name := ruleName(module, rule, nil)
		said, ok := lawOf(rule)
		if name == "" || !ok {
			continue
		}
		i := slices.IndexFunc(out, func(l Law) bool { return l.Name == name })
		if i < 0 {
			i, out = len(out), append(out, Law{Name: name, Sentence: said.sentence})
		}
		out[i].Lines = append(out[i].Lines, rule.Location.Row)
	}
	return out
}
