package web_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"distributed.ai/datacoop/web/client"
	"distributed.ai/datacoop/web/sealed"
)

const sheetCode = "7Q4ZB-1M8XA-0C2DE-9F3GH-5J6KN-8PRST-2VWXC"

// sheet seals an identity under a sheet's code, as the browser does.
func sheet(t *testing.T, secret, code string) string {
	t.Helper()
	to, err := age.NewScryptRecipient(code)
	ok(t, err)
	to.SetWorkFactor(10)
	var out bytes.Buffer
	w, err := age.Encrypt(&out, to)
	ok(t, err)
	_, err = io.WriteString(w, secret+"\n")
	ok(t, err)
	ok(t, w.Close())
	return base64.StdEncoding.EncodeToString(out.Bytes())
}

func paper(recipient string, locks ...sealed.Lock) string {
	text, _ := json.Marshal(sealed.Document{Version: 1, Recipient: recipient, Locks: locks})
	return string(text)
}

func lock(n int, file string) sealed.Lock {
	return sealed.Lock{ID: fmt.Sprintf("%016x", n), Kind: sealed.KindSheet, Label: "Sheet", MadeAt: time.Unix(1_790_000_000, 0).UTC(), Sealed: file}
}

// put sends a document with a condition, such as "If-Match: "1"".
func (h *house) put(token, text, condition string) answer {
	name, value, _ := strings.Cut(condition, ": ")
	return h.call("PUT", "/v1/me/sealed-identity", token, text, name, value)
}

// TestTwoTabsNeverOverwriteEachOther follows one member's sealed key: stored,
// read on another device, changed there, and not by who has an old one.
func TestTwoTabsNeverOverwriteEachOther(t *testing.T) {
	h := openHouse(t)
	_, token := h.member("eva")
	id, err := age.GenerateHybridIdentity()
	ok(t, err)
	file := sheet(t, id.String(), sheetCode)
	first, second := paper(id.Recipient().String(), lock(1, file)), paper(id.Recipient().String(), lock(1, file), lock(2, file))

	refused(t, h.call("GET", "/v1/me/sealed-identity", token, ""), http.StatusNotFound, "no-sealed-identity")
	refused(t, h.put(token, first, "X: none"), http.StatusPreconditionRequired, "sealed-identity-unconditional")
	refused(t, h.put(token, first, `If-Match: "1"`), http.StatusPreconditionFailed, "sealed-identity-changed")
	made := h.put(token, first, "If-None-Match: *")
	if made.status != http.StatusNoContent || made.header.Get("ETag") != `"1"` {
		t.Fatalf("%d %v %s", made.status, made.header, made.body)
	}
	refused(t, h.put(token, second, "If-None-Match: *"), http.StatusPreconditionFailed, "sealed-identity-changed")
	if changed := h.put(token, second, `If-Match: "1"`); changed.status != http.StatusNoContent || changed.header.Get("ETag") != `"2"` {
		t.Fatalf("%d %v", changed.status, changed.header)
	}
	for _, old := range []string{`"1"`, `"3"`, `W/"2"`, "*", "2"} {
		refused(t, h.put(token, first, "If-Match: "+old), http.StatusPreconditionFailed, "sealed-identity-changed")
	}
	got := h.call("GET", "/v1/me/sealed-identity", token, "")
	var doc sealed.Document
	ok(t, json.Unmarshal(got.body, &doc))
	if got.header.Get("ETag") != `"2"` || len(doc.Locks) != 2 || doc.Locks[0].Sealed != file {
		t.Errorf("%v %s", got.header, got.body)
	}
	_, other := h.member("finn")
	refused(t, h.call("GET", "/v1/me/sealed-identity", other, ""), http.StatusNotFound, "no-sealed-identity")

	// The export has it too, and the code opens the file there.
	files := h.takeaway(token)
	code, err := age.NewScryptIdentity(sheetCode)
	ok(t, err)
	plain, err := age.Decrypt(strings.NewReader(files["key/sheet-0000000000000001.age"]), code)
	ok(t, err)
	opened, err := io.ReadAll(plain)
	ok(t, err)
	if string(opened) != id.String()+"\n" || !strings.Contains(files["sealed-identity.json"], file) {
		t.Error("the export does not have the sealed key")
	}
	if strings.Contains(strings.Join([]string{files["sealed-identity.json"], string(got.body), h.logs.String()}, ""), "AGE-SECRET-KEY") {
		t.Error("a secret key can be read")
	}
}

// TestALockIsTakenAwayOnlyByWhoIsSure: whoever finds an open browser may add a way
// to the key, and can neither take one away nor put another in its place.
func TestALockIsTakenAwayOnlyByWhoIsSure(t *testing.T) {
	h := openHouse(t)
	eva, token := h.member("eva")
	id, err := age.GenerateHybridIdentity()
	ok(t, err)
	own := id.Recipient().String()
	one, two := lock(1, sheet(t, id.String(), sheetCode)), lock(2, sheet(t, id.String(), sheetCode))
	replaced, named := lock(1, two.Sealed), one
	named.Label = "Sheet in the drawer"
	b := h.browse("eva")
	put := func(text, condition string) answer {
		name, value, _ := strings.Cut(condition, ": ")
		cookie := strings.TrimSuffix(strings.TrimPrefix(b.cookie(), "Cookie: "), "\r\n")
		return h.call("PUT", "/v1/me/sealed-identity", "", text, name, value, "Cookie", cookie, "Sec-Fetch-Site", "same-origin")
	}
	stored := func(a answer) {
		t.Helper()
		if a.status != http.StatusNoContent {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	stored(put(paper(own, one), "If-None-Match: *"))
	stored(put(paper(own, one, two), `If-Match: "1"`)) // one more needs no proof
	stored(put(paper(own, named, two), `If-Match: "2"`))
	for what, text := range map[string]string{"one goes": paper(own, one), "another takes its place": paper(own, replaced, two)} {
		if refused(t, put(text, `If-Match: "3"`), http.StatusForbidden, "step-up-needed"); len(h.locked(token).Locks) != 2 {
			t.Fatalf("%s all the same", what)
		}
	}
	b.loginAs(b.get("/confirm/start?class=key&return=/key"), "eva").is(http.StatusOK).says("My key")
	refused(t, put(paper(own, one), `If-Match: "2"`), http.StatusPreconditionFailed, "sealed-identity-changed") // which spends no proof
	stored(put(paper(own, one), `If-Match: "3"`))
	refused(t, put(paper(own, two), `If-Match: "4"`), http.StatusForbidden, "step-up-needed") // it was spent
	everyday, err := eva.CreateToken(t.Context(), client.TokenDraft{Label: "phone", Hours: 1, Scope: "everyday"})
	ok(t, err)
	refused(t, h.put(everyday.Secret, paper(own, two), `If-Match: "4"`), http.StatusForbidden, "token-scope")
	stored(h.put(everyday.Secret, paper(own, one, two), `If-Match: "4"`))
	stored(h.put(token, paper(own, two), `If-Match: "5"`))
}

// TestWhatIsNotSealedIsNotKept tries what is no sealed identity.
func TestWhatIsNotSealedIsNotKept(t *testing.T) {
	h := openHouse(t)
	_, token := h.member("eva")
	id, err := age.GenerateX25519Identity()
	ok(t, err)
	another, err := age.GenerateX25519Identity()
	ok(t, err)
	file, own := sheet(t, id.String(), sheetCode), id.Recipient().String()
	encode := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	raw, err := base64.StdEncoding.DecodeString(file)
	ok(t, err)
	named := lock(1, file)
	named.Label = strings.ToLower(id.String())
	passkey := lock(1, file)
	passkey.Kind, passkey.Credential = sealed.KindPasskey, "AGE-PLUGIN-FIDO2PRF-1QQQQ"
	withoutKey := passkey
	withoutKey.Credential = ""
	for name, bad := range map[string]struct{ text, code string }{
		"a secret key":       {paper(own, lock(1, encode(id.String()))), "sealed-identity-plain"},
		"in the label":       {paper(own, named), "sealed-identity-plain"},
		"no age file":        {paper(own, lock(1, encode("something else"))), "sealed-identity-form"},
		"no base64":          {paper(own, lock(1, "%%%%")), "sealed-identity-form"},
		"cut":                {paper(own, lock(1, encode(string(raw[:len(raw)/3])))), "sealed-identity-form"},
		"no payload":         {paper(own, lock(1, encode(string(raw[:bytes.Index(raw, []byte("\n---"))+48])))), "sealed-identity-form"},
		"too large":          {paper(own, lock(1, encode(string(raw)+strings.Repeat("x", 2<<10)))), "sealed-identity-form"},
		"another stanza":     {paper(own, passkey), "sealed-identity-form"},
		"no credential":      {paper(own, withoutKey), "sealed-identity-form"},
		"one id twice":       {paper(own, lock(1, file), lock(1, file)), "sealed-identity-form"},
		"no recipient of an": {paper("age1nobody", lock(1, file)), "sealed-identity-form"},
		"no lock":            {paper(own), "sealed-identity-form"},
		"a newer form":       {strings.Replace(paper(own, lock(1, file)), `"version":1`, `"version":2`, 1), "unprocessable-entity"},
		"a field more":       {strings.Replace(paper(own, lock(1, file)), `"version":1`, `"version":1,"secret":"x"`, 1), "unprocessable-entity"},
	} {
		a := h.put(token, bad.text, "If-None-Match: *")
		refused(t, a, http.StatusUnprocessableEntity, bad.code)
		if bytes.Contains(bytes.ToUpper(a.body), []byte("AGE-SECRET")) {
			t.Errorf("%s: the answer repeats it", name)
		}
	}
	if a := h.call("PUT", "/v1/me/recipient", token, `{"recipient":"`+own+`"}`); a.status != http.StatusNoContent {
		t.Fatalf("%d %s", a.status, a.body)
	}
	refused(t, h.put(token, paper(another.Recipient().String(), lock(1, file)), "If-None-Match: *"), http.StatusConflict, "sealed-identity-other-key")
	refused(t, h.call("GET", "/v1/me/sealed-identity", token, ""), http.StatusNotFound, "no-sealed-identity")
	if a := h.put(token, paper(own, lock(1, file)), "If-None-Match: *"); a.status != http.StatusNoContent {
		t.Errorf("%d %s", a.status, a.body)
	}
	if strings.Contains(strings.ToUpper(h.logs.String()), "AGE-SECRET") {
		t.Error("the log repeats a secret")
	}
}
