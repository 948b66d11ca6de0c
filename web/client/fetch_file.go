package client

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"distributed.ai/datacoop/vault/header"
	"distributed.ai/datacoop/web/client/rest"
)

// part is a file on its way: its ciphertext so far, and the ETag that says of
// what.
type part struct {
	path string
	size int64
	etag string
}

func (f *fetching) part(file File) part {
	p := part{path: filepath.Join(f.partial(), file.ID+".age")}
	info, err := os.Stat(p.path)
	etag, unknown := os.ReadFile(p.path + ".etag")
	if err == nil && unknown == nil && info.Mode().IsRegular() && info.Size() <= file.Size {
		p.size, p.etag = info.Size(), string(etag)
	}
	return p
}

func (p part) remove() {
	_ = os.Remove(p.path) // what cannot be removed is overwritten by the next attempt
	_ = os.Remove(p.path + ".etag")
}

// bring downloads, verifies and decrypts one file. A part left by an earlier
// run may have suffered since, so a failure with one is not yet the server's.
func (f *fetching) bring(ctx context.Context, file File) (FetchedFile, error) {
	p := f.part(file)
	resumed := p.size > 0
	err := f.complete(ctx, file, &p)
	if err != nil {
		if refusedNow(err) || errors.Is(err, ErrTampered) {
			p.remove()
		}
		return FetchedFile{}, err
	}
	got, err := f.open(file, p)
	if !errors.Is(err, ErrTampered) {
		if err == nil {
			p.remove()
		}
		return got, err
	}
	p.remove()
	f.advance(-p.size)
	if resumed {
		return f.bring(ctx, file)
	}
	return FetchedFile{}, err
}

// complete downloads what is missing of a part. After a lost connection it
// goes on from the last byte; it gives up after several failures in a row
// without one.
func (f *fetching) complete(ctx context.Context, file File, p *part) error {
	f.advance(p.size)
	for failures := 0; p.size < file.Size || p.etag == ""; {
		before := p.size
		err := f.more(ctx, file, p)
		if err == nil {
			return nil
		}
		if !rest.Transient(err) {
			return err
		}
		if failures++; p.size > before {
			failures = 1
		}
		if failures >= rest.Attempts {
			return err
		}
		if err := f.c.conn.Pause(ctx, failures, err); err != nil {
			return err
		}
	}
	return nil
}

// more makes one download and appends what arrives, never more than was
// listed.
func (f *fetching) more(ctx context.Context, file File, p *part) error {
	d, err := f.c.Download(ctx, file.ID, p.size, p.etag)
	if IsStatus(err, http.StatusRequestedRangeNotSatisfiable) {
		f.advance(-p.size)
		p.size, p.etag = 0, ""
		d, err = f.c.Download(ctx, file.ID, 0, "")
	}
	if err != nil {
		return err
	}
	defer func() { _ = d.Body.Close() }() // it was only read
	if d.Total >= 0 && d.Total != file.Size {
		return ErrTampered
	}
	f.advance(d.Offset - p.size)
	out, err := p.continueAt(d)
	if err != nil {
		return fmt.Errorf("keep download: %w", err)
	}
	n, err := io.Copy(io.MultiWriter(out, meter{f}), io.LimitReader(d.Body, file.Size-d.Offset+1))
	p.size += n
	closed := out.Close()
	switch {
	case p.size > file.Size:
		return ErrTampered
	case p.size == file.Size && closed == nil:
		return nil
	case closed != nil:
		return fmt.Errorf("keep download: %w", closed)
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case isLocal(err):
		return fmt.Errorf("keep download: %w", err)
	}
	return rest.Cut()
}

// isLocal tells a full disk from a lost connection.
func isLocal(err error) bool {
	var local *os.PathError
	return errors.As(err, &local)
}

// continueAt opens the part for what the download brings. The ETag is written
// first, so that a part never passes for one of another file.
func (p *part) continueAt(d *Download) (*os.File, error) {
	if d.Offset == 0 {
		p.etag = d.ETag
		if err := errors.Join(os.RemoveAll(p.path), os.WriteFile(p.path+".etag", []byte(d.ETag), 0o600)); err != nil {
			return nil, err
		}
	}
	p.size = d.Offset
	out, err := os.OpenFile(p.path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if _, err := out.Seek(d.Offset, io.SeekStart); err != nil {
		return nil, errors.Join(err, out.Close())
	}
	return out, nil
}

// meter counts bytes into the progress.
type meter struct{ f *fetching }

func (m meter) Write(b []byte) (int, error) {
	m.f.advance(int64(len(b)))
	return len(b), nil
}

// open verifies a complete part against the listing, decrypts it aside and
// gives it its name only then. Losing power may lose the file but not leave a
// wrong one unnoticed: the manifest has its hash.
func (f *fetching) open(file File, p part) (FetchedFile, error) {
	in, err := os.Open(p.path)
	if err != nil {
		return FetchedFile{}, fmt.Errorf("read download: %w", err)
	}
	defer func() { _ = in.Close() }() // it was only read
	if err := verifyPayload(in, file.SHA256); err != nil {
		return FetchedFile{}, err
	}
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return FetchedFile{}, fmt.Errorf("read download: %w", err)
	}
	aside := filepath.Join(f.partial(), file.ID+".open")
	defer func() { _ = os.Remove(aside) }() // gone already once it has been renamed
	out, err := os.OpenFile(aside, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return FetchedFile{}, fmt.Errorf("write file: %w", err)
	}
	sum := sha256.New()
	n, err := decrypt(io.MultiWriter(out, sum), in, f.o.Identities)
	closed := out.Close()
	switch {
	case errors.Is(err, ErrWrongIdentity):
		return FetchedFile{}, err
	case isLocal(err), closed != nil:
		return FetchedFile{}, fmt.Errorf("write file: %w", errors.Join(err, closed))
	case err != nil:
		return FetchedFile{}, ErrTampered
	}
	got := FetchedFile{ID: file.ID, File: fileName(file), Raw: file.Raw, SHA256: file.SHA256,
		PlaintextSHA256: hex.EncodeToString(sum.Sum(nil)), Bytes: n}
	if err := os.Rename(aside, filepath.Join(f.o.Out, got.File)); err != nil {
		return FetchedFile{}, fmt.Errorf("write file: %w", err)
	}
	return got, nil
}

func fileName(file File) string {
	if file.Raw {
		return file.ID + ".raw"
	}
	return file.ID + ".csv"
}

// verifyPayload compares what follows the age header with the listed hash. The
// header is this recipient's own and is authenticated by age.
func verifyPayload(in io.Reader, want string) error {
	hdr, payload, err := header.Split(in)
	if err != nil {
		return ErrTampered
	}
	if _, err := header.Inspect(hdr); err != nil {
		return ErrTampered
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, payload); err != nil {
		return fmt.Errorf("read download: %w", err)
	}
	if hex.EncodeToString(sum.Sum(nil)) != want {
		return ErrTampered
	}
	return nil
}
