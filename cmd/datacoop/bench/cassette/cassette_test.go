package cassette

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// server answers with a number that grows, and with a status.
type server struct {
	calls, status int
	key           string
}

func (s *server) RoundTrip(r *http.Request) (*http.Response, error) {
	s.calls++
	s.key = r.Header.Get("Authorization")
	asked, err := io.ReadAll(r.Body)
	return &http.Response{StatusCode: s.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(string(asked) + strings.Repeat("!", s.calls)))}, err
}

func ask(t *testing.T, f *Folder, url, body string) (string, int, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer secret-key")
	resp, err := f.RoundTrip(r)
	if err != nil {
		return "", 0, err
	}
	text, err := io.ReadAll(resp.Body)
	return string(text), resp.StatusCode, err
}

func open(t *testing.T, dir string, next http.RoundTripper) *Folder {
	t.Helper()
	f, err := Open(dir, next)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func TestTheSameQuestionIsAskedOnce(t *testing.T) {
	dir, s := t.TempDir(), &server{status: 200}
	f := open(t, dir, s)
	for _, c := range []struct {
		url, body, want string
		calls           int
	}{
		{"http://a/v1/chat", "one", "one!", 1},
		{"http://a/v1/chat", "one", "one!", 1},
		{"http://b:9/v1/chat", "one", "one!", 1}, // another host is no other question
		{"http://a/v1/chat", "two", "two!!", 2},
		{"http://a/v1/other", "one", "one!!!", 3},
	} {
		if got, status, err := ask(t, f, c.url, c.body); got != c.want || status != 200 || err != nil || s.calls != c.calls {
			t.Errorf("%s %s: %q, %d, %v after %d calls", c.url, c.body, got, status, err, s.calls)
		}
	}
	again := open(t, dir, nil)
	if got, _, err := ask(t, again, "http://nobody/v1/chat", "two"); got != "two!!" || err != nil {
		t.Errorf("without a server: %q, %v", got, err)
	}
	if _, _, err := ask(t, again, "http://nobody/v1/chat", "three"); !errors.Is(err, ErrNotKept) {
		t.Errorf("what nobody answered: %v", err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 3 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(dir, file.Name()))
		if err != nil || strings.Contains(string(text), "secret-key") {
			t.Errorf("%s holds the key, %v", file.Name(), err)
		}
	}
	if s.key != "Bearer secret-key" {
		t.Errorf("sent %q", s.key)
	}
}

func TestWhatWasNoAnswerIsAskedAgain(t *testing.T) {
	s := &server{status: 503}
	f := open(t, t.TempDir(), s)
	if _, status, err := ask(t, f, "http://a/", "x"); status != 503 || err != nil {
		t.Errorf("%d, %v", status, err)
	}
	s.status = 200
	if got, status, err := ask(t, f, "http://a/", "x"); got != "x!!" || status != 200 || err != nil {
		t.Errorf("%q, %d, %v", got, status, err)
	}
}

func TestADamagedCassetteIsNoAnswer(t *testing.T) {
	dir, s := t.TempDir(), &server{status: 200}
	f := open(t, dir, s)
	if _, _, err := ask(t, f, "http://a/", "x"); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	if err := os.WriteFile(filepath.Join(dir, files[0].Name()), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, _, err := ask(t, f, "http://a/", "x"); err == nil || s.calls != 1 {
		t.Errorf("answered %q after %d calls", got, s.calls)
	}
}
