package governance

import (
	"testing"

	"distributed.ai/datacoop/internal/coop"
	"pgregory.net/rapid"
)

func TestRuleAtItsThresholds(t *testing.T) {
	routine := Rule{SupportPermille: 500, ApprovalPermille: 120}
	bylaws := Rule{SupportPermille: 667, ApprovalPermille: 250}
	for _, c := range []struct {
		name                string
		rule                Rule
		electorate, yes, no int
		want                State
	}{
		{"nobody votes", routine, 100, 0, 0, NoQuorum},
		{"only no", routine, 100, 0, 1, Rejected},
		{"a tie is not support", routine, 100, 50, 50, Rejected},
		{"one more than a tie", routine, 100, 50, 49, Passed},
		{"exactly the quorum", routine, 100, 12, 0, Passed},
		{"one under the quorum", routine, 100, 11, 0, NoQuorum},
		{"the quorum is rounded up", routine, 101, 12, 0, NoQuorum},
		{"rounded up and reached", routine, 101, 13, 0, Passed},
		{"never fewer than three", routine, 10, 2, 0, NoQuorum},
		{"three of ten", routine, 10, 3, 0, Passed},
		{"two of two members", routine, 2, 2, 0, Passed},
		{"one of two members", routine, 2, 1, 0, NoQuorum},
		{"a co-op of one", routine, 1, 1, 0, Passed},
		{"two thirds are not more than two thirds", bylaws, 9, 6, 3, Rejected},
		{"seven of nine", bylaws, 9, 7, 2, Passed},
		{"a losing no does not help by showing up", routine, 100, 11, 10, NoQuorum},
		{"unanimity asked for is never exceeded", Rule{SupportPermille: 1000}, 5, 5, 0, Rejected},
	} {
		if got := c.rule.Decide(c.electorate, c.yes, c.no); got != c.want {
			t.Errorf("%s: %d yes, %d no of %d: %s, want %s", c.name, c.yes, c.no, c.electorate, got, c.want)
		}
	}
}

func drawRule(t *rapid.T) Rule {
	return Rule{
		SupportPermille:  rapid.IntRange(500, 1000).Draw(t, "support"),
		ApprovalPermille: rapid.IntRange(0, 1000).Draw(t, "approval"),
	}
}

func drawVote(t *rapid.T) (electorate, yes, no int) {
	electorate = rapid.IntRange(1, 100_000).Draw(t, "electorate")
	yes = rapid.IntRange(0, electorate).Draw(t, "yes")
	no = rapid.IntRange(0, electorate-yes).Draw(t, "no")
	return electorate, yes, no
}

func TestNothingPassesWithoutSupportAndApproval(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRule(t)
		n, yes, no := drawVote(t)
		supported := 1000*yes > r.SupportPermille*(yes+no)
		approved := 1000*yes >= r.ApprovalPermille*n && (yes >= 3 || yes == n)
		if passed := r.Decide(n, yes, no) == Passed; passed != (supported && approved) {
			t.Fatalf("%+v: %d yes, %d no of %d: passed %v", r, yes, no, n, passed)
		}
	})
}

func TestAnotherYesNeverHarmsAndAnotherNoNeverHelps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRule(t)
		n, yes, no := drawVote(t)
		before := r.Decide(n, yes, no) == Passed
		if yes+no < n && before && r.Decide(n, yes+1, no) != Passed {
			t.Fatal("one more yes undid it")
		}
		if yes+no < n && !before && r.Decide(n, yes, no+1) == Passed {
			t.Fatal("one more no carried it")
		}
		if no > 0 && before && r.Decide(n, yes+1, no-1) != Passed {
			t.Fatal("a no that turned into a yes undid it")
		}
	})
}

func TestApprovalIsAlwaysReachable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRule(t)
		n := rapid.IntRange(1, 1_000_000).Draw(t, "electorate")
		if need := r.Needed(n); need < 1 || need > n {
			t.Fatalf("%d of %d needed", need, n)
		}
	})
}

func TestChartersParse(t *testing.T) {
	for name, text := range map[string][]byte{"default": DefaultCharter(), "demo": DemoCharter()} {
		c, err := coop.ParseCharter(text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if c.Waterfall.Members < 850 {
			t.Errorf("%s: members get %d of 1000, want at least 850", name, c.Waterfall.Members)
		}
		if c.ChallengeHours != 240 || c.Judge != (coop.Judge{BetaData: 100, BetaWork: 250, BetaGovernance: 250, Gamma: 100}) {
			t.Errorf("%s: challenge window or judge's bounds are not the contract's", name)
		}
		if got := RuleOf(c.Classes[coop.ClassBylaws]); got != (Rule{667, 250}) {
			t.Errorf("%s: bylaws are decided by %+v", name, got)
		}
	}
}

func TestDemoCharterIsForASmallCoop(t *testing.T) {
	c, err := coop.ParseCharter(DemoCharter())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range c.Pools {
		if p.MinimumGroup != 3 || p.Price == 0 {
			t.Errorf("pool %s: minimum group %d, price %d", p.ID, p.MinimumGroup, p.Price)
		}
	}
	held := map[coop.Office]int{}
	for _, h := range c.Offices {
		held[h.Office]++
	}
	if c.Admission != "open" || held[coop.Vetting] != 1 || held[coop.Treasury] != 2 || held[coop.Appeals] != 1 {
		t.Errorf("admission %s, offices %v", c.Admission, held)
	}
}
