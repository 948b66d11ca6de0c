package vault

import (
	"context"
	"crypto/ed25519"
	"io"
	"time"

	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/vault/blobs"
	"distributed.ai/datacoop/vault/hygiene"
	"distributed.ai/datacoop/vault/keystore"
	"distributed.ai/datacoop/vault/papers"
)

// Manifest is what a member's client says about its ciphertext; see package papers.
type Manifest = papers.Manifest

// Profile describes a dataset's contents in numbers.
type Profile = papers.Profile

// Receipt proves a revocation to its member.
type Receipt = papers.Receipt

// Statement is one thing a receipt says.
type Statement = papers.Statement

// ParseReceipt reads what Receipt.JSON wrote. It verifies nothing. Error: ErrReceipt.
func ParseReceipt(text []byte) (Receipt, error) { return papers.ParseReceipt(text) }

// VerifyReceipt checks a receipt against the co-op's public key. The text must
// be exactly what was handed out. Error: ErrReceipt.
func VerifyReceipt(text []byte, key ed25519.PublicKey) error { return papers.VerifyReceipt(text, key) }

// Harden keeps keys inside this process; see package hygiene. A server calls it
// before it has any key; children start without it.
func Harden() error { return hygiene.Harden() }

// Blobs keeps the payloads; see package blobs.
type Blobs = blobs.Store

// OpenBlobs keeps payloads as files in a directory, which must exist and belong
// to this process alone.
func OpenBlobs(dir string) (*Blobs, error) { return blobs.Open(dir) }

// OpenBucket is OpenBlobs with whole payloads in an object store: an S3 URL, of
// which package bucket says what must be switched off there. The directory
// holds uploads until they are whole.
func OpenBucket(ctx context.Context, dir, url string) (*Blobs, error) {
	return blobs.OpenBucket(ctx, dir, url)
}

// LookAtBlobs opens payloads for reading alone, also beside a server; url is
// empty where they are files.
func LookAtBlobs(ctx context.Context, dir, url string) (*Blobs, error) {
	return blobs.Look(ctx, dir, url)
}

// Identity is an age identity; the name spares callers age itself.
type Identity = keystore.Identity

// Epoch is a span of time in which the keystore's rows are sealed to one key.
type Epoch = keystore.Epoch

// DefaultHorizon is how long an epoch's key lives at most, and so how long a
// backup of the keystore can open anything that was revoked meanwhile.
const DefaultHorizon = keystore.DefaultHorizon

// NewMaster makes a master identity, post-quantum hybrid.
func NewMaster() (Identity, error) { return keystore.NewMaster() }

// SealMaster writes id to w as an age file encrypted with passphrase; stock age
// opens it with "age -d" and reads it as an identity file. LogN is scrypt's
// work factor as a power of two, from 10 to 22: 18 is about a second and right
// for a passphrase that people chose.
func SealMaster(w io.Writer, id Identity, passphrase string, logN int) error {
	return keystore.SealMaster(w, id, passphrase, logN)
}

// OpenMaster reads what SealMaster wrote. Error: ErrMasterKey.
func OpenMaster(r io.Reader, passphrase string) (Identity, error) {
	return keystore.OpenMaster(r, passphrase)
}

// Unlock gives the vault its master identity. The first one that a keystore
// sees becomes the one it is sealed to; any other is refused with
// ErrOtherMaster, so that no key is sealed to an identity nobody keeps.
//
// Errors: ErrOtherMaster; ErrEpochLost if the key file of the keystore's epoch
// is missing or does not fit, as when an old keystore was restored.
func (s *Service) Unlock(ctx context.Context, id Identity) error { return s.keys.Unlock(ctx, id) }

// Lock forgets the master identity and the epochs' keys: from now on Seal and
// Rewrap answer ErrVaultSealed. What Go's memory manager has copied is beyond
// reach; end the process to be rid of it.
func (s *Service) Lock() { s.keys.Lock() }

// Locked reports whether the master identity is absent.
func (s *Service) Locked() bool { return s.keys.Locked() }

// Epochs lists the keystore's epochs, oldest first. The last one is current;
// an earlier one whose key still exists is being ended.
func (s *Service) Epochs(ctx context.Context) ([]Epoch, error) { return s.keys.Epochs(ctx) }

// TurnEpoch begins a new epoch if the current one is nearly over, and ends the
// earlier ones, which makes every backup of the keystore from before worthless.
// It can be called at any time, also beside deliveries, and goes on where a
// crash has stopped it. A copy of the keystore should be made soon after.
//
// Error: ErrVaultSealed.
func (s *Service) TurnEpoch(ctx context.Context) error { return s.keys.Turn(ctx) }

// Rotate replaces the master identity while deliveries go on. The caller has
// stored next safely before, and destroys the old one after. Once it has
// begun, only next unlocks this keystore, even if Rotate fails half way;
// TurnEpoch, or Rotate with the same next, then finishes it. It cannot undo a
// leak: who has copied the old master, an epoch's key file and the keystore
// still has the keys that were in it.
//
// Error: ErrVaultSealed.
func (s *Service) Rotate(ctx context.Context, next Identity) error { return s.keys.Rotate(ctx, next) }

// Custody is a master identity under the joint control of custodians.
type Custody = keystore.Custody

// SplitMaster seals a master identity so that any threshold of the custodians,
// named by their age recipients, open it together and fewer learn nothing. See
// keystore.SplitMaster for how. Errors: those of that.
func SplitMaster(master Identity, threshold int, custodians []string) (Custody, error) {
	return keystore.SplitMaster(master, threshold, custodians)
}

// OpenShare decrypts a custodian's file with their identity file, as "age -d"
// does. Error: keystore.ErrShare.
func OpenShare(file, identities io.Reader) ([]byte, error) {
	return keystore.OpenShare(file, identities)
}

// CheckShare says which share of a split a decrypted text is, from 1 on.
func CheckShare(board, text []byte) (index int, err error) { return keystore.CheckShare(board, text) }

// CombineShares puts decrypted shares together and answers the passphrase of
// the sealed master. A share that is wrong is refused.
func CombineShares(board []byte, texts ...[]byte) (passphrase string, err error) {
	return keystore.CombineShares(board, texts...)
}

// CheckMaster answers nil if a master identity is the one that a keystore is
// sealed to and its epoch's key file is there and fits. It changes nothing and
// may be called beside a server. Errors: ErrOtherMaster, ErrEpochLost, and
// ErrVaultSealed for a keystore that no master has opened yet.
func CheckMaster(ctx context.Context, d *db.DB, epochDirs []string, id Identity) error {
	return keystore.Check(ctx, d, epochDirs, id)
}

// KeyReport is what can be told of a keystore without its master key.
type KeyReport = keystore.Report

// EpochSpan is what a KeyReport tells of one epoch.
type EpochSpan = keystore.EpochReport

// InspectKeys reports on a keystore by reading alone; see keystore.Inspect.
func InspectKeys(ctx context.Context, d *db.DB, epochDirs []string, now time.Time) (KeyReport, error) {
	return keystore.Inspect(ctx, d, epochDirs, now)
}

// CopyEpochs copies the key files of epochs from one directory to another, for
// a keystore that was restored, and answers those that are not there.
func CopyEpochs(from, to string, numbers ...int64) (missing []int64, err error) {
	return keystore.CopyEpochs(from, to, numbers...)
}
