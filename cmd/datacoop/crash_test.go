//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/demo"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/web/client"
)

// crashEnv says how often the server is killed; three times unless it does.
const crashEnv = "DATACOOP_CRASH_ROUNDS"

func rounds(t *testing.T) int {
	n, err := strconv.Atoi(os.Getenv(crashEnv))
	if err != nil || n < 1 {
		return 3
	}
	t.Logf("%s: %d rounds", crashEnv, n)
	return n
}

// running is a server in a process of its own.
type running struct {
	t        *testing.T
	data     string
	database string // a PostgreSQL URL, or ""
	base     string
	cmd      *exec.Cmd
	said     bytes.Buffer
	people   []string // with accounts
	tokens   map[string]string
}

var villagers = []string{"eva", "finn", "gus"}

// settle makes a data directory with a charter and accounts.
func settle(t *testing.T, database string, people ...string) *running {
	t.Helper()
	r := &running{t: t, data: t.TempDir(), database: database, people: people, tokens: map[string]string{}}
	port, err := freePort()
	check(t, err)
	r.base = "http://localhost:" + port
	var accounts strings.Builder
	for _, who := range people {
		fmt.Fprintf(&accounts, "[[accounts]]\nsubject = %q\nname = %q\npassword = \"correct-horse-battery\"\n", who, who)
	}
	check(t, os.WriteFile(filepath.Join(r.data, "accounts.toml"), []byte(accounts.String()), 0o600))
	check(t, os.WriteFile(filepath.Join(r.data, "charter.toml"), governance.DemoCharter(), 0o600))
	t.Cleanup(func() {
		if r.cmd != nil {
			r.kill()
		}
	})
	return r
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// command is this program as somebody types it.
func (r *running) command(args ...string) *exec.Cmd {
	program, err := os.Executable()
	check(r.t, err)
	cmd := exec.CommandContext(context.WithoutCancel(r.t.Context()), program, args...)
	cmd.Args[0] = "datacoop"
	cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+r.data)
	return cmd
}

func (r *running) serving(data string) []string {
	args := []string{"serve", "--listen", strings.TrimPrefix(r.base, "http://"), "--data", filepath.Join(data, "coop"),
		"--accounts", filepath.Join(r.data, "accounts.toml"), "--charter", filepath.Join(r.data, "charter.toml")}
	if r.database != "" {
		args = append(args, "--database", r.database)
	}
	return args
}

// start starts the server and waits until it answers.
func (r *running) start() {
	r.t.Helper()
	r.cmd = r.command(r.serving(r.data)...)
	r.said.Reset()
	r.cmd.Stdout, r.cmd.Stderr = &r.said, &r.said
	check(r.t, r.cmd.Start())
	r.answers()
	for _, who := range r.people {
		if r.tokens[who] == "" {
			token, err := demo.SignIn(r.t.Context(), r.base, demo.Account{Subject: who, Password: "correct-horse-battery"})
			check(r.t, err)
			r.tokens[who] = token
		}
	}
}

func (r *running) answers() {
	r.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		req, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, r.base+"/readyz", nil)
		check(r.t, err)
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			r.t.Fatal("the server does not answer")
		}
	}
}

// kill kills it, as a machine does that loses its power.
func (r *running) kill() {
	r.t.Helper()
	_ = r.cmd.Process.Kill() // it may have ended by itself
	_ = r.cmd.Wait()         // which says that it was killed
	r.cmd = nil
}

func (r *running) as(who string) *client.Client {
	c, err := client.New(r.base, client.WithToken(r.tokens[who]))
	check(r.t, err)
	return c
}

// promised is what the server has acknowledged: the answers of each member, by
// the lowest price they name, which is another each time.
type promised struct {
	mu      sync.Mutex
	answers map[string][]int64
	count   int
}

// work has every villager act again and again until the server is gone or stop
// is closed, and writes down what was acknowledged.
func (p *promised) work(t *testing.T, r *running, round int, stop <-chan struct{}, wait *sync.WaitGroup) {
	for _, who := range villagers {
		wait.Go(func() {
			api := r.as(who)
			ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 2*time.Minute)
			defer cancel()
			for i := 1; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				price := int64(round*10_000 + i)
				_, err := api.SetConsent(ctx, client.PoolScope("wearables"), client.Terms{Effect: "given", Purposes: []string{"DUO:0000042"},
					RequesterKinds: []string{"university"}, MinPrice: price})
				if err == nil {
					p.note(func() { p.answers[who] = append(p.answers[who], price) })
				}
				if err != nil && !client.IsStatus(err, http.StatusServiceUnavailable) {
					return // the server is gone
				}
			}
		})
	}
}

func (p *promised) note(what func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	what()
	p.count++
}

func (p *promised) soFar() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count
}

// more waits until so many more actions were acknowledged.
func (p *promised) more(t *testing.T, n int) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for before := p.soFar(); p.soFar() < before+n; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the server acknowledges nothing")
		}
	}
}

// kept checks that all of it is there, and that the newest answer stands.
func (p *promised) kept(t *testing.T, r *running) {
	t.Helper()
	there := 0
	for who, prices := range p.answers {
		records, err := r.as(who).ConsentRecords(t.Context())
		check(t, err)
		known := map[int64]bool{}
		for _, record := range records.Items {
			known[record.Terms.MinPrice] = true
		}
		there += len(known)
		for _, price := range prices {
			if !known[price] {
				t.Errorf("%s's answer at %d was acknowledged and is gone", who, price)
			}
		}
		standing, err := r.as(who).Consent(t.Context(), client.PoolScope("wearables"))
		check(t, err)
		if newest := prices[len(prices)-1]; standing.Terms.MinPrice < newest {
			t.Errorf("%s's answer at %d was acknowledged, and the one at %d stands", who, newest, standing.Terms.MinPrice)
		}
	}
	t.Logf("%d answers were acknowledged and %d are there", p.count, there)
}

func newPromised() *promised { return &promised{answers: map[string][]int64{}} }

// verified has everything recomputed that claims to be true.
func (r *running) verified() {
	r.t.Helper()
	args := []string{"verify", "all", "--data", filepath.Join(r.data, "coop"), "--charter", filepath.Join(r.data, "charter.toml")}
	if out, err := r.command(args...).CombinedOutput(); err != nil {
		r.t.Errorf("verify all: %v\n%s", err, out)
	}
}

// TestNothingAcknowledgedIsLostWhenTheServerIsKilled kills the server while
// members act, on whichever database the tests run.
func TestNothingAcknowledgedIsLostWhenTheServerIsKilled(t *testing.T) {
	database := ""
	if testkit.Postgres() {
		database = testkit.Address(t)
	}
	r, p := settle(t, database, villagers...), newPromised()
	for round := 1; round <= rounds(t); round++ {
		r.start()
		var work sync.WaitGroup
		stop := make(chan struct{})
		p.work(t, r, round, stop, &work)
		p.more(t, 10+7*(round%4))
		r.kill()
		close(stop)
		work.Wait()
	}
	r.start()
	p.kept(t, r)
	r.kill()
	r.verified()
}

// TestNothingAcknowledgedIsLostWhenPostgresIsKilled kills the database server
// instead: the co-op's server says that the storage is away, and goes on by
// itself once it is back.
func TestNothingAcknowledgedIsLostWhenPostgresIsKilled(t *testing.T) {
	own := testkit.OwnServer(t)
	r, p := settle(t, own.Address(), villagers...), newPromised()
	r.start()
	var work sync.WaitGroup
	stop := make(chan struct{})
	p.work(t, r, 1, stop, &work)
	p.more(t, 15)
	own.Kill()
	_, err := r.as("eva").Me(t.Context())
	if !client.IsStatus(err, http.StatusServiceUnavailable) {
		t.Errorf("without its database the server answers %v", err)
	}
	own.Start()
	r.answers()
	p.more(t, 15)
	close(stop)
	work.Wait()
	p.kept(t, r)
	r.kill()
	r.verified()
}

// TestTwoServersDoNotShareACoop: neither its data directory nor, from another
// one, its database.
func TestTwoServersDoNotShareACoop(t *testing.T) {
	database := ""
	if testkit.Postgres() {
		database = testkit.Address(t)
	}
	r := settle(t, database, villagers...)
	r.start()
	first := r.base
	port, err := freePort()
	check(t, err)
	r.base = "http://localhost:" + port
	refused := func(data, why string) {
		t.Helper()
		out, err := r.command(r.serving(data)...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), why) {
			t.Errorf("%v, %s", err, out)
		}
	}
	refused(r.data, "a server is running on this data directory")
	if database != "" {
		refused(t.TempDir(), "belongs to another data directory")
	}
	r.base = first
	if _, err := r.as("eva").Me(t.Context()); err != nil {
		t.Errorf("the first server suffered: %v", err)
	}
}
