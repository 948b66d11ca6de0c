package static

import (
	"strings"
	"testing"
)

// The content policy has no room for pictures inside a style sheet.
func TestNoStyleSheetHoldsAPicture(t *testing.T) {
	files, err := Read()
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range files.byName {
		if strings.Contains(f.plain, `url("data:`) {
			t.Errorf("%s holds a picture", name)
		}
	}
	if len(files.byName["pico-2.1.1.min.css"].plain) < 50_000 {
		t.Error("the style sheet is gone")
	}
}
