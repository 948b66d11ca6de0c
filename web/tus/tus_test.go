package tus

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// The digests of "hello" by sha1sum and sha256sum.
const (
	hello1   = "sha1 qvTGHdzF6KLavt4PO0gs2a6pQ00="
	hello256 = "sha256 LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="
)

var errOther = errors.New("other bytes")

func TestAPartIsJudgedByItsChecksum(t *testing.T) {
	for header, want := range map[string]error{"": nil, hello1: nil, hello256: nil,
		"sha1 q0TGHdzF6KLavt4PO0gs2a6pQ00=":                   errOther,
		"sha256 0PJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=": errOther} {
		for _, read := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.DataErrReader} {
			sum, err := ParseChecksum(header)
			if err != nil {
				t.Fatalf("%q: %v", header, err)
			}
			got, err := io.ReadAll(sum.Over(read(strings.NewReader("hello")), errOther))
			if string(got) != "hello" || !errors.Is(err, want) {
				t.Errorf("%q: %q, %v, want %v", header, got, err, want)
			}
		}
	}
	sum, _ := ParseChecksum(hello1)
	broken := errors.New("connection reset")
	if _, err := io.ReadAll(sum.Over(iotest.ErrReader(broken), errOther)); !errors.Is(err, broken) {
		t.Errorf("a part that breaks off: %v", err)
	}
}

func TestAChecksumNobodyOffersIsRefused(t *testing.T) {
	for _, header := range []string{"sha1", "sha1 ", "sha256 qvTGHdzF6KLavt4PO0gs2a6pQ00=", "md5 XUFAKrxLKna5cZ2REBfFkg==", "SHA1 qvTGHdzF6KLavt4PO0gs2a6pQ00=",
		" ", "qvTGHdzF6KLavt4PO0gs2a6pQ00=", "sha1 not-base64-at-all-but-28-ch", "sha1  qvTGHdzF6KLavt4PO0gs2a6pQ00=", hello1 + " "} {
		if _, err := ParseChecksum(header); !errors.Is(err, ErrAlgorithm) {
			t.Errorf("%q: %v", header, err)
		}
	}
}

func TestMetadataNamesTheKeyOnce(t *testing.T) {
	for header, want := range map[string]string{
		"dataset ZDE=": "d1", "filename eC5hZ2U=,dataset ZDE=": "d1", "is_confidential,dataset ZDE=": "d1",
		"dataset ZDE=, filetype ": "d1", "dataset ": "",
	} {
		if got, err := Metadata(header, "dataset"); err != nil || got != want {
			t.Errorf("%q: %q, %v", header, got, err)
		}
	}
	for _, header := range []string{"", "dataset", ",", "filename eC5hZ2U=", "dataset ZDE=,dataset ZDI=", "dataset Z", "dataset ZDE=,", "dataset ZDE=,filename !", " ZDE="} {
		if got, err := Metadata(header, "dataset"); err == nil && got != "" {
			t.Errorf("%q: %q", header, got)
		}
	}
	if got, _ := Metadata(Entry("dataset", "a b,c"), "dataset"); got != "a b,c" {
		t.Errorf("round trip: %q", got)
	}
}

func TestAnotherVersionIsToldWhichThereIs(t *testing.T) {
	for asked, want := range map[string]error{"1.0.0": nil, "": ErrVersion, "0.2.2": ErrVersion, "1.0.0 ": ErrVersion} {
		h := http.Header{}
		err := Agree(asked, h.Set)
		if !errors.Is(err, want) && err != nil || (err == nil) != (want == nil) || h.Get("Tus-Resumable") != Version || (h.Get("Tus-Version") != "") != (want != nil) {
			t.Errorf("%q: %v, %v", asked, err, h)
		}
	}
}

func TestAMethodCanBeOverriddenByThoseOfTheProtocol(t *testing.T) {
	for header, want := range map[string]string{"": "POST", "PATCH": "PATCH", "DELETE": "DELETE", "HEAD": "HEAD", "GET": "POST", "patch": "POST", "TRACE": "POST"} {
		r := &http.Request{Method: http.MethodPost, Header: http.Header{"X-Http-Method-Override": {header}}}
		if got := Method(r); got != want {
			t.Errorf("%q: %s", header, got)
		}
	}
}

func TestExpiryIsAnHTTPDateThatPromisesNoMore(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 999e6, time.UTC)
	if got := Expires(at.UnixMilli()); got != "Sun, 01 Mar 2026 12:00:00 GMT" {
		t.Error(got)
	}
}

func FuzzHeaders(f *testing.F) {
	f.Add(hello1, "dataset ZDE=,x")
	f.Fuzz(func(t *testing.T, checksum, metadata string) {
		if c, err := ParseChecksum(checksum); err == nil && checksum != "" {
			if _, err := io.Copy(io.Discard, c.Over(bytes.NewReader(nil), errOther)); err != nil && !errors.Is(err, errOther) {
				t.Error(err)
			}
		}
		if value, err := Metadata(metadata, "dataset"); err == nil {
			if again, err := Metadata(Entry("dataset", value), "dataset"); err != nil || again != value {
				t.Errorf("%q does not survive: %q, %v", value, again, err)
			}
		}
	})
}
