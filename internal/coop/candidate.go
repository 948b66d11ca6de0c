package coop

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/BurntSushi/toml"
)

// Candidate describes, in a charter's own keys, other judges or another way of
// asking them, which is to be tried in shadow and then put to a vote. What it
// leaves out stays as it is in force.
type Candidate struct {
	Judges  []Model `toml:"judges" json:"judges,omitempty"`
	Rubric  string  `toml:"rubric" json:"rubric,omitempty"`
	Prompt  string  `toml:"prompt" json:"prompt,omitempty"`
	Learned bool    `toml:"learned_weights" json:"learned_weights,omitempty"` // how much each family counts, as learned from people
}

// Over lays a candidate over what is in force.
func (c Candidate) Over(now Candidate) Candidate {
	if len(c.Judges) > 0 {
		now.Judges = c.Judges
	}
	if c.Rubric != "" {
		now.Rubric = c.Rubric
	}
	if c.Prompt != "" {
		now.Prompt = c.Prompt
	}
	return now
}

// Candidate is what the charter itself says of judges.
func (c Charter) Candidate() Candidate {
	return Candidate{Judges: c.Judges, Rubric: c.Rubric, Prompt: c.Prompt}
}

// maxPrompt bounds what is added to the program's own instructions to a judge.
const maxPrompt = 4000

// ParseCandidate reads a candidate. The error says what is wrong in a sentence
// its author can act on; unknown keys are refused.
func ParseCandidate(text []byte) (Candidate, error) {
	var c Candidate
	meta, err := toml.NewDecoder(bytes.NewReader(text)).Decode(&c)
	if err != nil {
		return Candidate{}, fmt.Errorf("candidate: %w", err)
	}
	if extra := meta.Undecoded(); len(extra) > 0 {
		return Candidate{}, fmt.Errorf("candidate: %w", unknownKey(extra[0]))
	}
	asks := len(c.Judges) > 0 || c.Rubric != "" || c.Prompt != ""
	switch {
	case !asks && !c.Learned:
		return Candidate{}, errors.New("candidate: it changes nothing: name judges, a rubric, a prompt, or learned_weights = true")
	case asks && c.Learned:
		return Candidate{}, errors.New("candidate: learned_weights are tried alone, so that everybody sees what they change")
	}
	if err := (Charter{Judges: c.Judges, Rubric: c.Rubric, Prompt: c.Prompt}).checkJudges(); err != nil {
		return Candidate{}, fmt.Errorf("candidate: %w", err)
	}
	return c, nil
}
