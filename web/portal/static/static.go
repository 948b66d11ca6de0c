// Package static holds the portal's style sheets and images, as they are sent.
//
// It is an annex of the portal, whose pages name the folder. The style sheet is
// Pico CSS 2.1.1 as published on npm (@picocss/pico, css/pico.min.css, MIT
// licence, unchanged) and a small one of our own on top.
//
// # What it guarantees
//
// All files are under one folder that is named by the digest of them all: a
// browser may keep them for ever, and a style sheet names its images by their
// bare names. They are packed once, when they are read.
//
// # What it refuses
//
// Anything that is no style sheet and no image.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"mime"
	"net/http"
	"path"
	"regexp"
	"strings"
	"time"
)

//go:embed *.css *.svg
var files embed.FS

// inlined are pictures inside a style sheet. The content policy refuses them, and
// a browser that asks for one before portal.css has replaced it complains.
var inlined = regexp.MustCompile(`url\("data:[^"]*"\)`)

// file is one file as it is sent.
type file struct{ kind, plain, packed string }

// Files are the files and the folder that they are under.
type Files struct {
	Folder string // "/static/" and the digest
	byName map[string]file
}

// Read reads the embedded files. An error means that the program was built wrong.
func Read() (Files, error) {
	entries, err := files.ReadDir(".")
	if err != nil {
		return Files{}, err
	}
	a := Files{byName: map[string]file{}}
	sum := sha256.New()
	for _, e := range entries {
		text, err := files.ReadFile(e.Name())
		if err != nil {
			return Files{}, err
		}
		text = inlined.ReplaceAll(text, []byte("none"))
		packed, err := pack(text)
		if err != nil {
			return Files{}, err
		}
		a.byName[e.Name()] = file{mime.TypeByExtension(path.Ext(e.Name())), string(text), packed}
		fmt.Fprintf(sum, "%s %d\n%s", e.Name(), len(text), text)
	}
	a.Folder = "/static/" + hex.EncodeToString(sum.Sum(nil)[:8])
	return a, nil
}

func pack(text []byte) (string, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return "", err
	}
	if _, err := w.Write(text); err != nil {
		return "", err
	}
	err = w.Close()
	return out.String(), err
}

// Serve answers the file that the path values hash and name of a request name,
// and reports whether there is one. Under the digest of an older program the
// name still works, but is not kept.
func (a Files) Serve(w http.ResponseWriter, r *http.Request) bool {
	f, ok := a.byName[r.PathValue("name")]
	if !ok {
		return false
	}
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "no-cache")
	if "/static/"+r.PathValue("hash") == a.Folder {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	body := f.plain
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = f.packed
	}
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(body))
	return true
}
