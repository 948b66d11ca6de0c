package policies

import (
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// labelRule is the label under which a rule carries its name.
const labelRule = "rule"

// ruleName names a rule of law that says something, by its package and itself;
// "" for the helpers. What tells one rule of several from the others is part of
// the name: the code it gives, or the condition it is about.
//
//	base.permits                              base law permits
//	access.forbid.coop-requester-unvetted     the members voted so
//	consent.verdict.DUO:0000024               there is a verdict about a condition
//
// Names are read off the law itself, so that they last as long as it does.
func ruleName(module *ast.Module, rule *ast.Rule, defaults map[string]bool) string {
	path := strings.Split(module.Package.Path.String(), ".")
	name, plain := plainName(rule)
	if len(path) != 3 || path[1] != "coop" || !slices.Contains([]string{"base", "consent", "access"}, path[2]) || !plain || rule.Default {
		return ""
	}
	full := path[2] + "." + name
	law, says := lawOf(rule)
	switch {
	case says:
		return full + "." + law.code
	case defaults[name] && rule.Head.Key == nil && len(rule.Head.Args) == 0:
		return full
	case len(rule.Head.Args) > 0 && rule.Head.Value != nil:
		about, named := rule.Head.Args[0].Value.(ast.String)
		if _, answers := rule.Head.Value.Value.(ast.String); named && answers {
			return full + "." + string(about)
		}
	}
	return ""
}

// namable makes room for names: a rule can carry a label only where it carried
// annotations when it was compiled. It returns another module that shares what
// the compiler copies anyway, without what else is annotated, for readers.
func namable(module *ast.Module) *ast.Module {
	out := *module
	out.Annotations, out.Rules = nil, make([]*ast.Rule, 0, len(module.Rules))
	for _, rule := range module.Rules {
		own := *rule
		own.Annotations, own.Module = nil, &out
		out.Annotations = append(out.Annotations, (&ast.Annotations{Scope: "rule", Location: rule.Location}).Copy(&own))
		out.Rules = append(out.Rules, &own)
	}
	return &out
}

// nameRules puts the names on compiled rules. Put on earlier they would cost a
// fifth of every decision: OPA would look for labels on all rules that fire, not
// only on those that have one.
func nameRules(compiler *ast.Compiler) {
	set := compiler.GetAnnotationSet()
	for _, module := range compiler.Modules {
		defaults := map[string]bool{}
		for _, rule := range module.Rules {
			if name, _ := plainName(rule); rule.Default {
				defaults[name] = true
			}
		}
		for _, rule := range module.Rules {
			name, rooms := ruleName(module, rule, defaults), set.GetRuleScope(rule)
			if name != "" && len(rooms) > 0 {
				rooms[0].Labels = map[string]any{labelRule: name}
				rule.Annotations = rooms[:1]
			}
		}
	}
}

// fired lists what a tracker saw, in order.
func fired(t *topdown.EvaluatedRuleTracker) []string {
	out := make([]string, 0, len(t.Labels))
	for _, labels := range t.Labels {
		if name, ok := labels[labelRule].(string); ok {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
