package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"distributed.ai/datacoop/cmd/datacoop/custody"
	"distributed.ai/datacoop/cmd/datacoop/exports"
	"distributed.ai/datacoop/cmd/datacoop/render"
	"distributed.ai/datacoop/marketplace/codebook"
	"distributed.ai/datacoop/web/client"
)

// ReduceCmd reduces an export to a pool's table, to look at before sharing
// anything. It needs no server.
type ReduceCmd struct {
	Pool  string   `required:"" placeholder:"POOL" help:"The pool whose table to make, such as wearables."`
	Out   string   `short:"o" type:"path" placeholder:"FILE" help:"File for the table. Default: standard output."`
	JSON  bool     `name:"json" help:"Answer the profile as JSON; the table goes to --out."`
	Paths []string `arg:"" name:"path" help:"Files of the export, or folders that hold them."`
}

// Run writes the table as CSV and says on standard error what is in it.
func (c *ReduceCmd) Run() error {
	if c.JSON && c.Out == "" {
		return plain(errors.New("with --json, say with --out where the table goes"), "")
	}
	files, left, err := exports.Open(c.Pool, c.Paths)
	if err != nil {
		return plain(err, "")
	}
	bar := newProgress("reading")
	table, profile, err := client.Reduce(c.Pool, bar.reading(files)...)
	bar.end()
	if err != nil {
		return plain(err, "")
	}
	if err := c.write(table); err != nil {
		return plain(err, "")
	}
	if c.JSON {
		return render.JSON(os.Stdout, profile)
	}
	fmt.Fprintf(os.Stderr, "%s: %s, %s, %s\n", profile.Format, counted(profile.Rows, "row", "rows"),
		span(profile.From, profile.To, profile.Days), percent(profile.Coverage)+" of the cells filled")
	if profile.Skipped > 0 {
		fmt.Fprintf(os.Stderr, "Left out: %s that could not be read.\n", counted(profile.Skipped, "record", "records"))
	}
	if said := exports.Said(codebook.AddLeft(left, profile.Left)); said != "" {
		fmt.Fprintln(os.Stderr, said)
	}
	return nil
}

func (c *ReduceCmd) write(table codebook.Table) error {
	if c.Out == "" {
		return table.WriteCSV(os.Stdout)
	}
	var text bytes.Buffer
	if err := table.WriteCSV(&text); err != nil {
		return err
	}
	return custody.WritePrivate(c.Out, text.Bytes())
}

// span says which time data cover.
func span(from, to string, days int) string {
	switch {
	case from == "":
		return "no dates"
	case from == to:
		return fmt.Sprintf("%s (%s)", from, counted(days, "day", "days"))
	}
	return fmt.Sprintf("%s to %s (%s)", from, to, counted(days, "day", "days"))
}
