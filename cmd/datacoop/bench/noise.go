package bench

import (
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"strings"

	"filippo.io/age"
)

// noise yields n bytes that nothing compresses. They are the same each time:
// what is measured does not depend on them.
func noise(n int64) io.Reader { return io.LimitReader(rand.NewChaCha8([32]byte{7}), n) }

// encrypted writes an age file of n bytes of noise and answers its size.
func encrypted(path string, n int64, recipient string) (int64, error) {
	to, err := parseRecipient(recipient)
	if err != nil {
		return 0, err
	}
	f, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	err = encrypt(f, noise(n), to)
	info, failed := f.Stat()
	if err = errors.Join(err, failed, f.Close()); err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func parseRecipient(text string) (age.Recipient, error) {
	if strings.HasPrefix(text, "age1pq1") {
		return age.ParseHybridRecipient(text)
	}
	return age.ParseX25519Recipient(text)
}

func encrypt(out io.Writer, plain io.Reader, to age.Recipient) error {
	w, err := age.Encrypt(out, to)
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, plain); err != nil {
		return err
	}
	return w.Close()
}

// reencrypt is what giving somebody else access costs without headers of one's
// own: every byte is decrypted and encrypted again.
func reencrypt(file io.Reader, id age.Identity, to age.Recipient) error {
	plain, err := age.Decrypt(file, id)
	if err != nil {
		return err
	}
	return encrypt(io.Discard, plain, to)
}
