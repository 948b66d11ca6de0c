package client

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"filippo.io/age"
)

// Identity is an age identity, or several from one file. Printing it shows the
// public recipient, never the secret.
type Identity struct{ keys []key }

// key is what age's native identities have in common.
type key interface {
	age.Identity
	String() string
}

// Keygen makes a new identity: post-quantum hybrid (ML-KEM-768 with X25519,
// age 1.3 and later), or X25519, which any age opens, if classic.
func Keygen(classic bool) (Identity, error) {
	var k key
	var err error
	if classic {
		k, err = age.GenerateX25519Identity()
	} else {
		k, err = age.GenerateHybridIdentity()
	}
	if err != nil {
		return Identity{}, fmt.Errorf("make an identity: %w", err)
	}
	return Identity{keys: []key{k}}, nil
}

// Recipient is the public half of the first identity: what others encrypt to.
// It is empty for the zero Identity.
func (i Identity) Recipient() string {
	if len(i.keys) == 0 {
		return ""
	}
	switch k := i.keys[0].(type) {
	case *age.X25519Identity:
		return k.Recipient().String()
	case *age.HybridIdentity:
		return k.Recipient().String()
	}
	return ""
}

// String is Recipient, so that a log line never holds a secret.
func (i Identity) String() string { return i.Recipient() }

// GoString is Recipient too.
func (i Identity) GoString() string { return i.Recipient() }

// WriteFile writes the identity in age's own format, for its owner's eyes
// only. It never overwrites a file.
func (i Identity) WriteFile(path string) error {
	var text bytes.Buffer
	defer func() { clear(text.Bytes()) }()
	fmt.Fprintf(&text, "# created: %s\n# public key: %s\n", time.Now().Format(time.RFC3339), i.Recipient())
	for _, k := range i.keys {
		fmt.Fprintln(&text, k)
	}
	return writeSecret(path, text.Bytes())
}

// writeSecret makes a new file with mode 0600 and has it on disk before it
// returns: the key in it exists nowhere else.
func writeSecret(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already; a key is never overwritten", path)
	}
	if err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	return nil
}

// ReadIdentity reads an identity file as age-keygen and WriteFile write it.
// Its errors never quote the file.
func ReadIdentity(path string) (Identity, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Identity{}, fmt.Errorf("read identity: %w", err)
	}
	defer clear(data)
	if head := string(data[:min(len(data), 64)]); strings.HasPrefix(head, "age-encryption.org/") || strings.HasPrefix(head, "-----BEGIN AGE") {
		return Identity{}, fmt.Errorf("%s is protected with a passphrase; open it first with: age -d", path)
	}
	parsed, err := age.ParseIdentities(bytes.NewReader(data))
	if err != nil {
		return Identity{}, fmt.Errorf("%s is not an age identity file", path)
	}
	var out Identity
	for _, p := range parsed {
		if k, ok := p.(key); ok {
			out.keys = append(out.keys, k)
		}
	}
	if out.Recipient() == "" {
		return Identity{}, fmt.Errorf("%s holds a kind of identity that is not known here", path)
	}
	return out, nil
}

// ErrWrongIdentity says that a file was encrypted to somebody else.
var ErrWrongIdentity = errors.New("this identity does not open the file: it was encrypted to another recipient")

// Decrypt decrypts an age file. Age authenticates chunk by chunk, so what has
// been written is worth nothing until Decrypt has returned without an error.
// Errors: ErrWrongIdentity; anything else means that the file is damaged or
// that reading or writing failed.
func (i Identity) Decrypt(to io.Writer, from io.Reader) (int64, error) {
	return decrypt(to, from, []Identity{i})
}

func decrypt(to io.Writer, from io.Reader, with []Identity) (int64, error) {
	var keys []age.Identity
	for _, i := range with {
		for _, k := range i.keys {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return 0, errors.New("an identity is needed to open an encrypted file")
	}
	plain, err := age.Decrypt(from, keys...)
	var mismatch *age.NoIdentityMatchError
	if errors.As(err, &mismatch) {
		return 0, ErrWrongIdentity
	}
	if err != nil {
		return 0, fmt.Errorf("open age file: %w", err)
	}
	n, err := io.Copy(to, plain)
	if err != nil {
		return n, fmt.Errorf("decrypt: %w", err)
	}
	return n, nil
}
