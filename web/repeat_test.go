package web_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"net/http"
	"testing"

	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/web/client"
)

// The log has an order and so has the memory of repeated calls. Names or
// guessable bodies in it would tell whose ballot stands where in the log.
func TestTheMemoryOfRepeatedCallsNamesNobodyAndNoChoice(t *testing.T) {
	h := openHouse(t)
	eva, token := h.member("eva")
	me, err := eva.Me(context.Background())
	ok(t, err)
	p, err := eva.Propose(context.Background(), client.ProposalDraft{Title: "Universities only", Text: "Others may wait.", Policy: narrow()})
	ok(t, err)
	h.opened(p.ID)
	path := "/v1/proposals/" + p.ID + "/ballots"
	const ballot = `{"choice":"yes"}`
	if a := h.call("POST", path, token, ballot, "Idempotency-Key", "my-only-ballot"); a.status != http.StatusCreated {
		t.Fatalf("%d %s", a.status, a.body)
	}
	known := map[string]bool{}
	for _, text := range []string{path + "\x00" + ballot, ballot, string(me.ID), string(me.ID) + "/", "caller\x00" + string(me.ID) + "/"} {
		sum := sha256.Sum256([]byte(text))
		known[text], known[hex.EncodeToString(sum[:])] = true, true
	}
	rows := h.remembered("my-only-ballot")
	if len(rows) != 1 || known[rows[0].caller] || known[rows[0].body] {
		t.Fatalf("%d rows; caller or body can be guessed from the database alone", len(rows))
	}
}

// An answer may name its caller. It must not lead to the caller's ballot.
func TestTwoCallsOfOneMemberHaveNothingInCommon(t *testing.T) {
	h := openHouse(t)
	_, token := h.member("eva")
	var callers []string
	for _, key := range []string{"the-first-key", "the-second-key"} {
		if a := h.call("POST", "/v1/datasets", token, `{"pool":"wearables"}`, "Idempotency-Key", key); a.status != http.StatusCreated {
			t.Fatalf("%d %s", a.status, a.body)
		}
		callers = append(callers, h.remembered(key)[0].caller)
	}
	if callers[0] == callers[1] {
		t.Fatal("both lie under the same caller")
	}
}

type repeated struct{ caller, body string }

func (h *house) remembered(key string) (out []repeated) {
	h.t.Helper()
	ok(h.t, h.db.View(context.Background(), func(tx *db.Tx) (err error) {
		out, err = db.Collect(tx, func(r *sql.Rows) (repeated, error) {
			var one repeated
			var body []byte
			err := r.Scan(&one.caller, &body)
			one.body = hex.EncodeToString(body)
			return one, err
		}, `SELECT caller, body FROM once_answers WHERE key = ?`, key)
		return err
	}))
	return out
}
