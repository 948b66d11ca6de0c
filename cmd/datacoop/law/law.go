// Package law tries proposed access policies away from everything they could
// harm: in a child process with limits on memory and time. The server uses it
// for every proposal, the command `policy check` for files of a member's own.
//
// A policy that brings its child to an end cannot be proposed, and the command
// says why; but a law that was voted is not void for it: the machine may have
// been short of something at that moment, and the server tries again. One that the gate has passed may be compared with the law in force in any
// process: its decisions are bounded by then.
package law

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/child"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/policies"
	"distributed.ai/datacoop/policies/rehearsal"
)

// Names of what a child of this program does.
const (
	workGate    = "gate"
	workCheck   = "check"
	workCompare = "compare"
)

// limits are far above what a policy of the largest size needs: a few seconds
// of processor time and 200 MB.
var limits = child.Limits{Memory: 1 << 30, CPU: 60 * time.Second, Wall: 2 * time.Minute, Answer: 1 << 20}

// keeper starts them. Two at once leave processors for everybody else.
var keeper = child.NewRunner(limits, 2)

// Work is what this program does when it is started as a child.
var Work = child.Work{
	workGate: func(ctx context.Context, source []byte) ([]byte, error) {
		laid, report, err := governance.Gate(ctx, source)
		if err != nil {
			return nil, err
		}
		return json.Marshal(tried{Laid: laid, Report: report})
	},
	workCheck: func(ctx context.Context, source []byte) ([]byte, error) {
		report, err := policies.Gate(ctx, source)
		if err != nil {
			return nil, err
		}
		return json.Marshal(tried{Report: report})
	},
	workCompare: func(ctx context.Context, in []byte) ([]byte, error) {
		var q comparison
		if err := json.Unmarshal(in, &q); err != nil {
			return nil, err
		}
		found, err := rehearsal.CompareTexts(ctx, q.Was, q.Now, q.Currency)
		if err != nil {
			return nil, err
		}
		return json.Marshal(found)
	},
}

// tried is a child's answer about a policy.
type tried struct {
	Laid   []byte          `json:"laid"`
	Report policies.Report `json:"report"`
}

// comparison is what a child is asked about two.
type comparison struct {
	Was      []byte        `json:"was"`
	Now      []byte        `json:"now"`
	Currency coop.Currency `json:"currency"`
}

// Exhausting is what Check finds in a policy that brought its child to an end.
const Exhausting = "Trying the policy took more time or memory than a policy may take; make it simpler."

// Gate is [governance.Gate] in a process of its own. It is
// [governance.ErrUntried] where that came to an end without an answer.
func Gate(ctx context.Context, source []byte) ([]byte, policies.Report, error) {
	var t tried
	err := apart(ctx, workGate, source, &t)
	if errors.Is(err, child.ErrNoAnswer) {
		return nil, policies.Report{}, governance.ErrUntried
	}
	return t.Laid, t.Report, err
}

// Check is [policies.Gate] in a process of its own.
func Check(ctx context.Context, source []byte) (policies.Report, error) {
	var t tried
	err := apart(ctx, workCheck, source, &t)
	if errors.Is(err, child.ErrNoAnswer) {
		return policies.Report{Findings: []string{Exhausting}}, nil
	}
	return t.Report, err
}

// Comparer is [rehearsal.CompareTexts] in a process of its own, with a memory.
// The result is empty where the child came to an end without an answer.
func Comparer() rehearsal.Comparer {
	return rehearsal.Remember(func(ctx context.Context, was, now []byte, c coop.Currency) (rehearsal.Result, error) {
		in, err := json.Marshal(comparison{was, now, c})
		if err != nil {
			return rehearsal.Result{}, fmt.Errorf("law: %w", err)
		}
		var r rehearsal.Result
		if err = apart(ctx, workCompare, in, &r); errors.Is(err, child.ErrNoAnswer) {
			return rehearsal.Result{}, nil
		}
		return r, err
	})
}

func apart(ctx context.Context, work string, in []byte, answer any) error {
	out, err := keeper.Run(ctx, work, in)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(out, answer); err != nil {
		return fmt.Errorf("law: answer of the child: %w", err)
	}
	return nil
}
