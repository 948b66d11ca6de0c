package portal

import (
	"sync"
	"testing"

	"distributed.ai/datacoop/internal/language"
)

// TestEveryPageParses asks for each page as a first visitor would, and for all
// of them at once, because visitors do not queue.
func TestEveryPageParses(t *testing.T) {
	spoken, err := language.Spoken(nil)
	if err != nil {
		t.Fatal(err)
	}
	pages, err := Parse(spoken)
	if err != nil {
		t.Fatal(err)
	}
	if len(pages.set[nil]) < 20 {
		t.Fatalf("only %d pages were found", len(pages.set[nil]))
	}
	var visitors sync.WaitGroup
	for name, parse := range pages.set[nil] {
		for range 2 {
			visitors.Go(func() {
				if page, err := parse(); err != nil || page.Lookup("frame") == nil {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
	}
	visitors.Wait()
}
