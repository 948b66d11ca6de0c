// Package synth invents personal exports in the formats that people really
// have, for samples, demonstrations and tests.
//
// It guarantees that the same format, seed, start and length give the same
// bytes on every machine (integer arithmetic only), that values are plausible
// (people sleep at night, walk differently at weekends, are paid once a month)
// and differ between seeds, and that every export is full of invented
// identifiers, exactly where the real format has them. [Planted] lists them,
// so that tests can look for them where they must never be.
//
// It refuses to use anybody's data: nothing here was copied from an export.
// Formats of one pool describe the same life for the same seed.
package synth

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"time"
)

// Identifiers of a person who does not exist, and of the things around her.
const (
	firstName  = "Rosalind"
	lastName   = "Achterberg"
	email      = "rosalind.achterberg@example.org"
	phone      = "+31 70 555 0142"
	street     = "17 Fernhill Lane"
	town       = "Oudewater"
	birthday   = "1979-03-14"
	watch      = "Rosalind’s Apple Watch"
	iphone     = "Rosalind's iPhone"
	hardware   = "Watch6,7"
	fitbitID   = "8093452617"
	customer   = "90417733"
	iban       = "NL02COOP0417164300"
	accountID  = "5108773321"
	employer   = "Zonneveld Bakkers"
	patientID  = "5c1f6a4e-8d02-4b7c-9a51-7e0c33d9f1b8"
	ssn        = "999-41-7077"
	sensor     = "SM68U4F1K2"
	seriesName = "The Lantern Keepers"
	filmName   = "A Quiet Orchard"
	latitude   = "52.024713"
	longitude  = "4.751208"
	latitudeE7 = "520247130"
	placeID    = "ChIJAchterberg17Fernhill"
	kit        = "RA0417-B22K"
	website    = "achterberg.example"
	song       = "Song for Oma"
	channel    = "UCZonneveldKanaal"
	streamer   = "rosalind79"
)

// Planted lists every identifier that exports may carry. None may ever appear
// in a reduced table or a profile.
func Planted() []string {
	return []string{
		firstName, lastName, email, phone, street, town, birthday, watch, iphone, hardware, fitbitID, customer,
		iban, accountID, employer, patientID, ssn, sensor, seriesName, filmName, latitude,
		longitude, latitudeE7, placeID, kit, website, song, channel, streamer,
	}
}

// maker is one export in the making.
type maker struct {
	seed  uint64
	start time.Time // midnight UTC
	days  int
	*rand.Rand
	bytes.Buffer
}

// exports names the file and writes it, by format.
var exports = map[string]struct {
	file  string
	write func(*maker)
}{
	"fitbit-daily-activity": {"dailyActivity_merged.csv", fitbitActivity},
	"fitbit-sleep-day":      {"sleepDay_merged.csv", fitbitSleep},
	"fitbit-weight":         {"weightLogInfo_merged.csv", fitbitWeight},
	"apple-health":          {"export.zip", appleZip},
	"green-button":          {"greenbutton.xml", greenButton},
	"ofx":                   {"statement.ofx", ofx},
	"camt.053":              {"camt053.xml", camt},
	"dexcom-clarity":        {"CLARITY_Export_" + lastName + "_" + firstName + ".csv", dexcom},
	"netflix-viewing":       {"NetflixViewingHistory.csv", netflix},
	"fitbit-archive":        {"takeout.zip", fitbitArchive},
	"fhir-bundle":           {"bundle.json", fhirBundle},
	"fhir-ndjson":           {"record.ndjson", fhirLines},
	"open-mhealth":          {"datapoints.json", openMHealth},
	"libreview":             {firstName + lastName + "_glucose.csv", libre},
	"openaps":               {"entries.json", openAPS},
	"bank-csv":              {"Umsaetze_" + iban + ".csv", bankCSV},
	"fit-activity":          {"activity.fit", fitActivity},
	"fit-weight":            {"scale.fit", fitWeight},
	"tcx":                   {"activity.tcx", tcx},
	"gpx":                   {"activity.gpx", gpx},
	"garmin-activities":     {email + "_0_summarizedActivities.json", garminActivities},
	"strava-activities":     {"activities.csv", stravaActivities},
	"23andme":               {"genome_" + firstName + "_" + lastName + "_v5_Full.txt", twentyThree},
	"ancestrydna":           {"AncestryDNA.txt", ancestry},
	"ftdna":                 {kit + "_Autosomal_o37_Results.csv", ftdna},
	"ftdna-famfinder":       {kit + "_Family_Finder.csv", famFinder},
	"living-dna":            {"Full_genotypes.txt", livingDNA},
	"myheritage":            {"MyHeritage_raw_dna_data.csv", myHeritage},
	"vcf":                   {lastName + ".vcf", vcf},
	"genotype-table":        {"genotypes.csv", genotypeTable},
	"google-timeline":       {"Timeline.json", timelineAndroid},
	"google-timeline-ios":   {"location-history.json", timelinePhone},
	"google-semantic":       {"2026_JANUARY.json", semanticHistory},
	"google-records":        {"Records.json", locationRecords},
	"chrome-history":        {"History", chromeHistory},
	"firefox-history":       {"places.sqlite", firefoxHistory},
	"safari-history":        {"History.db", safariHistory},
	"qutebrowser-history":   {"history.sqlite", quteHistory},
	"browserexport":         {"history.jsonl", browserExport},
	"google-chrome":         {"History.json", chromeTakeout},
	"google-activity":       {"MyActivity.json", googleActivity},
	"spotify-extended":      {"Streaming_History_Audio_2026_0.json", spotifyExtended},
	"spotify-account":       {"StreamingHistory_music_0.json", spotifyAccount},
	"youtube-history":       {"watch-history.json", youTube},
	"synthea-patients":      {"patients.csv", syntheaPatients},
	"synthea-observations":  {"observations.csv", syntheaObservations},
	"synthea-conditions":    {"conditions.csv", syntheaConditions},
	"synthea-medications":   {"medications.csv", syntheaMedications},
	"synthea-procedures":    {"procedures.csv", syntheaProcedures},
	"synthea-immunizations": {"immunizations.csv", syntheaImmunizations},
	"synthea-allergies":     {"allergies.csv", syntheaAllergies},
	"synthea-encounters":    {"encounters.csv", syntheaEncounters},
}

// Export writes an export of the given format that begins on the day of start
// (in UTC) and covers that many days. It reports false for a format that it
// does not know and for fewer than one day or more than ten years.
func Export(format string, seed uint64, start time.Time, days int) (file string, data []byte, ok bool) {
	e, ok := exports[format]
	if !ok || days < 1 || days > 3660 {
		return "", nil, false
	}
	m := &maker{seed: seed, start: start.UTC().Truncate(24 * time.Hour), days: days}
	m.reseed(format)
	e.write(m)
	return e.file, m.Bytes(), true
}

// reseed starts the stream of random numbers for one subject, so that formats
// with the same subject tell the same story.
func (m *maker) reseed(subject string) {
	h := fnv.New64a()
	_, _ = h.Write([]byte(subject))
	m.Rand = rand.New(rand.NewPCG(m.seed, h.Sum64())) //nolint:gosec // invented data must be reproducible
}

func (m *maker) printf(format string, args ...any) { fmt.Fprintf(&m.Buffer, format, args...) }

func (m *maker) day(i int) time.Time { return m.start.AddDate(0, 0, i) }

// around is mean, give or take at most spread, more often close than far.
func (m *maker) around(mean, spread int) int {
	return mean - spread + m.IntN(spread+1) + m.IntN(spread+1)
}

// between is evenly spread from low to high, both included.
func (m *maker) between(low, high int) int { return low + m.IntN(high-low+1) }

func (m *maker) oneIn(n int) bool { return m.IntN(n) == 0 }

func weekend(t time.Time) bool { return t.Weekday() == time.Saturday || t.Weekday() == time.Sunday }

// hundredths writes an integer of hundredths with a point.
func hundredths(n int) string {
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	return fmt.Sprintf("%s%d.%02d", sign, n/100, n%100)
}
