package treasury

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/marketplace/appraisal/learning"
)

func TestJudgesOfACharterAreComparedWithPeopleAndNotAskedTwice(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	round := "id,name,contribution,impact,amount\n"
	for i := range 12 {
		round += fmt.Sprintf("p%d,Project %d,\"Built part %d of the importer, with tests.\",Used by %d members.,\"[%d, %d]\"\n", i, i, i, i*3, i%5, i%3)
	}
	write("rounds/round.csv", round)
	model := testkit.NewModel(t)
	charter := write("charter.toml", string(governance.DemoCharter())+
		fmt.Sprintf("\n[[judges]]\nfamily = \"scripted\"\nbase_url = %q\nname = \"m\"\n", model.BaseURL))
	c := EvaluateCmd{Evaluate: filepath.Join(dir, "rounds"), Charter: charter, Record: filepath.Join(dir, "record")}
	first, err := c.evaluate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	judges := first[0].Judges
	if len(judges) != 2 || judges[1].Judge != "scripted" || judges[1].Items == 0 {
		t.Fatalf("%+v", judges)
	}
	asked := len(model.Turns())
	again, err := c.evaluate(t.Context())
	if err != nil || again[0].Judges[1].Pairs != judges[1].Pairs {
		t.Fatalf("%+v, %v", again, err)
	}
	if more := len(model.Turns()) - asked; more > 1 { // a look at what the endpoint is
		t.Fatalf("a recorded run asked %d times more", more)
	}
	c.Against = charter // a challenger that is the judge in force
	verdict, err := c.compare(t.Context())
	if err != nil || verdict.Answer != learning.NotProven || verdict.Pairs != 6 || verdict.Gained+verdict.Lost != 0 {
		t.Fatalf("%+v, %v", verdict, err)
	}
	var told bytes.Buffer
	if tell(&told, verdict); !strings.Contains(told.String(), "not proven") || !strings.Contains(told.String(), "Neither was attacked") {
		t.Fatal(told.String())
	}
	if err := (&EvaluateCmd{Evaluate: c.Evaluate, Against: charter}).Run(t.Context()); !errors.Is(err, errShadow) {
		t.Fatal(err)
	}
	var out bytes.Buffer
	show(&out, again[0])
	if !strings.Contains(out.String(), "scripted") || !strings.Contains(out.String(), "The most that any judge can reach") {
		t.Fatal(out.String())
	}
}
