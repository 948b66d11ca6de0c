//go:build unix

package vault

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/testkit"
)

const killEnv = "DATACOOP_TEST_REVOKE_AND_DIE"

// TestRevokeAndDie is not a test but the child of the next one: it commits a
// revocation and is killed before it can do anything about it.
func TestRevokeAndDie(t *testing.T) {
	told := strings.Split(os.Getenv(killEnv), "\n")
	if len(told) != 4 {
		t.Skip("runs only as a child of TestTheSweeperFinishesARevocationThatWasKilled")
	}
	ds, progress := told[2], told[3]
	h := &house{t: t, dir: told[0], address: told[1], clock: testkit.NewClock()}
	h.start()
	err := h.db.Update(t.Context(), func(tx *db.Tx) error {
		return h.revoke(tx, must[Dataset](t)(getDataset(tx, coop.DatasetID(ds))))
	})
	if err != nil {
		t.Fatal(err)
	}
	switch progress {
	case "key":
		err = h.Service.keys.Forget(t.Context(), coop.DatasetID(ds))
	case "all":
		_, err = h.destroy(t.Context(), h.tombstone(coop.DatasetID(ds)))
	}
	if err != nil {
		t.Fatal(err)
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

func TestTheSweeperFinishesARevocationThatWasKilled(t *testing.T) {
	for progress, where := range map[string]string{
		"none": "right after the commit", "key": "after the key was deleted", "all": "after the file was unlinked",
	} {
		h := newHouse(t)
		d := h.sealed(newPerson(t), noise(100_000))
		hdr, payload := splitAt(t, d.file)
		key := h.sealedKey(d.ID)
		h.stop()
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestRevokeAndDie$")
		child.Env = append(os.Environ(), killEnv+"="+strings.Join([]string{h.dir, h.address, string(d.ID), progress}, "\n"))
		if out, err := child.CombinedOutput(); err == nil || child.ProcessState.Exited() {
			t.Fatalf("the child was not killed: %s", out)
		}
		left := len(h.finds(key)) + len(h.finds(payload[:4096]))
		if progress == "none" && left != 2 || progress == "all" && left != 0 {
			t.Fatalf("%s: %d of the secrets are left", where, left)
		}
		h.start()
		_, err := h.Content(t.Context(), d.by.id, d.ID)
		wants(t, err, ErrRevoked)
		if err := h.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, secret := range [][]byte{key, hdr, payload[:4096]} {
			if files := h.finds(secret); len(files) != 0 {
				t.Errorf("%s: still in %v", where, files)
			}
		}
		if now := must[Dataset](t)(h.Get(t.Context(), d.by.id, d.ID)); now.State != StateShredded {
			t.Errorf("%s: the dataset is %s", where, now.State)
		}
		if r := must[Receipt](t)(h.Receipt(t.Context(), d.by.id, d.ID)); !r.Complete {
			t.Errorf("%s: pending: %v", where, r.Pending)
		}
		if err := h.Sweep(t.Context()); err != nil {
			t.Errorf("%s: the second sweep: %v", where, err)
		}
	}
}

func (h *house) tombstone(ds coop.DatasetID) (out tombstone) {
	h.t.Helper()
	_, out, err := h.condemned(context.Background(), ds)
	if err != nil {
		h.t.Fatal(err)
	}
	return out
}
