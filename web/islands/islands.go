// Package islands is the part of the portal that runs in a member's browser:
// adding data, where the file is read, reduced, shown, encrypted and sent; and
// the member's own key, which is made, locked, opened and used there.
//
// # What it is for
//
// src holds the sources (TypeScript), vendor the few files of other people's
// packages that they need, with their licences, and dist what browsers get:
// add.js and own.js for pages, worker.js for their Worker, reducer.wasm (the codebook's
// reducer, from package reducer) and add.css. The pages themselves are the
// portal's: /data/add, /key, /data/{id}/open and /approvals. [Handler] serves dist under [Folder], which is named by the
// digest of it all. Every sentence of the scripts is in src/words.ts, in English;
// the page says the Worker's, and loads other languages, see package language.
//
// # What it guarantees
//
// The bundle is committed, and the package's test builds it again from src and
// vendor, without npm and without a network, and compares bytes: any member
// can check what they were served. [PagePolicy] lets the page run nothing but
// these files and talk to nobody but this server; a page in another language runs
// one more of its own, a list of sentences that the server wrote as JSON. What leaves the browser is
// ciphertext and what codebook.Profile says; a test plants identifiers in
// exports and looks for them in everything that is sent.
//
// # What it refuses
//
// To send plaintext, names of files or devices, columns the codebook does not
// know, or a member's secret key. To load anything from elsewhere.
//
// After a change in src, in reducer or in the codebook:
//
//	npm ci && go generate     in web/islands; npm only to renew vendor
package islands

//go:generate go test . -run TestBundle -count=1 -update

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

//go:embed dist
var dist embed.FS

// Assets are the files as they are committed; reducer.wasm is packed.
func Assets() fs.FS {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // the name is a constant
	}
	return files
}

// Content security policies. The page runs scripts of this server alone and
// makes a Worker of exactly one of them; only the Worker compiles WebAssembly.
const (
	common     = "default-src 'none'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
	PagePolicy = common + "script-src 'self'; worker-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; trusted-types worker"

	workerPolicy = common + "script-src 'self' 'wasm-unsafe-eval'; trusted-types 'none'"
)

// kinds are the media types of what is served.
var kinds = map[string]string{
	".js":   "text/javascript; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".txt":  "text/plain; charset=utf-8",
	".wasm": "application/wasm",
}

// file is one file as it is sent, packed by gzip.
type file struct {
	kind   string
	packed []byte
}

type bundle struct {
	folder string
	files  map[string]file
}

// load packs the bundle once. What fails was committed wrong.
var load = sync.OnceValue(func() bundle {
	b, err := read(Assets())
	if err != nil {
		panic(fmt.Errorf("islands: %w", err))
	}
	return b
})

func read(from fs.FS) (bundle, error) {
	b, sum := bundle{files: map[string]file{}}, sha256.New()
	names, err := fs.Glob(from, "*.*")
	if err != nil {
		return b, err
	}
	for _, name := range names {
		data, err := fs.ReadFile(from, name)
		if err != nil {
			return b, err
		}
		fmt.Fprintf(sum, "%s %d\n%s", name, len(data), data)
		plain, packed := strings.CutSuffix(name, ".gz")
		if !packed {
			if data, err = pack(data); err != nil {
				return b, err
			}
		}
		b.files[plain] = file{kinds[path.Ext(plain)], data}
	}
	b.folder = "/islands/" + hex.EncodeToString(sum.Sum(nil)[:8])
	return b, nil
}

// pack is gzip without a time, so that the same bytes give the same bytes.
func pack(data []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	err = w.Close()
	return out.Bytes(), err
}

// Folder is where the files of this program are: /islands/ and their digest.
func Folder() string { return load().folder }

// Handler serves /islands/{digest}/{name}. Under another digest, that of an
// older or a newer program, there is nothing: half of one bundle and half of
// another would not work together.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b := load()
		folder, name := path.Split(r.URL.Path)
		f, ok := b.files[name]
		if !ok || folder != b.folder+"/" {
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		h.Set("Content-Type", f.kind)
		h.Set("Vary", "Accept-Encoding")
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		if name == "worker.js" {
			h.Set("Content-Security-Policy", workerPolicy)
		}
		f.send(w, r)
	})
}

func (f file) send(w http.ResponseWriter, r *http.Request) {
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.Header().Set("Content-Encoding", "gzip")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.packed))
		return
	}
	plain, err := gzip.NewReader(bytes.NewReader(f.packed))
	if err == nil && r.Method != http.MethodHead {
		_, _ = io.Copy(w, plain) //nolint:gosec // our own artifact; the only failure is a reader who is gone
	}
}
