package ops

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"distributed.ai/datacoop/cmd/datacoop/custody"
)

// Backup copies a co-op's data, also while the server runs.
type Backup struct {
	Config    kong.ConfigFlag `env:"-" type:"existingfile" help:"Settings that init wrote (datacoop.toml)."`
	Data      string          `required:"" type:"existingdir" help:"The data directory."`
	To        string          `required:"" type:"path" help:"Where to: a folder that is not there yet, or an archive, whose name ends with .tar, or .tar.age if it is encrypted."`
	Recipient string          `help:"Encrypt the archive to this age recipient."`
	Charter   string          `type:"existingfile" help:"Charter file, if it is not in the data directory."`
	Payloads  string          `help:"Bucket for encrypted files, as serve has it. Default: the data directory."`
	Database  string          `help:"The database's address, if it is not in the data directory."`
	Link      bool            `help:"Hard-link encrypted files into the folder instead of copying them: takes no room, but only helps against what happens to the data directory, not to its disk."`
	JSON      bool            `name:"json" help:"Answer as JSON."`
}

// Run makes the backup. It exits with an error if a dataset was not whole, after
// it has copied everything else.
func (c *Backup) Run(ctx context.Context, house House) (err error) {
	if err := c.refuse(); err != nil {
		return err
	}
	to, err := newSink(c.To, c.Recipient)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp(filepath.Dir(c.To), workName(c.To))
	if err != nil {
		return errors.Join(fmt.Errorf("backup: %w", err), to.abandon())
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	m, err := c.make(ctx, house, work, to)
	if err != nil {
		return errors.Join(plainly(err), to.abandon())
	}
	if err := c.note(m); err != nil {
		fmt.Fprintf(os.Stderr, "! doctor will not know of this backup: %v\n", err)
	}
	return c.tell(m)
}

// plainly tells an interruption from a failure.
func plainly(err error) error {
	if errors.Is(err, context.Canceled) {
		return errors.New("interrupted; nothing was left behind")
	}
	return err
}

// refuse says what cannot be backed up, or not there.
func (c *Backup) refuse() error {
	switch server, err := elsewhere(c.Data, c.Database); {
	case server:
		return errors.New("the co-op's main database is PostgreSQL: use pg_dump for it first, then copy the data directory without its epochs; this command copies SQLite")
	case err != nil:
		return err
	}
	if _, err := os.Stat(filepath.Join(c.Data, custody.NextFile)); err == nil {
		return errors.New("a rotation of the vault key was interrupted: run \"datacoop vault rotate\" again, then make the backup")
	}
	if _, err := os.Stat(filepath.Join(c.Data, mainFile)); err != nil {
		return errors.New("there is no co-op's database in the data directory")
	}
	data, err := realPath(c.Data)
	if err != nil {
		return err
	}
	to, err := realPath(filepath.Dir(c.To))
	if err != nil {
		return err
	}
	if to = filepath.Join(to, filepath.Base(c.To)); within(to, data) || within(data, to) {
		return errors.New("a backup does not belong into the data directory, nor around it: what happens to one would happen to both")
	}
	if c.Link && isArchive(c.To) {
		return errors.New("files can be linked into a folder, not into an archive")
	}
	return nil
}

// realPath follows links, so that no other name leads into the data directory.
func realPath(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err == nil {
		abs, err = filepath.EvalSymlinks(abs)
	}
	if err != nil {
		return "", fmt.Errorf("backup: %w", err)
	}
	return abs, nil
}

func within(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// make fills the sink and finishes it.
func (c *Backup) make(ctx context.Context, house House, work string, to sink) (Manifest, error) {
	text, charter, err := house.Charter(c.Data, c.Charter)
	if err != nil {
		return Manifest{}, err
	}
	clock, err := house.Clock(c.Data)
	if err != nil {
		return Manifest{}, err
	}
	show, end := house.Bar("backup")
	defer end()
	p := &packing{Backup: c, to: to, work: work, clock: clock, show: show, stored: map[string]File{}, gone: map[string]int{}}
	before, err := promised(ctx, filepath.Join(c.Data, mainFile))
	if err != nil {
		return Manifest{}, err
	}
	if err := p.data(ctx); err != nil {
		return Manifest{}, err
	}
	origin, key, err := house.LogKey(c.Data, charter)
	if err != nil {
		return Manifest{}, err
	}
	m := Manifest{Type: manifestType, CoOp: charter.Name, MadeAt: p.at.UTC().Format(time.RFC3339), Datasets: int64(len(p.stored)), Damaged: p.damaged}
	if e := p.epoch; e != nil {
		m.Epoch, m.OpensUntil = e.Number, time.UnixMilli(e.TurnsAt).UTC().Format(time.RFC3339)
	}
	if err := p.log(ctx, origin, key, &m); err != nil {
		return Manifest{}, err
	}
	if m.Leaves < before {
		return Manifest{}, fmt.Errorf("the copy holds %d entries of the log and the server had %d", m.Leaves, before)
	}
	if m.Files, err = p.files(text); err != nil {
		return Manifest{}, err
	}
	if m, err = m.sign(key); err != nil {
		return Manifest{}, err
	}
	out, err := m.text()
	if err != nil {
		return Manifest{}, err
	}
	return m, to.finish(out)
}

// noted is what doctor reads of the last backup.
type noted struct {
	MadeAt string `json:"made_at"`
	Epoch  int64  `json:"epoch"`
	Leaves int64  `json:"log_leaves"`
}

func (c *Backup) note(m Manifest) error {
	text, err := json.Marshal(noted{MadeAt: m.MadeAt, Epoch: m.Epoch, Leaves: m.Leaves})
	if err != nil {
		return err
	}
	return custody.WritePrivate(filepath.Join(c.Data, noteFile), append(text, '\n'))
}
