package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"path/filepath"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// acmeCache is the folder of the data directory that certificates are kept in.
const acmeCache = "acme"

// secure wraps the listener in TLS with certificates for one host name, which
// are got and renewed by ACME (RFC 8555) over this very port (tls-alpn-01,
// RFC 8737). They are asked for at the first connection.
func secure(listener net.Listener, dir, host, directory string) net.Listener {
	manager := &autocert.Manager{
		Prompt: autocert.AcceptTOS, Cache: autocert.DirCache(filepath.Join(dir, acmeCache)),
		HostPolicy: autocert.HostWhitelist(host), Client: &acme.Client{DirectoryURL: directory},
	}
	config := manager.TLSConfig()
	config.MinVersion = tls.VersionTLS12
	return tls.NewListener(listener, config)
}

// acmeBase is the base URL of a server that gets its own certificates. One that
// was given must fit them.
func acmeBase(host, base string) (string, error) {
	want := "https://" + host
	if base == "" {
		return want, nil
	}
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "https" || u.Hostname() != host {
		return "", fmt.Errorf("--base-url and --acme-host do not fit together: the certificate is for %s", want)
	}
	return base, nil
}
