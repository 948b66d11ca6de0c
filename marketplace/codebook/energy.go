package codebook

import (
	"cmp"
	"encoding/xml"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"distributed.ai/datacoop/marketplace/codebook/decimal"
	"distributed.ai/datacoop/marketplace/codebook/stream"
)

var energyBook = Codebook{
	Pool:  "energy",
	Title: "Electricity by interval",
	Row:   "one interval of one meter reading",
	Columns: []Column{
		{Name: "meter", Type: TypeInteger, Min: 1, Max: 1_000, Source: "numbered by the reducer; ESPI: MeterReading link, which is dropped",
			Description: "Number of the series within this export, from 1: one meter, one direction, one resolution. Do not add series without looking at flow and duration."},
		{Name: "start", Type: TypeTime, Unit: "UTC", Source: "ESPI: IntervalReading timePeriod start",
			Description: "Begin of the interval."},
		{Name: "duration_s", Type: TypeInteger, Unit: "s", Min: 1, Max: 40_000_000, Source: "ESPI: IntervalReading timePeriod duration",
			Description: "Length of the interval."},
		{Name: "energy_wh", Type: TypeInteger, Unit: "Wh", Min: -1_000_000_000, Max: 1_000_000_000, Source: "ESPI: IntervalReading value times ten to the ReadingType powerOfTenMultiplier, uom 72",
			Description: "Energy in the interval, rounded to whole watt-hours where the meter counts finer. Net series can be negative."},
		{Name: "flow", Type: TypeCode, Codes: []string{"delivered", "net", "received", "total"}, Source: "ESPI: ReadingType flowDirection 1, 4, 19, 20",
			Description: "delivered to the home, received from it (own generation), net or total of both; empty where the utility does not say."},
	},
	Also: "Electricity use tells when somebody is at home, and so about everybody in the household.",
}

// greenButton is NAESB ESPI in Atom, as utilities offer it under the name
// Green Button Download My Data. Codes: ESPI schema, UomType and
// FlowDirectionType.
var greenButton = format{
	Format: Format{ID: "green-button", Title: "Green Button (ESPI)", File: "greenbutton.xml",
		How: "On your utility's website: Green Button, Download My Data."},
	match: func(h head) bool {
		return slices.Contains([]string{"feed", "entry", "IntervalBlock"}, h.root) && h.contains("http://naesb.org/espi")
	},
}

func energyPool() pool {
	return pool{book: energyBook, formats: []format{greenButton}, reducer: func() reducer {
		return &energy{types: map[string]readingType{}, typeOf: map[string]string{}, series: map[string]map[interval]int64{}}
	}}
}

const wattHours = "72"

var flows = map[string]string{"1": "delivered", "4": "net", "19": "received", "20": "total"}

// readingType is what a series counts. The zero values of ESPI's optional
// elements mean "not applicable".
type readingType struct{ multiplier, uom, flow, accumulation, commodity string }

// usable reports whether values are energy per interval, in watt-hours of
// electricity: no register states (3), no instantaneous values (12), no gas.
func (t readingType) usable() bool {
	return t.uom == wattHours && slices.Contains([]string{"", "0", "1", "2"}, t.commodity) &&
		slices.Contains([]string{"", "0", "4"}, t.accumulation)
}

type interval struct{ start, duration int64 }

// energy keeps values as written until all links are known: a reading type may
// follow the readings, or come in another file of the same export.
type energy struct {
	types  map[string]readingType // by their own link
	typeOf map[string]string      // link of the meter reading to link of the type
	series map[string]map[interval]int64
	count  int
}

// entry is the Atom entry being read.
type entry struct {
	self, up string
	typeLink string // of the reading type, where the entry names one
	kind     string
	readings map[interval]int64
	current  struct{ start, duration, value string }
	typ      readingType
}

func (e *energy) read(_ string, r io.Reader) error {
	x, now := stream.NewXML(r), entry{}
	x.Start = func(attrs []xml.Attr) error {
		now.open(x, attrs)
		return nil
	}
	x.End = func(text string) error { return e.close(x, &now, text) }
	if err := x.Walk(); err != nil {
		return err
	}
	e.commit(now)
	return nil
}

func (n *entry) open(x *stream.XML, attrs []xml.Attr) {
	switch name := x.Path[len(x.Path)-1]; name {
	case "entry":
		*n = entry{}
	case "link":
		n.link(stream.Attr(attrs, "rel"), stream.Attr(attrs, "href"))
	case "IntervalBlock", "ReadingType", "MeterReading":
		n.kind = name
	case "IntervalReading":
		n.current.start, n.current.duration, n.current.value = "", "", ""
	}
}

func (n *entry) link(rel, href string) {
	switch {
	case rel == "self":
		n.self = href
	case rel == "up":
		n.up = href
	case rel == "related" && strings.Contains(href, "ReadingType/"):
		n.typeLink = href
	}
}

func (e *energy) close(x *stream.XML, n *entry, text string) error {
	switch {
	case x.At("entry"):
		e.commit(*n)
		*n = entry{}
	case x.At("IntervalReading"):
		return e.reading(n)
	case x.At("IntervalReading", "timePeriod", "start"):
		n.current.start = text
	case x.At("IntervalReading", "timePeriod", "duration"):
		n.current.duration = text
	case x.At("IntervalReading", "value"):
		n.current.value = text
	case len(x.Path) > 1 && x.At("ReadingType", x.Path[len(x.Path)-1]):
		n.typ.set(x.Path[len(x.Path)-1], text)
	}
	return nil
}

func (t *readingType) set(element, text string) {
	switch element {
	case "powerOfTenMultiplier":
		t.multiplier = text
	case "uom":
		t.uom = text
	case "flowDirection":
		t.flow = text
	case "accumulationBehaviour":
		t.accumulation = text
	case "commodity":
		t.commodity = text
	}
}

// reading takes one interval. Of two for the same time the later one counts:
// utilities correct readings by appending.
func (e *energy) reading(n *entry) error {
	start, err1 := strconv.ParseInt(n.current.start, 10, 64)
	duration, err2 := strconv.ParseInt(n.current.duration, 10, 64)
	value, err3 := strconv.ParseInt(n.current.value, 10, 64)
	if e.count++; e.count > maxRows {
		return ErrTooLarge
	}
	if err1 != nil || err2 != nil || err3 != nil || !plausible(time.Unix(start, 0).UTC()) {
		return stream.BadValue("Interval reading", e.count, "start, duration or value")
	}
	if n.readings == nil {
		n.readings = map[interval]int64{}
	}
	n.readings[interval{start, duration}] = value
	return nil
}

func (e *energy) commit(n entry) {
	switch n.kind {
	case "ReadingType":
		e.types[n.self] = n.typ
	case "MeterReading":
		e.typeOf[n.self] = n.typeLink
	case "IntervalBlock":
		key := meterReading(n)
		if e.series[key] == nil {
			e.series[key] = map[interval]int64{}
		}
		maps.Copy(e.series[key], n.readings)
	}
}

// meterReading is the link of the meter reading that a block belongs to.
func meterReading(n entry) string {
	for _, href := range []string{n.up, n.self} {
		if key, _, ok := strings.Cut(href, "/IntervalBlock"); ok {
			return key
		}
	}
	return ""
}

func (e *energy) rows() (result, error) {
	res, number := result{persons: 1}, 0
	for _, key := range slices.SortedFunc(maps.Keys(e.series), byNumber) {
		t, ok := e.typeFor(key)
		if !ok {
			return result{}, ErrUnknownUnit
		}
		if !t.usable() {
			continue
		}
		number++
		rows, err := seriesRows(number, t, e.series[key])
		if err != nil {
			return result{}, err
		}
		res.rows = append(res.rows, rows...)
	}
	if number == 0 && len(e.series) > 0 {
		return result{}, ErrUnknownUnit
	}
	return res, nil
}

// typeFor follows the links; where a feed leaves them out, it may only have
// one kind of reading.
func (e *energy) typeFor(key string) (readingType, bool) {
	if t, ok := e.types[e.typeOf[key]]; ok {
		return t, true
	}
	var only readingType
	distinct := map[readingType]bool{}
	for _, t := range e.types {
		only, distinct[t] = t, true
	}
	return only, len(distinct) == 1
}

func seriesRows(number int, t readingType, readings map[interval]int64) ([][]string, error) {
	power, err := strconv.Atoi(cmp.Or(t.multiplier, "0"))
	if err != nil || power < -12 || power > 12 {
		return nil, ErrUnknownUnit
	}
	wh, duration := energyBook.Columns[3], energyBook.Columns[2]
	rows := make([][]string, 0, len(readings))
	for at, value := range readings {
		v, ok := decimal.Parse(strconv.FormatInt(value, 10) + "e" + strconv.Itoa(power))
		if !ok || !wh.holds(v) || at.duration < duration.Min || at.duration > duration.Max {
			return nil, ErrBadValue.With("An interval reading is out of range.")
		}
		rows = append(rows, []string{
			strconv.Itoa(number), time.Unix(at.start, 0).UTC().Format(localTime + "Z"),
			strconv.FormatInt(at.duration, 10), v.Text(0), flows[t.flow],
		})
	}
	return rows, nil
}
