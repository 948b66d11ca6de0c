package codebook

import (
	"cmp"
	"io"
	"slices"
	"strconv"
	"time"

	"distributed.ai/datacoop/marketplace/codebook/fit"
	"distributed.ai/datacoop/marketplace/codebook/track"
)

var activitiesBook = Codebook{
	Pool:  "activities",
	Title: "Sport by activity",
	Row:   "one recorded activity, such as a run",
	Columns: []Column{
		{Name: "date", Type: TypeDate, Unit: "UTC", Source: "FIT: start_time; TCX: Id, Lap StartTime; GPX: first time of the track; Garmin: beginTimestamp; Strava: Activity Date",
			Description: "Day on which it began, in universal time."},
		{Name: "hour", Type: TypeInteger, Unit: "UTC", Max: 23, Source: "as date",
			Description: "Hour in which it began, in universal time. The minute is left out."},
		{Name: "sport", Type: TypeCode, Codes: track.Sports, Source: "FIT: sport; TCX: Sport; GPX: type; Garmin: activityType; Strava: Activity Type",
			Description: "Kind of sport, gathered from the providers' own words; other where it is none of these, empty where the file does not say."},
		{Name: "distance_km", Type: TypeDecimal, Unit: "km", Decimals: 2, Max: 2_000, Source: "FIT: total_distance; TCX: DistanceMeters of the laps; GPX: computed from the track; Garmin: distance; Strava: Distance",
			Description: "Way covered. Places are left out: of a track only its length remains."},
		{Name: "duration_min", Type: TypeDecimal, Unit: "min", Decimals: 1, Max: 20_160, Source: "FIT: total_elapsed_time; TCX: TotalTimeSeconds; GPX: first to last time; Garmin: elapsedDuration, else duration; Strava: Elapsed Time",
			Description: "Time from beginning to end, with breaks."},
		{Name: "moving_min", Type: TypeDecimal, Unit: "min", Decimals: 1, Max: 20_160, Source: "FIT: total_timer_time; Garmin: movingDuration; Strava: Moving Time",
			Description: "Time in motion, as the device tells it."},
		{Name: "climb_m", Type: TypeInteger, Unit: "m", Max: 30_000, Source: "FIT: total_ascent; Garmin: elevationGain; Strava: Elevation Gain; GPX and TCX: sum of the rises of 3 m and more",
			Description: "Metres climbed. Devices count very differently; rises computed from a track include the receiver's noise."},
		{Name: "mean_heart_rate", Type: TypeInteger, Unit: "1/min", Min: 20, Max: 250, Source: "FIT: avg_heart_rate; TCX: AverageHeartRateBpm by lap time; GPX: mean of the track points; Garmin: avgHr; Strava: Average Heart Rate",
			Description: "Mean heart rate."},
		{Name: "max_heart_rate", Type: TypeInteger, Unit: "1/min", Min: 20, Max: 250, Source: "FIT: max_heart_rate; TCX: MaximumHeartRateBpm; GPX: greatest of the track points; Garmin: maxHr; Strava: Max Heart Rate",
			Description: "Greatest heart rate."},
		{Name: "mean_speed_kmh", Type: TypeDecimal, Unit: "km/h", Decimals: 1, Max: 400, Source: "FIT: avg_speed; else distance by time in motion, or by the whole time",
			Description: "Mean speed."},
		{Name: "max_speed_kmh", Type: TypeDecimal, Unit: "km/h", Decimals: 1, Max: 400, Source: "FIT: max_speed; TCX: MaximumSpeed; Strava: Max Speed",
			Description: "Greatest speed, as the device tells it."},
		{Name: "energy_kcal", Type: TypeInteger, Unit: "kcal", Max: 30_000, Source: "FIT: total_calories; TCX: Calories; Strava: Calories",
			Description: "Energy used, as the device estimates it."},
	},
}

// Formats of sport. Where several tell of the same activity, the first of them
// is believed and the others complete it.
var activityFormats = []format{
	{Format: Format{ID: "fit-activity", Title: "Activity recording (FIT)", File: "activity.fit",
		How: "From the watch, or of one activity in Garmin Connect: Export original. Or the archive of a Strava account."},
		match: func(h head) bool { return fit.Is(h.start) && fit.Type(h.start) == track.TypeActivity }},
	{Format: Format{ID: "tcx", Title: "Activity recording (TCX)", File: "activity.tcx", How: "Of one activity in Garmin Connect or Polar Flow: Export to TCX."},
		match: func(h head) bool { return h.root == "TrainingCenterDatabase" }},
	{Format: Format{ID: "gpx", Title: "Activity recording (GPX)", File: "activity.gpx", How: "Of one activity in your sport app: Export GPX. Only length, time, climb and heart rate are kept."},
		match: func(h head) bool { return h.root == "gpx" }},
	{Format: Format{ID: "garmin-activities", Title: "Garmin account archive", File: "summarizedActivities.json",
		How: "On garmin.com: Account, Manage your data, Export. The archive, or the files of DI-Connect-Fitness in it."},
		match: func(h head) bool { return h.contains(`"summarizedActivitiesExport"`) }},
	{Format: Format{ID: "strava-activities", Title: "Strava activities", File: "activities.csv",
		How: "On strava.com: Settings, My account, Download your account. The archive, or the activities.csv in it."},
		match: func(h head) bool { return h.has("Activity ID", "Activity Date", "Activity Type") }},
}

func activitiesPool() pool {
	return pool{book: activitiesBook, formats: activityFormats, reducer: func() reducer { return &activities{} }, apart: true}
}

// recording is an activity with the place of its format among the formats.
type recording struct {
	track.Activity
	format int
}

type activities struct {
	all     []recording
	skipped int
}

func (a *activities) read(formatID string, r io.Reader) (err error) {
	rank := slices.IndexFunc(activityFormats, func(f format) bool { return f.ID == formatID })
	var here []recording
	found := func(t track.Activity) { here = append(here, recording{t, rank}) }
	skipped := 0
	switch formatID {
	case "fit-activity":
		err = track.FIT(r, found)
	case "tcx":
		err = track.TCX(r, found)
	case "gpx":
		skipped, err = track.GPX(r, found)
	case "garmin-activities":
		skipped, err = track.Garmin(r, found)
	case "strava-activities":
		skipped, err = track.Strava(r, found)
	}
	if err != nil {
		return err
	}
	if a.all, a.skipped = append(a.all, here...), a.skipped+skipped; len(a.all) > maxRows {
		return ErrTooLarge
	}
	return nil
}

// sameStart is how far apart two recordings of one activity begin at most.
const sameStart = 5 * time.Second

func (a *activities) rows() (result, error) {
	slices.SortFunc(a.all, recording.compare)
	var once []recording
	for _, r := range a.all {
		if n := len(once) - 1; n >= 0 && r.Start.Sub(once[n].Start) <= sameStart {
			if r.format < once[n].format {
				r, once[n] = once[n], r
			}
			once[n].Complete(r.Activity)
			continue
		}
		once = append(once, r)
	}
	res := result{persons: 1, skipped: a.skipped}
	for _, r := range once {
		res.rows = append(res.rows, activityRow(r.Activity))
	}
	return res, nil
}

func (r recording) compare(s recording) int {
	order := cmp.Or(r.Start.Compare(s.Start), cmp.Compare(r.format, s.format), cmp.Compare(r.Sport, s.Sport))
	for i := 0; order == 0 && i < track.Figures; i++ {
		order = cmp.Compare(r.Figures[i].Value, s.Figures[i].Value)
	}
	return order
}

// activityRow leaves out figures that cannot be an activity's.
func activityRow(a track.Activity) []string {
	row := []string{a.Start.Format(time.DateOnly), strconv.Itoa(a.Start.Hour()), a.Sport}
	for i, f := range a.Figures {
		column := activitiesBook.Columns[3+i]
		text := ""
		if f.Known && column.holds(f.Value) {
			text = f.Value.Text(column.Decimals)
		}
		row = append(row, text)
	}
	return row
}
