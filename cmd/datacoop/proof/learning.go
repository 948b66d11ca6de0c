package proof

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace/appraisal/comparison"
	"distributed.ai/datacoop/marketplace/appraisal/spotcheck"
)

// mostShown is how much of a name or digest in a file is printed.
const mostShown = 80

// withoutKey ends the line of a check that took nobody's signature.
const withoutKey = "; name the log's key with --log-key to check that the log has it"

// Comparison recomputes whether a candidate for judging is better.
type Comparison struct {
	File   string `arg:"" name:"comparison" type:"existingfile" help:"The comparison, as its page or the API hands it out."`
	LogKey string `placeholder:"KEY" help:"The log's verifier key, as /.well-known/datacoop names it: also checks that the log has this comparison."`
}

// Run recomputes agreement, interval, attacks and groups and compares byte for
// byte.
func (c *Comparison) Run() error {
	text, err := read(c.File)
	if err != nil {
		return fmt.Errorf("comparison: %w", err)
	}
	d, err := comparison.ParseDocument(text)
	if err != nil {
		return err
	}
	given, err := d.Recompute()
	if err != nil {
		return err
	}
	noted := withoutKey
	if c.LogKey != "" {
		if err := d.Witness(c.LogKey); err != nil {
			return err
		}
		noted = "; the log has this comparison"
	}
	v, attacks := given.Verdict, map[string]bool{}
	for _, r := range given.Runs {
		for family := range r.After {
			attacks[family] = true
		}
	}
	fmt.Printf("✓ comparison: %s, over %d pairs of %d periods; the candidate agrees with people on %d, what is in force on %d; the candidate won %d of %d pairs on which only one agrees (95 %%: %d to %d thousandths); weaker in %d of %d attack families, worse for %d groups%s\n",
		v.Answer, v.Pairs, len(given.Runs), v.Both+v.Gained, v.Incumbent, v.Gained, v.Gained+v.Lost, v.Low, v.High, len(v.Weaker), len(attacks), len(v.Unfair), noted)
	fmt.Println("  The log's proof is of the comparison, not of what it rests on. The scores of the runs are believed. That people said this, check with verify calibration, which prints the same commitment for each period:")
	for _, p := range given.Pairs {
		fmt.Printf("  %s %s\n", coop.Shown(string(p.Period), mostShown), coop.Shown(p.Commitment, mostShown))
	}
	return nil
}

// Calibration recomputes what people were drawn to compare and what they said.
type Calibration struct {
	File   string `arg:"" name:"set" type:"existingfile" help:"A period's calibration set, as its page or the API hands it out."`
	LogKey string `placeholder:"KEY" help:"The log's verifier key, as /.well-known/datacoop names it: also checks who signed the checkpoints that people were drawn by, and that the log has the set."`
}

// Run draws pairs and people again and holds what they said against it.
func (c *Calibration) Run() error {
	text, err := read(c.File)
	if err != nil {
		return fmt.Errorf("calibration: %w", err)
	}
	d, err := spotcheck.ParseDocument(text)
	if err != nil {
		return err
	}
	drawn, err := d.Recompute()
	if err != nil {
		return err
	}
	noted := withoutKey
	if c.LogKey != "" {
		if err := signed(drawn.Checkpoints, c.LogKey); err != nil {
			return err
		}
		if err := d.Witness(drawn, c.LogKey); err != nil {
			return err
		}
		noted = ", by checkpoints that the log signed, as the log has it"
		if !d.Disclosed() && !d.OpenNoted() {
			noted = ", by checkpoints that the log signed; what people said cannot be held against the log before the other half is disclosed"
		}
	}
	half := "the other half is still sealed"
	if d.Disclosed() {
		half = "the sealed half is the one that was committed to"
	}
	fmt.Printf("✓ calibration set of %s: %d of %d pairs drawn again with who was asked; %s; %s%s\n", coop.Shown(string(d.Period), mostShown), drawn.Checks, drawn.Of, passed(drawn), half, noted)
	fmt.Println("  Believed: that the list of dossiers that could be compared is whole, that a roll holds every member once, and that a reason is true.")
	fmt.Printf("  Commitment: %s\n", coop.Shown(d.Commitment, mostShown))
	return nil
}

// passed says who was passed over and why.
func passed(d spotcheck.Redrawn) string {
	if d.Passed == nil {
		return "who was passed over is only counted"
	}
	words := make([]string, len(d.Passed))
	for i, p := range d.Passed {
		words[i] = fmt.Sprintf("%s %d", p.Reason, p.Times)
	}
	return "passed over: " + strings.Join(words, ", ")
}

var errOrigin = errors.New("a checkpoint: the key signed it for another log")

// signed checks who signed checkpoints, and that they are of the log of that name.
func signed(checkpoints []string, key string) error {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return fmt.Errorf("log key: %w", err)
	}
	for _, text := range checkpoints {
		head, err := note.Open([]byte(text), note.VerifierList(verifier))
		if err != nil {
			return fmt.Errorf("a checkpoint: %w", err)
		}
		if origin, _, _ := strings.Cut(head.Text, "\n"); origin != verifier.Name() {
			return errOrigin
		}
	}
	return nil
}
