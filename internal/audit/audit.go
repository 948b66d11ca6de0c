// Package audit is the co-op's memory of what happened: an append-only Merkle
// log, written in the transaction that caused each entry.
//
// # A leaf and its record
//
// An entry has two parts. The leaf is public and permanent: the canonical JSON
// (RFC 8785) of
//
//	{"commitment": …, "erases": …, "hour": …, "kind": …, "revision": …, "verdict": …}
//
// where hour is the Unix time in whole hours, and commitment is the hex of
// HMAC-SHA256 with a random 32-byte salt as key over the record. Erases is
// there only where something was destroyed: the SHA-256 of its random name, by
// which a restored backup recognises what it must not bring back, and which
// says nothing to anybody else. The record,
// canonical JSON too, says who and what; it is kept with its salt in another
// table, and both can be erased. What remains then proves that something of
// this kind happened and was decided so, and says nothing about anybody.
//
// # What it guarantees
//
// Append writes leaf, record and the Merkle hashes of RFC 6962 (computed by
// golang.org/x/mod/sumdb/tlog) in the caller's transaction: an effect without
// its entry cannot be committed, nor an entry without its effect. The log is
// published as C2SP tlog-tiles (c2sp.org/tlog-tiles) under checkpoints that
// are signed notes (c2sp.org/tlog-checkpoint), so that anybody can follow it
// with tools we did not write. Verify recomputes all of it from the leaves.
//
// # What it refuses
//
// It refuses leaves that could name a person: kind, revision and verdict are
// short lower-case words and never ids. It refuses records with fractions or
// integers beyond 2⁵³, which canonical JSON cannot tell apart. It refuses to
// sign a checkpoint that does not extend the newest one it signed, and to adopt
// a published log that does not continue what it holds.
package audit

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

	"golang.org/x/mod/sumdb/note"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
)

//go:embed schema
var schema embed.FS

// Log is the one audit log of a co-op.
type Log struct {
	db       *db.DB
	clock    coop.Clock
	origin   string
	signer   note.Signer
	verifier note.Verifier
	vkey     string
}

// New opens the log in d, making its tables if needed. Origin names the log in
// its checkpoints: the public URL it is served under without the scheme, such
// as "coop.example/log", with neither spaces nor plus signs. Key signs the
// checkpoints; clock gives the hour of a leaf.
func New(ctx context.Context, d *db.DB, origin string, key ed25519.PrivateKey, clock coop.Clock) (*Log, error) {
	if len(key) != ed25519.PrivateKeySize {
		return nil, errors.New("audit: the signing key is not an Ed25519 private key")
	}
	vkey, err := note.NewEd25519VerifierKey(origin, key.Public().(ed25519.PublicKey))
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, fmt.Errorf("audit: origin: %w", err)
	}
	if err := d.Migrate(ctx, "audit", schema); err != nil {
		return nil, err
	}
	return &Log{db: d, clock: clock, origin: origin, verifier: verifier, vkey: vkey, signer: signer{verifier, key}}, nil
}

// signer lends a verifier's name and key hash to the key that belongs to it.
type signer struct {
	note.Verifier
	key ed25519.PrivateKey
}

func (s signer) Sign(msg []byte) ([]byte, error) { return ed25519.Sign(s.key, msg), nil }

// VerifierKey is the log's public key in the form of a note verifier key
// ("name+hash+base64"), which Check and stock tools take.
func (l *Log) VerifierKey() string { return l.vkey }

// Event is what Append is told.
type Event struct {
	Kind     string // what happened, such as "dataset.revoked"
	Revision string // the policy revision it was decided under, or ""
	Verdict  string // how it was decided, such as "allow", or ""
	Record   any    // who and what; kept erasably as canonical JSON, never in the leaf

	// Erases is the hex SHA-256 of the name of what this event destroyed, or "".
	// The name is 128 random bits or more and kept nowhere once it is destroyed
	// but in backups.
	Erases string
}

// leaf has its fields in the order of canonical JSON.
type leaf struct {
	Commitment string `json:"commitment"`
	Erases     string `json:"erases,omitempty"`
	Hour       int64  `json:"hour"`
	Kind       string `json:"kind"`
	Revision   string `json:"revision"`
	Verdict    string `json:"verdict"`
}

var (
	kindPattern = regexp.MustCompile(`^[a-z][a-z0-9._-]{0,63}$`)
	wordPattern = regexp.MustCompile(`^[a-z0-9._:-]{0,80}$`)
	hashPattern = regexp.MustCompile(`^([0-9a-f]{64})?$`)
)

var (
	errWords  = errors.New("kind, revision and verdict must be short lower-case words, not ids")
	errErases = errors.New("what was erased is named by a SHA-256")
)

func (e Event) check() error {
	words := kindPattern.MatchString(e.Kind) && wordPattern.MatchString(e.Revision) && wordPattern.MatchString(e.Verdict)
	if !words || coop.ValidID(e.Kind) || coop.ValidID(e.Revision) || coop.ValidID(e.Verdict) {
		return errWords
	}
	if !hashPattern.MatchString(e.Erases) {
		return errErases
	}
	return nil
}

// Append adds an entry in the caller's transaction and returns its index, from
// 0. If tx is rolled back the entry was never there.
func (l *Log) Append(tx *db.Tx, e Event) (index int64, err error) {
	if err := e.check(); err != nil {
		return 0, fmt.Errorf("audit: append: %w", err)
	}
	record, err := coop.Canonical(e.Record)
	if err != nil {
		return 0, fmt.Errorf("audit: append %s: %w", e.Kind, err)
	}
	salt := make([]byte, sha256.Size)
	_, _ = rand.Read(salt) // never fails (crypto/rand)
	text, err := json.Marshal(leaf{
		Commitment: commitment(salt, record), Erases: e.Erases, Hour: l.clock().Unix() / 3600,
		Kind: e.Kind, Revision: e.Revision, Verdict: e.Verdict,
	})
	if err != nil {
		return 0, fmt.Errorf("audit: append %s: %w", e.Kind, err)
	}
	index, err = add(tx, text, salt, record)
	if err != nil {
		return 0, fmt.Errorf("audit: append %s: %w", e.Kind, err)
	}
	return index, nil
}

// add stores a leaf, the hashes it completes and its record.
func add(tx *db.Tx, text, salt, record []byte) (int64, error) {
	index, err := appendLeaf(tx, text)
	if err != nil {
		return 0, err
	}
	return index, insertRecord(tx, index, salt, record)
}

func commitment(salt, record []byte) string {
	mac := hmac.New(sha256.New, salt)
	mac.Write(record)
	return hex.EncodeToString(mac.Sum(nil))
}

var errNoEntry = fault.New(fault.NotFound, "log-entry-not-found", "There is no such entry in the log.")

// Erase destroys the record and the salt of an entry, in the caller's
// transaction; nobody can tell afterwards what the leaf committed to. The leaf
// and all proofs stay valid. Erasing twice is harmless.
func (l *Log) Erase(tx *db.Tx, index int64) error {
	n, err := size(tx)
	if err != nil {
		return fmt.Errorf("audit: erase: %w", err)
	}
	if index < 0 || index >= n {
		return errNoEntry
	}
	if err := deleteRecord(tx, index); err != nil {
		return fmt.Errorf("audit: erase: %w", err)
	}
	return nil
}
