// Package trees writes terms/data.json, the words law is made of: what can be
// asked for, what never is, and the trees of purposes, uses, diseases, kinds of
// data and regions.
//
// # What it guarantees
//
// The sources of the trees are the parents in this package, by hand; what law
// reads are the closures, which this package computes: covering, a term with
// all its ancestors, for permissions, and touching, the same with all its
// descendants, for refusals. The same parents always give the same bytes. A test
// of package policies compares them with the committed file, and a Rego test
// proves every closure against graph.reachable.
//
// # What it refuses
//
// A parent that is no term, and a circle.
//
// # Its limits
//
// The tree of diseases is our own small selection from the Mondo Disease
// Ontology, with its parents and not all of the steps between; a request about
// any other disease is put to people. The tree of regions knows the countries of
// ISO 3166-1, the European Union and the European Economic Area as they are at
// the time of this release.
package trees

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Parents is a tree, or a forest: the parents of every term.
type Parents map[string][]string

// All returns every tree by its name in data.terms.
func All() map[string]Parents {
	return map[string]Parents{"duo": duo, "dpv": dpv, "disease": diseases, "category": categories, "region": regions()}
}

// Covering is a term and all its ancestors, sorted, for every term. It refuses
// a parent that is no term, and a circle.
func (p Parents) Covering() (map[string][]string, error) {
	out := make(map[string][]string, len(p))
	for term := range p {
		seen := map[string]bool{}
		if err := p.climb(term, term, seen); err != nil {
			return nil, err
		}
		out[term] = slices.Sorted(maps.Keys(seen))
	}
	return out, nil
}

func (p Parents) climb(from, at string, seen map[string]bool) error {
	above, ok := p[at]
	if !ok {
		return fmt.Errorf("trees: %s has a parent that is no term: %s", from, at)
	}
	seen[at] = true
	for _, parent := range above {
		if parent == from {
			return fmt.Errorf("trees: %s is its own ancestor", from)
		}
		if seen[parent] {
			continue
		}
		if err := p.climb(from, parent, seen); err != nil {
			return err
		}
	}
	return nil
}

// Touching is a term with all its ancestors and descendants, sorted, for every
// term, from what Covering returned.
func Touching(covering map[string][]string) map[string][]string {
	out := make(map[string][]string, len(covering))
	for term, up := range covering {
		all := slices.Clone(up)
		for other, above := range covering {
			if slices.Contains(above, term) {
				all = append(all, other)
			}
		}
		slices.Sort(all)
		out[term] = slices.Compact(all)
	}
	return out
}

// touched are the trees in which a member can refuse a term.
var touched = []string{"duo", "dpv"}

// Data writes data.json.
func Data() ([]byte, error) {
	parents, covering, touching := map[string]any{}, map[string]any{}, map[string]any{}
	for name, tree := range All() {
		closure, err := tree.Covering()
		if err != nil {
			return nil, err
		}
		parents[name], covering[name] = tree, closure
		if slices.Contains(touched, name) {
			touching[name] = Touching(closure)
		}
	}
	data := maps.Clone(lists)
	data["parents"], data["covering"], data["touching"] = parents, covering, touching
	var out bytes.Buffer
	if err := write(&out, data, 0); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// write lays JSON out with one entry to a line and every list on one line.
func write(out *bytes.Buffer, v any, depth int) error {
	fields, ok := fieldsOf(v)
	if !ok {
		text, err := json.Marshal(v)
		if err != nil {
			return err
		}
		out.WriteString(strings.ReplaceAll(string(text), `","`, `", "`))
		return nil
	}
	out.WriteByte('{')
	for i, name := range slices.Sorted(maps.Keys(fields)) {
		if i > 0 {
			out.WriteByte(',')
		}
		fmt.Fprintf(out, "\n%s%q: ", strings.Repeat("  ", depth+1), name)
		if err := write(out, fields[name], depth+1); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "\n%s}", strings.Repeat("  ", depth))
	return nil
}

func fieldsOf(v any) (map[string]any, bool) {
	out := map[string]any{}
	switch v := v.(type) {
	case map[string]any:
		return v, true
	case Parents:
		for name, list := range v {
			out[name] = list
		}
	case map[string][]string:
		for name, list := range v {
			out[name] = list
		}
	case map[string]int:
		for name, n := range v {
			out[name] = n
		}
	default:
		return nil, false
	}
	return out, true
}
