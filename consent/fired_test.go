package consent

import (
	"errors"
	"slices"
	"testing"

	"distributed.ai/datacoop/internal/db"
)

func TestTheRulesThatFiredAreRecordedAndReplayed(t *testing.T) {
	h, m := open(t), newMember()
	ds := h.share(m, "wearables")
	must[Record](t)(h.PutPool(t.Context(), m, "wearables", agree()))
	h.released(study(), ds)
	unvetted := study()
	unvetted.Researcher.Vetted = false
	h.refused(unvetted, ds, "requester-unvetted", "coop-requester-unvetted")
	uses := must[[]Decision](t)(h.Uses(t.Context(), m, "", 10))
	if want := []string{"access.forbid.coop-requester-unvetted", "base.reasons.requester-unvetted", "consent.permits", "consent.settled"}; !slices.Equal(uses[0].Rules, want) {
		t.Errorf("recorded %q", uses[0].Rules)
	}
	if !slices.Contains(uses[1].Rules, "consent.permits") || !slices.Contains(uses[1].Rules, "access.obligation.publish-results") {
		t.Errorf("recorded %q", uses[1].Rules)
	}
	for _, c := range []struct {
		rules string
		same  bool
	}{
		{"", true}, // as decisions have it from before there were names
		{`["base.permits"]`, false},
		{`[]`, false},
	} {
		h.update(func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE consent_decisions SET rules = ?`, c.rules)
			return err
		})
		if _, err := h.ReplayAll(t.Context()); errors.Is(err, ErrMismatch) == c.same {
			t.Errorf("%q: %v", c.rules, err)
		}
	}
}
