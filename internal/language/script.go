package language

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// ScriptFolder is where a catalogue's messages for scripts are served.
const ScriptFolder = "/languages/"

//go:embed scripts.json
var scripted []byte

// sayings are the messages that the pages' scripts say. Own ones are said by
// nobody else, and with their places filled they never come here to be said.
// Shared ones are those of others too, such as the codebook, whose reducer runs
// beside the scripts.
type sayings struct {
	Own    []string `json:"own"`
	Shared []string `json:"shared"`
}

var scripts = sync.OnceValues(func() (said sayings, err error) {
	err = json.Unmarshal(scripted, &said)
	return said, err
})

// script is what the scripts say in one language, as a script that runs before
// them: the pages' policy lets nothing else in.
type script struct {
	path   string // with a digest of the body
	body   []byte
	packed []byte // by gzip
}

func newScript(tag string, messages map[string]string, list []string) (script, error) {
	said := map[string]string{}
	for _, english := range list {
		if text, ok := messages[english]; ok {
			said[english] = text
		}
	}
	text, err := json.Marshal(said) // which writes no end of a line, nor of a tag
	if err != nil {
		return script{}, fmt.Errorf("language: %s: write the messages of the scripts: %w", tag, err)
	}
	body := slices.Concat([]byte("globalThis.messages="), text, []byte(";\n"))
	sum := sha256.Sum256(body)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err = w.Write(body)
	if err := errors.Join(err, w.Close()); err != nil {
		return script{}, fmt.Errorf("language: %s: pack the messages of the scripts: %w", tag, err)
	}
	return script{ScriptFolder + tag + "." + hex.EncodeToString(sum[:8]) + ".js", body, packed.Bytes()}, nil
}

// Script is the address of what a page's scripts say, for a page to load before
// them; "" for English, which they speak by themselves.
func (c *Catalogue) Script() string {
	if c == nil {
		return ""
	}
	return c.script.path
}

// ServeScript answers the address of a catalogue's messages for scripts. Where
// the answer is false nothing was written: there is none, or no longer.
func (s *Set) ServeScript(w http.ResponseWriter, r *http.Request) bool {
	at := slices.IndexFunc(s.catalogues, func(c *Catalogue) bool {
		return c.Script() == r.URL.Path && strings.HasPrefix(r.URL.Path, ScriptFolder)
	})
	if at < 0 {
		return false
	}
	h, body := w.Header(), s.catalogues[at].script.body
	h.Set("Content-Type", "text/javascript; charset=utf-8")
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = s.catalogues[at].script.packed
	}
	_, _ = w.Write(body) // the only failure is a reader who is gone
	return true
}
