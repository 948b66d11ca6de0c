// Package bucket keeps encrypted payloads in an object store.
//
// A co-op whose payloads outgrow one disk, or that runs several servers, keeps
// them in a bucket that speaks the S3 protocol. Uploads still come in through a
// local file, which acknowledges each part by an fsync; only a whole payload
// moves to the bucket, before its row says so. What is stored here is
// ciphertext under random names: the store learns sizes and times and no more.
//
// The package guarantees that an object is either there as a whole or not at
// all, and that writing never replaces an object somebody else may be reading:
// every write is conditional on the name being free (If-None-Match: *).
// Reading asks for ranges, so that a download can begin anywhere.
//
// It refuses stores that keep what was deleted without saying so: turn off
// versioning and object lock on the bucket, because an old version of a
// revoked payload outlives the revocation. It cannot check that itself.
package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/s3blob" // the scheme s3
	"gocloud.dev/gcerrors"
)

// folder holds the payloads, so that a bucket can hold other things too.
const folder = "payload/"

// Bucket is an open bucket. It is safe for concurrent use.
type Bucket struct{ b *blob.Bucket }

// Open opens a bucket by its URL, such as
// s3://payloads?region=eu-central-1 or, for another provider,
// s3://payloads?endpoint=https://s3.example&region=x&use_path_style=true.
// Credentials come from the environment, as the AWS SDK reads them. Nothing is
// asked of the store yet.
func Open(ctx context.Context, url string) (*Bucket, error) {
	b, err := blob.OpenBucket(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("bucket: open: %w", err)
	}
	return &Bucket{b}, nil
}

// Close lets go of the bucket.
func (b *Bucket) Close() error { return b.b.Close() }

// Put stores everything r yields under name. An object that an interrupted Put
// of the same name has left is replaced; nobody can be reading it, because a
// name is handed out only after Put has returned.
func (b *Bucket) Put(ctx context.Context, name string, r io.ReadSeeker) error {
	err := b.put(ctx, name, r)
	if gcerrors.Code(err) != gcerrors.FailedPrecondition {
		return wrap("put", err)
	}
	if err := b.Remove(ctx, name); err != nil {
		return err
	}
	return wrap("put", b.put(ctx, name, r))
}

func (b *Bucket) put(ctx context.Context, name string, r io.ReadSeeker) error {
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w, err := b.b.NewWriter(ctx, folder+name, &blob.WriterOptions{
		ContentType: "application/octet-stream", DisableContentTypeDetection: true, IfNotExist: true})
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, r); err != nil {
		cancel() // what has come so far must not become an object
		return errors.Join(err, w.Close())
	}
	return w.Close()
}

// Open opens an object for reading. It answers fs.ErrNotExist, wrapped, if
// there is none. The caller closes it.
func (b *Bucket) Open(ctx context.Context, name string) (*Object, error) {
	there, err := b.b.Exists(ctx, folder+name)
	if err != nil {
		return nil, wrap("open", err)
	}
	if !there {
		return nil, fmt.Errorf("bucket: open: %w", fs.ErrNotExist)
	}
	ctx, cancel := context.WithCancel(ctx)
	return &Object{ctx: ctx, cancel: cancel, b: b.b, name: folder + name}, nil
}

// Remove deletes an object. One that is not there is no error.
func (b *Bucket) Remove(ctx context.Context, name string) error {
	err := b.b.Delete(ctx, folder+name)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return nil
	}
	return wrap("remove", err)
}

// Names lists every object there is.
func (b *Bucket) Names(ctx context.Context) (names []string, err error) {
	list := b.b.List(&blob.ListOptions{Prefix: folder})
	for {
		object, err := list.Next(ctx)
		if errors.Is(err, io.EOF) {
			return names, nil
		}
		if err != nil {
			return nil, wrap("list", err)
		}
		names = append(names, path.Base(object.Key))
	}
}

func wrap(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case gcerrors.Code(err) == gcerrors.NotFound:
		return fmt.Errorf("bucket: %s: %w (%w)", what, fs.ErrNotExist, err)
	}
	return fmt.Errorf("bucket: %s: %w", what, err)
}

// Object reads one object. It is for one caller at a time.
type Object struct {
	ctx    context.Context
	cancel context.CancelFunc
	b      *blob.Bucket
	name   string
	r      *blob.Reader
	at     int64
}

// ReadAt implements io.ReaderAt. Reading on from where the last call stopped
// continues one request; anything else begins another.
func (o *Object) ReadAt(p []byte, off int64) (int, error) {
	if o.r == nil || o.at != off {
		if err := o.seek(off); err != nil {
			return 0, wrap("read", err)
		}
	}
	n, err := io.ReadFull(o.r, p)
	o.at += int64(n)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return n, io.EOF
	}
	return n, wrap("read", err)
}

func (o *Object) seek(off int64) (err error) {
	if o.r != nil {
		_ = o.r.Close() // nothing is lost when reading ends
	}
	o.r, err = o.b.NewRangeReader(o.ctx, o.name, off, -1, nil)
	o.at = off
	return err
}

// Close implements io.Closer. A Read under way ends.
func (o *Object) Close() error {
	o.cancel()
	if o.r == nil {
		return nil
	}
	return o.r.Close()
}
