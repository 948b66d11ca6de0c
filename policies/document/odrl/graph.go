package odrl

import (
	"cmp"
	"slices"
)

// Term is a node of a graph: an IRI, a blank node ("_:b1") or, with a datatype, a
// literal.
type Term struct {
	Value    string
	Datatype string // IRI; empty unless the term is a literal
}

// IRI is the term that an IRI names.
func IRI(iri string) Term { return Term{Value: iri} }

// Literal is a value of a datatype of XML Schema, such as "decimal".
func Literal(value, xsd string) Term { return Term{value, XSD + xsd} }

// Triple is one statement.
type Triple struct {
	Subject   Term
	Predicate string
	Object    Term
}

// Graph is a set of statements. Its zero value is empty.
type Graph struct {
	triples map[Triple]bool
	about   map[Term][]Triple
}

// Add makes a statement, once.
func (g *Graph) Add(t Triple) {
	if g.triples == nil {
		g.triples, g.about = map[Triple]bool{}, map[Term][]Triple{}
	}
	if !g.triples[t] {
		g.triples[t] = true
		g.about[t.Subject] = append(g.about[t.Subject], t)
	}
}

// Triples lists every statement, sorted.
func (g *Graph) Triples() []Triple {
	out := make([]Triple, 0, len(g.triples))
	for t := range g.triples {
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b Triple) int {
		return cmp.Or(cmp.Compare(a.Subject.Value, b.Subject.Value), cmp.Compare(a.Predicate, b.Predicate),
			cmp.Compare(a.Object.Value, b.Object.Value), cmp.Compare(a.Object.Datatype, b.Object.Datatype))
	})
	return out
}

// About lists what is said about a node.
func (g *Graph) About(node Term) []Triple { return slices.Clone(g.about[node]) }

// Objects lists what a node is said to have.
func (g *Graph) Objects(node Term, predicate string) (out []Term) {
	for _, t := range g.about[node] {
		if t.Predicate == predicate {
			out = append(out, t.Object)
		}
	}
	return out
}

// object is the one thing a node has, if it has exactly one.
func (g *Graph) object(node Term, predicate string) (Term, bool) {
	all := g.Objects(node, predicate)
	if len(all) != 1 {
		return Term{}, false
	}
	return all[0], true
}

// Subjects lists the nodes of a class, sorted.
func (g *Graph) Subjects(class string) (out []Term) {
	for _, t := range g.Triples() {
		if t.Predicate == RDF+"type" && t.Object == IRI(class) {
			out = append(out, t.Subject)
		}
	}
	return out
}
