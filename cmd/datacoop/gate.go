package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/child"
	"distributed.ai/datacoop/policies"
)

// Names of what a child of this program does.
const (
	workGate  = "gate"
	workCheck = "check"
)

// gateLimits are far above what a policy of the largest size needs: under two
// seconds of processor time and 200 MB.
var gateLimits = child.Limits{Memory: 1 << 30, CPU: 30 * time.Second, Wall: 2 * time.Minute, Answer: 1 << 20}

// gatekeeper starts them. Two at once leave processors for everybody else.
var gatekeeper = child.NewRunner(gateLimits, 2)

// gates is what this program does when it is started as a child.
var gates = child.Work{
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
}

// tried is a child's answer about a policy.
type tried struct {
	Laid   []byte          `json:"laid"`
	Report policies.Report `json:"report"`
}

// exhausting is what a policy is told that brought its child to an end.
const exhausting = "Trying the policy took more time or memory than a policy may take; make it simpler."

// gateApart is [governance.Gate] in a process of its own.
func gateApart(ctx context.Context, source []byte) ([]byte, policies.Report, error) {
	t, err := tryApart(ctx, workGate, source)
	return t.Laid, t.Report, err
}

// checkApart is [policies.Gate] in a process of its own.
func checkApart(ctx context.Context, source []byte) (policies.Report, error) {
	t, err := tryApart(ctx, workCheck, source)
	return t.Report, err
}

func tryApart(ctx context.Context, work string, source []byte) (tried, error) {
	out, err := gatekeeper.Run(ctx, work, source)
	if errors.Is(err, child.ErrNoAnswer) {
		return tried{Report: policies.Report{Findings: []string{exhausting}}}, nil
	}
	if err != nil {
		return tried{}, err
	}
	var t tried
	if err := json.Unmarshal(out, &t); err != nil {
		return tried{}, fmt.Errorf("gate: answer of the child: %w", err)
	}
	return t, nil
}
