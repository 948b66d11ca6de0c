package ops

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/alecthomas/kong"

	"distributed.ai/datacoop/cmd/datacoop/custody"
	"distributed.ai/datacoop/cmd/datacoop/render"
	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/vault"
)

// Doctor looks at a data directory, also beside a running server and while the
// vault is sealed. It changes nothing.
type Doctor struct {
	Config          kong.ConfigFlag `env:"-" type:"existingfile" help:"Settings that init wrote (datacoop.toml)."`
	Data            string          `required:"" type:"existingdir" help:"The data directory."`
	BaseURL         string          `help:"How members and researchers reach the server, as serve has it."`
	Charter         string          `type:"existingfile" help:"Charter file, if it is not in the data directory."`
	BuiltinAccounts bool            `help:"Members have accounts here, as serve has it."`
	Issuer          string          `help:"OpenID Connect issuer, as serve has it."`
	ACMEHost        string          `name:"acme-host" help:"Host name that certificates are got for, as serve has it."`
	PassphraseFile  string          `help:"File with the passphrase, as serve has it; it is not read."`
	Payloads        string          `help:"Bucket for encrypted files, as serve has it. Default: the data directory."`
	SMTP            Post            `embed:"" prefix:"smtp-"`
	Database        string          `help:"The database's address, if it is not in the data directory."`
	JSON            bool            `name:"json" help:"Answer as JSON."`
}

// The states of a finding.
const (
	fine  = "ok"
	heed  = "attention"
	wrong = "wrong"
)

// Finding is one thing that was looked at.
type Finding struct {
	Name  string `json:"name"`
	State string `json:"state"` // ok, attention or wrong
	Says  string `json:"says"`
	Do    string `json:"do,omitempty"`
}

// epochRow is an epoch as JSON tells of it.
type epochRow struct {
	Epoch      int64  `json:"epoch"`
	Begun      string `json:"begun"`
	Turns      string `json:"turns"`
	Ends       string `json:"ends"`
	Destroyed  string `json:"destroyed,omitempty"`
	Keys       int64  `json:"keys"`
	KeyFiles   int    `json:"key_files"`
	ShouldBeNo bool   `json:"overdue"`
}

// report collects findings.
type report struct {
	OK       bool       `json:"ok"`
	Findings []Finding  `json:"findings"`
	Epochs   []epochRow `json:"epochs"`
}

func (r *report) add(name, state, says, do string) {
	r.Findings = append(r.Findings, Finding{name, state, says, do})
}

func (r *report) fine(name, format string, args ...any) {
	r.add(name, fine, fmt.Sprintf(format, args...), "")
}

// either adds a finding that is fine if ok is true.
func (r *report) either(ok bool, name, good, state, bad, do string) {
	if ok {
		r.add(name, fine, good, "")
		return
	}
	r.add(name, state, bad, do)
}

var errSick = errors.New("something is wrong; see the lines with ✗")

// Run looks and tells. It fails if something is wrong.
func (c *Doctor) Run(ctx context.Context, house House) error {
	server, err := elsewhere(c.Data, c.Database)
	if err != nil {
		return err
	}
	clock, err := house.Clock(c.Data)
	if err != nil {
		return err
	}
	return c.tell(c.examine(ctx, clock(), server))
}

func (c *Doctor) examine(ctx context.Context, at time.Time, server bool) *report {
	r := &report{Findings: []Finding{}, Epochs: []epochRow{}}
	c.directory(r)
	c.settings(r, at)
	c.keys(r)
	var inventory vault.Inventory
	main := false
	if server {
		r.add("database", heed, "the main database is PostgreSQL: neither it nor what it says of the files is looked at", "Look after it with its own tools, and run \"datacoop verify all\".")
	} else {
		inventory, main = c.main(ctx, r, at)
	}
	keys, keystore := c.keystore(ctx, r, at)
	if main && keystore {
		c.together(r, inventory, keys, at)
	}
	if main {
		c.payloads(ctx, r, inventory)
	}
	c.machine(r)
	c.letters(ctx, r)
	r.OK = true
	for _, f := range r.Findings {
		r.OK = r.OK && f.State != wrong
	}
	return r
}

func (c *Doctor) tell(r *report) error {
	if c.JSON {
		if err := render.JSON(os.Stdout, r); err != nil {
			return err
		}
	} else {
		signs := map[string]string{fine: "✓", heed: "!", wrong: "✗"}
		for _, f := range r.Findings {
			fmt.Printf("%s %-11s %s\n", signs[f.State], f.Name, f.Says)
			if f.Do != "" {
				fmt.Printf("  %-11s → %s\n", "", f.Do)
			}
		}
	}
	if !r.OK {
		return errSick
	}
	return nil
}

// fatLog is a write-ahead log that nobody empties: SQLite does it every few MB.
const fatLog = 256 << 20

// file checks a database file itself and answers it open.
func (c *Doctor) file(ctx context.Context, r *report, name, file string) (*db.DB, bool) {
	path := filepath.Join(c.Data, file)
	d, err := db.OpenReadOnly(ctx, path)
	if err != nil {
		r.add(name, wrong, file+" is not there or cannot be opened", "Restore a backup; without it there is no co-op.")
		return nil, false
	}
	faults, err := d.Check(ctx)
	if err != nil || len(faults) > 0 {
		says := file + " cannot be read"
		if len(faults) > 0 {
			says = file + " is damaged: " + faults[0]
		}
		r.add(name, wrong, says, "Stop the server, keep a copy of the file as it is, and restore the newest backup.")
		_ = d.Close() // it was only read
		return nil, false
	}
	var pages, log int64
	if info, err := os.Stat(path); err == nil {
		pages = info.Size()
	}
	if info, err := os.Stat(path + "-wal"); err == nil {
		log = info.Size()
	}
	r.either(log < fatLog, name, fmt.Sprintf("%s is sound: %s, write-ahead log %s", file, size(pages), size(log)), heed,
		fmt.Sprintf("%s is sound, but its write-ahead log has grown to %s", file, size(log)),
		"Something has been reading for very long; find out what, or start the server anew.")
	return d, true
}

func (c *Doctor) main(ctx context.Context, r *report, at time.Time) (inventory vault.Inventory, ok bool) {
	d, ok := c.file(ctx, r, "database", mainFile)
	if !ok {
		return inventory, false
	}
	defer func() { _ = d.Close() }() // it was only read
	head, err := audit.Look(ctx, d)
	if err != nil {
		r.add("log", wrong, "the log cannot be read", "Run \"datacoop verify all\".")
		return inventory, false
	}
	newest := time.Unix(head.Hour*3600, 0)
	r.either(!newest.After(at.Add(time.Hour)), "clock", "the clock is not behind what was recorded; "+at.UTC().Format("2 January 2006 15:04 UTC"), wrong,
		"the clock is behind: something was recorded at "+newest.UTC().Format("2 January 2006 15 h UTC"),
		"Set this machine's clock right before the server starts: consent, votes and epochs go by it.")
	r.fine("log", "%s", count(head.Leaves, "entry", "entries"))
	if inventory, err = vault.TakeInventory(ctx, d, at); err != nil {
		r.add("database", wrong, "the vault's tables cannot be read", "Run the server once, which brings them up to date, or restore a backup.")
		return inventory, false
	}
	return inventory, true
}

func (c *Doctor) keystore(ctx context.Context, r *report, at time.Time) (keys vault.KeyReport, ok bool) {
	d, ok := c.file(ctx, r, "keystore", custody.KeystoreFile)
	if !ok {
		return keys, false
	}
	defer func() { _ = d.Close() }() // it was only read
	keys, err := vault.InspectKeys(ctx, d, []string{filepath.Join(c.Data, custody.EpochDir)}, at)
	if err != nil {
		r.add("keystore", wrong, "the keystore's tables cannot be read", "Restore a backup.")
		return keys, false
	}
	c.epochs(r, keys, at)
	return keys, true
}
