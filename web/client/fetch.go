package client

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/web/client/rest"
)

// FetchOptions says what a researcher fetches and where to.
type FetchOptions struct {
	Request    string
	Out        string     // folder, made if it is not there
	Identities []Identity // one of them belongs to the request's recipient
	Parallel   int        // downloads at once; 0 for 4, at most 32

	Progress func(done, total int64) // told the bytes of ciphertext that are here, one call at a time
}

const usualParallel = 4

// ErrTampered says that what arrived is not what was listed, or not an intact
// age file. Nothing of it is kept.
var ErrTampered = errors.New("a file is not what the server listed: it is damaged or has been tampered with")

// errNothing ends a Fetch of a request without files.
var errNothing = errors.New("there is nothing to fetch: the request has no files, or is not open yet")

// Fetch downloads everything a request was granted, verifies and decrypts it,
// and writes a FetchManifest as manifest.json beside the files. A file appears
// in Out, under its id, only when the SHA-256 of its ciphertext equals the
// listing's and every chunk of it has been authenticated; until then its
// ciphertext is kept in Out/.partial, from where an interrupted download goes
// on. Files that are there already are verified and not fetched again.
//
// A file that the policy refuses now, or that its member has taken back, is
// listed as refused, and one whose member keeps the only key and has not
// approved yet as waiting; neither is an error. A file that fails verification is
// ErrTampered, once the others have been fetched. Everything else, among it
// ErrWrongIdentity, ends Fetch at once. The manifest is valid in every case.
func (c *Client) Fetch(ctx context.Context, o FetchOptions) (FetchManifest, error) {
	if len(o.Identities) == 0 {
		return FetchManifest{}, errors.New("an identity is needed to open the files")
	}
	f := &fetching{c: c, o: o}
	if err := f.list(ctx); err != nil {
		return FetchManifest{}, err
	}
	if err := f.prepare(); err != nil {
		return FetchManifest{}, err
	}
	err := f.all(ctx)
	if kept := f.manifest.save(); err == nil {
		err = kept
	}
	if err == nil {
		err = os.RemoveAll(f.partial())
	} else {
		_ = os.Remove(f.partial()) // stays if there is something to go on with
	}
	return f.manifest.FetchManifest, err
}

type fetching struct {
	c        *Client
	o        FetchOptions
	files    []File
	manifest *manifestFile

	mu    sync.Mutex // guards the following
	done  int64
	total int64
	bad   error // files that failed verification
}

func (f *fetching) partial() string { return filepath.Join(f.o.Out, ".partial") }

// list asks for the files. Their ids become file names, so they must be ids.
func (f *fetching) list(ctx context.Context) error {
	seen := map[string]bool{}
	for file, err := range f.c.Files(ctx, f.o.Request) {
		if err != nil {
			return err
		}
		if !coop.ValidID(file.ID) || seen[file.ID] || file.Size < 0 {
			return errors.New("the server's list of files is not well formed")
		}
		seen[file.ID] = true
		f.files = append(f.files, file)
		if !file.Gone && file.State != FileAwaiting {
			f.total += file.Size
		}
	}
	if len(f.files) == 0 {
		return errNothing
	}
	return nil
}

func (f *fetching) prepare() (err error) {
	if err := os.MkdirAll(f.partial(), 0o700); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	f.manifest, err = openManifest(f.o.Out, f.c.Base(), f.o.Request)
	return err
}

// all fetches with several workers and stops at the first failure that is not
// about one file alone.
func (f *fetching) all(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	work := make(chan File)
	var workers sync.WaitGroup
	for range f.workers() {
		workers.Go(func() {
			for file := range work {
				if err := f.one(ctx, file); err != nil {
					stop(err)
				}
			}
		})
	}
feeding:
	for _, file := range f.files {
		select {
		case work <- file:
		case <-ctx.Done():
			break feeding
		}
	}
	close(work)
	workers.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return f.bad
}

func (f *fetching) workers() int {
	n := f.o.Parallel
	if n <= 0 {
		n = usualParallel
	}
	return min(n, rest.Connections, len(f.files))
}

// one brings a single file in, or notes why not.
func (f *fetching) one(ctx context.Context, file File) error {
	if file.Gone {
		f.manifest.refuse(file.ID, "The member has taken this dataset back; copies have to be deleted.")
		return nil
	}
	if f.manifest.has(file) {
		f.advance(file.Size)
		return nil
	}
	got, err := f.bring(ctx, file)
	switch {
	case err == nil:
		return f.manifest.add(got)
	case refusedNow(err):
		f.manifest.refuse(file.ID, err.Error())
		return nil
	case awaits(err):
		f.manifest.wait(file.ID, err.Error())
		return nil
	case errors.Is(err, ErrTampered):
		f.mu.Lock()
		defer f.mu.Unlock()
		f.bad = errors.Join(f.bad, fmt.Errorf("%s: %w", file.ID, err))
		return nil
	}
	return err
}

// refusedNow reports whether err is about this file and final: forbidden, no
// longer there, taken back.
func refusedNow(err error) bool { return IsStatus(err, 403, 404, 410) }

// awaits reports whether err says that a member has to approve first.
func awaits(err error) bool {
	var p *ProblemError
	return errors.As(err, &p) && p.Code() == "awaiting-member"
}

func (f *fetching) advance(n int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.done += n
	if f.o.Progress != nil {
		f.o.Progress(f.done, f.total)
	}
}
