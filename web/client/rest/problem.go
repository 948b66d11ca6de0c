package rest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Problem is an RFC 9457 problem document.
type Problem struct {
	Type   string   `json:"type"`
	Title  string   `json:"title"`
	Status int      `json:"status"`
	Detail string   `json:"detail,omitempty"`
	Errors []string `json:"errors,omitempty"`
}

// ProblemError is a refusal by the server: its RFC 9457 problem document, or
// one made up from the status where the answer held none. Its text is what a
// person should read.
type ProblemError struct {
	Problem
	RetryAfter time.Duration // how long the server asks to wait; 0 if it does not say
}

// Error is the title, the detail and the further sentences of the problem.
func (e *ProblemError) Error() string {
	var said []string
	for _, s := range append([]string{e.Title, e.Detail}, e.Errors...) {
		if s != "" && !slices.Contains(said, s) {
			said = append(said, s)
		}
	}
	return strings.Join(said, " ")
}

// Code is the stable slug at the end of the problem's type, such as
// "dataset-revoked"; empty for a problem without one.
func (e *ProblemError) Code() string {
	if e.Type == "about:blank" {
		return ""
	}
	return e.Type[strings.LastIndexAny(e.Type, "/:#")+1:]
}

// IsStatus reports whether err is a ProblemError with one of these HTTP
// statuses.
func IsStatus(err error, statuses ...int) bool {
	var p *ProblemError
	return errors.As(err, &p) && slices.Contains(statuses, p.Status)
}

// Limits on what of a server's problem reaches a terminal.
const (
	problemBytes  = 64 << 10
	problemRunes  = 600
	problemErrors = 20
)

// readProblem makes the error of an answer that is no success.
func readProblem(resp *http.Response) *ProblemError {
	body, err := io.ReadAll(io.LimitReader(resp.Body, problemBytes))
	if err != nil {
		body = nil // the status says enough
	}
	p := parseProblem(resp.StatusCode, resp.Header.Get("Content-Type"), body)
	return &ProblemError{Problem: p, RetryAfter: retryAfter(resp.Header, time.Now())}
}

// parseProblem reads a problem document (RFC 9457). The status is always that
// of the answer; text is made safe to print.
func parseProblem(status int, contentType string, body []byte) Problem {
	var p Problem
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "application/problem+json" || json.Unmarshal(body, &p) != nil {
		p = Problem{}
	}
	p.Status = status
	p.Type, p.Title, p.Detail = clean(p.Type), clean(p.Title), clean(p.Detail)
	p.Errors = p.Errors[:min(len(p.Errors), problemErrors)]
	for i := range p.Errors {
		p.Errors[i] = clean(p.Errors[i])
	}
	if p.Title == "" {
		p.Title = titleFor(status)
	}
	return p
}

func titleFor(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "The server does not know who you are: the token is missing, wrong or expired."
	case http.StatusNotFound:
		return "There is no such thing on this server, or you may not see it."
	case http.StatusTooManyRequests:
		return "The server asks to be called less often."
	}
	return strings.TrimSpace(fmt.Sprintf("The server answered %d %s", status, http.StatusText(status))) + "."
}

// clean drops what could move a terminal's cursor or turn its text around, and
// limits length.
func clean(s string) string {
	var out strings.Builder
	n := 0
	for _, r := range s {
		if n == problemRunes {
			out.WriteString("…")
			break
		}
		if unicode.IsSpace(r) {
			r = ' '
		}
		if unicode.IsPrint(r) {
			out.WriteRune(r)
			n++
		}
	}
	return strings.TrimSpace(out.String())
}

// retryAfter reads Retry-After (RFC 9110, section 10.2.3): seconds or a date.
// It is 0 for anything else and for times that have passed.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, err := strconv.ParseInt(text, 10, 32); err == nil {
		return max(0, time.Duration(seconds)*time.Second)
	}
	date, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return max(0, date.Sub(now))
}
