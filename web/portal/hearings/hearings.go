// Package hearings puts appeals and panels into the words and fields of the
// members' pages.
//
// # What it is for
//
// A member picks what they contest from the lines of their own statement; a
// steward mends a figure of those lines; a panellist ticks questions. Forms
// carry short values, and this package says which there are and reads them
// back.
//
// # What it guarantees
//
// What it offers can be read back by it, and nothing else can. It names facts
// and kinds in a member's words.
//
// # What it refuses
//
// Nothing by itself: a value it cannot read is an empty line, which the market
// refuses with a sentence.
package hearings

import (
	"net/url"
	"strconv"
	"strings"

	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/appraisal/jury"
)

// Choice is a value of a form with its words.
type Choice struct{ Value, Text string }

var kinds = map[string]string{
	appraisal.KindData: "Data that was read", appraisal.KindStipend: "Data kept available",
	appraisal.KindWork: "Work", appraisal.KindGovernance: "Duties",
}

// Judged lists the lines of a member's statement that a panel can look at.
// Titles are of what lines refer to.
func Judged(share marketplace.Share, titles map[string]string) []Choice {
	return choices(share, titles, func(kind string) bool { return kind != appraisal.KindStipend })
}

func choices(share marketplace.Share, titles map[string]string, take func(kind string) bool) []Choice {
	var out []Choice
	seen := map[string]bool{}
	for _, line := range share.Lines {
		ref := line.Ref
		if line.Kind == appraisal.KindGovernance {
			ref, _, _ = strings.Cut(ref, ":") // all duties of a kind are judged together
		}
		value := line.Kind + "|" + ref
		if seen[value] || !take(line.Kind) {
			continue
		}
		seen[value] = true
		text := kinds[line.Kind]
		if title := titles[line.Ref]; title != "" {
			text += ": " + title
		} else if line.Kind == appraisal.KindGovernance {
			text += ": " + ref
		}
		out = append(out, Choice{value, text})
	}
	return out
}

// Line reads a choice back.
func Line(value string) marketplace.AppealLine {
	kind, ref, _ := strings.Cut(value, "|")
	return marketplace.AppealLine{Kind: kind, Ref: ref}
}

// Figure is one figure of a member's evidence that a steward can mend.
type Figure struct{ Value, Text string }

var fields = map[string][]string{
	appraisal.KindData: {"coverage", "fresh", "unique", "trust", "alone"}, appraisal.KindStipend: {"days", "alone"},
	appraisal.KindWork: {"points"}, appraisal.KindGovernance: {"points"},
}

// Figures lists what a steward can mend in a member's statement.
func Figures(share marketplace.Share) []Figure {
	var out []Figure
	seen := map[string]bool{}
	for _, line := range share.Lines {
		for _, field := range fields[line.Kind] {
			value := line.Kind + "|" + line.Ref + "|" + field
			if seen[value] {
				continue
			}
			seen[value] = true
			ref := line.Ref
			out = append(out, Figure{value, kinds[line.Kind] + " …" + ref[max(0, len(ref)-8):] + ": " + Fact(field)})
		}
	}
	return out
}

// Corrections reads what a steward mended; nothing where no figure was chosen.
func Corrections(form url.Values) []marketplace.AppealCorrection {
	parts := strings.Split(form.Get("figure"), "|")
	if len(parts) != 3 {
		return nil
	}
	value, err := strconv.ParseInt(strings.TrimSpace(form.Get("value")), 10, 64)
	if err != nil {
		value = -1 // refused, with a sentence
	}
	return []marketplace.AppealCorrection{{Line: marketplace.AppealLine{Kind: parts[0], Ref: parts[1]}, Field: parts[2], Value: value,
		Source: strings.TrimSpace(form.Get("source"))}}
}

var facts = map[string]string{
	"coverage": "Filled cells, in thousandths", "fresh": "How recent, in thousandths", "unique": "Not repeated elsewhere, in thousandths",
	"trust": "Trust, in thousandths", "alone": "1 to count by itself: this member is a person of their own", "requests": "Requests that read it, about", "points": "Size points", "duties": "Duties done", "days": "Days available",
}

// Fact names a figure.
func Fact(name string) string {
	if words := facts[name]; words != "" {
		return words
	}
	return name
}

// Kind names a kind of line.
func Kind(kind string) string { return kinds[kind] }

// Duty is a panel duty as its page shows it.
type Duty struct {
	marketplace.PanelDuty
	Waits bool
	Said  map[string]bool
	Ended string // how the seat ended, in words; "" while it waits
}

var ended = map[string]string{
	jury.Scored: "You answered. Thank you: it counts as a duty.", jury.Stepped: "You stepped back; the next in the draw was asked.",
	jury.Silent: "The time passed; the next in the draw was asked.",
}

// Duties shows panel duties as of now (Unix ms).
func Duties(list []marketplace.PanelDuty, now int64) []Duty {
	out := make([]Duty, 0, len(list))
	for _, d := range list {
		one := Duty{PanelDuty: d, Waits: d.State == jury.Waiting && now < d.Deadline, Said: map[string]bool{}}
		for _, id := range d.Yes {
			one.Said[id] = true
		}
		if !one.Waits {
			if one.Ended = ended[d.State]; d.State == jury.Waiting {
				one.Ended = ended[jury.Silent]
			}
		}
		out = append(out, one)
	}
	return out
}

// Vote is a vote on a period's model as its page shows it.
type Vote struct {
	marketplace.AdoptionVote
	Voted bool
}

// Takes reports whether it takes ballots.
func (v Vote) Takes() bool { return v.State == "voting" }

// Tag says how far it is, in words and in tone.
func (v Vote) Tag() [2]string {
	return map[string][2]string{"waiting": {"Opens when nobody contests it any more", "wait"}, "voting": {"Open for votes", "wait"}, "adopted": {"The model counts", "good"},
		"rejected": {"The formula alone counts", "off"}, "baseline": {"The formula alone counts", "off"}}[v.State]
}
