package appraisal

import (
	"distributed.ai/datacoop/internal/coop"
)

// Statement is the published result of one period. All amounts are minor units
// of the currency. It is computed, never edited.
type Statement struct {
	Currency       string        `json:"currency"`
	EvidenceSHA256 string        `json:"evidence_sha256"`
	Formula        string        `json:"formula"`
	Judged         bool          `json:"judged"` // whether an opinion was taken into account
	OpinionSHA256  string        `json:"opinion_sha256"`
	ParamsSHA256   string        `json:"params_sha256"`
	Parts          []Part        `json:"parts"` // data, stipend, work, governance
	Period         string        `json:"period"`
	Sentences      []string      `json:"sentences"` // what happened, for everybody
	Shares         []MemberShare `json:"shares"`    // by member; every member in the evidence
	Waterfall      []Step        `json:"waterfall"`
}

// Names of the waterfall's steps, in its order. Unclaimed is the members' part
// when there was nobody to pay; it belongs into the reserve.
const (
	StepCommission = "commission"
	StepReserve    = "reserve"
	StepPurpose    = "purpose"
	StepMembers    = "members"
	StepUnclaimed  = "unclaimed"
	StepInvestors  = "investors"
)

// Step is one part of the revenue; the steps add up to it.
type Step struct {
	Amount   int64  `json:"amount"`
	Name     string `json:"name"`
	Permille int64  `json:"permille"` // of revenue for the commission, else of net revenue
	Sentence string `json:"sentence"`
}

// Part is one pot of the members' part; the parts' amounts add up to it.
type Part struct {
	Amount   int64  `json:"amount"`
	Baseline int64  `json:"baseline"` // what the formula alone would have set
	Kind     string `json:"kind"`
	Sentence string `json:"sentence"`
}

// MemberShare is what one member gets and why.
type MemberShare struct {
	Amount   int64  `json:"amount"`
	Baseline int64  `json:"baseline"` // what the formula alone set
	Ceil     int64  `json:"ceil"`     // the most any opinion could have made of it
	Floor    int64  `json:"floor"`    // the least
	Lines    []Line `json:"lines"`    // their amounts and baselines add up to the member's
	Member   string `json:"member"`
	Moved    int64  `json:"moved"` // amount − baseline
	Sentence string `json:"sentence"`
}

// Line is one item of evidence in a member's share.
type Line struct {
	Amount   int64  `json:"amount"`
	Baseline int64  `json:"baseline"`
	Factor   int64  `json:"factor"` // millionths the opinion multiplied the weight by; 1000000 changes nothing
	Kind     string `json:"kind"`
	Ref      string `json:"ref"`               // dataset, contribution, or kind of duty
	Request  string `json:"request,omitempty"` // of a data use
	Sentence string `json:"sentence"`
	Weight   int64  `json:"weight"` // data: revenue attributed, in thousandths of a minor unit, rounded down; stipend: days; work, governance: points
}

// Share finds a member's share.
func (s Statement) Share(member string) (MemberShare, bool) {
	for _, share := range s.Shares {
		if share.Member == member {
			return share, true
		}
	}
	return MemberShare{}, false
}

// Step is the amount of one step of the waterfall, 0 for an unknown name.
func (s Statement) Step(name string) int64 {
	for _, step := range s.Waterfall {
		if step.Name == name {
			return step.Amount
		}
	}
	return 0
}

// state puts a settlement into words.
func state(ev Evidence, p Params, op *Opinion, s settlement) Statement {
	out := Statement{Currency: ev.Currency, Formula: Formula, Judged: op != nil, Period: ev.Period}
	c := coop.Currency(ev.Currency)
	out.Waterfall = steps(s.flow, p, c)
	out.Shares = make([]MemberShare, len(s.first)-1)
	var base, paid [pots]int64
	for m := range out.Shares {
		share := MemberShare{
			Member: s.items[s.first[m]].member, Amount: s.paid.members[m], Baseline: s.base.members[m],
			Floor: s.floor[m], Ceil: s.ceil[m], Moved: s.paid.members[m] - s.base.members[m],
			Lines: make([]Line, 0, s.first[m+1]-s.first[m]),
		}
		for i := s.first[m]; i < s.first[m+1]; i++ {
			it := s.items[i]
			base[it.pot] += s.base.items[i]
			paid[it.pot] += s.paid.items[i]
			share.Lines = append(share.Lines, Line{
				Amount: s.paid.items[i], Baseline: s.base.items[i], Factor: s.moved[i], Kind: it.pot.String(),
				Ref: it.ref, Request: it.request, Weight: it.shown,
				Sentence: it.why + s.lineWhy(i, c),
			})
		}
		share.Sentence = shareWhy(share, s.judged, c)
		out.Shares[m] = share
	}
	out.Parts = parts(p, s, base, paid, c)
	out.Sentences = append(periodWhy(op, s.flow, c), splitWhy(p)...)
	return out
}

// sign fills in the digests of what the statement was computed from.
func (s *Statement) sign(ev Evidence, p Params, op *Opinion) (err error) {
	if s.EvidenceSHA256, err = digest(ev); err != nil {
		return err
	}
	if s.ParamsSHA256, err = digest(p); err != nil {
		return err
	}
	if op != nil {
		s.OpinionSHA256, err = digest(op)
	}
	return err
}
