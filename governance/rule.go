package governance

import "distributed.ai/datacoop/internal/coop"

// approvalFloor is the fewest yes votes that make law however small the quorum
// comes out, so that in a young co-op two friends cannot legislate.
const approvalFloor = 3

// Rule decides a vote. Both thresholds are integers in thousandths, compared
// by cross-multiplication: no fraction is ever rounded.
type Rule struct {
	SupportPermille  int // yes/(yes+no) must be greater
	ApprovalPermille int // yes/electorate must be at least this
}

// RuleOf is the rule of an electoral class.
func RuleOf(c coop.Class) Rule {
	return Rule{SupportPermille: int(c.SupportPermille), ApprovalPermille: int(c.ApprovalPermille)}
}

// Needed is how many yes votes approval takes among electorate members: the
// quorum rounded up, at least three, and never more than there are members.
func (r Rule) Needed(electorate int) int {
	quorum := (r.ApprovalPermille*electorate + 999) / 1000
	return min(electorate, max(approvalFloor, quorum))
}

// Supported reports whether yes outweighs no by more than the rule asks for.
// Exactly the threshold is not enough, and neither is silence.
func (r Rule) Supported(yes, no int) bool {
	return 1000*yes > r.SupportPermille*(yes+no)
}

// Decide is the state a vote ends in: [Passed] with support and approval,
// [NoQuorum] with support alone or without any yes or no, [Rejected] otherwise.
func (r Rule) Decide(electorate, yes, no int) State {
	switch {
	case yes+no == 0:
		return NoQuorum
	case !r.Supported(yes, no):
		return Rejected
	case yes < r.Needed(electorate):
		return NoQuorum
	}
	return Passed
}
