package ops

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"distributed.ai/datacoop/cmd/datacoop/custody"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/vault"
)

// keys looks at the files of the master key; it opens none.
func (c *Doctor) keys(r *report) {
	head, err := readHead(filepath.Join(c.Data, custody.MasterFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		r.add("master key", wrong, custody.MasterFile+" is not there", "Run \"datacoop vault seal\" for a new co-op; restore it for one that has datasets: nothing opens without it.")
	case err != nil || head != sealed:
		r.add("master key", wrong, custody.MasterFile+" is no sealed key", "Restore it from a backup: without it no dataset opens.")
	default:
		r.fine("master key", "the master key is there and sealed")
	}
	if _, err := os.Stat(filepath.Join(c.Data, custody.NextFile)); err == nil {
		r.add("master key", wrong, "a rotation of the master key was interrupted", "Run \"datacoop vault rotate\" again.")
	}
	if _, err := os.Stat(filepath.Join(c.Data, phraseFile)); err == nil {
		r.add("passphrase", heed, phraseFile+" lies beside the sealed key: whoever copies the directory has both",
			"That is for trying things out on this machine. For anything else, take it away and start the server with --passphrase-file.")
	}
	for _, name := range []string{keysFile, custody.MasterFile, mainFile, custody.KeystoreFile, custody.EpochDir} {
		if info, err := os.Stat(filepath.Join(c.Data, name)); err == nil && info.Mode().Perm()&0o077 != 0 {
			r.add("permissions", wrong, name+" can be read by others on this machine", "Run chmod go= on it.")
		}
	}
}

func readHead(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	head := make([]byte, len(sealed))
	n, err := f.Read(head)
	return string(head[:n]), errors.Join(err, f.Close())
}

// epochs says of each epoch whether its key is where it should be: there while
// rows need it, and nowhere once it is over.
func (c *Doctor) epochs(r *report, keys vault.KeyReport, at time.Time) {
	day := func(ms int64) string {
		if ms == 0 {
			return ""
		}
		return time.UnixMilli(ms).UTC().Format(time.RFC3339)
	}
	var destroyed int
	for i, e := range keys.Epochs {
		r.Epochs = append(r.Epochs, epochRow{Epoch: e.Number, Begun: day(e.CreatedAt), Turns: day(e.TurnsAt), Ends: day(e.EndsAt),
			Destroyed: day(e.DestroyedAt), Keys: e.Keys, KeyFiles: e.Files, ShouldBeNo: e.Overdue})
		name := fmt.Sprintf("epoch %d", e.Number)
		span := fmt.Sprintf("begun %s, ends %s, %s sealed to it", day(e.CreatedAt), day(e.EndsAt), count(e.Keys, "key", "keys"))
		last := i == len(keys.Epochs)-1
		switch {
		case e.DestroyedAt > 0 && e.Files > 0:
			r.add(name, wrong, "its key was destroyed and its key file is here again: "+span, "Somebody has put a copy back. Delete the file: what was revoked in that epoch opens with it.")
		case e.DestroyedAt > 0 && e.Keys > 0:
			r.add(name, wrong, "its key is destroyed, and so is what is sealed to it: "+span, "Those datasets have to be uploaded anew.")
		case e.DestroyedAt > 0:
			destroyed++
		case e.Lost():
			r.add(name, wrong, "its key file is missing: "+span, "Bring it back from the epochs' second home; without it no dataset opens. It is in no backup.")
		case e.Overdue:
			r.add(name, wrong, "its key should have been destroyed: "+span, "Start the server with the passphrase: receipts have promised members that this key is gone.")
		case !last && e.Files > 0:
			r.add(name, heed, "its end was begun and not finished: "+span, "Start the server with the passphrase; it goes on where it stopped.")
		case last && at.UnixMilli() >= e.TurnsAt:
			r.add(name, heed, "it is due to turn: "+span, "Start the server with the passphrase before the epoch ends; a sealed vault cannot turn it.")
		default:
			r.fine(name, "its key file is there: %s", span)
		}
	}
	if len(keys.Epochs) == 0 {
		r.add("epochs", heed, "no master key has ever unlocked this vault", "Start the server with the passphrase once.")
	}
	if destroyed > 0 {
		r.fine("epochs", "%s ended; their keys are destroyed", count(destroyed, "epoch has", "epochs have"))
	}
	for _, file := range keys.Strays {
		r.add("epochs", heed, filepath.Base(file)+" belongs to no epoch of this keystore", "If the keystore was restored, the backup may be older than this key. Do not delete it before you know.")
	}
	c.backup(r, keys)
}

// backup compares the last backup with the epoch that the keystore is in.
func (c *Doctor) backup(r *report, keys vault.KeyReport) {
	var last noted
	text, err := os.ReadFile(filepath.Join(c.Data, noteFile))
	if err == nil {
		err = json.Unmarshal(text, &last)
	}
	switch n := len(keys.Epochs); {
	case err != nil:
		r.add("backup", heed, "no backup is known of", "Run \"datacoop backup\".")
	case n > 0 && last.Epoch != keys.Epochs[n-1].Number:
		r.add("backup", heed, "the last backup, of "+last.MadeAt+", is from an epoch that has ended: it opens no dataset", "Run \"datacoop backup\".")
	default:
		r.fine("backup", "the last one was made %s and is of this epoch", last.MadeAt)
	}
}

// LastBackup answers, of a running server's data directory, when its last backup
// was made and whether that still opens datasets; the zero time if none is known
// of.
func LastBackup(data string, v *vault.Service) func() (time.Time, bool) {
	return func() (time.Time, bool) {
		var last noted
		text, err := os.ReadFile(filepath.Join(data, noteFile))
		if err != nil || json.Unmarshal(text, &last) != nil {
			return time.Time{}, false
		}
		made, err := time.Parse(time.RFC3339, last.MadeAt)
		if err != nil {
			return time.Time{}, false
		}
		all, err := v.Epochs(context.Background())
		return made, err == nil && len(all) > 0 && all[len(all)-1].Number == last.Epoch
	}
}

// together compares what the two databases say of each other, and what the
// sweeper has still to do.
func (c *Doctor) together(r *report, inventory vault.Inventory, keys vault.KeyReport, at time.Time) {
	held, living := map[coop.DatasetID]bool{}, map[coop.DatasetID]bool{}
	for _, ds := range keys.Holders {
		held[ds] = true
	}
	keyless, orphans := 0, 0
	for _, ds := range inventory.Keyed {
		living[ds] = true
		if !held[ds] {
			keyless++
		}
	}
	for _, ds := range keys.Holders {
		if !living[ds] {
			orphans++
		}
	}
	r.either(keyless == 0, "keys", count(len(inventory.Keyed), "dataset has its key", "datasets have their keys"), wrong,
		count(keyless, "dataset has", "datasets have")+" no key", "They open for nobody but their members. Look into the newest backup of the keystore, of this epoch.")
	if keys.Unbound > 0 {
		r.add("keys", wrong, count(keys.Unbound, "key is", "keys are")+" sealed to an epoch that the keystore does not know", "The keystore is damaged; restore a backup of this epoch.")
	}
	undone := inventory.Shredding + inventory.Expired + inventory.Stale + int64(orphans)
	r.either(undone == 0, "sweeper", "nothing is left to sweep", heed,
		fmt.Sprintf("left to sweep: %s, %s, %s, %s", count(inventory.Shredding, "revocation", "revocations"), count(inventory.Expired, "expired upload", "expired uploads"),
			count(inventory.Stale, "expired header", "expired headers"), count(orphans, "key of no dataset", "keys of no dataset")),
		"A running server does it within a minute, keys within a day. If this stays, read its log.")
	waiting, bytes := 0, int64(0)
	for _, p := range inventory.Payloads {
		if !p.Sealed {
			waiting, bytes = waiting+1, bytes+p.Size
		}
	}
	r.fine("uploads", "%s under way, %s complete and not sealed (%s)", count(len(inventory.Growing), "is", "are"), count(waiting, "is", "are"), size(bytes))
}

// payloads compares the rows with what is in the storage.
func (c *Doctor) payloads(ctx context.Context, r *report, inventory vault.Inventory) {
	blobs, err := vault.LookAtBlobs(ctx, filepath.Join(c.Data, blobsDir), c.Payloads)
	if err != nil {
		r.either(len(inventory.Payloads) == 0, "payloads", "there are none", wrong, "the storage of encrypted files cannot be opened", "Bring back the directory, or the bucket's credentials.")
		return
	}
	defer func() { _ = blobs.Close() }() // it was only read
	names, err := blobs.Names(ctx)
	partials, partly := blobs.Partials()
	if err != nil || partly != nil && !errors.Is(partly, fs.ErrNotExist) {
		r.add("payloads", wrong, "the storage of encrypted files cannot be listed", "Look at the disk, or at the bucket's credentials.")
		return
	}
	there, known := map[string]bool{}, map[string]bool{}
	for _, name := range names {
		there[name] = true
	}
	var missing, orphans int
	var bytes int64
	for _, p := range inventory.Payloads {
		known[p.Blob], bytes = true, bytes+p.Size
		if !there[p.Blob] {
			missing++
		}
	}
	for _, p := range inventory.Growing {
		known[p.Blob] = true
	}
	for _, name := range append(names, partials...) {
		if !known[name] {
			orphans++
		}
	}
	r.either(missing == 0, "payloads", fmt.Sprintf("%s, %s; whether they are intact says \"verify all\"", count(len(inventory.Payloads), "encrypted file is there", "encrypted files are there"), size(bytes)), wrong,
		count(missing, "encrypted file is", "encrypted files are")+" missing", "Restore them from a backup; \"datacoop verify all\" names the datasets.")
	if orphans > 0 {
		r.add("payloads", heed, count(orphans, "file belongs", "files belong")+" to no dataset", "The server removes them when it starts and once a day.")
	}
}
