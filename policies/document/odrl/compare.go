package odrl

import (
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Operators of the profile, about terms in trees.
const (
	WithinAnyOf   = Own + "isWithinAnyOf"  // one of the right operands is the fact or above it
	OutsideAllOf  = Own + "isOutsideAllOf" // none is
	TouchesAnyOf  = Own + "touchesAnyOf"   // one of them is the fact, above it or below it
	TouchesNoneOf = Own + "touchesNoneOf"  // none is
)

// compare says whether the facts stand to the right operands as the operator
// says. Lists of facts are met by one of them, and the operators that say no are
// the opposite of those that say yes, so that nothing known is in none of them.
func (e evaluator) compare(facts []Term, operator string, right []Term) (bool, error) {
	one := func(holds func(fact, right Term) bool) bool {
		return slices.ContainsFunc(facts, func(f Term) bool {
			return slices.ContainsFunc(right, func(r Term) bool { return holds(f, r) })
		})
	}
	same := func(f, r Term) bool { return f == r }
	switch operator {
	case NS + "isAnyOf":
		return one(same), nil
	case NS + "isNoneOf":
		return !one(same), nil
	case WithinAnyOf:
		return one(e.within), nil
	case OutsideAllOf:
		return !one(e.within), nil
	case TouchesAnyOf:
		return one(e.touches), nil
	case TouchesNoneOf:
		return !one(e.touches), nil
	}
	name, ours := strings.CutPrefix(operator, NS)
	if !ours || len(facts) != 1 || len(right) != 1 {
		return false, fmt.Errorf("%w: the operator %s", ErrUnsupported, operator)
	}
	return ordered(name, facts[0], right[0])
}

func (e evaluator) within(fact, right Term) bool {
	return e.q.Above != nil && slices.Contains(e.q.Above(fact.Value), right.Value)
}

func (e evaluator) touches(fact, right Term) bool {
	return e.within(fact, right) || e.within(right, fact)
}

// ordered compares two single values of one datatype.
func ordered(operator string, fact, right Term) (bool, error) {
	if fact.Datatype == right.Datatype && operator == "eq" && !numeric(fact.Datatype) && fact.Datatype != XSD+"dateTime" {
		return fact == right, nil
	}
	order, err := order(fact, right)
	if err != nil {
		return false, err
	}
	switch operator {
	case "eq":
		return order == 0, nil
	case "neq":
		return order != 0, nil
	case "lt":
		return order < 0, nil
	case "lteq":
		return order <= 0, nil
	case "gt":
		return order > 0, nil
	case "gteq":
		return order >= 0, nil
	}
	return false, fmt.Errorf("%w: the operator odrl:%s", ErrUnsupported, operator)
}

func numeric(datatype string) bool {
	return datatype == XSD+"decimal" || datatype == XSD+"integer" || datatype == XSD+"duration"
}

var (
	decimalPattern  = regexp.MustCompile(`^[+-]?[0-9]{1,30}(\.[0-9]{1,10})?$`)
	durationPattern = regexp.MustCompile(`^P([0-9]{1,9})D$`)
)

// order is -1, 0 or 1 as a is below, equal to or above b.
func order(a, b Term) (int, error) {
	if a.Datatype != b.Datatype {
		return 0, fmt.Errorf("%w: values of different kinds", ErrUnsupported)
	}
	if a.Datatype == XSD+"dateTime" {
		x, errA := time.Parse(time.RFC3339, a.Value)
		y, errB := time.Parse(time.RFC3339, b.Value)
		if errA != nil || errB != nil {
			return 0, fmt.Errorf("%w: a moment without a time zone", ErrUnsupported)
		}
		return x.Compare(y), nil
	}
	x, errA := number(a)
	y, errB := number(b)
	if errA != nil || errB != nil {
		return 0, fmt.Errorf("%w: values that have no order", ErrUnsupported)
	}
	return x.Cmp(y), nil
}

// number reads a decimal, or a duration as days.
func number(t Term) (*big.Rat, error) {
	text := t.Value
	switch m := durationPattern.FindStringSubmatch(text); {
	case t.Datatype == XSD+"duration" && m != nil:
		text = m[1]
	case t.Datatype != XSD+"duration" && numeric(t.Datatype) && decimalPattern.MatchString(text):
	default:
		return nil, ErrUnsupported
	}
	n, ok := new(big.Rat).SetString(text)
	if !ok {
		return nil, ErrUnsupported
	}
	return n, nil
}

// The actions of ODRL's vocabulary 2.2: those that hand something over for good
// are included in odrl:transfer, all others in odrl:use.
var (
	transfers = strings.Fields("transfer give sell")
	uses      = strings.Fields("use acceptTracking aggregate annotate anonymize archive attribute compensate concurrentUse " +
		"delete derive digitize display distribute ensureExclusivity execute extract grantUse include index inform install " +
		"modify move nextPolicy obtainConsent play present print read reproduce reviewPolicy stream synchronize " +
		"textToSpeech transform translate uninstall watermark write")
)

// includes reports whether an action is another one or, being odrl:use or
// odrl:transfer, includes it.
func includes(action, asked string) bool {
	name, _ := strings.CutPrefix(asked, NS)
	switch {
	case action == asked:
		return true
	case action == NS+"use":
		return slices.Contains(uses, name)
	}
	return action == NS+"transfer" && slices.Contains(transfers, name)
}
