package policies

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/util"
)

// illTyped compiles an access policy by itself against the types of what it may
// read, and says in sentences where it takes a value for what it is not: such a
// rule would never apply, and nobody would notice. Only proposals are read this
// way: law that was enacted before stays law.
func illTyped(access []byte) []string {
	module, err := ast.ParseModuleWithOpts(accessPath, string(access), parserOptions())
	if err != nil {
		return complaints(err)
	}
	compiler := ast.NewCompiler().WithStrict(true).WithCapabilities(capabilities()).
		WithSchemas(schemas()).WithUseTypeCheckAnnotations(true)
	compiler.Compile(map[string]*ast.Module{accessPath: module})
	if compiler.Failed() {
		return complaints(compiler.Errors)
	}
	return misnamed(module)
}

// schemas is the vocabulary as a JSON Schema of the input.
var schemas = sync.OnceValue(func() *ast.SchemaSet {
	root := schemaObject()
	for _, leaf := range vocabulary {
		at, names := root, strings.Split(leaf.Path, ".")[1:]
		for _, name := range names[:len(names)-1] {
			properties, _ := at["properties"].(map[string]any)
			if properties[name] == nil {
				properties[name] = schemaObject()
			}
			at, _ = properties[name].(map[string]any)
		}
		properties, _ := at["properties"].(map[string]any)
		properties[names[len(names)-1]] = schemaTypes[leaf.Type]
	}
	var document any = root
	if err := util.RoundTrip(&document); err != nil {
		panic("policies: schema of the input: " + err.Error())
	}
	set := ast.NewSchemaSet()
	set.Put(ast.SchemaRootRef, document)
	return set
})

func schemaObject() map[string]any {
	return map[string]any{"type": "object", "properties": map[string]any{}, "additionalProperties": false}
}

var schemaTypes = map[string]any{
	typeText:   map[string]any{"type": "string"},
	typeTexts:  map[string]any{"type": "array", "items": map[string]any{"type": "string"}},
	typeNumber: map[string]any{"type": "number"},
	typeTruth:  map[string]any{"type": "boolean"},
}

// typeSentence says what the type checker found, or "" if it is another fault.
func typeSentence(e *ast.Error) string {
	if e.Code != ast.TypeErr {
		return ""
	}
	name, _, _ := strings.Cut(e.Message, ":")
	switch {
	case e.Message == "match error":
		return "The two sides are of different kinds and can never be equal"
	case strings.HasSuffix(e.Message, "invalid argument(s)"):
		return fmt.Sprintf("What is given to %s is of a kind that it cannot be used on", name)
	case strings.HasPrefix(e.Message, "undefined ref"):
		return "There is nothing of that name to read"
	}
	return ""
}

// misnamed finds references to terms that are not there.
func misnamed(module *ast.Module) (findings []string) {
	document, err := termsData(mustRead(termsPath))
	if err != nil {
		return []string{err.Error()}
	}
	for _, rule := range module.Rules {
		ast.WalkRefs(rule, func(ref ast.Ref) bool {
			if ref[0].Equal(ast.DefaultRootDocument) && !leads(document, ref[1:]) {
				finding := fmt.Sprintf("Line %d: There is nothing at %s.", rule.Loc().Row, ref)
				if !slices.Contains(findings, finding) {
					findings = append(findings, finding)
				}
			}
			return false
		})
	}
	return findings
}

// leads reports whether there is something where a path leads, as far as it can
// be known: up to a computed part, or into a list.
func leads(at any, path ast.Ref) bool {
	for _, part := range path {
		name, fixed := part.Value.(ast.String)
		object, more := at.(map[string]any)
		if !fixed || !more {
			return true
		}
		if at, fixed = object[string(name)]; !fixed {
			return false
		}
	}
	return true
}
