package db_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/internal/testkit"
)

// behind opens a new database by way of a proxy.
func behind(t *testing.T) (d *db.DB, address string, p *testkit.Proxy) {
	t.Helper()
	p = testkit.NewProxy(t)
	address = testkit.Address(t)
	return reopen(t, p.Through(address)), address, p
}

func unavailable(t *testing.T, what string, err error) {
	t.Helper()
	if fault.KindOf(err) != fault.Unavailable {
		t.Errorf("%s: %v, want that the storage is unavailable", what, err)
	}
}

func TestACommitThatWasNotAnsweredIsAskedAbout(t *testing.T) {
	d, address, p := behind(t)
	p.Doom(testkit.Unanswered)
	if err := d.Update(t.Context(), func(tx *db.Tx) error { return insert(tx, "kept", 0) }); err != nil {
		t.Errorf("the server committed: %v", err)
	}
	p.Doom(testkit.Lost)
	err := d.Update(t.Context(), func(tx *db.Tx) error { return insert(tx, "lost", 0) })
	unavailable(t, "the server was never told to commit", err)
	mustInsert(t, d, "next")
	if got := ids(t, reopen(t, address)); !slices.Equal(got, []string{"kept", "next"}) {
		t.Errorf("rows %v", got)
	}
}

func TestAnOutcomeNobodyKnowsIsAFaultOfOurs(t *testing.T) {
	d, address, p := behind(t)
	db.Hurry(t, d, 300*time.Millisecond)
	p.Doom(testkit.UnansweredForGood)
	err := d.Update(t.Context(), func(tx *db.Tx) error {
		return insert(tx, "kept, as it happens", 0)
	})
	if !errors.Is(err, db.ErrUnknown) || fault.KindOf(err) != fault.Internal {
		t.Errorf("got %v", err)
	}
	p.Restore()
	mustInsert(t, d, "next")
	if got := ids(t, reopen(t, address)); len(got) != 2 {
		t.Errorf("rows %v", got)
	}
}

func TestAServerThatGoesAwayUnderLoad(t *testing.T) {
	d, address, p := behind(t)
	underLoad(t, d, address, 4, p.Cut, p.Restore)
}

// TestAServerThatIsKilledUnderLoad kills the server with all its processes, so
// that what it confirmed is only on its disk.
func TestAServerThatIsKilledUnderLoad(t *testing.T) {
	s := testkit.OwnServer(t)
	address := s.Address()
	underLoad(t, reopen(t, address), address, 3, s.Kill, s.Start)
}

// underLoad counts while a server is taken away again and again: what was
// acknowledged is there, what was refused is not, and the program goes on with
// the server as soon as it is back, without a restart of its own.
func underLoad(t *testing.T, d *db.DB, address string, rounds int, cut, restore func()) {
	t.Helper()
	var acknowledged, refused, unknown sync.Map
	var work sync.WaitGroup
	stop := make(chan struct{})
	var turns, kept atomic.Int64
	for caller := range 8 {
		work.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				id := fmt.Sprint(caller, "/", i)
				err := d.Update(context.Background(), func(tx *db.Tx) error {
					if err := insert(tx, id, 0); err != nil {
						return err
					}
					return insert(tx, id+" too", 0)
				})
				switch {
				case err == nil:
					acknowledged.Store(id, true)
					kept.Add(1)
				case errors.Is(err, db.ErrUnknown):
					unknown.Store(id, true)
				default:
					unavailable(t, "update", err)
					refused.Store(id, true)
				}
				err = d.View(context.Background(), func(tx *db.Tx) error { return tx.QueryRow("SELECT count(*) FROM t_rows").Scan(new(int)) })
				if err != nil {
					unavailable(t, "view", err)
				}
				turns.Add(1)
			}
		})
	}
	for range rounds {
		for before := kept.Load(); kept.Load() < before+40; {
			time.Sleep(time.Millisecond)
		}
		cut()
		for before := turns.Load(); turns.Load() < before+8; {
			time.Sleep(time.Millisecond)
		}
		restore()
	}
	close(stop)
	work.Wait()
	mustInsert(t, d, "after")
	rows := map[string]bool{}
	for _, id := range ids(t, reopen(t, address)) {
		rows[id] = true
	}
	count := func(m *sync.Map, there bool) (n int) {
		m.Range(func(id, _ any) bool {
			n++
			if rows[id.(string)] != there || rows[id.(string)+" too"] != there {
				t.Errorf("%v: is there: %v and %v", id, rows[id.(string)], rows[id.(string)+" too"])
			}
			return true
		})
		return n
	}
	yes, no, perhaps := count(&acknowledged, true), count(&refused, false), 0
	unknown.Range(func(any, any) bool { perhaps++; return true })
	t.Logf("%d acknowledged, %d refused, %d unknown", yes, no, perhaps)
	if yes == 0 || no == 0 {
		t.Error("nothing was acknowledged, or nothing refused: the test proves nothing")
	}
}

func TestABrokenConnectionIsNobodysRefusal(t *testing.T) {
	d, _, p := behind(t)
	mustInsert(t, d, "before")
	ids(t, d)
	p.Break()
	if got := ids(t, d); len(got) != 1 {
		t.Errorf("rows %v", got)
	}
	p.Break()
	mustInsert(t, d, "after")
}

func TestAServerThatHangsIsWaitedForSoLong(t *testing.T) {
	d, _, p := behind(t)
	mustInsert(t, d, "before")
	db.Hurry(t, d, 300*time.Millisecond)
	for name, door := range map[string]func(context.Context, func(*db.Tx) error) error{"update": d.Update, "view": d.View} {
		err := door(t.Context(), func(tx *db.Tx) error {
			p.Hang()
			return tx.QueryRow("SELECT n FROM t_rows").Scan(new(int))
		})
		unavailable(t, name, err)
		p.Break()
	}
	mustInsert(t, d, "after")
}

func TestAnUpdateThatLosesItsConnectionLosesAllOfItsBatch(t *testing.T) {
	d, address, p := behind(t)
	entered, gate, answers := make(chan struct{}), make(chan struct{}), make(chan error, 2)
	go func() {
		answers <- d.Update(context.Background(), func(tx *db.Tx) error {
			close(entered)
			<-gate
			return insert(tx, "neighbour", 0)
		})
	}()
	<-entered
	go func() {
		answers <- d.Update(context.Background(), func(tx *db.Tx) error {
			if err := insert(tx, "half", 0); err != nil {
				return err
			}
			p.Break()
			_ = insert(tx, "the other half", 0)
			return nil // a function that swallows errors
		})
	}()
	queued(t, 1)
	close(gate)
	for range 2 {
		unavailable(t, "update of the batch", <-answers)
	}
	if got := ids(t, reopen(t, address)); len(got) != 0 {
		t.Errorf("rows %v", got)
	}
}

// TestProcessesWriteOneAtATime: two open databases are what two servers are.
func TestProcessesWriteOneAtATime(t *testing.T) {
	testkit.PostgresOnly(t)
	address := testkit.Address(t)
	servers := []*db.DB{reopen(t, address), reopen(t, address), reopen(t, address)}
	mustInsert(t, servers[0], "sum")
	var work sync.WaitGroup
	const each = 60
	for _, d := range servers {
		for range 4 {
			work.Go(func() {
				for range each / 4 {
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
	}
	work.Wait()
	err := servers[1].View(t.Context(), func(tx *db.Tx) error {
		return tx.QueryRow("SELECT id FROM t_rows WHERE n = ?", each*len(servers)).Scan(new(string))
	})
	if err != nil {
		t.Errorf("increments were lost: %v", err)
	}
}

func TestProcessesThatStartTogetherMigrateOnce(t *testing.T) {
	address := testkit.Address(t)
	var work sync.WaitGroup
	for range 4 {
		work.Go(func() {
			d, err := db.Open(context.Background(), address)
			if err != nil {
				t.Error(err)
				return
			}
			if err := errors.Join(d.Migrate(context.Background(), "t", files(schema)), d.Close()); err != nil {
				t.Error(err)
			}
		})
	}
	work.Wait()
	mustInsert(t, reopen(t, address), "a")
}

func TestWhereNoLockIsNobodyWrites(t *testing.T) {
	testkit.PostgresOnly(t)
	d, _ := fresh(t)
	if err := d.Update(t.Context(), func(tx *db.Tx) error { return tx.ExecOne("DELETE FROM db_batches WHERE process = ''") }); err != nil {
		t.Fatal(err)
	}
	unavailable(t, "update without a lock", d.Update(t.Context(), func(tx *db.Tx) error {
		t.Error("ran")
		return nil
	}))
}

func TestASessionCannotConfirmWhatIsNotOnDisk(t *testing.T) {
	testkit.PostgresOnly(t)
	d := reopen(t, testkit.Address(t)+"&synchronous_commit=off")
	for _, door := range []func(context.Context, func(*db.Tx) error) error{d.Update, d.View} {
		var got string
		if err := door(t.Context(), func(tx *db.Tx) error { return tx.QueryRow("SHOW synchronous_commit").Scan(&got) }); err != nil || got != "on" {
			t.Errorf("synchronous_commit is %q, %v", got, err)
		}
	}
	var stricter string
	d = reopen(t, testkit.Address(t)+"&synchronous_commit=remote_apply")
	err := d.View(t.Context(), func(tx *db.Tx) error { return tx.QueryRow("SHOW synchronous_commit").Scan(&stricter) })
	if err != nil || stricter != "remote_apply" {
		t.Errorf("a stricter setting became %q, %v", stricter, err)
	}
}

func TestOpenRefusesAServerThatForgets(t *testing.T) {
	testkit.PostgresOnly(t)
	address := testkit.Address(t)
	var fsync string
	d := reopen(t, address)
	if err := d.View(t.Context(), func(tx *db.Tx) error { return tx.QueryRow("SHOW fsync").Scan(&fsync) }); err != nil {
		t.Fatal(err)
	}
	careful, err := db.Open(t.Context(), strings.Replace(address, "fsync=off", "fsync=on", 1))
	if err == nil {
		err = careful.Close()
	}
	if (err == nil) != (fsync == "on") {
		t.Errorf("a server with fsync=%s: %v", fsync, err)
	}
}

func TestOpenRefusesAnAddressItCannotKeepTo(t *testing.T) {
	for name, address := range map[string]string{
		"no server":      "postgres://127.0.0.1:1/coop?password=hunter2",
		"no schema":      testkitAddress(t, "search_path", "nowhere"),
		"no URL":         "postgres://u:hunter2@[::1/coop",
		"a bad pool":     "postgres://u:hunter2@localhost/coop?pool_max_conns=1",
		"fsync, perhaps": "postgres://u:hunter2@localhost/coop?fsync=maybe",
	} {
		if address == "" {
			continue
		}
		d, err := db.Open(t.Context(), address)
		if err == nil {
			t.Errorf("%s: opened", name)
			_ = d.Close()
			continue
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error holds the password: %v", name, err)
		}
	}
}

func testkitAddress(t *testing.T, name, value string) string {
	if !testkit.Postgres() {
		return ""
	}
	address := testkit.Address(t)
	return address[:strings.Index(address, "search_path")] + name + "=" + value
}

func TestTheWayToAnotherMachineIsEncrypted(t *testing.T) {
	t.Setenv("PGSSLMODE", "")
	for address, want := range map[string][2]bool{
		"postgres://coop@db.example/coop":                    {true, true},
		"postgres://coop@10.0.0.7/coop?sslmode=require":      {true, false},
		"postgres://coop@10.0.0.7/coop?sslmode=disable":      {false, false},
		"postgres://coop@localhost/coop":                     {false, false},
		"postgres:///coop?host=/var/run/postgresql":          {false, false},
		"postgres://coop@127.0.0.1/coop?sslmode=verify-full": {true, true},
	} {
		encrypted, verified, _, err := db.ParseAddress(address)
		if err != nil || encrypted != want[0] || verified != want[1] {
			t.Errorf("%s: encrypted %v, verified %v, %v", address, encrypted, verified, err)
		}
	}
	if _, _, readers, err := db.ParseAddress("postgres://localhost/coop?pool_max_conns=9"); readers != 8 || err != nil {
		t.Errorf("%d readers, %v", readers, err)
	}
}

func TestTextIsOrderedByItsBytes(t *testing.T) {
	d, _ := fresh(t)
	want := []string{"-", "B", "_", "a", "aB", "a_", "ab", "é"}
	for i := range want {
		mustInsert(t, d, want[len(want)-1-i])
	}
	if got := ids(t, d); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestRowsAreReadSideBySide(t *testing.T) {
	d, _ := fresh(t)
	for i := range 50 {
		mustInsert(t, d, fmt.Sprintf("%02d", i))
	}
	err := d.View(t.Context(), func(tx *db.Tx) error {
		query := "SELECT id, body FROM t_rows WHERE id >= ? ORDER BY id"
		first, err := tx.Query(query, "00")
		if err != nil {
			return err
		}
		defer first.Close()
		for i := 0; first.Next(); i++ {
			second, err := db.Collect(tx, func(rows *sql.Rows) (id string, err error) {
				err = rows.Scan(&id, new([]byte))
				return id, err
			}, query+" LIMIT 1", fmt.Sprintf("%02d", i))
			if err != nil {
				return err
			}
			var a, b string
			if err := first.Scan(&a, new([]byte)); err != nil {
				return err
			}
			if err := tx.QueryRow("SELECT id FROM t_rows WHERE id = ?", a).Scan(&b); err != nil {
				return err
			}
			if !slices.Equal(second, []string{a}) || a != b {
				t.Fatalf("%s, %s and %s", a, second, b)
			}
		}
		return first.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTextThatCannotBeStoredIsTheCallersFault(t *testing.T) {
	testkit.PostgresOnly(t)
	d, _ := fresh(t)
	for _, text := range []string{"a\x00b", "\xff"} {
		err := d.Update(t.Context(), func(tx *db.Tx) error { return insert(tx, text, 0) })
		if fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", text, err)
		}
	}
	mustInsert(t, d, "next")
}

func TestADatabaseHasOneOwner(t *testing.T) {
	d, address := fresh(t)
	for range 2 {
		if err := d.Claim(t.Context(), "ours"); err != nil {
			t.Fatal(err)
		}
	}
	err := reopen(t, address).Claim(t.Context(), "theirs")
	if testkit.Postgres() != errors.Is(err, db.ErrForeign) { // a file lies in its owner's directory
		t.Errorf("a second owner: %v", err)
	}
}

// TestTruncateFreesRows looks at where a row is: without VACUUM its place is
// not used again.
func TestTruncateFreesRows(t *testing.T) {
	testkit.PostgresOnly(t)
	d, _ := fresh(t)
	err := d.Update(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec("ALTER TABLE t_rows SET (autovacuum_enabled = false)") // the server would come by
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	patient, give := context.WithTimeout(t.Context(), 30*time.Second)
	defer give()
	place := func(id string) (at string) {
		t.Helper()
		mustInsert(t, d, id)
		err := d.View(t.Context(), func(tx *db.Tx) error { return tx.QueryRow("SELECT ctid::text FROM t_rows WHERE id = ?", id).Scan(&at) })
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	forget := func(id string) {
		t.Helper()
		if err := d.Update(t.Context(), func(tx *db.Tx) error { return tx.ExecOne("DELETE FROM t_rows WHERE id = ?", id) }); err != nil {
			t.Fatal(err)
		}
	}
	first := place("a")
	forget("a")
	if second := place("b"); second == first {
		t.Fatal("the place was free without it: the test proves nothing")
	}
	forget("b")
	// Other tests read in the same cluster, and what they could still see stays.
	for third := ""; third != first; forget("c") {
		if patient.Err() != nil {
			t.Fatalf("the first row was at %s, and after VACUUM one is at %s", first, third)
		}
		if err := d.Truncate(t.Context(), "t_rows"); err != nil {
			t.Fatal(err)
		}
		third = place("c")
	}
	if err := d.Truncate(t.Context(), "nowhere"); err == nil || d.Overwrites() {
		t.Errorf("a table that is not there: %v", err)
	}
	if err := d.Truncate(t.Context()); err != nil {
		t.Error(err)
	}
}
