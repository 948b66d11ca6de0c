package codebook

import (
	"slices"
	"time"

	"distributed.ai/datacoop/marketplace/codebook/concept"
	"distributed.ai/datacoop/marketplace/codebook/decimal"
	"distributed.ai/datacoop/marketplace/codebook/genome"
)

// cell is a number that may be missing.
type cell struct {
	v  decimal.Number
	ok bool
}

func known(v decimal.Number) cell { return cell{v, true} }

// larger keeps the greater of two numbers, or the one there is.
func (c cell) larger(d cell) cell {
	if !c.ok || d.ok && d.v > c.v {
		return d
	}
	return c
}

// text writes a number as its column wants it; a missing one is empty.
func (c cell) text(col Column) string {
	if !c.ok {
		return ""
	}
	return c.v.Text(col.Decimals)
}

// holds reports whether a number, once rounded, lies within the column.
func (c Column) holds(v decimal.Number) bool {
	return v >= decimal.Whole(c.Min) && v <= decimal.Whole(c.Max)
}

// valid reports whether text is what this package writes for the column:
// empty, or canonical, within bounds and from the list.
func (c Column) valid(text string) bool {
	if text == "" {
		return true
	}
	switch c.Type {
	case TypeInteger, TypeDecimal:
		v, ok := decimal.Parse(text)
		return ok && c.holds(v) && v.Text(c.Decimals) == text
	case TypeDate:
		return validTime(time.DateOnly, text)
	case TypeTime:
		return validTime(c.layout(), text)
	case TypeCode:
		switch c.Scheme {
		case "clinical":
			return concept.Valid(text)
		case "dbsnp":
			return genome.ValidRS(text)
		}
		return slices.Contains(c.Codes, text)
	}
	return false
}

const localTime = "2006-01-02T15:04:05"

func (c Column) layout() string {
	if c.Unit == "UTC" {
		return localTime + "Z"
	}
	return localTime
}

func validTime(layout, text string) bool {
	t, err := time.Parse(layout, text)
	return err == nil && plausible(t) && t.Format(layout) == text
}

// plausible bounds dates to those a living person's data can carry.
func plausible(t time.Time) bool { return t.Year() >= 1900 && t.Year() < 2100 }
