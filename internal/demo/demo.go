// Package demo is the guided tour: a dozen members, their stewards and one
// researcher live through everything a data cooperative is for, against a real
// server.
//
// It reaches the server only through package web/client, over HTTP, as a
// stranger would, and through the sign-in page as a browser would. Members'
// exports are synthesised in the formats people really have, reduced and
// encrypted as any member's are. What takes days in life, such as a vote or a
// challenge window, takes a moment here because the demo moves the server's
// injected clock; no rule is bent for it.
//
// The package guarantees that a step prints ✓ only when it has checked what it
// claims, and that the first claim that is not true ends the story with an
// error. It refuses to touch data of a real co-op, and a real server refuses
// its data ([RefuseData]).
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/web/client"
)

// Config says where the server is and how the story is told.
type Config struct {
	BaseURL  string
	Dir      string    // the demo's data directory; identities and demo.json go there
	Accounts []Account // who can sign in
	Clock    *Clock    // the server's clock
	Currency coop.Currency
	Out      io.Writer // one line for each step; io.Discard for none
	// Verify recomputes everything that the server's own tables claim, and
	// says in a few words what that was.
	Verify func(context.Context) (string, error)
}

// Account is a login of the embedded identity provider.
type Account struct {
	Subject  string
	Name     string
	Password string
}

// names are the demo's people. The first four hold the offices that the demo
// charter names; everybody else is a plain member.
var names = []string{"Ada", "Bea", "Cem", "Dan", "Eva", "Finn", "Gül", "Hana", "Ivo", "June", "Kai", "Lena"}

// minMembers is what the offices and the smallest group need.
const minMembers = 6

// Accounts makes the logins of n members, at least six. The password of each
// is what password answers for their subject.
func Accounts(n int, password func(subject string) (string, error)) ([]Account, error) {
	out := make([]Account, 0, n)
	for i := range max(n, minMembers) {
		name := fmt.Sprintf("Member %d", i+1)
		subject := fmt.Sprintf("member%d", i+1)
		if i < len(names) {
			name, subject = names[i], subjects[i]
		}
		word, err := password(subject)
		if err != nil {
			return nil, fmt.Errorf("demo: password: %w", err)
		}
		out = append(out, Account{Subject: subject, Name: name, Password: word})
	}
	return out, nil
}

// subjects are the logins of the named people.
var subjects = []string{"ada", "bea", "cem", "dan", "eva", "finn", "guel", "hana", "ivo", "june", "kai", "lena"}

// tour is one telling of the story.
type tour struct {
	Config
	cast   cast
	pools  []client.Pool
	shared map[string]sharedData // by dataset, of earlier stories too
	asked  client.RequestDraft
	req    client.AccessRequest
	inv    client.Invoice
	files  map[string]string // fetched: file id by SHA-256 of the plaintext
	gone   string            // a file whose member revoked
	law    client.Proposal
	period client.Period
}

// step is one line of the story. What it returns is the figure shown.
type step struct {
	title string
	run   func(context.Context) (string, error)
}

// Story tells the whole story and returns how many steps it had.
func Story(ctx context.Context, c Config) (steps int, err error) {
	t := &tour{Config: c}
	script := []step{
		{"members sign in", t.join},
		{"an earlier vote is undone", t.repeal},
		{"each makes keys of their own", t.makeKeys},
		{"exports are reduced, encrypted, uploaded, sealed", t.share},
		{"each says what may happen", t.consent},
		{"a steward vets a researcher", t.vet},
		{"the researcher reads the catalogue", t.browse},
		{"a dry run", t.check},
		{"the request is decided, dataset by dataset", t.submit},
		{"quote, invoice, payment", t.pay},
		{"files are fetched, verified, decrypted", t.fetch},
		{"one member revokes", t.revoke},
		{"a narrower policy is proposed", t.propose},
		{"members vote; the policy is enacted", t.vote},
		{"the same request is now refused", t.refused},
		{"members' work is reviewed", t.work},
		{"the period closes, the statement is published", t.close},
		{"a member contests it and is answered", t.challenge},
		{"the shares are settled", t.settle},
		{"two treasurers release the payout", t.payout},
		{"everything is recomputed", t.verify},
	}
	for i, s := range script {
		if err := t.tell(ctx, i+1, s); err != nil {
			return i, err
		}
	}
	return len(script), t.writeFile()
}

// Gather only brings the members, the stewards and one vetted researcher
// together.
func Gather(ctx context.Context, c Config) error {
	t := &tour{Config: c}
	for i, s := range []step{
		{"members sign in", t.join}, {"each makes keys of their own", t.makeKeys},
		{"a steward vets a researcher", t.vet}, {"the researcher reads the catalogue", t.browse},
	} {
		if err := t.tell(ctx, i+1, s); err != nil {
			return err
		}
	}
	return t.writeFile()
}

// tell runs a step and prints its line.
func (t *tour) tell(ctx context.Context, n int, s step) error {
	began := time.Now()
	figure, err := s.run(ctx)
	if err != nil {
		fmt.Fprintf(t.Out, "✗ %2d  %s\n", n, s.title)
		return fmt.Errorf("step %d, %s: %w", n, s.title, err)
	}
	fmt.Fprintf(t.Out, "✓ %2d  %-50s %5.1f s  %s\n", n, s.title, time.Since(began).Seconds(), figure)
	return nil
}

// errUntrue is a claim of the story that turned out not to be true.
var errUntrue = errors.New("the story is not true")

// must fails the story unless the claim holds.
func must(holds bool, claim string) error {
	if !holds {
		return fmt.Errorf("%w: %s", errUntrue, claim)
	}
	return nil
}

// patience bounds how long the story waits for the server's queue.
const patience = 20 * time.Second

// await asks until done or until patience ends.
func await(ctx context.Context, what string, done func() (bool, error)) error {
	deadline := time.Now().Add(patience)
	for {
		ok, err := done()
		if err != nil || ok {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s did not happen within %s", what, patience)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (t *tour) path(elem ...string) string {
	return filepath.Join(append([]string{t.Dir}, elem...)...)
}

// money shows an amount of the co-op's currency.
func (t *tour) money(minor int64) string { return coop.Money(minor).Format(t.Currency) }
