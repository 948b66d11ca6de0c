package policies

import (
	"regexp"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Study is what a request says about the work itself, so that the conditions
// members make (DUO's modifiers) can be matched. Its zero value says nothing,
// which meets no condition. What says nothing is not written, so that questions
// recorded before there was a Study read the same today.
type Study struct {
	Disease      string   `json:"disease,omitempty"`      // Mondo code of the disease; needed with DUO:0000007
	Kinds        []string `json:"kinds,omitempty"`        // all of coop.Studies that it is; none is not stated
	Ethics       bool     `json:"ethics,omitempty"`       // the approval of an ethics board is with the request
	Publishes    bool     `json:"publishes,omitempty"`    // the results will be published
	PublishFrom  int64    `json:"publish_from,omitempty"` // not before, in Unix milliseconds; 0 is not stated
	Returns      bool     `json:"returns,omitempty"`      // what is derived will come back to the co-op
	Collaborates bool     `json:"collaborates,omitempty"` // the co-op will be worked with
	Project      string   `json:"project,omitempty"`      // the project it belongs to; "" is not stated
}

// Answers of a member to the question about one request.
const (
	AnswerYes = "yes"
	AnswerNo  = "no"
)

// States of a one-time consent for one dataset.
const (
	OnceUnused = "unused"
	OnceUsed   = "used"
)

// Limits are the conditions of a record besides its purposes, each under the
// DUO modifier or the word that law knows it by. A limit that is not said is not
// there; one that law does not know refuses.
type Limits struct {
	Diseases      []string `json:"DUO:0000007,omitempty"` // diseases that disease-specific research may be about
	Studies       []string `json:"DUO:0000012,omitempty"` // the only kinds of study
	NoMethods     bool     `json:"DUO:0000015,omitempty"`
	GeneticOnly   bool     `json:"DUO:0000016,omitempty"`
	NonProfitUse  bool     `json:"DUO:0000018,omitempty"` // neither organisation nor use for profit
	Publication   bool     `json:"DUO:0000019,omitempty"`
	Collaboration bool     `json:"DUO:0000020,omitempty"`
	Ethics        bool     `json:"DUO:0000021,omitempty"`
	PublishFrom   int64    `json:"DUO:0000024,omitempty"` // moratorium: Unix milliseconds
	KeepDays      int64    `json:"DUO:0000025,omitempty"` // time limit on use
	Users         []string `json:"DUO:0000026,omitempty"` // ids of requesters
	Projects      []string `json:"DUO:0000027,omitempty"`
	Institutions  []string `json:"DUO:0000028,omitempty"`
	Return        bool     `json:"DUO:0000029,omitempty"`
	NoAncestry    bool     `json:"DUO:0000044,omitempty"`
	NonProfit     bool     `json:"DUO:0000045,omitempty"` // organisation not for profit
	NonCommercial bool     `json:"DUO:0000046,omitempty"`
	Categories    []string `json:"categories,omitempty"` // the only kinds of personal data
	Ask           bool     `json:"ask,omitempty"`        // the member decides about each request
	Once          string   `json:"once,omitempty"`       // OnceUnused or OnceUsed: one release and no more
}

var (
	diseasePattern = regexp.MustCompile(`^MONDO:[0-9]{7}$`)
	namePattern    = regexp.MustCompile(`^[\x21-\x7e]{1,128}$`)
)

// ValidDisease reports whether s is a code of the Mondo Disease Ontology, known
// to the tree or not.
func ValidDisease(s string) bool { return diseasePattern.MatchString(s) }

// KnownDisease reports whether the tree of diseases has the code, so that a rule
// can match it.
func KnownDisease(s string) bool { return inTree("disease", s) }

// KnownCategory reports whether s is a kind of personal data law knows.
func KnownCategory(s string) bool { return inTree("category", s) }

// KnownRegion reports whether s is a country or a group of countries.
func KnownRegion(s string) bool { return inTree("region", s) }

// CoversDisease reports whether allowing research about the disease term allows
// research about the disease asked: they are the same, or term is an ancestor.
func CoversDisease(term, asked string) bool {
	return slices.Contains(terms.Covering["disease"][asked], term)
}

func inTree(tree, term string) bool { _, ok := terms.Covering[tree][term]; return ok }

// ValidName reports whether s can name a project or an institution: printable
// ASCII without spaces, 128 characters at most, such as a ROR or a grant number.
func ValidName(s string) bool { return namePattern.MatchString(s) }

func (s Study) check() bool {
	return (s.Disease == "" || ValidDisease(s.Disease)) && (s.Project == "" || ValidName(s.Project)) && s.PublishFrom >= 0
}

// Said counts the limits that are said.
func (l Limits) Said() (n int) {
	for _, f := range l.truths() {
		if f.said {
			n++
		}
	}
	for _, f := range l.lists() {
		if len(f.list) > 0 {
			n++
		}
	}
	for _, said := range []bool{l.PublishFrom != 0, l.KeepDays != 0, l.Once != ""} {
		if said {
			n++
		}
	}
	return n
}

func (l Limits) check() bool {
	return l.PublishFrom >= 0 && l.KeepDays >= 0 && (l.Once == "" || l.Once == OnceUnused || l.Once == OnceUsed)
}

func (l *Limits) plain() bool {
	return plain(l.Diseases...) && plain(l.Studies...) && plain(l.Users...) && plain(l.Projects...) &&
		plain(l.Institutions...) && plain(l.Categories...)
}

// Most questions say nothing of these, and terms never change.
var (
	noStudy  = Study{}.build()
	noLimits = ast.ObjectTerm()
)

func (s Study) term() *ast.Term {
	if s.Disease == "" && len(s.Kinds) == 0 && s.PublishFrom == 0 && s.Project == "" &&
		!s.Ethics && !s.Publishes && !s.Returns && !s.Collaborates {
		return noStudy
	}
	return s.build()
}

func (s Study) build() *ast.Term {
	return ast.ObjectTerm(
		text("disease", s.Disease),
		texts("kinds", s.Kinds),
		truth("ethics", s.Ethics),
		truth("publishes", s.Publishes),
		number("publish_from", s.PublishFrom),
		truth("returns", s.Returns),
		truth("collaborates", s.Collaborates),
		text("project", s.Project),
	)
}

// term holds the limits that are said and no other: law counts them.
func (l Limits) term() *ast.Term {
	var said [][2]*ast.Term
	for _, f := range l.truths() {
		if f.said {
			said = append(said, truth(f.name, true))
		}
	}
	for _, f := range l.lists() {
		if len(f.list) > 0 {
			said = append(said, texts(f.name, f.list))
		}
	}
	if l.PublishFrom != 0 {
		said = append(said, number("DUO:0000024", l.PublishFrom))
	}
	if l.KeepDays != 0 {
		said = append(said, number("DUO:0000025", l.KeepDays))
	}
	if l.Once != "" {
		said = append(said, text("once", l.Once))
	}
	if len(said) == 0 {
		return noLimits
	}
	return ast.ObjectTerm(said...)
}

type saidTruth struct {
	name string
	said bool
}

func (l Limits) truths() []saidTruth {
	return []saidTruth{
		{"DUO:0000015", l.NoMethods}, {"DUO:0000016", l.GeneticOnly}, {"DUO:0000018", l.NonProfitUse},
		{"DUO:0000019", l.Publication}, {"DUO:0000020", l.Collaboration}, {"DUO:0000021", l.Ethics}, {"DUO:0000029", l.Return},
		{"DUO:0000044", l.NoAncestry}, {"DUO:0000045", l.NonProfit}, {"DUO:0000046", l.NonCommercial}, {"ask", l.Ask},
	}
}

type saidList struct {
	name string
	list []string
}

func (l Limits) lists() []saidList {
	return []saidList{
		{"DUO:0000007", l.Diseases}, {"DUO:0000012", l.Studies}, {"DUO:0000026", l.Users}, {"DUO:0000027", l.Projects},
		{"DUO:0000028", l.Institutions}, {"categories", l.Categories},
	}
}
