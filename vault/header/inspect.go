package header

import (
	"bytes"
	"slices"

	"filippo.io/age"

	"distributed.ai/datacoop/internal/fault"
)

// The stanza types that are accepted, as the age specification names them.
const (
	StanzaX25519 = "X25519"
	StanzaHybrid = "mlkem768x25519"
	stanzaScrypt = "scrypt"
)

// Sizes of one argument and the body of each accepted stanza: unpadded base64
// of a 32-byte share or of the 1,120-byte HPKE encapsulation, and a 16-byte
// file key with its Poly1305 tag.
const (
	x25519ArgLen = 43
	hybridArgLen = 1494
	bodyLen      = 32
)

// Info says what is in a header, from its form alone.
type Info struct {
	Stanzas     []string // the stanza types, in order
	PostQuantum bool     // every stanza is post-quantum
}

// Inspect checks a whole header without any cryptography: canonical form, at
// most MaxBytes and MaxStanzas, no passphrase, only X25519 or only
// mlkem768x25519 stanzas of the right shape.
//
// Errors: those of Split, ErrStanzas, ErrPassphrase, ErrStanzaType, ErrMixed.
func Inspect(hdr []byte) (Info, error) {
	if len(hdr) > MaxBytes {
		return Info{}, ErrTooLarge
	}
	canonical, _, err := Split(bytes.NewReader(hdr))
	if err != nil {
		return Info{}, err
	}
	if len(canonical) != len(hdr) {
		return Info{}, ErrMalformed
	}
	var seen recorder
	_, _ = age.DecryptHeader(hdr, &seen) // never opens: seen matches nothing
	return seen.judge()
}

// ErrNotSingle is what CheckSingle answers about an acceptable header.
var ErrNotSingle = fault.New(fault.Invalid, "age-header-not-single", "The age header is not for one recipient of the kind that was asked for.")

// CheckSingle is Inspect of a header that somebody else says is for one
// recipient: one stanza of its kind, and a size that leaves room for nothing
// else. Whether it opens, and for whom, only a key tells.
//
// Errors: those of Inspect, ErrNotSingle.
func CheckSingle(hdr []byte, recipient string) error {
	info, err := Inspect(hdr)
	kind := Kind(recipient)
	if err == nil && (len(info.Stanzas) != 1 || info.PostQuantum != (kind == KindHybrid) || int64(len(hdr)) != Size(kind)) {
		err = ErrNotSingle
	}
	return err
}

// recorder is an age identity that opens nothing and remembers what it was
// shown: the public way to age's own reading of a header.
type recorder struct{ stanzas []*age.Stanza }

func (r *recorder) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	r.stanzas = stanzas
	return nil, age.ErrIncorrectIdentity
}

func (r *recorder) judge() (Info, error) {
	info := Info{Stanzas: []string{}}
	for _, s := range r.stanzas {
		info.Stanzas = append(info.Stanzas, s.Type)
	}
	switch {
	case slices.Contains(info.Stanzas, stanzaScrypt):
		return Info{}, ErrPassphrase
	case len(info.Stanzas) == 0:
		return Info{}, ErrMalformed
	case len(info.Stanzas) > MaxStanzas:
		return Info{}, ErrStanzas
	}
	for _, s := range r.stanzas {
		if err := shape(s); err != nil {
			return Info{}, err
		}
	}
	hybrid := slices.Contains(info.Stanzas, StanzaHybrid)
	if hybrid && slices.Contains(info.Stanzas, StanzaX25519) {
		return Info{}, ErrMixed
	}
	info.PostQuantum = hybrid
	return info, nil
}

func shape(s *age.Stanza) error {
	want := x25519ArgLen
	switch s.Type {
	case StanzaX25519:
	case StanzaHybrid:
		want = hybridArgLen
	default:
		return ErrStanzaType
	}
	if len(s.Args) != 1 || len(s.Args[0]) != want || len(s.Body) != bodyLen {
		return ErrMalformed
	}
	return nil
}
