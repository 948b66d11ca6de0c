// Package ops holds the commands with which operators look after a co-op's
// data: doctor says how things stand, backup copies them while the server runs,
// restore brings them back, migrate changes their tables for a newer version.
//
// # What a backup is
//
// Both databases, each as it was at one moment; every encrypted file they name;
// charter, settings, the server's signing keys and the sealed master key; and a
// manifest with the SHA-256 of everything. It is a folder or one archive, which
// can be encrypted to an age recipient. What is never in it: the epochs' keys
// and passphrases. The rows of the keystore are sealed to an epoch's key, and
// that key is destroyed when its epoch ends: from then on no backup of that time
// opens any dataset, so that what a member has revoked is gone from every copy.
// The price is that a backup is good for one epoch, and that the epochs' keys
// need a second home of their own, where they are destroyed too.
//
// # What a restore guarantees
//
// Nothing is written before every byte has been compared with the manifest, and
// nothing but into an empty directory. What the co-op's own published log says
// was revoked after the backup is revoked again before anything is served; the
// log goes on where it stood; and if answers of members or laws have been lost,
// every member is paused until they resume for themselves. Whoever cannot show
// the newer log must say that there is none: until then the server does not
// start on what was restored.
//
// # What it refuses
//
// Names that no backup has, links and special files, whatever the manifest does
// not list, a log that does not continue the backup's own. A doctor changes
// nothing and prints no secret. PostgreSQL has tools of its own for copies.
package ops

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"distributed.ai/datacoop/cmd/datacoop/custody"
	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/vault"
)

// Names in a data directory, beside those of package custody.
const (
	mainFile     = "datacoop.db"
	charterFile  = "charter.toml"
	settingsFile = "datacoop.toml"
	keysFile     = custody.KeysFile
	clockFile    = "demo.clock"
	blobsDir     = "blobs"
	judgeDir     = "judge"
	acmeDir      = "acme"
	ballastFile  = "ballast"
	phraseFile   = "vault.passphrase"
	noteFile     = "backup.json"   // when the last backup was made
	markFile     = "restored.json" // what is still to be done after a restore
	manifestFile = "manifest.json"
)

// House is what the front door lends these commands.
type House struct {
	// Open opens the rooms of a data directory, with the vault locked.
	Open func(ctx context.Context, dir, charter string) (*Rooms, error)
	// Migrate opens every room of a data directory that nobody serves, and answers
	// what became of their tables.
	Migrate func(ctx context.Context, dir, database, charter string) ([]db.Migrated, error)
	// Charter reads the charter of a data directory.
	Charter func(dir, path string) (text []byte, charter coop.Charter, err error)
	// LogKey answers the name of a data directory's log and the key that signs it.
	LogKey func(dir string, charter coop.Charter) (origin string, key ed25519.PrivateKey, err error)
	// Bar shows how far something has come, until end is called.
	Bar func(what string) (show func(done, total int64), end func())
	// Clock is the domain clock of a data directory.
	Clock func(dir string) (coop.Clock, error)
}

// Rooms is what a restore works on.
type Rooms struct {
	DB      *db.DB
	Log     *audit.Log
	Consent *consent.Service
	Vault   *vault.Service
	Clock   coop.Clock
	Verify  func(ctx context.Context) (said string, err error)
	Close   func() error
}

// inside are the names that a backup can have, and so all that a restore writes.
var inside = regexp.MustCompile(`^(` + strings.Join([]string{
	`datacoop\.db`, `keystore\.db`, `charter\.toml`, `datacoop\.toml`, `server\.keys`, `vault\.key\.age`, `vault\.shares\.json`,
	`demo\.clock`, `judge/[0-9A-Za-z_-]{1,128}\.(log|jsonl)`, `blobs/payload/[0-9a-f]{2}/[0-9a-f]{32}`,
}, "|") + `)$`)

// needed are the names without which there is no co-op.
var needed = []string{mainFile, custody.KeystoreFile, charterFile, keysFile}

func payloadName(blob string) string { return "blobs/payload/" + blob[:2] + "/" + blob }

// mark is kept in a restored directory until it may be served.
type mark struct {
	State  string `json:"state"`
	MadeAt string `json:"made_at"` // of the backup
	Leaves int64  `json:"leaves"`  // of the log in it
}

// The states of a mark.
const (
	markUnfinished   = "unfinished"   // files are being written
	markUnreconciled = "unreconciled" // nobody has said what was revoked since
)

func readMark(dir string) (m mark, found bool, err error) {
	text, err := os.ReadFile(filepath.Join(dir, markFile))
	if errors.Is(err, fs.ErrNotExist) {
		return mark{}, false, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil {
		return mark{}, true, fmt.Errorf("%s: %w", markFile, err)
	}
	return m, true, nil
}

func writeMark(dir string, m mark) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return custody.WritePrivate(filepath.Join(dir, markFile), append(text, '\n'))
}

// Refuse refuses to serve a directory whose restore is not over: what members
// have revoked since the backup would come back.
func Refuse(dir string) error {
	m, found, err := readMark(dir)
	switch {
	case err != nil:
		return err
	case !found:
		return nil
	case m.State == markUnfinished:
		return errors.New("this directory was being restored and is not whole; empty it and restore again")
	}
	return fmt.Errorf("this directory was restored from a backup of %s, and nobody has said what was revoked since: "+
		"run \"datacoop restore --data DIR --log …\" with the log as the co-op has published it, or with --nothing-newer if the server was stopped before that backup", m.MadeAt)
}

// elsewhere reports whether the main database has a server of its own. Told is
// its address, if it is not noted in the directory.
func elsewhere(dir, told string) (bool, error) {
	if custody.OnServer(told) {
		return true, nil
	}
	address, err := custody.Database(dir, told)
	return custody.OnServer(address), err
}

// size writes a number of bytes for people.
func size(n int64) string {
	const kilo = 1000
	value, unit := float64(n), 0
	units := []string{"B", "kB", "MB", "GB", "TB"}
	for value >= kilo && unit < len(units)-1 {
		value, unit = value/kilo, unit+1
	}
	if unit == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", value, units[unit])
}

// count writes a number with its noun.
func count[N int | int64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
