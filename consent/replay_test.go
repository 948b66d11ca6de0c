package consent

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"testing"

	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/testkit"
)

// history makes decisions of every sort under two laws.
func history(t *testing.T) *house {
	h := open(t)
	h.village()
	a := study()
	c := h.decideCohort(a)
	h.deliver(a, c.Granted[0].Dataset)
	h.deliver(a, c.Refused[0].Dataset)
	h.vote("input.request.retention_days > 90")
	h.deliver(a, c.Granted[0].Dataset)
	h.decideCohort(study())
	return h
}

func TestEveryDecisionReplaysUnderItsOwnLaw(t *testing.T) {
	h := history(t)
	if n := must[int](t)(h.ReplayAll(t.Context())); n != 23 {
		t.Errorf("%d decisions", n)
	}
	h.engine.Seal() // past law is enough
	must[int](t)(h.ReplayAll(t.Context()))
}

func TestTamperingIsFound(t *testing.T) {
	lenient := func(tx *db.Tx) (int64, error) {
		return testkit.Tamper(tx, "consent_revisions", "archive", "hash <> ''", func(b []byte) []byte {
			return bytes.ReplaceAll(b, []byte("has not been vetted"), []byte("has been vetted"))
		})
	}
	t.Run("a law changed", func(t *testing.T) { notices(t, lenient) })
	for name, statement := range map[string]string{
		"a refusal made a release":        `UPDATE consent_decisions SET allow = 1, reasons = '[]' WHERE seq = (SELECT max(seq) FROM consent_decisions WHERE allow = 0)`,
		"a release made a refusal":        `UPDATE consent_decisions SET allow = 0 WHERE seq = (SELECT max(seq) FROM consent_decisions WHERE allow = 1)`,
		"reasons taken away":              `UPDATE consent_decisions SET reasons = '[]' WHERE allow = 0`,
		"duties taken away":               `UPDATE consent_decisions SET obligations = '[]' WHERE allow = 1`,
		"a review added":                  `UPDATE consent_decisions SET needs_review = 1 WHERE allow = 0`,
		"another member":                  `UPDATE consent_decisions SET member = '0190a1b2-0000-7000-8000-000000000000'`,
		"another dataset":                 `UPDATE consent_decisions SET dataset = '0190a1b2-0000-7000-8000-000000000000'`,
		"another request":                 `UPDATE consent_decisions SET request = '0190a1b2-0000-7000-8000-000000000000'`,
		"another purpose":                 `UPDATE consent_decisions SET dpv = 'Marketing'`,
		"another time":                    `UPDATE consent_decisions SET at = at + 1`,
		"another digest":                  `UPDATE consent_decisions SET input_sha256 = 'beef'`,
		"another question":                `UPDATE consent_decisions SET input = replace(input, '"vetted":true', '"vetted":false')`,
		"no question":                     `UPDATE consent_decisions SET input = ''`,
		"a question of another day":       `UPDATE consent_decisions SET input = (SELECT min(input) FROM consent_decisions), input_sha256 = (SELECT min(input_sha256) FROM consent_decisions)`,
		"a law lost":                      `DELETE FROM consent_revisions`,
		"laws exchanged":                  `UPDATE consent_revisions SET archive = (SELECT archive FROM consent_revisions WHERE hash = (SELECT min(hash) FROM consent_revisions))`,
		"a dataset of a cohort lost":      `DELETE FROM consent_outcomes WHERE dataset = (SELECT min(dataset) FROM consent_outcomes)`,
		"a cohort lost, but not its rows": `DELETE FROM consent_verdicts WHERE cohort = (SELECT min(cohort) FROM consent_verdicts)`,
		"two answers of a cohort exchanged": `UPDATE consent_outcomes SET bits = (SELECT min(v.bits) FROM consent_verdicts v WHERE v.cohort = consent_outcomes.cohort AND v.allow = 1)
WHERE cohort = (SELECT min(cohort) FROM consent_outcomes)`,
		"a cohort's refusal made a release": `UPDATE consent_verdicts SET allow = 1, outcome = replace(outcome, '"allow":false', '"allow":true') WHERE allow = 0`,
		"half of that":                      `UPDATE consent_verdicts SET allow = 1 WHERE allow = 0`,
		"reasons of a cohort changed":       `UPDATE consent_verdicts SET outcome = replace(outcome, 'no-consent', 'no-consensus')`,
		"counts of a cohort changed":        `UPDATE consent_cohorts SET counts = replace(counts, '"datasets":1', '"datasets":2')`,
		"more granted":                      `UPDATE consent_cohorts SET granted = granted + 1`,
		"a cohort's digest":                 `UPDATE consent_cohorts SET digest = 'beef'`,
		"a cohort's question":               `UPDATE consent_cohorts SET question = replace(question, '"vetted":true', '"vetted":false')`,
		"a cohort of another request":       `UPDATE consent_cohorts SET request = '0190a1b2-0000-7000-8000-000000000000'`,
		"a cohort of another time":          `UPDATE consent_cohorts SET at = at + 1`,
		"a cohort of another position":      `UPDATE consent_cohorts SET consent_seq = 1`,
		"a record of before a cohort":       `UPDATE consent_records SET effect = 'refused' WHERE seq = (SELECT min(seq) FROM consent_records WHERE effect = 'given')`,
		"released without law":              `UPDATE consent_decisions SET revision = '' WHERE allow = 1`,
	} {
		t.Run(name, func(t *testing.T) {
			notices(t, func(tx *db.Tx) (int64, error) { return tx.Exec(statement) })
		})
	}
}

func notices(t *testing.T, change func(tx *db.Tx) (int64, error)) {
	t.Helper()
	h := history(t)
	h.update(func(tx *db.Tx) error {
		n, err := change(tx)
		if err == nil && n == 0 {
			t.Error("nothing was changed")
		}
		return err
	})
	if _, err := h.ReplayAll(t.Context()); err == nil {
		t.Error("not found")
	}
}

// A database from before cohorts had records keeps a decision for each dataset:
// they are shown, counted and replayed as ever.
func TestCohortsFromBeforeThereWereRecordsStayReadableAndReplayable(t *testing.T) {
	h := open(t)
	h.village()
	a := study()
	want := h.check(a, nil)
	h.update(func(tx *db.Tx) error {
		if err := keepRevision(tx, h.engine.Current(), h.now()); err != nil {
			return err
		}
		if err := insertDecisions(tx, "old", 0, want.all()...); err != nil {
			return err
		}
		return tx.ExecOne(`INSERT INTO consent_cohorts (id, request, pool, revision, granted, refused, digest, consent_seq, at, leaf)
VALUES ('old', ?, ?, ?, 4, 6, ?, ?, ?, 0)`, a.Request, a.Pool, want.Revision, outcomesDigest(want.all()), want.ConsentSeq, h.now())
	})
	h.update(func(tx *db.Tx) error {
		got, ok, err := h.Decided(tx, a.Request)
		if !ok || !reflect.DeepEqual(got.Tally, want.Tally) || len(got.Obligations) == 0 || got.Researcher != a.Researcher.ID {
			t.Errorf("%+v, not %+v", got, want.Tally)
		}
		return err
	})
	newer := h.decideCohort(study())
	if n := must[int](t)(h.ReplayAll(t.Context())); n != 20 {
		t.Errorf("%d replayed", n)
	}
	for _, d := range want.all() {
		list := must[[]Decision](t)(h.Uses(t.Context(), d.Member, "", 10))
		if len(list) != 2 || list[0].Request != newer.Request || list[1].ID != d.ID || !slices.Equal(list[0].Reasons, d.Reasons) {
			t.Errorf("%+v", list)
		}
	}
	h.update(func(tx *db.Tx) error {
		_, err := tx.Exec(`DELETE FROM consent_decisions WHERE seq = (SELECT min(seq) FROM consent_decisions)`)
		return err
	})
	if _, err := h.ReplayAll(t.Context()); !errors.Is(err, ErrMismatch) {
		t.Errorf("a lost decision: %v", err)
	}
}
