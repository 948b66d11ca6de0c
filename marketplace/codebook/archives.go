package codebook

import (
	"io"
	"strconv"
	"time"

	"distributed.ai/datacoop/marketplace/codebook/fit"
	"distributed.ai/datacoop/marketplace/codebook/fitbit"
	"distributed.ai/datacoop/marketplace/codebook/track"
)

// Fitbit's own archive and the files of a scale.
var (
	fitbitArchive = format{
		Format: Format{ID: "fitbit-archive", Title: "Fitbit account archive", File: "steps-2026-01-01.json",
			How: "On takeout.google.com: choose Fitbit. The archive, or the files of its folder Global Export Data."},
		match: func(h head) bool { return fitbit.Is(h.name, h.fields) },
	}
	fitWeight = format{
		Format: Format{ID: "fit-weight", Title: "Weight scale (FIT)", File: "scale.fit", How: "From a scale that speaks ANT+, or exported from Garmin Connect."},
		match:  func(h head) bool { return fit.Is(h.start) && fit.Type(h.start) == track.TypeWeight },
	}
)

var fitbitColumns = map[string]int{
	fitbit.Steps: wSteps, fitbit.Distance: wDistance, fitbit.Energy: wEnergy, fitbit.Heart: wMeanHeart, fitbit.Resting: wRestingHeart,
	fitbit.Very: wVeryActive, fitbit.Fairly: wFairlyActive, fitbit.Lightly: wLightlyActive, fitbit.Sedentary: wSedentary,
	fitbit.Asleep: wAsleep, fitbit.InBed: wInBed, fitbit.BMI: wBMI, fitbit.Fat: wBodyFat,
}

// readNamed is read for files that need their name to be understood.
func (w *wearables) readNamed(formatID, name string, r io.Reader) error {
	if formatID == fitbitArchive.ID {
		return w.archive.Read(name, r)
	}
	return w.read(formatID, r)
}

func archived(a *fitbit.Archive) days {
	out := days{}
	a.Each(func(f fitbit.Figure) { out.of(dayKey{date: f.Day})[fitbitColumns[f.Kind]] = known(f.Value) })
	for _, d := range out {
		*d = d.bounded()
	}
	return out
}

// readScale takes the last weight of a day. People whom the scale told apart
// stay apart.
func readScale(r io.Reader) (days, int, error) {
	out, skipped, people := days{}, 0, map[int64]bool{}
	var all []track.Weighing
	err := track.Scale(r, func(w track.Weighing) {
		people[w.Person] = true
		all = append(all, w)
	})
	last := map[dayKey]int64{}
	for _, w := range all {
		at := time.Unix(w.Unix, 0).UTC()
		if !plausible(at) {
			skipped++
			continue
		}
		k := dayKey{date: at.Format(time.DateOnly)}
		if len(people) > 1 {
			k.person = strconv.FormatInt(w.Person, 10)
		}
		if d := out.of(k); w.Unix >= last[k] {
			last[k] = w.Unix
			d[wWeight], d[wBodyFat] = cell{w.Kg.Value, w.Kg.Known}, cell{w.Fat.Value, w.Fat.Known}
			*d = d.bounded()
		}
	}
	return out, skipped, err
}
