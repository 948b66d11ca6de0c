package policies

import (
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Named is what the text of an access policy names.
type Named struct {
	Texts   []string // in the bodies of rules, in order, each once
	Numbers []int64  // likewise
	Reads   []Leaf   // the parts of the vocabulary that rules read, in the order of Vocabulary
}

// Named lists what the revision's access policy names: whatever it tells apart,
// it tells apart by these.
func (r *Revision) Named() Named {
	module := ast.MustParseModuleWithOpts(string(r.sources[accessPath]), ast.ParserOptions{RegoVersion: ast.RegoV1})
	var out Named
	out.Texts, out.Numbers = constants(module)
	read := map[string]bool{}
	ast.WalkRefs(module, func(ref ast.Ref) bool {
		if leaf, ok := leafOf(ref); ok {
			read[leaf.Path] = true
		}
		return false
	})
	out.Reads = slices.DeleteFunc(Vocabulary(), func(l Leaf) bool { return !read[l.Path] })
	return out
}
