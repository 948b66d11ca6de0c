package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"distributed.ai/datacoop/web/client"
)

// TestResumeScripts interrupts commands and runs them again.
func TestResumeScripts(t *testing.T) {
	var w wire
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/resume",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, "cache"))
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"await": await, "member": member, "bytes": randomBytes, "same": same,
			"line": w.line, "stalled": w.wait, "flow": w.flow, "sentonce": w.sentOnce,
		},
	})
}

// wire is the way to a server, which can be blocked and counts what is
// uploaded.
type wire struct {
	mu      sync.Mutex
	sent    int64
	most    int64
	blocked chan struct{} // closed when it is blocked
	free    chan struct{} // closed when it flows again
}

// line BYTES leads the way to the server through one that lets so many bytes
// of uploads pass.
func (w *wire) line(ts *testscript.TestScript, _ bool, args []string) {
	most, err := strconv.ParseInt(args[0], 10, 64)
	ts.Check(err)
	server, err := url.Parse(ts.Getenv("DATACOOP_SERVER"))
	ts.Check(err)
	w.most, w.blocked, w.free = most, make(chan struct{}), make(chan struct{})
	onward := httputil.NewSingleHostReverseProxy(server)
	onward.ErrorLog = nil
	front := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch {
			r.Body = &counting{r.Body, r.Context(), w}
		}
		onward.ServeHTTP(rw, r)
	}))
	ts.Defer(front.Close)
	ts.Setenv("DATACOOP_SERVER", front.URL)
}

type counting struct {
	io.ReadCloser
	ctx context.Context
	w   *wire
}

// Read counts, and waits while the way is blocked.
func (c *counting) Read(p []byte) (int, error) {
	if err := c.w.pass(c.ctx); err != nil {
		return 0, err
	}
	n, err := c.ReadCloser.Read(p)
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	c.w.sent += int64(n)
	return n, err
}

func (w *wire) pass(ctx context.Context) error {
	w.mu.Lock()
	full := w.sent >= w.most
	if full {
		select {
		case <-w.blocked:
		default:
			close(w.blocked)
		}
	}
	w.mu.Unlock()
	if !full {
		return nil
	}
	select {
	case <-w.free:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// wait (stalled) waits until the line is blocked.
func (w *wire) wait(ts *testscript.TestScript, _ bool, _ []string) {
	select {
	case <-w.blocked:
	case <-time.After(time.Minute):
		ts.Fatalf("so much was never uploaded")
	}
}

// flow lets everything pass.
func (w *wire) flow(*testscript.TestScript, bool, []string) { close(w.free) }

// sentonce SIZE checks that a file was sent whole and, but for a chunk, once.
func (w *wire) sentOnce(ts *testscript.TestScript, _ bool, args []string) {
	const chunk = 8 << 20
	size, err := strconv.ParseInt(args[0], 10, 64)
	ts.Check(err)
	w.mu.Lock()
	defer w.mu.Unlock()
	ts.Logf("%d bytes were sent of a file of %d", w.sent, size)
	if w.sent < size || w.sent > size+size/1000+chunk {
		ts.Fatalf("%d bytes were sent for a file of %d", w.sent, size)
	}
}

// bytes FILE SIZE writes a file that is no export of any kind.
func randomBytes(ts *testscript.TestScript, _ bool, args []string) {
	size, err := strconv.Atoi(args[1])
	ts.Check(err)
	data := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{7}).Read(data) // never fails
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), data, 0o600))
}

// same FILE checks that the dataset of the last answer decrypts to a file.
func same(ts *testscript.TestScript, _ bool, args []string) {
	var dataset client.Dataset
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &dataset))
	api, err := client.New(ts.Getenv("DATACOOP_SERVER"), client.WithToken(ts.Getenv("DATACOOP_TOKEN")))
	ts.Check(err)
	id, err := client.ReadIdentity(ts.Getenv("DATACOOP_IDENTITY"))
	ts.Check(err)
	body, err := api.Content(context.Background(), dataset.ID)
	ts.Check(err)
	defer body.Close()
	var plain bytes.Buffer
	_, err = id.Decrypt(&plain, body)
	ts.Check(err)
	if plain.String() != ts.ReadFile(args[0]) {
		ts.Fatalf("%d bytes came back", plain.Len())
	}
}
