package web

import (
	"cmp"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/vault"
	"distributed.ai/datacoop/web/client"
	"distributed.ai/datacoop/web/sealed"
	"distributed.ai/datacoop/web/tus"
	"distributed.ai/datacoop/web/waymark"
)

// problem is an RFC 9457 problem document on its way out. It holds only
// sentences of ours: never what the caller submitted, never internal text.
type problem struct {
	client.Problem
	details []string // the sentences that Detail is made of
}

func (p *problem) Error() string             { return p.Title }
func (p *problem) GetStatus() int            { return p.Status }
func (p *problem) ContentType(string) string { return "application/problem+json" }
func (p *problem) GetHeaders() http.Header   { return headersOf(p.Status, p.Type) }

// problemType is the prefix of every problem's type.
const problemType = "urn:datacoop:problem:"

func newProblem(status int, code, title string) *problem {
	return &problem{Problem: client.Problem{Type: problemType + code, Title: title, Status: status}}
}

// statuses maps kinds of fault to HTTP. Kinds that are missing are ours.
var statuses = map[fault.Kind]int{
	fault.Invalid:         http.StatusUnprocessableEntity,
	fault.Unauthenticated: http.StatusUnauthorized,
	fault.Forbidden:       http.StatusForbidden,
	fault.NotFound:        http.StatusNotFound,
	fault.Conflict:        http.StatusConflict,
	fault.Gone:            http.StatusGone,
	fault.TooLarge:        http.StatusRequestEntityTooLarge,
	fault.Unavailable:     http.StatusServiceUnavailable,
}

// prescribed are the statuses that HTTP has for one fault alone (RFC 9110,
// section 13; RFC 6585).
var prescribed = map[string]int{sealed.ErrStale.Code: http.StatusPreconditionFailed, sealed.ErrBlind.Code: http.StatusPreconditionRequired}

// problemOf turns any error into what its caller may read. Internal errors are
// logged here, once, and answered without a detail.
func problemOf(logger *slog.Logger, r *http.Request, err error) *problem {
	var p *problem
	if errors.As(err, &p) {
		return p
	}
	var refused *tus.Refusal
	if errors.As(err, &refused) {
		return newProblem(refused.Status, refused.Code, refused.Title)
	}
	var f *fault.Error
	if errors.As(err, &f) {
		if status, ok := statuses[f.Kind]; ok {
			p = newProblem(cmp.Or(prescribed[f.Code], status), f.Code, f.Message)
			p.Detail, p.details = strings.Join(f.Detail, " "), f.Detail
			return p
		}
	}
	var he *echo.HTTPError
	if errors.As(err, &he) {
		return plainProblem(he.Code)
	}
	if cause := r.Context().Err(); cause == nil {
		logger.ErrorContext(r.Context(), "request failed", "method", r.Method, "route", waymark.Of(r), "error", err)
	} else {
		logger.InfoContext(r.Context(), "request given up", "method", r.Method, "route", waymark.Of(r), "cause", cause, "error", err)
	}
	if f != nil && f.Kind == fault.Internal { // it has words of its own, such as that nobody knows what was changed
		return newProblem(http.StatusInternalServerError, f.Code, f.Message)
	}
	return newProblem(http.StatusInternalServerError, "internal", "Something went wrong on our side. Nothing was changed.")
}

// plainTitles says in a sentence what a bare status means.
var plainTitles = map[int]string{
	http.StatusBadRequest:            "This request cannot be read.",
	http.StatusUnauthorized:          "Sign in first, or send a valid token.",
	http.StatusForbidden:             "You may not do this.",
	http.StatusNotFound:              "There is no such thing here.",
	http.StatusMethodNotAllowed:      "This address does not take that method.",
	http.StatusNotAcceptable:         "This cannot be given in a form you accept.",
	http.StatusRequestTimeout:        "The request took too long to arrive.",
	http.StatusLengthRequired:        "A body must state its length; send a Content-Length and no Transfer-Encoding.",
	http.StatusRequestEntityTooLarge: "This is larger than the limit.",
	http.StatusUnsupportedMediaType:  "This kind of content is not taken here.",
	http.StatusUnprocessableEntity:   "Some of what you sent is not valid.",
	http.StatusTooManyRequests:       "Too many requests; slow down.",
}

func plainProblem(status int) *problem {
	title, ok := plainTitles[status]
	if !ok {
		title = http.StatusText(status)
	}
	return newProblem(status, strings.ReplaceAll(strings.ToLower(http.StatusText(status)), " ", "-"), title)
}

// awaitSeconds is how soon it makes sense to ask again for what a person has to
// do first.
const awaitSeconds = "3600"

// headersOf is what a refusal owes its reader besides its text.
func headersOf(status int, kind string) http.Header {
	switch {
	case status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests:
		return http.Header{"Retry-After": {"5"}}
	case status == http.StatusUnauthorized:
		return http.Header{echo.HeaderWWWAuthenticate: {`Bearer realm="datacoop"`}}
	case kind == problemType+vault.ErrAwaiting.Code || kind == problemType+"frozen":
		return http.Header{"Retry-After": {awaitSeconds}}
	}
	return nil
}

// humaProblem replaces huma's error documents: it keeps where a field is wrong
// and by which rule, and drops the value that was sent.
func humaProblem(status int, _ string, errs ...error) huma.StatusError {
	p := plainProblem(status)
	for _, err := range errs {
		var own *problem
		if errors.As(err, &own) {
			return own
		}
		var d huma.ErrorDetailer
		if errors.As(err, &d) {
			p.Errors = append(p.Errors, fieldSentence(d.ErrorDetail()))
		}
	}
	return p
}

// fieldSentence names the field unless its very name came from the caller.
func fieldSentence(d *huma.ErrorDetail) string {
	if strings.HasPrefix(d.Message, "unexpected property") {
		return "There is a field that is not known here."
	}
	if d.Location == "" || strings.HasPrefix(d.Message, "invalid character") {
		return "The body is not valid JSON."
	}
	return d.Location + ": " + d.Message
}

// writeProblem answers with a problem document outside of huma.
func writeProblem(c echo.Context, p *problem) error {
	for name, values := range p.GetHeaders() {
		c.Response().Header()[name] = values
	}
	c.Response().Header().Set(echo.HeaderContentType, p.ContentType(""))
	return c.JSON(p.Status, p.Problem)
}
