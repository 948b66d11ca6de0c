package law

import (
	"fmt"
	"io"

	"distributed.ai/datacoop/cmd/datacoop/render"
	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/policies"
)

// told is an impact as JSON.
type told struct {
	File       string   `json:"file"`
	OK         bool     `json:"ok"`
	Findings   []string `json:"findings"` // why the gate refuses it
	Decisions  int      `json:"decisions"`
	NowRefused int      `json:"now_refused"`
	NowAllowed int      `json:"now_allowed"`
	Requests   int      `json:"requests"`
	Members    int      `json:"members"`
	Sentences  []string `json:"sentences"`
	Changes    []string `json:"changes"`
}

// Tell prints what a policy would have meant for past decisions and would
// change from now on, or why the gate refuses it; then it returns an error.
func Tell(to io.Writer, file string, asJSON bool, r policies.Report, im governance.Impact) error {
	t := told{File: file, OK: r.OK, Findings: list(r.Findings), Decisions: im.Decisions, NowRefused: im.NowRefused,
		NowAllowed: im.NowAllowed, Requests: im.Requests, Members: im.Members, Sentences: list(im.Sentences), Changes: list(im.Changes)}
	var refused error
	if !r.OK {
		refused = errGate
	}
	switch {
	case asJSON:
		if err := render.JSON(to, t); err != nil {
			return err
		}
	case !r.OK:
		checked{File: file, Findings: r.Findings}.show(to)
	default:
		fmt.Fprintf(to, "✓ %s  revision %.12s\n  what it would have meant in the last year:\n", file, r.Revision)
		lines(to, im.Sentences)
		fmt.Fprintln(to, "  what it would change:")
		lines(to, im.Changes)
	}
	return refused
}
