package ops

import (
	"errors"
	"io/fs"
	"testing"

	"distributed.ai/datacoop/internal/db"
)

func TestAMigrationSaysWhatChanged(t *testing.T) {
	same := db.Migrated{Room: "vault", From: 4, To: 4}
	for _, c := range []struct {
		done []db.Migrated
		want string
	}{
		{[]db.Migrated{same, same}, "✓ The tables of all 2 rooms are of this version.\n"},
		{[]db.Migrated{{Room: "web", From: 2, To: 5}, same}, "  web          2 → 5\n✓ The tables of 1 of 2 rooms were changed; all are of this version now.\n"},
	} {
		if got := migrated(c.done); got != c.want {
			t.Errorf("%v: %q", c.done, got)
		}
	}
}

func TestNoCoopIsMadeWhereThereIsNone(t *testing.T) {
	c := Migrate{Data: t.TempDir()}
	if err := c.Run(t.Context(), House{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty directory: %v", err)
	}
}
