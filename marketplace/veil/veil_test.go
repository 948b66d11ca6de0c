package veil

import (
	"fmt"
	"slices"
	"testing"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/policies"
)

func TestReasonsNeverSingleAMemberOut(t *testing.T) {
	reason := func(layer, code string) policies.Reason {
		return policies.Reason{Code: code, Layer: layer, Sentence: code + "."}
	}
	type decision struct {
		member  string
		reasons []policies.Reason
	}
	a, b := reason("member", "a"), reason("coop", "b")
	many := func(n int, reasons ...policies.Reason) (out []decision) {
		for i := range n {
			out = append(out, decision{fmt.Sprintf("m%d-%v", i, reasons), reasons})
		}
		return out
	}
	tally := func(list []decision) (t consent.Tally) {
		all, by := map[string]bool{}, map[policies.Reason]map[string]bool{}
		for _, d := range list {
			all[d.member] = true
			for _, r := range d.reasons {
				if by[r] == nil {
					by[r] = map[string]bool{}
					t.Reasons = append(t.Reasons, consent.ReasonTally{Reason: r})
				}
				by[r][d.member] = true
				for i := range t.Reasons {
					if t.Reasons[i].Reason == r {
						t.Reasons[i].Datasets, t.Reasons[i].Members = t.Reasons[i].Datasets+1, len(by[r])
					}
				}
			}
		}
		t.AllMembers = len(all)
		return t
	}
	for name, c := range map[string]struct {
		held []decision
		want map[string]int
	}{
		"nobody":                         {nil, map[string]int{}},
		"all of them":                    {many(3, a), map[string]int{"a": 3}},
		"too few":                        {many(2, a), map[string]int{"a": 0}},
		"too few of co-op law":           {many(2, b), map[string]int{"b": 0}},
		"enough, and enough of the rest": {slices.Concat(many(3, a), many(4, b)), map[string]int{"a": 3, "b": 4}},
		"enough, but too few the rest":   {slices.Concat(many(5, a), many(2, b)), map[string]int{"a": 0, "b": 0}},
		"enough, but too few agreed":     {slices.Concat(many(5, a), many(2)), map[string]int{"a": 0}},
		"enough, and enough agreed":      {slices.Concat(many(5, a), many(3)), map[string]int{"a": 5}},
		"both":                           {slices.Concat(many(3, a, b), many(3, b)), map[string]int{"a": 3, "b": 6}},
		"many datasets of one member":    {[]decision{{"m", []policies.Reason{a}}, {"m", []policies.Reason{a}}, {"m", []policies.Reason{a}}}, map[string]int{"a": 0}},
	} {
		got := map[string]int{}
		for _, r := range CountReasons(tally(c.held), true, 3) {
			got[r.Code] = r.Datasets
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// Those who are released count as held only where their number is not told.
func TestOnlyWhoIsHeldCounts(t *testing.T) {
	a := policies.Reason{Code: "a", Layer: "member", Sentence: "a."}
	tally := consent.Tally{RefusedMembers: 5, AllMembers: 7, Reasons: []consent.ReasonTally{{Reason: a, Datasets: 6, Members: 5}}}
	if got := CountReasons(tally, false, 3); len(got) != 1 || got[0].Datasets != 6 {
		t.Errorf("%+v", got)
	}
	if got := CountReasons(tally, true, 3); got[0].Datasets != 0 {
		t.Errorf("two members are told apart: %+v", got)
	}
}
