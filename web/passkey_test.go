package web_test

import (
	"context"
	"encoding/json"
	"os"
	"testing"
	"time"

	"distributed.ai/datacoop/web/client"
)

// programOf makes a token in a browser's session and answers a client with it.
func (h *house) programOf(cookie string) *client.Client {
	h.t.Helper()
	a := h.call("POST", "/v1/me/tokens", "", `{"label":"mine","hours":1}`, "Cookie", cookie, "Sec-Fetch-Site", "same-origin")
	var made client.Token
	if err := json.Unmarshal(a.body, &made); err != nil || made.Secret == "" {
		h.t.Fatalf("%d %s", a.status, a.body)
	}
	c, err := client.New(h.base, client.WithToken(made.Secret))
	ok(h.t, err)
	return c
}

// TestAMemberProvesThemselvesWithThePasskeyInTheBrowser: long after the sign-in,
// nothing is revoked and no vote is cast before the passkey was used and "Go on"
// was pressed; who thinks better of it, or is not known by the device, has lost
// nothing.
func TestAMemberProvesThemselvesWithThePasskeyInTheBrowser(t *testing.T) {
	chromium(t)
	h := openHouse(t, builtIn)
	ctx := context.Background()
	var nia *client.Client
	var data, vote string
	there := func(want bool) func(seen) {
		return func(seen) {
			d, err := first(nia.Datasets(ctx))
			if ok(t, err); d.ID != data || (d.State == "available") != want {
				t.Errorf("the dataset is %s", d.State)
			}
		}
	}
	cast := func(want string) func(seen) {
		return func(seen) {
			p, err := nia.Proposal(ctx, vote)
			if ok(t, err); p.Mine != want {
				t.Errorf("the ballot is %q, not %q", p.Mine, want)
			}
		}
	}
	last := h.play("proof", told{"link": h.browse("ada").invite(), "name": "Nia Newcomer", "shots": os.Getenv("DATACOOP_SHOTS")}, map[string]func(seen){
		"joined": func(at seen) {
			nia = h.programOf(at.Cookie)
			data = h.share(nia, 1).ID
			ada, _ := h.member("ada")
			p, err := ada.Propose(ctx, client.ProposalDraft{Title: "Universities only", Text: "Others may wait.", Policy: narrow()})
			ok(t, err)
			vote = p.ID
			h.opened(vote)
			h.later(6 * time.Minute)
		},
		"left": there(true), "proven": there(true), "revoked": there(false), "unvoted": cast(""),
	})
	cast("cast")(last)
	last.says(t, map[string]string{"led": "show once more that it is you. Nothing has been changed yet.", "refused": "Nothing was changed; please try again.",
		"waits": "You are about to revoke a dataset.", "left": "Hello, Nia Newcomer", "still": "Shared as you allow", "proven": "Finish what you began",
		"revoked": "Receipt of the revocation", "again": "show once more that it is you", "vote": "You are about to cast your vote.", "voted": "Your vote is cast"})
	h.clock.Advance(168 * time.Hour)
	h.eventually("the end of the vote", func() bool {
		p, err := nia.Proposal(ctx, vote)
		ok(t, err)
		return p.State != "voting"
	})
	if r, err := nia.Result(ctx, vote); err != nil || r.No != 1 || r.Yes+r.Abstain != 0 {
		t.Errorf("another choice was counted than was made: %+v %v", r, err)
	}
}
