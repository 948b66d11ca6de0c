package synth

import (
	"fmt"
	"time"
)

// dexcom writes five-minute readings that rise after meals and drift at night,
// with the patient's name and birthday as first rows, as Clarity does.
func dexcom(m *maker) {
	m.printf("\ufeffIndex,Timestamp (YYYY-MM-DDThh:mm:ss),Event Type,Event Subtype,Patient Info,Device Info,Source Device ID,Glucose Value (mg/dL),Insulin Value (u),Carb Value (grams),Duration (hh:mm:ss),Glucose Rate of Change (mg/dL/min)\r\n")
	m.printf("1,,FirstName,,%s,,,,,,,\r\n2,,LastName,,%s,,,,,,,\r\n3,,DateOfBirth,,%s,,,,,,,\r\n4,,Device,,,Dexcom G6 Mobile App,%s,,,,,\r\n5,,Alert,High,,,%s,250,,,,\r\n", firstName, lastName, birthday, sensor, sensor)
	base, rise, index, level := m.between(92, 135), m.between(35, 110), 5, 100
	for i := range m.days {
		meals := [3]int{m.around(95, 12), m.around(152, 12), m.around(224, 14)} // in five-minute steps from midnight
		for step := range 288 {
			at := m.day(i).Add(time.Duration(step)*5*time.Minute + 17*time.Second).Format("2006-01-02T15:04:05")
			target := base
			for _, meal := range meals {
				if since := step - meal; since >= 0 && since < 30 {
					target += rise * min(since, 30-since) / 12
				}
				if step == meal {
					index += 2
					m.printf("%d,%s,Carbs,,,,%s,,,%d,,\r\n%d,%s,Insulin,Fast-Acting,,,%s,,%s,,,\r\n", index-1, at, sensor, m.between(20, 85), index, at, sensor, hundredths(m.between(4, 16)*50))
				}
			}
			level += (target-level)/6 + m.around(0, 4)
			index++
			m.printf("%d,%s,EGV,,,,%s,%s,,,,\r\n", index, at, sensor, sensed(level))
		}
	}
}

// sensed is what the sensor can say: it names its limits in words.
func sensed(level int) string {
	switch {
	case level < 40:
		return "Low"
	case level > 400:
		return "High"
	}
	return fmt.Sprint(level)
}

// netflix writes evenings: a few episodes in a row, a film at weekends.
func netflix(m *maker) {
	var lines []string
	episode := 0
	for i := range m.days {
		date := m.day(i).Format("02/01/2006")
		if m.oneIn(2) {
			for range m.between(1, 3) {
				episode++
				lines = append(lines, fmt.Sprintf("\"%s: Season %d: Episode %d\",\"%s\"\n", seriesName, episode/10+1, episode%10+1, date))
			}
		}
		if weekend(m.day(i)) && m.oneIn(2) {
			lines = append(lines, fmt.Sprintf("\"%s, part %d\",\"%s\"\n", filmName, i+1, date))
		}
	}
	m.printf("Title,Date\n")
	for i := len(lines) - 1; i >= 0; i-- {
		m.printf("%s", lines[i])
	}
}

const visitID = "0d9c4a57-31c2-4be6-8f10-" + "9e2b7c5d1a40"

func syntheaPatients(m *maker) {
	m.printf("Id,BIRTHDATE,DEATHDATE,SSN,DRIVERS,PASSPORT,PREFIX,FIRST,LAST,SUFFIX,MAIDEN,MARITAL,RACE,ETHNICITY,GENDER,BIRTHPLACE,ADDRESS,CITY,STATE,COUNTY,ZIP,LAT,LON,HEALTHCARE_EXPENSES,HEALTHCARE_COVERAGE\n")
	m.printf("%s,%s,,%s,,,Ms.,%s,%s,,,S,white,nonhispanic,F,%s,%s,%s,Utrecht,,3421,%s,4.868,1000.00,900.00\n", patientID, birthday, ssn, firstName, lastName, town, street, town, latitude)
}

// syntheaObservations measures once a month what a practice measures.
func syntheaObservations(m *maker) {
	m.printf("DATE,PATIENT,ENCOUNTER,CATEGORY,CODE,DESCRIPTION,VALUE,UNITS,TYPE\n")
	systolic, diastolic, sugar, grams := m.between(108, 142), m.between(68, 90), m.between(48, 64), m.between(56_000, 94_000)
	for i := 0; i < m.days; i += 30 {
		at := m.day(i).Add(9 * time.Hour).Format(time.RFC3339)
		line := func(category, code, name, value, unit, kind string) {
			m.printf("%s,%s,%s,%s,%s,%s,%s,%s,%s\n", at, patientID, visitID, category, code, name, value, unit, kind)
		}
		grams += m.around(0, 900)
		line("vital-signs", "8480-6", "Systolic Blood Pressure", fmt.Sprint(m.around(systolic, 9)), "mm[Hg]", "numeric")
		line("vital-signs", "8462-4", "Diastolic Blood Pressure", fmt.Sprint(m.around(diastolic, 6)), "mm[Hg]", "numeric")
		line("vital-signs", "29463-7", "Body Weight", fmt.Sprintf("%d.%d", grams/1000, grams/100%10), "kg", "numeric")
		line("laboratory", "4548-4", "Hemoglobin A1c", fmt.Sprintf("%d.%d", m.around(sugar, 3)/10, m.IntN(10)), "%", "numeric")
		line("survey", "72166-2", "Tobacco smoking status", "Never smoker says "+firstName, "", "text")
	}
}

// coded writes one line for each of some codes, drawn by the seed.
func (m *maker) coded(codes []string, line func(code string, day time.Time)) {
	first := true
	for _, code := range codes {
		if first || m.oneIn(2) {
			line(code, m.day(m.IntN(m.days)))
		}
		first = false
	}
}

func syntheaConditions(m *maker) {
	m.printf("START,STOP,PATIENT,ENCOUNTER,CODE,DESCRIPTION\n")
	m.coded([]string{"195662009", "73595000", "162864005", "53741008", "444814009"}, func(code string, day time.Time) {
		m.printf("%s,%s,%s,%s,%s,Condition of %s\n", day.Format(time.DateOnly), day.AddDate(0, 0, m.between(5, 20)).Format(time.DateOnly), patientID, visitID, code, firstName)
	})
}

func syntheaMedications(m *maker) {
	m.printf("START,STOP,PATIENT,PAYER,ENCOUNTER,CODE,DESCRIPTION,BASE_COST,PAYER_COVERAGE,DISPENSES,TOTALCOST,REASONCODE,REASONDESCRIPTION\n")
	m.coded([]string{"665078", "314076", "860975", "705129"}, func(code string, day time.Time) {
		m.printf("%s,,%s,%s,%s,%s,Prescribed to %s,7.24,0.00,3,21.72,,\n", day.Format(time.RFC3339), patientID, visitID, visitID, code, lastName)
	})
}

func syntheaProcedures(m *maker) {
	m.printf("START,STOP,PATIENT,ENCOUNTER,CODE,DESCRIPTION,BASE_COST,REASONCODE,REASONDESCRIPTION\n")
	m.coded([]string{"430193006", "868187001", "386516004"}, func(code string, day time.Time) {
		m.printf("%s,%s,%s,%s,%s,Procedure,735.40,,\n", day.Format(time.RFC3339), day.Add(time.Hour).Format(time.RFC3339), patientID, visitID, code)
	})
}

func syntheaImmunizations(m *maker) {
	m.printf("DATE,PATIENT,ENCOUNTER,CODE,DESCRIPTION,BASE_COST\n")
	m.coded([]string{"140", "113"}, func(code string, day time.Time) {
		m.printf("%s,%s,%s,%s,Vaccine,140.52\n", day.Format(time.RFC3339), patientID, visitID, code)
	})
}

func syntheaAllergies(m *maker) {
	m.printf("START,STOP,PATIENT,ENCOUNTER,CODE,SYSTEM,DESCRIPTION,TYPE,CATEGORY,REACTION1,DESCRIPTION1,SEVERITY1,REACTION2,DESCRIPTION2,SEVERITY2\n")
	m.coded([]string{"111088007", "84489001", "260147004"}, func(code string, day time.Time) {
		m.printf("%s,,%s,%s,%s,SNOMED-CT,Allergy,allergy,environment,418290006,Itching,MILD,,,\n", day.Format(time.DateOnly), patientID, visitID, code)
	})
}

func syntheaEncounters(m *maker) {
	m.printf("Id,START,STOP,PATIENT,ORGANIZATION,PROVIDER,PAYER,ENCOUNTERCLASS,CODE,DESCRIPTION,BASE_ENCOUNTER_COST,TOTAL_CLAIM_COST,PAYER_COVERAGE,REASONCODE,REASONDESCRIPTION\n")
	m.coded([]string{"185345009", "410620009"}, func(code string, day time.Time) {
		m.printf("%s,%s,%s,%s,%s,%s,%s,ambulatory,%s,Visit in %s,77.49,77.49,0.00,,\n", visitID, day.Format(time.RFC3339), day.Add(time.Hour).Format(time.RFC3339), patientID, visitID, visitID, visitID, code, town)
	})
}
