package cgm

import (
	"io"
	"time"

	"distributed.ai/datacoop/marketplace/codebook/decimal"
	"distributed.ai/datacoop/marketplace/codebook/stream"
)

// Columns that Clarity's CSV is known by.
const (
	DexcomTime  = "Timestamp (YYYY-MM-DDThh:mm:ss)"
	DexcomMgDL  = "Glucose Value (mg/dL)"
	DexcomMmolL = "Glucose Value (mmol/L)"
)

// dexcomEvents are the event types that are read: what each is and where its
// value stands, empty for glucose.
var dexcomEvents = map[string]struct{ event, column string }{
	"EGV": {"reading", ""}, "Calibration": {"calibration", ""},
	"Insulin": {"insulin", "Insulin Value (u)"}, "Carbs": {"carbohydrates", "Carb Value (grams)"},
}

// Dexcom reads the CSV that Clarity offers to patients. Its first rows carry
// name and birthday as events, and every row a device id; neither is looked
// at. A value that found does not take is refused.
func Dexcom(r io.Reader, found func(Reading) bool) error {
	f, err := stream.OpenCSV(r)
	if err != nil {
		return err
	}
	for {
		more, err := f.Next()
		if err != nil || !more {
			return err
		}
		kind, ok := dexcomEvents[f.Text("Event Type")]
		if !ok {
			continue
		}
		reading, place, err := dexcom(f, kind.event, kind.column)
		if err != nil {
			return err
		}
		if !found(reading) {
			return f.Bad(place)
		}
	}
}

func dexcom(f *stream.CSV, event, column string) (r Reading, place string, err error) {
	text := f.Text(DexcomTime)
	at, err := time.Parse(Local, text)
	if err != nil {
		at, err = time.Parse(time.DateTime, text)
	}
	if err != nil || at.Year() < 1900 || at.Year() >= 2100 {
		return r, "", f.Bad("Timestamp")
	}
	r, place = Reading{Time: at.Format(Local), Event: event}, column
	factor := decimal.One
	if column == "" {
		column, place = DexcomMgDL, "Glucose Value"
		if f.Has(DexcomMmolL) {
			column, factor = DexcomMmolL, MgDLPerMmolL
		}
	}
	text = f.Text(column)
	switch {
	case text == "" && place == column: // an entry without a number
		return r, place, nil
	case place != column && text == "Low":
		r.Limit = "low"
		return r, place, nil
	case place != column && text == "High":
		r.Limit = "high"
		return r, place, nil
	}
	v, ok := decimal.Parse(text)
	if ok {
		v, ok = v.Times(factor)
	}
	if !ok {
		return r, place, f.Bad(place)
	}
	r.Value, r.Known = v, true
	return r, place, nil
}
