package policies

import "github.com/open-policy-agent/opa/v1/ast"

// reads walks everything the file mentions: `with`, what it reads of input and
// data, and constants that what they are compared with can never equal.
func (s *shaper) reads() {
	for _, rule := range s.module.Rules {
		s.walk(rule)
	}
}

func (s *shaper) walk(x any) {
	ast.NewGenericVisitor(func(x any) bool {
		switch x := x.(type) {
		case *ast.Expr:
			s.expression(x)
		case *ast.Term:
			return s.term(x)
		}
		return false
	}).Walk(x)
}

func (s *shaper) expression(e *ast.Expr) {
	if len(e.With) > 0 {
		s.say(e.Loc(), "Leave `with` out: a policy does not replace what it is asked about.")
	}
	if e.IsCall() {
		s.call(e.Operator(), e.Operands(), e.Loc())
	}
}

// term reports whether the walk is done with it.
func (s *shaper) term(t *ast.Term) bool {
	switch v := t.Value.(type) {
	case ast.Call:
		if ref, ok := v[0].Value.(ast.Ref); ok {
			s.call(ref, v[1:], t.Loc())
		}
	case ast.Var:
		s.root(v, t.Loc())
	case ast.Ref:
		s.reference(v, t.Loc())
		for _, part := range v[1:] {
			s.walk(part)
		}
		return true
	}
	return false
}

func (s *shaper) root(v ast.Var, loc *ast.Location) {
	if v.Equal(ast.DefaultRootDocument.Value) || v.Equal(ast.InputRootDocument.Value) {
		s.say(loc, "Name exactly what is read; input and data cannot be taken whole.")
	}
}

func (s *shaper) reference(ref ast.Ref, loc *ast.Location) {
	switch {
	case len(ref) == 1:
		if v, ok := ref[0].Value.(ast.Var); ok {
			s.root(v, loc)
		}
	case ref[0].Equal(ast.InputRootDocument):
		if _, ok := leafOf(ref); !ok {
			s.say(loc, "A policy may not read that part of input: it is not in the vocabulary.")
		}
	case ref[0].Equal(ast.DefaultRootDocument):
		if !ref[1].Equal(ast.StringTerm("terms")) {
			s.say(loc, "Of data, a policy may read only data.terms.")
		}
	}
}

// comparisons are the calls whose two sides should be able to meet.
var comparisons = map[string]bool{
	"eq": true, "equal": true, "neq": true, "assign": false,
	"lt": true, "lte": true, "gt": true, "gte": true,
}

func (s *shaper) call(operator ast.Ref, operands []*ast.Term, loc *ast.Location) {
	if operator.String() == "print" {
		s.say(loc, "Leave print out.")
	}
	if len(operands) != 2 {
		return
	}
	a, b := operands[0], operands[1]
	switch name := operator.String(); {
	case comparisons[name]:
		s.meet(a, b, loc)
		s.meet(b, a, loc)
	case name == "internal.member_2":
		s.member(a, b, loc)
	}
}

func (s *shaper) meet(side, other *ast.Term, loc *ast.Location) {
	ref, ok := side.Value.(ast.Ref)
	if !ok || !ref[0].Equal(ast.InputRootDocument) || !ast.IsConstant(other.Value) {
		return
	}
	leaf, known := leafOf(ref)
	if !known {
		return
	}
	if how, ok := leaf.accepts(other.Value); !ok {
		s.say(loc, "%s %s.", leaf.Path, how)
	}
}

// member checks `x in y` where one side is read and the other is fixed.
func (s *shaper) member(element, collection *ast.Term, loc *ast.Location) {
	each := func(t *ast.Term) { s.meet(element, t, loc) }
	switch v := collection.Value.(type) {
	case *ast.Array:
		v.Foreach(each)
	case ast.Set:
		v.Foreach(each)
	case ast.Ref:
		if leaf, ok := leafOf(v); ok && ast.IsConstant(element.Value) {
			s.fits(leaf, element, loc)
		}
	}
}

func (s *shaper) fits(leaf Leaf, element *ast.Term, loc *ast.Location) {
	if leaf.Type != typeTexts {
		s.say(loc, "%s is not a list.", leaf.Path)
		return
	}
	if _, ok := element.Value.(ast.String); !ok {
		s.say(loc, "%s holds texts only.", leaf.Path)
	}
}
