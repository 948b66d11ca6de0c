package proof

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/appraisal/jury"
	"distributed.ai/datacoop/marketplace/appraisal/llm"
	"distributed.ai/datacoop/web/client"
)

// Statement recomputes a statement from its bundle, and what became of its
// appeals and of the judges' answers where those are at hand.
type Statement struct {
	File    string `arg:"" name:"bundle" type:"existingfile" help:"The bundle, or the statement as the API answers it."`
	Appeals string `type:"existingfile" placeholder:"FILE" help:"The record of its appeals: every panel is drawn again, every median and award computed again."`
	LogKey  string `placeholder:"KEY" help:"The log's verifier key, as /.well-known/datacoop names it: also checks who signed the checkpoints that panels were drawn by."`
	Record  string `type:"existingfile" placeholder:"FILE" help:"The record of what judges were asked and answered: the scores are computed again from their raw answers."`
}

// Run recomputes every share and compares byte for byte.
func (c *Statement) Run() error {
	text, err := read(c.File)
	if err != nil {
		return fmt.Errorf("statement: %w", err)
	}
	statement, err := appraisal.Recompute(text)
	if errors.Is(err, appraisal.ErrUnreadable) {
		var view client.StatementView
		if json.Unmarshal(text, &view) == nil && len(view.Bundle) > 0 {
			text = view.Bundle
			statement, err = appraisal.Recompute(text)
		}
	}
	if err != nil {
		return err
	}
	fmt.Printf("✓ statement of %s: %d shares recomputed, byte for byte\n", statement.Period, len(statement.Shares))
	return errors.Join(c.appeals(text), c.judges(text))
}

// appeals draws and counts every panel again.
func (c *Statement) appeals(bundle []byte) error {
	if c.Appeals == "" {
		return nil
	}
	text, err := read(c.Appeals)
	if err != nil {
		return fmt.Errorf("appeals: %w", err)
	}
	r, err := appraisal.VerifyAppeals(bundle, text)
	if err != nil {
		return err
	}
	noted := "; name the log's key with --log-key to check who signed their checkpoints"
	if c.LogKey != "" {
		if err := checkpoints(r, c.LogKey); err != nil {
			return err
		}
		noted = ", by checkpoints that the log's key signed"
	}
	fmt.Printf("✓ appeals: %d panels drawn and counted again%s; %d corrections, %d of %d minor units set aside were paid%s\n",
		len(r.Cases), leftOut(r), len(r.Corrections), r.Paid, r.Reserve, noted)
	fmt.Println("  Believed: that the log had each roll before its draw, that a roll holds every member once, and that a reason is true. The record has no proof of the first; the co-op's own verify all holds it against the log.")
	return nil
}

func checkpoints(r jury.Record, key string) error {
	heads := []string{}
	for _, k := range r.Cases {
		heads = append(heads, k.Checkpoint)
	}
	return signed(heads, key)
}

// leftOut says how many panels tell who was left out of their roll, and why.
func leftOut(r jury.Record) string {
	told, times := 0, map[string]int{}
	for _, k := range r.Cases {
		if len(k.PassedOver) == k.Excluded {
			told++
		}
		for _, p := range k.PassedOver {
			times[p.Reason]++
		}
	}
	out := fmt.Sprintf("; %d tell who was left out of their roll, %d only how many", told, len(r.Cases)-told)
	for _, reason := range jury.Reasons {
		if times[reason] > 0 {
			out += fmt.Sprintf(", %s %d", reason, times[reason])
		}
	}
	return out
}

var (
	errTrace  = errors.New("the record is not the one that the statement rests on")
	errScores = errors.New("the judges' raw answers give other scores than the statement's")
)

// judges computes the opinion again from raw answers.
func (c *Statement) judges(bundle []byte) error {
	if c.Record == "" {
		return nil
	}
	b, err := appraisal.ParseBundle(bundle)
	if err != nil {
		return err
	}
	record, err := read(c.Record)
	if err != nil {
		return fmt.Errorf("record: %w", err)
	}
	op, err := llm.Replay(record)
	if err != nil {
		return err
	}
	if b.Opinion == nil || op.Trace != b.Opinion.Trace || op.Commitment != b.Opinion.Commitment {
		return errTrace
	}
	again := op.Restrict(b.Evidence)
	if !reflect.DeepEqual(again.Scores, b.Opinion.Scores) || !reflect.DeepEqual(op.Split, b.Opinion.Split) || !slices.Equal(op.Models, b.Opinion.Models) {
		return errScores
	}
	fmt.Printf("✓ judges: %d scores of %d models computed again from their raw answers\n", len(again.Scores), len(op.Models))
	return nil
}
