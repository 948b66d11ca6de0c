// Package calendar reads dates of which one number is the day and another the
// month, and nobody says which.
//
// Exports write dates in the order that their owner's language has. The
// package guarantees that a file is read one way from its first line to its
// last: the way in which every date exists, and of two such ways the one in
// which the file runs through time in one direction. Dates that begin with the
// year have no two readings, and dates with points between their numbers begin
// with the day in every country that writes them so.
//
// It refuses to guess: where both ways are as good, nothing is read.
package calendar

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/marketplace/codebook/stream"
)

// ErrAmbiguous refuses a file that can be read both ways.
var ErrAmbiguous = fault.New(fault.Invalid, "ambiguous-dates", "It cannot be told which number in this file's dates is the day and which the month.")

// Date is a date whose parts may be day and month or month and day.
type Date struct {
	first, second, year int
	fixed               bool // first is the day
}

// Parse reads a date of three numbers with one sign between them, or of the
// form 2026-03-01. A year of two digits is one of this century.
func Parse(text string) (Date, bool) {
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return Date{t.Day(), int(t.Month()), t.Year(), true}, true
	}
	if t, err := time.Parse("2006/01/02", text); err == nil {
		return Date{t.Day(), int(t.Month()), t.Year(), true}, true
	}
	separator := strings.Trim(text, "0123456789")
	separator = separator[:min(len(separator), 1)]
	parts := strings.Split(text, separator)
	if len(parts) != 3 {
		return Date{}, false
	}
	var n [3]int
	for i, part := range parts {
		v, err := strconv.ParseUint(part, 10, 14)
		if err != nil {
			return Date{}, false
		}
		n[i] = int(v)
	}
	if n[2] < 100 {
		n[2] += 2000
	}
	return Date{n[0], n[1], n[2], separator == "."}, true
}

// day reads the date one way or the other; "" where that is no date.
func (d Date) day(monthFirst bool) string {
	day, month := d.first, d.second
	if monthFirst && !d.fixed {
		day, month = month, day
	}
	t := time.Date(d.year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if t.Day() != day || int(t.Month()) != month || t.Year() < 1900 || t.Year() >= 2100 {
		return ""
	}
	return t.Format(time.DateOnly)
}

// NewestFirst and OneDirection are ways in which a file can run through time.
func NewestFirst(days []string) bool {
	return slices.IsSortedFunc(days, func(a, b string) int { return cmp.Compare(b, a) })
}

// OneDirection is from the oldest to the newest or the other way round.
func OneDirection(days []string) bool { return slices.IsSorted(days) || NewestFirst(days) }

// Resolve decides for a whole file and answers its dates as YYYY-MM-DD; runs
// tells whether days are in the order that such files have.
//
// Errors: ErrAmbiguous, and stream.ErrBadValue where a date does not exist.
func Resolve(dates []Date, runs func(days []string) bool) ([]string, error) {
	dayFirst, monthFirst := readAll(dates, false), readAll(dates, true)
	switch {
	case dayFirst == nil && monthFirst == nil && len(dates) > 0:
		return nil, stream.ErrBadValue.With("A date does not exist.")
	case monthFirst == nil || slices.Equal(dayFirst, monthFirst):
		return dayFirst, nil
	case dayFirst == nil:
		return monthFirst, nil
	}
	a, b := runs(dayFirst), runs(monthFirst)
	switch {
	case a && !b:
		return dayFirst, nil
	case b && !a:
		return monthFirst, nil
	}
	return nil, ErrAmbiguous
}

func readAll(dates []Date, monthFirst bool) []string {
	var out []string
	for _, d := range dates {
		day := d.day(monthFirst)
		if day == "" {
			return nil
		}
		out = append(out, day)
	}
	return out
}
