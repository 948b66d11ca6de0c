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
	workPlan    = "plan"
	workPiece   = "piece"
)

// limits are far above what a policy of the largest size needs: a few seconds
// of processor time and 200 MB.
var limits = child.Limits{Memory: 1 << 30, CPU: 60 * time.Second, Wall: 2 * time.Minute, Answer: 1 << 20}

// keeper starts them. Two at once leave processors for everybody else.
// Rehearsals, which are long, wait for one another and keep nobody else waiting.
var (
	keeper    = child.NewRunner(limits, 2)
	rehearser = child.NewRunner(limits, 1)
)

// Work is what this program does when it is started as a child.
var Work = child.Work{
	workGate: func(ctx context.Context, in []byte) ([]byte, error) {
		return answering(in, func(q comparison) (tried, error) {
			laid, report, err := governance.Gate(ctx, q.Now, q.Was)
			return tried{Laid: laid, Report: report}, err
		})
	},
	workCheck: func(ctx context.Context, in []byte) ([]byte, error) {
		return answering(in, func(q comparison) (tried, error) {
			report, err := policies.Gate(ctx, q.Now, q.Was)
			return tried{Report: report}, err
		})
	},
	workCompare: func(ctx context.Context, in []byte) ([]byte, error) {
		return answering(in, func(q comparison) (rehearsal.Result, error) {
			return rehearsal.CompareTexts(ctx, q.Was, q.Now, q.Currency)
		})
	},
	workPlan: func(ctx context.Context, in []byte) ([]byte, error) {
		return answering(in, func(q comparison) (rehearsal.Plan, error) { return rehearsal.Here{}.Plan(ctx, q.Was, q.Now) })
	},
	workPiece: func(ctx context.Context, in []byte) ([]byte, error) {
		return answering(in, func(q comparison) (rehearsal.Part, error) {
			return rehearsal.Here{}.Try(ctx, q.Was, q.Now, q.Piece, q.Currency)
		})
	},
}

func answering[T any](in []byte, fn func(comparison) (T, error)) ([]byte, error) {
	var q comparison
	if err := json.Unmarshal(in, &q); err != nil {
		return nil, err
	}
	out, err := fn(q)
	if err != nil {
		return nil, err
	}
	return json.Marshal(out)
}

// tried is a child's answer about a policy.
type tried struct {
	Laid   []byte          `json:"laid"`
	Report policies.Report `json:"report"`
}

// comparison is what a child is asked: about a policy, or about it and the one in
// force, which may be nil for the gate.
type comparison struct {
	Was      []byte          `json:"was"`
	Now      []byte          `json:"now"`
	Currency coop.Currency   `json:"currency"`
	Piece    rehearsal.Piece `json:"piece"`
}

// Exhausting is what Check finds in a policy that brought its child to an end.
const Exhausting = "Trying the policy took more time or memory than a policy may take; make it simpler."

// Gate is [governance.Gate] in a process of its own. It is
// [governance.ErrUntried] where that came to an end without an answer.
func Gate(ctx context.Context, source, present []byte) ([]byte, policies.Report, error) {
	var t tried
	err := asked(ctx, keeper, workGate, comparison{Was: present, Now: source}, &t)
	if errors.Is(err, child.ErrNoAnswer) {
		return nil, policies.Report{}, governance.ErrUntried
	}
	return t.Laid, t.Report, err
}

// Check is [policies.Gate] in a process of its own.
func Check(ctx context.Context, source, present []byte) (policies.Report, error) {
	var t tried
	err := asked(ctx, keeper, workCheck, comparison{Was: present, Now: source}, &t)
	apart := policies.Step{Name: "process", Holds: "Trying it stays within the limits of a process of its own.", Tried: true, OK: err == nil,
		Figure: fmt.Sprintf("%d MiB, %v of processor time, %v in all", limits.Memory>>20, limits.CPU, limits.Wall)}
	if errors.Is(err, child.ErrNoAnswer) {
		return policies.Report{Findings: []string{Exhausting}, Steps: []policies.Step{apart}}, nil
	}
	t.Report.Steps = append([]policies.Step{apart}, t.Report.Steps...)
	return t.Report, err
}

// Comparer is [rehearsal.CompareTexts] in a process of its own, with a memory.
// The result is empty where the child came to an end without an answer.
func Comparer() rehearsal.Comparer {
	return rehearsal.Remember(func(ctx context.Context, was, now []byte, c coop.Currency) (rehearsal.Result, error) {
		var r rehearsal.Result
		err := asked(ctx, keeper, workCompare, comparison{Was: was, Now: now, Currency: c}, &r)
		if errors.Is(err, child.ErrNoAnswer) {
			return rehearsal.Result{}, nil
		}
		return r, err
	})
}

// Apart is [rehearsal.Here] in processes of their own, one for each piece. The
// error is child.ErrNoAnswer where one came to an end without an answer.
type Apart struct{}

// Plan implements rehearsal.Trier.
func (Apart) Plan(ctx context.Context, was, now []byte) (plan rehearsal.Plan, err error) {
	err = asked(ctx, rehearser, workPlan, comparison{Was: was, Now: now}, &plan)
	return plan, err
}

// Try implements rehearsal.Trier.
func (Apart) Try(ctx context.Context, was, now []byte, p rehearsal.Piece, c coop.Currency) (part rehearsal.Part, err error) {
	err = asked(ctx, rehearser, workPiece, comparison{Was: was, Now: now, Currency: c, Piece: p}, &part)
	return part, err
}

// asked has a child answer a question.
func asked(ctx context.Context, r *child.Runner, work string, q comparison, answer any) error {
	in, err := json.Marshal(q)
	if err != nil {
		return fmt.Errorf("law: %w", err)
	}
	out, err := r.Run(ctx, work, in)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(out, answer); err != nil {
		return fmt.Errorf("law: answer of the child: %w", err)
	}
	return nil
}
