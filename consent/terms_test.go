package consent

import (
	"slices"
	"testing"

	"distributed.ai/datacoop/internal/coop"
)

func TestMoratoriumMustLieAhead(t *testing.T) {
	h, m := open(t), newMember()
	terms := agree()
	terms.PublishFrom = h.clock.Now().UTC().Format("2006-01-02")
	_, err := h.PutPool(t.Context(), m, "wearables", terms)
	wants(t, err, ErrTerms)
	terms.PublishFrom = h.clock.Now().Add(48 * 3600e9).UTC().Format("2006-01-02")
	must[Record](t)(h.PutPool(t.Context(), m, "wearables", terms))
}

func TestAsksThatAreNoneAreRefused(t *testing.T) {
	h, m := open(t), newMember()
	ds := h.share(m, "wearables")
	for name, change := range map[string]func(*Ask){
		"a disease by name":   func(a *Ask) { a.Study.Disease = "diabetes" },
		"a project in words":  func(a *Ask) { a.Study.Project = "my project" },
		"too many kinds":      func(a *Ask) { a.Study.Kinds = slices.Repeat([]string{"genetic"}, 33) },
		"kinds not UTF-8":     func(a *Ask) { a.Study.Kinds = []string{"\xff"} },
		"a day before 1970":   func(a *Ask) { a.Study.PublishFrom = -1 },
		"an odd institution":  func(a *Ask) { a.Researcher.Institution = "\xff" },
		"a day after all":     func(a *Ask) { a.Study.PublishFrom = coop.Forever + 1 },
		"a price nobody pays": func(a *Ask) { a.Price = 1 << 60 },
	} {
		a := study()
		change(&a)
		_, err := h.Tally(t.Context(), a, nil)
		wants(t, err, ErrAsk)
		if err == nil {
			t.Errorf("%s was decided for %s", name, ds)
		}
	}
}
