package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// issued puts a certificate for host where an earlier visit would have left it.
func issued(t *testing.T, dir, host string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(80 * 24 * time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	private, err := x509.MarshalECPrivateKey(key)
	must(t, err)
	text := append(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private}),
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})...)
	must(t, os.MkdirAll(filepath.Join(dir, acmeCache), 0o700))
	must(t, os.WriteFile(filepath.Join(dir, acmeCache, host), text, 0o600))
}

func TestServerEndsTLSForItsOwnNameOnly(t *testing.T) {
	dir := t.TempDir()
	issued(t, dir, "coop.example")
	plain, err := net.Listen("tcp", "localhost:0")
	must(t, err)
	// An authority that cannot be reached: nothing may be asked for.
	listener := secure(plain, dir, "coop.example", "http://127.0.0.1:1/directory")
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil {
			t.Error("no TLS")
		}
	}), ReadHeaderTimeout: time.Second}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	for host, want := range map[string]bool{"coop.example": true, "evil.example": false, "": false} {
		conn, err := tls.Dial("tcp", plain.Addr().String(), &tls.Config{ServerName: host, InsecureSkipVerify: true})
		if (err == nil) != want {
			t.Errorf("%q: %v", host, err)
		}
		if err != nil {
			continue
		}
		if name := conn.ConnectionState().PeerCertificates[0].DNSNames[0]; name != host || conn.ConnectionState().Version < tls.VersionTLS12 {
			t.Errorf("%q got the certificate of %q", host, name)
		}
		must(t, conn.Close())
	}
	if _, err := tls.Dial("tcp", plain.Addr().String(), &tls.Config{ServerName: "coop.example", InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("an old version of TLS was taken")
	}
}

func TestCertificateFitsTheAddress(t *testing.T) {
	for base, want := range map[string]string{
		"": "https://coop.example", "https://coop.example": "https://coop.example",
		"http://coop.example": "", "https://www.coop.example": "", "coop.example": "", "%": "",
	} {
		got, err := acmeBase("coop.example", base)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q became %q, %v", base, got, err)
		}
	}
}
