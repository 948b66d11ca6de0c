package keystore

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"filippo.io/age"
)

func TestASealedMasterOpensWithItsPassphraseAlone(t *testing.T) {
	classic := must[*age.X25519Identity](t)(age.GenerateX25519Identity())
	for _, id := range []age.Identity{must[age.Identity](t)(NewMaster()), classic} {
		var file bytes.Buffer
		if err := SealMaster(&file, id, "correct horse", 10); err != nil {
			t.Fatal(err)
		}
		want, _, _ := identityText(id)
		got, _, err := identityText(must[age.Identity](t)(OpenMaster(bytes.NewReader(file.Bytes()), "correct horse")))
		if err != nil || got != want {
			t.Error("another identity came back")
		}
		// stock age reads it as an identity file
		pass := must[*age.ScryptIdentity](t)(age.NewScryptIdentity("correct horse"))
		r := must[io.Reader](t)(age.Decrypt(bytes.NewReader(file.Bytes()), pass))
		if ids, err := age.ParseIdentities(r); err != nil || len(ids) != 1 {
			t.Errorf("%d identities, %v", len(ids), err)
		}
		for _, wrong := range []string{"", "correct hors", "Correct horse"} {
			_, err := OpenMaster(bytes.NewReader(file.Bytes()), wrong)
			wants(t, err, ErrMasterKey)
		}
		cut := file.Bytes()[:file.Len()-1]
		_, err = OpenMaster(bytes.NewReader(cut), "correct horse")
		wants(t, err, ErrMasterKey)
	}
}

func TestWhatIsNoMasterFileIsRefused(t *testing.T) {
	pass := must[*age.ScryptRecipient](t)(age.NewScryptRecipient("pw"))
	pass.SetWorkFactor(10)
	master := must[age.Identity](t)(NewMaster())
	text, to, _ := identityText(master)
	for name, file := range map[string][]byte{
		"empty":          nil,
		"plain identity": []byte(text),
		"no identity":    encrypt(t, []byte("hello"), pass),
		"two identities": encrypt(t, []byte(text+"\n"+text+"\n"), pass),
		"not passphrase": encrypt(t, []byte(text), to),
	} {
		if _, err := OpenMaster(bytes.NewReader(file), "pw"); err == nil {
			t.Errorf("%s was accepted", name)
		} else if strings.Contains(err.Error(), text) {
			t.Errorf("%s: the error holds the key", name)
		}
	}
	for _, logN := range []int{0, 9, 23} {
		if err := SealMaster(io.Discard, master, "pw", logN); err == nil {
			t.Errorf("work factor %d was accepted", logN)
		}
	}
	if err := SealMaster(io.Discard, master, "", 10); err == nil {
		t.Error("an empty passphrase was accepted")
	}
}

func encrypt(t testing.TB, plain []byte, to ...age.Recipient) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := encryptTo(&out, plain, to...); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
