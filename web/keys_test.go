package web_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/web/client"
	"distributed.ai/datacoop/web/sealed"
)

// keyed plays a journey of somebody with a key.
func (h *house) keyed(journey, login string, o told, stops map[string]func(seen)) seen {
	h.t.Helper()
	o["login"], o["shots"] = login, os.Getenv("DATACOOP_SHOTS")
	return h.play(journey, o, stops)
}

// says checks what a journey was told, by name.
func (s seen) says(t *testing.T, want map[string]string) {
	t.Helper()
	for name, sentence := range want {
		if got := fmt.Sprint(s.Told[name]); !strings.Contains(strings.Join(strings.Fields(got), " "), sentence) {
			t.Errorf("%s: %q, want %q", name, got, sentence)
		}
	}
}

func (h *house) locked(token string) (doc sealed.Document) {
	h.t.Helper()
	if a := h.call("GET", "/v1/me/sealed-identity", token, ""); a.status == 200 {
		ok(h.t, json.Unmarshal(a.body, &doc))
	}
	return doc
}

// identityOf reads an identity file's text.
func identityOf(t *testing.T, text string) client.Identity {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key.txt")
	ok(t, os.WriteFile(path, []byte(text), 0o600))
	id, err := client.ReadIdentity(path)
	ok(t, err)
	return id
}

func textOf(t *testing.T, id client.Identity) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key.txt")
	ok(t, id.WriteFile(path))
	text, err := os.ReadFile(path)
	ok(t, err)
	return string(text)
}

// openedBySheet opens the sheet's lock with its code, as any age program does.
func openedBySheet(t *testing.T, doc sealed.Document, code string) string {
	t.Helper()
	with, err := age.NewScryptIdentity(code)
	ok(t, err)
	for _, l := range doc.Locks {
		if l.Kind != sealed.KindSheet {
			continue
		}
		file, err := base64.StdEncoding.DecodeString(l.Sealed)
		ok(t, err)
		plain, err := age.Decrypt(bytes.NewReader(file), with)
		ok(t, err)
		text, err := io.ReadAll(plain)
		ok(t, err)
		return strings.TrimSpace(string(text))
	}
	t.Fatal("there is no sheet")
	return ""
}

// TestAKeyIsMadeInTheBrowserAndOpensOnASecondDevice: a member makes a key,
// proves to have kept its sheet, opens it elsewhere with nothing but the sheet,
// and loses the first device.
func TestAKeyIsMadeInTheBrowserAndOpensOnASecondDevice(t *testing.T) {
	chromium(t)
	h := openHouse(t)
	eva, token := h.member("eva")
	var code string
	last := h.keyed("keys", "eva", told{}, map[string]func(seen){
		"typed": func(seen) {
			if doc := h.locked(token); len(doc.Locks) != 0 {
				t.Error("a key is stored before its sheet was kept")
			}
		},
		"made": func(at seen) {
			at.says(t, map[string]string{"notUsed": "No passkey was used.", "hidden": "•••••-•••••", "notTyped": "does not stand on your recovery sheet",
				"made": "Your key is made", "passkeys": "1", "short": "The code has 35 characters. You typed 34.", "mistyped": "Group 3 does not fit", "checked": "Your sheet opens your key."})
			code = fmt.Sprint(at.Told["code"])
			doc := h.locked(token)
			secret := openedBySheet(t, doc, code)
			if id := identityOf(t, secret); !strings.HasPrefix(secret, "AGE-SECRET-KEY-PQ-1") || id.Recipient() != doc.Recipient || len(doc.Locks) != 2 {
				t.Errorf("the code opens another key; %d locks", len(doc.Locks))
			}
			me, err := eva.Me(context.Background())
			if ok(t, err); me.Recipient != doc.Recipient {
				t.Error("the account has another recipient")
			}
			if sheet := fmt.Sprint(at.Told["sheet"]); !strings.Contains(sheet, strings.Split(code, "-")[6]) || strings.Contains(sheet, "AGE-SECRET") {
				t.Errorf("the saved sheet is %s", sheet)
			}
		},
		"stale": func(at seen) {
			at.says(t, map[string]string{"noPasskey": "No passkey was used.", "added": "This device can open your key from now on.",
				"twice": "This device opens your key already.", "stale": "changed in the meantime", "ways": "3"})
			if doc := h.locked(token); openedBySheet(t, doc, code) == "" || len(doc.Locks) != 3 {
				t.Error("the first tab overwrote the second")
			}
		},
		"unsure": func(seen) {
			if doc := h.locked(token); openedBySheet(t, doc, code) == "" || len(doc.Locks) != 3 {
				t.Error("a sheet was replaced by somebody who was not sure")
			}
		},
		"removed": func(at seen) {
			at.says(t, map[string]string{"asked": "true", "unsure": "Confirm that it is you first", "oldSheet": "from another sheet", "removed": "Removed:"})
			doc := h.locked(token)
			secret := openedBySheet(t, doc, fmt.Sprint(at.Told["newCode"]))
			if len(doc.Locks) != 2 || !strings.Contains(fmt.Sprint(at.Told["identity"]), secret+"\n") {
				t.Errorf("%d locks, or another key was saved", len(doc.Locks))
			}
			text, err := json.Marshal(doc)
			if ok(t, err); bytes.Contains(text, []byte("AGE-SECRET")) || strings.Contains(h.logs.String(), "AGE-SECRET") {
				t.Error("the server can read the key")
			}
			h.later(6 * time.Minute)
		},
		"late": func(at seen) {
			at.says(t, map[string]string{"unsure": "Before your sheet opens your key", "late": "Your sheet opens your key."})
		},
	})
	if len(last.Complaints) > 0 {
		t.Log(last.Complaints)
	}
}

// TestABrowserThatLacksWhatIsNeededSaysSo: passkeys that lock nothing, none at
// all, no Worker, no JavaScript.
func TestABrowserThatLacksWhatIsNeededSaysSo(t *testing.T) {
	chromium(t)
	h := openHouse(t)
	_, token := h.member("finn")
	h.keyed("unfit", "finn", told{}, nil).says(t, map[string]string{"offered": "false", "said": "This browser cannot lock a key with a passkey.",
		"ways": "1", "warned": "true", "unable": "This browser cannot use your key.", "plain": "JavaScript is switched off"})
	if doc := h.locked(token); len(doc.Locks) != 1 {
		t.Errorf("%d locks", len(doc.Locks))
	}
}

// TestAKeyInAFileIsLockedInTheBrowserLater: a member who keeps the file has nothing on
// the server, and brings it when they want to.
func TestAKeyInAFileIsLockedInTheBrowserLater(t *testing.T) {
	chromium(t)
	h := openHouse(t)
	eva, token := h.member("eva")
	other, err := client.Keygen(false)
	ok(t, err)
	var file string
	last := h.keyed("file", "eva", told{"other": textOf(t, other)}, map[string]func(seen){
		"filed": func(at seen) {
			file = fmt.Sprint(at.Told["identity"])
			me, err := eva.Me(context.Background())
			if ok(t, err); me.Recipient != identityOf(t, file).Recipient() || len(h.locked(token).Locks) != 0 {
				t.Error("the account has another key, or a locked one")
			}
		},
	})
	last.says(t, map[string]string{"otherFile": "is not the one your account has", "ways": "2"})
	if secret := openedBySheet(t, h.locked(token), fmt.Sprint(last.Told["code"])); !strings.Contains(file, secret) {
		t.Error("another key was locked")
	}
}

// TestAMemberOpensTheirOwnCopyInTheBrowser: byte for byte, and nothing of what
// was altered, cut or taken back.
func TestAMemberOpensTheirOwnCopyInTheBrowser(t *testing.T) {
	chromium(t)
	h := openHouse(t)
	k := h.keep("eva", 7)
	last := h.keyed("open", "eva", told{"dataset": k.dataset.ID, "identity": textOf(t, k.id)}, nil)
	last.says(t, map[string]string{"altered": "is not as it was when you added it", "cut": "The connection was lost.", "gone": "not here any more", "plain": "JavaScript is switched off"})
	if table := fmt.Sprint(last.Told["table"]); table != k.plain() || !strings.HasPrefix(table, fmt.Sprint(last.Told["begins"])) {
		t.Errorf("%d bytes were saved, not the %d of the table", len(table), len(k.plain()))
	}
}

// TestAMemberApprovesInTheBrowser: only for a file that a key of theirs has
// signed, and the researcher, with stock age too, reads exactly it.
func TestAMemberApprovesInTheBrowser(t *testing.T) {
	chromium(t)
	h, eva, s, req := kept(t)
	h.vault.Lock() // nothing of eva's needs the vault's key
	path := filepath.Join(t.TempDir(), "signing.pem")
	ok(t, client.WriteSigningKey(path, eva.sign))
	signing, err := os.ReadFile(path)
	ok(t, err)
	last := h.keyed("approve", "eva", told{"identity": textOf(t, eva.id), "signing": string(signing)}, map[string]func(seen){
		"refused": func(seen) {
			if len(eva.waiting()) != 1 {
				t.Error("what eva did not sign was answered")
			}
		},
	})
	last.says(t, map[string]string{"notMine": "not a file that you added and signed", "approved": "You approved this request."})
	if len(eva.waiting()) != 0 {
		t.Fatal("it still waits")
	}
	files := s.files(req.ID, "ready")
	for _, f := range files {
		if f.SHA256 != eva.dataset.SHA256 {
			continue
		}
		d, err := s.api.Download(context.Background(), f.ID, 0, "")
		ok(t, err)
		defer d.Body.Close()
		file, err := io.ReadAll(d.Body)
		ok(t, err)
		var got strings.Builder
		_, err = s.key.Decrypt(&got, bytes.NewReader(file))
		if ok(t, err); got.String() != eva.plain() {
			t.Error("the researcher reads something else")
		}
		if text, err := stockAge(t, s.key, file); err == nil && text != eva.plain() {
			t.Error("stock age reads something else")
		} else if err != nil {
			t.Logf("stock age was not asked: %v", err)
		}
		return
	}
	t.Errorf("eva's file is not among %d that are ready", len(files))
}

// TestAMemberKeepsTheOnlyKeyWithNothingButTheirBrowser: shared on one device,
// approved on another where only the key is known.
func TestAMemberKeepsTheOnlyKeyWithNothingButTheirBrowser(t *testing.T) {
	chromium(t)
	file := testkit.Fixture(t, "02-fitbit-cohort/dailyActivity_merged.csv")
	h := openHouse(t)
	for seed, who := range []string{"finn", "guel"} {
		c, _ := h.member(who)
		h.share(c, uint64(seed))
	}
	eva, _ := h.member("eva")
	id, err := client.Keygen(false)
	ok(t, err)
	ok(t, eva.SetRecipient(context.Background(), id.Recipient()))
	s, token := h.asker()
	var request, mine string
	last := h.keyed("custody", "eva", told{"identity": textOf(t, id), "files": []string{file}}, map[string]func(seen){
		"shared": func(at seen) {
			for d, err := range eva.Datasets(context.Background()) {
				if ok(t, err); d.ID != at.Told["dataset"] || d.Custody != client.CustodySelf || d.State != "available" {
					t.Fatalf("%+v", d)
				}
				mine = d.SHA256
			}
			h.vault.Lock() // nothing of eva's needs the vault's key
			req := s.ask()
			request = req.ID
			s.pay(request)
		},
	})
	last.says(t, map[string]string{"approved": "You approved this request."})
	ready := s.files(request, "ready")
	for _, f := range ready {
		// asked once: a client would wait for the vault and ask again
		a := h.call("GET", "/v1/files/"+f.ID, token, "")
		if f.SHA256 != mine {
			if a.status != http.StatusServiceUnavailable {
				t.Errorf("a file that the locked vault would have to open: %d", a.status)
			}
			continue
		}
		if mine = ""; a.status != http.StatusOK {
			t.Fatalf("eva's file: %d %s", a.status, a.body)
		}
		_, err = s.key.Decrypt(io.Discard, bytes.NewReader(a.body))
		ok(t, err)
	}
	if mine != "" || len(ready) != 3 {
		t.Errorf("%d files are ready, eva's among them: %v", len(ready), mine == "")
	}
}

// stockAge has the age command open a file; older ones know no post-quantum
// identities.
func stockAge(t *testing.T, id client.Identity, file []byte) (string, error) {
	t.Helper()
	command, err := exec.LookPath("age")
	if err != nil {
		return "", err
	}
	key := filepath.Join(t.TempDir(), "key.txt")
	ok(t, os.WriteFile(key, []byte(textOf(t, id)), 0o600))
	run := exec.Command(command, "-d", "-i", key)
	run.Stdin = bytes.NewReader(file)
	out, err := run.Output()
	return string(out), err
}
