package rest

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"time"
)

// UnreachableError says that no answer came: no connection, a lost one, or one
// that stood still.
type UnreachableError struct {
	err   error
	final bool // trying again would end the same
}

// Error is a sentence with the network's own reason.
func (e *UnreachableError) Error() string { return "the server cannot be reached: " + e.err.Error() }

// Unwrap returns the network's error.
func (e *UnreachableError) Unwrap() error { return e.err }

// unreachable tells a lost connection from a call that its own caller ended
// and from a redirect that is not followed.
func unreachable(ctx context.Context, err error) error {
	var wrong misdirected
	cause := context.Cause(ctx)
	switch {
	case errors.Is(cause, errStandstill):
		return &UnreachableError{err: errStandstill}
	case cause != nil:
		return cause
	case errors.As(err, &wrong):
		return wrong
	}
	var addressed *url.Error
	if errors.As(err, &addressed) { // its text repeats method and address
		err = addressed.Err
	}
	var certificate *tls.CertificateVerificationError
	var name *net.DNSError
	final := errors.As(err, &certificate) || errors.As(err, &name) && name.IsNotFound
	return &UnreachableError{err: err, final: final}
}

// Call is one logical call: everything in it is the same in every attempt.
type Call struct {
	Method string
	URL    *url.URL // see Conn.At
	Header http.Header
	Body   []byte
	Once   bool // repeating it could do it twice
}

// Attempts is how often a call is tried before it is given up.
const Attempts = 5

// Do performs the call and answers a success whose body the caller closes. A
// token that has run out is replaced once; failures that may pass are waited
// for, unless the call may be made only once. Errors: *ProblemError,
// *UnreachableError, or why ctx ended.
func (c *Conn) Do(ctx context.Context, r Call) (*http.Response, error) {
	replaced := false
	for attempt := 1; ; attempt++ {
		resp, token, err := c.attempt(ctx, r)
		switch {
		case err == nil:
			return resp, nil
		case !replaced && IsStatus(err, http.StatusUnauthorized) && c.tokens.forget(token):
			replaced = true
		case r.Once || attempt >= Attempts || !Transient(err):
			return nil, err
		default:
			if err := c.Pause(ctx, attempt, err); err != nil {
				return nil, err
			}
		}
	}
}

func (c *Conn) attempt(ctx context.Context, r Call) (*http.Response, string, error) {
	token, err := c.tokens.bearer(ctx)
	if err != nil {
		return nil, "", err
	}
	ctx, guard := watch(ctx, c.standstill)
	req, err := http.NewRequestWithContext(ctx, r.Method, r.URL.String(), guard.request(r.Body))
	if err != nil {
		guard.stop()
		return nil, "", errors.New("the call cannot be written as HTTP")
	}
	req.ContentLength = int64(len(r.Body))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(guard.request(r.Body)), nil }
	for name, values := range r.Header {
		req.Header[name] = values
	}
	req.Header.Set("User-Agent", "datacoop-client/1")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		defer guard.stop()
		return nil, token, unreachable(ctx, err)
	}
	resp.Body = guard.response(resp.Body)
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return resp, token, nil
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	return nil, token, readProblem(resp)
}

// Transient reports whether the same call may succeed later.
func Transient(err error) bool {
	var lost *UnreachableError
	if errors.As(err, &lost) {
		return !lost.final
	}
	return IsStatus(err, http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout)
}

// Pause waits before another attempt: as long as the server asks, otherwise
// twice as long each time, less a random part so that clients spread out. Its
// error is failure if that is too long, or why the caller has given up.
func (c *Conn) Pause(ctx context.Context, attempt int, failure error) error {
	delay := c.firstPause << (attempt - 1)
	delay -= rand.N(delay/2 + 1) //nolint:gosec // spreads clients out; no secret
	var p *ProblemError
	if errors.As(failure, &p) && p.RetryAfter > 0 {
		delay = p.RetryAfter
	}
	if delay > longestPause {
		return failure
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
