package header

import (
	"strings"

	"filippo.io/age"

	"distributed.ai/datacoop/internal/fault"
)

// The kinds of recipient that are accepted.
const (
	KindX25519 = "x25519" // classic; any age since 1.0
	KindHybrid = "hybrid" // ML-KEM-768 with X25519; age 1.3 and later
)

// maxRecipientLen bounds what is parsed; a hybrid recipient has 1,959
// characters.
const maxRecipientLen = 2048

// ErrRecipient is what ParseRecipient answers.
var ErrRecipient = fault.New(fault.Invalid, "recipient-malformed", "This is not an age recipient; one starts with age1 or age1pq1.")

// ParseRecipient reads a native age recipient and says of which kind it is.
// It accepts only the spelling age itself writes, and only a key that a file
// key can be wrapped to (a low-order point cannot). SSH and plugin recipients
// are refused. Error: ErrRecipient.
func ParseRecipient(s string) (age.Recipient, string, error) {
	if len(s) > maxRecipientLen {
		return nil, "", ErrRecipient
	}
	r, kind, err := parse(s)
	if err != nil || r.String() != s {
		return nil, "", ErrRecipient
	}
	if _, err := r.Wrap(make([]byte, fileKeyLen)); err != nil {
		return nil, "", ErrRecipient
	}
	return r, kind, nil
}

// KnownRecipient reads a recipient that ParseRecipient has accepted before,
// without trying to wrap to it again. Error: ErrRecipient.
func KnownRecipient(s string) (age.Recipient, string, error) {
	if len(s) > maxRecipientLen {
		return nil, "", ErrRecipient
	}
	r, kind, err := parse(s)
	if err != nil {
		return nil, "", ErrRecipient
	}
	return r, kind, nil
}

type namedRecipient interface {
	age.Recipient
	String() string
}

func parse(s string) (namedRecipient, string, error) {
	kind := Kind(s)
	if kind == KindHybrid {
		r, err := age.ParseHybridRecipient(s)
		return r, kind, err
	}
	r, err := age.ParseX25519Recipient(s)
	return r, kind, err
}

// Size is how many bytes a header for a single recipient of the kind has, so
// that a delivery's size is known before its header is made. It is 0 for a
// kind that is not accepted.
func Size(kind string) int64 {
	// intro, "-> " type " " share "\n", body "\n", "--- " MAC "\n"
	const rest = len(intro) + len("->  \n") + len("\n") + 43 + len("---  \n") - 1 + 43
	switch kind {
	case KindX25519:
		return int64(rest + len(StanzaX25519) + x25519ArgLen)
	case KindHybrid:
		return int64(rest + len(StanzaHybrid) + hybridArgLen)
	}
	return 0
}

// Kind tells the kind of a recipient that ParseRecipient has accepted before,
// by its prefix alone.
func Kind(recipient string) string {
	if strings.HasPrefix(recipient, "age1pq1") {
		return KindHybrid
	}
	return KindX25519
}
