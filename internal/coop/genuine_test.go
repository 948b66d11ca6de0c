package coop

import (
	"crypto/ed25519"
	"encoding/base64"
	"testing"
)

func TestADocumentIsGenuineByteForByte(t *testing.T) {
	key, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	text, said := []byte(`{"a":1,"signature":"x"}`), []byte(`{"a":1,"signature":""}`)
	good := base64.StdEncoding.EncodeToString(ed25519.Sign(private, said))
	if !Genuine(text, text, said, good, key) {
		t.Fatal("a genuine document was refused")
	}
	for why, ok := range map[string]bool{
		"another encoding":       Genuine(append([]byte(" "), text...), text, said, good, key),
		"another text":           Genuine(text, text, text, good, key),
		"no signature":           Genuine(text, text, said, "", key),
		"a line in the base64":   Genuine(text, text, said, good[:10]+"\n"+good[10:], key),
		"a key that is too long": Genuine(text, text, said, good, append(key, 0)),
		"no key":                 Genuine(text, text, said, good, nil),
	} {
		if ok {
			t.Errorf("%s passed", why)
		}
	}
}
