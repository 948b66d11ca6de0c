package appeals

import (
	"testing"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/testkit"
)

// keyed is a market that has a key and no bundle to give away.
type keyed struct{ Market }

func (keyed) Secret(label string) []byte { return []byte(label) }

// TestWhoIsApartIsSaidWithoutAnyBundle: evidence is gathered often, and a statement's
// bundle can have many megabytes. A verdict holds in its own period and in those that
// end after it, of the same accounts.
func TestWhoIsApartIsSaidWithoutAnyBundle(t *testing.T) {
	d := testkit.DB(t)
	if err := d.Migrate(t.Context(), "appeals", schema); err != nil {
		t.Fatal(err)
	}
	docket := &Docket{market: keyed{}}
	same := map[coop.MemberID]string{"ann": "DE1", "bob": "DE1", "cec": "DE2"}
	err := d.Update(t.Context(), func(tx *db.Tx) error {
		a := Appeal{ID: "a", Period: "P0002", Member: "bob"}
		f := Correction{Line: Line{Kind: "data", Ref: "x"}, Field: fieldAlone, Value: 1, Source: "s"}
		return insertCorrection(tx, a, "dan", f, 100, basis([]byte(fieldAlone), same, "bob"))
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		id       coop.PeriodID
		closed   int64
		accounts map[coop.MemberID]string
		apart    bool
		since    coop.PeriodID
	}{
		"before":         {"P0001", 200, same, false, ""},
		"its own":        {"P0002", 50, same, true, ""},
		"a later one":    {"P0003", 200, same, true, "P0002"},
		"closed by then": {"P0003", 100, same, false, ""},
		"one more":       {"P0003", 200, map[coop.MemberID]string{"ann": "DE1", "bob": "DE1", "cec": "DE1"}, false, ""},
		"another bank":   {"P0003", 200, map[coop.MemberID]string{"ann": "DE2", "bob": "DE2"}, false, ""},
	} {
		err := d.View(t.Context(), func(tx *db.Tx) error {
			got, err := docket.apart(tx, c.id, c.closed, c.accounts)
			if since, apart := got["bob"]; apart != c.apart || since != c.since || len(got) > 1 {
				t.Errorf("%s: %v", name, got)
			}
			return err
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
