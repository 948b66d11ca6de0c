package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"

	"github.com/BurntSushi/toml"
	"github.com/alecthomas/kong"

	"distributed.ai/datacoop/cmd/datacoop/custody"
	"distributed.ai/datacoop/cmd/datacoop/meter"
	"distributed.ai/datacoop/cmd/datacoop/ops"
	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/demo"
	"distributed.ai/datacoop/vault"
	"distributed.ai/datacoop/web"
	"distributed.ai/datacoop/web/authserver"
)

// defaultMaxUpload is the largest age file taken, unless an operator decides
// otherwise.
const defaultMaxUpload = 1 << 30

// ServeCmd runs a co-op.
type ServeCmd struct {
	Config          kong.ConfigFlag `env:"-" type:"existingfile" help:"Settings that init wrote (datacoop.toml): these flags, by name."`
	Listen          string          `help:"Address to listen on; localhost:0 picks a port. Default: localhost:8080, or :443 with --acme-host."`
	Data            string          `required:"" type:"path" help:"Directory of databases, payloads and keys."`
	Database        string          `placeholder:"URL" help:"The main database is on this PostgreSQL server (postgres://…). Default: where init or an earlier start has put it, else a file in the data directory."`
	BaseURL         string          `help:"How members and researchers reach this server, such as https://coop.example. Default: the listening address."`
	Charter         string          `type:"existingfile" help:"Charter file. Default: charter.toml in the data directory, else the built-in one."`
	BuiltinAccounts bool            `help:"Let members have accounts here, with passkeys, instead of at an issuer elsewhere."`
	Issuer          string          `help:"OpenID Connect issuer that members sign in at."`
	ClientID        string          `help:"This server's client id at the issuer."`
	ClientSecret    string          `help:"This server's client secret at the issuer." env:"DATACOOP_OIDC_SECRET"`
	Issuers         string          `type:"existingfile" help:"Further OpenID Connect issuers (TOML) that members may choose from, or link as a second way in."`
	PassphraseFile  string          `type:"existingfile" help:"File with the passphrase of the vault key. Default: the systemd credential datacoop.passphrase. Without either the vault starts sealed."`
	AskPassphrase   bool            `help:"Ask for the passphrase of the vault key at the terminal."`
	Accounts        string          `type:"existingfile" help:"Local accounts (TOML) for the embedded issuer; on a loopback address only."`
	ACMEHost        string          `name:"acme-host" help:"Get TLS certificates for this host name by ACME. By using it you accept the terms of the authority."`
	ACMEDirectory   string          `name:"acme-directory" default:"https://acme-v02.api.letsencrypt.org/directory" help:"The certificate authority's ACME directory."`
	SMTP            ops.Post        `embed:"" prefix:"smtp-"`
	MaxUpload       int64           `default:"1073741824" help:"Largest upload in bytes."`
	Metrics         string          `placeholder:"ADDRESS" help:"Serve figures for Prometheus at /metrics on this address of this machine alone, or none. Default: localhost:9464 if it is free."`
	Payloads        string          `help:"Bucket for encrypted files, such as s3://name?region=eu-central-1; its credentials come from AWS_ variables. Default: the data directory."`
}

// Run serves until it is interrupted.
func (c *ServeCmd) Run(ctx context.Context) (err error) {
	listener, base, err := c.listen()
	if err != nil {
		return err
	}
	defer listener.Close()
	config, err := c.config(base)
	if err != nil {
		return err
	}
	if config.Metrics, err = meter.Choose(c.Metrics, config.Logger); err != nil {
		return err
	}
	a, err := openApp(ctx, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	fmt.Printf("%s is open at %s\n", a.Charter.Name, base)
	if a.vault.Locked() {
		fmt.Println("The vault is sealed: uploads wait and nothing is delivered until it is unsealed.")
	}
	return a.run(ctx, listener)
}

// listen opens the listener, in TLS if the server gets its own certificates.
func (c *ServeCmd) listen() (net.Listener, string, error) {
	if c.ACMEHost == "" {
		return listen(cmp.Or(c.Listen, "localhost:8080"), c.BaseURL)
	}
	base, err := acmeBase(c.ACMEHost, c.BaseURL)
	if err != nil {
		return nil, "", err
	}
	listener, base, err := listen(cmp.Or(c.Listen, ":443"), base)
	if err != nil {
		return nil, "", err
	}
	return secure(listener, c.Data, c.ACMEHost, c.ACMEDirectory), base, nil
}

func (c *ServeCmd) config(base string) (appConfig, error) {
	if err := c.refuse(base); err != nil {
		return appConfig{}, err
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return appConfig{}, fmt.Errorf("data directory: %w", err)
	}
	config := appConfig{Data: c.Data, Database: c.Database, BaseURL: base, Clock: coop.SystemClock, MaxBytes: c.MaxUpload, Payloads: c.Payloads, Logger: newLogger(), BuiltIn: c.BuiltinAccounts,
		Login: web.Login{Issuer: c.Issuer, ClientID: c.ClientID, ClientSecret: c.ClientSecret}}
	var err error
	if config.Mail, err = c.SMTP.Open(); err != nil {
		return appConfig{}, err
	}
	if config.CharterText, config.Charter, err = loadCharter(c.Data, c.Charter); err != nil {
		return appConfig{}, err
	}
	if config.Keys, err = custody.LoadKeys(c.Data); err != nil {
		return appConfig{}, err
	}
	if config.More, err = web.ReadLogins(c.Issuers); err != nil {
		return appConfig{}, err
	}
	if config.Accounts, err = loadAccounts(c.Accounts); err != nil {
		return appConfig{}, err
	}
	config.Master, err = c.master(isLoopback(base))
	return config, err
}

// master unseals the vault's key, or leaves it sealed (nil) where nobody gives
// the passphrase.
func (c *ServeCmd) master(local bool) (vault.Identity, error) {
	file := custody.FindPassphrase(c.PassphraseFile)
	switch {
	case c.AskPassphrase && file != "":
		return nil, errors.New("the passphrase is given already: leave out --ask-passphrase")
	case c.AskPassphrase:
		return custody.AskMaster(c.Data)
	case local && file == "" && !sealedByHand(c.Data):
		return localMaster(c.Data)
	}
	return openMaster(c.Data, file)
}

// refuse says what a server lacks that strangers are to trust.
func (c *ServeCmd) refuse(base string) error {
	if err := demo.RefuseData(c.Data); err != nil {
		return err
	}
	if c.BuiltinAccounts && c.Issuer != "" {
		return errors.New("members sign in at one place: choose --builtin-accounts or --issuer")
	}
	if isLoopback(base) {
		return nil
	}
	var missing []error
	if u, err := url.Parse(base); err != nil || u.Scheme != "https" {
		missing = append(missing, errors.New("an https base URL (--base-url)"))
	}
	if !c.BuiltinAccounts && (c.Issuer == "" || c.ClientID == "") {
		missing = append(missing, errors.New("an OpenID Connect issuer (--issuer, --client-id) or accounts of its own (--builtin-accounts)"))
	}
	if _, err := os.Stat(filepath.Join(c.Data, masterFile)); err != nil {
		missing = append(missing, errors.New("a sealed vault key (datacoop init, or datacoop vault seal)"))
	}
	if c.Accounts != "" {
		return errors.New("local accounts work on a loopback address only")
	}
	if len(missing) > 0 {
		return fmt.Errorf("this server is not fit for the public; it lacks:\n%w", errors.Join(missing...))
	}
	return nil
}

// listen opens the listener and settles how the server is reached.
func listen(address, base string) (net.Listener, string, error) {
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, "", fmt.Errorf("listen: %w", err)
	}
	if base == "" {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, "", fmt.Errorf("listen: %w", err)
		}
		if host == "" {
			host = "localhost"
		}
		base = fmt.Sprintf("http://%s", net.JoinHostPort(host, fmt.Sprint(listener.Addr().(*net.TCPAddr).Port)))
	}
	return web.Narrow(listener), base, nil
}

func isLoopback(base string) bool {
	u, err := url.Parse(base)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

const charterFile = "charter.toml"

// loadCharter reads the charter a server runs under.
func loadCharter(dir, path string) ([]byte, coop.Charter, error) {
	if path == "" {
		path = filepath.Join(dir, charterFile)
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		text, err = governance.DefaultCharter(), nil
	}
	if err != nil {
		return nil, coop.Charter{}, fmt.Errorf("charter: %w", err)
	}
	charter, err := coop.ParseCharter(text)
	return text, charter, err
}

// loadAccounts reads local accounts: [[accounts]] with subject, name and
// password.
func loadAccounts(path string) ([]authserver.Account, error) {
	if path == "" {
		return nil, nil
	}
	var file struct {
		Accounts []struct{ Subject, Name, Password string } `toml:"accounts"`
	}
	if _, err := toml.DecodeFile(path, &file); err != nil {
		return nil, fmt.Errorf("accounts: %w", err)
	}
	out := make([]authserver.Account, 0, len(file.Accounts))
	for _, a := range file.Accounts {
		out = append(out, authserver.Account{Subject: a.Subject, Name: a.Name, Password: a.Password})
	}
	return out, nil
}

// newLogger writes JSON lines to standard error; DATACOOP_DEBUG=1 shows more.
func newLogger() *slog.Logger {
	level := slog.LevelInfo
	if os.Getenv("DATACOOP_DEBUG") == "1" {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
}
