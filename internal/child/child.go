// Package child runs a function of this program in a process of its own, with
// limits on memory and time that the function cannot talk its way out of.
//
// It is for work on what strangers wrote, such as a proposed policy, where
// neither a deadline nor a list of what is allowed is trusted alone: some
// computations look at no deadline, and one that eats all memory takes down
// the process it runs in.
//
// # What it guarantees
//
// The child sets its limits before it reads a byte of its input, on Linux by
// the kernel; elsewhere only the time and the answer's length are limited. It
// inherits no environment, no open file and no secret, starts in the root
// directory, and dies with its parent (on Linux) or when the caller's context
// ends. At most as many run at once as its Runner says; others wait.
//
// # What it refuses
//
// It takes no answer that is late, longer than the limit or incomplete: a
// child that crashed, whatever the reason, is [ErrNoAnswer]. It is no sandbox
// against code that attacks the kernel: the program in the child is our own.
package child

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// ErrNoAnswer says that a child ended without an answer: it passed a limit or
// crashed.
var ErrNoAnswer = errors.New("child: no answer within the limits")

// Limits of one child. All are needed.
type Limits struct {
	Memory int64         // bytes of data the child may map, which is more than it uses
	CPU    time.Duration // processor time, in whole seconds
	Wall   time.Duration // from start to answer
	Answer int64         // bytes
}

// Work is what a child can do, by name. It gets its input whole. An error
// reaches the caller of Run as text.
type Work map[string]func(ctx context.Context, in []byte) ([]byte, error)

const (
	nameVar   = "DATACOOP_CHILD"
	limitsVar = "DATACOOP_CHILD_LIMITS"
)

// answer is what a child writes to its standard output.
type answer struct {
	Out   []byte `json:"out"`
	Error string `json:"error,omitempty"`
}

// Serve does the work this process was started for by a Runner, and exits. In
// any other process it returns at once. Call it first in main.
func Serve(w Work) {
	name, ok := os.LookupEnv(nameVar)
	if !ok {
		return
	}
	if err := serve(w, name); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err) // for whoever starts a child by hand
		os.Exit(1)
	}
	os.Exit(0)
}

func serve(w Work, name string) error {
	var l Limits
	if err := json.Unmarshal([]byte(os.Getenv(limitsVar)), &l); err != nil {
		return fmt.Errorf("child: limits: %w", err)
	}
	if err := l.impose(); err != nil {
		return fmt.Errorf("child: limits: %w", err)
	}
	do, ok := w[name]
	if !ok {
		return fmt.Errorf("child: no work is called %q", name)
	}
	in, err := io.ReadAll(os.Stdin)
	if err != nil {
		return fmt.Errorf("child: input: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), l.Wall)
	defer cancel()
	var a answer
	if a.Out, err = do(ctx, in); err != nil {
		a = answer{Error: err.Error()}
	}
	return json.NewEncoder(os.Stdout).Encode(a)
}

// Runner starts children of this program. It is safe for concurrent use.
type Runner struct {
	limits Limits
	slots  chan struct{}
}

// NewRunner returns a Runner with these limits, of whose children at most
// atOnce run at the same time.
func NewRunner(l Limits, atOnce int) *Runner {
	return &Runner{limits: l, slots: make(chan struct{}, atOnce)}
}

// Run has a child do the work of that name on in and returns its answer. The
// error is ErrNoAnswer, ctx's own, or what the work said.
func (r *Runner) Run(ctx context.Context, name string, in []byte) ([]byte, error) {
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	limited, cancel := context.WithTimeout(ctx, r.limits.Wall)
	defer cancel()
	out, err := r.start(limited, name, in)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	var a answer
	if json.Unmarshal(out, &a) != nil {
		return nil, ErrNoAnswer
	}
	if a.Error != "" {
		return nil, fmt.Errorf("child: %s: %s", name, a.Error)
	}
	return a.Out, nil
}

// start runs one child to its end. What it says on standard error is about
// the input, and is dropped.
func (r *Runner) start(ctx context.Context, name string, in []byte) ([]byte, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("child: %w", err)
	}
	limits, err := json.Marshal(r.limits)
	if err != nil {
		return nil, fmt.Errorf("child: %w", err)
	}
	cmd := exec.CommandContext(ctx, program) //nolint:gosec // the program is this one
	cmd.Env = []string{nameVar + "=" + name, limitsVar + "=" + string(limits)}
	cmd.Dir = string(os.PathSeparator)
	cmd.Stdin = bytes.NewReader(in)
	out := &bounded{left: r.limits.Answer}
	cmd.Stdout = out
	cmd.WaitDelay = time.Second
	dieWithParent(cmd)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("child: %w", err)
	}
	if cmd.Wait() != nil || out.left < 0 {
		return nil, ErrNoAnswer
	}
	return out.buf.Bytes(), nil
}

// bounded keeps as much as is left and refuses what would be more.
type bounded struct {
	buf  bytes.Buffer
	left int64
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.left -= int64(len(p)); b.left < 0 {
		return 0, ErrNoAnswer
	}
	return b.buf.Write(p)
}
