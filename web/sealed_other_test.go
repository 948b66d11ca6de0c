package web_test

import (
	"net/http"
	"strings"
	"testing"

	"filippo.io/age"
)

// TestAnotherKeyUnderTheSameLocksNeedsAProof: what the locks hold cannot be seen
// from outside, so a document for another key takes the old one away even where
// it names the very same locks.
func TestAnotherKeyUnderTheSameLocksNeedsAProof(t *testing.T) {
	h := openHouse(t)
	_, token := h.member("eva")
	first, err := age.GenerateHybridIdentity()
	ok(t, err)
	second, err := age.GenerateHybridIdentity()
	ok(t, err)
	one := lock(1, sheet(t, first.String(), sheetCode))
	own, other := first.Recipient().String(), second.Recipient().String()
	b := h.browse("eva")
	put := func(text, condition string) answer {
		name, value, _ := strings.Cut(condition, ": ")
		cookie := strings.TrimSuffix(strings.TrimPrefix(b.cookie(), "Cookie: "), "\r\n")
		return h.call("PUT", "/v1/me/sealed-identity", "", text, name, value, "Cookie", cookie, "Sec-Fetch-Site", "same-origin")
	}
	if a := put(paper(own, one), "If-None-Match: *"); a.status != http.StatusNoContent {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := h.call("PUT", "/v1/me/recipient", token, `{"recipient":"`+other+`"}`); a.status != http.StatusNoContent { // the account has another key by now
		t.Fatalf("%d %s", a.status, a.body)
	}
	refused(t, put(paper(other, one), `If-Match: "1"`), http.StatusForbidden, "step-up-needed")
	if doc := h.locked(token); doc.Recipient != own || len(doc.Locks) != 1 {
		t.Fatalf("the sealed key is %s now", doc.Recipient)
	}
	b.loginAs(b.get("/confirm/start?class=key&return=/key"), "eva").is(http.StatusOK)
	if a := put(paper(other, one), `If-Match: "1"`); a.status != http.StatusNoContent || h.locked(token).Recipient != other {
		t.Fatalf("%d %s", a.status, a.body)
	}
}
