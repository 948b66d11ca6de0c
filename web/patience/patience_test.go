package patience

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/iotest"
	"time"
)

var (
	errLate   = errors.New("too slow")
	errBroken = errors.New("cut short")
)

func newBody(r io.Reader) *Body {
	return NewBody(io.NopCloser(r), NewAnswer(httptest.NewRecorder(), time.Minute), Limits{Each: time.Minute, Late: errLate, Broken: errBroken})
}

// silent is a connection whose deadline has passed.
type silent struct{}

func (silent) Error() string   { return "i/o timeout" }
func (silent) Timeout() bool   { return true }
func (silent) Temporary() bool { return true }

func TestASenderHearsWhyABodyEnded(t *testing.T) {
	reset := errors.New("connection reset")
	long := &http.MaxBytesError{Limit: 1}
	for _, c := range []struct{ is, hears error }{{silent{}, errLate}, {reset, errBroken}, {io.ErrUnexpectedEOF, errBroken}} {
		_, err := io.ReadAll(newBody(iotest.ErrReader(c.is)))
		if !errors.Is(err, c.hears) || !errors.Is(err, c.is) {
			t.Errorf("%v: %v", c.is, err)
		}
	}
	if _, err := io.ReadAll(newBody(iotest.ErrReader(long))); errors.Is(err, errBroken) || !errors.Is(err, long) {
		t.Errorf("too long: %v", err)
	}
	if got, err := io.ReadAll(newBody(bytes.NewReader([]byte("whole")))); string(got) != "whole" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestNobodyHasMoreThanTheirPart(t *testing.T) {
	var c Crowd[string]
	first, ok := c.Enter("eva", 2)
	_, again := c.Enter("eva", 2)
	_, third := c.Enter("eva", 2)
	_, other := c.Enter("finn", 2)
	if !ok || !again || third || !other || c.Size() != 3 {
		t.Fatalf("%v %v %v %v, %d", ok, again, third, other, c.Size())
	}
	first()
	if _, ok := c.Enter("eva", 2); !ok || c.Size() != 3 {
		t.Error("a place that was left is not free")
	}
}

func TestALargeAnswerGoesInSlices(t *testing.T) {
	w := httptest.NewRecorder()
	data := bytes.Repeat([]byte("x"), 3*slice+7)
	if n, err := NewAnswer(w, time.Minute).Write(data); n != len(data) || err != nil || !bytes.Equal(w.Body.Bytes(), data) {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := NewAnswer(w, time.Minute).Write(nil); n != 0 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}
