package rest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// issuer is a token endpoint that counts and an API that takes one token.
type issuer struct {
	issued atomic.Int64
	valid  atomic.Value // string
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/oauth/token" {
		if r.Header.Get("Authorization") != "Bearer "+i.valid.Load().(string) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		io.WriteString(w, `{"word":"done"}`)
		return
	}
	id, secret, ok := r.BasicAuth()
	if !ok || id != "lab-42" || secret != "s%2Bcret" || r.PostFormValue("grant_type") != "client_credentials" {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		io.WriteString(w, `{"error":"invalid_client","error_description":"echo `+secret+`"}`)
		return
	}
	token := fmt.Sprintf("token-%d", i.issued.Add(1))
	i.valid.Store(token)
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"access_token":%q,"token_type":"bearer","expires_in":3600}`, token)
}

func TestExpiredTokenIsRefreshedOnce(t *testing.T) {
	var server issuer
	c := serve(t, Config{ClientID: "lab-42", Secret: "s+cret"}, server.ServeHTTP)
	for range 3 {
		if _, err := Get[answer](t.Context(), c, "v1", "requests"); err != nil {
			t.Fatal(err)
		}
	}
	if n := server.issued.Load(); n != 1 {
		t.Fatalf("%d tokens for three calls", n)
	}
	server.valid.Store("another") // the server forgets the token
	if _, err := Get[answer](t.Context(), c, "v1", "requests"); err != nil {
		t.Fatal(err)
	}
	if n := server.issued.Load(); n != 2 {
		t.Errorf("%d tokens after one expired", n)
	}
}

func TestTokenThatIsNeverTakenIsReportedNotFetchedForever(t *testing.T) {
	var server issuer
	var calls atomic.Int64
	c := serve(t, Config{ClientID: "lab-42", Secret: "s+cret"}, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/oauth/token" {
			calls.Add(1)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		server.ServeHTTP(w, r)
	})
	if _, err := Get[answer](t.Context(), c, "v1", "requests"); !IsStatus(err, 401) || calls.Load() != 2 || server.issued.Load() != 2 {
		t.Errorf("%d calls, %d tokens, %v", calls.Load(), server.issued.Load(), err)
	}
}

func TestManyCallersFetchOneToken(t *testing.T) {
	var server issuer
	c := serve(t, Config{ClientID: "lab-42", Secret: "s+cret"}, server.ServeHTTP)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := Get[answer](t.Context(), c, "v1", "requests"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := server.issued.Load(); n != 1 {
		t.Errorf("%d tokens", n)
	}
}

func TestFixedTokenThatRanOutIsReported(t *testing.T) {
	var calls atomic.Int64
	c := serve(t, Config{Token: "old"}, func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		w.WriteHeader(http.StatusUnauthorized)
	})
	if _, err := Get[answer](t.Context(), c, "v1", "me"); !IsStatus(err, 401) || calls.Load() != 1 {
		t.Errorf("%d calls, %v", calls.Load(), err)
	}
}

func TestWrongClientSecretIsSaidWithoutRepeatingIt(t *testing.T) {
	var server issuer
	c := serve(t, Config{ClientID: "lab-42", Secret: "hunter2"}, server.ServeHTTP)
	_, err := Get[answer](t.Context(), c, "v1", "requests")
	var p *ProblemError
	if !errors.As(err, &p) || p.Code() != "invalid_client" || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}

func TestTokenEndpointThatIsBusyIsAskedAgain(t *testing.T) {
	var server issuer
	var busy atomic.Int64
	c := serve(t, Config{ClientID: "lab-42", Secret: "s+cret"}, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/oauth/token" && busy.Add(1) <= 2 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		server.ServeHTTP(w, r)
	})
	if _, err := Get[answer](t.Context(), c, "v1", "requests"); err != nil {
		t.Error(err)
	}
}
