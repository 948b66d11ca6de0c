package db_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"pgregory.net/rapid"

	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/internal/testkit"
)

const schema = `-- +goose Up
CREATE TABLE t_rows (id TEXT NOT NULL PRIMARY KEY, n BIGINT NOT NULL, body BYTEA NOT NULL);
CREATE TABLE t_children (id TEXT NOT NULL PRIMARY KEY, parent TEXT NOT NULL REFERENCES t_rows(id));
`

func files(migrations ...string) fstest.MapFS {
	out := fstest.MapFS{}
	for i, text := range migrations {
		out[fmt.Sprintf("schema/%04d_step.sql", i+1)] = &fstest.MapFile{Data: []byte(text)}
	}
	return out
}

// fresh opens a new database with the test schema and returns its address too.
func fresh(t testing.TB) (*db.DB, string) {
	t.Helper()
	address := testkit.Address(t)
	return reopen(t, address), address
}

func reopen(t testing.TB, address string) *db.DB {
	t.Helper()
	d := testkit.Open(t, address)
	if err := d.Migrate(t.Context(), "t", files(schema)); err != nil {
		t.Fatal(err)
	}
	return d
}

func insert(tx *db.Tx, id string, n int) error {
	return tx.ExecOne("INSERT INTO t_rows (id, n, body) VALUES (?, ?, ?)", id, n, []byte{})
}

func mustInsert(t testing.TB, d *db.DB, id string) {
	t.Helper()
	if err := d.Update(t.Context(), func(tx *db.Tx) error { return insert(tx, id, 0) }); err != nil {
		t.Fatal(err)
	}
}

// ids lists the rows as somebody else sees them.
func ids(t testing.TB, d *db.DB) []string {
	t.Helper()
	var out []string
	err := d.View(context.Background(), func(tx *db.Tx) (err error) {
		out, err = db.Collect(tx, func(rows *sql.Rows) (id string, err error) {
			err = rows.Scan(&id)
			return id, err
		}, "SELECT id FROM t_rows ORDER BY id")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// hold occupies the writer until the returned function is called, so that what
// is queued meanwhile shares its commit.
func hold(t testing.TB, d *db.DB) (release func()) {
	t.Helper()
	entered, gate, left := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		left <- d.Update(context.Background(), func(*db.Tx) error { close(entered); <-gate; return nil })
	}()
	<-entered
	return func() {
		close(gate)
		if err := <-left; err != nil {
			t.Error(err)
		}
	}
}

// queued waits until n goroutines are blocked in Update.
func queued(t testing.TB, n int) {
	t.Helper()
	buf := make([]byte, 1<<20)
	for range 2000 {
		stacks := string(buf[:runtime.Stack(buf, true)])
		waiting := 0
		for _, s := range strings.Split(stacks, "\n\n") {
			if strings.Contains(s, "[select") && strings.Contains(s, "(*DB).Update(") {
				waiting++
			}
		}
		if waiting >= n {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("%d updates never queued up", n)
}

func TestPragmasAreWhatDurabilityAndErasureNeed(t *testing.T) {
	testkit.SQLiteOnly(t, "pragmas are SQLite's")
	d, path := fresh(t)
	check := func(door func(context.Context, func(*db.Tx) error) error, want map[string]string) {
		t.Helper()
		err := door(t.Context(), func(tx *db.Tx) error {
			for pragma, value := range want {
				var got string
				if err := tx.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil {
					return err
				}
				if got != value {
					t.Errorf("%s is %s, want %s", pragma, got, value)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	check(d.Update, map[string]string{"journal_mode": "wal", "synchronous": "2", "secure_delete": "1",
		"foreign_keys": "1", "temp_store": "2", "busy_timeout": "5000", "trusted_schema": "0"})
	check(d.View, map[string]string{"journal_mode": "wal", "query_only": "1", "temp_store": "2"})
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("file %q has mode %v", suffix, info.Mode())
		}
	}
}

func TestOpenRefusesWhatIsNoDatabase(t *testing.T) {
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage.db")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("not a database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"missing directory": filepath.Join(dir, "nowhere", "coop.db"),
		"directory":         dir,
		"garbage":           garbage,
	} {
		if d, err := db.Open(t.Context(), path); err == nil {
			t.Errorf("%s: opened", name)
			_ = d.Close()
		}
	}
}

func TestOpenNarrowsTheModeOfAnExistingFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "coop.db")
	if err := os.WriteFile(path, nil, 0o644); err != nil { // #nosec G306 -- the point of the test
		t.Fatal(err)
	}
	reopen(t, path)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
}

func TestOddPathsAreFileNames(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?mode=memory&c%20#d.db")
	mustInsert(t, reopen(t, path), "a")
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		t.Fatalf("nothing at the path: %v", err)
	}
}

// TestAcknowledgedUpdateSurvivesAKill copies the files the moment an Update
// returned, which is what a killed process leaves behind.
func TestAcknowledgedUpdateSurvivesAKill(t *testing.T) {
	testkit.SQLiteOnly(t, "it copies the database's files")
	d, path := fresh(t)
	release := func() {}
	for i := range 20 {
		mustInsert(t, d, fmt.Sprint("acknowledged ", i))
		if i == 19 { // and one more is under way
			release = hold(t, d)
		}
		left := filepath.Join(t.TempDir(), "left.db")
		for _, suffix := range []string{"", "-wal"} {
			data, err := os.ReadFile(path + suffix)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(left+suffix, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got := ids(t, reopen(t, left)); len(got) != i+1 {
			t.Fatalf("after %d acknowledged updates the files hold %d", i+1, len(got))
		}
	}
	release()
}

func TestUpdatesThatWaitShareOneCommit(t *testing.T) {
	d, _ := fresh(t)
	release := hold(t, d)
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			err := d.Update(context.Background(), func(tx *db.Tx) error {
				if seen := ids(t, d); len(seen) != 0 { // through a connection of its own
					t.Errorf("an earlier update was committed alone: %d rows", len(seen))
				}
				return insert(tx, fmt.Sprint(i), i)
			})
			if err != nil {
				t.Error(err)
			}
			if len(ids(t, d)) != 32 {
				t.Error("answered before the shared commit")
			}
		})
	}
	queued(t, 32)
	release()
	wg.Wait()
}

func TestErrorRollsBackOnlyItsOwnUpdate(t *testing.T) {
	d, _ := fresh(t)
	mine := errors.New("mine")
	release := hold(t, d)
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			err := d.Update(context.Background(), func(tx *db.Tx) error {
				if err := insert(tx, fmt.Sprint("row ", i), i); err != nil {
					return err
				}
				if i%2 == 1 {
					return mine
				}
				return nil
			})
			if i%2 == 1 && err != mine { //nolint:errorlint // unchanged means identical
				t.Errorf("update %d: %v, want the function's own error", i, err)
			}
			if i%2 == 0 && err != nil {
				t.Errorf("update %d: %v", i, err)
			}
		})
	}
	queued(t, 16)
	release()
	wg.Wait()
	if got := ids(t, d); len(got) != 8 {
		t.Errorf("%d rows, want the 8 of the updates that succeeded", len(got))
	}
}

func TestConcurrentReadModifyWriteLosesNothing(t *testing.T) {
	d, path := fresh(t)
	mustInsert(t, d, "sum")
	const callers, each = 32, 20
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for range each {
				err := d.Update(context.Background(), func(tx *db.Tx) error {
					var n int
					if err := tx.QueryRow("SELECT n FROM t_rows WHERE id = ?", "sum").Scan(&n); err != nil {
						return err
					}
					return tx.ExecOne("UPDATE t_rows SET n = ? WHERE id = ?", n+1, "sum")
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	err := reopen(t, path).View(t.Context(), func(tx *db.Tx) error {
		return tx.QueryRow("SELECT id FROM t_rows WHERE n = ?", callers*each).Scan(new(string))
	})
	if err != nil {
		t.Fatalf("increments were lost: %v", err)
	}
}

// TestBatchIsTheSerialRunOfItsSuccesses runs random updates, some failing, in
// one batch and compares with a model.
func TestBatchIsTheSerialRunOfItsSuccesses(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d, _ := fresh(t)
		type step struct {
			ids  []string
			fail bool
		}
		steps := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) step {
			return step{
				ids:  rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "d"}), 1, 4).Draw(rt, "ids"),
				fail: rapid.Bool().Draw(rt, "fail"),
			}
		}), 1, 8).Draw(rt, "steps")
		release := hold(t, d)
		var mu sync.Mutex
		want := map[string]bool{}
		var wg sync.WaitGroup
		for _, s := range steps {
			wg.Go(func() {
				_ = d.Update(context.Background(), func(tx *db.Tx) error {
					for _, id := range s.ids {
						if _, err := tx.Exec("INSERT INTO t_rows (id, n, body) VALUES (?, 0, '') ON CONFLICT (id) DO NOTHING", id); err != nil {
							return err
						}
					}
					if s.fail {
						return errors.New("changed my mind")
					}
					mu.Lock()
					defer mu.Unlock()
					for _, id := range s.ids {
						want[id] = true
					}
					return nil
				})
			})
		}
		release()
		wg.Wait()
		got := ids(t, d)
		if len(got) != len(want) {
			rt.Fatalf("got %v, want %v", got, want)
		}
		for _, id := range got {
			if !want[id] {
				rt.Fatalf("got %v, want %v", got, want)
			}
		}
		if err := d.Close(); err != nil {
			rt.Fatal(err)
		}
	})
}

func TestPanicIsTheCallersAndLeavesNothing(t *testing.T) {
	d, _ := fresh(t)
	func() {
		defer func() {
			if p := recover(); p != "boom" {
				t.Errorf("recovered %v", p)
			}
		}()
		_ = d.Update(t.Context(), func(tx *db.Tx) error {
			if err := insert(tx, "half done", 0); err != nil {
				t.Error(err)
			}
			panic("boom")
		})
	}()
	mustInsert(t, d, "next")
	if got := ids(t, d); len(got) != 1 || got[0] != "next" {
		t.Errorf("rows %v", got)
	}
}

func TestEndedGoroutineLeavesNothing(t *testing.T) {
	d, _ := fresh(t)
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = d.Update(context.Background(), func(tx *db.Tx) error {
			_ = insert(tx, "half done", 0)
			runtime.Goexit() // what t.FailNow does
			return nil
		})
	})
	wg.Wait()
	mustInsert(t, d, "next")
	if got := ids(t, d); len(got) != 1 {
		t.Errorf("rows %v", got)
	}
}

func TestUpdateInsideUpdateIsRefused(t *testing.T) {
	d, _ := fresh(t)
	other, _ := fresh(t)
	var kept context.Context
	err := d.Update(t.Context(), func(tx *db.Tx) error {
		kept = tx.Context()
		if err := d.Update(tx.Context(), func(*db.Tx) error { return nil }); !errors.Is(err, db.ErrNested) {
			t.Errorf("nested update: %v", err)
		}
		if err := d.Truncate(tx.Context()); !errors.Is(err, db.ErrNested) {
			t.Errorf("nested truncate: %v", err)
		}
		if err := d.Migrate(tx.Context(), "t", files(schema)); !errors.Is(err, db.ErrNested) {
			t.Errorf("nested migrate: %v", err)
		}
		return other.Update(tx.Context(), func(tx *db.Tx) error { return insert(tx, "elsewhere", 0) })
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Update(kept, func(tx *db.Tx) error { return insert(tx, "later", 0) }); err != nil {
		t.Errorf("update with the context of a finished one: %v", err)
	}
}

func TestViewInsideUpdateSeesWhatItSees(t *testing.T) {
	d, _ := fresh(t)
	err := d.Update(t.Context(), func(tx *db.Tx) error {
		if err := insert(tx, "mine", 0); err != nil {
			return err
		}
		return d.View(tx.Context(), func(tx *db.Tx) error {
			return tx.QueryRow("SELECT id FROM t_rows").Scan(new(string))
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestViewIsOneMomentAndReadOnly(t *testing.T) {
	d, _ := fresh(t)
	mustInsert(t, d, "before")
	err := d.View(t.Context(), func(tx *db.Tx) error {
		count := func() (n int) {
			if err := tx.QueryRow("SELECT count(*) FROM t_rows").Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		first := count()
		mustInsert(t, d, "meanwhile")
		if second := count(); first != 1 || second != 1 {
			t.Errorf("the snapshot moved from %d to %d", first, second)
		}
		if err := insert(tx, "written by a reader", 0); err == nil {
			t.Error("a view wrote")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := ids(t, d); len(got) != 2 {
		t.Errorf("rows %v", got)
	}
}

func TestTxIsOverWhenItsFunctionReturned(t *testing.T) {
	d, _ := fresh(t)
	for name, door := range map[string]func(context.Context, func(*db.Tx) error) error{"update": d.Update, "view": d.View} {
		var leaked *db.Tx
		if err := door(t.Context(), func(tx *db.Tx) error { leaked = tx; return nil }); err != nil {
			t.Fatal(err)
		}
		if _, err := leaked.Exec("DELETE FROM t_rows"); err == nil {
			t.Errorf("%s: exec after the end", name)
		}
		if _, err := leaked.Query("SELECT 1"); err == nil { //nolint:sqlclosecheck,rowserrcheck // there are no rows
			t.Errorf("%s: query after the end", name)
		}
		if err := leaked.QueryRow("SELECT 1").Scan(new(int)); err == nil || errors.Is(err, db.ErrNoRow) {
			t.Errorf("%s: query row after the end: %v", name, err)
		}
	}
}

func TestCancelledContextStopsOnlyItsOwnUpdate(t *testing.T) {
	d, _ := fresh(t)
	release := hold(t, d)
	var wg sync.WaitGroup
	waiting, give := context.WithCancel(context.Background())
	wg.Go(func() {
		err := d.Update(waiting, func(*db.Tx) error { t.Error("ran after its caller had gone"); return nil })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("waiting update: %v", err)
		}
	})
	queued(t, 1)
	give()
	wg.Wait()
	running, stop := context.WithCancel(context.Background())
	wg.Go(func() {
		err := d.Update(running, func(tx *db.Tx) error {
			if err := insert(tx, "stopped half way", 0); err != nil {
				return err
			}
			stop()
			if err := tx.QueryRow("SELECT 1").Scan(new(int)); !errors.Is(err, context.Canceled) {
				t.Errorf("query row after cancel: %v", err)
			}
			return insert(tx, "never", 0)
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("running update: %v", err)
		}
	})
	wg.Go(func() {
		if err := d.Update(context.Background(), func(tx *db.Tx) error { return insert(tx, "neighbour", 0) }); err != nil {
			t.Errorf("neighbour: %v", err)
		}
	})
	queued(t, 2)
	release()
	wg.Wait()
	if got := ids(t, d); len(got) != 1 || got[0] != "neighbour" {
		t.Errorf("rows %v", got)
	}
}

func TestContextThatEndsAfterTheFunctionChangesNothing(t *testing.T) {
	d, _ := fresh(t)
	ctx, cancel := context.WithCancel(context.Background())
	err := d.Update(ctx, func(tx *db.Tx) error {
		defer cancel()
		return insert(tx, "decided", 0)
	})
	if got := ids(t, d); err != nil || len(got) != 1 {
		t.Errorf("rows %v, error %v: an outcome must be one or the other", got, err)
	}
}

func TestExecOneWantsExactlyOneRow(t *testing.T) {
	d, _ := fresh(t)
	err := d.Update(t.Context(), func(tx *db.Tx) error {
		if err := tx.ExecOne("UPDATE t_rows SET n = 1 WHERE id = ?", "nobody"); !errors.Is(err, db.ErrNoRow) {
			t.Errorf("no row: %v", err)
		}
		_, _ = insert(tx, "a", 0), insert(tx, "b", 0)
		if n, err := tx.Exec("UPDATE t_rows SET n = 1"); err != nil || n != 2 {
			t.Errorf("exec: %d, %v", n, err)
		}
		return tx.ExecOne("UPDATE t_rows SET n = 2")
	})
	if !errors.Is(err, db.ErrNoRow) {
		t.Errorf("two rows: %v", err)
	}
	if got := ids(t, d); len(got) != 0 {
		t.Errorf("rows %v stayed", got)
	}
}

func TestIsUniqueKnowsWhichConstraint(t *testing.T) {
	d, _ := fresh(t)
	mustInsert(t, d, "a")
	for query, unique := range map[string]bool{
		"INSERT INTO t_rows (id, n, body) VALUES ('a', 0, '')":       true,
		"INSERT INTO t_children (id, parent) VALUES ('c', 'nobody')": false,
		"INSERT INTO t_rows (id, n, body) VALUES ('b', NULL, '')":    false,
	} {
		err := d.Update(t.Context(), func(tx *db.Tx) error { _, err := tx.Exec(query); return err })
		if err == nil || db.IsUnique(err) != unique {
			t.Errorf("%s: %v", query, err)
		}
	}
	if db.IsUnique(nil) || db.IsUnique(errors.New("other")) {
		t.Error("no error, or another, is a violation")
	}
}

// TestAFailedStatementIsTheLast: PostgreSQL could not go on, so nobody may rely
// on it where SQLite could.
func TestAFailedStatementIsTheLast(t *testing.T) {
	d, _ := fresh(t)
	mustInsert(t, d, "a")
	for name, fail := range map[string]func(tx *db.Tx) error{
		"exec":      func(tx *db.Tx) error { return insert(tx, "a", 0) },
		"query":     func(tx *db.Tx) error { _, err := tx.Query("SELECT nothing FROM nowhere"); return err }, //nolint:sqlclosecheck,rowserrcheck // there are no rows
		"query row": func(tx *db.Tx) error { return tx.QueryRow("SELECT nothing FROM nowhere").Scan(new(int)) },
	} {
		release := hold(t, d)
		var wg sync.WaitGroup
		wg.Go(func() {
			var first error
			err := d.Update(context.Background(), func(tx *db.Tx) error {
				if err := insert(tx, name+", before", 0); err != nil {
					return err
				}
				first = fail(tx)
				if again := insert(tx, name+", after", 0); first == nil || !errors.Is(again, first) {
					t.Errorf("%s: after %v came %v", name, first, again)
				}
				return nil // a function that swallows errors
			})
			if err == nil || !errors.Is(err, first) {
				t.Errorf("%s: the update answered %v", name, err)
			}
		})
		wg.Go(func() {
			if err := d.Update(context.Background(), func(tx *db.Tx) error { return insert(tx, name+", beside", 0) }); err != nil {
				t.Errorf("%s: a neighbour: %v", name, err)
			}
		})
		queued(t, 2)
		release()
		wg.Wait()
	}
	if got := ids(t, d); len(got) != 4 {
		t.Errorf("rows %v", got)
	}
}

func TestCollectReturnsEmptyNotNil(t *testing.T) {
	d, _ := fresh(t)
	if got := ids(t, d); got == nil || len(got) != 0 {
		t.Errorf("%#v", got)
	}
	err := d.View(t.Context(), func(tx *db.Tx) error {
		_, err := db.Collect(tx, func(*sql.Rows) (int, error) { return 0, nil }, "SELECT nothing FROM nowhere")
		return err
	})
	if err == nil {
		t.Error("a broken query collected")
	}
}

func TestClosedDatabaseIsUnavailable(t *testing.T) {
	d, _ := fresh(t)
	if err := errors.Join(d.Close(), d.Close()); err != nil {
		t.Fatal(err)
	}
	if err := d.Update(t.Context(), func(*db.Tx) error { return nil }); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("update: %v", err)
	}
	if err := d.View(t.Context(), func(*db.Tx) error { return nil }); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("view: %v", err)
	}
	if err := d.Truncate(t.Context()); err == nil {
		t.Error("truncate on a closed database")
	}
}

func BenchmarkUpdate(b *testing.B) {
	d, _ := fresh(b)
	mustInsert(b, d, "sum")
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			err := d.Update(context.Background(), func(tx *db.Tx) error {
				return tx.ExecOne("UPDATE t_rows SET n = n + 1 WHERE id = ?", "sum")
			})
			if err != nil {
				b.Error(err)
			}
		}
	})
}
