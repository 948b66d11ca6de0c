package rehearsal

import (
	"cmp"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/policies"
)

// axis is one part of a request and the values to try there.
type axis struct {
	leaf   policies.Leaf
	values []any // string, int64, bool or []string, never what the base has
}

// step is one value on one axis.
type step struct {
	axis  *axis
	value any
}

// named is what either law names, and what either reads.
type named struct {
	texts   []string
	numbers []int64
	reads   map[string]bool
}

func knownBy(laws ...*policies.Revision) named {
	out := named{reads: map[string]bool{}}
	for _, law := range laws {
		n := law.Named()
		out.texts, out.numbers = append(out.texts, n.Texts...), append(out.numbers, n.Numbers...)
		for _, leaf := range n.Reads {
			out.reads[leaf.Path] = true
		}
	}
	slices.Sort(out.texts)
	slices.Sort(out.numbers)
	out.texts, out.numbers = slices.Compact(out.texts), slices.Compact(out.numbers)
	return out
}

// Paths that move together, as they do in a real request: a dataset is in the
// pool asked for, and the purpose says whether the use is commercial.
const (
	pathPool       = "input.request.pool"
	pathHeldPool   = "input.dataset.pool"
	pathUse        = "input.request.dpv"
	pathCommercial = "input.request.commercial"
)

// axesOf lists what either law reads. Whatever neither reads, both answer alike.
func axesOf(in policies.Input, known named) []axis {
	var out []axis
	for _, leaf := range policies.Vocabulary() {
		read := known.reads[leaf.Path] || leaf.Path == pathUse && known.reads[pathCommercial] ||
			leaf.Path == pathPool && known.reads[pathHeldPool]
		if !read || leaf.Path == pathHeldPool {
			continue
		}
		has := part(&in, leaf.Path).Interface()
		a := axis{leaf: leaf}
		for _, v := range known.valuesOf(leaf) {
			tried := slices.ContainsFunc(a.values, func(w any) bool { return reflect.DeepEqual(v, w) })
			if !tried && !reflect.DeepEqual(v, has) {
				a.values = append(a.values, v)
			}
		}
		if n, ok := has.(int64); ok { // the edge nearest to the request tells most
			slices.SortStableFunc(a.values, func(v, w any) int { return cmp.Compare(distance(v, n), distance(w, n)) })
		}
		if len(a.values) > 0 {
			out = append(out, a)
		}
	}
	return out
}

func distance(v any, n int64) int64 {
	m, _ := v.(int64)
	return max(m-n, n-m)
}

// names reports whether either law names the value, or a number next to it.
func (n named) names(v any) bool {
	switch v := v.(type) {
	case string:
		return slices.Contains(n.texts, v)
	case int64:
		return slices.ContainsFunc(n.numbers, func(m int64) bool { return distance(m, v) <= 1 })
	case []string:
		return len(v) == 0 || slices.Contains(n.texts, v[0])
	}
	return true
}

// usual values of what has no closed list: countries inside and outside the
// groups a rule may name, the default pools, and round numbers.
var (
	usualRegions = []string{"DE", "AT", "NO", "CH", "US", "JP"}
	usualPools   = []string{"wearables", "glucose", "genotype", "location"}
	usualNumbers = []int64{0, 1, 30, 365, 10_000, 1_000_000}
)

var country = regexp.MustCompile(`^[A-Z]{2}$`)

// mostTexts bounds the values of a part that any text fits.
const mostTexts = 24

func (n named) valuesOf(leaf policies.Leaf) (out []any) {
	switch kindOf(leaf) {
	case reflect.Bool:
		return []any{true, false}
	case reflect.Int64:
		numbers := slices.Concat(usualNumbers, []int64{policies.MaxRetentionDays()})
		for _, v := range n.numbers {
			numbers = append(numbers, v-1, v, v+1)
		}
		slices.Sort(numbers)
		for _, v := range slices.Compact(numbers) {
			if v >= 0 {
				out = append(out, v)
			}
		}
	case reflect.Slice:
		all := n.textsOf(leaf)
		out = append(out, []string{})
		for _, s := range all {
			out = append(out, []string{s})
		}
		out = append(out, all)
	default:
		for _, s := range n.textsOf(leaf) {
			out = append(out, s)
		}
	}
	return out
}

// textsOf lists the words to try at a leaf: all of a closed list, or the usual
// ones and those the laws name that could stand there.
func (n named) textsOf(leaf policies.Leaf) []string {
	if leaf.Values != nil {
		return leaf.Values
	}
	usual, fits := []string{}, func(s string) bool { return s != "" && !country.MatchString(s) }
	switch {
	case strings.HasSuffix(leaf.Path, ".region"):
		usual, fits = usualRegions, country.MatchString
	case leaf.Path == pathPool:
		usual, fits = usualPools, func(s string) bool { return coop.ValidSlug(coop.PoolID(s)) }
	case strings.HasSuffix(leaf.Path, ".categories"):
		usual = codes(coop.Categories())
	case strings.HasSuffix(leaf.Path, ".disease"):
		usual, fits = codes(coop.Diseases())[:6], policies.ValidDisease
	case strings.HasSuffix(leaf.Path, ".kinds"):
		usual = codes(coop.Studies())
	}
	out := slices.Clone(usual)
	for _, s := range n.texts {
		if fits(s) && !slices.Contains(out, s) && len(out) < mostTexts+len(usual) {
			out = append(out, s)
		}
	}
	return out
}

func codes(terms []coop.Term) []string {
	out := make([]string, 0, len(terms))
	for _, t := range terms {
		out = append(out, t.Code)
	}
	return out
}

// kindOf is how Go holds a leaf.
func kindOf(leaf policies.Leaf) reflect.Kind {
	var in policies.Input
	if v := part(&in, leaf.Path); v.IsValid() {
		return v.Kind()
	}
	return reflect.Invalid
}

// part finds what a path such as "input.request.duo" names; the zero Value if
// there is nothing.
func part(in *policies.Input, path string) reflect.Value {
	v := reflect.ValueOf(in).Elem()
	for _, name := range strings.Split(strings.TrimPrefix(path, "input."), ".") {
		if v.Kind() != reflect.Struct {
			return reflect.Value{}
		}
		v = v.FieldByIndex(fieldOf(v.Type(), name))
	}
	return v
}

// fieldOf finds a field by its name in JSON. One that is missing is a fault of
// ours, which a test of every leaf of the vocabulary finds.
func fieldOf(t reflect.Type, name string) []int {
	for i := range t.NumField() {
		tag, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if tag == name {
			return []int{i}
		}
	}
	panic("rehearsal: no part of a question is called " + name)
}

func (s step) apply(in *policies.Input) {
	part(in, s.axis.leaf.Path).Set(reflect.ValueOf(s.value))
	switch s.axis.leaf.Path {
	case pathPool:
		in.Dataset.Pool = in.Request.Pool
	case pathUse:
		in.Request.Commercial = coop.Purpose{DPV: in.Request.DPV}.Commercial()
	}
}
