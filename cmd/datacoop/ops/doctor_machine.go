package ops

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"distributed.ai/datacoop/cmd/datacoop/custody"
)

// directory looks at the data directory as a whole.
func (c *Doctor) directory(r *report) {
	if err := Refuse(c.Data); err != nil {
		r.add("restore", wrong, "a restore is not over", err.Error())
	}
	if info, err := os.Stat(c.Data); err == nil && info.Mode().Perm()&0o077 != 0 {
		r.add("permissions", heed, "others on this machine can look into the data directory", "Run chmod go= on it.")
	}
}

// settings looks at how the server is reached.
func (c *Doctor) settings(r *report, at time.Time) {
	if c.BaseURL == "" {
		r.fine("address", "no base URL was given; name --config or --base-url to have it looked at")
		return
	}
	u, err := url.Parse(c.BaseURL)
	local := err == nil && (u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback())
	r.either(err == nil && (u.Scheme == "https" || local), "address", c.BaseURL, wrong, "the base URL is not https", "serve refuses it: passwords and tokens would be read on the way.")
	if !local {
		r.either(c.BuiltinAccounts != (c.Issuer != ""), "sign-in", "members have one place to sign in", wrong,
			"members have no place to sign in, or two", "Choose --builtin-accounts or --issuer.")
		if _, err := os.Stat(filepath.Join(c.Data, phraseFile)); err == nil {
			r.add("passphrase", wrong, phraseFile+" lies beside the key of a public server", "Take it away; serve refuses it.")
		}
	}
	if u != nil && strings.HasPrefix(c.Issuer, "http://") && !local {
		r.add("sign-in", wrong, "the issuer is not https", "Whoever stands between could sign in as any member.")
	}
	if c.PassphraseFile != "" {
		info, err := os.Stat(c.PassphraseFile)
		r.either(err == nil && info.Mode().Perm()&0o077 == 0, "passphrase", "the passphrase file is there, for its owner alone", heed,
			"the passphrase file is missing or can be read by others", "Without it the vault starts sealed; with chmod go= nobody else reads it.")
	}
	if c.ACMEHost != "" {
		c.certificate(r, at)
	}
}

// soon is when a certificate should have been renewed.
const soon = 14 * 24 * time.Hour

// certificate looks at what the server keeps of the authority.
func (c *Doctor) certificate(r *report, at time.Time) {
	text, err := os.ReadFile(filepath.Join(c.Data, acmeDir, c.ACMEHost))
	if err != nil {
		r.add("certificate", heed, "there is no certificate for "+c.ACMEHost+" yet", "It comes with the first visit, if the name leads to this machine and port 443 is open.")
		return
	}
	var leaf *x509.Certificate
	for block, rest := pem.Decode(text); block != nil && leaf == nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			leaf, _ = x509.ParseCertificate(block.Bytes) // one that does not parse is none
		}
	}
	switch {
	case leaf == nil:
		r.add("certificate", wrong, "the certificate that is kept cannot be read", "Delete the file in "+acmeDir+"; the server gets another.")
	case leaf.NotAfter.Before(at):
		r.add("certificate", wrong, "the certificate has expired", "The server renews it at the next visit; if it does not, read its log.")
	case leaf.NotAfter.Before(at.Add(soon)):
		r.add("certificate", heed, "the certificate expires "+leaf.NotAfter.Format("2 January 2006"), "It should have been renewed by now; read the server's log.")
	default:
		r.fine("certificate", "good until %s", leaf.NotAfter.Format("2 January 2006"))
	}
}

// Bounds of free disk space below which an operator should do something.
const (
	tightRoom = 2 << 30
	noRoom    = 64 << 20
)

const ballastBytes = 4 << 20

// machine looks at the disk and at the process that holds the keys.
func (c *Doctor) machine(r *report) {
	info, err := os.Stat(filepath.Join(c.Data, ballastFile))
	r.either(err == nil && info.Size() == ballastBytes, "reserve", "4 MB are kept for revocations on a full disk", heed,
		"no room is kept for revocations on a full disk", "Make room; the server takes the reserve again within a minute.")
	if free, total, ok := room(c.Data); ok {
		says := fmt.Sprintf("%s of %s free", size(free), size(total))
		switch {
		case free < noRoom:
			r.add("disk", wrong, "the disk is full: "+says, "Make room now: uploads and votes are refused.")
		case free < tightRoom:
			r.add("disk", heed, says, "Make room before it is needed.")
		default:
			r.fine("disk", "%s", says)
		}
	}
	running, err := held(filepath.Join(c.Data, custody.LockFile))
	switch {
	case err != nil:
		r.add("server", heed, "whether a server runs cannot be told", "Run doctor as the user that the server runs as.")
	case !running:
		r.fine("server", "none runs on this directory")
	default:
		c.process(r)
	}
}

func (c *Doctor) process(r *report) {
	p, err := holder(filepath.Join(c.Data, custody.LockFile))
	if err != nil {
		r.fine("server", "one runs; how it guards its memory cannot be seen from here")
		return
	}
	r.fine("server", "one runs, process %d", p.id)
	r.either(p.noCore, "memory", "the server leaves no core file", wrong, "the server may leave a core file with keys in it", "Start it with the datacoop program itself, and look at what limits it is given.")
	switch {
	case !p.told:
		r.fine("memory", "whether others can read the server's memory cannot be seen: it runs as root, or as somebody else")
	case p.hidden:
		r.fine("memory", "other processes of its user cannot read its memory")
	default:
		r.add("memory", wrong, "other processes of its user can read its memory", "Start it anew; something has made it dumpable.")
	}
	if swaps() {
		r.add("memory", heed, "this machine swaps: keys in memory can come to lie on the disk", "Encrypt the swap space, or switch it off.")
	}
}

// watched is a process as others see it.
type watched struct {
	id     int
	noCore bool
	told   bool // whether hidden could be seen
	hidden bool
}

var errUnseen = errors.New("no such process can be seen")
