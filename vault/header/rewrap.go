package header

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"filippo.io/age"
)

const (
	fileKeyLen = 16
	lineBytes  = 48 // raw bytes in one full 64-column line of a stanza body
)

var b64 = base64.RawStdEncoding

// FileKey opens hdr with id and checks the header's MAC. The caller clears the
// key when done with it and never encrypts another payload under it.
//
// Everything that keeps a header from opening is ErrUnopened: a caller learns
// that it does not, not why. FileKey does no gatekeeping; call Inspect first
// on a header that came from outside.
func FileKey(hdr []byte, id age.Identity) ([]byte, error) {
	key, err := age.DecryptHeader(hdr, id)
	if err != nil || len(key) != fileKeyLen {
		clear(key)
		return nil, ErrUnopened
	}
	return key, nil
}

// Build writes a header that wraps fileKey (16 bytes) to every recipient, each
// stanza with a fresh ephemeral share. It refuses recipients whose age labels
// differ, which is how post-quantum and classic ones are kept apart.
//
// The format is that of C2SP age.md; the result is opened once by age itself
// before it is returned.
func Build(fileKey []byte, to ...age.Recipient) ([]byte, error) {
	if len(fileKey) != fileKeyLen || len(to) == 0 {
		return nil, errors.New("header: build: needs a 16-byte file key and a recipient")
	}
	stanzas, err := wrap(fileKey, to)
	if err != nil {
		return nil, fmt.Errorf("header: build: %w", err)
	}
	hdr, err := marshal(fileKey, stanzas)
	if err != nil {
		return nil, fmt.Errorf("header: build: %w", err)
	}
	if _, err := age.DecryptHeader(hdr, age.NewInjectedFileKeyIdentity(fileKey)); err != nil {
		return nil, fmt.Errorf("header: build: self-check: %w", err)
	}
	return hdr, nil
}

// Rewrap opens hdr with id and answers a header for to alone around the same
// file key, which is cleared before Rewrap returns. The payload that belongs
// to hdr belongs to the new header unchanged. Errors: ErrUnopened, or that to
// cannot be wrapped to.
func Rewrap(hdr []byte, id age.Identity, to age.Recipient) ([]byte, error) {
	key, err := FileKey(hdr, id)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	return Build(key, to)
}

func wrap(fileKey []byte, to []age.Recipient) ([]*age.Stanza, error) {
	var stanzas []*age.Stanza
	var common []string
	for i, r := range to {
		ss, labels, err := wrapOne(fileKey, r)
		if err != nil {
			return nil, fmt.Errorf("recipient %d: %w", i, err)
		}
		slices.Sort(labels)
		if i > 0 && !slices.Equal(labels, common) {
			return nil, ErrMixed
		}
		common = labels
		stanzas = append(stanzas, ss...)
	}
	return stanzas, nil
}

func wrapOne(fileKey []byte, r age.Recipient) ([]*age.Stanza, []string, error) {
	if labelled, ok := r.(age.RecipientWithLabels); ok {
		return labelled.WrapWithLabels(fileKey)
	}
	stanzas, err := r.Wrap(fileKey)
	return stanzas, nil, err
}

func marshal(fileKey []byte, stanzas []*age.Stanza) ([]byte, error) {
	var out bytes.Buffer
	out.WriteString(intro)
	for _, s := range stanzas {
		out.WriteString(stanzaPrefix + " " + strings.Join(append([]string{s.Type}, s.Args...), " ") + "\n")
		body := s.Body
		for ; len(body) >= lineBytes; body = body[lineBytes:] {
			out.WriteString(b64.EncodeToString(body[:lineBytes]) + "\n")
		}
		out.WriteString(b64.EncodeToString(body) + "\n") // the last line is always short, if need be empty
	}
	out.WriteString(footerPrefix)
	key, err := hkdf.Key(sha256.New, fileKey, nil, "header", sha256.Size)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	mac := hmac.New(sha256.New, key)
	mac.Write(out.Bytes())
	out.WriteString(" " + b64.EncodeToString(mac.Sum(nil)) + "\n")
	return out.Bytes(), nil
}
