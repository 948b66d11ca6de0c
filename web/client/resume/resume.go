// Package resume is the client's memory of one upload.
//
// # What it is for
//
// An upload that was interrupted goes on where it stopped, in another run of the
// program: [Open] finds what is known of it, [Journal.Save] keeps each step.
//
// # What it guarantees
//
// What is kept is whole or not there: a file is written beside and renamed. Two
// datasets never share a ciphertext. What nobody went on with for a month is
// swept away.
//
// # What it refuses
//
// To hold a secret, or anything of the data in the clear.
package resume

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"distributed.ai/datacoop/web/client/rest"
)

// Journal remembers one upload, beside its ciphertext: encrypting again would
// give other bytes, which no server could append to what it has.
type Journal struct {
	Dir     string // where it lies
	name    string
	Resumed bool // something of an earlier run was found
	Progress
}

// Progress is the stored part. A field is set once its step is done.
type Progress struct {
	Key            string `json:"key"` // Idempotency-Key of opening the dataset
	Dataset        string `json:"dataset,omitempty"`
	VaultRecipient string `json:"vault_recipient,omitempty"`
	MaxBytes       int64  `json:"max_bytes,omitempty"`
	ChunkBytes     int64  `json:"chunk_bytes,omitempty"`
	Size           int64  `json:"size,omitempty"`   // of the whole age file
	SHA256         string `json:"sha256,omitempty"` // of the whole age file
	HeaderSHA256   string `json:"header_sha256,omitempty"`
	PayloadSize    int64  `json:"payload_size,omitempty"`
	PayloadSHA256  string `json:"payload_sha256,omitempty"`
	UploadKey      string `json:"upload_key,omitempty"` // Idempotency-Key of creating the upload
	Location       string `json:"location,omitempty"`
	Received       bool   `json:"received,omitempty"`
}

// Abandoned is when an upload nobody went on with is swept away.
const Abandoned = 30 * 24 * time.Hour

// Open reads the journal of that name in dir, or begins one. dir "" is a place in
// the user's cache.
func Open(dir, name string) (*Journal, error) {
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return nil, fmt.Errorf("find a place for the upload's state: %w", err)
		}
		dir = filepath.Join(cache, "datacoop", "uploads")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("keep the upload's state: %w", err)
	}
	sweep(dir, time.Now().Add(-Abandoned))
	j := &Journal{Dir: dir, name: name}
	text, err := os.ReadFile(j.path(".json"))
	if err == nil && json.Unmarshal(text, &j.Progress) == nil && j.Key != "" {
		j.Resumed = true
		return j, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the upload's state: %w", err)
	}
	j.Progress = Progress{Key: rest.NewKey()}
	return j, j.Save()
}

func (j *Journal) path(suffix string) string { return filepath.Join(j.Dir, j.name+suffix) }

// Ciphertext names the encrypted file by its dataset, so that two runs never
// write the same one.
func (j *Journal) Ciphertext() string { return j.path("-" + j.Dataset + ".age") }

// Save keeps the progress, at once or not at all.
func (j *Journal) Save() error {
	text, err := json.Marshal(j.Progress)
	if err != nil {
		return fmt.Errorf("keep the upload's state: %w", err)
	}
	return ReplaceFile(j.path(".json"), text)
}

// Discard forgets the upload and its ciphertext.
func (j *Journal) Discard() error {
	var failed []error
	for _, path := range []string{j.path(".json"), j.Ciphertext()} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = append(failed, fmt.Errorf("clean up after the upload: %w", err))
		}
	}
	return errors.Join(failed...)
}

// sweep removes what has not been touched since. It is a courtesy: what cannot
// be removed stays.
func sweep(dir string, since time.Time) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && info.ModTime().Before(since) {
			_ = os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// ReplaceFile puts data under a name at once or not at all, for its owner
// only.
func ReplaceFile(path string, data []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".tmp-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	_, err = tmp.Write(data)
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		_ = os.Remove(tmp.Name()) // the first error is the one that matters
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return nil
}
