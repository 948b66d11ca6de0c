package ops

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"distributed.ai/datacoop/cmd/datacoop/custody"
	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/vault"
)

// packing is a backup while it is made.
type packing struct {
	*Backup
	to    sink
	work  string
	clock coop.Clock
	show  func(done, total int64)

	at      time.Time       // when the databases were copied
	stored  map[string]File // payloads in the sink, by name in the storage
	dropped []File
	gone    map[string]int // how often a payload or key was missed
	damaged []string
	epoch   *vault.EpochSpan
	done    int64
}

// rounds is how often the databases are copied anew because something was
// revoked meanwhile. Each round is much shorter than the one before.
const rounds = 12

// data copies payloads and databases until they fit together: what the copied
// databases name is in the backup, and what they no longer name is not.
func (p *packing) data(ctx context.Context) error {
	blobs, err := vault.LookAtBlobs(ctx, filepath.Join(p.Data, blobsDir), p.Payloads)
	if err != nil {
		return err
	}
	defer func() { _ = blobs.Close() }() // it was only read
	for range rounds {
		whole, err := p.round(ctx, blobs)
		if err != nil || whole {
			return err
		}
	}
	return errors.New("too much was revoked while the backup was made; try again")
}

func (p *packing) round(ctx context.Context, blobs *vault.Blobs) (whole bool, err error) {
	keys, inventory, err := p.databases(ctx)
	if err != nil {
		return false, err
	}
	p.damaged = nil
	held := map[coop.DatasetID]bool{}
	for _, ds := range keys.Holders {
		held[ds] = true
	}
	whole = true
	for _, ds := range inventory.Keyed {
		whole = (held[ds] || p.lost("key of "+string(ds), ds)) && whole
	}
	var total int64
	for _, b := range inventory.Payloads {
		total += b.Size
	}
	named := map[string]bool{}
	for _, b := range inventory.Payloads {
		named[b.Blob] = true
		if _, there := p.stored[b.Blob]; !there {
			err = p.payload(ctx, blobs, b, total)
		}
		switch {
		case errors.Is(err, fs.ErrNotExist):
			whole, err = p.lost(b.Blob, b.Dataset) && whole, nil
		case err != nil:
			return false, err
		case p.stored[b.Blob].SHA256 != b.SHA256:
			p.blame(b.Dataset)
		}
	}
	for name := range p.stored {
		if !named[name] { // revoked meanwhile
			if err := p.drop(name); err != nil {
				return false, err
			}
		}
	}
	return whole, nil
}

// lost notes what a copied database names and is nowhere. The first time it was
// perhaps revoked meanwhile, which the next copy shows; the second time it is
// damage, which keeps nobody from a backup of the rest.
func (p *packing) lost(what string, ds coop.DatasetID) bool {
	p.gone[what]++
	if p.gone[what] < 2 {
		return false
	}
	p.blame(ds)
	return true
}

// blame notes a dataset that is not what its member uploaded.
func (p *packing) blame(ds coop.DatasetID) {
	if !slices.Contains(p.damaged, string(ds)) {
		p.damaged = append(p.damaged, string(ds))
	}
}

// databases copies both, the keystore last: a dataset that is revoked between
// the two is missed there, and not served without a key.
func (p *packing) databases(ctx context.Context) (keys vault.KeyReport, inventory vault.Inventory, err error) {
	p.at = p.clock()
	for _, name := range []string{mainFile, custody.KeystoreFile} {
		copied := filepath.Join(p.work, name)
		if err := os.Remove(copied); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return keys, inventory, fmt.Errorf("backup: %w", err)
		}
		if err := db.Copy(ctx, filepath.Join(p.Data, name), copied); err != nil {
			return keys, inventory, err
		}
		err := p.view(ctx, name, func(d *db.DB) (err error) {
			if wrong, err := d.Check(ctx); err != nil || len(wrong) > 0 {
				return errors.Join(fmt.Errorf("the copy of %s is damaged; run \"datacoop doctor\"", name), err)
			}
			if name == mainFile {
				inventory, err = vault.TakeInventory(ctx, d, p.at)
				return err
			}
			keys, err = vault.InspectKeys(ctx, d, []string{filepath.Join(p.Data, custody.EpochDir)}, p.at)
			return err
		})
		if err != nil {
			return keys, inventory, err
		}
	}
	if n := len(keys.Epochs); n > 0 {
		p.epoch = &keys.Epochs[n-1]
	}
	return keys, inventory, nil
}

// view opens a copied database.
func (p *packing) view(ctx context.Context, name string, look func(d *db.DB) error) error {
	d, err := db.OpenReadOnly(ctx, filepath.Join(p.work, name))
	if err != nil {
		return err
	}
	return errors.Join(look(d), d.Close())
}

// payload stores one encrypted file as it is. What is not there, or not whole,
// is fs.ErrNotExist.
func (p *packing) payload(ctx context.Context, blobs *vault.Blobs, b vault.Payload, total int64) error {
	file, err := blobs.Open(ctx, b.Blob)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // it was only read
	if _, err := file.ReadAt(make([]byte, 1), b.Size-1); b.Size > 0 && errors.Is(err, io.EOF) {
		return fmt.Errorf("%s is cut short: %w", b.Blob, fs.ErrNotExist)
	}
	passed := meter{done: p.done, total: max(total, p.done+b.Size), show: p.show, ctx: ctx}
	stored, err := p.store(b, io.TeeReader(io.NewSectionReader(file, 0, b.Size), &passed))
	if err != nil {
		return err
	}
	p.done += b.Size
	p.stored[b.Blob] = stored
	return nil
}

func (p *packing) store(b vault.Payload, r io.Reader) (File, error) {
	f, ok := p.to.(*folder)
	if !p.Link || !ok || p.Payloads != "" {
		return p.to.put(payloadName(b.Blob), b.Size, r)
	}
	n, sum, err := digest(io.Discard, r)
	if err == nil {
		err = f.link(payloadName(b.Blob), filepath.Join(p.Data, filepath.FromSlash(payloadName(b.Blob))))
	}
	return File{Name: payloadName(b.Blob), Size: n, SHA256: sum}, err
}

// link gives a file a second name in the backup.
func (f *folder) link(name, from string) error {
	if err := f.mkdir(filepath.Dir(filepath.FromSlash(name))); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	if err := os.Link(from, filepath.Join(f.work, filepath.FromSlash(name))); err != nil {
		return fmt.Errorf("backup: link: %w", err)
	}
	return nil
}

func (p *packing) drop(name string) error {
	f := p.stored[name]
	gone, err := p.to.drop(f.Name)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	if !gone {
		f.Dropped = true
		p.dropped = append(p.dropped, f)
	}
	delete(p.stored, name)
	return nil
}

// promised is how many entries the log has by now. A copy that was made later
// and holds fewer is no copy, whatever SQLite says of it.
func promised(ctx context.Context, path string) (int64, error) {
	d, err := db.OpenReadOnly(ctx, path)
	if err != nil {
		return 0, err
	}
	head, err := audit.Look(ctx, d)
	return head.Leaves, errors.Join(err, d.Close())
}

// log signs a checkpoint over the copied log.
func (p *packing) log(ctx context.Context, origin string, key []byte, m *Manifest) error {
	return p.view(ctx, mainFile, func(d *db.DB) error {
		note, leaves, err := audit.SignCopy(ctx, d, origin, key)
		if err != nil {
			return fmt.Errorf("the copied log does not fit what was signed: %w", err)
		}
		m.Checkpoint, m.Leaves = string(note), leaves
		return nil
	})
}

// files adds what lies beside the payloads.
func (p *packing) files(charter []byte) ([]File, error) {
	out := slices.Clone(p.dropped)
	for _, f := range p.stored {
		out = append(out, f)
	}
	add := func(name string, r io.Reader, size int64) error {
		f, err := p.to.put(name, size, r)
		out = append(out, f)
		return err
	}
	if err := add(charterFile, strings.NewReader(string(charter)), int64(len(charter))); err != nil {
		return nil, err
	}
	beside := []string{settingsFile, keysFile, custody.MasterFile, custody.BoardFile, clockFile}
	records, err := filepath.Glob(filepath.Join(p.Data, judgeDir, "*"))
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	for _, record := range records {
		beside = append(beside, judgeDir+"/"+filepath.Base(record))
	}
	for _, name := range beside {
		text, err := readRegular(filepath.Join(p.Data, filepath.FromSlash(name)))
		if errors.Is(err, fs.ErrNotExist) || err == nil && !allowed(name) {
			continue
		}
		if err == nil {
			err = add(name, strings.NewReader(string(text)), int64(len(text)))
		}
		if err != nil {
			return nil, fmt.Errorf("backup: %w", err)
		}
	}
	for _, name := range []string{mainFile, custody.KeystoreFile} {
		if err := p.database(name, add); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (p *packing) database(name string, add func(string, io.Reader, int64) error) error {
	f, err := os.Open(filepath.Join(p.work, name))
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	info, err := f.Stat()
	if err == nil {
		err = add(name, f, info.Size())
	}
	return errors.Join(err, f.Close())
}

// readRegular reads a file that is no link and no device.
func readRegular(path string) ([]byte, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", filepath.Base(path))
	}
	return os.ReadFile(path)
}
