package demo

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"distributed.ai/datacoop/web/client"
)

// person is a member with everything they keep on their own machine.
type person struct {
	Account
	me       client.Me
	token    string
	api      *client.Client
	identity client.Identity
	key      ed25519.PrivateKey
	keyFile  string
}

// scientist is the researcher.
type scientist struct {
	client.Researcher
	api       *client.Client
	identity  client.Identity
	keyFile   string
	recipient client.Recipient
}

// cast is everybody in the story.
type cast struct {
	members    []*person
	researcher scientist
}

// office finds who holds an office; the n-th of them.
func (c cast) office(name string, n int) (*person, error) {
	for _, p := range c.members {
		for _, o := range p.me.Offices {
			if o == name {
				if n == 0 {
					return p, nil
				}
				n--
			}
		}
	}
	return nil, fmt.Errorf("nobody holds the office of %s", name)
}

// named finds a member by their login.
func (c cast) named(subject string) (*person, error) {
	for _, p := range c.members {
		if p.Subject == subject {
			return p, nil
		}
	}
	return nil, fmt.Errorf("nobody signs in as %s", subject)
}

// plain lists the members without an office.
func (c cast) plain() []*person {
	var out []*person
	for _, p := range c.members {
		if len(p.me.Offices) == 0 {
			out = append(out, p)
		}
	}
	return out
}

func (t *tour) join(ctx context.Context) (string, error) {
	offices := 0
	for _, account := range t.Accounts {
		token, err := SignIn(ctx, t.BaseURL, account)
		if err != nil {
			return "", err
		}
		api, err := client.New(t.BaseURL, client.WithToken(token))
		if err != nil {
			return "", err
		}
		me, err := api.Me(ctx)
		if err != nil {
			return "", err
		}
		offices += len(me.Offices)
		t.cast.members = append(t.cast.members, &person{Account: account, me: me, token: token, api: api})
	}
	return fmt.Sprintf("%d members by OpenID Connect, %d offices held", len(t.cast.members), offices), nil
}

// makeKeys makes or reads each member's age identity and signing key, and
// registers the public halves and a payout account.
func (t *tour) makeKeys(ctx context.Context) (string, error) {
	if err := os.MkdirAll(t.path("keys"), 0o700); err != nil {
		return "", err
	}
	for i, p := range t.cast.members {
		var err error
		p.keyFile = t.path("keys", p.Subject+".txt")
		if p.identity, err = ownIdentity(p.keyFile, false); err != nil {
			return "", err
		}
		if p.key, err = ownSigningKey(t.path("keys", p.Subject+".sign")); err != nil {
			return "", err
		}
		if err := p.api.SetRecipient(ctx, p.identity.Recipient()); err != nil {
			return "", err
		}
		if err := p.api.SetSigningKey(ctx, p.key.Public().(ed25519.PublicKey)); err != nil {
			return "", err
		}
		if err := p.api.SetPayoutAccount(ctx, client.PayoutAccount{Holder: p.Name, IBAN: inventedIBAN(i + 1)}); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d post-quantum identities that never left their machines", len(t.cast.members)), nil
}

// ownIdentity reads an identity file, or makes it.
func ownIdentity(path string, classic bool) (client.Identity, error) {
	id, err := client.ReadIdentity(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return id, err
	}
	if id, err = client.Keygen(classic); err != nil {
		return id, err
	}
	return id, id.WriteFile(path)
}

func ownSigningKey(path string) (ed25519.PrivateKey, error) {
	key, err := client.ReadSigningKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if key, err = client.NewSigningKey(); err != nil {
		return nil, err
	}
	return key, client.WriteSigningKey(path, key)
}

// inventedIBAN makes a well-formed account number of a bank that does not
// exist (German bank codes do not start with 0).
func inventedIBAN(n int) string {
	account := fmt.Sprintf("00000000%010d", n)
	rest := 0
	for _, c := range account + "131400" { // D=13, E=14, check digits 00
		rest = (rest*10 + int(c-'0')) % 97
	}
	return fmt.Sprintf("DE%02d%s", 98-rest, account)
}
