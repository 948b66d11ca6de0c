package render

import (
	"bytes"
	"errors"
	"testing"
)

func TestAnAnswerIsOneDocument(t *testing.T) {
	var out bytes.Buffer
	if err := JSON(&out, map[string]any{"ok": true}); err != nil || out.String() != "{\n  \"ok\": true\n}\n" {
		t.Fatalf("%q, %v", out.String(), err)
	}
}

var errFull = errors.New("full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestAnAnswerThatCannotBeWrittenIsAFailure(t *testing.T) {
	if err := JSON(full{}, 1); !errors.Is(err, errFull) {
		t.Fatal(err)
	}
	if err := JSON(&bytes.Buffer{}, make(chan int)); err == nil {
		t.Fatal("a channel was written")
	}
}
