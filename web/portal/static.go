package portal

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
	"strings"
	"time"
)

// The style sheet is Pico CSS 2.1.1 as published on npm (@picocss/pico,
// css/pico.min.css, MIT licence, unchanged) and a small one of our own on top.
//
//go:embed static
var files embed.FS

// asset is one file as it is sent.
type asset struct{ kind, plain, packed string }

// assets are the files under one folder that is named by the digest of them
// all: a browser may keep them forever, and a style sheet names its images by
// their bare names.
type assets struct {
	folder string
	byName map[string]asset
}

func readAssets() (assets, error) {
	entries, err := files.ReadDir("static")
	if err != nil {
		return assets{}, err
	}
	a := assets{byName: map[string]asset{}}
	sum := sha256.New()
	for _, e := range entries {
		kind := mime.TypeByExtension(path.Ext(e.Name()))
		if kind == "" || strings.HasSuffix(e.Name(), ".md") {
			continue
		}
		text, err := files.ReadFile("static/" + e.Name())
		if err != nil {
			return assets{}, err
		}
		packed, err := pack(text)
		if err != nil {
			return assets{}, err
		}
		a.byName[e.Name()] = asset{kind, string(text), packed}
		fmt.Fprintf(sum, "%s %d\n%s", e.Name(), len(text), text)
	}
	a.folder = "/static/" + hex.EncodeToString(sum.Sum(nil)[:8])
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

// static answers a file. Under the digest of an older program the name still
// works, but is not kept.
func (p *Portal) static(v *visit) error {
	a, ok := p.pages.assets.byName[v.r.PathValue("name")]
	if !ok {
		return errNotHere
	}
	h := v.w.Header()
	h.Set("Content-Type", a.kind)
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "no-cache")
	if "/static/"+v.r.PathValue("hash") == p.pages.assets.folder {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	body := a.plain
	if strings.Contains(v.r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = a.packed
	}
	http.ServeContent(v.w, v.r, "", time.Time{}, strings.NewReader(body))
	return nil
}
