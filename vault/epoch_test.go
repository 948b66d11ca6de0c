package vault

import (
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"filippo.io/age"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/testkit"
)

// backup copies everything but the epochs' keys, as an operator does.
func (h *house) backup() (dir string) {
	h.t.Helper()
	testkit.SQLiteOnly(h.t, "it copies the database's file")
	dir = h.t.TempDir()
	for _, part := range []string{"db", "keys", "blobs"} {
		if err := os.CopyFS(filepath.Join(dir, part), os.DirFS(filepath.Join(h.dir, part))); err != nil {
			h.t.Fatal(err)
		}
	}
	return dir
}

// restored starts a co-op from a backup and the epochs' keys of now, with the
// master in a thief's or an operator's hands.
func (h *house) restored(dir string) (*house, error) {
	h.t.Helper()
	again := &house{t: h.t, dir: h.t.TempDir(), clock: h.clock}
	if err := os.CopyFS(again.dir, os.DirFS(dir)); err != nil {
		h.t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(again.dir, "epochs"), os.DirFS(filepath.Join(h.dir, "epochs"))); err != nil {
		h.t.Fatal(err)
	}
	again.start()
	h.t.Cleanup(again.stop)
	return again, again.Unlock(h.t.Context(), h.master)
}

func (h *house) sweep() {
	h.t.Helper()
	if err := h.Sweep(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

func TestEveryBackupGoesDarkByTheDateTheReceiptNames(t *testing.T) {
	h := newHouse(t)
	keep, gone := h.sealed(newPerson(t), noise(1_000)), h.sealed(newPerson(t), noise(1_000))
	h.clock.Advance(36 * time.Hour)
	backup := h.backup()
	r := must[Receipt](t)(h.Revoke(t.Context(), gone.by.id, gone.ID))
	if r.BackupsDarkBy != "2026-03-09T12:00:00Z" || r.Epoch != 1 || !says(r.NotAchieved, saidBackups) {
		t.Fatalf("%+v", r)
	}
	h.sweep()
	thief, err := h.restored(backup)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := thief.identity(t.Context(), gone.ID); err != nil {
		t.Fatalf("the backup holds nothing even before: %v", err)
	}
	file := must[[]byte](t)(os.ReadFile(filepath.Join(h.dir, "epochs", "epoch-00000001.age")))
	h.clock.Advance(5 * 24 * time.Hour)
	h.sweep()
	if now := h.clock.Now().Format(time.RFC3339); now > r.BackupsDarkBy {
		t.Fatalf("it is %s: too late", now)
	}
	_, err = h.restored(backup)
	wants(t, err, ErrEpochLost)
	if where := h.finds(file); len(where) != 0 {
		t.Errorf("the old epoch's key is still in %v", where)
	}
	if got := must[Delivery](t)(h.fetch(newResearcher(t), keep.ID)); len(got.Header) == 0 {
		t.Error("the other member's dataset suffered")
	}
	h.restart()
	must[Delivery](t)(h.fetch(newResearcher(t), keep.ID))
	epochs := must[[]Epoch](t)(h.Epochs(t.Context()))
	if len(epochs) != 2 || epochs[0].DestroyedAt == 0 || epochs[0].Keys != 0 || epochs[1].DestroyedAt != 0 ||
		epochs[1].Keys != 1 || epochs[0].Overdue || epochs[1].Overdue {
		t.Errorf("%+v", epochs)
	}
}

func TestAnEpochIsNotTurnedBeforeItsTime(t *testing.T) {
	h := newHouse(t)
	h.sealed(newPerson(t), noise(1_000))
	for range 3 {
		h.clock.Advance(47 * time.Hour)
		h.sweep()
	}
	if n := len(must[[]Epoch](t)(h.Epochs(t.Context()))); n != 1 {
		t.Errorf("%d epochs", n)
	}
}

func TestACoopThatIsLateNamesNoDate(t *testing.T) {
	h := newHouse(t)
	d := h.sealed(newPerson(t), noise(1_000))
	h.Lock()
	h.clock.Advance(8 * 24 * time.Hour)
	h.sweep() // a locked vault turns nothing and complains of nothing
	if e := must[[]Epoch](t)(h.Epochs(t.Context())); len(e) != 1 || !e[0].Overdue {
		t.Errorf("%+v", e)
	}
	r := must[Receipt](t)(h.Revoke(t.Context(), d.by.id, d.ID))
	if r.BackupsDarkBy != "" || r.Epoch != 0 || !says(r.NotAchieved, saidNoDate) || says(r.NotAchieved, saidBackups) || !r.Complete {
		t.Errorf("%+v", r)
	}
	if err := VerifyReceipt(must[[]byte](t)(r.JSON()), testKeyPublic()); err != nil {
		t.Error(err)
	}
	if err := h.Unlock(t.Context(), h.master); err != nil {
		t.Fatal(err)
	}
	h.sweep()
	if e := must[[]Epoch](t)(h.Epochs(t.Context())); len(e) != 2 || e[0].Overdue || e[0].DestroyedAt == 0 {
		t.Errorf("%+v", e)
	}
}

func TestDeliveriesGoOnWhileTheMasterRotates(t *testing.T) {
	h := newHouse(t)
	var datasets []draft
	for range 4 {
		datasets = append(datasets, h.sealed(newPerson(t), noise(1_000)))
	}
	ctx := t.Context()
	for range 500 { // enough for several rounds
		must[string](t)(h.Service.keys.Mint(ctx, coop.DatasetID(coop.NewID()), "x25519"))
	}
	next := must[age.Identity](t)(NewMaster())
	var served atomic.Int64
	var load sync.WaitGroup
	stop := make(chan struct{})
	for _, d := range datasets {
		load.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := h.fetch(newResearcher(t), d.ID); err != nil {
					t.Errorf("during the rotation: %v", err)
					return
				}
				if _, err := h.Open(ctx, d.by.id, "wearables", ""); err != nil {
					t.Errorf("opening during the rotation: %v", err)
					return
				}
				served.Add(1)
			}
		})
	}
	err := h.Rotate(ctx, next)
	close(stop)
	load.Wait()
	if err != nil || served.Load() == 0 {
		t.Fatalf("%v; %d deliveries", err, served.Load())
	}
	h.restartWith(next)
	for _, d := range datasets {
		if got := must[Delivery](t)(h.fetch(newResearcher(t), d.ID)); len(got.Header) == 0 {
			t.Error("no header")
		}
	}
	for _, e := range must[[]Epoch](t)(h.Epochs(ctx))[:1] {
		if e.Keys != 0 || e.DestroyedAt == 0 {
			t.Errorf("%+v", e)
		}
	}
}

// restartWith stops the server and starts it with another master, after the
// old one was refused.
func (h *house) restartWith(next age.Identity) {
	h.t.Helper()
	old := h.master
	h.master = nil
	h.restart()
	wants(h.t, h.Unlock(h.t.Context(), old), ErrOtherMaster)
	h.master = next
	h.restart()
}

func TestALockedVaultTurnsAndRotatesNothing(t *testing.T) {
	h := newHouseIn(t, t.TempDir(), nil, "")
	_, err := h.Open(t.Context(), newMember(), "wearables", "")
	wants(t, err, ErrVaultSealed) // no master has ever opened this keystore
	wants(t, h.TurnEpoch(t.Context()), ErrVaultSealed)
	wants(t, h.Rotate(t.Context(), must[age.Identity](t)(NewMaster())), ErrVaultSealed)
	if all := must[[]Epoch](t)(h.Epochs(t.Context())); len(all) != 0 {
		t.Errorf("%+v", all)
	}
}
