package keystore

import (
	"bytes"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"filippo.io/age"
	"github.com/cloudflare/circl/group"
	"github.com/cloudflare/circl/secretsharing"

	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/vault/header"
)

// Names of the two forms that a split writes.
const (
	BoardType = "datacoop-shares/1"
	ShareType = "datacoop-share/1"
)

// maxCustodians bounds a split; a ceremony with more people does not happen.
const maxCustodians = 32

// shareLogN is scrypt's work factor for a passphrase of 256 random bits, which
// needs no stretching.
const shareLogN = minLogN

// What keeps shares from being put together.
var (
	ErrCustodians = fault.New(fault.Invalid, "custodians-malformed", "A split needs two to thirty-two different custodians, and a threshold of at least two and at most their number.")
	ErrBoard      = fault.New(fault.Invalid, "shares-board-malformed", "This is not the public part of a split.")
	ErrShare      = fault.New(fault.Invalid, "share-invalid", "One of the shares is malformed, altered, or of another split.")
	ErrTooFew     = fault.New(fault.Invalid, "shares-too-few", "There are fewer different shares than the split asks for.")
)

// The group that shares are computed in. Its order is a prime of 252 bits.
var shareGroup = group.Ristretto255

// Custody is a master identity under the joint control of custodians.
type Custody struct {
	Sealed []byte   // what SealMaster would write, under a passphrase that nobody has seen
	Board  []byte   // public: what every custodian checks their share against
	Shares [][]byte // one age file for each custodian, in the order they were named
}

// board is the public part of a split: Feldman's commitments to the polynomial
// whose value at i is the share of custodian i.
type board struct {
	Type        string   `json:"type"`
	Set         string   `json:"set"` // 128 random bits, hex: names the split
	Threshold   int      `json:"threshold"`
	Custodians  []string `json:"custodians"`  // age recipients; the first holds share 1
	Commitments []string `json:"commitments"` // hex
}

// share is what a custodian finds in their age file.
type share struct {
	Type  string `json:"type"`
	Set   string `json:"set"`
	Index int    `json:"index"`
	Value string `json:"value"` // hex
}

// SplitMaster seals a master identity so that any threshold of the custodians
// open it together and fewer learn nothing (Shamir). Each share is encrypted
// to its custodian's age recipient and can be checked without the others
// (Feldman, over Ristretto255, by circl). The passphrase exists only while
// this runs; the result is opened once from its own shares before it is
// returned.
//
// Errors: ErrCustodians, header.ErrRecipient.
func SplitMaster(master Identity, threshold int, custodians []string) (Custody, error) {
	to, err := checkCustodians(threshold, custodians)
	if err != nil {
		return Custody{}, err
	}
	secret := shareGroup.RandomNonZeroScalar(rand.Reader)
	split := secretsharing.New(rand.Reader, uint(threshold-1), secret) // checked to be 2 to 32
	var set [16]byte
	_, _ = rand.Read(set[:]) // never fails (crypto/rand)
	public := board{Type: BoardType, Set: hex.EncodeToString(set[:]), Threshold: threshold, Custodians: custodians}
	for _, c := range split.CommitSecret() {
		text, err := c.MarshalBinaryCompress()
		if err != nil {
			return Custody{}, fmt.Errorf("keystore: split: %w", err)
		}
		public.Commitments = append(public.Commitments, hex.EncodeToString(text))
	}
	var plain [][]byte
	for i, s := range split.Share(uint(len(custodians))) {
		text, err := shareText(public.Set, i+1, s.Value)
		if err != nil {
			return Custody{}, err
		}
		plain = append(plain, text)
	}
	return seal(master, public, plain, to)
}

func checkCustodians(threshold int, custodians []string) ([]age.Recipient, error) {
	if threshold < 2 || threshold > len(custodians) || len(custodians) > maxCustodians {
		return nil, ErrCustodians
	}
	var to []age.Recipient
	for i, text := range custodians {
		r, _, err := header.ParseRecipient(text)
		if err != nil {
			return nil, err
		}
		if slices.Contains(custodians[:i], text) {
			return nil, ErrCustodians
		}
		to = append(to, r)
	}
	return to, nil
}

func shareText(set string, index int, value group.Scalar) ([]byte, error) {
	raw, err := value.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("keystore: split: %w", err)
	}
	defer clear(raw)
	text, err := json.Marshal(share{Type: ShareType, Set: set, Index: index, Value: hex.EncodeToString(raw)})
	return append(text, '\n'), err
}

// seal makes the files of a split and opens them once.
func seal(master Identity, public board, plain [][]byte, to []age.Recipient) (out Custody, err error) {
	if out.Board, err = json.MarshalIndent(public, "", "  "); err != nil {
		return Custody{}, fmt.Errorf("keystore: split: %w", err)
	}
	passphrase, err := CombineShares(out.Board, plain[len(plain)-public.Threshold:]...)
	if err != nil {
		return Custody{}, fmt.Errorf("keystore: split: self-check: %w", err)
	}
	var sealed bytes.Buffer
	if err := SealMaster(&sealed, master, passphrase, shareLogN); err != nil {
		return Custody{}, err
	}
	again, err := OpenMaster(bytes.NewReader(sealed.Bytes()), passphrase)
	if err != nil {
		return Custody{}, fmt.Errorf("keystore: split: self-check: %w", err)
	}
	if !sameIdentity(master, again) {
		return Custody{}, errors.New("keystore: split: self-check: another identity came back")
	}
	out.Sealed = sealed.Bytes()
	for i, text := range plain {
		var file bytes.Buffer
		if err := encryptTo(&file, text, to[i]); err != nil {
			return Custody{}, fmt.Errorf("keystore: split: %w", err)
		}
		clear(text)
		out.Shares = append(out.Shares, file.Bytes())
	}
	return out, nil
}

func sameIdentity(a, b Identity) bool {
	x, _, err := identityText(a)
	y, _, err2 := identityText(b)
	return err == nil && err2 == nil && x == y
}

// OpenShare decrypts a custodian's file with their identity file, as "age -d"
// does. Error: ErrShare.
func OpenShare(file io.Reader, identities io.Reader) ([]byte, error) {
	ids, err := age.ParseIdentities(identities)
	if err != nil {
		return nil, ErrShare
	}
	plain, err := age.Decrypt(io.LimitReader(file, maxMasterFile), ids...)
	if err != nil {
		return nil, ErrShare
	}
	text, err := io.ReadAll(plain)
	if err != nil {
		return nil, ErrShare
	}
	return text, nil
}

// CombineShares puts decrypted shares together and answers the passphrase of
// the sealed master. Every share is checked against the board first, so that
// one that is wrong is refused instead of giving a wrong passphrase.
//
// Errors: ErrBoard, ErrShare, ErrTooFew.
func CombineShares(public []byte, texts ...[]byte) (passphrase string, err error) {
	b, commitments, err := parseBoard(public)
	if err != nil {
		return "", err
	}
	known := map[int]bool{}
	var shares []secretsharing.Share
	for _, text := range texts {
		index, s, err := b.parse(text, commitments)
		if err != nil {
			return "", err
		}
		if !known[index] {
			known[index], shares = true, append(shares, s)
		}
	}
	if len(shares) < b.Threshold {
		return "", ErrTooFew
	}
	secret, err := secretsharing.Recover(uint(b.Threshold-1), shares) // parseBoard has checked it
	if err != nil {
		return "", fmt.Errorf("keystore: combine: %w", err)
	}
	raw, err := secret.MarshalBinary()
	if err != nil {
		return "", fmt.Errorf("keystore: combine: %w", err)
	}
	defer clear(raw)
	key, err := hkdf.Key(sha256.New, raw, []byte(b.Set), "datacoop vault passphrase", sha256.Size)
	if err != nil {
		return "", fmt.Errorf("keystore: combine: %w", err)
	}
	defer clear(key)
	return hex.EncodeToString(key), nil
}

// CheckShare says which share of a split a decrypted text is, from 1 on.
// Errors: ErrBoard, ErrShare.
func CheckShare(public, text []byte) (index int, err error) {
	b, commitments, err := parseBoard(public)
	if err != nil {
		return 0, err
	}
	index, _, err = b.parse(text, commitments)
	return index, err
}

func parseBoard(text []byte) (b board, commitments []group.Element, err error) {
	if err := json.Unmarshal(text, &b); err != nil || b.Type != BoardType || len(b.Commitments) != b.Threshold {
		return b, nil, ErrBoard
	}
	if _, err := checkCustodians(b.Threshold, b.Custodians); err != nil {
		return b, nil, ErrBoard
	}
	for _, c := range b.Commitments {
		raw, err := hex.DecodeString(c)
		e := shareGroup.NewElement()
		if err != nil || e.UnmarshalBinary(raw) != nil {
			return b, nil, ErrBoard
		}
		commitments = append(commitments, e)
	}
	return b, commitments, nil
}

func (b board) parse(text []byte, commitments []group.Element) (int, secretsharing.Share, error) {
	var s share
	if err := json.Unmarshal(text, &s); err != nil || s.Type != ShareType || s.Set != b.Set || s.Index < 1 || s.Index > len(b.Custodians) {
		return 0, secretsharing.Share{}, ErrShare
	}
	raw, err := hex.DecodeString(s.Value)
	value := shareGroup.NewScalar()
	if err != nil || value.UnmarshalBinary(raw) != nil {
		return 0, secretsharing.Share{}, ErrShare
	}
	out := secretsharing.Share{ID: shareGroup.NewScalar().SetUint64(uint64(s.Index)), Value: value}
	if !secretsharing.Verify(uint(b.Threshold-1), out, commitments) { // parseBoard has checked it
		return 0, secretsharing.Share{}, ErrShare
	}
	return s.Index, out, nil
}
