package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// tokens answers who the client speaks for: nobody, the bearer of a fixed
// token, or a researcher whose tokens are fetched as needed.
type tokens struct {
	fixed string
	grant *clientcredentials.Config
	http  *http.Client

	mu     sync.Mutex // held while a token is fetched, so that many callers fetch one
	cached *oauth2.Token
}

const tokenWait = 30 * time.Second

func newGrant(base *url.URL, id, secret string) *clientcredentials.Config {
	return &clientcredentials.Config{
		ClientID: id, ClientSecret: secret,
		TokenURL:  base.JoinPath("oauth", "token").String(),
		AuthStyle: oauth2.AuthStyleInHeader, // detection would send the secret twice
	}
}

// bearer is the token to send, empty for nobody.
func (t *tokens) bearer(ctx context.Context) (string, error) {
	if t.grant == nil {
		return t.fixed, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cached.Valid() {
		return t.cached.AccessToken, nil
	}
	limited, cancel := context.WithTimeout(ctx, tokenWait)
	defer cancel()
	token, err := t.grant.Token(context.WithValue(limited, oauth2.HTTPClient, t.http))
	if err != nil {
		return "", tokenFault(ctx, err)
	}
	t.cached = token
	return token.AccessToken, nil
}

// forget drops a token the server did not take and reports whether another one
// can be had. Callers that used an older one do not drop its successor.
func (t *tokens) forget(used string) bool {
	if t.grant == nil || used == "" {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cached != nil && t.cached.AccessToken == used {
		t.cached = nil
	}
	return true
}

// tokenFault keeps of a failed grant what a person needs; the library's text
// would quote the server's answer.
func tokenFault(ctx context.Context, err error) error {
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) || refused.Response == nil {
		return unreachable(ctx, err)
	}
	status := refused.Response.StatusCode
	p := &ProblemError{Problem: Problem{Status: status, Title: titleFor(status)}, RetryAfter: retryAfter(refused.Response.Header, time.Now())}
	switch {
	case status < http.StatusMultipleChoices:
		return errors.New("the server's answer holds no access token")
	case refused.ErrorCode == "invalid_client", status == http.StatusUnauthorized:
		p.Type, p.Title = "invalid_client", "The server does not accept this client id and secret."
	case refused.ErrorCode != "":
		p.Type, p.Title = clean(refused.ErrorCode), fmt.Sprintf("The server gives no access token (%s).", clean(refused.ErrorCode))
	}
	return p
}
