package vault

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/gowebpki/jcs"
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

var (
	saidRefused = Statement{"access-refused", "Since the time of revocation no delivery begins, and a download under way stops within one second or one mebibyte."}
	saidGrants  = Statement{"headers-deleted", "Every header that was kept for researchers, and the original one, is deleted."}
	saidKey     = Statement{"key-deleted", "The dataset's own key is deleted from the keystore."}
	saidKeyLog  = Statement{"key-overwritten", "The key's bytes are in neither the keystore file nor its write-ahead log."}
	saidNoKey   = Statement{"no-key-held", "The co-op never held a key to this dataset: the member kept it."}
	saidLog     = Statement{"headers-overwritten", "The headers' bytes are in neither the database file nor its write-ahead log."}
	saidFile    = Statement{"ciphertext-unlinked", "The encrypted file is unlinked from the storage."}

	saidCopies  = Statement{"copies-remain", "Copies that researchers fetched before cannot be called back; the number of requests a header was made for is stated here."}
	saidBackups = Statement{"backups-remain", "Backups of the keystore made before the revocation still hold the key, sealed to a key of the co-op that no backup holds and that is destroyed by the date stated here; from then on no backup opens the dataset."}
	saidNoDate  = Statement{"backups-remain-undated", "Backups of the keystore made before the revocation still hold the key, sealed to a key of the co-op that no backup holds; this receipt cannot say by when that one is destroyed."}
	saidOpeners = Statement{"own-keys-open", "With a backup of the database and of the encrypted files, the member's own key opens the dataset, and so does the key of a researcher for whom a header had been made, as they could before."}
	saidDisk    = Statement{"disk-blocks-remain", "Bytes that the file system has released may stay on the storage medium until they are overwritten or trimmed; the keystore belongs on an encrypted volume for that reason."}
)

// darkness is when the backups of a deleted key become worthless.
type darkness struct {
	epoch int64
	by    int64 // 0: no date can be promised
}

// step is one thing a receipt claims, if it is done.
type step struct {
	done bool
	says Statement
}

// sign writes the receipt that is true after the given steps.
func (s *Service) sign(d Dataset, t tombstone, done steps, dark darkness) (Receipt, error) {
	todo := []step{{done.key, saidKey}, {done.keyLog, saidKeyLog}, {done.log, saidLog}, {done.file, saidFile}}
	remains := []Statement{saidCopies, saidBackups, saidOpeners, saidDisk}
	switch {
	case d.SelfCustody:
		todo = append([]step{{true, saidNoKey}}, todo[2:]...)
		remains, dark = []Statement{saidCopies, saidOpeners, saidDisk}, darkness{}
	case dark.by == 0:
		remains[1] = saidNoDate
	}
	public, _ := s.cfg.Key.Public().(ed25519.PublicKey) // of an Ed25519 key it is nothing else
	r := Receipt{
		Type: ReceiptType, Dataset: string(d.ID), Member: string(d.Member), Pool: string(d.Pool),
		RevokedAt: rfc3339(d.RevokedAt), ShreddedAt: rfc3339(d.ShreddedAt), Complete: done == steps{true, true, true, true},
		Achieved: []Statement{saidRefused, saidGrants}, Pending: []Statement{},
		NotAchieved:   remains,
		BackupsDarkBy: rfc3339(dark.by), Epoch: dark.epoch,
		GrantsDeleted: t.Grants, Deliveries: d.Deliveries,
		HeaderSHA256: d.HeaderSHA256, PayloadSHA256: d.PayloadSHA256, BlobSHA256: t.BlobSHA256, LogIndex: t.LogIndex,
		Key: base64.StdEncoding.EncodeToString(public),
	}
	for _, step := range todo {
		if step.done {
			r.Achieved = append(r.Achieved, step.says)
		} else {
			r.Pending = append(r.Pending, step.says)
		}
	}
	text, err := r.signed()
	if err != nil {
		return Receipt{}, err
	}
	r.Signature = base64.StdEncoding.EncodeToString(ed25519.Sign(s.cfg.Key, text))
	return r, nil
}

func rfc3339(ms int64) string {
	if ms == 0 {
		return ""
	}
	return time.UnixMilli(ms).UTC().Format(time.RFC3339)
}

// JSON is the receipt as the member keeps it.
func (r Receipt) JSON() ([]byte, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("vault: receipt: %w", err)
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
	if err != nil || string(again) != string(text) {
		return ErrReceipt
	}
	signature, err := base64.StdEncoding.Strict().DecodeString(r.Signature)
	if err != nil || len(key) != ed25519.PublicKeySize {
		return ErrReceipt
	}
	said, err := r.signed()
	if err != nil || !ed25519.Verify(key, said, signature) {
		return ErrReceipt
	}
	return nil
}
