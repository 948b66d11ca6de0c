package terms

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"distributed.ai/datacoop/internal/coop"
)

// Sentences says what the terms mean, in the words of the member they belong
// to: what they allow, then what they refuse. Money is written in c.
func (t Terms) Sentences(c coop.Currency) []string {
	if t.Effect != Given {
		return []string{"You refuse every use."}
	}
	out := []string{"You allow " + plain(coop.DUOPurposes(), t.Purposes) + "."}
	out = append(out, "Those who may ask: "+plain(coop.RequesterKinds(), t.RequesterKinds)+", once the co-op has vetted them.")
	if len(t.DPV) > 0 {
		out = append(out, "You allow it only for "+plain(coop.DPVPurposes(), t.DPV)+".")
	}
	if len(t.Except) > 0 {
		out = append(out, "You refuse "+plain(coop.DUOPurposes(), t.Except)+", and every request that includes it or is part of it.")
	}
	if t.Commercial {
		out = append(out, "You allow commercial use.")
	} else {
		out = append(out, "You refuse commercial use.")
	}
	if len(t.Regions) > 0 {
		out = append(out, "You refuse everybody outside "+strings.Join(t.Regions, ", ")+".")
	}
	out = append(out, t.conditionSentences()...)
	if t.MinPrice > 0 {
		out = append(out, "You refuse requests that pay less than "+t.MinPrice.Format(c)+" for a dataset.")
	}
	out = append(out, modeSentences[t.Mode]...)
	return append(out, "Advertising, profiling of single people and selling on are always refused.", lasting(t.Days))
}

// Split parts sentences about an answer into what it allows, with what it asks
// for, and what it refuses.
func Split(sentences []string) (allows, refuses []string) {
	for _, s := range sentences {
		if strings.HasPrefix(s, "You refuse") || strings.HasSuffix(s, "are always refused.") {
			refuses = append(refuses, s)
		} else {
			allows = append(allows, s)
		}
	}
	return allows, refuses
}

// conditionSentences says what the conditions mean, one sentence for each.
func (t Terms) conditionSentences() (out []string) {
	say := func(said bool, sentence string) {
		if said {
			out = append(out, sentence)
		}
	}
	say(len(t.Diseases) > 0, "Research about one disease means only "+plain(coop.Diseases(), t.Diseases)+". For a disease the co-op does not know you are asked.")
	for _, condition := range coop.Conditions() {
		say(slices.Contains(t.Conditions, condition.Code), "You allow it only if "+condition.Plain+".")
	}
	say(len(t.Studies) > 0, "You allow only "+plain(coop.Studies(), t.Studies)+".")
	say(t.open(), "If a request does not say what kind of study it is, you are asked.")
	say(len(t.Categories) > 0, "You refuse datasets that hold anything but "+plain(coop.Categories(), t.Categories)+".")
	say(len(t.Users) > 0, "You refuse everybody but "+count(len(t.Users), "researcher")+" you have named.")
	say(len(t.Projects) > 0, "You refuse everything outside the projects "+strings.Join(t.Projects, ", ")+"; a steward checks that a request belongs to one.")
	say(len(t.Institutions) > 0, "You refuse everybody outside the institutions "+strings.Join(t.Institutions, ", ")+".")
	say(t.KeepMonths > 0, "You refuse requests to keep your data longer than "+count(int(t.KeepMonths), "month")+".")
	say(t.PublishFrom != "", "You refuse everybody who would publish before "+day(t.PublishFrom)+".")
	return out
}

// open reports whether a request that leaves its kind of study open is put to
// the member.
func (t Terms) open() bool {
	asks := func(code string) bool {
		return slices.Contains([]string{"DUO:0000015", "DUO:0000016", "DUO:0000044"}, code)
	}
	return len(t.Studies) > 0 || slices.ContainsFunc(t.Conditions, asks)
}

var modeSentences = map[string][]string{
	ModeAsk:  {"You are asked about each request, and nothing is released before you say yes to it."},
	ModeOnce: {"Each dataset is released once, to the first request that fetches it; then this answer is used up."},
}

// count writes "1 month" and "2 months".
// day writes a day as people do; one that is no day stays as it is.
func day(written string) string {
	d, err := time.Parse(time.DateOnly, written)
	if err != nil {
		return written
	}
	return d.Format("2 January 2006")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

func lasting(days int64) string {
	switch days {
	case 0:
		return "This holds until you change or withdraw it."
	case 1:
		return "This holds for one day, and you can withdraw it before."
	}
	return "This holds for " + strconv.FormatInt(days, 10) + " days, and you can withdraw it before."
}

// plain joins the members' words for codes: "a, b or c".
func plain(terms []coop.Term, list []string) string {
	var words []string
	for _, t := range terms {
		if slices.Contains(list, t.Code) {
			words = append(words, t.Plain)
		}
	}
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
