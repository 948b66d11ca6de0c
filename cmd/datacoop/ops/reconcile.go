package ops

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"distributed.ai/datacoop/cmd/datacoop/custody"
	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/vault"
	"distributed.ai/datacoop/web/client"
)

// binding are the kinds of entries that can narrow what members allow. Where
// such an entry was lost, what the restored tables say is not to be relied on.
var binding = []string{"consent.record", "consent.pause", "governance.enact"}

const kindRevoked = "dataset.revoked"

// since is what the published log tells of the time after a backup.
type since struct {
	leaves []audit.Leaf
	vault  vault.Restored
	paused int
}

// reconcile adopts the newer log and does again what it says must hold, in one
// transaction; then it destroys what was revoked.
func (c *Restore) reconcile(ctx context.Context, rooms *Rooms, m mark) error {
	head, err := audit.Look(ctx, rooms.DB)
	if err != nil {
		return err
	}
	if head.Leaves == m.Leaves { // else an earlier run has come that far
		if err := c.replay(ctx, rooms, m.MadeAt); err != nil {
			return err
		}
	}
	if err := rooms.Vault.Sweep(ctx); err != nil {
		return fmt.Errorf("what was revoked is not destroyed; run this command again with --data and --log: %w", err)
	}
	return nil
}

func (c *Restore) replay(ctx context.Context, rooms *Rooms, madeAt string) error {
	published, err := c.published(ctx, rooms)
	if err != nil {
		return err
	}
	var s since
	err = rooms.DB.Update(ctx, func(tx *db.Tx) error {
		s, err = rooms.replay(tx, published, madeAt)
		return err
	})
	switch {
	case errors.Is(err, audit.ErrFork):
		return errors.New("the log that was given is not a continuation of the backup's: one of them was made up, or it is another co-op's")
	case errors.Is(err, audit.ErrBehind):
		return errors.New("the log that was given ends before the backup was made, so it cannot say what was revoked since; bring a newer one")
	case err != nil:
		return err
	}
	s.tell(madeAt)
	return nil
}

func (r *Rooms) replay(tx *db.Tx, published *audit.Published, madeAt string) (s since, err error) {
	if published != nil {
		if s.leaves, err = r.Log.Extend(tx, published); err != nil {
			return s, err
		}
	}
	if err := legible(s.leaves); err != nil {
		return s, err
	}
	if s.vault, err = r.Vault.Restored(tx, s.leaves); err != nil {
		return s, err
	}
	if slices.ContainsFunc(s.leaves, func(l audit.Leaf) bool { return slices.Contains(binding, l.Kind) }) {
		if s.paused, err = r.Consent.PauseAll(tx); err != nil {
			return s, err
		}
	}
	_, err = r.Log.Append(tx, audit.Event{Kind: "coop.restored", Record: map[string]any{"backup": madeAt, "entries_lost": len(s.leaves),
		"revoked_again": s.vault.Revoked, "members_paused": s.paused}})
	return s, err
}

// legible refuses a log that tells of revocations without telling of what.
func legible(leaves []audit.Leaf) error {
	for _, l := range leaves {
		if l.Kind == kindRevoked && l.Erases == "" {
			return fmt.Errorf("entry %d of the log is a revocation that does not say what it erased, as earlier versions wrote them: "+
				"this backup cannot be restored without bringing it back", l.Index)
		}
	}
	return nil
}

// published reads the newer log; nil if there is none.
func (c *Restore) published(ctx context.Context, rooms *Rooms) (*audit.Published, error) {
	if c.Log == "" {
		return nil, nil
	}
	fetch, err := reader(ctx, c.Log)
	if err != nil {
		return nil, err
	}
	note, err := fetch("checkpoint")
	if err != nil {
		return nil, fmt.Errorf("the published log: %w", err)
	}
	p, err := audit.Read(note, rooms.Log.VerifierKey(), fetch)
	if err != nil {
		return nil, fmt.Errorf("the published log: %w", err)
	}
	if c.Checkpoint == "" {
		return p, nil
	}
	known, err := os.ReadFile(c.Checkpoint)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	return p, p.Reaches(known, rooms.Log.VerifierKey())
}

// reader gets the files of a log from a folder or from a server.
func reader(ctx context.Context, from string) (func(path string) ([]byte, error), error) {
	if strings.HasPrefix(from, "http://") || strings.HasPrefix(from, "https://") {
		api, err := client.New(from)
		if err != nil {
			return nil, err
		}
		return func(path string) ([]byte, error) {
			if path == "checkpoint" {
				return api.Checkpoint(ctx)
			}
			return api.Tile(ctx, path)
		}, nil
	}
	root, err := os.OpenRoot(from)
	if err != nil {
		return nil, fmt.Errorf("the published log: %w", err)
	}
	return root.ReadFile, nil
}

// tell says what has happened since the backup and what came of it.
func (s since) tell(madeAt string) {
	if len(s.leaves) > 0 {
		kinds := map[string]int{}
		for _, l := range s.leaves {
			kinds[l.Kind]++
		}
		fmt.Printf("! This is the co-op of %s. The log goes on with %s that the backup does not hold:\n", when(madeAt),
			count(len(s.leaves), "entry", "entries"))
		for _, kind := range slices.Sorted(maps.Keys(kinds)) {
			fmt.Printf("    %5d  %s\n", kinds[kind], kind)
		}
		fmt.Println("  What they record happened and is lost here, but for the revocations: those hold.")
	}
	fmt.Printf("✓ %s since the backup %s revoked again", count(s.vault.Revoked, "dataset", "datasets"), was(s.vault.Revoked))
	if s.vault.Unknown > 0 {
		fmt.Printf("; of %d more that were revoked the backup holds nothing", s.vault.Unknown)
	}
	fmt.Println(".")
	if s.vault.Dropped > 0 {
		fmt.Printf("! %s to be begun anew.\n", count(s.vault.Dropped, "upload that was not sealed has", "uploads that were not sealed have"))
	}
	if s.paused > 0 {
		fmt.Printf("! Answers of members or laws were lost, so %s paused until they look at their answers and resume.\n", count(s.paused, "member is", "members are"))
	}
}

func was(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

// epochs puts the keys of the restored keystore's epochs in their place, and
// says whether datasets open.
func (c *Restore) epochs(ctx context.Context) error {
	to := filepath.Join(c.Data, custody.EpochDir)
	keys, err := inspectKeys(ctx, c.Data)
	if err != nil {
		return err
	}
	var numbers []int64
	for _, e := range keys.Epochs {
		if e.DestroyedAt == 0 && e.Keys > 0 {
			numbers = append(numbers, e.Number)
		}
	}
	missing := numbers
	if c.Epochs != "" {
		if missing, err = vault.CopyEpochs(c.Epochs, to, numbers...); err != nil {
			return err
		}
	}
	switch {
	case len(numbers) == 0:
	case len(missing) == 0:
		fmt.Println("✓ The keys of its epochs are in place: with the passphrase, datasets open.")
	case c.Epochs == "":
		fmt.Printf("! No dataset opens: the key of epoch %d is in no backup. If it is not destroyed yet, copy the epochs' folder to %s.\n", missing[0], to)
	default:
		fmt.Printf("! No dataset opens: the key of epoch %d is not in %s. If its epoch has ended, it is destroyed, and this backup is dark for good.\n", missing[0], c.Epochs)
	}
	return nil
}

// inspectKeys looks at the keystore of a data directory.
func inspectKeys(ctx context.Context, dir string) (vault.KeyReport, error) {
	d, err := db.OpenReadOnly(ctx, filepath.Join(dir, custody.KeystoreFile))
	if err != nil {
		return vault.KeyReport{}, err
	}
	report, err := vault.InspectKeys(ctx, d, []string{filepath.Join(dir, custody.EpochDir)}, time.Now())
	return report, errors.Join(err, d.Close())
}
