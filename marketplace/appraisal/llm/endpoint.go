package llm

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"

	openai "github.com/sashabaranov/go-openai"
	"golang.org/x/time/rate"
)

// maxAnswer is how much of an answer is read, in bytes.
const maxAnswer = 1 << 20

// answerTokens bounds an answer where the endpoint keeps to it: enough for the
// largest batch and for a model that thinks aloud first.
const answerTokens = 16384

// formats are the ways to ask for JSON, the strictest first.
const (
	formatSchema = "json_schema"
	formatObject = "json_object"
	formatText   = "text"
)

// endpoint is one family's server. It is safe for concurrent use.
type endpoint struct {
	family   Family
	http     *http.Client
	limit    *rate.Limiter
	perCall  time.Duration
	backoff  time.Duration
	parallel int
}

func newEndpoint(f Family, c Config) *endpoint {
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	if f.loopback() {
		dialer.Control = onlyLoopback
	}
	limit := rate.NewLimiter(rate.Inf, 1)
	if most := cmp.Or(f.PerMinute, c.PerMinute); most > 0 {
		limit = rate.NewLimiter(rate.Every(time.Minute/time.Duration(most)), 1)
	}
	client := &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy: nil, DialContext: dialer.DialContext, ForceAttemptHTTP2: true, DisableCompression: true,
			MaxResponseHeaderBytes: 64 << 10, MaxIdleConnsPerHost: c.Parallel, IdleConnTimeout: time.Minute,
			TLSHandshakeTimeout: 10 * time.Second,
		},
	}
	if c.Transport != nil {
		client.Transport = c.Transport
	}
	return &endpoint{family: f, limit: limit, perCall: c.PerCall, backoff: c.Backoff, parallel: c.Parallel, http: client}
}

// onlyLoopback refuses a connection that a name led off this machine.
func onlyLoopback(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !at.Addr().Unmap().IsLoopback() {
		return errors.New("not an address of this machine")
	}
	return nil
}

// reply is what one request brought.
type reply struct {
	raw     []byte
	outcome string        // "" for an answer that has yet to be read
	wait    time.Duration // what the server asked us to wait
}

// send asks once. It never fails otherwise than by the reply's outcome, so that
// no text of a server or library gets into an error.
func (e *endpoint) send(ctx context.Context, q ask, format string) reply {
	if err := e.limit.Wait(ctx); err != nil {
		<-ctx.Done() // the limiter foresees a deadline
		return reply{outcome: Cancelled}
	}
	within, cancel := context.WithTimeout(ctx, e.perCall)
	defer cancel()
	c := &catcher{http: e.http}
	config := openai.DefaultConfig(e.family.APIKey.reveal())
	config.BaseURL, config.HTTPClient = e.family.BaseURL, c
	client := openai.NewClientWithConfig(config)
	if q.kind == "models" {
		_, _ = client.ListModels(within) // the catcher holds what came
	} else {
		_, _ = client.CreateChatCompletion(within, q.request(format))
	}
	switch {
	case c.reply.outcome == "" && c.reply.raw == nil:
		c.reply.outcome = Unasked
	case c.reply.outcome == NoAnswer && ctx.Err() != nil:
		c.reply.outcome = Cancelled
	case c.reply.outcome == NoAnswer && within.Err() != nil:
		c.reply.outcome = TimedOut
	}
	if key := []byte(e.family.APIKey.reveal()); len(key) > 0 && bytes.Contains(c.reply.raw, key) {
		c.reply = reply{outcome: HeldKey}
	}
	return c.reply
}

// request is the question as the library sends it. Models that think before
// they answer take neither a temperature nor the older name of the token limit;
// the library knows which.
func (q ask) request(format string) openai.ChatCompletionRequest {
	r := openai.ChatCompletionRequest{
		Model: q.model, Seed: &q.seed, N: 1, MaxTokens: answerTokens, //nolint:staticcheck // local servers know the older name alone
		Temperature: 0.01, // the library leaves 0 out, and servers' own default is far from it
		Messages: []openai.ChatCompletionMessage{
			{Role: openai.ChatMessageRoleSystem, Content: q.system},
			{Role: openai.ChatMessageRoleUser, Content: q.user},
		},
	}
	switch format {
	case formatSchema:
		r.ResponseFormat = &openai.ChatCompletionResponseFormat{
			Type:       openai.ChatCompletionResponseFormatTypeJSONSchema,
			JSONSchema: &openai.ChatCompletionResponseFormatJSONSchema{Name: q.name, Schema: q.schema, Strict: true},
		}
	case formatObject:
		r.ResponseFormat = &openai.ChatCompletionResponseFormat{Type: openai.ChatCompletionResponseFormatTypeJSONObject}
	}
	if openai.NewReasoningValidator().Validate(r) != nil {
		r.MaxTokens, r.MaxCompletionTokens, r.Temperature = 0, answerTokens, 0 //nolint:staticcheck // as above
	}
	return r
}

// catcher stands between the library and the connection. It keeps what arrives
// as it arrives, within the limit, and hands the library an empty document, so
// that nothing but our own parser reads an answer.
type catcher struct {
	http  *http.Client
	reply reply
}

// Do makes catcher the library's HTTP client.
func (c *catcher) Do(req *http.Request) (*http.Response, error) {
	c.reply = reply{outcome: NoAnswer}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, errors.New("no answer")
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		c.reply = reply{outcome: fmt.Sprintf("status-%d", resp.StatusCode), wait: retryAfter(resp.Header)}
		return nil, errors.New("no answer")
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case len(raw) > maxAnswer:
		c.reply.outcome = TooLarge
	case err == nil:
		c.reply = reply{raw: raw}
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}"))}, nil
}

// retryAfter is what a server that is too busy asks for, at most a minute.
func retryAfter(h http.Header) time.Duration {
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(min(seconds, 60))*time.Second, time.Minute)
}
