package consent

import (
	"errors"
	"slices"
	"testing"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

func (h *house) decline(a Ask, ds coop.DatasetID, stage string) (d Decision) {
	h.t.Helper()
	h.update(func(tx *db.Tx) (err error) {
		d, err = h.Decline(tx, a, ds, stage)
		return err
	})
	return d
}

// given is a member who agrees, with one dataset.
func (h *house) given() (coop.MemberID, coop.DatasetID) {
	h.t.Helper()
	m := newMember()
	ds := h.share(m, "wearables")
	must[Record](h.t)(h.PutPool(h.t.Context(), m, "wearables", agree()))
	return m, ds
}

func TestAnApprovalIsDecidedByTheLawLikeAnyRelease(t *testing.T) {
	h := open(t)
	m, ds := h.given()
	a := study()
	approve := func() (d Decision, p Permit) {
		h.update(func(tx *db.Tx) (err error) {
			if d, p, err = h.DecideApproval(tx, a, ds); err == nil && d.Allow && !p.Within(tx) {
				t.Error("the permit is of another transaction")
			}
			return err
		})
		return d, p
	}
	d, p := approve()
	if !d.Allow || d.Stage != StageApproval || p.Recipient() != a.Recipient || p.Dataset() != ds || !p.Valid(h.clock.Now()) {
		t.Errorf("%+v, %+v", d, p)
	}
	if err := h.Pause(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if d, p = approve(); d.Allow || p != (Permit{}) || len(d.Reasons) != 1 {
		t.Errorf("while everything is paused: %+v", d)
	}
	uses := must[[]Decision](t)(h.Uses(t.Context(), m, "", 10))
	if len(uses) != 2 || uses[0].Allow || !uses[1].Allow || uses[1].Stage != StageApproval {
		t.Errorf("the member sees %+v", uses)
	}
	if n := must[int](t)(h.ReplayAll(t.Context())); n != 2 {
		t.Errorf("%d decisions", n)
	}
}

func TestDecliningIsRecordedAndNoLawUndoesIt(t *testing.T) {
	h := open(t)
	m, ds := h.given()
	a := study()
	for _, stage := range []string{StageApproval, StageDelivery} {
		d := h.decline(a, ds, stage)
		if d.Allow || d.Stage != stage || len(d.Reasons) != 1 || d.Reasons[0].Code != CodeDeclined || len(d.Obligations) != 0 {
			t.Errorf("%+v", d)
		}
	}
	h.released(a, ds) // the law itself says what it said
	uses := must[[]Decision](t)(h.Uses(t.Context(), m, "", 10))
	if len(uses) != 3 || !uses[0].Allow || uses[1].Allow || uses[2].Allow || uses[2].Reasons[0] != reasonDeclined {
		t.Errorf("the member sees %+v", uses)
	}
	if n := must[int](t)(h.ReplayAll(t.Context())); n != 3 {
		t.Errorf("%d decisions", n)
	}
	flips, total, err := h.Replay(t.Context(), h.engine.Current(), 0)
	if err != nil || len(flips) != 0 || total != 1 {
		t.Errorf("%d flips of %d: %v", len(flips), total, err)
	}
}

func TestAReleaseIsNotHiddenBehindADecline(t *testing.T) {
	for name, statement := range map[string]string{
		"a decline made a release":    `UPDATE consent_decisions SET allow = 1`,
		"a decline of another person": `UPDATE consent_decisions SET member = '0190a1b2-0000-7000-8000-000000000000'`,
		"a decline with duties":       `UPDATE consent_decisions SET obligations = '[{"code":"x","sentence":"y"}]'`,
		"a decline of a whole cohort": `UPDATE consent_decisions SET stage = 'request'`,
		"a decline for other reasons": `UPDATE consent_decisions SET reasons = replace(reasons, 'has declined', 'never saw')`,
	} {
		h := open(t)
		_, ds := h.given()
		h.decline(study(), ds, StageApproval)
		h.update(func(tx *db.Tx) error { return tx.ExecOne(statement) })
		if _, err := h.ReplayAll(t.Context()); !errors.Is(err, ErrMismatch) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAskingWhatTheLawWouldSayLeavesNoTrace(t *testing.T) {
	h := open(t)
	m, ds := h.given()
	would := func(a Ask, ds coop.DatasetID) (d Decision, err error) {
		err = h.db.View(t.Context(), func(tx *db.Tx) (err error) {
			d, err = h.Would(tx, a, ds)
			return err
		})
		return d, err
	}
	if d := must[Decision](t)(would(study(), ds)); !d.Allow {
		t.Errorf("refused: %v", d.Reasons)
	}
	must[Record](t)(h.WithdrawDataset(t.Context(), m, ds))
	d := must[Decision](t)(would(study(), ds))
	if codes := h.refused(study(), ds, d.Reasons[0].Code); d.Allow || !slices.Equal(codes.Reasons, d.Reasons) {
		t.Errorf("would answer %v, answers %v", d.Reasons, codes.Reasons)
	}
	if _, err := would(study(), coop.DatasetID(coop.NewID())); !errors.Is(err, ErrNoDataset) {
		t.Errorf("a dataset nobody has: %v", err)
	}
	if _, err := would(Ask{}, ds); !errors.Is(err, ErrAsk) {
		t.Errorf("nothing asked: %v", err)
	}
	if n := len(must[[]Decision](t)(h.Uses(t.Context(), m, "", 10))); n != 1 {
		t.Errorf("%d decisions", n)
	}
	h.update(func(tx *db.Tx) error {
		if _, err := h.Decline(tx, study(), coop.DatasetID(coop.NewID()), StageApproval); !errors.Is(err, ErrNoDataset) {
			t.Errorf("declining a dataset nobody has: %v", err)
		}
		return nil
	})
}
