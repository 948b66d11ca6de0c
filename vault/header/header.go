// Package header takes age headers apart and puts them together.
//
// An age file (age-encryption.org/v1, C2SP age.md) is a short header, which
// wraps a file key to one or more recipients, and a payload encrypted under
// that key. Giving somebody else access needs only another header: the payload
// stays as it is, byte for byte, however large it is. The vault does this on
// the server; a member who keeps their own keys does it on their own machine
// with the same functions.
//
// The package guarantees:
//
//   - Split is exact: header and payload joined again are the file, and no
//     byte of the payload is swallowed, however the reader chops its answers.
//   - Inspect decides on size, number and type of stanzas before any
//     cryptography, so that a hostile header costs microseconds.
//   - A header made here opens with stock age: Build has age itself parse it
//     and check its MAC before anybody sees it.
//   - CheckLastChunk proves, from the key and at most 64 KiB of ciphertext,
//     that a payload ends where its writer ended it, and never computes a
//     byte of plaintext.
//   - File keys are cleared as soon as they have been used.
//   - A Challenge proves that whoever answers it holds a recipient's identity.
//
// It refuses passphrase headers, unknown stanza types, headers that mix
// post-quantum with classic recipients (one classic stanza would undo the
// protection of the other), armored files, and anything that is not in the one
// canonical form. Its refusals are faults with constant sentences: nothing of
// a header is ever quoted.
//
// It does not know datasets, members or policy. Re-wrapping a post-quantum
// header to a classic recipient works here; whether it may happen is decided
// where the charter is known.
package header

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"

	"distributed.ai/datacoop/internal/fault"
)

// Limits of what is accepted. age itself allows 2 MiB and 1,024 stanzas, of
// which each costs a key agreement to try.
const (
	MaxBytes   = 16 << 10
	MaxStanzas = 8
)

const (
	intro        = "age-encryption.org/v1\n"
	armorIntro   = "-----BEGIN AGE ENCRYPTED FILE-----"
	stanzaPrefix = "->"
	footerPrefix = "---"
)

// What makes a header unacceptable.
var (
	ErrNotAge     = fault.New(fault.Invalid, "age-not-encrypted", "This is not an age file; encrypt it before it leaves your machine.")
	ErrArmored    = fault.New(fault.Invalid, "age-armored", "This is an armored age file; send it in binary form.")
	ErrTruncated  = fault.New(fault.Invalid, "age-header-truncated", "The file ends before its age header does.")
	ErrMalformed  = fault.New(fault.Invalid, "age-header-malformed", "The age header is not well formed.")
	ErrTooLarge   = fault.New(fault.TooLarge, "age-header-too-large", "The age header is larger than 16 KiB.")
	ErrStanzas    = fault.New(fault.Invalid, "age-header-stanzas", "The age header names more than eight recipients.")
	ErrPassphrase = fault.New(fault.Invalid, "age-header-passphrase", "The file is encrypted with a passphrase; encrypt it to recipients.")
	ErrStanzaType = fault.New(fault.Invalid, "age-header-recipient-type", "The age header names a kind of recipient that is not accepted; only X25519 and hybrid post-quantum recipients are.")
	ErrMixed      = fault.New(fault.Invalid, "age-header-mixed", "The age header mixes post-quantum and classic recipients, which would leave the file with classic protection only.")
	ErrUnopened   = fault.New(fault.Invalid, "age-header-unopened", "The age header does not open: it was made for another recipient or has been altered.")
)

// Split reads an age file's header from r. Payload yields exactly the bytes
// that follow it; r must not be read by anyone else until payload is done
// with. Split checks form and size only; see Inspect for what may be in it.
//
// Errors: ErrNotAge, ErrArmored, ErrTruncated, ErrMalformed, ErrTooLarge, or
// r's own error, wrapped.
func Split(r io.Reader) (hdr []byte, payload io.Reader, err error) {
	var seen bytes.Buffer
	src := &watched{r: r}
	hdr, err = age.ExtractHeader(io.TeeReader(io.LimitReader(src, MaxBytes), &seen))
	switch {
	case src.err != nil && err != nil:
		return nil, nil, fmt.Errorf("header: read: %w", src.err)
	case err != nil:
		return nil, nil, explain(seen.Bytes(), src.eof)
	case !bytes.HasPrefix(seen.Bytes(), hdr):
		return nil, nil, ErrMalformed
	}
	return hdr, io.MultiReader(bytes.NewReader(seen.Bytes()[len(hdr):]), r), nil
}

// Scan looks for the end of a header in the first bytes of a file. It answers
// the header's length, or 0 when more bytes are needed to tell. A file that
// can no longer become acceptable in form is refused as early as its bytes
// show it, with the errors of Split except ErrTruncated.
func Scan(prefix []byte) (int, error) {
	n := min(len(prefix), len(intro))
	if string(prefix[:n]) != intro[:n] {
		return 0, foreign(prefix)
	}
	end := closing(prefix)
	switch {
	case end > MaxBytes, end == 0 && len(prefix) >= MaxBytes:
		return 0, ErrTooLarge
	case end == 0:
		return 0, nil
	}
	hdr, _, err := Split(bytes.NewReader(prefix[:end]))
	if err != nil {
		return 0, err
	}
	return len(hdr), nil
}

// closing finds the end of the first line that starts like a footer. Stanza
// bodies are standard base64 and cannot contain one.
func closing(b []byte) int {
	at := bytes.Index(b, []byte("\n"+footerPrefix))
	if at < 0 {
		return 0
	}
	eol := bytes.IndexByte(b[at+1:], '\n')
	if eol < 0 {
		return 0
	}
	return at + 1 + eol + 1
}

// explain turns a failed parse into the refusal that fits what was read.
func explain(seen []byte, eof bool) error {
	n := min(len(seen), len(intro))
	switch {
	case string(seen[:n]) != intro[:n]:
		return foreign(seen)
	case closing(seen) != 0:
		return ErrMalformed
	case len(seen) >= MaxBytes:
		return ErrTooLarge
	case eof:
		return ErrTruncated
	}
	return ErrMalformed
}

func foreign(seen []byte) error {
	n := min(len(seen), len(armorIntro))
	if n > 0 && string(seen[:n]) == armorIntro[:n] {
		return ErrArmored
	}
	return ErrNotAge
}

// watched remembers how its reader ended: age folds every read error into a
// parse error, and a broken connection is not a malformed file.
type watched struct {
	r   io.Reader
	err error
	eof bool
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	switch {
	case errors.Is(err, io.EOF):
		w.eof = true
	case err != nil:
		w.err = err
	}
	return n, err
}
