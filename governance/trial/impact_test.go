package trial

import (
	"slices"
	"testing"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/policies"
)

func TestAnImpactInWords(t *testing.T) {
	flip := func(r coop.RequestID, m coop.MemberID, now bool, reasons ...string) consent.Flip {
		f := consent.Flip{Was: !now, Now: now, Decision: consent.Decision{Request: r, Member: m}}
		for _, s := range reasons {
			f.Reasons = append(f.Reasons, policies.Reason{Sentence: s})
		}
		return f
	}
	for _, c := range []struct {
		name  string
		flips []consent.Flip
		total int
		want  []string
	}{
		{"nothing decided", nil, 0, []string{"Nothing has been decided in the past year, so there is nothing to compare with."}},
		{"nothing changes", nil, 21, []string{"None of 21 past decisions would have come out otherwise."}},
		{"one", []consent.Flip{flip("r", "m", false, "No.")}, 1, []string{
			"1 of 1 past decision would now be refused.",
			"This concerns 1 access request and the data of 1 member.", "No.",
		}},
		{"both ways", []consent.Flip{flip("r2", "m", false, "No.", "Never."), flip("r1", "m", false, "No."), flip("r1", "n", true)}, 21, []string{
			"2 of 21 past decisions would now be refused.", "1 of 21 past decisions would now be granted.",
			"This concerns 2 access requests and the data of 2 members.", "No.", "Never.",
		}},
	} {
		if got := Summarise(c.flips, c.total); !slices.Equal(got.Sentences, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got.Sentences, c.want)
		}
	}
}
