package papers

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/gowebpki/jcs"

	"distributed.ai/datacoop/internal/coop"
)

// ReceiptType names the form of a revocation receipt.
const ReceiptType = "datacoop-revocation-receipt/1"

// Receipt proves a revocation to its member: canonical JSON (RFC 8785), signed
// with the co-op's Ed25519 key. It claims what was done and names what was
// not; nothing in it promises what the vault cannot know.
type Receipt struct {
	Type          string      `json:"type"`
	Dataset       string      `json:"dataset"`
	Member        string      `json:"member"`
	Pool          string      `json:"pool"`
	RevokedAt     string      `json:"revoked_at"`  // RFC 3339, UTC
	ShreddedAt    string      `json:"shredded_at"` // empty until Complete
	Complete      bool        `json:"complete"`
	Achieved      []Statement `json:"achieved"`
	Pending       []Statement `json:"pending"`
	NotAchieved   []Statement `json:"not_achieved"`
	GrantsDeleted int64       `json:"grants_deleted"`
	Deliveries    int64       `json:"deliveries"` // access requests a header had been made for
	HeaderSHA256  string      `json:"header_sha256"`
	PayloadSHA256 string      `json:"payload_sha256"`
	BlobSHA256    string      `json:"blob_sha256"`
	LogIndex      int64       `json:"log_index"` // of the entry in the co-op's log

	// By when no backup opens the dataset any more: the end of the epoch whose
	// key the newest backup can need. Empty while destruction is incomplete or
	// no date can be promised.
	BackupsDarkBy string `json:"backups_dark_by,omitempty"` // RFC 3339, UTC
	Epoch         int64  `json:"epoch,omitempty"`           // that is to end by then

	Key       string `json:"key"`       // the public key it is signed with, base64
	Signature string `json:"signature"` // over the rest of this document, base64
}

// Statement is one thing a receipt says, for programs and for people.
type Statement struct {
	Code     string `json:"code"`
	Sentence string `json:"sentence"`
}

// Sign answers the receipt with the co-op's key and signature in it.
func (r Receipt) Sign(key ed25519.PrivateKey) (Receipt, error) {
	public, _ := key.Public().(ed25519.PublicKey) // of an Ed25519 key it is nothing else
	r.Key = base64.StdEncoding.EncodeToString(public)
	text, err := r.signed()
	if err != nil {
		return Receipt{}, err
	}
	r.Signature = base64.StdEncoding.EncodeToString(ed25519.Sign(key, text))
	return r, nil
}

// JSON is the receipt as the member keeps it.
func (r Receipt) JSON() ([]byte, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("papers: receipt: %w", err)
	}
	return jcs.Transform(text)
}

// signed is what the signature covers: the receipt with an empty signature.
func (r Receipt) signed() ([]byte, error) {
	r.Signature = ""
	return r.JSON()
}

// ParseReceipt reads what JSON wrote. It verifies nothing. Error: ErrReceipt.
func ParseReceipt(text []byte) (Receipt, error) {
	var r Receipt
	if err := json.Unmarshal(text, &r); err != nil || r.Type != ReceiptType {
		return Receipt{}, ErrReceipt
	}
	return r, nil
}

// VerifyReceipt checks a receipt against the co-op's public key. The text must
// be exactly what was handed out. Error: ErrReceipt.
func VerifyReceipt(text []byte, key ed25519.PublicKey) error {
	r, err := ParseReceipt(text)
	if err != nil {
		return err
	}
	again, err := r.JSON()
	if err != nil {
		return ErrReceipt
	}
	said, err := r.signed()
	if err != nil || !coop.Genuine(text, again, said, r.Signature, key) {
		return ErrReceipt
	}
	return nil
}
