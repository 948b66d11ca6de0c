// Package cassette keeps what a server answered, so that the same questions can
// be put again without it: a bench against a real model is paid for once and can
// be repeated by anybody who has the folder.
//
// It guarantees that an answer is given only to exactly the question it was an
// answer to, by method, path and body, and that an answer is kept whole or not
// at all. Hosts and keys are no part of a question and are never written.
//
// It refuses to keep what a server could not answer: a status other than 200 is
// passed on and asked again next time. It knows nothing of models.
package cassette

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
)

// Folder is an http.RoundTripper that keeps every answer in a directory, named by
// the SHA-256 of what was asked, and gives it again when the same is asked. It is
// safe for concurrent use.
type Folder struct {
	root *os.Root
	next http.RoundTripper // nil asks nobody
}

// Open opens a directory, which is made if it is not there. Without next only
// what was kept is answered.
func Open(dir string, next http.RoundTripper) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cassettes: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("cassettes: %w", err)
	}
	return &Folder{root: root, next: next}, nil
}

// Close closes the directory.
func (c *Folder) Close() error { return c.root.Close() }

// mostKept bounds an answer; the judge reads less.
const mostKept = 2 << 20

type kept struct {
	Status int    `json:"status"`
	Body   []byte `json:"body"`
}

// ErrNotKept is the answer where there is none and nobody to ask.
var ErrNotKept = errors.New("no cassette holds an answer to this, and there is nobody to ask")

// RoundTrip answers from the folder, or asks and keeps what comes.
func (c *Folder) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		_ = r.Body.Close() // it was read to its end
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%s %s\n", r.Method, r.URL.Path)
	sum.Write(body)
	name := hex.EncodeToString(sum.Sum(nil)) + ".json"
	text, err := c.root.ReadFile(name)
	if err == nil {
		var k kept
		if err := json.Unmarshal(text, &k); err != nil {
			return nil, fmt.Errorf("cassette %s: %w", name, err)
		}
		return k.response(r), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if c.next == nil {
		return nil, ErrNotKept
	}
	return c.record(r, body, name)
}

func (c *Folder) record(r *http.Request, body []byte, name string) (*http.Response, error) {
	asked := r.Clone(r.Context())
	asked.Body = io.NopCloser(bytes.NewReader(body))
	resp, err := c.next.RoundTrip(asked)
	if err != nil {
		return nil, err // what did not come is asked again next time
	}
	defer func() { _ = resp.Body.Close() }()
	k := kept{Status: resp.StatusCode}
	if k.Body, err = io.ReadAll(io.LimitReader(resp.Body, mostKept)); err != nil {
		return nil, err
	}
	if k.Status == http.StatusOK { // a server that was too busy may have time tomorrow
		text, err := json.Marshal(k)
		if err != nil {
			return nil, err
		}
		if err := c.root.WriteFile(name+".new", text, 0o600); err != nil {
			return nil, fmt.Errorf("cassettes: %w", err)
		}
		if err := c.root.Rename(name+".new", name); err != nil {
			return nil, fmt.Errorf("cassettes: %w", err)
		}
	}
	return k.response(r), nil
}

func (k kept) response(r *http.Request) *http.Response {
	return &http.Response{StatusCode: k.Status, Header: http.Header{"Content-Type": {"application/json"}}, Request: r,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Body: io.NopCloser(bytes.NewReader(k.Body)), ContentLength: int64(len(k.Body))}
}
