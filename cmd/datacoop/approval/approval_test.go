package approval

import (
	"context"
	"errors"
	"strings"
	"testing"

	"distributed.ai/datacoop/web/client"
)

var three = []client.Approval{{ID: "a"}, {ID: "b"}, {ID: "c"}}

func ids(list []client.Approval) (out string) {
	for _, a := range list {
		out += a.ID
	}
	return out
}

func TestOnlyWhatWaitsIsChosen(t *testing.T) {
	for _, c := range []struct {
		yes, no       []string
		all           bool
		approve, deny string
		refusal       string
	}{
		{nil, nil, false, "", "", ""},
		{[]string{"b", "a"}, nil, false, "ba", "", ""},
		{nil, nil, true, "abc", "", ""},
		{nil, []string{"b"}, true, "ac", "b", ""},
		{[]string{"a"}, []string{"c"}, false, "a", "c", ""},
		{[]string{"a"}, []string{"a"}, false, "", "", "approved and declined"},
		{[]string{"a"}, nil, true, "", "", "not both"},
		{[]string{"d"}, nil, false, "", "", "id d waits"},
		{nil, []string{"d"}, false, "", "", "id d waits"},
		{[]string{"x\x1b[2Jx"}, nil, false, "", "", "id x[2Jx waits"},
	} {
		approve, decline, err := Choose(three, c.yes, c.no, c.all)
		if (err == nil) != (c.refusal == "") || err != nil && !strings.Contains(err.Error(), c.refusal) {
			t.Errorf("%+v: %v", c, err)
		}
		if err == nil && (ids(approve) != c.approve || ids(decline) != c.deny) {
			t.Errorf("%+v: approve %s, decline %s", c, ids(approve), ids(decline))
		}
	}
	if ids(three) != "abc" {
		t.Error("choosing has changed what waits")
	}
}

func TestNothingTheServerSaysMovesTheCursor(t *testing.T) {
	const hostile = "\x1b[1A\x1b[2K\u202eevil\r\n"
	var out strings.Builder
	Describe(&out, client.Approval{ID: hostile, Researcher: hostile, Kind: hostile, Title: hostile, Purpose: hostile, Pool: hostile,
		Dataset: hostile, Recipient: hostile})
	if strings.ContainsAny(out.String(), "\x1b\r\u202e") || strings.Count(out.String(), "\n") != 10 {
		t.Errorf("%q", out.String())
	}
	if !strings.Contains(out.String(), "not an age recipient") {
		t.Errorf("%q", out.String())
	}
}

func TestARecipientIsToldWithItsKindAndFingerprint(t *testing.T) {
	for classic, says := range map[bool]string{false: "…", true: "classic: what is recorded today"} {
		id, err := client.Keygen(classic)
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		Describe(&out, client.Approval{Recipient: id.Recipient()})
		if !strings.Contains(out.String(), says) || !strings.Contains(out.String(), client.Fingerprint(id.Recipient())) {
			t.Errorf("%s", out.String())
		}
	}
}

func TestOneFailureDoesNotKeepTheOthersFromBeingAnswered(t *testing.T) {
	var out strings.Builder
	a := Answers{Say: &out, Total: 2, Words: func(err error) error { return err }}
	if len(a.Given()) != 0 || a.Given() == nil {
		t.Error("nothing given is not an empty list")
	}
	a.Note(t.Context(), three[0], client.ApprovalResult{}, errors.New("the policy refuses"))
	a.Note(t.Context(), three[1], client.ApprovalResult{State: "approved"}, nil)
	if err := a.End(t.Context()); err == nil || err.Error() != "1 of 2 could not be answered" || len(a.Given()) != 1 ||
		!strings.Contains(out.String(), "not answered: a  the policy refuses") || !strings.Contains(out.String(), "approved: b") {
		t.Errorf("%v, %s", err, out.String())
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	a.Note(ctx, three[2], client.ApprovalResult{}, context.Canceled)
	if err := a.End(ctx); !errors.Is(err, context.Canceled) || strings.Contains(out.String(), "answered: c") {
		t.Errorf("%v, %s", err, out.String())
	}
}
