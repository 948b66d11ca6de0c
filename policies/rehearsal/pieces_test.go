package rehearsal

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"distributed.ai/datacoop/policies"
)

// Whoever tries a comparison piece by piece, some of them twice because they
// were interrupted, reads what somebody reads who tried it at once.
func TestPiecesSayWhatTheWholeSays(t *testing.T) {
	was := compiled(t, string(policies.Default()))
	now := banning(t, "{\n\tinput.request.retention_days > 500\n\tinput.dataset.region == \"PT\"\n}\n"+
		"\nforbid contains {\n\t\"code\": \"coop-no-companies\",\n\t\"sentence\": \"No companies.\",\n} if input.request.requester.kind == \"company\"\n")
	whole := compare(t, was, now, Options{Pairs: true, Currency: "EUR"})
	_, bases, err := readied(t.Context(), was.Source(), now.Source())
	if err != nil {
		t.Fatal(err)
	}
	plan := planned(bases, 197, mostPairs)
	if total := plan.Total(); total != int64(whole.Asked) || len(plan.Pieces) < 5 {
		t.Fatalf("%d pieces of %d bases with %d cases; the whole asked %d", len(plan.Pieces), len(bases), total, whole.Asked)
	}
	var sum Part
	for i, p := range plan.Pieces {
		part, err := Here{}.Try(t.Context(), was.Source(), now.Source(), p, "EUR")
		if err != nil {
			t.Fatal(err)
		}
		if int64(part.Asked) != plan.Cases[i] {
			t.Fatalf("piece %+v asked %d, planned %d", p, part.Asked, plan.Cases[i])
		}
		if again, err := (Here{}).Try(t.Context(), was.Source(), now.Source(), p, "EUR"); i == 1 && (err != nil || !reflect.DeepEqual(again, part)) {
			t.Fatalf("tried again it says %+v, %v", again, err)
		}
		sum = sum.With(part)
	}
	if got := sum.Result(now.Laws()); len(got.Findings) < 2 || !reflect.DeepEqual(got, whole) {
		t.Errorf("in pieces:\n%+v\nat once:\n%+v", got, whole)
	}
	if len(whole.Silent) > 0 {
		t.Errorf("every rule was reached: %q", whole.Silent)
	}
	for _, k := range sum.Kinds {
		if k.Ask.Requester.Kind == "" || k.Ask.Pool == "" || k.Ask.ID != "" {
			t.Errorf("%s: no request that could be asked: %+v", k.Name, k.Ask)
		}
	}
}

// What no request reaches is said: a rule about three things at once, for one.
func TestRulesThatNoRequestReachesAreNamed(t *testing.T) {
	three := banning(t, "{\n\tinput.request.retention_days > 500\n\tinput.dataset.region == \"PT\"\n\tinput.request.price_minor < 5\n}")
	found := compare(t, compiled(t, string(policies.Default())), three, Options{Pairs: true})
	line := 1 + strings.Count(strings.Split(string(three.Source()), "\nforbid contains {\n\t\"code\": \"coop-not-this\"")[0]+"\n", "\n")
	want := fmt.Sprintf("No request that was tried reaches the rule in line %d (“The co-op does not release data for this.”), so nobody has seen what it does.", line)
	if said := found.Sentences(); len(said) != 2 || !strings.Contains(said[0], "answered alike") || said[1] != want {
		t.Errorf("%q, want %q", said, want)
	}
	if got := silent([]policies.Law{{Name: "access.forbid.a", Sentence: "No.", Lines: []int{7, 12}}}, nil); len(got) != 1 || !strings.Contains(got[0], "lines 7, 12 ") {
		t.Errorf("%q", got)
	}
}

// A policy that names thousands of values is not tried for ever, and what was
// left out is said.
func TestPairsBeyondAMeasureAreLeftOutAndCounted(t *testing.T) {
	was := compiled(t, string(policies.Default()))
	now := banning(t, "{\n\tinput.request.retention_days in {41, 43, 47, 53, 59, 61, 67, 71, 73, 79}\n\tinput.dataset.region in {\"PT\", \"ES\", \"IT\"}\n}")
	laws, bases, err := readied(t.Context(), was.Source(), now.Source())
	if err != nil {
		t.Fatal(err)
	}
	full := planned(bases, longestPiece, mostPairs)
	few := planned(bases, longestPiece, 300)
	var asked int64
	for _, p := range few.Pieces {
		part, err := tried(t.Context(), laws, bases, 300, p, "")
		if err != nil {
			t.Fatal(err)
		}
		asked += int64(part.Asked)
	}
	if full.Left != 0 || few.Left <= 0 || asked != few.Total() || full.Total()-few.Total() != few.Left || few.Total() < 150 {
		t.Errorf("%d cases and %d left out of %d; asked %d", few.Total(), few.Left, full.Total(), asked)
	}
}

func TestThePlanOfTwoTextsIsTheirs(t *testing.T) {
	was, now := policies.Default(), banning(t, "input.request.price_minor < 500").Source()
	plan, err := Here{}.Plan(t.Context(), was, now)
	if err != nil || plan.Total() == 0 || len(plan.Pieces) != len(plan.Cases) {
		t.Fatalf("%+v, %v", plan, err)
	}
	if again, err := (Here{}).Plan(t.Context(), was, now); err != nil || !reflect.DeepEqual(again, plan) {
		t.Errorf("another plan: %+v, %v", again, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for what, try := range map[string]func() error{
		"no law": func() error { _, err := Here{}.Plan(t.Context(), was, []byte("package coop\n")); return err },
		"behind it": func() error {
			_, err := Here{}.Try(t.Context(), was, now, Piece{From: 1 << 29, To: 1<<29 + 1}, "")
			return err
		},
		"no such pairs": func() error { _, err := Here{}.Try(t.Context(), was, now, Piece{To: 1 << 30}, ""); return err },
		"nothing":       func() error { _, err := Here{}.Try(t.Context(), was, now, Piece{}, ""); return err },
		"backwards":     func() error { _, err := Here{}.Try(t.Context(), was, now, Piece{From: 2, To: 1}, ""); return err },
		"below nothing": func() error { _, err := Here{}.Try(t.Context(), was, now, Piece{From: -1, To: 1}, ""); return err },
		"left alone":    func() error { _, err := Here{}.Try(ctx, was, now, plan.Pieces[0], ""); return err },
	} {
		if try() == nil {
			t.Errorf("%s: tried", what)
		}
	}
}
