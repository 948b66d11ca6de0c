package terms

import (
	"slices"
	"time"

	"distributed.ai/datacoop/policies"
)

// Limits are the terms' conditions as the law reads them.
func (t Terms) Limits() policies.Limits {
	has := func(code string) bool { return slices.Contains(t.Conditions, code) }
	l := policies.Limits{
		Diseases: t.Diseases, Studies: t.Studies, Users: t.Users, Projects: t.Projects, Institutions: t.Institutions,
		Categories: t.Categories,
		NoMethods:  has("DUO:0000015"), GeneticOnly: has("DUO:0000016"), NonProfitUse: has("DUO:0000018"),
		Publication: has("DUO:0000019"), Collaboration: has("DUO:0000020"), Ethics: has("DUO:0000021"), Return: has("DUO:0000029"),
		NoAncestry: has("DUO:0000044"), NonProfit: has("DUO:0000045"), NonCommercial: has("DUO:0000046"),
		KeepDays: daysOf(t.KeepMonths), PublishFrom: Day(t.PublishFrom), Ask: t.Mode == ModeAsk,
	}
	if t.Mode == ModeOnce {
		l.Once = policies.OnceUnused
	}
	return l
}

// daysOf counts a year as 365 days and twelve months as a year, rounded down: the
// shorter reading protects the member.
func daysOf(months int64) int64 { return months * 365 / 12 }

// Day is the beginning of a day in UTC, in Unix milliseconds; 0 for none.
func Day(day string) int64 {
	if day == "" {
		return 0
	}
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return 0
	}
	return max(at.UnixMilli(), 1)
}
