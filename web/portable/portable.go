// Package portable writes everything that is held about one person into one
// archive they can take elsewhere: art. 15 and 20 of the GDPR.
//
// Each part is there twice: as JSON, exact and complete, and where it is a list
// also as CSV for a spreadsheet. Encrypted files follow as they are stored. The
// archive is a ZIP that is written as it is read, so that its size is bounded
// by the disk of whoever takes it and not by the server's memory.
//
// # What it guarantees
//
// An archive that was written to its end is whole: a part that can't be read
// ends it with an error and never with a gap. READ ME.txt comes first and says
// what each file is.
//
// # What it refuses
//
// To decide what belongs to whom: the caller brings parts that are the
// person's own.
package portable

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// Page reads one page of a list, from a cursor that is "" at its beginning;
// next is "" at its end.
type Page func(ctx context.Context, cursor string) (items []any, next string, err error)

// Part is one thing that is held: either a single document or a list.
type Part struct {
	Name     string // of its files, without an ending
	About    string // one sentence for who opens the archive
	Document func(ctx context.Context) (any, error)
	List     Page
}

// File is something that is stored as bytes.
type File struct {
	Name  string // within the archive
	About string
	Open  func() (io.ReadCloser, error)
}

// Archive is everything held about one person.
type Archive struct {
	Title string    // the first line of READ ME.txt
	Notes []string  // what else is to be said there, a paragraph each
	At    time.Time // when it is made
	Parts []Part
	Files []File
}

// Write writes the archive. After an error what was written is a torso, which
// the caller must not let pass for the whole.
func (a Archive) Write(ctx context.Context, w io.Writer) error {
	out := &archive{zip: zip.NewWriter(w), at: a.At}
	if err := out.text("READ ME.txt", a.readMe()); err != nil {
		return err
	}
	for _, p := range a.Parts {
		if err := out.part(ctx, p); err != nil {
			return fmt.Errorf("portable: %s: %w", p.Name, err)
		}
	}
	for _, f := range a.Files {
		if err := out.file(f); err != nil {
			return fmt.Errorf("portable: %s: %w", f.Name, err)
		}
	}
	if err := out.zip.Close(); err != nil {
		return fmt.Errorf("portable: %w", err)
	}
	return nil
}

func (a Archive) readMe() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n\n", a.Title, a.At.UTC().Format("2 January 2006, 15:04 UTC"))
	for _, p := range a.Notes {
		fmt.Fprintf(&b, "%s\n\n", p)
	}
	for _, p := range a.Parts {
		endings := ".json"
		if p.List != nil {
			endings = ".json, .csv"
		}
		fmt.Fprintf(&b, "%s%s\n    %s\n", p.Name, endings, p.About)
	}
	for _, f := range a.Files {
		fmt.Fprintf(&b, "%s\n    %s\n", f.Name, f.About)
	}
	return b.String()
}

type archive struct {
	zip *zip.Writer
	at  time.Time
}

func (a *archive) create(name string, method uint16) (io.Writer, error) {
	return a.zip.CreateHeader(&zip.FileHeader{Name: name, Method: method, Modified: a.at})
}

func (a *archive) text(name, text string) error {
	w, err := a.create(name, zip.Deflate)
	if err == nil {
		_, err = io.WriteString(w, text)
	}
	return err
}

func (a *archive) part(ctx context.Context, p Part) error {
	if p.List != nil {
		return a.list(ctx, p)
	}
	v, err := p.Document(ctx)
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return a.text(p.Name+".json", string(text)+"\n")
}

// list writes JSON first and learns from it which columns the CSV has; then it
// reads the list again.
func (a *archive) list(ctx context.Context, p Part) error {
	w, err := a.create(p.Name+".json", zip.Deflate)
	if err != nil {
		return err
	}
	columns, err := writeJSON(ctx, w, p.List)
	if err != nil {
		return err
	}
	if w, err = a.create(p.Name+".csv", zip.Deflate); err != nil {
		return err
	}
	return writeCSV(ctx, w, p.List, columns)
}

// file stores bytes as they are: ciphertext does not compress.
func (a *archive) file(f File) error {
	r, err := f.Open()
	if err != nil {
		return err
	}
	w, err := a.create(f.Name, zip.Store)
	if err == nil {
		_, err = io.Copy(w, r)
	}
	if closing := r.Close(); err == nil {
		err = closing
	}
	return err
}

// Document is a file of a text that is made when its turn comes.
func Document(name, about string, text func() ([]byte, error)) File {
	return File{Name: name, About: about, Open: func() (io.ReadCloser, error) {
		b, err := text()
		return io.NopCloser(bytes.NewReader(b)), err
	}}
}
