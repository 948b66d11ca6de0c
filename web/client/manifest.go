package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"distributed.ai/datacoop/web/client/resume"
)

// FetchManifest says what is in a folder Fetch has filled and what may not be.
type FetchManifest struct {
	Server  string        `json:"server"`
	Request string        `json:"request"`
	Files   []FetchedFile `json:"files"`
	Refused []RefusedFile `json:"refused"`
	Waiting []RefusedFile `json:"waiting,omitempty"` // until their members, who keep the only keys, have approved
}

// FetchedFile is one decrypted file.
type FetchedFile struct {
	ID              string `json:"id"`
	File            string `json:"file"` // its name in the folder
	Raw             bool   `json:"raw"`  // the export itself, not the pool's table
	SHA256          string `json:"sha256"`
	PlaintextSHA256 string `json:"plaintext_sha256"`
	Bytes           int64  `json:"bytes"` // of plaintext
}

// RefusedFile is one that could not be had, and why in a sentence.
type RefusedFile struct {
	ID     string `json:"id"`
	Reason string `json:"reason"`
}

const manifestName = "manifest.json"

// manifestInterval keeps a thousand small files from writing a thousand
// manifests. A file missing from one after a crash is fetched again.
const manifestInterval = time.Second

type manifestFile struct {
	dir string

	mu    sync.Mutex // guards the following
	saved time.Time
	FetchManifest
}

func openManifest(dir, server, request string) (*manifestFile, error) {
	m := &manifestFile{dir: dir, saved: time.Now(), FetchManifest: FetchManifest{Server: server, Request: request,
		Files: []FetchedFile{}, Refused: []RefusedFile{}}}
	text, err := os.ReadFile(filepath.Join(dir, manifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read manifest: %w", err)
	}
	var before FetchManifest
	if err := json.Unmarshal(text, &before); err != nil {
		return nil, errors.New("the folder holds a manifest.json that is not of this program")
	}
	if before.Server != server || before.Request != request {
		return nil, errors.New("the folder holds the files of another request; choose another folder")
	}
	m.Files = append(m.Files, before.Files...)
	return m, nil
}

// has reports whether the file is here already and still what it was. An entry
// that is not is dropped.
func (m *manifestFile) has(file File) bool {
	m.mu.Lock()
	i := slices.IndexFunc(m.Files, func(e FetchedFile) bool { return e.ID == file.ID })
	if i < 0 {
		m.mu.Unlock()
		return false
	}
	entry := m.Files[i]
	m.mu.Unlock()
	if entry.SHA256 == file.SHA256 && entry.File == fileName(file) {
		if sum, err := fileSHA256(filepath.Join(m.dir, entry.File)); err == nil && sum == entry.PlaintextSHA256 {
			return true
		}
	}
	m.drop(file.ID)
	return false
}

func (m *manifestFile) drop(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.Files = slices.DeleteFunc(m.Files, func(e FetchedFile) bool { return e.ID == id })
}

func (m *manifestFile) add(file FetchedFile) error {
	m.mu.Lock()
	m.Files = append(m.Files, file)
	due := time.Since(m.saved) >= manifestInterval
	m.mu.Unlock()
	if !due {
		return nil
	}
	return m.save()
}

func (m *manifestFile) refuse(id, reason string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.Refused = append(m.Refused, RefusedFile{ID: id, Reason: reason})
}

func (m *manifestFile) wait(id, reason string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.Waiting = append(m.Waiting, RefusedFile{ID: id, Reason: reason})
}

// save writes the manifest, its entries in the order of their ids.
func (m *manifestFile) save() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	slices.SortFunc(m.Files, func(a, b FetchedFile) int { return strings.Compare(a.ID, b.ID) })
	for _, list := range [][]RefusedFile{m.Refused, m.Waiting} {
		slices.SortFunc(list, func(a, b RefusedFile) int { return strings.Compare(a.ID, b.ID) })
	}
	text, err := json.MarshalIndent(m.FetchManifest, "", "  ")
	if err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	m.saved = time.Now()
	return resume.ReplaceFile(filepath.Join(m.dir, manifestName), append(text, '\n'))
}
