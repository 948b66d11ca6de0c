package codebook

import (
	"slices"

	"distributed.ai/datacoop/internal/fault"
)

// Narrowing is what a member leaves out of their table before they share it.
type Narrowing struct {
	Without []string // names of columns whose cells are emptied
	From    string   // first day that stays, YYYY-MM-DD; empty for no limit
	To      string   // last day that stays
}

// Refusals of a narrowing.
var (
	ErrUnknownColumn = fault.New(fault.Invalid, "unknown-column", "This table has no such column.")
	ErrBadDay        = fault.New(fault.Invalid, "bad-day", "A day is written as a year, a month and a day.")
	ErrNothingLeft   = fault.New(fault.Invalid, "nothing-left", "If all this is left out, nothing is left to share.")
)

// Narrow leaves out of a table what the member does not want to share and
// answers what stays, with its profile; p is the profile of the whole table.
// The days are those of the first column of dates, UTC where that column is;
// with a limit, a row without a day is left out. Columns stay in place and are
// empty, so that the result is a table of the same pool. Rows that have become
// equal count once.
//
// Errors: ErrUnknownColumn, ErrBadDay, ErrNothingLeft.
func (t Table) Narrow(p Profile, n Narrowing) (Table, Profile, error) {
	for _, day := range []string{n.From, n.To} {
		if day != "" && !(Column{Type: TypeDate}).valid(day) {
			return Table{}, Profile{}, ErrBadDay
		}
	}
	emptied := make([]bool, len(t.Codebook.Columns))
	for _, name := range n.Without {
		i := slices.IndexFunc(t.Codebook.Columns, func(c Column) bool { return c.Name == name })
		if i < 0 {
			return Table{}, Profile{}, ErrUnknownColumn
		}
		emptied[i] = true
	}
	out := Table{Codebook: t.Codebook}
	for _, row := range t.Rows {
		if row = n.row(row, t.dayColumn(), emptied); row != nil {
			out.Rows = append(out.Rows, row)
		}
	}
	out.canonical()
	if len(out.Rows) == 0 {
		return Table{}, Profile{}, ErrNothingLeft
	}
	narrowed := profileOf(out, p.Format, out.persons(p.Persons), p.Skipped)
	narrowed.Left = p.Left
	return out, narrowed, nil
}

// row is what stays of a row; nil if nothing does.
func (n Narrowing) row(row []string, day int, emptied []bool) []string {
	if n.From != "" || n.To != "" {
		on := dayOf(row, day)
		if on == "" || on < n.From || n.To != "" && on > n.To {
			return nil
		}
	}
	out, left := make([]string, len(row)), false
	for i, cell := range row {
		if !emptied[i] {
			out[i], left = cell, left || cell != ""
		}
	}
	if !left {
		return nil
	}
	return out
}

// persons counts the people of a table that numbers them; before is how many
// there were before anything was left out.
func (t Table) persons(before int) int {
	i := slices.IndexFunc(t.Codebook.Columns, func(c Column) bool { return c.Name == "person" })
	if i < 0 {
		return before
	}
	seen := map[string]bool{}
	for _, row := range t.Rows {
		if row[i] != "" {
			seen[row[i]] = true
		}
	}
	if len(seen) == 0 {
		return before // the numbers were left out; the people were not
	}
	return len(seen)
}

// Days are the first and the last day of a table, YYYY-MM-DD; both are empty
// where it tells none.
func (t Table) Days() (first, last string) {
	column := t.dayColumn()
	for _, row := range t.Rows {
		day := dayOf(row, column)
		if day != "" && (first == "" || day < first) {
			first = day
		}
		last = max(last, day)
	}
	return first, last
}

// dayColumn is the first column of dates or times, or -1.
func (t Table) dayColumn() int {
	return slices.IndexFunc(t.Codebook.Columns, func(c Column) bool { return c.Type == TypeDate || c.Type == TypeTime })
}

func dayOf(row []string, column int) string {
	if column < 0 || row[column] == "" {
		return ""
	}
	return row[column][:len("2006-01-02")]
}
