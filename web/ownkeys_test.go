package web_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"distributed.ai/datacoop/web/client"
	"distributed.ai/datacoop/web/sealed"
)

// asks calls the API with the browser's own session.
func (b *browser) asks(method, path, text string, headers ...string) answer {
	b.h.t.Helper()
	cookie := strings.TrimSuffix(strings.TrimPrefix(b.cookie(), "Cookie: "), "\r\n")
	return b.h.call(method, path, "", text, append(headers, "Cookie", cookie, "Sec-Fetch-Site", "same-origin")...)
}

func stored(t *testing.T, a answer) {
	t.Helper()
	if a.status != http.StatusNoContent {
		t.Fatalf("%d %s", a.status, a.body)
	}
}

// TestAnotherSigningKeyNeedsAProof: the first one may come from any browser of the
// member, and another in its place only from who has just shown that it is them.
func TestAnotherSigningKeyNeedsAProof(t *testing.T) {
	h := openHouse(t)
	eva, token := h.member("eva")
	b := h.browse("eva")
	signer := func(first byte) string {
		text, err := json.Marshal(client.SigningKeyBody{PublicKey: strings.Repeat(string(first), 42) + "A="})
		ok(t, err)
		return string(text)
	}
	const path = "/v1/me/signing-key"
	h.later(6 * time.Minute)
	stored(t, b.asks("PUT", path, signer('A')))
	stored(t, b.asks("PUT", path, signer('A'))) // which is no other one
	refused(t, b.asks("PUT", path, signer('B')), http.StatusForbidden, "step-up-needed")
	everyday, err := eva.CreateToken(t.Context(), client.TokenDraft{Label: "phone", Hours: 1, Scope: "everyday"})
	ok(t, err)
	stored(t, h.call("PUT", path, everyday.Secret, signer('A')))
	refused(t, h.call("PUT", path, everyday.Secret, signer('B')), http.StatusForbidden, "token-scope")
	b.loginAs(b.get("/confirm/start?class=revoke&return=/key"), "eva").is(http.StatusOK)
	refused(t, b.asks("PUT", path, signer('B')), http.StatusForbidden, "step-up-needed") // a proof for something else
	b.loginAs(b.get("/confirm/start?class=signer&return=/key"), "eva").is(http.StatusOK).says("My key")
	stored(t, b.asks("PUT", path, signer('B')))
	stored(t, h.call("PUT", path, token, signer('C')))
	h.eventually("three messages", func() bool {
		return strings.Count(b.get("/inbox").said(), "The key that your uploads are signed with was named or changed") == 3
	})
}

// TestWhatASheetOpensIsForWhoHasJustShownThatItIsThem: a device that has just
// signed in has; an open browser that was found has not, and loses nothing of it.
func TestWhatASheetOpensIsForWhoHasJustShownThatItIsThem(t *testing.T) {
	h := openHouse(t)
	eva, token := h.member("eva")
	id, err := age.GenerateHybridIdentity()
	ok(t, err)
	own, one, two := id.Recipient().String(), lock(1, sheet(t, id.String(), sheetCode)), lock(2, sheet(t, id.String(), sheetCode))
	stored(t, h.put(token, paper(own, one), "If-None-Match: *"))
	const path = "/v1/me/sealed-identity"
	read := func(a answer) (doc sealed.Document) {
		t.Helper()
		ok(t, json.Unmarshal(a.body, &doc))
		return doc
	}
	b := h.browse("eva")
	if doc := read(b.asks("GET", path, "")); doc.Locks[0].Sealed != one.Sealed {
		t.Error("a device that has just signed in cannot open the key")
	}
	h.later(6 * time.Minute)
	doc := read(b.asks("GET", path, ""))
	if len(doc.Locks) != 1 || doc.Locks[0].ID != one.ID || doc.Locks[0].Sealed != "" || doc.Recipient != own {
		t.Fatalf("an old session gets %+v", doc)
	}
	everyday, err := eva.CreateToken(t.Context(), client.TokenDraft{Label: "phone", Hours: 1, Scope: "everyday"})
	ok(t, err)
	if read(h.call("GET", path, everyday.Secret, "")).Locks[0].Sealed != "" {
		t.Error("a token for everyday things gets it")
	}
	for who, files := range map[string]map[string]string{"an everyday token": h.takeaway(everyday.Secret), "one that acts": h.takeaway(token)} {
		if _, there := files["key/sheet-0000000000000001.age"]; there != (who == "one that acts") || strings.Contains(files["sealed-identity.json"], one.Sealed) != there {
			t.Errorf("%s: the export has the sheet's file: %v", who, there)
		}
		if strings.Contains(files["READ ME.txt"], "Not in this archive is what your recovery sheet opens.") != (who == "an everyday token") {
			t.Errorf("%s: the archive says of the sheet's file\n%s", who, files["READ ME.txt"])
		}
	}

	// What was left out is not lost by sending back what was read.
	stored(t, b.asks("PUT", path, paper(own, doc.Locks[0], two), "If-Match", `"1"`))
	if kept := h.locked(token); len(kept.Locks) != 2 || kept.Locks[0].Sealed != one.Sealed {
		t.Errorf("%+v", kept)
	}
	unknown := lock(3, "")
	refused(t, b.asks("PUT", path, paper(own, doc.Locks[0], two, unknown), "If-Match", `"2"`), http.StatusUnprocessableEntity, "sealed-identity-form")
	refused(t, b.asks("PUT", path, paper(own, doc.Locks[0], lock(2, "")), "If-Match", `"1"`), http.StatusPreconditionFailed, "sealed-identity-changed") // what was left out is of another revision
	stored(t, b.asks("PUT", path, paper(own, doc.Locks[0], lock(2, "")), "If-Match", `"2"`))

	b.loginAs(b.get("/confirm/start?class=open&return=/key"), "eva").is(http.StatusOK)
	for range 2 { // it is good for some minutes
		if doc := read(b.asks("GET", path, "")); doc.Locks[0].Sealed != one.Sealed || doc.Locks[1].Sealed != two.Sealed {
			t.Error("who has shown that it is them does not get it")
		}
	}
	refused(t, b.asks("PUT", path, paper(own, one), "If-Match", `"3"`), http.StatusForbidden, "step-up-needed") // which is grave
	b.loginAs(b.get("/confirm/start?class=key&return=/key"), "eva").is(http.StatusOK)
	stored(t, b.asks("PUT", path, paper(own, one), "If-Match", `"3"`))
	h.eventually("the message", func() bool {
		return strings.Contains(b.get("/inbox").said(), "A way to your key was taken away or replaced")
	})
	if strings.Count(b.get("/inbox").said(), "A way to your key was taken away") != 1 {
		t.Error("adding a lock is told as losing one")
	}
}
