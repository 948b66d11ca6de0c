package ops

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/BurntSushi/toml"

	"distributed.ai/datacoop/cmd/datacoop/custody"
	"distributed.ai/datacoop/internal/audit"
)

// Restore brings a backup back.
type Restore struct {
	From         string `type:"existing" help:"The backup: a folder or an archive. Without it, a directory that was restored before is brought up to --log."`
	Data         string `type:"path" help:"The data directory: one that is empty or not there yet."`
	Epochs       string `type:"existingdir" help:"Directory with the epochs' keys. Without them no dataset opens."`
	Log          string `help:"The co-op's log as it was published after the backup: the server's address, or a folder that \"verify log --mirror\" has filled. What it says was revoked is revoked again."`
	Checkpoint   string `type:"existingfile" help:"The newest checkpoint of the log that you know of, to tell whether the backup, and --log, are older."`
	NothingNewer bool   `help:"Say that nothing happened after the backup, because the server was stopped before."`
	Identity     string `type:"existingfile" help:"Age identity file that opens an encrypted archive."`
	Check        bool   `help:"Only compare the backup with its manifest; write nothing."`
}

// Run restores, or says why nothing was written.
func (c *Restore) Run(ctx context.Context, house House) error {
	if err := c.refuse(); err != nil {
		return err
	}
	if c.From == "" {
		return c.again(ctx, house)
	}
	from, err := openSource(c.From, c.Identity)
	if err != nil {
		return err
	}
	show, end := house.Bar("check")
	m, err := survey(ctx, from, show)
	end()
	if err != nil {
		return plainly(err)
	}
	fmt.Printf("✓ the backup is whole: %s in %s, made %s\n", size(m.bytes()), count(len(m.Files), "file", "files"), m.MadeAt)
	for _, ds := range m.Damaged {
		fmt.Printf("! dataset %s was not whole already when the backup was made\n", ds)
	}
	if c.Check {
		return nil
	}
	return c.restore(ctx, house, from, m)
}

func (c *Restore) refuse() error {
	switch {
	case c.Check && c.From == "":
		return errors.New("name the backup that is to be checked with --from")
	case c.Data == "" && !c.Check:
		return errors.New("name the data directory with --data")
	case c.Log != "" && c.NothingNewer:
		return errors.New("either there is a newer log (--log) or there is none (--nothing-newer)")
	case c.From == "" && c.Log == "" && !c.NothingNewer && c.Checkpoint == "":
		return errors.New("name a backup with --from; or, for a directory that was restored before, the newer log with --log")
	}
	return nil
}

// restore writes the backup and brings it up to the published log. What fails
// before the directory is whole takes everything away again.
func (c *Restore) restore(ctx context.Context, house House, from source, m Manifest) (err error) {
	if err := c.prepare(m); err != nil {
		return err
	}
	kept := false
	defer func() {
		if err != nil && !kept {
			err = errors.Join(err, empty(c.Data))
		}
	}()
	if err := writeMark(c.Data, mark{State: markUnfinished, MadeAt: m.MadeAt, Leaves: m.Leaves}); err != nil {
		return err
	}
	show, end := house.Bar("restore")
	err = unpack(ctx, from, m, c.Data, show)
	end()
	if err != nil {
		return plainly(err)
	}
	if err := c.resettle(); err != nil {
		return err
	}
	restored := mark{State: markUnreconciled, MadeAt: m.MadeAt, Leaves: m.Leaves}
	if err := writeMark(c.Data, restored); err != nil {
		return err
	}
	return c.finish(ctx, house, restored, &kept)
}

// again brings a directory up to the log that was restored without it.
func (c *Restore) again(ctx context.Context, house House) error {
	m, found, err := readMark(c.Data)
	switch {
	case err != nil:
		return err
	case !found:
		return errors.New("the data directory was not restored, or is served already")
	case m.State != markUnreconciled:
		return Refuse(c.Data)
	}
	kept := true
	return c.finish(ctx, house, m, &kept)
}

// finish reconciles the restored rooms, verifies them, and lifts the mark if
// nothing that was revoked can come back.
func (c *Restore) finish(ctx context.Context, house House, m mark, kept *bool) (err error) {
	release, err := custody.Lock(c.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	rooms, err := house.Open(ctx, c.Data, "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rooms.Close()) }()
	known, err := c.compare(ctx, rooms)
	if err != nil {
		return err
	}
	if known {
		if err := c.reconcile(ctx, rooms, m); err != nil {
			return err
		}
	}
	*kept = true // from here on it is whole, whatever verification finds
	said, err := rooms.Verify(ctx)
	if err != nil {
		return fmt.Errorf("what was restored does not verify, and is not served: %w", err)
	}
	fmt.Printf("✓ verified: %s\n", said)
	if err := c.epochs(ctx); err != nil {
		return err
	}
	if !known {
		fmt.Println("! The server will not start on it: nobody has said what was revoked after the backup. " +
			"Run this command again with --data and --log, or with --nothing-newer if the server was stopped before the backup.")
		return nil
	}
	if err := errors.Join(os.Remove(filepath.Join(c.Data, markFile)), custody.SyncDir(c.Data)); err != nil {
		return err
	}
	fmt.Printf("✓ %s is ready. Start the server, and make a new backup.\n", c.Data)
	return nil
}

// prepare looks at the place before anything is written to it.
func (c *Restore) prepare(m Manifest) error {
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	there, err := os.ReadDir(c.Data)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if len(there) > 0 {
		return errors.New("there is something in the data directory; a restore writes into an empty one only")
	}
	if err := os.Chmod(c.Data, 0o700); err != nil { // #nosec G302 -- a directory that its owner enters
		return fmt.Errorf("restore: %w", err)
	}
	if free, _, ok := room(c.Data); ok && free < m.bytes() {
		return fmt.Errorf("the backup needs %s and there is room for %s: nothing was written", size(m.bytes()), size(free))
	}
	return nil
}

// empty takes away what an unfinished restore has written.
func empty(dir string) error {
	there, err := os.ReadDir(dir)
	for _, entry := range there {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, entry.Name())))
	}
	return err
}

// unpack writes the files of a backup that was surveyed, comparing each again:
// the backup may have changed since.
func unpack(ctx context.Context, from source, m Manifest, dir string, show func(done, total int64)) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	defer func() { _ = root.Close() }() // every file in it was synced and closed
	listed := m.byName()
	at := meter{total: m.bytes(), show: show, ctx: ctx}
	dirs := map[string]bool{".": true}
	err = from.walk(ctx, func(name string, _ int64, r io.Reader) error {
		f, ok := listed[name]
		if name == manifestFile || f.Dropped {
			return nil
		}
		delete(listed, name)
		if err := mkdirs(root, filepath.Dir(name), dirs); err != nil {
			return fmt.Errorf("restore: %w", err)
		}
		out, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return fmt.Errorf("restore: %w", err)
		}
		n, sum, err := digest(io.MultiWriter(out, &at), r)
		if err = errors.Join(err, out.Sync(), out.Close()); err != nil {
			return fmt.Errorf("restore: %w", err)
		}
		if !ok || n != f.Size || sum != f.SHA256 {
			return fmt.Errorf("%s changed while it was restored", name)
		}
		return nil
	})
	for name, f := range listed {
		if err == nil && !f.Dropped {
			err = fmt.Errorf("%s went away while it was restored", name)
		}
	}
	for d := range dirs {
		if err == nil {
			err = custody.SyncDir(filepath.Join(dir, d))
		}
	}
	return err
}

func mkdirs(root *os.Root, dir string, made map[string]bool) error {
	if made[dir] {
		return nil
	}
	made[dir] = true
	if err := mkdirs(root, filepath.Dir(dir), made); err != nil {
		return err
	}
	return root.Mkdir(dir, 0o700)
}

// resettle tells the settings where they are now.
func (c *Restore) resettle() error {
	path := filepath.Join(c.Data, settingsFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	s := map[string]any{}
	if err := toml.Unmarshal(text, &s); err != nil {
		return fmt.Errorf("restore: %s: %w", settingsFile, err)
	}
	here, err := filepath.Abs(c.Data)
	if err != nil || s["data"] == nil || s["data"] == here {
		return err
	}
	s["data"] = here
	if text, err = toml.Marshal(s); err != nil {
		return fmt.Errorf("restore: %s: %w", settingsFile, err)
	}
	fmt.Printf("! %s named another directory; it names this one now. Look through the rest of it.\n", settingsFile)
	return custody.WritePrivate(path, append([]byte("# Flags of \"datacoop serve\", read with --config; written anew by a restore.\n\n"), text...))
}

// compare says how the backup stands to the newest checkpoint that is known,
// and reports whether it is known what came after the backup.
func (c *Restore) compare(ctx context.Context, rooms *Rooms) (known bool, err error) {
	known = c.Log != "" || c.NothingNewer
	if c.Checkpoint == "" {
		return known, nil
	}
	note, err := os.ReadFile(c.Checkpoint)
	if err != nil {
		return false, fmt.Errorf("checkpoint: %w", err)
	}
	ahead, err := rooms.Log.Ahead(ctx, note)
	switch {
	case errors.Is(err, audit.ErrFork):
		return false, errors.New("the backup and the checkpoint are not of one history: one of them was made up")
	case err != nil:
		return false, fmt.Errorf("the checkpoint is not one of this co-op's log: %w", err)
	case ahead > 0:
		fmt.Printf("! This backup is older than what the co-op has published: %s after it.\n", count(ahead, "entry came", "entries came"))
		if c.NothingNewer {
			return false, errors.New("the checkpoint shows that something happened after the backup; bring the log with --log")
		}
		return known, nil
	case ahead < 0:
		fmt.Printf("✓ The checkpoint is older than the backup and of the same history.\n")
		return known, nil
	}
	fmt.Println("✓ The backup holds everything up to the checkpoint.")
	return true, nil
}

// when reads the time of a backup for people.
func when(at string) string {
	t, err := time.Parse(time.RFC3339, at)
	if err != nil {
		return at
	}
	return t.Format("2 January 2006 15:04 UTC")
}
