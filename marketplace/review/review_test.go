package review

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"distributed.ai/datacoop/policies"
)

var question = regexp.MustCompile(`"code": "([a-z-]+)", "sentence": "A steward `)

// What law puts to a steward is exactly what a steward is shown as theirs.
func TestEveryQuestionToAStewardIsKnown(t *testing.T) {
	var law []string
	for path, text := range policies.Base() {
		if strings.HasSuffix(path, "consent_words.rego") {
			for _, m := range question.FindAllStringSubmatch(string(text), -1) {
				law = append(law, m[1])
			}
		}
	}
	slices.Sort(law)
	if !slices.Equal(law, forSteward) {
		t.Errorf("law asks a steward about %v, known are %v", law, forSteward)
	}
	if ForSteward(policies.Reason{Layer: policies.LayerMember, Code: "member-asked"}) || !ForSteward(policies.Reason{Layer: policies.LayerCoop, Code: "coop-new"}) {
		t.Error("whose question it is")
	}
}
