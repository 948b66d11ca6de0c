package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"distributed.ai/datacoop/policies"
)

// PolicyCmd works on access policies before they are proposed.
type PolicyCmd struct {
	Check PolicyCheckCmd `cmd:"" help:"Say whether a policy could be put to the vote."`
}

// PolicyCheckCmd puts policies through the gate that every proposal passes.
type PolicyCheckCmd struct {
	Files []string `arg:"" name:"file" type:"existingfile" help:"Rego files of package coop.access."`
}

// errGate ends the command after the findings were printed.
var errGate = errors.New("the gate refuses a policy")

// Run prints what each policy says, or why it is refused.
func (c *PolicyCheckCmd) Run(ctx context.Context) error {
	var refused error
	for _, name := range c.Files {
		text, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("policy: %w", err)
		}
		report, err := checkApart(ctx, text)
		if err != nil {
			return fmt.Errorf("policy: %w", err)
		}
		if !report.OK {
			refused = errGate
			fmt.Printf("✗ %s\n", name)
			printLines(report.Findings)
			continue
		}
		revision, err := policies.Compile(ctx, text)
		if err != nil {
			return fmt.Errorf("policy: %w", err)
		}
		fmt.Printf("✓ %s  revision %.12s\n", name, revision.Hash())
		printLines(revision.Sentences())
	}
	return refused
}

func printLines(lines []string) {
	for _, line := range lines {
		fmt.Println("  " + line)
	}
}
