package fault

import (
	"errors"
	"fmt"
	"testing"
)

func TestAFaultKeepsItsKindThroughWrapping(t *testing.T) {
	f := New(Gone, "dataset-revoked", "It is gone.")
	err := fmt.Errorf("vault: open: %w", f.With("More."))
	if KindOf(err) != Gone || !errors.Is(err, f) {
		t.Fatalf("%v: %s", err, KindOf(err))
	}
	if len(f.Detail) != 0 {
		t.Fatal("With changed the fault it was called on")
	}
}

func TestWhatIsNoFaultIsOurOwn(t *testing.T) {
	if KindOf(errors.New("disk on fire")) != Internal || KindOf(nil) != Internal {
		t.Fatal("kind")
	}
	if errors.Is(New(Gone, "a", "A."), New(Gone, "b", "B.")) {
		t.Fatal("two codes are one")
	}
}
