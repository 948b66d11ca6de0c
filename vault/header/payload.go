package header

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"

	"filippo.io/age"
	"golang.org/x/crypto/chacha20"
	"golang.org/x/crypto/poly1305" //nolint:staticcheck // deprecated for general use; verifying a tag without decrypting is the one thing the AEAD interface cannot do

	"distributed.ai/datacoop/internal/fault"
)

// The STREAM layout of an age payload (C2SP age.md): a nonce, then chunks of
// 64 KiB, each with a tag; only an empty file has an empty chunk.
const (
	nonceLen  = 16
	tagLen    = poly1305.TagSize
	chunkLen  = 64<<10 + tagLen
	lastChunk = 1
)

// What makes a payload unacceptable.
var (
	ErrPayloadSize = fault.New(fault.Invalid, "age-payload-size", "The encrypted file is cut short or has bytes too many: no age file is that long.")
	ErrPayload     = fault.New(fault.Invalid, "age-payload-altered", "The end of the encrypted file does not fit its header: it is cut short, altered, or belongs to another file.")
)

// ValidPayloadSize reports whether an age payload can be n bytes long. age
// counts a payload without a nonce as a failed header, so this is checked
// together with the header.
func ValidPayloadSize(n int64) bool {
	body := n - nonceLen
	if body < tagLen {
		return false
	}
	rest := body % chunkLen
	return rest == 0 || rest > tagLen || body == tagLen
}

// CheckLastChunk verifies the Poly1305 tag of the last STREAM chunk of a
// payload of size bytes under the file key that id finds in hdr. The last
// chunk carries its number and the mark of being last, so a payload that is
// cut, extended or from another file fails, at the cost of one chunk whatever
// the size. The tag covers ciphertext: no plaintext is computed. Earlier
// chunks are not looked at; a manifest's hash answers for those.
//
// Errors: ErrUnopened, ErrPayloadSize, ErrPayload, or payload's, wrapped.
func CheckLastChunk(hdr []byte, id age.Identity, payload io.ReaderAt, size int64) error {
	if !ValidPayloadSize(size) {
		return ErrPayloadSize
	}
	fileKey, err := FileKey(hdr, id)
	if err != nil {
		return err
	}
	defer clear(fileKey)
	var nonce [nonceLen]byte
	if err := readAt(payload, nonce[:], 0); err != nil {
		return err
	}
	chunks := (size - nonceLen + chunkLen - 1) / chunkLen
	start := nonceLen + (chunks-1)*chunkLen
	chunk := make([]byte, size-start)
	if err := readAt(payload, chunk, start); err != nil {
		return err
	}
	ok, err := authentic(fileKey, nonce[:], chunk, chunks-1)
	if err != nil {
		return fmt.Errorf("header: last chunk: %w", err)
	}
	if !ok {
		return ErrPayload
	}
	return nil
}

func readAt(r io.ReaderAt, p []byte, off int64) error {
	if _, err := io.ReadFull(io.NewSectionReader(r, off, int64(len(p))), p); err != nil {
		return fmt.Errorf("header: read payload: %w", err)
	}
	return nil
}

// authentic recomputes the tag of RFC 8439 §2.8 over a chunk without
// associated data: the one-time key is the first block of the keystream, and
// the message is the padded ciphertext followed by both lengths.
func authentic(fileKey, nonce, chunk []byte, index int64) (bool, error) {
	key, err := hkdf.Key(sha256.New, fileKey, nonce, "payload", chacha20.KeySize)
	if err != nil {
		return false, err
	}
	defer clear(key)
	stream, err := chacha20.NewUnauthenticatedCipher(key, chunkNonce(index))
	if err != nil {
		return false, err
	}
	var once [32]byte
	defer clear(once[:])
	stream.XORKeyStream(once[:], once[:])
	ciphertext, tag := chunk[:len(chunk)-tagLen], chunk[len(chunk)-tagLen:]
	mac := poly1305.New(&once)
	_, _ = mac.Write(ciphertext) // never fails
	_, _ = mac.Write(make([]byte, (16-len(ciphertext)%16)%16))
	var lengths [16]byte
	binary.LittleEndian.PutUint64(lengths[8:], uint64(len(ciphertext)))
	_, _ = mac.Write(lengths[:])
	return mac.Verify(tag), nil
}

// chunkNonce is an 11-byte big-endian counter and the byte that marks the last
// chunk.
func chunkNonce(index int64) []byte {
	nonce := make([]byte, chacha20.NonceSize)
	binary.BigEndian.PutUint64(nonce[3:11], uint64(index)) //nolint:gosec // a count, never negative
	nonce[11] = lastChunk
	return nonce
}
