package sealed

import (
	"bytes"
	"encoding/base64"
	"regexp"
	"slices"
	"strings"
	"time"

	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/vault/header"
)

// Version is the form of a document that this program writes and reads.
const Version = 1

// Document is a member's age identity, sealed once for each lock. What a lock
// holds is an ordinary age file; its plaintext is an age identity file.
type Document struct {
	Version   int    `json:"version" enum:"1" doc:"Of this form"`
	Recipient string `json:"recipient" minLength:"1" maxLength:"4096" doc:"The public age recipient of the identity that is sealed"`
	Locks     []Lock `json:"locks" minItems:"1" maxItems:"20" doc:"Ways to open it; each alone is enough"`
}

// Lock is one way to open the identity.
type Lock struct {
	ID         string    `json:"id" pattern:"^[0-9a-f]{16}$" doc:"Chosen by the client"`
	Kind       string    `json:"kind" enum:"sheet,passkey"`
	Label      string    `json:"label" maxLength:"80" doc:"In the member's words, such as the name of a device"`
	MadeAt     time.Time `json:"made_at"`
	Credential string    `json:"credential,omitempty" maxLength:"2048" doc:"Of a passkey: AGE-PLUGIN-FIDO2PRF-1…, which says where to find it and opens nothing"`
	Sealed     string    `json:"sealed" maxLength:"4096" doc:"An age file in standard base64: for a sheet under its code as a passphrase, for a passkey with one fido2prf stanza. Of a sheet it is empty for who has not shown in the last minutes that it is them; sent back empty, it stays as it is"`
}

// Kinds of locks.
const (
	KindSheet   = "sheet"
	KindPasskey = "passkey"
)

// stanzas says which stanza a lock's file has: C2SP age.md, and age-encryption's
// WebAuthn recipient.
var stanzas = map[string]string{KindSheet: "scrypt", KindPasskey: "age-encryption.org/fido2prf"}

// largest is how many bytes one sealed identity may have. A hybrid identity is
// 74 characters, and an identity file may carry a few comments.
const largest = 2 << 10

// Faults of a document.
var (
	ErrForm   = fault.New(fault.Invalid, "sealed-identity-form", "This is not a sealed identity in a form that this server knows. Nothing was saved.")
	ErrPlain  = fault.New(fault.Invalid, "sealed-identity-plain", "This holds a secret key that is not sealed. It was not saved. Make a new key, because this one has left your device.")
	ErrOthers = fault.New(fault.Conflict, "sealed-identity-other-key", "This is another key than the one your account has. Nothing was saved.")
)

var credential = regexp.MustCompile(`^AGE-PLUGIN-FIDO2PRF-1[02-9AC-HJ-NP-Z]+$`)

// Validate refuses what is no sealed identity: [ErrForm], and [ErrPlain] where
// a secret key can be read.
func (d Document) Validate() error {
	if _, _, err := header.ParseRecipient(d.Recipient); err != nil || d.Version != Version || len(d.Locks) == 0 {
		return ErrForm
	}
	ids := map[string]bool{}
	for _, l := range d.Locks {
		if err := l.validate(); err != nil {
			return err
		}
		if ids[l.ID] {
			return ErrForm
		}
		ids[l.ID] = true
	}
	return nil
}

// fill puts in what was left out for its sender: the files of locks that stay.
func (d Document) fill(before Document) {
	for i, l := range d.Locks {
		for _, old := range before.Locks {
			if l.Sealed == "" && l.ID == old.ID && l.Kind == old.Kind {
				d.Locks[i].Sealed = old.Sealed
			}
		}
	}
}

// opens reports whether another lock opens the same file in the same way. What
// the member calls it does not matter.
func (l Lock) opens(other Lock) bool {
	return l.ID == other.ID && l.Kind == other.Kind && l.Credential == other.Credential && l.Sealed == other.Sealed
}

func (l Lock) validate() error {
	file, err := base64.StdEncoding.Strict().DecodeString(l.Sealed)
	for _, text := range [][]byte{[]byte(l.Label), []byte(l.Credential), []byte(l.Sealed), file} {
		if bytes.Contains(bytes.ToUpper(text), []byte("AGE-SECRET-KEY-")) {
			return ErrPlain
		}
	}
	want, known := stanzas[l.Kind]
	if err != nil || !known || len(file) > largest || stanza(file) != want || (l.Kind == KindPasskey) != credential.MatchString(l.Credential) {
		return ErrForm
	}
	return nil
}

// stanza is the kind of an age file's only stanza; "" if the file is no age
// file, has several, or has no payload that could hold a key.
func stanza(file []byte) string {
	hdr, _, err := header.Split(bytes.NewReader(file))
	if err != nil || !header.ValidPayloadSize(int64(len(file)-len(hdr))) {
		return ""
	}
	lines := strings.Split(string(hdr), "\n")
	lines = slices.DeleteFunc(lines, func(line string) bool { return !strings.HasPrefix(line, "-> ") })
	if len(lines) != 1 {
		return ""
	}
	return strings.Fields(lines[0])[1]
}
