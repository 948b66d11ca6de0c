package ops

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"distributed.ai/datacoop/cmd/datacoop/custody"
	"distributed.ai/datacoop/cmd/datacoop/render"
)

// made is a backup as JSON tells of it.
type made struct {
	To         string   `json:"to"`
	MadeAt     string   `json:"made_at"`
	Files      int      `json:"files"`
	Bytes      int64    `json:"bytes"`
	Datasets   int64    `json:"datasets"`
	Leaves     int64    `json:"log_leaves"`
	Epoch      int64    `json:"epoch,omitempty"`
	OpensUntil string   `json:"opens_until,omitempty"`
	EpochKeys  string   `json:"epoch_keys"` // where they are; not in the backup
	Encrypted  bool     `json:"encrypted"`
	Damaged    []string `json:"damaged"`
}

// tell says what was made, what is not in it, and what to do about that.
func (c *Backup) tell(m Manifest) error {
	epochs := filepath.Join(c.Data, custody.EpochDir)
	if c.JSON {
		damaged := append([]string{}, m.Damaged...)
		if err := render.JSON(os.Stdout, made{To: c.To, MadeAt: m.MadeAt, Files: len(m.Files), Bytes: m.bytes(), Datasets: m.Datasets, Leaves: m.Leaves,
			Epoch: m.Epoch, OpensUntil: m.OpensUntil, EpochKeys: epochs, Encrypted: c.Recipient != "", Damaged: damaged}); err != nil {
			return err
		}
		return damage(m)
	}
	fmt.Printf("✓ %s: %s in %s, %s, the log up to entry %d\n", c.To, size(m.bytes()), count(len(m.Files), "file", "files"),
		count(m.Datasets, "dataset", "datasets"), m.Leaves)
	if m.Epoch > 0 {
		fmt.Printf("! Not in it: the epochs' keys, in %s. Without the key of epoch %d a restore is dark: no dataset opens.\n", epochs, m.Epoch)
		fmt.Printf("! That key is destroyed when the epoch turns, %s. From then on this backup opens nothing: make another by then.\n", from(m.OpensUntil))
	}
	if c.Recipient == "" {
		fmt.Printf("! It holds %s, with which receipts, log and tokens are signed, and the members' names: keep it as you keep the server, or use --recipient.\n", keysFile)
	}
	if _, err := os.Stat(filepath.Join(c.Data, phraseFile)); err == nil {
		fmt.Printf("! Not in it: %s. Keep a copy apart from the backup; beside the sealed key it would be no secret.\n", phraseFile)
	}
	return damage(m)
}

// from says when an epoch turns.
func from(at string) string {
	t, err := time.Parse(time.RFC3339, at)
	if err != nil {
		return at
	}
	return "from " + t.Format("2 January 2006 15:04 UTC") + " on"
}

func damage(m Manifest) error {
	for _, ds := range m.Damaged {
		fmt.Fprintf(os.Stderr, "✗ dataset %s was not whole: its key or payload is missing, or the payload is not what was received\n", ds)
	}
	if n := len(m.Damaged); n > 0 {
		return fmt.Errorf("the backup was made, but %s in it cannot be what members uploaded; run \"datacoop doctor\"", count(n, "dataset", "datasets"))
	}
	return nil
}
