package ops

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"distributed.ai/datacoop/cmd/datacoop/render"
	"distributed.ai/datacoop/internal/db"
)

// Migrate brings a co-op's tables to this program's version. A server does that
// too when it starts; by itself it can be done, and looked at, before anybody
// waits for the server.
type Migrate struct {
	Data     string `required:"" type:"existingdir" help:"The data directory. Nothing may serve it meanwhile. Make a backup first: there is no way back."`
	Database string `placeholder:"URL" help:"The main database's PostgreSQL server, where the directory does not say."`
	Charter  string `type:"existingfile" help:"Charter file, if it is not in the data directory."`
	JSON     bool   `name:"json" help:"Answer as JSON."`
}

// Run migrates every room and says which had something to do. Where there is no
// co-op it makes none.
func (c *Migrate) Run(ctx context.Context, house House) error {
	if _, err := os.Stat(filepath.Join(c.Data, keysFile)); err != nil {
		return fmt.Errorf("server keys: %w", err)
	}
	done, err := house.Migrate(ctx, c.Data, c.Database, c.Charter)
	if err != nil {
		return err
	}
	if c.JSON {
		return render.JSON(os.Stdout, done)
	}
	_, err = fmt.Print(migrated(done))
	return err
}

func migrated(done []db.Migrated) (said string) {
	changed := 0
	for _, m := range done {
		if m.From < m.To {
			changed++
			said += fmt.Sprintf("  %-12s %d → %d\n", m.Room, m.From, m.To)
		}
	}
	if changed == 0 {
		return fmt.Sprintf("✓ The tables of all %d rooms are of this version.\n", len(done))
	}
	return said + fmt.Sprintf("✓ The tables of %d of %d rooms were changed; all are of this version now.\n", changed, len(done))
}
