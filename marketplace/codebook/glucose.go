package codebook

import (
	"io"

	"distributed.ai/datacoop/marketplace/codebook/cgm"
)

var glucoseBook = Codebook{
	Pool:  "glucose",
	Title: "Continuous glucose",
	Row:   "one sensor reading or diary entry",
	Columns: []Column{
		{Name: "time", Type: TypeTime, Unit: "local", Source: "Clarity: Timestamp; LibreView: Device Timestamp; OpenAPS: dateString, timestamp, created_at",
			Description: "Time as the receiver's clock showed it, or as the entry itself writes it; no time zone is kept."},
		{Name: "event", Type: TypeCode, Codes: []string{"calibration", "carbohydrates", "insulin", "reading"}, Source: "Clarity: Event Type Calibration, Carbs, Insulin, EGV; LibreView: Record Type 0 to 5; OpenAPS: sgv, mbg, carbs, insulin, Bolus",
			Description: "reading is an estimated glucose value of the sensor, every five to fifteen minutes; calibration one from a finger prick."},
		{Name: "glucose_mg_dl", Type: TypeInteger, Unit: "mg/dL", Min: 10, Max: 1_000, Source: "Clarity: Glucose Value; LibreView: Historic, Scan or Strip Glucose; OpenAPS: sgv, mbg; mmol/L times 18.0182",
			Description: "Glucose; empty where the sensor was outside its range."},
		{Name: "limit", Type: TypeCode, Codes: []string{"high", "low"}, Source: "Clarity: Glucose Value High or Low; LibreView: HI or LO",
			Description: "Which end of its range the sensor was beyond (usually 40 and 400 mg/dL)."},
		{Name: "insulin_u", Type: TypeDecimal, Unit: "U", Decimals: 2, Max: 300, Source: "Clarity: Insulin Value (u); LibreView: Rapid-Acting Insulin; OpenAPS: insulin, amount of a Bolus",
			Description: "Insulin the person entered."},
		{Name: "carbs_g", Type: TypeDecimal, Unit: "g", Decimals: 1, Max: 2_000, Source: "Clarity: Carb Value (grams); LibreView: Carbohydrates (grams); OpenAPS: carbs",
			Description: "Carbohydrates the person entered."},
	},
}

// dexcom is the CSV that Clarity offers to patients. Its first rows carry name
// and birthday as "events", and every row a device id; neither is an event
// that is read here.
var dexcom = format{
	Format: Format{ID: "dexcom-clarity", Title: "Dexcom Clarity", File: "CLARITY_Export.csv",
		How: "On clarity.dexcom.eu or .com: Reports, Export, as CSV."},
	match: func(h head) bool {
		return h.has("Event Type", cgm.DexcomTime) && (h.has(cgm.DexcomMgDL) || h.has(cgm.DexcomMmolL))
	},
}

func glucosePool() pool {
	return pool{book: glucoseBook, formats: []format{dexcom, libre, loop}, reducer: func() reducer { return &glucose{} }}
}

// libre and loop are read by package cgm.
var (
	libre = format{
		Format: Format{ID: "libreview", Title: "FreeStyle Libre (LibreView)", File: "LibreView_glucose.csv",
			How: "On libreview.com: Glucose history, Download glucose data."},
		match: func(h head) bool { return cgm.IsLibre(h.start) },
	}
	loop = format{
		Format: Format{ID: "openaps", Title: "OpenAPS and Nightscout entries", File: "glucose.json",
			How: "From an OpenAPS rig: glucose.json, carbhistory.json and pumphistory.json. From Nightscout: entries and treatments as JSON."},
		match: func(h head) bool { return cgm.IsLoop(h.fields) },
	}
)

type glucose struct {
	found   [][]string
	skipped int
}

// reading takes what package cgm found; a value that cannot be is counted.
func (g *glucose) reading(r cgm.Reading) {
	if !g.takes(r) {
		g.skipped++
	}
}

// takes reports false for a value that cannot be.
func (g *glucose) takes(r cgm.Reading) bool {
	row := []string{r.Time, r.Event, "", r.Limit, "", ""}
	to := map[string]int{"insulin": 4, "carbohydrates": 5}[r.Event]
	if to == 0 {
		to = 2
	}
	if column := glucoseBook.Columns[to]; r.Known && !column.holds(r.Value) {
		return false
	} else if r.Known {
		row[to] = r.Value.Text(column.Decimals)
	}
	if len(g.found) <= maxRows { // one more than there may be says that there are too many
		g.found = append(g.found, row)
	}
	return true
}

func (g *glucose) read(formatID string, r io.Reader) error {
	switch formatID {
	case libre.ID:
		return cgm.Libre(r, g.reading)
	case loop.ID:
		skipped, err := cgm.Loop(r, g.reading)
		g.skipped += skipped
		return err
	}
	return cgm.Dexcom(r, g.takes)
}

func (g *glucose) rows() (result, error) {
	if len(g.found) > maxRows {
		return result{}, ErrTooLarge
	}
	return result{rows: g.found, persons: 1, skipped: g.skipped}, nil
}
