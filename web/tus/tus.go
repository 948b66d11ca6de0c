// Package tus is the wire format of resumable uploads: tus 1.0 (tus.io, core
// protocol with the creation, expiration, termination and checksum extensions),
// as far as it is about headers and not about what is uploaded.
//
// # What it guarantees
//
// A header is read strictly and refused with the status that the protocol
// gives it: 412 for another version, 415 for another kind of body, 400 for an
// algorithm that is not offered, [StatusMismatch] for a part that arrived
// altered. A [Checksum] is judged when the part has ended, and before that
// nothing of the part counts.
//
// # What it refuses
//
// To keep metadata beyond the one name that is asked for: what files are
// called is nobody's business. Uploads of undeclared length and uploads that
// are put together from others.
package tus

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // the one algorithm every tus server must offer; it finds accidents, not forgers
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"hash"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What is spoken here, as the protocol's headers name it.
const (
	Version     = "1.0.0"
	Extensions  = "creation,expiration,termination,checksum"
	Algorithms  = "sha1,sha256"
	ContentType = "application/offset+octet-stream"
)

// StatusMismatch answers a part that does not match its checksum.
const StatusMismatch = 460

// Refusal is an answer that the protocol prescribes.
type Refusal struct {
	Status      int
	Code, Title string
}

// Error is the title.
func (r *Refusal) Error() string { return r.Title }

// Refusals.
var (
	ErrVersion   = &Refusal{http.StatusPreconditionFailed, "tus-version", "This server speaks tus 1.0.0; send Tus-Resumable: 1.0.0."}
	ErrKind      = &Refusal{http.StatusUnsupportedMediaType, "upload-content-type", "A part of an upload is application/offset+octet-stream."}
	ErrAlgorithm = &Refusal{http.StatusBadRequest, "upload-checksum", "Upload-Checksum must be sha1 or sha256 and a digest in base64."}
	ErrMismatch  = &Refusal{StatusMismatch, "checksum-mismatch", "The chunk arrived damaged and was thrown away; send it again."}
)

// errMetadata covers every way in which metadata can be malformed.
var errMetadata = errors.New("tus: malformed metadata")

// Describe answers what OPTIONS asks.
func Describe(h http.Header, maxSize int64) {
	h.Set("Tus-Resumable", Version)
	h.Set("Tus-Version", Version)
	h.Set("Tus-Extension", Extensions)
	h.Set("Tus-Max-Size", strconv.FormatInt(maxSize, 10))
	h.Set("Tus-Checksum-Algorithm", Algorithms)
}

// Agree answers in which version it is spoken, whatever else is answered, and
// refuses another one with ErrVersion and the one there is.
func Agree(asked string, set func(name, value string)) error {
	set("Tus-Resumable", Version)
	if asked == Version {
		return nil
	}
	set("Tus-Version", Version)
	return ErrVersion
}

// overridable are the methods that X-HTTP-Method-Override may name.
var overridable = []string{http.MethodPost, http.MethodHead, http.MethodPatch, http.MethodDelete, http.MethodOptions}

// Method is the method a request means: that of X-HTTP-Method-Override, for
// clients whose surroundings know no PATCH, or its own.
func Method(r *http.Request) string {
	if m := r.Header.Get("X-HTTP-Method-Override"); slices.Contains(overridable, m) {
		return m
	}
	return r.Method
}

// Metadata finds the value of a key in Upload-Metadata. It is an error if the
// header is malformed or names the key not exactly once.
func Metadata(header, key string) (string, error) {
	value, found := "", 0
	for pair := range strings.SplitSeq(header, ",") {
		name, encoded, _ := strings.Cut(strings.Trim(pair, " "), " ")
		text, err := base64.StdEncoding.DecodeString(encoded)
		if name == "" || err != nil {
			return "", errMetadata
		}
		if name == key {
			value, found = string(text), found+1
		}
	}
	if found != 1 {
		return "", errMetadata
	}
	return value, nil
}

// Entry writes one pair of Upload-Metadata.
func Entry(key, value string) string {
	return key + " " + base64.StdEncoding.EncodeToString([]byte(value))
}

// Expires writes Upload-Expires: a time in Unix milliseconds as an HTTP date.
// It is cut to the second, so that nobody is promised more than there is.
func Expires(at int64) string { return time.UnixMilli(at).UTC().Format(http.TimeFormat) }

// Checksum is what a part should hash to. The zero value accepts any part.
type Checksum struct {
	hash hash.Hash
	want []byte
}

// ParseChecksum reads Upload-Checksum; "" is no checksum and no error. Error:
// ErrAlgorithm.
func ParseChecksum(header string) (Checksum, error) {
	if header == "" {
		return Checksum{}, nil
	}
	name, digest, _ := strings.Cut(header, " ")
	want, err := base64.StdEncoding.DecodeString(digest)
	var c Checksum
	switch name {
	case "sha1":
		c = Checksum{sha1.New(), want} //nolint:gosec // see the import
	case "sha256":
		c = Checksum{sha256.New(), want}
	}
	if err != nil || c.hash == nil || len(want) != c.hash.Size() {
		return Checksum{}, ErrAlgorithm
	}
	return c, nil
}

// Over passes a part on and ends it with the error mismatch instead of io.EOF
// if it is not what was announced. A part that breaks off is not judged: its
// own error is passed on.
func (c Checksum) Over(part io.Reader, mismatch error) io.Reader {
	if c.hash == nil {
		return part
	}
	return &summed{part, c, mismatch}
}

type summed struct {
	part io.Reader
	Checksum
	mismatch error
}

// Read implements io.Reader.
func (s *summed) Read(b []byte) (int, error) {
	n, err := s.part.Read(b)
	s.hash.Write(b[:n])
	if errors.Is(err, io.EOF) && !bytes.Equal(s.hash.Sum(nil), s.want) {
		err = s.mismatch
	}
	return n, err
}
