package web_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/policies"
	"distributed.ai/datacoop/web/client"
)

// told is what a journey in the browser is told; seen what came of it so far.
type told map[string]any

type seen struct {
	Step       string   `json:"step"`
	Clicks     int      `json:"clicks"`
	Complaints []string `json:"complaints"`
	Failed     string   `json:"failed"`
	Recovery   string   `json:"recovery"`
	Passkeys   int      `json:"passkeys"`
	Cookie     string   `json:"cookie"`
	Hello      string   `json:"hello"`
	Sheet      string   `json:"sheet"`
	Dataset    string   `json:"dataset"`
	Receipt    string   `json:"receipt"`
	Uses       string   `json:"uses"`
	Said       string   `json:"said"`
	Gate       string   `json:"gate"`
	Proposal   string   `json:"proposal"`
	Law        string   `json:"law"`
	Pages      []string `json:"pages"`

	Told map[string]any `json:"told"` // by the journeys of keys.mjs
}

// chromium finds what drives a browser. A test is skipped for want of it, and
// fails where the browser is required.
func chromium(t *testing.T) (node, browser string) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a browser")
	}
	lacks := t.Skipf
	if os.Getenv("DATACOOP_BROWSER") != "" {
		lacks = t.Fatalf
	}
	node, err := exec.LookPath("node")
	if err != nil {
		lacks("node is missing: apt-get install nodejs")
	}
	if _, err := os.Stat("islands/node_modules/playwright-core"); err != nil {
		lacks("playwright-core is missing: npm ci in web/islands")
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if browser, err = exec.LookPath(name); err == nil {
			return node, browser
		}
	}
	lacks("chromium is missing: apt-get install chromium")
	return "", ""
}

// play plays a journey and does at each of its stops what is said there.
func (h *house) play(journey string, o told, stops map[string]func(seen)) seen {
	h.t.Helper()
	node, browser := chromium(h.t)
	o["journey"], o["base"], o["chromium"], o["password"] = journey, h.base, browser, password
	order, err := json.Marshal(o)
	ok(h.t, err)
	ctx, stop := context.WithTimeout(context.Background(), 5*time.Minute)
	defer stop()
	run := exec.CommandContext(ctx, node, "islands/browser/house.mjs")
	run.Stderr, run.WaitDelay = h.t.Output(), 5*time.Second
	in, err := run.StdinPipe()
	ok(h.t, err)
	out, err := run.StdoutPipe()
	ok(h.t, err)
	ok(h.t, run.Start())
	h.t.Cleanup(func() { _ = in.Close(); _ = run.Wait() })
	fmt.Fprintf(in, "%s\n", order)
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var s seen
		ok(h.t, json.Unmarshal(lines.Bytes(), &s))
		if s.Failed != "" {
			h.t.Fatal(s.Failed)
		}
		if s.Step == "done" {
			for _, c := range s.Complaints {
				h.t.Errorf("the browser complains: %s", c)
			}
			ok(h.t, run.Wait())
			return s
		}
		stops[s.Step](s)
		fmt.Fprintln(in, "go on")
	}
	h.t.Fatalf("%s ended early: %v", journey, lines.Err())
	return seen{}
}

// holds checks that a text says everything that it should.
func holds(t *testing.T, text string, sentences ...string) {
	t.Helper()
	for _, s := range sentences {
		if !strings.Contains(strings.Join(strings.Fields(text), " "), s) {
			t.Errorf("it does not say %q:\n%s", s, text)
		}
	}
}

// study is a researcher at work.
type study struct {
	h    *house
	api  *client.Client
	key  client.Identity
	asks client.RequestDraft
}

func (h *house) study(days int64) *study {
	h.t.Helper()
	api, recipient, key := h.researcher()
	return &study{h, api, key, client.RequestDraft{Pool: "wearables", Title: "How do people move?", DUO: "DUO:0000042",
		DPV: "AcademicResearch", RetentionDays: days, Recipient: recipient.ID}}
}

func (s *study) ask() client.AccessRequest {
	s.h.t.Helper()
	req, err := s.api.SubmitRequest(context.Background(), s.asks)
	ok(s.h.t, err)
	return req
}

// pay accepts the price and has the treasurer import the bank's statement.
func (s *study) pay(request string) {
	s.h.t.Helper()
	ctx := context.Background()
	inv, err := s.api.Accept(ctx, request)
	ok(s.h.t, err)
	s.h.paid(inv)
}

// paid has the treasurer import the payment of an invoice.
func (h *house) paid(inv client.Invoice) {
	h.t.Helper()
	ctx := context.Background()
	bea, _ := h.member("bea")
	got, err := bea.ImportBankStatement(ctx, fmt.Appendf(nil, `<Document><BkToCstmrStmt><Stmt><Id>%[1]s</Id><Ntry><Amt Ccy="%[2]s">%[3]d.%02[4]d</Amt>
<CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><AcctSvcrRef>e1</AcctSvcrRef><NtryDtls><TxDtls><RmtInf><Ustrd>%[1]s</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry></Stmt></BkToCstmrStmt></Document>`,
		inv.Reference, inv.Currency, inv.Total/100, inv.Total%100))
	ok(h.t, err)
	if got.Matched != 1 {
		h.t.Fatalf("%d payments matched", got.Matched)
	}
}

// fetch gets everything anew.
func (s *study) fetch(request string, files, refused int) client.FetchManifest {
	s.h.t.Helper()
	m, err := s.api.Fetch(context.Background(), client.FetchOptions{Request: request, Out: s.h.t.TempDir(), Identities: []client.Identity{s.key}})
	ok(s.h.t, err)
	if len(m.Files) != files || len(m.Refused) != refused {
		s.h.t.Fatalf("%d files came and %d were refused, want %d and %d: %+v", len(m.Files), len(m.Refused), files, refused, m.Refused)
	}
	return m
}

// TestFromInvitationToRevocationInTheBrowser: somebody who has nothing but an
// invitation and a telephone joins, shares, sees who used it, and ends it.
func TestFromInvitationToRevocationInTheBrowser(t *testing.T) {
	chromium(t)
	file := testkit.Fixture(t, "02-fitbit-cohort/dailyActivity_merged.csv")
	h := openHouse(t, builtIn)
	for seed, who := range []string{"ada", "cem"} {
		c, _ := h.member(who)
		h.share(c, uint64(seed+1))
	}
	s := h.study(30)
	var request string
	o := told{"link": h.browse("ada").invite(), "name": "Nia Newcomer", "files": []string{file}}
	last := h.play("member", o, map[string]func(seen){
		"shared": func(at seen) {
			joined(t, at)
			req := s.ask()
			if request = req.ID; req.Granted != 3 {
				t.Fatalf("%d granted, %d refused: %+v", req.Granted, req.Refused, req.Reasons)
			}
			s.pay(request)
			s.fetch(request, 3, 0)
		},
		"withdrawn": func(at seen) {
			if at.Clicks > 3 {
				t.Errorf("%d clicks from the home page to the end of every use", at.Clicks)
			}
			holds(t, at.Uses, "Fetched", "Example University (university, DE) fetched your Wearables data for: How do people move?")
			holds(t, at.Said, "You withdrew")
			holds(t, s.fetch(request, 2, 1).Refused[0].Reason, "The member has withdrawn their consent.")
		},
		"revoked": func(at seen) {
			t.Logf("%d clicks from the home page until it is destroyed", at.Clicks)
			if at.Clicks > 3 {
				t.Error("that is too many")
			}
			holds(t, at.Said, "Receipt of the revocation", "What was done")
			holds(t, s.fetch(request, 2, 1).Refused[0].Reason, "The member has taken this dataset back")
		},
	})
	holds(t, last.Uses, "Refused", "Example University (university, DE) wanted to fetch")
	if last.says(t, map[string]string{"back": "Receipt of the revocation", "paused": "From now on nobody gets any of your data."}); last.Clicks > 2 {
		t.Errorf("%d clicks until everything is paused", last.Clicks)
	}
	for _, secret := range []string{last.Recovery, "Nia", "AGE-SECRET-KEY"} {
		if strings.Contains(h.logs.String(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}

// joined checks what the newcomer has once their data are in.
func joined(t *testing.T, at seen) {
	t.Helper()
	if !regexp.MustCompile(`^[A-Z2-7]{4}(-[A-Z2-7]{4}){5}$`).MatchString(at.Recovery) || at.Passkeys != 1 {
		t.Errorf("recovery code %q, %d passkeys", at.Recovery, at.Passkeys)
	}
	if at.Hello != "Hello, Nia Newcomer" || !regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{5}(-[0-9A-HJKMNP-TV-Z]{5}){6}$`).MatchString(at.Sheet) {
		t.Errorf("%q; the sheet has %d characters", at.Hello, len(at.Sheet))
	}
	if !strings.Contains(at.Receipt, at.Dataset) || !strings.Contains(at.Receipt, "https://w3id.org/dpv") {
		t.Errorf("the consent receipt is %s", at.Receipt)
	}
	if at.Clicks > 9 {
		t.Errorf("%d clicks from the invitation to the receipt", at.Clicks)
	}
}

const shorter = `
# METADATA
# title: Three months at most
# description: Copies are deleted after ninety days.
forbid contains {
	"code": "coop-kept-too-long",
	"sentence": "The co-op does not let copies be kept for more than ninety days.",
} if {
	input.request.retention_days > 90
}
`

// TestFromProposalToRefusalInTheBrowser: what members propose and vote for in
// the browser decides the next request.
func TestFromProposalToRefusalInTheBrowser(t *testing.T) {
	chromium(t)
	h := openHouse(t)
	ctx := context.Background()
	for seed, who := range []string{"eva", "finn", "guel"} {
		c, _ := h.member(who)
		h.share(c, uint64(seed+1))
	}
	s := h.study(200)
	if req := s.ask(); req.Granted != 3 {
		t.Fatalf("%d granted: %+v", req.Granted, req.Reasons)
	}
	base, err := s.api.Policy(ctx)
	ok(t, err)
	last := h.play("law", told{"title": "Delete copies after three months", "policy": string(policies.Default()) + shorter}, map[string]func(seen){
		"voted": func(at seen) {
			holds(t, at.Gate, "This rule can be proposed", "not let copies be kept for more than ninety days")
			ada, _ := h.member("ada")
			guel, _ := h.member("guel")
			for _, c := range []*client.Client{ada, guel} {
				_, err := c.Cast(ctx, at.Proposal, "yes")
				ok(t, err)
			}
			h.enacted(guel, at.Proposal)
		},
	})
	holds(t, last.Said, "Yes 3", "No 1")
	holds(t, last.Law, "not let copies be kept for more than ninety days")
	law, err := s.api.Policy(ctx)
	ok(t, err)
	if law.Revision == base.Revision {
		t.Errorf("revision %s is still in force", law.Revision)
	}
	holds(t, last.Said, law.Revision)
	holds(t, last.Law, law.Revision)
	req := s.ask()
	if req.Granted != 0 || req.State != "closed" || len(req.Reasons) != 1 || req.Reasons[0].Code != "coop-kept-too-long" {
		t.Errorf("%d granted, %s: %+v", req.Granted, req.State, req.Reasons)
	}
	s.asks.RetentionDays = 90
	if req := s.ask(); req.Granted != 3 {
		t.Errorf("ninety days: %d granted: %+v", req.Granted, req.Reasons)
	}
}

// opened waits until a proposal has been rehearsed.
func (h *house) opened(proposal string) {
	h.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		p, err := h.governance.Proposal(context.Background(), coop.ProposalID(proposal))
		ok(h.t, err)
		if p.State != governance.Rehearsing {
			return
		}
		if time.Now().After(deadline) {
			h.t.Fatal("the proposal is still being rehearsed")
		}
	}
}

// enacted moves the clock past the end of the vote and of the timelock.
func (h *house) enacted(c *client.Client, proposal string) {
	h.t.Helper()
	for _, wait := range []struct {
		past time.Duration
		want string
	}{{168 * time.Hour, "passed"}, {72 * time.Hour, "enacted"}} {
		h.clock.Advance(wait.past)
		deadline := time.Now().Add(20 * time.Second)
		for {
			p, err := c.Proposal(context.Background(), proposal)
			ok(h.t, err)
			if p.State == wait.want {
				break
			}
			if time.Now().After(deadline) {
				h.t.Fatalf("the proposal is %s, not %s", p.State, wait.want)
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
}
