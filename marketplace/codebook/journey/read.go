package journey

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"distributed.ai/datacoop/marketplace/codebook/decimal"
	"distributed.ai/datacoop/marketplace/codebook/stream"
)

// lists are the lists that hold the entries of a format.
var lists = map[string]string{Records: "locations", Semantic: "timelineObjects", Android: "semanticSegments", IPhone: ""}

// Read takes in one file of a format. Entries that do not say what they should
// are counted and left out. Errors: stream.ErrMalformedFile, stream.ErrTooLarge.
func (d *Diary) Read(format string, r io.Reader) error {
	entry := map[string]func([]byte) error{Records: d.record, Semantic: d.object, Android: d.segment, IPhone: d.segment}[format]
	return stream.EachJSON(r, lists[format], entry)
}

// parsed reads an entry; it reports false for one of other types, which is
// skipped.
func (d *Diary) parsed(text []byte, into any) (bool, error) {
	err := json.Unmarshal(text, into)
	var other *json.UnmarshalTypeError
	if errors.As(err, &other) {
		d.skipped++
		return false, nil
	}
	if err != nil {
		return false, stream.ErrMalformedFile
	}
	return true, nil
}

// e7 is a coordinate in ten-millionths of a degree. Some exports wrote it
// without its sign, in 32 bits.
type e7 int64

// place is a point in any of the spellings.
type place struct {
	LatitudeE7, LatE7  *e7
	LongitudeE7, LngE7 *e7
}

func (p place) point() (point, bool) {
	lat, lng := first(p.LatitudeE7, p.LatE7), first(p.LongitudeE7, p.LngE7)
	if lat == nil || lng == nil {
		return point{}, false
	}
	return onEarth(unwrapped(int64(*lat), 900_000_000), unwrapped(int64(*lng), 1_800_000_000))
}

func first(a, b *e7) *e7 {
	if a != nil {
		return a
	}
	return b
}

func unwrapped(v, most int64) int64 {
	if v > most && v < 1<<32 {
		v -= 1 << 32
	}
	return v
}

func onEarth(lat, lng int64) (point, bool) {
	if lat < -900_000_000 || lat > 900_000_000 || lng < -1_800_000_000 || lng > 1_800_000_000 {
		return point{}, false
	}
	return point{int32(lat), int32(lng)}, true
}

// guess is what a phone thought it was doing.
type guess struct {
	Type       string
	Confidence float64
}

func (d *Diary) record(text []byte) error {
	var r struct {
		place
		TimestampMs, Timestamp string
		Accuracy               float64
		Activity               []struct{ Activity []guess }
		Activitys              []struct{ Activities []guess }
	}
	if ok, err := d.parsed(text, &r); !ok || err != nil {
		return err
	}
	where, known := r.point()
	at, _, ok := moment(r.Timestamp, r.TimestampMs)
	if !known || !ok {
		d.skipped++
		return nil
	}
	f := fix{at: at, where: where, accuracy: int32(min(max(r.Accuracy, 0), tooVague+1))}
	for _, a := range r.Activity {
		f.mode = max(f.mode, likeliest(a.Activity))
	}
	for _, a := range r.Activitys {
		f.mode = max(f.mode, likeliest(a.Activities))
	}
	return d.fix(f)
}

func likeliest(guesses []guess) uint8 {
	var best guess
	for _, g := range guesses {
		if m := modeOf(g.Type); m != other && g.Confidence > best.Confidence {
			best = g
		}
	}
	return uint8(modeOf(best.Type)) //nolint:gosec // there are seven
}

// modes by Google's names, without what lies between the words.
var names = map[string]int{
	"": still, "still": still, "walking": Walk, "onfoot": Walk, "running": Walk, "hiking": Walk, "cycling": Cycle, "onbicycle": Cycle,
	"invehicle": Drive, "inroadvehicle": Drive, "inpassengervehicle": Drive, "intwowheelervehicle": Drive, "infourwheelervehicle": Drive,
	"incar": Drive, "intaxi": Drive, "driving": Drive, "motorcycling": Drive,
	"inbus": Ride, "intrain": Ride, "insubway": Ride, "intram": Ride, "inferry": Ride, "inrailvehicle": Ride, "incablecar": Ride,
	"infunicular": Ride, "ingondolalift": Ride, "flying": Fly,
}

var joiner = strings.NewReplacer("_", "", " ", "")

func modeOf(name string) int {
	m, ok := names[joiner.Replace(strings.ToLower(name))]
	if !ok {
		return other
	}
	return m
}

// moment reads a time in one of the two spellings, with how many seconds the
// clock was ahead of UTC if the text says so.
func moment(text, millis string) (at int64, offset *int64, ok bool) {
	if text == "" {
		ms, err := strconv.ParseInt(millis, 10, 64)
		return ms / 1000, nil, err == nil && plausible(ms/1000)
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0, nil, false
	}
	if !strings.HasSuffix(text, "Z") {
		_, seconds := t.Zone()
		ahead := int64(seconds)
		offset = &ahead
	}
	return t.Unix(), offset, plausible(t.Unix())
}

// plausible bounds times to those of phones.
func plausible(seconds int64) bool { return seconds > 0 && seconds < 4_000_000_000 }

// unquoted is the text of a number that may be written as one or in quotes.
func unquoted(raw json.RawMessage) string { return string(bytes.Trim(raw, `"`)) }

// distance reads metres; it reports false where there are none.
func distance(raw json.RawMessage) (int64, bool) {
	v, ok := decimal.Parse(unquoted(raw))
	return int64(v / decimal.One), ok && v >= 0
}
