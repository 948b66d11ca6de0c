package founding

import (
	"bufio"
	"io"
	"strings"
	"testing"

	"distributed.ai/datacoop/internal/coop"
)

func answer(lines ...string) Questions {
	return Questions{In: bufio.NewReader(strings.NewReader(strings.Join(lines, "\n") + "\n")), Out: io.Discard}
}

func TestAnswersBecomeACharter(t *testing.T) {
	var a Answers
	q := answer("", `Ünïted "Data" \ Co-op = [x] # y`, "https://coop.example/help", "euro", "CHF", "", "ada", "ada bea", "")
	if err := a.Complete(q, nil); err != nil {
		t.Fatal(err)
	}
	text, charter, err := a.Charter()
	if err != nil {
		t.Fatal(err)
	}
	if charter.Name != a.Name || charter.Currency != "CHF" || charter.Admission != "invited" || len(charter.Offices) != 3 {
		t.Errorf("%+v", charter)
	}
	if !strings.Contains(string(text), "# What is left of revenue after the commission.") {
		t.Error("the explanations are gone")
	}
	if again, err := coop.ParseCharter(text); err != nil || again.Name != a.Name {
		t.Error(again.Name, err)
	}
}

func TestNobodyAnswersForTheFounder(t *testing.T) {
	for name, q := range map[string]Questions{
		"silence": answer(), "nobody there": {}, "wrong for ever": answer(strings.Repeat("\n", 10)),
	} {
		if err := new(Answers).Complete(q, nil); err == nil {
			t.Errorf("%s: a charter was written", name)
		}
	}
}

func TestAnswersThatDoNotFit(t *testing.T) {
	whole := func() Answers {
		return Answers{Name: "X", Contact: "mailto:x@coop.example", Currency: "EUR", Admission: "open"}
	}
	for name, c := range map[string]struct {
		change  func(*Answers)
		offices []string
	}{
		"unknown admission": {func(a *Answers) { a.Admission = "anyone" }, nil},
		"unknown currency":  {func(a *Answers) { a.Currency = "XYZZY" }, nil},
		"unknown office":    {func(*Answers) {}, []string{"clerk=ada"}},
		"office of nobody":  {func(*Answers) {}, []string{"vetting"}},
		"empty holder":      {func(*Answers) {}, []string{"vetting="}},
		"lonely treasurer":  {func(*Answers) {}, []string{"treasury=ada"}},
	} {
		a := whole()
		c.change(&a)
		err := a.Complete(Questions{}, c.offices)
		if err == nil {
			_, _, err = a.Charter()
		}
		if err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestYesIsAskedForInWords(t *testing.T) {
	for lines, want := range map[string]bool{"yes": true, "no": false, "": false, "y\nyes": true} {
		if got, err := answer(lines).Sure(false, "Sure?"); err != nil || got != want {
			t.Errorf("%q: %v, %v", lines, got, err)
		}
	}
	if got, _ := (Questions{}).Sure(true, "Sure?"); !got {
		t.Error("a flag was not enough")
	}
}
