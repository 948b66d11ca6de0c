package web_test

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"filippo.io/age"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/web/client"
	"distributed.ai/datacoop/web/sealed"
	"distributed.ai/datacoop/web/stepup"
)

// TestAKeyThatCameMeanwhileIsNotReplaced: between what was asked about a key and
// the new one in its place there comes a third, which nobody has proved anything
// about. Without that, each is replaced.
func TestAKeyThatCameMeanwhileIsNotReplaced(t *testing.T) {
	h := openHouse(t)
	eva, _ := h.member("eva")
	me, err := eva.Me(t.Context())
	ok(t, err)
	recipient := func() string {
		id, err := age.GenerateX25519Identity()
		ok(t, err)
		return id.Recipient().String()
	}
	signer := func(c string) []byte { return []byte(strings.Repeat(c, 32)) }
	member, first, third, second := coop.MemberID(me.ID), recipient(), recipient(), recipient()
	ok(t, h.governance.SetRecipient(t.Context(), member, "", first))
	ok(t, h.governance.SetSigningKey(t.Context(), member, nil, signer("1")))
	meanwhile := func() error { return nil }
	api := sealed.API{DB: h.db, Governance: h.governance, Member: func(context.Context) coop.MemberID { return member },
		Sure: func(context.Context, stepup.Class) error { return meanwhile() }}
	puts := map[string]func() error{
		"recipient": func() error {
			_, err := api.PutRecipient(t.Context(), &sealed.Recipient{Body: client.RecipientBody{Recipient: second}})
			return err
		},
		"signer": func() error {
			_, err := api.PutSigner(t.Context(), &sealed.Signer{Body: client.SigningKeyBody{PublicKey: base64.StdEncoding.EncodeToString(signer("2"))}})
			return err
		},
	}
	others := map[string]func() error{
		"recipient": func() error { return h.governance.SetRecipient(t.Context(), member, first, third) },
		"signer":    func() error { return h.governance.SetSigningKey(t.Context(), member, signer("1"), signer("3")) },
	}
	for name, put := range puts {
		meanwhile = others[name]
		if err := put(); !errors.Is(err, sealed.ErrMeanwhile) {
			t.Errorf("%s: %v", name, err)
		}
	}
	keys := func(want string, sign []byte) {
		t.Helper()
		if m, err := h.governance.Member(t.Context(), member); err != nil || m.Recipient != want || string(m.SigningKey) != string(sign) {
			t.Errorf("%q, %q, %v", m.Recipient, m.SigningKey, err)
		}
	}
	keys(third, signer("3"))
	meanwhile = func() error { return nil }
	for _, put := range puts {
		ok(t, put())
	}
	keys(second, signer("2"))
}

// lines are what is logged.
type lines chan string

func (l lines) Write(line []byte) (int, error) {
	l <- string(line)
	return len(line), nil
}

// TestABrokenExportIsLoggedByItsRoute: a part that cannot be read breaks the
// archive off, and the log names the route and nothing else of the request.
func TestABrokenExportIsLoggedByItsRoute(t *testing.T) {
	h := openHouse(t)
	logged := make(lines, 100)
	h.web.Logger = slog.New(slog.NewTextHandler(logged, nil))
	_, token := h.member("eva")
	ok(t, h.db.Update(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec("ALTER TABLE marketplace_payout_accounts RENAME TO marketplace_lost")
		return err
	}))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.base+"/v1/me/export", nil)
	ok(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	if resp, err := http.DefaultClient.Do(req); err == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		if _ = resp.Body.Close(); err == nil {
			t.Error("the torso passes for the whole")
		}
	}
	for line := range logged {
		if !strings.Contains(line, "export broken off") {
			continue
		}
		if !strings.Contains(line, " method=GET route=/v1/me/export error=") {
			t.Error(line)
		}
		return
	}
}
