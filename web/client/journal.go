package client

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

// journal remembers one upload between runs, beside its ciphertext: encrypting
// again would give other bytes, which no server could append to what it has.
// It holds no secret and nothing in the clear.
type journal struct {
	dir, name string
	resumed   bool // something of an earlier run was found
	progress
}

// progress is the stored part. A field is set once its step is done.
type progress struct {
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

// abandoned is when an upload nobody went on with is swept away.
const abandoned = 30 * 24 * time.Hour

func openJournal(dir, name string) (*journal, error) {
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
	sweep(dir, time.Now().Add(-abandoned))
	j := &journal{dir: dir, name: name}
	text, err := os.ReadFile(j.path(".json"))
	if err == nil && json.Unmarshal(text, &j.progress) == nil && j.Key != "" {
		j.resumed = true
		return j, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the upload's state: %w", err)
	}
	j.progress = progress{Key: rest.NewKey()}
	return j, j.save()
}

func (j *journal) path(suffix string) string { return filepath.Join(j.dir, j.name+suffix) }

// ciphertext names the encrypted file by its dataset, so that two runs never
// write the same one.
func (j *journal) ciphertext() string { return j.path("-" + j.Dataset + ".age") }

func (j *journal) save() error {
	text, err := json.Marshal(j.progress)
	if err != nil {
		return fmt.Errorf("keep the upload's state: %w", err)
	}
	return replaceFile(j.path(".json"), text)
}

// discard forgets the upload and its ciphertext.
func (j *journal) discard() error {
	var failed []error
	for _, path := range []string{j.path(".json"), j.ciphertext()} {
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

// replaceFile puts data under a name at once or not at all, for its owner
// only.
func replaceFile(path string, data []byte) error {
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
