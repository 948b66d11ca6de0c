package consent

import (
	"bytes"
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
		"a refusal made a release":    `UPDATE consent_decisions SET allow = 1, reasons = '[]' WHERE seq = (SELECT max(seq) FROM consent_decisions WHERE allow = 0)`,
		"a release made a refusal":    `UPDATE consent_decisions SET allow = 0 WHERE seq = (SELECT max(seq) FROM consent_decisions WHERE allow = 1)`,
		"reasons taken away":          `UPDATE consent_decisions SET reasons = '[]' WHERE allow = 0`,
		"duties taken away":           `UPDATE consent_decisions SET obligations = '[]' WHERE allow = 1`,
		"a review added":              `UPDATE consent_decisions SET needs_review = 1 WHERE allow = 0`,
		"another member":              `UPDATE consent_decisions SET member = '0190a1b2-0000-7000-8000-000000000000'`,
		"another dataset":             `UPDATE consent_decisions SET dataset = '0190a1b2-0000-7000-8000-000000000000'`,
		"another request":             `UPDATE consent_decisions SET request = '0190a1b2-0000-7000-8000-000000000000'`,
		"another purpose":             `UPDATE consent_decisions SET dpv = 'Marketing'`,
		"another time":                `UPDATE consent_decisions SET at = at + 1`,
		"another digest":              `UPDATE consent_decisions SET input_sha256 = 'beef'`,
		"another question":            `UPDATE consent_decisions SET input = replace(input, '"vetted":true', '"vetted":false')`,
		"no question":                 `UPDATE consent_decisions SET input = ''`,
		"a question of another day":   `UPDATE consent_decisions SET input = (SELECT input FROM consent_decisions WHERE seq = 1), input_sha256 = (SELECT input_sha256 FROM consent_decisions WHERE seq = 1)`,
		"a law lost":                  `DELETE FROM consent_revisions`,
		"laws exchanged":              `UPDATE consent_revisions SET archive = (SELECT archive FROM consent_revisions WHERE hash = (SELECT min(hash) FROM consent_revisions))`,
		"a decision of a cohort lost": `DELETE FROM consent_decisions WHERE seq = (SELECT min(seq) FROM consent_decisions WHERE cohort <> '')`,
		"released without law":        `UPDATE consent_decisions SET revision = '' WHERE allow = 1`,
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
