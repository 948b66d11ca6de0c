package synth

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"time"
)

// fitbitArchive is the archive of a Fitbit account: a file for each kind, and
// beside them files that nobody here reads.
func fitbitArchive(m *maker) {
	lives := m.lives()
	const folder = "Takeout/Fitbit/Global Export Data/"
	from := m.start.Format(time.DateOnly)
	w := zip.NewWriter(&m.Buffer)
	write := func(name, text string) {
		f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate}) // without a time, so that the bytes are always the same
		if err == nil {
			_, err = io.WriteString(f, text)
		}
		if err != nil {
			panic(err) // a buffer takes everything
		}
	}
	list := func(kind string, line func(l life) string) {
		var out bytes.Buffer
		for i, l := range lives {
			out.WriteString([]string{"[", ","}[min(i, 1)] + line(l))
		}
		write(folder+kind+"-"+from+".json", out.String()+"]\n")
	}
	value := func(kind string, of func(l life) int) {
		list(kind, func(l life) string {
			return fmt.Sprintf(`{"dateTime":"%s 00:00:00","value":"%d"}`, l.date.Format("01/02/06"), of(l))
		})
	}
	value("steps", func(l life) int { return l.steps })
	value("distance", func(l life) int { return l.metres * 100 })
	value("calories", func(l life) int { return l.basal + l.active })
	value("very_active_minutes", func(l life) int { return l.very })
	value("moderately_active_minutes", func(l life) int { return l.fairly })
	value("lightly_active_minutes", func(l life) int { return l.light })
	value("sedentary_minutes", func(l life) int { return l.still })
	list("heart_rate", func(l life) string {
		return fmt.Sprintf(`{"dateTime":"%s 12:00:00","value":{"bpm":%d,"confidence":2}}`, l.date.Format("01/02/06"), l.heart)
	})
	list("resting_heart_rate", func(l life) string {
		day := l.date.Format("01/02/06")
		return fmt.Sprintf(`{"dateTime":"%s 00:00:00","value":{"date":"%s","value":%d.5,"error":6.7}}`, day, day, l.resting)
	})
	list("sleep", func(l life) string {
		return fmt.Sprintf(`{"logId":%d,"dateOfSleep":"%s","startTime":"%sT00:10:30.000","minutesAsleep":%d,"timeInBed":%d,"mainSleep":true}`,
			l.date.Unix(), l.date.Format(time.DateOnly), l.date.Format(time.DateOnly), l.asleep, l.inBed)
	})
	list("weight", func(l life) string {
		return fmt.Sprintf(`{"logId":%d,"weight":%d.0,"bmi":%s,"fat":%d.%d,"date":"%s","time":"07:59:59","source":"%s"}`,
			l.date.Unix(), l.grams/454, hundredths(l.bmiHundredths), l.fatPer/10, l.fatPer%10, l.date.Format("01/02/06"), watch)
	})
	write("Takeout/Fitbit/Your Profile/Profile.csv", fmt.Sprintf("id,full_name,email\n%s,%s %s,%s\n", fitbitID, firstName, lastName, email))
	write("Takeout/Fitbit/Your Profile/Media/avatar.jpg", "no picture")
	if err := w.Close(); err != nil {
		panic(err)
	}
}
