package coop

import (
	"strings"
	"testing"
)

func TestACandidateIsWrittenLikeACharter(t *testing.T) {
	c, err := ParseCandidate([]byte("rubric = \"Count care.\"\nprompt = \"Look twice.\"\n[[judges]]\nfamily = \"b\"\nbase_url = \"http://localhost:1/v1\"\nname = \"m\"\n"))
	if err != nil || c.Rubric != "Count care." || len(c.Judges) != 1 {
		t.Fatalf("%+v %v", c, err)
	}
	now := Charter{Rubric: "Old.", Judges: []Model{{Family: "a"}}}.Candidate()
	if got := c.Over(now); got.Rubric != "Count care." || got.Judges[0].Family != "b" || got.Prompt != "Look twice." {
		t.Errorf("%+v", got)
	}
	if got := (Candidate{Prompt: "Look."}).Over(now); got.Rubric != "Old." || got.Judges[0].Family != "a" || got.Prompt != "Look." {
		t.Errorf("%+v", got)
	}
}

func TestACandidateThatCannotBeTriedIsRefused(t *testing.T) {
	for want, text := range map[string]string{
		"changes nothing": "",
		"tried alone":     "learned_weights = true\nrubric = \"x\"",
		"unknown key":     "commission_permille = 3",
		"family":          "[[judges]]\nfamily = \"No slug\"\nbase_url = \"x\"\nname = \"m\"",
		"twice":           "[[judges]]\nfamily = \"a\"\nbase_url = \"x\"\nname = \"m\"\n[[judges]]\nfamily = \"a\"\nbase_url = \"y\"\nname = \"m\"",
		"prompt":          "prompt = \"" + strings.Repeat("x", maxPrompt+1) + "\"",
		"rubric":          "rubric = \"" + strings.Repeat("x", maxRubric+1) + "\"",
		"candidate":       "rubric = ",
	} {
		if _, err := ParseCandidate([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
