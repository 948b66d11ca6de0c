package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"distributed.ai/datacoop/cmd/datacoop/exports"
	"distributed.ai/datacoop/web/client"
)

// preview says what would be shared, completely: the columns, how much, from
// when, the first rows, and on which terms.
func preview(w io.Writer, coop string, p client.Preview, terms []string) {
	if p.Raw {
		fmt.Fprintf(w, "%s would get this file as it is, with everything in it, encrypted:\n\n", coop)
		rows(w, "size", bytesOf(p.Size), "recognised", p.Profile.Format)
	} else {
		fmt.Fprintf(w, "%s would get this table, encrypted, and nothing else of your export:\n\n", coop)
		profile := p.Profile
		rows(w, "table", p.Title, "from", profile.Format, "rows", strconv.Itoa(profile.Rows),
			"dates", span(profile.From, profile.To, profile.Days), "filled", percent(profile.Coverage)+" of the cells",
			"persons", strconv.Itoa(profile.Persons), "size", bytesOf(p.Size))
		columns(w, p)
		firstRows(w, p)
	}
	if p.Profile.Fingerprint != "" {
		fmt.Fprintln(w, "\nBeside it goes a fingerprint (SHA-256) of what is encrypted, so that the same data are not paid for twice. The co-op keeps it only under a secret key.")
	}
	if said := exports.Said(p.Left); said != "" {
		fmt.Fprintln(w, "\n"+said)
	}
	if p.Warning != "" {
		fmt.Fprintf(w, "\nMind: %s\n", p.Warning)
	}
	fmt.Fprintln(w)
	for _, s := range terms {
		fmt.Fprintln(w, s)
	}
}

// columns lists those that hold anything.
func columns(w io.Writer, p client.Preview) {
	fmt.Fprintln(w, "\n  columns")
	filled := map[string]bool{}
	for _, name := range p.Profile.Columns {
		filled[name] = true
	}
	for _, c := range p.Columns {
		if !filled[c.Name] {
			continue
		}
		unit := ""
		if c.Unit != "" {
			unit = " (" + c.Unit + ")"
		}
		fmt.Fprintf(w, "    %-24s %s%s\n", c.Name, c.Description, unit)
	}
}

func firstRows(w io.Writer, p client.Preview) {
	fmt.Fprintln(w, "\n  first rows")
	names := make([]string, len(p.Columns))
	for i, c := range p.Columns {
		names[i] = c.Name
	}
	for _, row := range append([][]string{names}, p.Rows...) {
		fmt.Fprintln(w, "    "+strings.Join(row, ","))
	}
}
