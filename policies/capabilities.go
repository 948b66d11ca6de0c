package policies

import (
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// allowed are the built-ins law may use: comparing, counting, looking into
// lists and plain text. Left out is whatever reaches the world (http.send,
// net.*, opa.runtime), tells time or chance, decodes or parses, prints, or can
// make one small step expensive: multiplication and shifts grow numbers without
// bound, ranges and graph walks grow lists, and a deadline does not stop them.
var allowed = []string{
	"abs", "and", "array.concat", "assign", "contains", "count", "endswith",
	"eq", "equal", "gt", "gte", "internal.member_2", "internal.member_3",
	"is_array", "is_boolean", "is_number", "is_object", "is_set", "is_string",
	"lower", "lt", "lte", "max", "min", "minus", "neq", "object.get",
	"object.keys", "object.union", "or", "plus", "startswith", "upper",
}

// capabilities is what the compiler of law in force knows: the allow-list, no
// network, no language features but those of Rego v1.
func capabilities() *ast.Capabilities {
	all := ast.CapabilitiesForThisVersion()
	return &ast.Capabilities{
		Builtins: slices.DeleteFunc(all.Builtins, func(b *ast.Builtin) bool {
			return !slices.Contains(allowed, b.Name)
		}),
		FutureKeywords: []string{},
		Features:       []string{ast.FeatureRegoV1},
		AllowNet:       []string{},
	}
}
