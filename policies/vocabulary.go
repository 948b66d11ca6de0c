package policies

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Types of a leaf.
const (
	typeText   = "text"
	typeTexts  = "list of texts"
	typeNumber = "number"
	typeTruth  = "true or false"
)

// Leaf is one thing of the input that an access policy may speak of.
type Leaf struct {
	Path   string   // "input.request.commercial"
	Type   string   // "text", "list of texts", "number" or "true or false"
	Words  string   // what it is, for somebody writing a proposal
	Values []string // the only values there are; nil if it is not a closed list
}

// Vocabulary lists everything an access policy may read. It holds no id and no
// time: law is about kinds of request, not about persons, and never changes its
// answer because a date has passed.
func Vocabulary() []Leaf { return slices.Clone(vocabulary) }

var vocabulary = []Leaf{
	{"input.request.pool", typeText, "the pool asked for", nil},
	{"input.request.duo", typeText, "the DUO code of the purpose", terms.DUO.Requestable},
	{"input.request.dpv", typeText, "the DPV term of the purpose", terms.DPV.Requestable},
	{"input.request.commercial", typeTruth, "whether the use is commercial", nil},
	{"input.request.price_minor", typeNumber, "the price offered for one dataset, in minor units", nil},
	{"input.request.retention_days", typeNumber, "for how many days the data would be kept", nil},
	{"input.request.requester.kind", typeText, "the kind of organisation that asks", terms.Kinds},
	{"input.request.requester.vetted", typeTruth, "whether the co-op has vetted who asks", nil},
	{"input.request.requester.region", typeText, "the country of who asks, as two capital letters", nil},
	{"input.dataset.pool", typeText, "the pool the dataset is in", nil},
	{"input.dataset.categories", typeTexts, "the kinds of personal data in the dataset", nil},
	{"input.dataset.region", typeText, "the country of the member, as two capital letters", nil},
}

var country = regexp.MustCompile(`^[A-Z]{2}$`)

// leafOf finds the leaf a reference names: the whole path, or for a list also
// one of its elements.
func leafOf(ref ast.Ref) (Leaf, bool) {
	for _, leaf := range vocabulary {
		path := strings.Split(leaf.Path, ".")
		element := leaf.Type == typeTexts && len(ref) == len(path)+1
		if (len(ref) == len(path) || element) && samePath(ref, path) {
			if element {
				leaf.Type = typeText
			}
			return leaf, true
		}
	}
	return Leaf{}, false
}

func samePath(ref ast.Ref, path []string) bool {
	for i, name := range path[1:] {
		if s, ok := ref[i+1].Value.(ast.String); !ok || string(s) != name {
			return false
		}
	}
	return true
}

// accepts says whether a constant can ever equal the leaf; if not, how it is
// wrong.
func (l Leaf) accepts(v ast.Value) (string, bool) {
	switch v := v.(type) {
	case ast.Boolean:
		return "is not true or false", l.Type == typeTruth
	case ast.Number:
		return "is not a number", l.Type == typeNumber
	case ast.String:
		if l.Type != typeText {
			return "is not a text", false
		}
		return l.acceptsText(string(v))
	}
	return "is never that", v.IsGround() && l.Type == typeTexts
}

func (l Leaf) acceptsText(s string) (string, bool) {
	if strings.HasSuffix(l.Path, ".region") {
		return "is two capital letters, such as DE", country.MatchString(s)
	}
	return "is never that; it is one of: " + strings.Join(l.Values, ", "),
		l.Values == nil || slices.Contains(l.Values, s)
}

// terms are the trees as Go needs them; the engine reads the same file.
var terms = mustTerms()

type termTrees struct {
	Kinds   []string         `json:"kinds"`
	Studies []string         `json:"studies"`
	Limits  map[string]int64 `json:"limits"`
	DUO     struct {
		Requestable []string `json:"requestable"`
	} `json:"duo"`
	DPV struct {
		Requestable []string `json:"requestable"`
		Forbidden   []string `json:"forbidden"`
		Commercial  []string `json:"commercial"`
	} `json:"dpv"`
	Covering map[string]map[string][]string `json:"covering"`
	Touching map[string]map[string][]string `json:"touching"`
}

func mustTerms() termTrees {
	var t termTrees
	if err := json.Unmarshal(mustRead(termsPath), &t); err != nil {
		panic("policies: embedded terms: " + err.Error())
	}
	return t
}

// Covers reports whether allowing the DUO code term allows a request for the
// DUO code asked: they are the same, or term is an ancestor.
func Covers(term, asked string) bool { return slices.Contains(terms.Covering["duo"][asked], term) }

// Touches reports whether refusing the DUO code term refuses a request for the
// DUO code asked: ancestor, the same, or descendant.
func Touches(term, asked string) bool { return slices.Contains(terms.Touching["duo"][asked], term) }

// Forbidden lists the DPV terms that base law never releases for.
func Forbidden() []string { return slices.Clone(terms.DPV.Forbidden) }

// MaxRetentionDays is the longest time base law lets anybody keep data.
func MaxRetentionDays() int64 { return terms.Limits["retention_days"] }

// RegionGroups lists the names a member may use for several countries at once,
// such as EU, sorted.
func RegionGroups() []string {
	groups := map[string]bool{}
	for term, ancestors := range terms.Covering["region"] {
		for _, a := range ancestors {
			if a != term {
				groups[a] = true
			}
		}
	}
	return sortedKeys(groups)
}
