package ops

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"distributed.ai/datacoop/cmd/datacoop/custody"
)

// manifestType names the form of a backup.
const manifestType = "datacoop-backup/1"

// maxManifest is the longest manifest that is read: some millions of files.
const maxManifest = 1 << 30

// Manifest says what a backup holds.
type Manifest struct {
	Type       string `json:"type"`
	CoOp       string `json:"co_op"`
	MadeAt     string `json:"made_at"`    // RFC 3339, UTC: when the databases were copied
	Leaves     int64  `json:"log_leaves"` // entries of the log
	Checkpoint string `json:"checkpoint"` // signed note over them

	// Epoch is the one whose key the newest rows of the keystore need, 0 if
	// there is none; OpensUntil is by when that key is destroyed.
	Epoch      int64  `json:"epoch,omitempty"`
	OpensUntil string `json:"opens_until,omitempty"`

	Datasets int64    `json:"datasets"`          // payloads, sealed or waiting for it
	Damaged  []string `json:"damaged,omitempty"` // datasets that were not whole when the backup was made
	Files    []File   `json:"files"`             // by name

	// Signature is made with the key that signs the log, over everything else
	// here. That key is in the backup too: who alters both is caught by the
	// log that was published, which the other key has not signed.
	Signature string `json:"signature"`
}

// File is one file of a backup.
type File struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`

	// Dropped marks a payload that was revoked while the archive was written:
	// its bytes are in it, and no restore takes them out.
	Dropped bool `json:"dropped,omitempty"`
}

var errManifest = errors.New("the manifest is not one of a backup")

// parseManifest reads a manifest and refuses one that names what no backup has.
func parseManifest(r io.Reader) (m Manifest, err error) {
	in := json.NewDecoder(io.LimitReader(r, maxManifest))
	in.DisallowUnknownFields()
	if err := in.Decode(&m); err != nil {
		return m, fmt.Errorf("%w: %w", errManifest, err)
	}
	if m.Type != manifestType {
		return m, errManifest
	}
	seen := map[string]bool{}
	for _, f := range m.Files {
		if !allowed(f.Name) || seen[f.Name] || f.Size < 0 || len(f.SHA256) != hex.EncodedLen(sha256.Size) {
			return m, fmt.Errorf("%w: it lists %.120q", errManifest, f.Name)
		}
		seen[f.Name] = true
	}
	for _, name := range needed {
		if !seen[name] {
			return m, fmt.Errorf("%w: %s is not in it", errManifest, name)
		}
	}
	return m, nil
}

// allowed reports whether a backup can hold a file of that name.
func allowed(name string) bool {
	if !inside.MatchString(name) {
		return false
	}
	blob, ok := strings.CutPrefix(name, "blobs/payload/")
	return !ok || blob[:2] == blob[3:5]
}

// signedText is what Signature covers.
func (m Manifest) signedText() ([]byte, error) {
	m.Signature = ""
	text, err := m.text()
	return append([]byte(manifestType+" manifest\n"), text...), err
}

func (m Manifest) sign(key ed25519.PrivateKey) (Manifest, error) {
	text, err := m.signedText()
	m.Signature = base64.StdEncoding.EncodeToString(ed25519.Sign(key, text))
	return m, err
}

// verify checks the signature with the keys that are in the backup.
func (m Manifest) verify(keys []byte) error {
	var k custody.ServerKeys
	if err := json.Unmarshal(keys, &k); err != nil || len(k.LogSeed) != ed25519.SeedSize {
		return fmt.Errorf("%s in the backup is damaged: nothing was written", keysFile)
	}
	signature, err := base64.StdEncoding.Strict().DecodeString(m.Signature)
	if err != nil {
		return errAltered
	}
	text, err := m.signedText()
	if err != nil {
		return err
	}
	if public, ok := k.Log().Public().(ed25519.PublicKey); !ok || !ed25519.Verify(public, text, signature) {
		return errAltered
	}
	return nil
}

var errAltered = errors.New("the manifest was altered after the backup was made: nothing was written")

func (m Manifest) text() ([]byte, error) {
	slices.SortFunc(m.Files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	text, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	return append(text, '\n'), nil
}

// bytes is the size of everything that a restore writes.
func (m Manifest) bytes() (total int64) {
	for _, f := range m.Files {
		if !f.Dropped {
			total += f.Size
		}
	}
	return total
}

func (m Manifest) byName() map[string]File {
	out := make(map[string]File, len(m.Files))
	for _, f := range m.Files {
		out[f.Name] = f
	}
	return out
}

// digest reads r to its end, copies it to w and answers size and hex SHA-256.
func digest(w io.Writer, r io.Reader) (int64, string, error) {
	hash := sha256.New()
	n, err := io.Copy(io.MultiWriter(hash, w), r)
	return n, hex.EncodeToString(hash.Sum(nil)), err
}
