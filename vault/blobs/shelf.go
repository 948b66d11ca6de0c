package blobs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"distributed.ai/datacoop/vault/bucket"
)

// directory keeps whole payloads as files under payload/.
type directory struct{ b *Store }

// layout makes every directory at once, so that no later write has to make
// one durable.
func (d directory) layout() error {
	errs := []error{d.b.mkdir(payloadDir)}
	for i := range 256 {
		errs = append(errs, d.b.mkdir(path.Join(payloadDir, fmt.Sprintf("%02x", i))))
	}
	return errors.Join(append(errs, d.b.syncDir(payloadDir), d.b.syncDir("."))...)
}

func (d directory) put(_ context.Context, name string) error {
	if err := d.b.root.Rename(partialPath(name), payloadPath(name)); err != nil {
		return err
	}
	return errors.Join(d.b.syncDir(path.Dir(payloadPath(name))), d.b.syncDir(partialDir))
}

func (d directory) open(_ context.Context, name string) (Payload, error) {
	return d.b.root.Open(payloadPath(name))
}

func (d directory) remove(_ context.Context, name string) error { return d.b.unlink(payloadPath(name)) }

func (d directory) names(context.Context) ([]string, error) { return d.b.files(payloadDir) }

func (d directory) close() error { return nil }

// remote keeps whole payloads in a bucket.
type remote struct {
	b     *Store
	store *bucket.Bucket
}

// put leaves the file where it is: until the row is written, the upload goes
// on from it after a crash.
func (r remote) put(ctx context.Context, name string) error {
	f, err := r.b.root.Open(partialPath(name))
	if err != nil {
		return err
	}
	return away(errors.Join(r.store.Put(ctx, name, f), f.Close()))
}

func (r remote) open(ctx context.Context, name string) (Payload, error) {
	o, err := r.store.Open(ctx, name)
	if err != nil {
		return nil, away(err)
	}
	return o, nil
}

func (r remote) remove(ctx context.Context, name string) error {
	return away(r.store.Remove(ctx, name))
}

func (r remote) names(ctx context.Context) ([]string, error) {
	names, err := r.store.Names(ctx)
	return names, away(err)
}

func (r remote) close() error { return r.store.Close() }

// away names the failure of a store that may be back in a minute.
func away(err error) error {
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return fmt.Errorf("%w (%w)", ErrStorageAway, err)
}
