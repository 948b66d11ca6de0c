package child

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

// TestMain makes this test's binary a program that can start itself.
func TestMain(m *testing.M) {
	Serve(Work{
		"upper":    func(_ context.Context, in []byte) ([]byte, error) { return bytes.ToUpper(in), nil },
		"complain": func(context.Context, []byte) ([]byte, error) { return nil, errors.New("the work went wrong") },
		"hoard": func(context.Context, []byte) ([]byte, error) {
			for {
				hoard = append(hoard, bytes.Repeat([]byte{1}, 16<<20)...)
			}
		},
		"spin": func(context.Context, []byte) ([]byte, error) {
			for n := uint64(0); ; n++ {
			}
		},
		"sleep":   func(context.Context, []byte) ([]byte, error) { select {} },
		"talk":    func(context.Context, []byte) ([]byte, error) { return make([]byte, 2<<20), nil },
		"panic":   func(context.Context, []byte) ([]byte, error) { panic("gone") },
		"recurse": func(context.Context, []byte) ([]byte, error) { return make([]byte, recurse(0)), nil },
		"look": func(context.Context, []byte) ([]byte, error) {
			dir, err := os.Getwd()
			return []byte(strings.Join(os.Environ(), "\n") + "\n" + dir), err
		},
		"write": func(context.Context, []byte) ([]byte, error) {
			f, err := os.CreateTemp("", "child")
			if err == nil {
				_, err = f.WriteString("x")
				_ = os.Remove(f.Name())
			}
			return nil, err
		},
	})
	os.Exit(m.Run())
}

// hoard is what nobody frees.
var hoard []byte

func recurse(depth int) int {
	if depth < 0 {
		return 0
	}
	return recurse(depth+1) + 1
}

var generous = Limits{Memory: 1 << 30, CPU: 20 * time.Second, Wall: time.Minute, Answer: 1 << 20}

func TestAChildAnswers(t *testing.T) {
	out, err := NewRunner(generous, 1).Run(context.Background(), "upper", []byte("quiet"))
	if err != nil || string(out) != "QUIET" {
		t.Fatalf("%q, %v", out, err)
	}
}

func TestAChildThatPassesALimitGivesNoAnswer(t *testing.T) {
	for name, change := range map[string]func(*Limits){
		"hoard":                func(l *Limits) { l.Memory = 256 << 20 },
		"spin":                 func(l *Limits) { l.CPU = time.Second },
		"sleep":                func(l *Limits) { l.Wall = time.Second },
		"talk":                 func(*Limits) {},
		"panic":                func(*Limits) {},
		"recurse":              func(*Limits) {},
		"nothing of that name": func(*Limits) {},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "hoard" && !memoryIsLimited {
				t.Skip("memory is not limited on this system")
			}
			l := generous
			change(&l)
			if out, err := NewRunner(l, 1).Run(context.Background(), name, nil); !errors.Is(err, ErrNoAnswer) {
				t.Fatalf("%d bytes, %v", len(out), err)
			}
		})
	}
}

func TestWhatTheWorkSaysReachesTheCaller(t *testing.T) {
	_, err := NewRunner(generous, 1).Run(context.Background(), "complain", nil)
	if err == nil || errors.Is(err, ErrNoAnswer) || !strings.Contains(err.Error(), "the work went wrong") {
		t.Fatal(err)
	}
}

func TestAChildInheritsNothing(t *testing.T) {
	t.Setenv("DATACOOP_PASSPHRASE", "correct horse")
	out, err := NewRunner(generous, 1).Run(context.Background(), "look", nil)
	if err != nil || strings.Contains(string(out), "horse") || !strings.HasSuffix(string(out), "\n"+string(os.PathSeparator)) {
		t.Fatalf("%s, %v", out, err)
	}
}

func TestAChildWritesNoFile(t *testing.T) {
	if !memoryIsLimited {
		t.Skip("the kernel limits nothing on this system")
	}
	if _, err := NewRunner(generous, 1).Run(context.Background(), "write", nil); err == nil {
		t.Fatal("it wrote a file")
	}
}

func TestAChildEndsWithItsCaller(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(100*time.Millisecond, cancel)
	if _, err := NewRunner(generous, 1).Run(ctx, "sleep", nil); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func TestWhoWaitsForATurnCanGiveUp(t *testing.T) {
	r := NewRunner(generous, 1)
	r.slots <- struct{}{} // somebody is at it
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := r.Run(ctx, "upper", nil); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}
