package gitsource

import (
	"errors"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// served serves a folder of bare repositories over https, as git hosts do.
func served(t *testing.T, root string) *httptest.Server {
	t.Helper()
	path, err := exec.LookPath("git")
	if err != nil {
		t.Skip("git is not installed")
	}
	if _, err := os.Stat(filepath.Join(command(t, ".", nil, "--exec-path"), "git-http-backend")); err != nil {
		t.Skip("git http-backend is not installed")
	}
	s := httptest.NewTLSServer(&cgi.Handler{Path: path, Args: []string{"http-backend"}, Root: "/",
		Env: []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_GLOBAL=" + os.DevNull}})
	t.Cleanup(s.Close)
	return s
}

// from reads over a test server's own certificate.
func from(s *httptest.Server, l Limits) Options {
	return Options{AllowRemote: true, Limits: l, Now: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
		remote: &remote{base: s.Client().Transport}}
}

func leftovers(t *testing.T) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(os.TempDir(), "datacoop-git-*"))
	must(t, err)
	return list
}

func TestARepositoryIsReadOverHTTPS(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	dir := imported(t, "standard-webhooks")
	s := served(t, filepath.Dir(dir))
	o := from(s, Limits{})
	want, err := Read(t.Context(), dir, o)
	must(t, err)
	for _, filter := range []string{"false", "true"} {
		command(t, dir, nil, "config", "uploadpack.allowFilter", filter)
		got, err := Read(t.Context(), s.URL+"/standard-webhooks.git", o)
		must(t, err)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("filter %s: another history", filter)
		}
	}
	if left := leftovers(t); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

func TestAFetchThatGoesTooFarIsStopped(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	dir := imported(t, "ofxparse")
	s := served(t, filepath.Dir(dir))
	for what, c := range map[string]struct {
		limits Limits
		path   string
		want   error
	}{
		"bytes":            {Limits{Bytes: 20_000}, "/ofxparse.git", ErrTooLarge},
		"a few bytes":      {Limits{Bytes: 10}, "/ofxparse.git", ErrTooLarge},
		"objects":          {Limits{Objects: 100}, "/ofxparse.git", ErrTooLarge},
		"time":             {Limits{Time: time.Millisecond}, "/ofxparse.git", ErrTooSlow},
		"nothing is there": {Limits{}, "/nothing.git", ErrUnreachable},
	} {
		_, err := Read(t.Context(), s.URL+c.path, from(s, c.limits))
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	o := from(s, Limits{})
	o.Branch = "nowhere"
	_, err := Read(t.Context(), s.URL+"/ofxparse.git", o)
	refused(t, err, ErrNoBranch)
	if left := leftovers(t); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

func TestRedirectsToOtherHostsAreRefused(t *testing.T) {
	asked := 0
	other := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	t.Cleanup(other.Close)
	for _, to := range []string{other.URL, strings.Replace(other.URL, "https", "http", 1), "http://169.254.169.254"} {
		s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, to+r.URL.RequestURI(), http.StatusFound)
		}))
		t.Cleanup(s.Close)
		_, err := Read(t.Context(), s.URL+"/x.git", from(s, Limits{}))
		refused(t, err, ErrUnreachable)
	}
	if asked > 0 {
		t.Errorf("the other host was asked %d times", asked)
	}
}

func TestAServerThatSaysNonsenseIsNotBelieved(t *testing.T) {
	for _, answer := range []string{"", "nonsense", "001e# service=git-upload-pack\n0000", "ffff", strings.Repeat("0004", 1000),
		"001e# service=git-upload-pack\n00000000", "001e# service=git-upload-pack\n0000003f" + strings.Repeat("z", 40) + " HEAD\x00 ofs-delta\n0000"} {
		s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(answer)) }))
		t.Cleanup(s.Close)
		if _, err := Read(t.Context(), s.URL+"/x.git", from(s, Limits{Time: 10 * time.Second})); !errors.Is(err, ErrUnreachable) && !errors.Is(err, ErrNoBranch) {
			t.Errorf("%q: %v", answer, err)
		}
	}
}
