package header

import (
	"bytes"
	"errors"
	"testing"

	"filippo.io/age"
)

func TestTheLastChunkOfAWholeFileFits(t *testing.T) {
	id := hybrid(t)
	for _, size := range []int{0, 1, 15, 16, 17, 64<<10 - 1, 64 << 10, 64<<10 + 1, 128 << 10, 300_001} {
		hdr, payload := split(t, encrypt(t, bytes.Repeat([]byte{0x5a}, size), id.Recipient()))
		if !ValidPayloadSize(int64(len(payload))) {
			t.Errorf("%d bytes: the size is refused", size)
		}
		if err := CheckLastChunk(hdr, id, bytes.NewReader(payload), int64(len(payload))); err != nil {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

func TestACutExtendedOrForeignPayloadDoesNotFit(t *testing.T) {
	id := classic(t)
	plain := bytes.Repeat([]byte("heart rate 61\n"), 14_000) // three chunks
	hdr, payload := split(t, encrypt(t, plain, id.Recipient()))
	_, other := split(t, encrypt(t, plain, id.Recipient()))
	flip := func(at int) []byte {
		bad := bytes.Clone(payload)
		bad[at] ^= 1
		return bad
	}
	cases := map[string][]byte{
		"short by one byte":     payload[:len(payload)-1],
		"short by one chunk":    payload[:nonceLen+2*chunkLen],
		"only the nonce":        payload[:nonceLen],
		"nothing":               nil,
		"longer by one byte":    append(bytes.Clone(payload), 0),
		"longer by a chunk":     append(bytes.Clone(payload), make([]byte, chunkLen)...),
		"twice":                 append(bytes.Clone(payload), payload[nonceLen:]...),
		"another file's":        other,
		"first byte of nonce":   flip(0),
		"first byte of last":    flip(nonceLen + 2*chunkLen),
		"last byte of the tag":  flip(len(payload) - 1),
		"middle of last chunk":  flip(len(payload) - 5_000),
		"other nonce, our rest": append(bytes.Clone(other[:nonceLen]), payload[nonceLen:]...),
	}
	for name, bad := range cases {
		err := CheckLastChunk(hdr, id, bytes.NewReader(bad), int64(len(bad)))
		if !errors.Is(err, ErrPayload) && !errors.Is(err, ErrPayloadSize) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if err := CheckLastChunk(hdr, classic(t), bytes.NewReader(payload), int64(len(payload))); !errors.Is(err, ErrUnopened) {
		t.Errorf("another identity: %v", err)
	}
	if err := CheckLastChunk(hdr, id, bytes.NewReader(payload[:100]), int64(len(payload))); err == nil {
		t.Error("a file shorter than it says was accepted")
	}
}

func TestSizesAgreeWithStockAge(t *testing.T) {
	id := classic(t)
	hdr, _ := split(t, encrypt(t, nil, id.Recipient()))
	for n := range int64(3 * chunkLen / 1000 * 10) {
		size := n * 97
		file := append(bytes.Clone(hdr), make([]byte, size)...)
		_, _, err := age.DecryptReaderAt(bytes.NewReader(file), int64(len(file)), id)
		wrongSize := err != nil && !bytes.Contains([]byte(err.Error()), []byte("authenticate final chunk"))
		if ValidPayloadSize(size) == wrongSize {
			t.Fatalf("%d bytes: we say %v, stock age says %v", size, !wrongSize, err)
		}
	}
}

func FuzzLastChunkAgreesWithStockAge(f *testing.F) {
	id := classic(f)
	hdr, payload := split(f, encrypt(f, []byte("0123456789"), id.Recipient()))
	f.Add(payload)
	f.Add(payload[:20])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, payload []byte) {
		ours := CheckLastChunk(hdr, id, bytes.NewReader(payload), int64(len(payload)))
		file := append(bytes.Clone(hdr), payload...)
		_, _, theirs := age.DecryptReaderAt(bytes.NewReader(file), int64(len(file)), id)
		if (ours == nil) != (theirs == nil) {
			t.Errorf("we say %v, stock age says %v", ours, theirs)
		}
	})
}
