package keystore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

// Report is what can be told of a keystore without its master, by reading alone.
type Report struct {
	Epochs  []EpochReport // oldest first
	Strays  []string      // key files of epochs that the keystore does not know
	Holders []coop.DatasetID
	Unbound int64 // keys sealed to an epoch that the keystore does not know
}

// EpochReport is an epoch with where its key is.
type EpochReport struct {
	Epoch
	TurnsAt int64 // from when on the next epoch can begin, and this one's key be destroyed
	Files   int   // directories that hold its key file
	Dirs    int   // of how many
}

// Lost says that keys are sealed to an epoch whose key file is nowhere.
func (e EpochReport) Lost() bool { return e.DestroyedAt == 0 && e.Files == 0 && e.Keys > 0 }

// Inspect reads a keystore's tables and looks for the epochs' key files. It
// writes nothing, needs no key and may be called beside a server. Dirs are those
// of Config; one that is missing holds nothing.
func Inspect(ctx context.Context, d *db.DB, dirs []string, now time.Time) (Report, error) {
	var out Report
	s := &Store{db: d, clock: func() time.Time { return now }}
	epochs, err := s.Epochs(ctx)
	if err != nil {
		return Report{}, err
	}
	if out.Holders, err = s.Holders(ctx); err != nil {
		return Report{}, err
	}
	known := map[string]bool{}
	out.Unbound = int64(len(out.Holders))
	for _, e := range epochs {
		r := EpochReport{Epoch: e, TurnsAt: turnsAt(e.CreatedAt, e.EndsAt), Dirs: len(dirs)}
		out.Unbound -= e.Keys
		for _, dir := range dirs {
			if _, err := os.Stat(epochFile(dir, e.Number)); err == nil {
				r.Files++
				known[epochFile(dir, e.Number)] = true
			}
		}
		out.Epochs = append(out.Epochs, r)
	}
	for _, dir := range dirs {
		files, err := filepath.Glob(filepath.Join(dir, "epoch-*.age"))
		if err != nil {
			return Report{}, fmt.Errorf("keystore: inspect: %w", err)
		}
		for _, file := range files {
			if !known[file] {
				out.Strays = append(out.Strays, file)
			}
		}
	}
	return out, nil
}

func turnsAt(created, ends int64) int64 { return created + (ends-created)/7*turnAtSevenths }

// CopyEpochs copies the key files of the given epochs from one directory to
// another, which is made, for a keystore that was restored. It answers the
// epochs whose file is not there. Files of other epochs are left alone: their
// keys may be due to be destroyed where they are.
func CopyEpochs(from, to string, numbers ...int64) (missing []int64, err error) {
	keys, err := openEpochKeys([]string{to})
	if err != nil {
		return nil, err
	}
	for _, number := range numbers {
		sealed, err := epochKeys{[]string{from}}.read(number)
		switch {
		case errors.Is(err, ErrEpochLost):
			missing = append(missing, number)
		case err != nil:
			return nil, fmt.Errorf("keystore: epoch key: %w", err)
		default:
			if err := keys.write(number, sealed); err != nil {
				return nil, err
			}
		}
	}
	return missing, nil
}
