package header

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"

	agetest "c2sp.org/CCTV/age"
	"filippo.io/age"
	"filippo.io/age/armor"
)

// The vectors and their number, so that a run over fewer of them is noticed.
var vectors = map[string]int{"success": 26, "no match": 13, "HMAC failure": 1, "header failure": 62,
	"armor failure": 26, "payload failure": 19}

// Why the gate refuses what age opens.
const (
	unknown   = "an unknown kind of recipient: nobody needs it, and each stanza must be tried"
	mixed     = "one classic stanza undoes the post-quantum protection of the other"
	asText    = "armor is a third larger and hides the header from an early judgement"
	passwords = "a passphrase is not a recipient: trying one costs seconds"
)

// gated lists every vector that age opens and our gate refuses on purpose.
var gated = map[string]struct {
	refusal error
	reason  string
}{
	"armor_crlf":               {ErrArmored, asText},
	"armor_full_last_line":     {ErrArmored, asText},
	"armor_hybrid":             {ErrArmored, asText},
	"armor_no_eol":             {ErrArmored, asText},
	"armor_scrypt":             {ErrArmored, asText},
	"armor_whitespace_outside": {ErrNotAge, asText},
	"armor_x25519":             {ErrArmored, asText},
	"hybrid_and_x25519":        {ErrMixed, mixed},
	"hybrid_grease":            {ErrStanzaType, unknown},
	"scrypt":                   {ErrPassphrase, passwords},
	"stanza_empty_body":        {ErrStanzaType, unknown},
	"stanza_empty_last_line":   {ErrStanzaType, unknown},
	"stanza_valid_characters":  {ErrStanzaType, unknown},
	"x25519_grease":            {ErrStanzaType, unknown},
}

type vector struct {
	expect, payload, fileKey string
	ids                      []age.Identity
	armored, packed          bool
	file                     []byte
}

func readVector(t *testing.T, name string) (v vector) {
	t.Helper()
	data, err := fs.ReadFile(agetest.Vectors, name)
	if err != nil {
		t.Fatal(err)
	}
	head, body, found := bytes.Cut(data, []byte("\n\n"))
	if !found {
		t.Fatal("vector without a body")
	}
	for line := range strings.Lines(string(head) + "\n") {
		v.set(t, strings.TrimSuffix(line, "\n"))
	}
	if v.file = body; v.packed {
		v.file = inflate(t, body)
	}
	return v
}

func (v *vector) set(t *testing.T, line string) {
	t.Helper()
	var err error
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
	case "compressed":
		v.packed = value == "zlib"
	case "identity":
		var ids []age.Identity
		ids, err = age.ParseIdentities(strings.NewReader(value))
		v.ids = append(v.ids, ids...)
	case "passphrase":
		var id age.Identity
		id, err = age.NewScryptIdentity(value)
		v.ids = append(v.ids, id)
	}
	if err != nil {
		t.Fatal(err)
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

// TestPublishedVectorsKeepTheirOutcome runs every age vector of C2SP/CCTV
// through split, rewrap and join and lets stock age judge the result: the
// outcome, and the plaintext as far as it is released, must be the vector's.
// It runs below the gate; what the gate refuses on purpose is listed in gated.
func TestPublishedVectorsKeepTheirOutcome(t *testing.T) {
	names, err := fs.Glob(agetest.Vectors, "*")
	if err != nil {
		t.Fatal(err)
	}
	ran := map[string]int{}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			v := readVector(t, name)
			ran[v.expect]++
			outcome, plain := through(t, v)
			if outcome != v.expect {
				t.Fatalf("outcome %q, the vector says %q", outcome, v.expect)
			}
			if sum := sha256.Sum256(plain); v.payload != "" && hex.EncodeToString(sum[:]) != v.payload {
				t.Error("the plaintext is not the vector's")
			}
			atTheGate(t, name, v)
		})
	}
	for outcome, n := range vectors {
		if ran[outcome] != n {
			t.Errorf("%d vectors of outcome %q ran, there are %d", ran[outcome], outcome, n)
		}
	}
}

// atTheGate checks that what opens is accepted or listed, with its refusal.
func atTheGate(t *testing.T, name string, v vector) {
	t.Helper()
	hdr, _, err := Split(bytes.NewReader(v.file))
	if err == nil {
		_, err = Inspect(hdr)
	}
	listed, known := gated[name]
	switch {
	case known && (v.expect != "success" || listed.reason == ""):
		t.Error("the list says without need that this is refused")
	case known && !errors.Is(err, listed.refusal):
		t.Errorf("the gate says %v, the list %v", err, listed.refusal)
	case v.expect == "success" && !known && err != nil:
		t.Errorf("the gate refuses it without being listed: %v", err)
	}
}

// through answers in the vectors' own words what becomes of a file.
func through(t *testing.T, v vector) (string, []byte) {
	t.Helper()
	file := v.file
	if v.armored {
		var err error
		if file, err = io.ReadAll(armor.NewReader(bytes.NewReader(file))); err != nil {
			return "armor failure", nil
		}
	}
	hdr, payload, err := Split(bytes.NewReader(file))
	if err != nil {
		return "header failure", nil
	}
	rest, err := io.ReadAll(payload)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(append(bytes.Clone(hdr), rest...), file) {
		t.Error("the parts are not the file")
	}
	for _, id := range v.ids {
		if key, err := FileKey(hdr, id); err == nil {
			clear(key)
			return delivered(t, v, hdr, rest, id)
		}
	}
	return stockOutcome(hdr, v), nil
}

// delivered rewraps to a researcher, who opens header and payload with age.
func delivered(t *testing.T, v vector, hdr, payload []byte, id age.Identity) (string, []byte) {
	t.Helper()
	researcher := classic(t)
	grant, err := Rewrap(hdr, id, researcher.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	key, err := FileKey(grant, researcher)
	if err != nil || hex.EncodeToString(key) != v.fileKey {
		t.Errorf("the file key changed: %v", err)
	}
	if len(payload) < nonceLen {
		return "header failure", nil // as age counts it; ValidPayloadSize is our answer to it
	}
	last := CheckLastChunk(grant, researcher, bytes.NewReader(payload), int64(len(payload)))
	r, err := age.Decrypt(bytes.NewReader(append(grant, payload...)), researcher)
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
