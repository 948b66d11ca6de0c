package appraisal

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"distributed.ai/datacoop/internal/fault"
)

// TestAJudgeSeesNumbersAndEnumsOnly reads the whole task as text: no id, no
// amount of money, nothing but known words, numbers and pseudonyms.
func TestAJudgeSeesNumbersAndEnumsOnly(t *testing.T) {
	ev, p := example()
	task, err := NewTask(ev, p, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(task.Dossiers)
	if err != nil {
		t.Fatal(err)
	}
	allowed := regexp.MustCompile(`^(class|facts|id|kind|name|value|data|work|governance|coverage|fresh|requests|trust|unique|points|duties|git|document|review|[0-9]+|[0-9a-f]{32}|)$`)
	for _, word := range regexp.MustCompile(`[^\[\]{}:,"]*`).FindAllString(string(text), -1) {
		if !allowed.MatchString(word) {
			t.Errorf("a judge reads %q", word)
		}
	}
	if len(task.Dossiers) != 5 { // two datasets, two pieces of work, one kind of duty
		t.Errorf("%d dossiers", len(task.Dossiers))
	}
}

func TestPseudonymsLastOnePeriodAndSurviveACorrection(t *testing.T) {
	ev, p := example()
	first, err := NewTask(ev, p, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	ev.Work[0].Points++
	corrected, _ := NewTask(ev, p, "", nil)
	ev.Salt = strings.Repeat("77", 32)
	next, _ := NewTask(ev, p, "", nil)
	for i := range first.Dossiers {
		if first.Dossiers[i].ID != corrected.Dossiers[i].ID {
			t.Error("a correction changed a pseudonym")
		}
		for _, d := range next.Dossiers {
			if d.ID == first.Dossiers[i].ID {
				t.Error("a pseudonym came back in another period")
			}
		}
	}
	one, err1 := first.SHA256()
	other, err2 := corrected.SHA256()
	if one == other || errors.Join(err1, err2) != nil {
		t.Error("another task has the same commitment")
	}
}

func TestExhibitsBelongToWorkAndAreCleaned(t *testing.T) {
	ev, p := example()
	work, data := DossierID(ev.Salt, KindWork, "w1"), DossierID(ev.Salt, KindData, "d-ann")
	if _, err := NewTask(ev, p, "", []Exhibit{NewExhibit(work, "fixed the door")}); err != nil {
		t.Error(err)
	}
	for name, exhibits := range map[string][]Exhibit{
		"of data":     {NewExhibit(data, "my data are great")},
		"of nothing":  {NewExhibit("x", "text")},
		"twice":       {NewExhibit(work, "a"), NewExhibit(work, "b")},
		"not cleaned": {{Dossier: work, Text: "a\u200bb"}},
		"too long":    {{Dossier: work, Text: strings.Repeat("x", MaxExhibit+1)}},
	} {
		if _, err := NewTask(ev, p, "", exhibits); fault.KindOf(err) != fault.Invalid {
			t.Errorf("exhibit %s: %v", name, err)
		}
	}
}

func TestHiddenTextIsDroppedFromExhibits(t *testing.T) {
	for in, want := range map[string]string{
		" two\n\twords ":                "two words",
		"a\u200b\u200d\u2060b":          "ab",
		"safe\u202egnp.exe":             "safegnp.exe",
		"\U000e0049\U000e0067nore":      "nore",
		"\x1b[31mred":                   "[31mred",
		"ﬁne ｆｕｌｌ":                      "fine full",
		"bad\xff\xfebytes":              "bad bytes",
		strings.Repeat("é", MaxExhibit): strings.Repeat("é", MaxExhibit/2),
	} {
		if got := NewExhibit("", in).Text; got != want {
			t.Errorf("%.20q became %.40q", in, got)
		}
	}
}

func FuzzExhibit(f *testing.F) {
	for _, seed := range []string{"", "a b", "\u200b \u00a8\u0301x", strings.Repeat("ffi ﬃ", 2000)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		x := NewExhibit("d", text)
		if len(x.Text) > MaxExhibit || !utf8.ValidString(x.Text) || strings.ContainsFunc(x.Text, hidden) {
			t.Fatalf("not clean: %q", x.Text)
		}
		if again := NewExhibit("d", x.Text); again != x {
			t.Fatalf("%q becomes %q", x.Text, again.Text)
		}
	})
}

func TestABlindedPeriodPaysTheSameAndNamesNobody(t *testing.T) {
	ev, p := example()
	ev.Data[0].Cluster, ev.Duties[0].Ref = "house-1", "w1"
	open, err := Close(ev, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	secret := []byte("known to the co-op alone")
	b, err := NewBundle(Blind(ev, secret), p, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := b.JSON()
	if err != nil {
		t.Fatal(err)
	}
	for _, share := range open.Shares {
		name := Pseudonym(secret, ev.Period, "member", share.Member)
		if blind, ok := b.Statement.Share(name); !ok || blind.Amount-share.Amount > 1 || share.Amount-blind.Amount > 1 {
			t.Errorf("%s gets %d openly and %d blinded", share.Member, share.Amount, blind.Amount)
		}
		for _, id := range []string{share.Member, "d-" + share.Member, "house-1", "r1", "w1"} {
			if strings.Contains(string(text), fmt.Sprintf("%q", id)) {
				t.Errorf("the bundle names %s", id)
			}
		}
	}
}
