// Package chart draws what became of the requests for a dataset, month by
// month, as the figures of a picture that a template prints.
//
// It is an annex of the portal. The picture is SVG made on the server: it needs
// no script, scales with the page and takes its colours from the style sheet, so
// that it is right in both themes. What it shows can be told apart without
// colour, and the same figures stand beside it in a table.
//
// # What it guarantees
//
// Every month of the last twelve is there, also one in which nothing happened;
// bars of one chart have one scale, whose top is a round number.
//
// # What it refuses
//
// To count: it is handed moments. What is older than its months is left out.
package chart

import "time"

// The picture's own units. A telephone shows them about one to one.
const (
	width, height = 360, 150
	left, top     = 26, 10
	floor         = 122 // where bars stand
	months        = 12
	step          = (width - left) / months
	bar           = 10
)

// Bar is one rectangle.
type Bar struct{ X, Y, W, H int }

// Month is one month's figures, and where they are drawn.
type Month struct {
	Name, Short   string // "March 2026" and "Mar"
	Read, Refused int
	Yes, No       Bar
	Middle        int
}

// Line is a horizontal line of the scale.
type Line struct{ Value, Y int }

// Chart is a picture of twelve months.
type Chart struct {
	Width, Height, Left, Floor int
	Months                     []Month
	Scale                      []Line
	Read, Refused              int // in all of them
}

// Empty reports whether there is nothing to see.
func (c Chart) Empty() bool { return c.Read+c.Refused == 0 }

// Months draws the twelve months that end with now's. The moments are Unix
// milliseconds and may be in any order.
func Months(now time.Time, read, refused []int64) Chart {
	first := time.Date(now.UTC().Year(), now.UTC().Month()-months+1, 1, 0, 0, 0, 0, time.UTC)
	c := Chart{Width: width, Height: height, Left: left, Floor: floor, Months: make([]Month, months)}
	for i := range c.Months {
		m := first.AddDate(0, i, 0)
		c.Months[i] = Month{Name: m.Format("January 2006"), Short: m.Format("Jan"), Middle: left + i*step + step/2}
	}
	count := func(moments []int64, to func(*Month)) (all int) {
		for _, ms := range moments {
			t := time.UnixMilli(ms).UTC()
			i := (t.Year()-first.Year())*months + int(t.Month()-first.Month())
			if i >= 0 && i < months {
				to(&c.Months[i])
				all++
			}
		}
		return all
	}
	c.Read = count(read, func(m *Month) { m.Read++ })
	c.Refused = count(refused, func(m *Month) { m.Refused++ })
	c.draw()
	return c
}

func (c *Chart) draw() {
	most := 1
	for _, m := range c.Months {
		most = max(most, m.Read, m.Refused)
	}
	most = round(most)
	up := func(n int) int { return n * (floor - top) / most }
	for i := range c.Months {
		m := &c.Months[i]
		m.Yes = Bar{m.Middle - bar - 1, floor - up(m.Read), bar, up(m.Read)}
		m.No = Bar{m.Middle + 1, floor - up(m.Refused), bar, up(m.Refused)}
	}
	c.Scale = []Line{{0, floor}, {most, floor - up(most)}}
	if most%2 == 0 {
		c.Scale = append(c.Scale, Line{most / 2, floor - up(most/2)})
	}
}

// round is the next number that a scale can end with: 1, 2, 4 or 10 with zeros.
func round(n int) int {
	for zeros := 1; ; zeros *= 10 {
		for _, digit := range []int{1, 2, 4} {
			if n <= digit*zeros {
				return digit * zeros
			}
		}
	}
}
