package farewell

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gowebpki/jcs"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
)

// ReceiptType names the form of a closing's receipt.
const ReceiptType = "datacoop-closing-receipt/1"

// ErrReceipt is answered for what is no receipt, or not signed with this key.
var ErrReceipt = fault.New(fault.Invalid, "receipt-invalid", "The receipt is malformed or was not signed with this key.")

// ErrNothing is answered where nothing is owed.
var ErrNothing = fault.New(fault.Conflict, "nothing-owed", "Nothing is owed any more, so no account is needed.")

// Closing is an account that is closed or being closed.
type Closing struct {
	ID        string
	Reference string
	Member    coop.MemberID
	Cause     string
	Owed      string // Pay or Give
	Vacated   []coop.Office
	Step      string // the next one, or "done"
	BegunAt   int64
	EndedAt   int64  // 0 until every step is done
	SettledAt int64  // 0 until nothing is owed and nothing can come any more
	Receipt   []byte // signed; empty until EndedAt

	OwedNow coop.Money
	Code    string // finds it again; only what Begin answers has it
}

// Stage is one step of a closing, for people.
type Stage struct {
	Name     string `json:"name"`
	Sentence string `json:"sentence"`
	Done     bool   `json:"done"`
}

// Stages tells how far a closing is.
func (c Closing) Stages() []Stage {
	next := slices.IndexFunc(steps, func(at step) bool { return at.name == c.Step })
	var out []Stage
	for i, at := range steps {
		out = append(out, Stage{at.name, at.sentence, next < 0 || i < next})
	}
	return out
}

// Receipt is what somebody who has left keeps: canonical JSON (RFC 8785), signed
// with the co-op's Ed25519 key over the document without its signature.
type Receipt struct {
	Type      string    `json:"type"`
	Reference string    `json:"reference"`
	Member    string    `json:"member"`
	Cause     string    `json:"cause"`
	BegunAt   string    `json:"begun_at"` // RFC 3339, UTC
	EndedAt   string    `json:"ended_at"`
	Done      []string  `json:"done"`
	Kept      []string  `json:"kept"`
	Datasets  []Dataset `json:"datasets"`
	Owed      int64     `json:"owed"` // minor units, when this was signed
	Currency  string    `json:"currency"`
	OwedGoes  string    `json:"owed_goes"`
	Vacated   []string  `json:"vacated,omitempty"`
	Key       string    `json:"key"`
	Signature string    `json:"signature"`
}

// Dataset is one that was revoked, by then or before, with the digest of its
// own receipt.
type Dataset struct {
	ID            string `json:"id"`
	ReceiptSHA256 string `json:"receipt_sha256"`
}

// Kept says what stays of a member, and why. It stands on the page before, and
// in the receipt after.
func Kept() []string {
	return []string{
		"Bookings of money in the ledger, under a number instead of your name: books must balance, and the law asks to keep them.",
		"Payment orders already made, with your name and account, for as long as bookkeeping law asks.",
		"That you were drawn by lot to compare work, and what you said, so that the draw can be checked.",
		"Votes you took part in stay counted; nothing tells which ballot was yours.",
		"Decisions about your data and what you agreed to, under a number: they prove to researchers and auditors what was allowed.",
		"Proposals, work and reviews you handed in stay, under a number instead of your name.",
		"Copies that researchers have already fetched cannot be called back.",
		"Backups open nothing of your data after the date in each dataset's own receipt.",
	}
}

func (s *Service) receipt(ctx context.Context, c Closing) ([]byte, error) {
	r := Receipt{Type: ReceiptType, Reference: c.Reference, Member: string(c.Member), Cause: c.Cause, BegunAt: rfc(c.BegunAt), EndedAt: rfc(s.now()),
		Kept: Kept(), Datasets: []Dataset{}, Currency: string(s.Charter.Currency), OwedGoes: c.Owed}
	for _, at := range steps {
		r.Done = append(r.Done, at.sentence)
	}
	for _, o := range c.Vacated {
		r.Vacated = append(r.Vacated, string(o))
	}
	owed, err := s.Market.Owed(ctx, c.Member)
	if err != nil {
		return nil, err
	}
	r.Owed = int64(owed)
	datasets, err := s.Vault.Mine(ctx, c.Member)
	if err != nil {
		return nil, err
	}
	for _, d := range datasets {
		own, err := s.Vault.Receipt(ctx, c.Member, d.ID)
		if err != nil {
			return nil, err
		}
		text, err := own.JSON()
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(text)
		r.Datasets = append(r.Datasets, Dataset{string(d.ID), hex.EncodeToString(sum[:])})
	}
	return r.sign(s.Key)
}

func rfc(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339) }

func (r Receipt) sign(key ed25519.PrivateKey) ([]byte, error) {
	public, _ := key.Public().(ed25519.PublicKey) // of an Ed25519 key it is nothing else
	r.Key = base64.StdEncoding.EncodeToString(public)
	text, err := r.signed()
	if err != nil {
		return nil, err
	}
	r.Signature = base64.StdEncoding.EncodeToString(ed25519.Sign(key, text))
	return r.json()
}

func (r Receipt) json() ([]byte, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("farewell: receipt: %w", err)
	}
	return jcs.Transform(text)
}

func (r Receipt) signed() ([]byte, error) {
	r.Signature = ""
	return r.json()
}

// ParseReceipt reads a receipt and verifies nothing. Error: ErrReceipt.
func ParseReceipt(text []byte) (r Receipt, err error) {
	if err := json.Unmarshal(text, &r); err != nil || r.Type != ReceiptType {
		return Receipt{}, ErrReceipt
	}
	return r, nil
}

// IsReceipt reports whether a text looks like such a receipt.
func IsReceipt(text []byte) bool {
	_, err := ParseReceipt(text)
	return err == nil
}

// VerifyReceipt checks a receipt against the co-op's public key, byte for byte.
// Error: ErrReceipt.
func VerifyReceipt(text []byte, key ed25519.PublicKey) error {
	r, err := ParseReceipt(text)
	if err != nil {
		return err
	}
	again, err := r.json()
	if err != nil {
		return ErrReceipt
	}
	said, err := r.signed()
	if err != nil || !coop.Genuine(text, again, said, r.Signature, key) {
		return ErrReceipt
	}
	return nil
}

// end signs the receipt, once.
func (s *Service) end(ctx context.Context, id string) error {
	c, err := s.find(ctx, id)
	if err != nil || c.EndedAt != 0 {
		return err
	}
	text, err := s.receipt(ctx, c)
	if err != nil {
		return fmt.Errorf("farewell: receipt: %w", err)
	}
	err = s.DB.Update(ctx, func(tx *db.Tx) error { return endClosing(tx, id, s.now(), text) })
	if errors.Is(err, db.ErrNoRow) { // another was faster: its receipt stands
		return nil
	}
	return err
}

// Find answers a closing by its code. Error: ErrUnknown.
func (s *Service) Find(ctx context.Context, code string) (c Closing, err error) {
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		c, err = closingBy(tx, digest(code))
		return err
	})
	if errors.Is(err, db.ErrNoRow) {
		return Closing{}, ErrUnknown
	}
	if err != nil {
		return Closing{}, fmt.Errorf("farewell: find: %w", err)
	}
	c.OwedNow, err = s.Market.Owed(ctx, c.Member)
	return c, err
}

func (s *Service) find(ctx context.Context, id string) (c Closing, err error) {
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		c, err = closingByID(tx, id)
		return err
	})
	if err != nil {
		return Closing{}, fmt.Errorf("farewell: find: %w", err)
	}
	return c, nil
}
