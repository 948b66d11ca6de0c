package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"distributed.ai/datacoop/internal/demo"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/web/client"
)

// TestServeScripts drives the built binary through a co-op's day: serve,
// upload, request, fetch, revoke.
func TestServeScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/serve",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			port, err := freePort()
			if err != nil {
				return err
			}
			second, err := freePort()
			env.Setenv("PORT", port)
			env.Setenv("METRICS", second)
			env.Setenv("DATACOOP_METRICS", "none")
			env.Setenv("DATACOOP_SERVER", "http://localhost:"+port)
			env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, "cache"))
			fixtures, _ := testkit.Fixtures()
			env.Setenv("FIXTURES", fixtures)
			return err
		},
		Condition: func(word string) (bool, error) {
			_, ok := testkit.Fixtures()
			return ok && word == "fixtures", nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"up": up, "signin": signin, "vet": vet, "request": request, "pay": pay, "get": get, "revoke": revoke,
			"nosecrets": nosecrets, "synthesise": synthesise, "firstword": firstWord, "figures": figures,
		},
	})
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

func base(ts *testscript.TestScript) string { return ts.Getenv("DATACOOP_SERVER") }

// up waits until the server answers.
func up(ts *testscript.TestScript, _ bool, _ []string) {
	for range 300 {
		if resp, err := http.Get(base(ts) + "/readyz"); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	ts.Fatalf("the server never came up")
}

// firstWord NAME keeps the first word of the last command's output in NAME.
func firstWord(ts *testscript.TestScript, _ bool, args []string) {
	word, _, _ := strings.Cut(ts.ReadFile("stdout"), " ")
	ts.Setenv(args[0], word)
}

// signin SUBJECT signs in with the password of accounts.toml and keeps the
// token in SUBJECT_TOKEN and DATACOOP_TOKEN.
func signin(ts *testscript.TestScript, _ bool, args []string) {
	token, err := demo.SignIn(context.Background(), base(ts), demo.Account{Subject: args[0], Password: "correct-horse-battery"})
	ts.Check(err)
	ts.Setenv("DATACOOP_TOKEN", token)
	ts.Setenv(args[0]+"_TOKEN", token)
}

func as(ts *testscript.TestScript, subject string) *client.Client {
	c, err := client.New(base(ts), client.WithToken(ts.Getenv(subject+"_TOKEN")))
	ts.Check(err)
	return c
}

func researcher(ts *testscript.TestScript) *client.Client {
	c, err := client.New(base(ts), client.WithCredentials(ts.Getenv("DATACOOP_CLIENT_ID"), ts.Getenv("DATACOOP_CLIENT_SECRET")))
	ts.Check(err)
	return c
}

// vet IDENTITY has ada vet a researcher, who proves an identity file's
// recipient.
func vet(ts *testscript.TestScript, _ bool, args []string) {
	ctx := context.Background()
	r, err := as(ts, "ada").VetResearcher(ctx, client.ResearcherDraft{Name: "Example University", Kind: "university", Region: "DE"})
	ts.Check(err)
	ts.Setenv("DATACOOP_CLIENT_ID", r.ClientID)
	ts.Setenv("DATACOOP_CLIENT_SECRET", r.ClientSecret)
	id, err := client.ReadIdentity(ts.MkAbs(args[0]))
	ts.Check(err)
	recipient, err := researcher(ts).ProveRecipient(ctx, id)
	ts.Check(err)
	ts.Setenv("RECIPIENT", recipient.ID)
}

// request POOL asks for a pool and accepts the quote.
func request(ts *testscript.TestScript, _ bool, args []string) {
	ctx := context.Background()
	req, err := researcher(ts).SubmitRequest(ctx, client.RequestDraft{Pool: args[0], Title: "How do people move?",
		DUO: "DUO:0000042", DPV: "AcademicResearch", RetentionDays: 30, Recipient: ts.Getenv("RECIPIENT")})
	ts.Check(err)
	ts.Setenv("REQUEST", req.ID)
	ts.Logf("granted %d, refused %d, %s", req.Granted, req.Refused, req.Note)
	invoice, err := researcher(ts).Accept(ctx, req.ID)
	ts.Check(err)
	ts.Setenv("REFERENCE", invoice.Reference)
	ts.Setenv("TOTAL", fmt.Sprintf("%d.%02d", invoice.Total/100, invoice.Total%100))
}

// pay has bea import the bank's statement of the researcher's payment.
func pay(ts *testscript.TestScript, _ bool, _ []string) {
	statement := fmt.Sprintf(`<Document><BkToCstmrStmt><Stmt><Id>%[2]s</Id><Ntry><Amt Ccy="EUR">%[1]s</Amt><CdtDbtInd>CRDT</CdtDbtInd>
<Sts>BOOK</Sts><AcctSvcrRef>e1</AcctSvcrRef><NtryDtls><TxDtls><RmtInf><Ustrd>%[2]s</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry></Stmt></BkToCstmrStmt></Document>`,
		ts.Getenv("TOTAL"), ts.Getenv("REFERENCE"))
	got, err := as(ts, "bea").ImportBankStatement(context.Background(), []byte(statement))
	ts.Check(err)
	if got.Matched != 1 {
		ts.Fatalf("matched %d payments", got.Matched)
	}
}

// get FILE downloads the largest file of the request as curl would: one plain GET.
func get(ts *testscript.TestScript, _ bool, args []string) {
	ctx := context.Background()
	var largest client.File
	for f, err := range researcher(ts).Files(ctx, ts.Getenv("REQUEST")) {
		ts.Check(err)
		if f.Size > largest.Size {
			largest = f
		}
	}
	d, err := researcher(ts).Download(ctx, largest.ID, 0, "")
	ts.Check(err)
	defer d.Body.Close()
	body, err := io.ReadAll(d.Body)
	ts.Check(err)
	if int64(len(body)) != largest.Size {
		ts.Fatalf("%d bytes, listed %d", len(body), largest.Size)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), body, 0o600))
}

// figures FILE keeps what the server says of itself to whoever runs it.
func figures(ts *testscript.TestScript, _ bool, args []string) {
	resp, err := http.Get("http://localhost:" + ts.Getenv("METRICS") + "/metrics")
	ts.Check(err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), text, 0o600))
}

// revoke SUBJECT FILE revokes all datasets of a member and keeps the last
// receipt.
func revoke(ts *testscript.TestScript, _ bool, args []string) {
	ctx := context.Background()
	n := 0
	for d, err := range as(ts, args[0]).Datasets(ctx) {
		ts.Check(err)
		receipt, err := as(ts, args[0]).Revoke(ctx, d.ID)
		ts.Check(err)
		ts.Check(os.WriteFile(ts.MkAbs(args[1]), receipt, 0o600))
		n++
	}
	if n == 0 {
		ts.Fatalf("%s has nothing to revoke", args[0])
	}
}
