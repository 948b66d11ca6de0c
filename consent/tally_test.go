package consent

import (
	"bytes"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"distributed.ai/datacoop/consent/cohort"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

// listen makes the operator's log readable.
func (h *house) listen() *bytes.Buffer {
	var log bytes.Buffer
	h.c.Logger = slog.New(slog.NewTextHandler(&log, nil))
	return &log
}

func TestLawOutsideTheFragmentIsDecidedOneByOneAndSaysSo(t *testing.T) {
	h, log := open(t), (*bytes.Buffer)(nil)
	h.village()
	log = h.listen()
	law := lawWith(t, "forbid", `startswith(input.dataset.region, "D")`)
	want := h.check(study(), law)
	sum := must[Tally](t)(h.Tally(t.Context(), study(), law))
	h.engine.Swap(law)
	c := h.decideCohort(study())
	if sum.Note != cohort.Slowly || c.Note != cohort.Slowly || c.Filter != cohort.ClassWise {
		t.Errorf("told %q, %q, %q", sum.Note, c.Note, c.Filter)
	}
	if c.ByReason["voted"] != 10 || !reflect.DeepEqual(c.Reasons, want.Reasons) || !reflect.DeepEqual(c.Tally, sum) || !strings.Contains(log.String(), "dataset by dataset") {
		t.Errorf("%+v, %+v, %s", c.Tally, sum, log)
	}
	if p := must[[]Passing](t)(h.Passing(t.Context(), []Ask{study(), study()}, law)); p[0] != (Passing{}) || len(p) != 2 {
		t.Errorf("%+v", p)
	}
	if n := must[int](t)(h.ReplayAll(t.Context())); n != 10 {
		t.Errorf("%d replayed", n)
	}
}

func TestTallySaysWhatSingleDecisionsSay(t *testing.T) {
	h := open(t)
	h.village()
	for _, law := range []*policies.Revision{nil, lawWith(t, "review", "input.request.retention_days > 90"), lawWith(t, "forbid", `input.dataset.region == "FR"`)} {
		want := h.check(study(), law)
		sum, p := must[Tally](t)(h.Tally(t.Context(), study(), law)), must[[]Passing](t)(h.Passing(t.Context(), []Ask{study()}, law))
		if !reflect.DeepEqual(sum, want.Tally) || p[0] != (Passing{sum.Granted, sum.Members}) {
			t.Errorf("%+v, %+v, %+v", sum, want.Tally, p)
		}
	}
	h.engine.Seal()
	if sum := must[Tally](t)(h.Tally(t.Context(), study(), nil)); sum.Granted != 0 || sum.Refused != 10 || sum.Note != "" || sum.Revision != "" {
		t.Errorf("sealed: %+v", sum)
	}
	bad := study()
	bad.Pool = "Wearables"
	_, err := h.Tally(t.Context(), bad, nil)
	wants(t, err, ErrAsk)
	_, err = h.Passing(t.Context(), []Ask{bad}, nil)
	wants(t, err, ErrAsk)
}

// A row that says more than its dataset's records is found out, told to the
// operator, and releases nothing.
func TestRowThatDisagreesWithTheLawIsNotBelieved(t *testing.T) {
	h := open(t)
	m := newMember()
	h.share(m, "wearables")
	must[Record](t)(h.PutPool(t.Context(), m, "wearables", Terms{Effect: Refused}))
	log := h.listen()
	h.update(func(tx *db.Tx) error {
		return tx.ExecOne(`UPDATE consent_datasets SET effect = 'given', commercial = 1, expires = 253402300799000, withdrawn = 253402300799000,
purposes = (SELECT id FROM consent_parts WHERE kind = 'purposes' LIMIT 1)`)
	})
	h.update(func(tx *db.Tx) error {
		for kind, body := range map[string]string{"purposes": `["DUO:0000004"]`, "requester_kinds": `["university"]`} {
			if _, err := cohort.PartID(tx, kind, cohort.Body(body)); err != nil {
				return err
			}
		}
		return nil
	})
	h.update(func(tx *db.Tx) error {
		return tx.ExecOne(`UPDATE consent_datasets SET purposes = (SELECT id FROM consent_parts WHERE body = '["DUO:0000004"]'),
kinds = (SELECT id FROM consent_parts WHERE body = '["university"]')`)
	})
	if c := h.decideCohort(study()); len(c.Granted) != 0 || c.ByReason["consent-refused"] != 1 || c.Note != cohort.Slowly {
		t.Errorf("%+v", c)
	}
	if p := must[[]Passing](t)(h.Passing(t.Context(), []Ask{study()}, nil)); p[0] != (Passing{}) {
		t.Errorf("%+v pass", p)
	}
	if !strings.Contains(log.String(), "disagrees with the law") {
		t.Errorf("the operator was told %q", log)
	}
}

// Rows of a database from before there were any are made when the room opens.
func TestRowsAreMadeWhereThereAreNone(t *testing.T) {
	h := open(t)
	h.village()
	want := must[Tally](t)(h.Tally(t.Context(), study(), nil))
	h.update(func(tx *db.Tx) error {
		_, err := tx.Exec(`UPDATE consent_datasets SET layout = 0, who = 0, holds = 0, effect = '', purposes = 0, limits = 0`)
		return err
	})
	if blind := must[Tally](t)(h.Tally(t.Context(), study(), nil)); blind.Note != cohort.Slowly || blind.Granted != want.Granted {
		t.Errorf("before: %+v", blind)
	}
	if p := must[[]Passing](t)(h.Passing(t.Context(), []Ask{study()}, nil)); p[0].Datasets != want.Granted {
		t.Errorf("before: %+v pass", p)
	}
	again := must[*Service](t)(New(t.Context(), h.config()))
	if got := must[Tally](t)(again.Tally(t.Context(), study(), nil)); !reflect.DeepEqual(got, want) || got.Note != "" {
		t.Errorf("%+v, not %+v", got, want)
	}
}

func TestColumnsInMemoryCountWhatPasses(t *testing.T) {
	h := open(t)
	h.village()
	columns := must[*Columns](t)(h.Columns(t.Context(), "wearables"))
	want := must[Tally](t)(h.Tally(t.Context(), study(), nil))
	if n := must[int](t)(columns.Passing(t.Context(), study(), h.engine.Current())); n != want.Granted || n == 0 || columns.Rows() != 10 {
		t.Errorf("%d of %d pass, %d by the table", n, columns.Rows(), want.Granted)
	}
	elsewhere := study()
	elsewhere.Pool = "glucose"
	if _, err := columns.Passing(t.Context(), elsewhere, h.engine.Current()); err == nil {
		t.Error("answered about another pool")
	}
	if _, err := columns.Passing(t.Context(), study(), lawWith(t, "forbid", `"DNACode" in input.dataset.categories`)); err == nil {
		t.Error("answered without the categories that the law reads")
	}
	if err := Double(t.Context(), h.db, 2); err != nil {
		t.Fatal(err)
	}
	if got := must[Tally](t)(h.Tally(t.Context(), study(), nil)); got.Granted != 4*want.Granted || got.AllMembers != 4*want.AllMembers {
		t.Errorf("doubled twice: %+v", got)
	}
}
