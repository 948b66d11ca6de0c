package rest

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

func TestProblemDocumentBecomesAnErrorAPersonCanRead(t *testing.T) {
	c := serve(t, Config{}, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json; charset=utf-8")
		w.WriteHeader(http.StatusForbidden)
		io.WriteString(w, `{"type":"https://coop.example/problems/not-allowed","title":"This is not allowed.","status":200,
			"detail":"The member refused.","errors":["Commercial use is refused.","This is not allowed."]}`)
	})
	_, err := Get[answer](t.Context(), c, "v1", "files", "x")
	if !IsStatus(err, 403) || err.Error() != "This is not allowed. The member refused. Commercial use is refused." {
		t.Errorf("got %v", err)
	}
	if p := err.(*ProblemError); p.Code() != "not-allowed" {
		t.Errorf("code %q", p.Code())
	}
}

func TestAnswersThatAreNoProblemGetATitle(t *testing.T) {
	for _, body := range []string{"", "<html>", `{"title":"not a problem"}`, `[]`} {
		p := parseProblem(502, "text/html", []byte(body))
		if p.Title != "The server answered 502 Bad Gateway." || p.Status != 502 {
			t.Errorf("%q: %+v", body, p)
		}
	}
	for _, body := range []string{"", "{", "[]", `{"title":7}`, "null", "{}"} {
		if p := parseProblem(599, "application/problem+json", []byte(body)); p.Title != "The server answered 599." {
			t.Errorf("%q: %+v", body, p)
		}
	}
	if p := (&ProblemError{Problem: Problem{Type: "about:blank"}}); p.Code() != "" {
		t.Errorf("code %q", p.Code())
	}
}

func TestProblemTextCannotMoveTheTerminal(t *testing.T) {
	p := parseProblem(400, "application/problem+json", []byte(`{"title":"a\u001b[2Jb\u202ec\nd","detail":"`+strings.Repeat("x", 5000)+`"}`))
	if p.Title != "a[2Jbc d" || utf8.RuneCountInString(p.Detail) > problemRunes+1 {
		t.Errorf("%q, %d", p.Title, len(p.Detail))
	}
}

func FuzzProblem(f *testing.F) {
	f.Add(403, "application/problem+json", []byte(`{"type":"x/y","title":"No.","detail":"d","errors":["e"]}`))
	f.Add(500, "text/html", []byte("<html>"))
	f.Add(0, "application/problem+json;;", []byte(`{"errors":[null,"\u0000"]}`))
	f.Fuzz(func(t *testing.T, status int, kind string, body []byte) {
		e := &ProblemError{Problem: parseProblem(status, kind, body)}
		if e.Status != status || e.Title == "" || e.Error() == "" || len(e.Errors) > problemErrors {
			t.Fatalf("%+v", e)
		}
		for _, r := range e.Error() {
			if unicode.IsControl(r) {
				t.Fatalf("control character %U in %q", r, e.Error())
			}
		}
		_ = e.Code()
	})
}

func TestRetryAfterIsSecondsOrADate(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "0": 0, "3": 3 * time.Second, " 3 ": 3 * time.Second, "-3": 0, "3.5": 0, "soon": 0, "99999999999999999999": 0,
		"Mon, 02 Mar 2026 12:00:05 GMT": 5 * time.Second,
		"Mon, 02 Mar 2026 11:00:00 GMT": 0,
	} {
		if got := retryAfter(http.Header{"Retry-After": {text}}, now); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	f.Add("120")
	f.Add("Mon, 02 Mar 2026 12:00:05 GMT")
	f.Fuzz(func(t *testing.T, text string) {
		if d := retryAfter(http.Header{"Retry-After": {text}}, time.Unix(0, 0)); d < 0 {
			t.Fatalf("%q waits %v", text, d)
		}
	})
}
