package codebook

import (
	"cmp"
	"slices"

	"distributed.ai/datacoop/marketplace/codebook/stream"
)

// Profile is what leaves the member's machine beside the ciphertext: what kind
// of data it is and how much of it, in the codebook's own words. It holds no
// value, no name of a file, a column or a device that the export brought.
type Profile struct {
	Format   string   `json:"format"` // ids of the formats that were read, joined by "+"
	Pool     string   `json:"pool"`
	Rows     int      `json:"rows"`
	Columns  []string `json:"columns"`  // those of the codebook that hold at least one value
	From     string   `json:"from"`     // first month, YYYY-MM
	To       string   `json:"to"`       // last month, YYYY-MM
	Coverage int      `json:"coverage"` // permille of cells that hold a value
	Days     int      `json:"days"`     // distinct dates
	Persons  int      `json:"persons"`
	Skipped  int      `json:"skipped"` // records of a known kind that could not be read and were left out
	Left     []Left   `json:"-"`       // files of an archive that were not read; it stays on the member's machine
}

// Left counts the files of one kind that an archive held and nobody read.
type Left struct {
	Kind  string `json:"kind"` // one of the Left constants, in the singular
	Count int    `json:"count"`
}

// Kinds of files that were left out of an archive, beside those of package
// stream: LeftPicture and so on.
const (
	LeftOtherPool = "file for another pool"
	LeftDamaged   = "damaged file"
	LeftLog       = stream.LeftLog
)

// AddLeft counts together what several readings left out.
func AddLeft(lists ...[]Left) []Left {
	counts := map[string]int{}
	for _, l := range slices.Concat(lists...) {
		counts[l.Kind] += l.Count
	}
	return leftOut(counts)
}

// leftOut lists what was left out, most of it first.
func leftOut(counts map[string]int) []Left {
	out := []Left{}
	for kind, n := range counts {
		out = append(out, Left{kind, n})
	}
	slices.SortFunc(out, func(a, b Left) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Kind, b.Kind)) })
	return out
}

func profileOf(t Table, format string, persons, skipped int) Profile {
	p := Profile{Format: format, Pool: t.Codebook.Pool, Rows: len(t.Rows), Persons: persons, Skipped: skipped}
	filled := 0
	for i, c := range t.Codebook.Columns {
		n := t.filled(i)
		filled += n
		if n > 0 {
			p.Columns = append(p.Columns, c.Name)
		}
	}
	if cells := len(t.Rows) * len(t.Codebook.Columns); cells > 0 {
		p.Coverage = int(int64(filled) * 1000 / int64(cells))
	}
	p.span(t)
	return p
}

func (t Table) filled(column int) (n int) {
	for _, row := range t.Rows {
		if row[column] != "" {
			n++
		}
	}
	return n
}

// span takes months and days from the first column that holds a date or time.
func (p *Profile) span(t Table) {
	column, days := t.dayColumn(), map[string]bool{}
	for _, row := range t.Rows {
		if day := dayOf(row, column); day != "" {
			days[day] = true
		}
	}
	p.Days = len(days)
	first, last := t.Days()
	p.From, p.To = month(first), month(last)
}

func month(day string) string { return day[:min(len(day), len("2006-01"))] }

// Rounded is the profile with every count rounded to one significant digit,
// for places where exact numbers could tell who somebody is.
func (p Profile) Rounded() Profile {
	p.Rows, p.Days, p.Persons, p.Skipped = oneDigit(p.Rows), oneDigit(p.Days), oneDigit(p.Persons), oneDigit(p.Skipped)
	p.Coverage = p.Coverage / 100 * 100
	return p
}

func oneDigit(n int) int {
	step := 1
	for n/step >= 10 {
		step *= 10
	}
	return (n + step/2) / step * step
}
