package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// update is one caller's place in the queue. The writer hands it the
// transaction, the caller runs its function in its own goroutine (so that a
// panic is the caller's) and hands back a verdict, and both wait for the end
// of the batch.
type update struct {
	ctx     context.Context
	turn    chan *Tx   // closed without a value if the turn never comes
	verdict chan bool  // whether to keep the changes
	end     chan error // how the batch ended
	own     error      // why this update alone is not kept; read after end
}

// control is work for the writer goroutine outside any transaction.
type control struct {
	fn  func() error
	end chan error
}

// Update runs fn in a write transaction and returns once its changes are on
// disk. If fn returns an error, fn's changes are rolled back and the error is
// returned unchanged; if it panics, its changes are rolled back and the panic
// goes on in the caller. Updates run one at a time, so fn makes no network
// call and waits for nobody. A context that ends before fn's turn, or between
// its statements, stops it; a context that ends later changes nothing.
func (d *DB) Update(ctx context.Context, fn func(tx *Tx) error) error {
	if tx := current(ctx, d); tx != nil && tx.conn != nil {
		return fmt.Errorf("db: update: %w", ErrNested)
	}
	u := &update{ctx: ctx, turn: make(chan *Tx, 1), verdict: make(chan bool, 1), end: make(chan error, 1)}
	select {
	case d.updates <- u:
	case <-ctx.Done():
		return ctx.Err()
	case <-d.stop:
		return errClosed
	}
	tx, ok := <-u.turn
	if !ok {
		return <-u.end
	}
	returned := false
	defer func() {
		if !returned { // fn panicked or ended the goroutine
			tx.finish()
			u.verdict <- false
			<-u.end //nolint:errcheck // the panic says more
		}
	}()
	err := fn(tx)
	returned = true
	tx.finish()
	u.verdict <- err == nil
	if end := <-u.end; end != nil {
		return end
	}
	if err == nil {
		err = u.own
	}
	return err
}

// control runs fn on the writer goroutine between batches.
func (d *DB) control(ctx context.Context, fn func() error) error {
	c := &control{fn: fn, end: make(chan error, 1)}
	select {
	case d.controls <- c:
		return <-c.end
	case <-ctx.Done():
		return ctx.Err()
	case <-d.stop:
		return errClosed
	}
}

// run is the writer goroutine.
func (d *DB) run() {
	defer close(d.stopped)
	for {
		select {
		case u := <-d.updates:
			d.batch(u)
		case c := <-d.controls:
			c.end <- c.fn()
		case <-d.stop:
			return
		}
	}
}

// batch commits first and whoever queues up meanwhile.
func (d *DB) batch(first *update) {
	conn, err := d.begin()
	if err != nil {
		close(first.turn)
		first.end <- err
		return
	}
	var members []*update
	kept := 0
	for u := first; u != nil && err == nil; u = d.next(len(members), err) {
		var keep bool
		members = append(members, u)
		if keep, err = d.take(conn, u); keep {
			kept++
		}
	}
	err = d.finish(conn, kept, err)
	for _, u := range members {
		u.end <- err
	}
}

// next returns who waits now, unless the batch is full or lost.
func (d *DB) next(size int, lost error) *update {
	if size >= d.traits.batch || lost != nil {
		return nil
	}
	select {
	case u := <-d.updates:
		return u
	default:
		return nil
	}
}

func (d *DB) begin() (conn *sql.Conn, err error) {
	if err := d.Err(); err != nil {
		return nil, err
	}
	ctx := context.Background()
	for range attempts {
		conn, err = d.write.Conn(ctx)
		if err != nil {
			return nil, fmt.Errorf("db: update: %w", d.explain(err))
		}
		if err = d.engine.begin(ctx, conn); err == nil {
			return conn, nil
		}
		d.abandon(conn)
		if !errors.Is(err, errAway) {
			break
		}
	}
	return nil, fmt.Errorf("db: begin: %w", err)
}

// abandon gives back a connection that may be inside a transaction.
func (d *DB) abandon(conn *sql.Conn) {
	if !d.ended(conn) {
		_, _ = conn.ExecContext(context.Background(), "ROLLBACK") // an earlier error says more
	}
	_ = conn.Close() // back to the pool, which drops it if it is broken
}

// take gives u its turn in a savepoint of its own. An error means that the
// whole batch is lost.
func (d *DB) take(conn *sql.Conn, u *update) (keep bool, lost error) {
	ctx := context.Background()
	if _, err := conn.ExecContext(ctx, "SAVEPOINT caller"); err != nil {
		close(u.turn)
		return false, fmt.Errorf("db: savepoint: %w", d.explain(err))
	}
	tx := newTx(u.ctx, d, conn, conn)
	u.turn <- tx
	keep = <-u.verdict
	switch {
	case tx.dead != nil:
		return false, tx.dead
	case keep && tx.spent != nil:
		keep, u.own = false, fmt.Errorf("%w (%w)", errSpoilt, tx.spent)
	}
	if keep {
		_, err := conn.ExecContext(ctx, "RELEASE caller")
		if sqlState(err) != inFailedBatch {
			return err == nil, d.lost("release", err)
		}
		u.own = errSpoilt // by an error that came while rows were read
	}
	_, err := conn.ExecContext(ctx, "ROLLBACK TO caller; RELEASE caller")
	return false, d.lost("release", err)
}

func (d *DB) lost(op string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("db: %s: %w", op, d.explain(err))
}

// finish commits the batch, or rolls it back if it is lost or empty.
func (d *DB) finish(conn *sql.Conn, kept int, lost error) error {
	defer d.abandon(conn)
	if lost == nil && kept > 0 {
		return d.lost("commit", d.commit(d, conn))
	}
	return lost
}
