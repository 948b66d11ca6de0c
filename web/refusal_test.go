package web_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"distributed.ai/datacoop/web/client"
)

const unknownID = "01900000-0000-7000-8000-000000000000"

// refused checks status and code of a refusal.
func refused(t *testing.T, a answer, status int, code string) {
	t.Helper()
	p := a.problem(t)
	if a.status != status || p.Type != "urn:datacoop:problem:"+code {
		t.Fatalf("%d %s (%s), want %d %s", a.status, p.Type, p.Title, status, code)
	}
}

func TestStrangersAreRefusedBeforeTheirInputIsRead(t *testing.T) {
	h := openHouse(t)
	for _, route := range []string{"GET /v1/me", "POST /v1/datasets", "GET /v1/me/uses", "POST /v1/requests", "GET /v1/files/" + unknownID,
		"POST /v1/proposals", "POST /v1/researchers", "POST /v1/periods/P0001/close", "PATCH /v1/uploads/" + unknownID} {
		method, path, _ := strings.Cut(route, " ")
		refused(t, h.call(method, path, "", "{not json"), http.StatusUnauthorized, "sign-in-needed")
	}
}

func TestAForgedExpiredOrRevokedTokenIsRefused(t *testing.T) {
	h := openHouse(t)
	c, token := h.member("eva")
	for _, bad := range []string{"dcm_nonsense", "datacoop_nonsense", "x", token + "x"} {
		refused(t, h.call("GET", "/v1/me", bad, ""), http.StatusUnauthorized, "token-invalid")
	}
	refused(t, h.call("GET", "/v1/pools", "dcm_nonsense", ""), http.StatusUnauthorized, "token-invalid")
	for tok, err := range c.Tokens(context.Background()) {
		ok(t, err)
		ok(t, c.RevokeToken(context.Background(), tok.ID))
	}
	refused(t, h.call("GET", "/v1/me", token, ""), http.StatusUnauthorized, "token-invalid")
}

func TestMalformedInputIsRefusedWithoutEcho(t *testing.T) {
	h := openHouse(t)
	_, token := h.member("eva")
	const secret = "my-secret-value"
	for name, body := range map[string]string{
		"not JSON": "{" + secret, "unknown field": `{"pool":"wearables","` + secret + `":1}`,
		"wrong type": `{"pool":{"x":"` + secret + `"}}`, "nothing": "",
	} {
		a := h.call("POST", "/v1/datasets", token, body, "Content-Type", "application/json")
		a.problem(t)
		if a.status != http.StatusBadRequest && a.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: status %d", name, a.status)
		}
		if bytes.Contains(a.body, []byte(secret)) {
			t.Errorf("%s: the answer echoes what was sent: %s", name, a.body)
		}
	}
	refused(t, h.call("POST", "/v1/datasets", token, `{"pool":"nowhere"}`), http.StatusUnprocessableEntity, "unknown-pool")
	refused(t, h.call("GET", "/v1/nowhere", token, ""), http.StatusNotFound, "not-found")
	refused(t, h.call("PUT", "/v1/pools", token, ""), http.StatusMethodNotAllowed, "method-not-allowed")
}

func TestAnOversizedBodyIsRefused(t *testing.T) {
	h := openHouse(t)
	_, token := h.member("eva")
	huge := `{"pool":"` + strings.Repeat("x", 13<<20) + `"}`
	for _, headers := range [][]string{nil, {"Idempotency-Key", "0123456789"}} {
		a := h.call("POST", "/v1/datasets", token, huge, headers...)
		if a.problem(t); a.status != http.StatusRequestEntityTooLarge {
			t.Fatalf("status %d", a.status)
		}
	}
}

func TestAnotherMembersThingsAreNotFound(t *testing.T) {
	h := openHouse(t)
	eva, _ := h.member("eva")
	dataset := h.share(eva, 1)
	_, finn := h.member("finn")
	for _, route := range []string{"GET /v1/datasets/%s/content", "DELETE /v1/datasets/%s", "GET /v1/me/consents/datasets/%s"} {
		method, path, _ := strings.Cut(fmt.Sprintf(route, dataset.ID), " ")
		refused(t, h.call(method, path, finn, ""), http.StatusNotFound, "dataset-not-found")
	}
	metadata := "dataset " + base64.StdEncoding.EncodeToString([]byte(dataset.ID))
	refused(t, h.call("POST", "/v1/uploads", finn, "", "Tus-Resumable", "1.0.0", "Upload-Length", "1000", "Upload-Metadata", metadata),
		http.StatusNotFound, "dataset-not-found")
	refused(t, h.call("DELETE", "/v1/datasets/"+unknownID, finn, ""), http.StatusNotFound, "dataset-not-found")
	if _, err := eva.Content(context.Background(), dataset.ID); err != nil {
		t.Fatalf("the owner's dataset has changed: %v", err)
	}
}

// upload sends bytes for a fresh dataset and answers what the last call said.
func (h *house) upload(c *client.Client, token string, content []byte) answer {
	h.t.Helper()
	d, err := c.OpenDataset(context.Background(), "wearables")
	ok(h.t, err)
	metadata := "dataset " + base64.StdEncoding.EncodeToString([]byte(d.ID))
	a := h.call("POST", "/v1/uploads", token, "", "Tus-Resumable", "1.0.0", "Upload-Length", fmt.Sprint(len(content)), "Upload-Metadata", metadata)
	if a.status != http.StatusCreated {
		return a
	}
	return h.call("PATCH", a.header.Get("Location"), token, string(content),
		"Tus-Resumable", "1.0.0", "Upload-Offset", "0", "Content-Type", "application/offset+octet-stream")
}

func TestWhatIsNotAnAgeFileIsRefused(t *testing.T) {
	h := openHouse(t)
	eva, token := h.member("eva")
	plain := bytes.Repeat([]byte("person,date,steps\n"), 100)
	a := h.upload(eva, token, plain)
	a.problem(t)
	if a.status < 400 || a.status >= 500 {
		t.Fatalf("plaintext: status %d", a.status)
	}
	cut := append([]byte("age-encryption.org/v1\n-> X25519 abc\n"), make([]byte, 400)...)
	a = h.upload(eva, token, cut)
	a.problem(t)
	if a.status < 400 || a.status >= 500 {
		t.Fatalf("broken header: status %d", a.status)
	}
	refused(t, h.upload(eva, token, make([]byte, maxBytes+1)), http.StatusRequestEntityTooLarge, "dataset-too-large")
	for d, err := range eva.Datasets(context.Background()) {
		ok(t, err)
		if d.State == "available" {
			t.Fatal("something was sealed")
		}
	}
}

func TestAReusedIdempotencyKeyGetsTheSameAnswerOrARefusal(t *testing.T) {
	h := openHouse(t)
	_, token := h.member("eva")
	key := []string{"Idempotency-Key", "the-same-key"}
	first := h.call("POST", "/v1/datasets", token, `{"pool":"wearables"}`, key...)
	again := h.call("POST", "/v1/datasets", token, `{"pool":"wearables"}`, key...)
	if first.status != http.StatusCreated || again.status != http.StatusCreated || !bytes.Equal(first.body, again.body) {
		t.Fatalf("%d %s\n%d %s", first.status, first.body, again.status, again.body)
	}
	refused(t, h.call("POST", "/v1/datasets", token, `{"pool":"energy"}`, key...), http.StatusUnprocessableEntity, "idempotency-key-reused")
	refused(t, h.call("POST", "/v1/datasets", token, `{"pool":"energy"}`, "Idempotency-Key", "short"), http.StatusUnprocessableEntity, "idempotency-key-bad")
}

func TestMembersCannotActAsResearchersNorStewards(t *testing.T) {
	h := openHouse(t)
	_, eva := h.member("eva")
	refused(t, h.call("GET", "/v1/requests", eva, ""), http.StatusForbidden, "researchers-only")
	refused(t, h.call("POST", "/v1/researchers", eva, `{"name":"X","kind":"company","region":"DE"}`), http.StatusForbidden, "office-needed")
	refused(t, h.call("POST", "/v1/periods/P0001/close", eva, ""), http.StatusForbidden, "office-needed")
	refused(t, h.call("POST", "/v1/bank-statements", eva, "<x/>", "Content-Type", "application/xml"), http.StatusForbidden, "office-needed")
}

func TestNegativeMoneyAndForeignStatementsAreRefused(t *testing.T) {
	h := openHouse(t)
	_, bea := h.member("bea")
	const camt = `<Document><BkToCstmrStmt><Stmt><Id>s</Id><Ntry><Amt Ccy="%s">%s</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts></Ntry></Stmt></BkToCstmrStmt></Document>`
	for body, code := range map[string]string{
		fmt.Sprintf(camt, "EUR", "-5.00"): "bad-amount",
		fmt.Sprintf(camt, "USD", "5.00"):  "bad-bank-statement", fmt.Sprintf(camt, "EUR", "5.001"): "bad-bank-statement",
		fmt.Sprintf(camt, "EUR", "1e9"): "bad-bank-statement", "<html/>": "bad-bank-statement",
	} {
		refused(t, h.call("POST", "/v1/bank-statements", bea, body, "Content-Type", "application/xml"), http.StatusUnprocessableEntity, code)
	}
}

func TestCrossSitePostsAreRefused(t *testing.T) {
	h := openHouse(t)
	a := h.call("POST", "/logout", "", "", "Sec-Fetch-Site", "cross-site")
	if a.status != http.StatusForbidden {
		t.Fatalf("status %d", a.status)
	}
}

func TestLogsHoldNoTokensAndNoNames(t *testing.T) {
	h := openHouse(t)
	eva, token := h.member("eva")
	h.share(eva, 3)
	h.call("GET", "/v1/datasets/"+unknownID+"/content", token, "")
	for _, secret := range []string{token, password, "Eva"} {
		if strings.Contains(h.logs.String(), secret) {
			t.Fatalf("the log holds a secret or a name:\n%s", h.logs)
		}
	}
}

func TestEveryOperationIsDocumented(t *testing.T) {
	h := openHouse(t)
	a := h.call("GET", "/openapi.yaml", "", "")
	if a.status != http.StatusOK || !bytes.HasPrefix(a.body, []byte("components:")) && !bytes.Contains(a.body, []byte("openapi: 3.1")) {
		t.Fatalf("status %d: %.200s", a.status, a.body)
	}
	for _, path := range []string{"/v1/me:", "/v1/uploads/{id}:", "/v1/requests/check:", "/v1/proposals/{id}/ballots:", "/v1/periods/{id}/payout.xml:"} {
		if !bytes.Contains(a.body, []byte(path)) {
			t.Errorf("%s is not documented", path)
		}
	}
}
