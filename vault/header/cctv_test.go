package header

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"distributed.ai/datacoop/internal/testkit"
)

// gated lists the vectors that age accepts and our gate refuses on purpose.
var gated = map[string]error{
	"x25519_grease": ErrStanzaType, // an unknown stanza type: nobody needs it, and each must be tried
}

type vector struct {
	expect, payload, fileKey string
	ids                      []age.Identity
	armored                  bool
	file                     []byte
}

func readVector(t *testing.T, path string) vector {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	v, packed := vector{}, false
	for {
		line, rest, found := bytes.Cut(data, []byte("\n"))
		if !found {
			t.Fatal("vector without a body")
		}
		data = rest
		if len(line) == 0 {
			break
		}
		v.set(t, string(line))
		packed = packed || string(line) == "compressed: zlib"
	}
	if v.file = data; packed {
		v.file = inflate(t, data)
	}
	return v
}

func (v *vector) set(t *testing.T, line string) {
	t.Helper()
	key, value, _ := strings.Cut(line, ": ")
	switch key {
	case "expect":
		v.expect = value
	case "payload":
		v.payload = value
	case "file key":
		v.fileKey = value
	case "armored":
		v.armored = value == "yes"
	case "identity":
		ids, err := age.ParseIdentities(strings.NewReader(value))
		if err != nil {
			t.Fatal(err)
		}
		v.ids = append(v.ids, ids...)
	}
}

func inflate(t *testing.T, data []byte) []byte {
	t.Helper()
	r, err := zlib.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestPublishedVectorsKeepTheirOutcome runs the age vectors of C2SP/CCTV
// through split, rewrap and join and lets stock age judge the result: the
// outcome, and the plaintext as far as it is released, must be the vector's.
// It runs below the gate; what the gate refuses is listed in gated.
func TestPublishedVectorsKeepTheirOutcome(t *testing.T) {
	dir := testkit.Fixture(t, "19-protocol-vectors/age-cctv")
	paths, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(paths) == 0 {
		t.Skip("no vectors")
	}
	ran := 0
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			v := readVector(t, path)
			if v.armored {
				if _, _, err := Split(bytes.NewReader(v.file)); err == nil {
					t.Error("an armored file was split")
				}
				return
			}
			ran++
			outcome, plain := through(t, v)
			if outcome != v.expect {
				t.Fatalf("outcome %q, the vector says %q", outcome, v.expect)
			}
			if sum := sha256.Sum256(plain); v.payload != "" && hex.EncodeToString(sum[:]) != v.payload {
				t.Error("the plaintext is not the vector's")
			}
			want, listed := gated[filepath.Base(path)]
			hdr, _, err := Split(bytes.NewReader(v.file))
			if err != nil {
				return
			}
			if _, err := Inspect(hdr); !errors.Is(err, want) && (listed || v.expect == "success") {
				t.Errorf("the gate says %v, expected %v", err, want)
			}
		})
	}
	if ran < 20 {
		t.Errorf("only %d vectors ran", ran)
	}
}

// through answers in the vectors' own words what becomes of a file.
func through(t *testing.T, v vector) (string, []byte) {
	t.Helper()
	hdr, payload, err := Split(bytes.NewReader(v.file))
	if err != nil {
		return "header failure", nil
	}
	rest, err := io.ReadAll(payload)
	if err != nil {
		t.Fatal(err)
	}
	researcher := classic(t)
	grant, err := Rewrap(hdr, v.ids[0], researcher.Recipient())
	if err != nil {
		return stockOutcome(hdr, v), nil
	}
	key, err := FileKey(grant, researcher)
	if err != nil || hex.EncodeToString(key) != v.fileKey {
		t.Errorf("the file key changed: %v", err)
	}
	if len(rest) < nonceLen {
		return "header failure", nil
	}
	last := CheckLastChunk(grant, researcher, bytes.NewReader(rest), int64(len(rest)))
	r, err := age.Decrypt(bytes.NewReader(append(grant, rest...)), researcher)
	if err != nil {
		return "header failure", nil
	}
	plain, err := io.ReadAll(r)
	switch {
	case err != nil:
		return "payload failure", plain
	case last != nil:
		t.Errorf("stock age is content, the last chunk check says: %v", last)
	}
	return "success", plain
}

// stockOutcome tells the reasons apart that ErrUnopened keeps to itself.
func stockOutcome(hdr []byte, v vector) string {
	_, err := age.DecryptHeader(hdr, v.ids...)
	var none *age.NoIdentityMatchError
	switch {
	case errors.As(err, &none):
		return "no match"
	case err != nil && strings.Contains(err.Error(), "bad header MAC"):
		return "HMAC failure"
	case err != nil:
		return "header failure"
	}
	return "accepted by age alone"
}

func FuzzGate(f *testing.F) {
	id := classic(f)
	for _, seed := range [][]byte{
		text(classicStanza), text(hybridStanza, hybridStanza), text(classicStanza, hybridStanza),
		encrypt(f, []byte("x"), id.Recipient()), []byte(intro), {}, []byte(armorIntro),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		hdr, payload, err := Split(bytes.NewReader(file))
		end, scanErr := Scan(file)
		if err != nil {
			if end != 0 {
				t.Fatalf("Scan finds a header of %d bytes where Split says %v", end, err)
			}
			return
		}
		rest, err := io.ReadAll(payload)
		if err != nil || !bytes.Equal(append(bytes.Clone(hdr), rest...), file) {
			t.Fatal("the parts are not the file")
		}
		if scanErr != nil || end != len(hdr) {
			t.Fatalf("Scan says %d, %v; Split says %d", end, scanErr, len(hdr))
		}
		info, err := Inspect(hdr)
		if err != nil {
			return
		}
		if len(hdr) > MaxBytes || len(info.Stanzas) == 0 || len(info.Stanzas) > MaxStanzas {
			t.Fatalf("the gate let %d bytes with %d stanzas through", len(hdr), len(info.Stanzas))
		}
		for _, s := range info.Stanzas {
			if (s == StanzaHybrid) != info.PostQuantum || s != StanzaHybrid && s != StanzaX25519 {
				t.Fatalf("the gate let %v through", info.Stanzas)
			}
		}
	})
}
