package rest

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

const (
	typeJSON    = "application/json"
	answerBytes = 256 << 20 // more than any document worth holding in memory
)

// NewKey makes an Idempotency-Key: 128 random bits as text.
func NewKey() string { return rand.Text() }

// Accept is a header that asks for the media types, or a problem document.
func Accept(types string) http.Header {
	return http.Header{"Accept": {types + ", application/problem+json"}}
}

// Decode reads an answer. Unknown members are ignored: a newer server may add
// some.
func Decode[T any](body []byte) (T, error) {
	var out T
	if err := json.Unmarshal(body, &out); err != nil {
		var none T
		return none, fmt.Errorf("the server's answer is not what its API promises: %w", err)
	}
	return out, nil
}

// Get reads a JSON document.
func Get[T any](ctx context.Context, c *Conn, segments ...string) (T, error) {
	return Exchange[T](ctx, c, http.MethodGet, "", nil, segments...)
}

// Put replaces something by in and answers JSON.
func Put[T any](ctx context.Context, c *Conn, in any, segments ...string) (T, error) {
	return Exchange[T](ctx, c, http.MethodPut, "", in, segments...)
}

// Post sends in under a new Idempotency-Key and answers JSON. In may be nil.
func Post[T any](ctx context.Context, c *Conn, in any, segments ...string) (T, error) {
	return Exchange[T](ctx, c, http.MethodPost, "", in, segments...)
}

// Exchange sends in, which may be nil, and answers JSON. A POST carries key as
// its Idempotency-Key, or a new one if that is empty.
func Exchange[T any](ctx context.Context, c *Conn, method, key string, in any, segments ...string) (T, error) {
	body, err := c.document(ctx, method, key, in, segments...)
	if err != nil {
		var none T
		return none, err
	}
	return Decode[T](body)
}

// Effect calls an endpoint whose answer says nothing but that it is done.
func (c *Conn) Effect(ctx context.Context, method string, in any, segments ...string) error {
	_, err := c.document(ctx, method, "", in, segments...)
	return err
}

func (c *Conn) document(ctx context.Context, method, key string, in any, segments ...string) ([]byte, error) {
	header := Accept(typeJSON)
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return nil, fmt.Errorf("write request: %w", err)
		}
		header.Set("Content-Type", typeJSON)
	}
	return c.Text(ctx, method, key, header, body, segments...)
}

// Text sends body, which may be nil, and answers a document as it is, byte for
// byte. A POST carries key as its Idempotency-Key, or a new one if that is
// empty.
func (c *Conn) Text(ctx context.Context, method, key string, header http.Header, body []byte, segments ...string) ([]byte, error) {
	at, err := c.At(segments...)
	if err != nil {
		return nil, err
	}
	if method == http.MethodPost {
		if key == "" {
			key = NewKey()
		}
		header.Set("Idempotency-Key", key)
	}
	answer, _, err := c.Whole(ctx, Call{Method: method, URL: at, Header: header, Body: body})
	return answer, err
}

var errCut = errors.New("the connection was lost in the middle of an answer")

// Cut is the error of an answer that ended before its end.
func Cut() error { return &UnreachableError{err: errCut} }

// Whole performs a call that may be repeated and reads its answer to the end.
func (c *Conn) Whole(ctx context.Context, r Call) ([]byte, http.Header, error) {
	for attempt := 1; ; attempt++ {
		resp, err := c.Do(ctx, r)
		if err != nil {
			return nil, nil, err
		}
		body, err := readAll(ctx, resp.Body)
		if err == nil || attempt >= Attempts || !errors.Is(err, errCut) {
			return body, resp.Header, err
		}
		if err := c.Pause(ctx, attempt, err); err != nil {
			return nil, nil, err
		}
	}
}

func readAll(ctx context.Context, from io.ReadCloser) ([]byte, error) {
	defer func() { _ = from.Close() }() // it was only read
	body, err := io.ReadAll(io.LimitReader(from, answerBytes+1))
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, Cut()
	case len(body) > answerBytes:
		return nil, errors.New("the server's answer is too long")
	}
	return body, nil
}
