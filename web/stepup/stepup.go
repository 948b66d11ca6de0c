// Package stepup keeps proofs that somebody has just shown who they are, for
// what must not be done by whoever finds an open browser.
//
// # What it is for
//
// A session lasts hours. Before a dataset is revoked, a vote cast or a payout
// account changed, its member shows again that it is them: with their passkey,
// or by a fresh sign-in at the issuer they come from. What they had typed waits
// sealed in the session until then.
//
// # What it guarantees
//
// A proof is good for one class of action ([Class]), in the session it was given
// in, for five minutes of machine time ([Lifetime]). A sign-in is a proof as
// well, for all classes but the grave ones, which are asked for by name each
// time: such a proof is spent by its first use. What waits is encrypted under a
// key that the database does not have, and is forgotten after a quarter of an
// hour.
//
// # What it refuses
//
// A proof of another session, of another class, or too old. It does not judge
// passkeys or tokens of issuers: packages authserver and signin do.
package stepup

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"net/url"
	"time"

	"github.com/alexedwards/scs/v2"

	"distributed.ai/datacoop/internal/fault"
)

// Class is a kind of action that needs a proof. None is "".
type Class string

// The classes of actions.
const (
	Revoke  Class = "revoke"  // destroy a dataset
	Vote    Class = "vote"    // cast a ballot
	Account Class = "account" // change where money goes
	Token   Class = "token"   // let a program act for me
	Release Class = "release" // order payouts, as treasurer
	Freeze  Class = "freeze"  // stop the co-op, or let it go on
	Key     Class = "key"     // change my key, or take away a way to it
	Signer  Class = "signer"  // change the key that signs what I upload
	Open    Class = "open"    // get what a recovery sheet opens
	Ways    Class = "ways"    // change how I sign in
	Close   Class = "close"   // close an account
	Estate  Class = "estate"  // act, as a steward, for a member who has died
)

// classes holds every class, and whether it is grave.
var classes = map[Class]bool{Revoke: false, Vote: false, Account: false, Token: false, Release: false, Freeze: false, Key: true, Signer: false, Open: false, Ways: true, Close: true, Estate: true}

// Known reports whether there is such a class.
func (c Class) Known() bool { _, ok := classes[c]; return ok }

// Grave reports whether a sign-in alone is no proof for the class, and a proof
// is spent by its first use.
func (c Class) Grave() bool { return classes[c] }

// Lifetime is how long a proof is good, in machine time.
const Lifetime = 5 * time.Minute

// waits is how long something typed is kept for its member.
const waits = 15 * time.Minute

// Faults of actions that need a proof. Their codes are part of the API.
var (
	ErrNeeded = fault.New(fault.Forbidden, "step-up-needed", "Confirm that it is you first: this needs a passkey or a fresh sign-in of the last minutes.")
	ErrScope  = fault.New(fault.Forbidden, "token-scope", "This token is for everyday things only. Make one that may also act for you.")
)

// Keys of a session.
const (
	keyProofs  = "step-up-proofs"
	keyPending = "step-up-pending"
)

// signedIn stands for the sign-in among the proofs of a session.
const signedIn Class = "sign-in"

// Desk keeps proofs in sessions.
type Desk struct {
	sessions *scs.SessionManager
	seal     cipher.AEAD
	Now      func() time.Time // machine time
}

// New makes a desk. Secret is what the database does not have, of any length.
func New(sessions *scs.SessionManager, secret []byte) *Desk {
	mac := hmac.New(sha256.New, secret)
	_, _ = mac.Write([]byte("datacoop step-up")) // a hash never fails
	block, err := aes.NewCipher(mac.Sum(nil))
	if err != nil {
		panic("stepup: " + err.Error()) // 32 bytes are always a key
	}
	seal, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic("stepup: " + err.Error())
	}
	return &Desk{sessions: sessions, seal: seal, Now: time.Now}
}

// proofs are the times at which each class was proved, in Unix ms.
func (d *Desk) proofs(ctx context.Context) map[Class]int64 {
	out := map[Class]int64{}
	_ = json.Unmarshal([]byte(d.sessions.GetString(ctx, keyProofs)), &out) // none, if there is none
	return out
}

func (d *Desk) put(ctx context.Context, proofs map[Class]int64) {
	text, err := json.Marshal(proofs)
	if err != nil {
		return // a map of strings and numbers is always JSON
	}
	d.sessions.Put(ctx, keyProofs, string(text))
}

// SignedIn notes a sign-in in the session of ctx. Proofs of whoever was in it
// before end.
func (d *Desk) SignedIn(ctx context.Context) {
	d.put(ctx, map[Class]int64{signedIn: d.Now().UnixMilli()})
}

// Proved notes a proof of a class in the session of ctx.
func (d *Desk) Proved(ctx context.Context, c Class) {
	p := d.proofs(ctx)
	p[c] = d.Now().UnixMilli()
	d.put(ctx, p)
}

// Good reports whether the session of ctx has a good proof for a class.
func (d *Desk) Good(ctx context.Context, c Class) bool {
	p := d.proofs(ctx)
	good := func(at int64) bool {
		age := d.Now().Sub(time.UnixMilli(at))
		return at > 0 && age >= 0 && age < Lifetime
	}
	return c.Known() && (good(p[c]) || !c.Grave() && good(p[signedIn]))
}

// Fresh is Good for somebody who acts on it: a proof for a grave class is
// spent, and what waited for a proof waits no more.
func (d *Desk) Fresh(ctx context.Context, c Class) bool {
	if !d.Good(ctx, c) {
		return false
	}
	if c.Grave() {
		p := d.proofs(ctx)
		delete(p, c)
		d.put(ctx, p)
	}
	if waiting, ok := d.Waiting(ctx); ok && waiting.Class == c {
		d.Drop(ctx)
	}
	return true
}

// Pending is an action that waits for a proof, with everything that was typed.
type Pending struct {
	Class  Class      `json:"class"`
	Path   string     `json:"path"`
	Form   url.Values `json:"form"`
	KeptAt int64      `json:"kept_at"`
}

// Wait keeps an action in the session of ctx; it takes the place of any other.
func (d *Desk) Wait(ctx context.Context, c Class, path string, form url.Values) error {
	text, err := json.Marshal(Pending{c, path, form, d.Now().UnixMilli()})
	if err != nil {
		return err
	}
	d.sessions.Put(ctx, keyPending, d.seal.Seal(nil, nil, text, []byte(keyPending))) //nolint:gosec // the cipher draws its nonce itself
	return nil
}

// Waiting is the action that waits in the session of ctx, if one does.
func (d *Desk) Waiting(ctx context.Context) (p Pending, ok bool) {
	sealed := d.sessions.GetBytes(ctx, keyPending)
	text, err := d.seal.Open(nil, nil, sealed, []byte(keyPending))
	if err != nil || json.Unmarshal(text, &p) != nil {
		return Pending{}, false
	}
	if d.Now().Sub(time.UnixMilli(p.KeptAt)) > waits {
		d.Drop(ctx)
		return Pending{}, false
	}
	return p, true
}

// Drop forgets what waits in the session of ctx.
func (d *Desk) Drop(ctx context.Context) {
	if d.sessions.Exists(ctx, keyPending) {
		d.sessions.Remove(ctx, keyPending)
	}
}
