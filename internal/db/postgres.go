package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"distributed.ai/datacoop/internal/fault"
)

// How long the server lets things take before it gives up on them. Each is
// also the client's patience, and a little more, for a server that hangs.
const (
	writeTimeout = time.Minute      // a statement of an Update
	readTimeout  = 10 * time.Minute // a statement of a View: whoever verifies reads whole tables
	lockTimeout  = 10 * time.Second // for other writers
	idleTimeout  = 30 * time.Second // an Update that does nothing: its process may be gone, and all others wait
	grace        = 15 * time.Second

	connectTimeout = 5 * time.Second
	connLifetime   = 30 * time.Minute
	connIdle       = 5 * time.Minute
)

// settleTimeout is how long a server that went away is waited for to say what
// became of a commit.
var settleTimeout = 20 * time.Second

// oldest is the oldest PostgreSQL that is not past its end of life.
const oldest = 140000

// postgres is a PostgreSQL database.
type postgres struct {
	process string       // names this process in the database
	batch   atomic.Int64 // the newest one begun
}

// isPostgres reports whether an address is a PostgreSQL URL and no path.
func isPostgres(address string) bool {
	return strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://")
}

// options are what an address says beyond what the server is told.
type options struct {
	readers  int
	unsynced bool // fsync=off: the server may lose what it confirmed
}

// parseAddress splits our own options off and refuses to send members' data
// over a network in the clear unless it was told to.
func parseAddress(address string) (cfg *pgx.ConnConfig, opt options, err error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, opt, errors.New("the address is not a URL") // the error would quote the password
	}
	opt.readers = max(8, 4*runtime.NumCPU())
	q := u.Query()
	if most := q.Get("pool_max_conns"); most != "" {
		n, err := strconv.Atoi(most)
		if err != nil || n < 2 {
			return nil, opt, errors.New("pool_max_conns is not a number above 1")
		}
		opt.readers = n - 1
	}
	switch q.Get("fsync") {
	case "off":
		opt.unsynced = true
	case "", "on":
	default:
		return nil, opt, errors.New("fsync is on or off")
	}
	q.Del("pool_max_conns")
	q.Del("fsync")
	u.RawQuery = q.Encode()
	if cfg, err = pgx.ParseConfig(u.String()); err != nil {
		return nil, opt, err
	}
	if !opportunistic(cfg) {
		return cfg, opt, nil
	}
	mode := "verify-full"
	if local(cfg.Host) {
		mode = "disable"
	}
	q.Set("sslmode", mode)
	u.RawQuery = q.Encode()
	cfg, err = pgx.ParseConfig(u.String())
	return cfg, opt, err
}

// opportunistic reports whether a connection would be encrypted if the server
// likes, which is the library's default, as it is libpq's.
func opportunistic(cfg *pgx.ConnConfig) bool {
	if cfg.TLSConfig == nil {
		return false
	}
	for _, f := range cfg.Fallbacks {
		if f.TLSConfig == nil {
			return true
		}
	}
	return false
}

// local reports whether a host is this machine: a socket or loopback.
func local(host string) bool {
	ip := net.ParseIP(host)
	return strings.HasPrefix(host, "/") || host == "localhost" || ip != nil && ip.IsLoopback()
}

// openPostgres opens the pools. The address is a URL as libpq takes it.
func openPostgres(ctx context.Context, address string) (*DB, error) {
	cfg, opt, err := parseAddress(address)
	if err != nil {
		return nil, err
	}
	p := &postgres{process: newProcess()}
	d := newDB(p, sql.OpenDB(newPostgresConnector(cfg, writeTimeout, idleTimeout)),
		sql.OpenDB(newPostgresConnector(cfg, readTimeout, readTimeout)), opt.readers)
	for _, pool := range []*sql.DB{d.write, d.read} {
		pool.SetConnMaxLifetime(connLifetime)
		pool.SetConnMaxIdleTime(connIdle)
	}
	if err := p.prepare(ctx, d.write, opt); err != nil {
		return nil, errors.Join(p.explain(err), d.write.Close(), d.read.Close())
	}
	return d, nil
}

// prepare refuses a server on which the guarantees do not hold.
func (p *postgres) prepare(ctx context.Context, pool *sql.DB, opt options) error {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // back to the pool
	s, err := readSettings(ctx, conn)
	if err != nil {
		return err
	}
	switch {
	case s.version < oldest:
		return fmt.Errorf("the server is PostgreSQL %d, which is too old: %d or newer is needed", s.version/10000, oldest/10000)
	case s.encoding != "UTF8":
		return fmt.Errorf("the database is encoded in %s and not in UTF8", s.encoding)
	case s.fsync != "on" && !opt.unsynced:
		return errors.New("the server has fsync off: it would lose what it confirmed; for tests say fsync=off in the address too")
	case s.schemaNow == "":
		return errors.New("the database has no schema that the search_path names")
	}
	return makeTables(ctx, conn)
}

func newPostgresConnector(cfg *pgx.ConnConfig, statement, idle time.Duration) driver.Connector {
	cfg = cfg.Copy()
	ms := func(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
	for name, value := range map[string]string{
		"statement_timeout":                   ms(statement),
		"idle_in_transaction_session_timeout": ms(idle),
		"lock_timeout":                        ms(lockTimeout),
		"standard_conforming_strings":         "on", // what rebind relies on
		"client_encoding":                     "UTF8",
	} {
		cfg.RuntimeParams[name] = value
	}
	if cfg.RuntimeParams["application_name"] == "" {
		cfg.RuntimeParams["application_name"] = "datacoop"
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = connectTimeout
	}
	// A caller who goes away stops the query and leaves the connection whole.
	cfg.BuildContextWatcherHandler = func(c *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: c, CancelRequestDelay: 0, DeadlineDelay: time.Second}
	}
	return wrapped{stdlib.GetConnector(*cfg, stdlib.OptionAfterConnect(durable))}
}

// durable undoes the one setting of a session that would let a commit be
// confirmed before it is on disk. Stricter ones stay.
func durable(ctx context.Context, c *pgx.Conn) error {
	_, err := c.Exec(ctx, sqlDurable)
	return err
}

const sqlDurable = `SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`

func (p *postgres) traits() traits {
	return traits{
		dialect:  goose.DialectPostgres,
		snapshot: &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true},
		batch:    60, // beyond 64 subtransactions the server has to look them up on disk
		patience: max(writeTimeout, idleTimeout) + grace,
		reading:  readTimeout + grace,
	}
}

func (p *postgres) schema(text string) string { return postgresSchema(text) }

func (p *postgres) begin(ctx context.Context, conn *sql.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, lockTimeout+grace)
	defer cancel()
	err := beginBatch(ctx, conn, p.process, p.batch.Add(1))
	if err = p.explain(err); err != nil && fault.KindOf(err) == fault.Internal {
		err = fmt.Errorf("%w (%w)", errAway, err) // such as a server that only reads: nothing has been done yet
	}
	return err
}

func (p *postgres) ended(conn *sql.Conn) bool {
	gone := true
	err := onServer(conn, func(c *pgx.Conn) error {
		gone = c.IsClosed() || c.PgConn().TxStatus() == 'I'
		return nil
	})
	return err != nil || gone
}

func onServer(conn *sql.Conn, fn func(*pgx.Conn) error) error {
	return conn.Raw(func(raw any) error {
		c, ok := raw.(*pgConn)
		if !ok {
			return errors.New("not a connection to PostgreSQL")
		}
		return fn(c.Conn.Conn())
	})
}

var errRolledBack = errors.New("the server rolled the batch back instead of committing it")

// commit asks the server what became of a batch if the connection breaks
// before it says so.
func (p *postgres) commit(d *DB, conn *sql.Conn) error {
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout+grace)
	defer cancel()
	err := onServer(conn, func(c *pgx.Conn) error {
		tag, err := c.Exec(ctx, "COMMIT")
		if err == nil && tag.String() != "COMMIT" {
			return errRolledBack
		}
		return err
	})
	var said *pgconn.PgError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errRolledBack), errors.As(err, &said) && said.SeverityUnlocalized == "ERROR":
		return err // the server answered, and a transaction it fails is rolled back
	}
	_ = conn.Close() // it is broken, and the pool has one connection
	return p.settle(d, err)
}

// settle finds out whether the newest batch stands.
func (p *postgres) settle(d *DB, cause error) error {
	ctx, cancel := context.WithTimeout(context.Background(), settleTimeout)
	defer cancel()
	go func() {
		select {
		case <-d.stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	for {
		last, err := lastBatch(ctx, d.write, p.process)
		switch {
		case err == nil && last == p.batch.Load():
			return nil
		case err == nil:
			return fmt.Errorf("%w (%w)", errAway, cause)
		case ctx.Err() != nil:
			return fmt.Errorf("%w (%w)", ErrUnknown, cause)
		}
		select {
		case <-ctx.Done():
		case <-time.After(firstPatience):
		}
	}
}

func (p *postgres) migrate(ctx context.Context, d *DB, fn func() error) error {
	release, err := holdLock(ctx, d.read)
	if err != nil {
		return err
	}
	return errors.Join(fn(), release())
}

func (p *postgres) truncate(ctx context.Context, d *DB, tables []string) error {
	for _, table := range tables {
		if err := vacuum(ctx, d.read, table); err != nil {
			return fmt.Errorf("vacuum: %w", p.explain(err))
		}
	}
	return nil
}
