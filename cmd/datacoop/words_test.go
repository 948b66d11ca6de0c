package main

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"distributed.ai/datacoop/internal/fault"
)

func TestErrorsAreSaidInSentences(t *testing.T) {
	refused := fault.New(fault.Invalid, "wrong-pool", "This belongs to another pool.").With("Try media.")
	for _, try := range []struct {
		err    error
		says   string
		status int
	}{
		{refused, "This belongs to another pool. Try media.", statusFailed},
		{fmt.Errorf("export.csv: %w", refused), "export.csv: This belongs to another pool. Try media.", statusFailed},
		{errors.New("disk full"), "disk full", statusFailed},
		{fmt.Errorf("download: %w", context.Canceled), "interrupted. Go on.", statusInterrupted},
	} {
		var got told
		if err := plain(try.err, "Go on."); !errors.As(err, &got) || err.Error() != try.says || got.ExitCode() != try.status {
			t.Errorf("%v: %v", try.err, err)
		}
	}
	if plain(nil, "") != nil {
		t.Error("nothing became an error")
	}
}

func TestSizesAreWrittenForPeople(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 50_800: "50.8 kB", 61_400_000: "61.4 MB",
		3_000_000_000: "3.0 GB", 5_000_000_000_000_000: "5000.0 TB"} {
		if got := bytesOf(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
	if percent(982) != "98.2 %" || percent(1000) != "100.0 %" || counted(1, "row", "rows") != "1 row" || counted(0, "row", "rows") != "0 rows" {
		t.Error("percent or counted")
	}
	if span("", "", 0) != "no dates" || span("2026-01", "2026-01", 1) != "2026-01 (1 day)" {
		t.Error("span")
	}
}
