package nearest

import (
	"fmt"
	"slices"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/policies"
)

// purposes are the moves to another purpose or another use, one code at a time,
// in the order of the lists. Uses that base law never releases for are left out.
func purposes(a consent.Ask) (out []move) {
	for _, t := range coop.DUOPurposes() {
		if t.Code != a.Purpose.DUO {
			out = append(out, move{FieldPurpose, instead(t, coop.DUOPurposes(), a.Purpose.DUO, "purpose"),
				func(a *consent.Ask) { a.Purpose.DUO = t.Code }})
		}
	}
	for _, t := range coop.DPVPurposes() {
		if t.Code != a.Purpose.DPV && !slices.Contains(policies.Forbidden(), t.Code) {
			out = append(out, move{FieldUse, instead(t, coop.DPVPurposes(), a.Purpose.DPV, "use"),
				func(a *consent.Ask) { a.Purpose.DPV = t.Code }})
		}
	}
	return out
}

func instead(t coop.Term, list []coop.Term, code, what string) string {
	return fmt.Sprintf("the %s “%s” instead of “%s”", what, t.Plain, coop.Label(list, code))
}

// standings are the moves that others make for a researcher.
func (s *search) standings() (out []move) {
	if !s.Ask.Researcher.Vetted {
		out = append(out, move{FieldVetted, "the co-op having vetted who asks", func(a *consent.Ask) { a.Researcher.Vetted = true }})
	}
	if !s.Ask.Reviewed {
		out = append(out, move{FieldReviewed, "a steward having looked at the request", func(a *consent.Ask) { a.Reviewed = true }})
	}
	return out
}

// promises are the moves by which a researcher takes on more, or says more of
// the study.
func (s *search) promises() (out []move) {
	for _, p := range []struct {
		field, words string
		said         bool
		apply        func(*consent.Ask)
	}{
		{FieldPublishes, "the results published", s.Ask.Study.Publishes, func(a *consent.Ask) { a.Study.Publishes = true }},
		{FieldReturns, "what is derived coming back to the co-op", s.Ask.Study.Returns, func(a *consent.Ask) { a.Study.Returns = true }},
		{FieldEthics, "the approval of an ethics board", s.Ask.Study.Ethics, func(a *consent.Ask) { a.Study.Ethics = true }},
		{FieldCollaborates, "the co-op worked with", s.Ask.Study.Collaborates, func(a *consent.Ask) { a.Study.Collaborates = true }},
	} {
		if !p.said {
			out = append(out, move{p.field, p.words, p.apply})
		}
	}
	return out
}

// shorter are the times a researcher may fall back to, in days. The steps are
// round, so that none of them gives away what one member chose.
var shorter = []int64{3650, 1825, 1095, 730, 365, 180, 90, 30, 7}

// retentions are the moves to a shorter time, the nearest first.
func (s *search) retentions() (out []move) {
	for _, days := range shorter {
		if days < s.Ask.RetentionDays {
			out = append(out, move{FieldRetention, fmt.Sprintf("copies kept for %d days instead of %d", days, s.Ask.RetentionDays),
				func(a *consent.Ask) { a.RetentionDays = days }})
		}
	}
	return out
}

// dearer are prices in per cent of the present one.
var dearer = []coop.Money{110, 125, 150, 200, 300, 500, 1000}

// prices are the moves to a higher price, the nearest first.
func (s *search) prices() (out []move) {
	for _, percent := range dearer {
		price := s.Ask.Price * percent / 100
		if price > s.Ask.Price {
			out = append(out, move{FieldPrice, fmt.Sprintf("a price of %s for a dataset instead of %s (the co-op sets it)",
				price.Format(s.Currency), s.Ask.Price.Format(s.Currency)), func(a *consent.Ask) { a.Price = price }})
		}
	}
	return out
}
