// Package health gathers how the co-op's machinery stands, for the stewards'
// page that says it in sentences.
//
// It is an annex of the portal, keeps nothing and repairs nothing: what to do is
// the operator's, with the program's own commands.
//
// # What it guarantees
//
// Whatever cannot be looked at is said to be unknown and hides nothing else.
//
// # What it refuses
//
// To tell anything about a member or a dataset.
package health

import (
	"context"
	"strconv"
	"strings"
	"time"

	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/jobs"
	"distributed.ai/datacoop/policies"
	"distributed.ai/datacoop/vault"
)

// Rooms are those that are asked.
type Rooms struct {
	DB     *db.DB
	Log    *audit.Log
	Jobs   *jobs.Queue
	Vault  *vault.Service
	Engine *policies.Engine
	Clock  coop.Clock
	// Backup is when the last backup was made, in machine time, and whether it
	// still opens anything; the zero time if none is known of. Nil: nobody knows.
	Backup func() (at time.Time, opens bool)
}

// Report is how things stand.
type Report struct {
	Database bool // it answers, and nothing was lost since the start

	Queue      jobs.Backlog
	QueueKnown bool
	QueueLate  bool // something has waited for over ten minutes

	Locked     bool // the vault
	Epoch      vault.Epoch
	EpochKnown bool
	Overdue    int // epochs whose key should be destroyed and is not

	Law bool

	Entries  int64 // of the log
	LogKnown bool

	Backup      time.Time
	BackupOpens bool
	BackupKnown bool // somebody keeps track
	BackupOld   bool // over a day, or none
}

// late is how long a job may wait before somebody should look.
const late = 10 * time.Minute

// dayOld is when a backup is due again.
const dayOld = 26 * time.Hour

// Look gathers a report.
func (r Rooms) Look(ctx context.Context) Report {
	out := Report{Locked: r.Vault.Locked(), Law: r.Engine.Current() != nil}
	out.Database = r.DB.Err() == nil && r.DB.View(ctx, func(*db.Tx) error { return nil }) == nil
	if b, err := r.Jobs.Backlog(ctx); err == nil {
		out.Queue, out.QueueKnown = b, true
		out.QueueLate = b.Due > 0 && r.Clock().UnixMilli()-b.Oldest > late.Milliseconds()
	}
	if all, err := r.Vault.Epochs(ctx); err == nil && len(all) > 0 {
		out.Epoch, out.EpochKnown = all[len(all)-1], true
		for _, e := range all {
			if e.Overdue {
				out.Overdue++
			}
		}
	}
	if note, err := r.Log.Checkpoint(ctx); err == nil {
		out.Entries, out.LogKnown = size(string(note))
	}
	if r.Backup != nil {
		out.BackupKnown = true
		out.Backup, out.BackupOpens = r.Backup()
		out.BackupOld = time.Since(out.Backup) > dayOld
	}
	return out
}

// size reads the number of entries from a checkpoint (c2sp.org/tlog-checkpoint):
// its second line.
func size(note string) (int64, bool) {
	lines := strings.SplitN(note, "\n", 3)
	if len(lines) < 3 {
		return 0, false
	}
	n, err := strconv.ParseInt(lines[1], 10, 64)
	return n, err == nil
}
