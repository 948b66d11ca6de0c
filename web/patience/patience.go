// Package patience is how much of a server one connection and one caller may
// take.
//
// # What it guarantees
//
// A slow but living connection goes on; one that is silent or drips is let go
// of, whether it sends ([Body]) or reads ([Answer]). Only waiting counts: the
// time a handler works between two reads is its own. After a body has ended
// no deadline is left that would cut its handler short, and after one that was
// broken off nothing tries to read the rest. A [Crowd] lets nobody have more
// than their part under way.
//
// # What it refuses
//
// To say what a slow sender hears: it passes on the errors it is given.
package patience

import (
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// Pace is how many bytes of a body must move in the time of patience.
const Pace = 4 << 10

// Answer moves the write deadline on with every slice of an answer.
type Answer struct {
	http.ResponseWriter
	control *http.ResponseController
	each    time.Duration
}

// slice is how much of an answer must go in the time of patience.
const slice = 64 << 10

// NewAnswer is w, with so much time for each slice. It ends the deadline that
// an earlier answer on this connection has left.
func NewAnswer(w http.ResponseWriter, each time.Duration) *Answer {
	a := &Answer{w, http.NewResponseController(w), each}
	_ = a.control.SetWriteDeadline(time.Time{}) // not every connection has deadlines
	return a
}

// Finish gives what net/http still holds the time to leave.
func (a *Answer) Finish() { _ = a.control.SetWriteDeadline(time.Now().Add(a.each)) }

// Unwrap is how a ResponseController finds the connection.
func (a *Answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// Write writes under fresh deadlines.
func (a *Answer) Write(b []byte) (n int, err error) {
	for {
		a.Finish()
		m, err := a.ResponseWriter.Write(b[n:min(n+slice, len(b))])
		n += m
		if err != nil || n >= len(b) {
			return n, err
		}
	}
}

// Limits are what a body may take and what its sender hears.
type Limits struct {
	Each   time.Duration // how long it may wait for Pace bytes
	All    time.Duration // how long it may take altogether; 0 is without end
	Late   error         // of silence, beside the error of the connection
	Broken error         // of a connection that is lost
}

// Body moves the read deadline on while bytes move.
type Body struct {
	io.ReadCloser
	limits  Limits
	control *http.ResponseController
	until   time.Time // when patience ends altogether; zero for never
	waited  time.Duration
	moved   int

	mu    sync.Mutex // held to set a deadline, so that none is set once the body has ended
	cut   bool       // no byte more is taken
	ended bool
}

// NewBody is the body of a request that a answers.
func NewBody(body io.ReadCloser, a *Answer, l Limits) *Body {
	b := &Body{ReadCloser: body, limits: l, control: a.control}
	if l.All > 0 {
		b.until = time.Now().Add(l.All)
	}
	b.wait(time.Now().Add(l.Each)) // net/http drains what nobody reads
	return b
}

// Read reads under a deadline that is fresh after every Pace of bytes.
func (b *Body) Read(p []byte) (int, error) {
	began := time.Now()
	deadline := began.Add(b.limits.Each - b.waited)
	if !b.until.IsZero() && b.until.Before(deadline) {
		deadline = b.until
	}
	b.wait(deadline)
	n, err := b.ReadCloser.Read(p)
	b.waited, b.moved = b.waited+time.Since(began), b.moved+n
	if b.moved >= Pace {
		b.waited, b.moved = 0, 0
	}
	if errors.Is(err, io.EOF) {
		b.rest()
	}
	return n, b.explain(err)
}

// explain adds what the sender hears of a body that was cut short; its end,
// and one that is too long, are not.
func (b *Body) explain(err error) error {
	var late net.Error
	var long *http.MaxBytesError
	switch {
	case err == nil, errors.Is(err, io.EOF), errors.As(err, &long):
		return err
	case errors.As(err, &late) && late.Timeout():
		return errors.Join(b.limits.Late, err)
	}
	return errors.Join(b.limits.Broken, err)
}

// Interrupt ends a body that somebody else has taken the place of: a Read
// under way fails, and every one after it.
func (b *Body) Interrupt() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cut = true
	b.set(time.Now())
}

func (b *Body) wait(until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cut {
		until = time.Now()
	}
	b.set(until)
}

// rest ends all deadlines: from the end of a body on net/http watches the
// connection and cancels the request if that times out, however long its
// handler still has to work.
func (b *Body) rest() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.set(time.Time{})
	b.ended = true
}

func (b *Body) set(deadline time.Time) {
	if !b.ended {
		_ = b.control.SetReadDeadline(deadline) // not every connection has deadlines
	}
}

// Close does nothing: net/http closes a body itself, and one that is closed
// early cannot be drained.
func (b *Body) Close() error { return nil }

// mostDrained is how much of a refused body is still taken, so that its sender
// gets to read the refusal instead of a broken connection.
const mostDrained = 16 << 20

// Finish drains what the handler has left, for twice the time of patience at
// most.
func (b *Body) Finish() {
	if end := time.Now().Add(2 * b.limits.Each); b.until.IsZero() || end.Before(b.until) {
		b.until = end
	}
	_, err := io.CopyN(io.Discard, b, mostDrained)
	if errors.Is(err, http.ErrBodyReadAfterClose) { // net/http has drained it
		b.rest()
		return
	}
	b.Interrupt() // or net/http would try to drain what is left, without end
}

// Crowd counts what each caller has under way.
type Crowd[Caller comparable] struct {
	mu   sync.Mutex
	held map[Caller]int
}

// Enter lets a caller in who has fewer than most under way. Who was let in
// leaves.
func (c *Crowd[Caller]) Enter(who Caller, most int) (leave func(), ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held[who] >= most {
		return nil, false
	}
	if c.held == nil {
		c.held = map[Caller]int{}
	}
	c.held[who]++
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.held[who]--; c.held[who] == 0 {
			delete(c.held, who)
		}
	}, true
}

// Size is how much is under way for everybody.
func (c *Crowd[Caller]) Size() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, held := range c.held {
		n += held
	}
	return n
}
