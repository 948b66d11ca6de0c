package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestAFigureSaysWhetherItMeetsItsGoal(t *testing.T) {
	for _, c := range []struct {
		f    Figure
		goal string
		ok   bool
	}{
		{atMost(1.2, Figure{Value: 1.2}), "<= 1.2", true}, {atMost(1.2, Figure{Value: 1.21}), "<= 1.2", false},
		{atLeast(2000, Figure{Value: 2000}), ">= 2000", true}, {atLeast(2000, Figure{Value: 1999}), ">= 2000", false},
	} {
		if c.f.Goal != c.goal || c.f.OK != c.ok {
			t.Errorf("%+v", c.f)
		}
	}
}

func TestAFigureIsOneLineOfJSON(t *testing.T) {
	var out bytes.Buffer
	env := Env{Out: &out, JSON: true}
	for range 2 {
		if err := env.print(atMost(2, Figure{Name: "n", Value: 1.5, Unit: "ratio", Anchor: "a", Samples: 3})); err != nil {
			t.Fatal(err)
		}
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	var got map[string]any
	if len(lines) != 2 || json.Unmarshal([]byte(lines[1]), &got) != nil {
		t.Fatalf("%q", out.String())
	}
	for _, key := range []string{"name", "value", "unit", "goal", "anchor", "samples", "ok"} {
		if _, ok := got[key]; !ok {
			t.Errorf("%s is missing", key)
		}
	}
}

func TestTheMedianIsTheMiddle(t *testing.T) {
	if (series{}).median() != 0 || (series{time.Hour, time.Second, 2 * time.Second}).median() != 2 ||
		(series{time.Hour, time.Second, 3 * time.Second, 0}).median() != 2 {
		t.Error("it is not")
	}
}

func TestWhatFailedIsNotASample(t *testing.T) {
	var s series
	if err := s.time(func() error { return errors.New("no") }); err == nil || len(s) != 0 {
		t.Errorf("%v, %v", s, err)
	}
}

func TestAnUnknownBenchmarkIsRefused(t *testing.T) {
	err := Run(context.Background(), "speed", Env{Dir: t.TempDir(), Out: &bytes.Buffer{}})
	if err == nil || !strings.Contains(err.Error(), "grant") {
		t.Errorf("%v", err)
	}
}

func TestACoopThatDoesNotStartIsSaid(t *testing.T) {
	no := errors.New("no co-op today")
	env := Env{Dir: t.TempDir(), Out: &bytes.Buffer{}, JSON: true, Start: func(context.Context, string) (*Coop, error) { return nil, no }}
	if err := Run(context.Background(), "rotate", env); !errors.Is(err, no) {
		t.Errorf("%v", err)
	}
}
