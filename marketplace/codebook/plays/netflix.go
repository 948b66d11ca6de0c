package plays

import (
	"io"
	"strings"

	"distributed.ai/datacoop/marketplace/codebook/calendar"
	"distributed.ai/datacoop/marketplace/codebook/stream"
)

// maxViewings bounds what is held until the order of the dates is known.
const maxViewings = 3_200_000

// netflix reads the viewing history a profile's owner can download: two
// columns, newest first, dates in the order of the account's language.
func netflix(r io.Reader, add func(Play) error) error {
	f, err := stream.OpenCSV(r)
	if err != nil {
		return err
	}
	var titles []string
	var dates []calendar.Date
	for {
		more, err := f.Next()
		if err != nil {
			return err
		}
		if !more {
			break
		}
		d, ok := calendar.Parse(f.Text("Date"))
		if !ok {
			return f.Bad("Date")
		}
		if titles, dates = append(titles, f.Text("Title")), append(dates, d); len(titles) > maxViewings {
			return stream.ErrTooLarge
		}
	}
	days, err := calendar.Resolve(dates, calendar.NewestFirst)
	if err != nil {
		return err
	}
	for i, title := range titles {
		if err := add(viewing(days[i], title)); err != nil {
			return err
		}
	}
	return nil
}

// viewing reads the shape of a title: episodes share the part before the
// first colon.
func viewing(day, title string) Play {
	name, rest, _ := strings.Cut(title, ": ")
	if strings.Contains(rest, ": ") {
		return Play{Date: day, Kind: Episode, Series: name, Title: title, Millis: -1}
	}
	return Play{Date: day, Kind: Title, Title: title, Millis: -1}
}
