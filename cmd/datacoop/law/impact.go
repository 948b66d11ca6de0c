package law

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"distributed.ai/datacoop/cmd/datacoop/render"
	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/policies"
	"distributed.ai/datacoop/web/client"
)

// Told is what is said about the impact of a policy, also as JSON.
type Told struct {
	File       string   `json:"file"`
	OK         bool     `json:"ok"`
	Findings   []string `json:"findings"` // why the gate refuses it
	Revision   string   `json:"revision,omitempty"`
	Law        string   `json:"law,omitempty"` // revision compared with
	Decisions  int      `json:"decisions"`
	NowRefused int      `json:"now_refused"`
	NowAllowed int      `json:"now_allowed"`
	Requests   int      `json:"requests"`
	Members    int      `json:"members"`
	Sentences  []string `json:"sentences"`
	Asked      int64    `json:"asked"` // made-up requests
	Changes    []string `json:"changes"`
}

// Here tells what was found in this process.
func Here(file string, r policies.Report, im governance.Impact) Told {
	return Told{File: file, OK: r.OK, Findings: list(r.Findings), Revision: r.Revision, Law: im.Law, Decisions: im.Decisions,
		NowRefused: im.NowRefused, NowAllowed: im.NowAllowed, Requests: im.Requests, Members: im.Members,
		Sentences: list(im.Sentences), Asked: im.Done, Changes: list(im.Changes)}
}

// There asks a server, which replays its own past decisions. The token needs to
// be a member's. While it works, a bar moves on standard error.
func There(ctx context.Context, server, token, file string, text []byte) (Told, error) {
	api, err := client.New(server, client.WithToken(token))
	if err != nil {
		return Told{}, err
	}
	done := waiting(os.Stderr)
	found, err := api.TryPolicy(ctx, string(text))
	done()
	if err != nil {
		return Told{}, err
	}
	im := found.Impact
	return Told{File: file, OK: found.OK, Findings: list(found.Findings), Revision: found.Revision, Law: im.Law, Decisions: im.Decisions,
		NowRefused: im.NowRefused, NowAllowed: im.NowAllowed, Requests: im.Requests, Members: im.Members,
		Sentences: list(im.Sentences), Asked: im.Done, Changes: list(im.Changes)}, nil
}

// waiting says that somebody else is at work until the function it returns is
// called.
func waiting(to io.Writer) (done func()) {
	if !terminal() {
		fmt.Fprintln(to, "the server is trying the policy on its past decisions")
		return func() {}
	}
	bar := endless()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(barRefresh)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				_ = bar.Add(1) // a bar that cannot be drawn is no reason to stop
			}
		}
	}()
	return func() {
		close(stop)
		<-stopped
		_ = bar.Exit()
		fmt.Fprintln(to)
	}
}

// Tell prints what a policy would have meant for past decisions and would
// change from now on, or why the gate refuses it; then it returns an error.
func (t Told) Tell(to io.Writer, asJSON bool) error {
	var refused error
	if !t.OK {
		refused = errGate
	}
	switch {
	case asJSON:
		if err := render.JSON(to, t); err != nil {
			return err
		}
	case !t.OK:
		checked{File: t.File, Findings: t.Findings}.show(to)
	default:
		fmt.Fprintf(to, "✓ %s  revision %.12s\n  what it would have meant in the last year:\n", t.File, t.Revision)
		lines(to, t.Sentences)
		fmt.Fprintf(to, "  what it would change, by %d requests that were tried:\n", t.Asked)
		lines(to, t.Changes)
	}
	return refused
}
