package law

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/policies"
	"distributed.ai/datacoop/policies/document"
)

// RenderCmd writes a policy in one of its forms.
type RenderCmd struct {
	File     string `arg:"" type:"existingfile" help:"A rule document, or the Rego of one."`
	As       string `enum:"english,rego,odrl,document" default:"english" help:"english: a sentence for each rule; rego: what would be enforced; odrl: what would be published, as JSON-LD; document: the rule document itself, in its canonical form."`
	Currency string `default:"EUR" help:"The co-op's currency, in which prices are said."`
}

// Run writes it to standard output.
func (c *RenderCmd) Run() error {
	text, err := os.ReadFile(c.File)
	if err != nil {
		return fmt.Errorf("policy: %w", err)
	}
	d, err := read(text, coop.Currency(c.Currency))
	if err != nil {
		return err
	}
	out := map[string][]byte{
		"english": []byte(strings.Join(d.English(), "\n") + "\n"), "rego": d.Rego(), "odrl": d.ODRL(""), "document": append(d.Canonical(), '\n'),
	}[c.As]
	_, err = os.Stdout.Write(out)
	return err
}

// errOutside says why Rego has no other form.
var errOutside = errors.New("no rule document expresses this Rego, so it has no other form; `policy check` says what it would change")

// read finds the document in a text, be it one or its Rego.
func read(text []byte, c coop.Currency) (document.Document, error) {
	if !document.Is(text) {
		d, ok := document.Read(text, c)
		if !ok {
			return document.Document{}, errOutside
		}
		return d, nil
	}
	d, err := document.Parse(text, c)
	var refused *document.Refused
	if errors.As(err, &refused) {
		return d, errors.New(strings.Join(refused.Findings, "\n"))
	}
	return d, err
}

// gated puts a file through the gate, a rule document as the Rego it means, and
// returns that.
func (c *CheckCmd) gated(ctx context.Context, name string, present []byte) ([]byte, policies.Report, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, policies.Report{}, fmt.Errorf("policy: %w", err)
	}
	rego, report, err := document.Try(ctx, text, coop.Currency(c.Currency), func(ctx context.Context, rego []byte) ([]byte, policies.Report, error) {
		report, err := Check(ctx, rego, present)
		return rego, report, err
	})
	if err != nil {
		return nil, policies.Report{}, fmt.Errorf("policy: %w", err)
	}
	return rego, report, nil
}

// published compares what would be published of a policy with what would be
// enforced, where a document expresses it.
func (c *CheckCmd) published(ctx context.Context, one *checked, rego []byte) error {
	d, ok := document.Read(rego, coop.Currency(c.Currency))
	if !ok {
		return nil
	}
	one.Document = d.Digest()
	asked, err := d.Agree(ctx)
	if err != nil {
		return fmt.Errorf("policy: %w", err)
	}
	one.Steps = append(one.Steps, policies.Step{Name: "published", Holds: "What would be published in ODRL answers as what would be enforced.",
		OK: true, Tried: true, Figure: fmt.Sprintf("%d requests", asked)})
	return nil
}

// form says how the policy is written, where that is not a rule document.
func (c checked) form(to io.Writer) {
	if c.Document == "" {
		fmt.Fprintln(to, "  "+document.OutsideSentence)
	}
}
