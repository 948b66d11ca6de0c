package synth

import (
	"archive/zip"
	"bytes"
	"fmt"
	"html"
	"time"
)

const appleStamp = "2006-01-02 15:04:05 +0100"

// appleDTD is the shape of the declaration that Apple puts before the data.
const appleDTD = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE HealthData [
<!-- HealthKit Export Version: 14 -->
<!ELEMENT HealthData (ExportDate,Me,(Record|Correlation|Workout|ActivitySummary|ClinicalRecord)*)>
<!ATTLIST HealthData
  locale CDATA #REQUIRED
>
<!ELEMENT ExportDate EMPTY>
<!ATTLIST ExportDate
  value CDATA #REQUIRED
>
<!ELEMENT Record ((MetadataEntry|HeartRateVariabilityMetadataList)*)>
<!ATTLIST Record
  type          CDATA #REQUIRED
  unit          CDATA #IMPLIED
  value         CDATA #IMPLIED
  sourceName    CDATA #REQUIRED
  startDate     CDATA #REQUIRED
  endDate       CDATA #REQUIRED
>
<!-- Note: Any Records that appear as children of a correlation also appear as top-level records in this document. -->
<!ELEMENT Correlation ((MetadataEntry|Record)*)>
]>
`

// appleZip packs what the Health app packs: the data, and beside it files that
// must not be read: a clinical document, an electrocardiogram and a route.
func appleZip(m *maker) {
	var packed bytes.Buffer
	archive := zip.NewWriter(&packed)
	for _, f := range []struct{ name, text string }{
		{"export_cda.xml", "<ClinicalDocument><patient><name>" + firstName + " " + lastName + "</name></patient></ClinicalDocument>"},
		{"electrocardiograms/ecg_2026-01-03.csv", "Name," + firstName + " " + lastName + "\nDate of Birth," + birthday + "\n"},
		{"workout-routes/route_2026-01-03.gpx", `<gpx><trk><trkpt lat="` + latitude + `" lon="4.868"/></trk></gpx>`},
		{"export.xml", appleXML(m)},
	} {
		w, err := archive.CreateHeader(&zip.FileHeader{Name: "apple_health_export/" + f.name, Method: zip.Deflate, Modified: m.start})
		if err != nil {
			panic(err) // a buffer and constant names cannot fail
		}
		_, _ = w.Write([]byte(f.text))
	}
	_ = archive.Close() // a buffer takes everything
	m.Reset()
	_, _ = m.Write(packed.Bytes())
}

func appleXML(m *maker) string {
	lives := m.lives()
	m.printf("%s<HealthData locale=\"nl_NL\">\n <ExportDate value=\"%s\"/>\n", appleDTD, m.day(m.days).Format(appleStamp))
	m.printf(" <Me HKCharacteristicTypeIdentifierDateOfBirth=%q HKCharacteristicTypeIdentifierBiologicalSex=\"HKBiologicalSexFemale\"/>\n", birthday)
	for _, l := range lives {
		if l.worn {
			appleWorn(m, l)
		}
		appleRecord(m, "HKQuantityTypeIdentifierStepCount", iphone, "count", l.date.Add(9*time.Hour), 8*time.Hour, fmt.Sprint(l.steps*7/10))
		if l.weighed {
			at := l.date.Add(7*time.Hour + 12*time.Minute)
			appleRecord(m, "HKQuantityTypeIdentifierBodyMass", "Scale of "+firstName, "kg", at, 0, hundredths(l.grams/10))
			appleRecord(m, "HKQuantityTypeIdentifierBodyMassIndex", "Scale of "+firstName, "count", at, 0, hundredths(l.bmiHundredths))
			appleRecord(m, "HKQuantityTypeIdentifierBodyFatPercentage", "Scale of "+firstName, "%", at, 0, fmt.Sprintf("0.%03d", l.fatPer))
		}
	}
	for _, l := range lives {
		if l.worn {
			m.printf(" <ActivitySummary dateComponents=%q activeEnergyBurned=\"%d\" activeEnergyBurnedGoal=\"500\" activeEnergyBurnedUnit=\"kcal\" appleExerciseTime=\"%d\" appleExerciseTimeGoal=\"30\" appleStandHours=\"11\" appleStandHoursGoal=\"12\"/>\n",
				l.date.Format(time.DateOnly), l.active, l.very+l.fairly)
		}
	}
	m.printf("</HealthData>\n")
	return m.String()
}

// appleWorn writes what the watch records of a day and the night before it.
func appleWorn(m *maker, l life) {
	for part := range 4 {
		at, length := l.date.Add(time.Duration(8+3*part)*time.Hour), 50*time.Minute
		appleRecord(m, "HKQuantityTypeIdentifierStepCount", watch, "count", at, length, fmt.Sprint((l.steps+part)/4))
		appleRecord(m, "HKQuantityTypeIdentifierDistanceWalkingRunning", watch, "km", at, length, fmt.Sprintf("%d.%03d", l.metres/4/1000, l.metres/4%1000))
		appleRecord(m, "HKQuantityTypeIdentifierActiveEnergyBurned", watch, "kcal", at, length, hundredths(l.active*25))
		appleRecord(m, "HKQuantityTypeIdentifierBasalEnergyBurned", watch, "kcal", at, length, hundredths(l.basal*25))
		appleRecord(m, "HKQuantityTypeIdentifierHeartRate", watch, "count/min", at, 0, fmt.Sprint(m.around(l.heart, 9)))
	}
	appleRecord(m, "HKQuantityTypeIdentifierAppleExerciseTime", watch, "min", l.date.Add(17*time.Hour), 30*time.Minute, fmt.Sprint(l.very+l.fairly))
	appleRecord(m, "HKQuantityTypeIdentifierRestingHeartRate", watch, "count/min", l.date, 23*time.Hour, fmt.Sprint(l.resting))
	up := l.date.Add(7 * time.Hour)
	bed := up.Add(-time.Duration(l.inBed) * time.Minute)
	appleRecord(m, "HKCategoryTypeIdentifierSleepAnalysis", iphone, "", bed, up.Sub(bed), "HKCategoryValueSleepAnalysisInBed")
	deep := time.Duration(l.asleep/5) * time.Minute
	core := time.Duration(l.asleep)*time.Minute - 2*deep
	for _, s := range []struct {
		stage  string
		length time.Duration
	}{{"Core", core}, {"Deep", deep}, {"REM", deep}} {
		appleRecord(m, "HKCategoryTypeIdentifierSleepAnalysis", watch, "", bed, s.length, "HKCategoryValueSleepAnalysisAsleep"+s.stage)
		bed = bed.Add(s.length)
	}
}

func appleRecord(m *maker, kind, source, unit string, at time.Time, length time.Duration, value string) {
	if unit != "" {
		unit = fmt.Sprintf(" unit=%q", unit)
	}
	m.printf(" <Record type=%q sourceName=\"%s\" sourceVersion=\"11.2\" device=\"&lt;&lt;HKDevice: 0x3012772a0&gt;, name:%s, hardware:%s&gt;\"%s creationDate=%q startDate=%q endDate=%q value=%q/>\n",
		kind, html.EscapeString(source), html.EscapeString(source), hardware, unit, at.Add(length).Format(appleStamp), at.Format(appleStamp), at.Add(length).Format(appleStamp), value)
}
