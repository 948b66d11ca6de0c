package codebook

import (
	"io"
	"time"

	"distributed.ai/datacoop/marketplace/codebook/decimal"
	"distributed.ai/datacoop/marketplace/codebook/stream"
)

var glucoseBook = Codebook{
	Pool:  "glucose",
	Title: "Continuous glucose",
	Row:   "one sensor reading or diary entry",
	Columns: []Column{
		{Name: "time", Type: TypeTime, Unit: "local", Source: "Clarity: Timestamp",
			Description: "Time as the receiver's clock showed it; the export names no time zone."},
		{Name: "event", Type: TypeCode, Codes: []string{"calibration", "carbohydrates", "insulin", "reading"}, Source: "Clarity: Event Type Calibration, Carbs, Insulin, EGV",
			Description: "reading is an estimated glucose value of the sensor, every five minutes; calibration one from a finger prick."},
		{Name: "glucose_mg_dl", Type: TypeInteger, Unit: "mg/dL", Min: 10, Max: 1_000, Source: "Clarity: Glucose Value; mmol/L times 18.0182",
			Description: "Glucose; empty where the sensor was outside its range."},
		{Name: "limit", Type: TypeCode, Codes: []string{"high", "low"}, Source: "Clarity: Glucose Value High or Low",
			Description: "Which end of its range the sensor was beyond (usually 40 and 400 mg/dL)."},
		{Name: "insulin_u", Type: TypeDecimal, Unit: "U", Decimals: 2, Max: 300, Source: "Clarity: Insulin Value (u)",
			Description: "Insulin the person entered."},
		{Name: "carbs_g", Type: TypeDecimal, Unit: "g", Decimals: 1, Max: 2_000, Source: "Clarity: Carb Value (grams)",
			Description: "Carbohydrates the person entered."},
	},
}

const (
	dexcomTime   = "Timestamp (YYYY-MM-DDThh:mm:ss)"
	dexcomMgDL   = "Glucose Value (mg/dL)"
	dexcomMmolL  = "Glucose Value (mmol/L)"
	mgDLPerMmolL = 18_018_200 // millionths; molar mass of glucose 180.182 g/mol
)

// dexcom is the CSV that Clarity offers to patients. Its first rows carry name
// and birthday as "events", and every row a device id; neither is an event
// that is read here.
var dexcom = format{
	Format: Format{ID: "dexcom-clarity", Title: "Dexcom Clarity", File: "CLARITY_Export.csv",
		How: "On clarity.dexcom.eu or .com: Reports, Export, as CSV."},
	match: func(h head) bool {
		return h.has("Event Type", dexcomTime) && (h.has(dexcomMgDL) || h.has(dexcomMmolL))
	},
}

func glucosePool() pool {
	return pool{book: glucoseBook, formats: []format{dexcom}, reducer: func() reducer { return &glucose{} }}
}

type glucose struct{ found [][]string }

var dexcomEvents = map[string]string{"EGV": "reading", "Calibration": "calibration", "Insulin": "insulin", "Carbs": "carbohydrates"}

func (g *glucose) read(_ string, r io.Reader) error {
	f, err := stream.OpenCSV(r)
	if err != nil {
		return err
	}
	for {
		more, err := f.Next()
		if err != nil || !more {
			return err
		}
		event, ok := dexcomEvents[f.Text("Event Type")]
		if !ok {
			continue
		}
		row, err := dexcomRow(f, event)
		if err != nil {
			return err
		}
		if g.found = append(g.found, row); len(g.found) > maxRows {
			return ErrTooLarge
		}
	}
}

func dexcomRow(f *stream.CSV, event string) ([]string, error) {
	text := f.Text(dexcomTime)
	at, err := time.Parse(localTime, text)
	if err != nil {
		at, err = time.Parse(time.DateTime, text)
	}
	if err != nil || !plausible(at) {
		return nil, f.Bad("Timestamp")
	}
	row := []string{at.Format(localTime), event, "", "", "", ""}
	switch event {
	case "insulin":
		v, err := number(f, "Insulin Value (u)", glucoseBook.Columns[4])
		row[4] = v.text(glucoseBook.Columns[4])
		return row, err
	case "carbohydrates":
		v, err := number(f, "Carb Value (grams)", glucoseBook.Columns[5])
		row[5] = v.text(glucoseBook.Columns[5])
		return row, err
	}
	row[2], row[3], err = dexcomGlucose(f)
	return row, err
}

func dexcomGlucose(f *stream.CSV) (value, limit string, err error) {
	column, factor := dexcomMgDL, decimal.One
	if f.Has(dexcomMmolL) {
		column, factor = dexcomMmolL, mgDLPerMmolL
	}
	switch text := f.Text(column); text {
	case "Low":
		return "", "low", nil
	case "High":
		return "", "high", nil
	default:
		v, ok := decimal.Parse(text)
		if ok {
			v, ok = v.Times(factor)
		}
		if !ok || !glucoseBook.Columns[2].holds(v) {
			return "", "", f.Bad("Glucose Value")
		}
		return v.Text(0), "", nil
	}
}

func (g *glucose) rows() (result, error) { return result{rows: g.found, persons: 1}, nil }
