package coop

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Default is what holds before a member has answered, and what their answer
// starts from: for the whole co-op, or for one pool. It is a starting point of a
// form and never an answer: silence permits nothing, so it can narrow and has no
// words to allow with. A vote that changes it changes no answer that was given.
type Default struct {
	Answer     string   `toml:"answer"`      // DefaultRefuse or DefaultAsk; "" is DefaultRefuse
	Days       int64    `toml:"days"`        // how long an answer holds unless the member says otherwise; 0 is until withdrawn
	KeepMonths int64    `toml:"keep_months"` // how long copies may be kept unless they do; 0 is as long as law permits
	Conditions []string `toml:"conditions"`  // DUO modifiers that are ticked unless they untick them
}

// What a member who has said nothing is met with. Either way every request for
// their data is refused.
const (
	DefaultRefuse = "refuse" // nothing more happens
	DefaultAsk    = "ask"    // they are told about requests and asked for an answer, which starts from "ask me each time"
)

// Limits of a default, those of an answer itself.
const (
	maxDefaultDays   = 3660
	maxDefaultMonths = 120
)

// Default is what holds in a pool before a member has answered: the pool's own,
// whole, or else the co-op's.
func (c Charter) Default(id PoolID) Default {
	d := c.Consent
	if p, ok := c.Pool(id); ok && p.Consent != nil {
		d = *p.Consent
	}
	if d.Answer == "" {
		d.Answer = DefaultRefuse
	}
	return d
}

// Sentences says what the default means to a member who has not answered.
func (d Default) Sentences() []string {
	out := []string{"You have given no answer, so every request is refused."}
	if d.Answer == DefaultAsk {
		out = append(out, "When somebody asks for these data you are told, and asked for an answer.")
	}
	if start := d.starts(); len(start) > 0 {
		out = append(out, "Rules of your own start from what the members chose, and you can change all of it: "+strings.Join(start, "; ")+".")
	}
	return out
}

// starts lists what the form starts with, in a member's words.
func (d Default) starts() (out []string) {
	if d.Answer == DefaultAsk {
		out = append(out, "you are asked about each request")
	}
	if d.Days > 0 {
		out = append(out, "your answer holds for "+number(d.Days, "day"))
	}
	if d.KeepMonths > 0 {
		out = append(out, "copies are kept for "+number(d.KeepMonths, "month")+" at most")
	}
	for _, t := range Conditions() {
		if slices.Contains(d.Conditions, t.Code) {
			out = append(out, "only if "+t.Plain)
		}
	}
	return out
}

func number(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.FormatInt(n, 10) + " " + what + "s"
}

func (d Default) check() error {
	switch {
	case d.Answer != "" && d.Answer != DefaultRefuse && d.Answer != DefaultAsk:
		return errors.New("answer must be refuse or ask: nobody is taken to have allowed anything by saying nothing")
	case d.Days < 0 || d.Days > maxDefaultDays:
		return fmt.Errorf("days must be between 0 and %d", maxDefaultDays)
	case d.KeepMonths < 0 || d.KeepMonths > maxDefaultMonths:
		return fmt.Errorf("keep_months must be between 0 and %d", maxDefaultMonths)
	}
	for i, code := range d.Conditions {
		if why := WhyNotCondition(code); why != "" {
			return errors.New("conditions: " + why)
		}
		if slices.Contains(d.Conditions[:i], code) {
			return fmt.Errorf("conditions: %s appears twice", code)
		}
	}
	return nil
}

func (c Charter) checkDefaults() error {
	if err := c.Consent.check(); err != nil {
		return fmt.Errorf("consent: %w", err)
	}
	for _, p := range c.Pools {
		if p.Consent == nil {
			continue
		}
		if err := p.Consent.check(); err != nil {
			return fmt.Errorf("pools: %s: consent: %w", p.ID, err)
		}
	}
	return nil
}

// unknownKey refuses a key that no charter has. One that would have an answer
// given in a member's place is refused with the reason.
func unknownKey(key []string) error {
	name := strings.Join(key, ".")
	if n := len(key); n > 1 && key[n-2] == "consent" && slices.Contains([]string{"effect", "purposes", "requester_kinds", "dpv", "commercial"}, key[n-1]) {
		return fmt.Errorf("%s cannot be a default: only a member can allow something, and silence is no consent", name)
	}
	return fmt.Errorf("unknown key %q", name)
}
