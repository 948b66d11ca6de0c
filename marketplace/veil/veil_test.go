package veil

import (
	"fmt"
	"slices"
	"testing"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/policies"
)

func TestReasonsNeverSingleAMemberOut(t *testing.T) {
	reason := func(layer, code string) policies.Reason {
		return policies.Reason{Code: code, Layer: layer, Sentence: code + "."}
	}
	decision := func(member string, reasons ...policies.Reason) consent.Decision {
		return consent.Decision{Member: coop.MemberID(member), Reasons: reasons, Allow: len(reasons) == 0}
	}
	a, b := reason("member", "a"), reason("coop", "b")
	many := func(n int, reasons ...policies.Reason) (out []consent.Decision) {
		for i := range n {
			out = append(out, decision(fmt.Sprintf("m%d-%v", i, reasons), reasons...))
		}
		return out
	}
	for name, c := range map[string]struct {
		held []consent.Decision
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
		"many datasets of one member":    {[]consent.Decision{decision("m", a), decision("m", a), decision("m", a)}, map[string]int{"a": 0}},
	} {
		got := map[string]int{}
		for _, r := range CountReasons(c.held, 3) {
			got[r.Code] = r.Datasets
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
