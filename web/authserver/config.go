package authserver

import (
	"errors"
	"net"
	"net/url"
	"regexp"
	"strings"
)

var (
	subjectPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$`)
	clientPattern  = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)
	hostPattern    = regexp.MustCompile(`^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(:[0-9]{1,5})?$`)
)

const (
	shortestSecret   = 32
	shortestPassword = 8
)

// ValidSubject reports whether an account can have this subject: a letter or
// digit, then up to 63 letters, digits or any of ._@- characters.
func ValidSubject(subject string) bool { return subjectPattern.MatchString(subject) }

// loopback reports whether only this machine reaches u (RFC 6761, section 6.3,
// and the loopback networks of IPv4 and IPv6).
func loopback(u *url.URL) bool {
	host := strings.ToLower(u.Hostname())
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// checkURL reads an absolute http or https URL that may appear in a redirect
// or in a content security policy. Plain http stays on this machine.
func checkURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, errors.New("is not a URL") // the parser's error quotes it
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("must start with https:// or http://")
	case !hostPattern.MatchString(u.Host):
		return nil, errors.New("has no usable host")
	case u.User != nil || u.Fragment != "" || strings.Contains(text, "#"):
		return nil, errors.New("must have no credentials and no fragment")
	case u.Scheme == "http" && !loopback(u):
		return nil, errors.New("must be https unless its host is a loopback address")
	}
	return u, nil
}

func checkIssuer(text string) (*url.URL, error) {
	u, err := checkURL(text)
	if err != nil {
		return nil, errors.New("the issuer " + err.Error())
	}
	if u.Path != "" || u.RawQuery != "" || u.ForceQuery {
		return nil, errors.New("the issuer must be a base URL without a path")
	}
	return u, nil
}

// checkBuiltIn refuses what passkeys cannot work with.
func checkBuiltIn(c Config, issuer *url.URL) error {
	switch {
	case !c.BuiltIn:
		return nil
	case net.ParseIP(issuer.Hostname()) != nil:
		return errors.New("built-in accounts need an issuer with a name, such as https://coop.example or http://localhost:8080: browsers keep no passkeys for addresses")
	case strings.TrimSpace(c.Name) == "" || c.SignIn == "":
		return errors.New("built-in accounts need the co-op's name and the address of its sign-in")
	case c.Admission.Check == nil || c.Admission.Admit == nil:
		return errors.New("built-in accounts need somebody to say who is admitted")
	case c.SigningKey == nil:
		return errors.New("built-in accounts need a signing key")
	}
	if _, err := checkURL(c.SignIn); err != nil {
		return errors.New("the address of the co-op's sign-in " + err.Error())
	}
	return nil
}

// checkDemo keeps accounts whose passwords are printed on a terminal away from
// every network.
func checkDemo(c Config, issuer *url.URL) error {
	switch {
	case len(c.Accounts) > 0 && !c.Demo:
		return errors.New("demo accounts need the demo to be switched on")
	case c.Demo && !loopback(issuer):
		return errors.New("the demo's identity provider needs an issuer on a loopback address such as http://localhost:8080")
	case c.Demo && c.SigningKey == nil:
		return errors.New("the demo's identity provider needs a signing key")
	}
	return nil
}
