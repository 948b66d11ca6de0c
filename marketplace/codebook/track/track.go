// Package track reduces recordings of sport to one summary for each activity.
//
// It reads GPX, TCX and FIT files, the activity summaries of a Garmin account
// and the list of activities of a Strava account, and answers an [Activity]
// each: when it began, what sport, how far, how long, how high, how fast, and
// the heart. The package guarantees that no place, no name and no device is in
// an Activity: coordinates are turned into distances as they are read and
// forgotten. Distances are computed alike on every machine, from millionths of
// a degree and with rounding at every step.
//
// It refuses to guess: what a file does not tell stays unknown, and a track
// without times is the plan of a route and no activity.
package track

import (
	"strings"
	"time"

	"distributed.ai/datacoop/marketplace/codebook/decimal"
)

// Figures of an activity.
const (
	Distance  = iota // km
	Duration         // min, from start to end
	Moving           // min
	Climb            // m upwards
	MeanHeart        // 1/min
	MaxHeart         // 1/min
	MeanSpeed        // km/h
	MaxSpeed         // km/h
	Energy           // kcal
	Figures
)

// Figure is a number that may be unknown.
type Figure struct {
	Value decimal.Number
	Known bool
}

// Activity is the summary of one recording.
type Activity struct {
	Start   time.Time // UTC
	Sport   string    // one of Sports
	Figures [Figures]Figure
}

// Sports is every sport that is told apart, in order.
var Sports = []string{"cycling", "hiking", "other", "rowing", "running", "skiing", "strength", "swimming", "walking"}

// words lead to sports; the first that a provider's own word holds decides.
var words = []struct{ part, sport string }{
	{"e_bik", "cycling"}, {"bik", "cycling"}, {"ride", "cycling"}, {"cycl", "cycling"},
	{"run", "running"}, {"jog", "running"}, {"hik", "hiking"}, {"mountaineer", "hiking"}, {"walk", "walking"},
	{"swim", "swimming"}, {"ski", "skiing"}, {"snowboard", "skiing"}, {"row", "rowing"}, {"kayak", "rowing"}, {"paddl", "rowing"}, {"canoe", "rowing"},
	{"strength", "strength"}, {"weight", "strength"}, {"crossfit", "strength"},
}

// SportOf is the sport that a provider's word means; "other" if it is not told
// apart and empty if there is no word.
func SportOf(word string) string {
	word = strings.ToLower(strings.TrimSpace(word))
	if word == "" || word == "0" {
		return ""
	}
	for _, w := range words {
		if strings.Contains(word, w.part) {
			return w.sport
		}
	}
	return "other"
}

// set keeps a number in a unit of the figure's, factor millionths of it to one.
func (a *Activity) set(figure int, v decimal.Number, factor decimal.Number) {
	if v, ok := v.Times(factor); ok && v >= 0 {
		a.Figures[figure] = Figure{v, true}
	}
}

// positive is set for figures of which zero means unknown.
func (a *Activity) positive(figure int, v decimal.Number, factor decimal.Number) {
	if v > 0 {
		a.set(figure, v, factor)
	}
}

// Factors to the units of the figures, in millionths.
const (
	fromMetres    decimal.Number = 1_000     // to km
	fromPerSecond decimal.Number = 3_600_000 // m/s to km/h
	same          decimal.Number = 1_000_000
)

// minutes keeps seconds as minutes, exactly.
func (a *Activity) minutes(figure int, seconds decimal.Number) {
	if seconds >= 0 {
		a.Figures[figure] = Figure{seconds.Per(60), true}
	}
}

// speed completes the mean speed from distance and time in motion, or the
// whole time where that is unknown.
func (a *Activity) speed() {
	spent := a.Figures[Moving]
	if !spent.Known {
		spent = a.Figures[Duration]
	}
	distance := a.Figures[Distance]
	if a.Figures[MeanSpeed].Known || !spent.Known || !distance.Known || spent.Value < decimal.One/10 {
		return
	}
	tenths := int64(spent.Value) / 100_000 // of a minute
	if perHour, ok := distance.Value.Times(decimal.Whole(600)); ok {
		a.Figures[MeanSpeed] = Figure{perHour.Per(tenths), true}
	}
}

// Complete fills what is unknown of a from another summary of the same
// activity.
func (a *Activity) Complete(b Activity) {
	if a.Sport == "" {
		a.Sport = b.Sport
	}
	for i := range a.Figures {
		if !a.Figures[i].Known {
			a.Figures[i] = b.Figures[i]
		}
	}
}
