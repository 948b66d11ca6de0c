package marketplace

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/split"
)

// dividing is a statement's division, and its ballots.
func (h *house) dividing(id coop.PeriodID) (SplitCut, *appraisal.Ballots) {
	h.t.Helper()
	b := must[appraisal.Bundle](h.t)(appraisal.ParseBundle(h.statement(id).Bundle))
	return SplitCut{Data: b.Params.Data, Governance: b.Params.Governance, Work: b.Params.Work}, b.Params.Ballots
}

func (h *house) says(m coop.MemberID, data, work, governance int64) {
	h.t.Helper()
	must[SplitView](h.t)(h.SaySplit(h.ctx(), m, SplitCut{Data: data, Work: work, Governance: governance}))
}

func TestMembersDivideTheNextStatement(t *testing.T) {
	h := story(t)
	members, _ := h.earned(4)
	h.worked(members[0])
	charter := SplitCut{Data: 700, Work: 200, Governance: 100}
	h.says(members[0], 500, 400, 100)
	h.says(members[1], 500, 300, 200)
	h.closed("P0001")
	if cut, b := h.dividing("P0001"); cut != charter || b == nil || b.Enough() {
		t.Fatalf("two ballots gave %+v of %+v", cut, b)
	}
	if text := strings.Join(h.statement("P0001").Statement.Sentences, " "); !strings.Contains(text, "fewer members had said how than it takes") {
		t.Error(text)
	}
	if text := h.statement("P0001").Bundle; bytes.Contains(text, []byte(`"data":500`)) {
		t.Error("too few ballots are published")
	}
	h.settled("P0001")
	h.says(members[2], 600, 250, 150)
	h.says(members[0], 600, 350, 50) // the last one counts
	h.says(h.dan, 700, 250, 50)
	h.says(h.ada, 900, 50, 50) // who leaves does not count
	h.ok(h.gov.CloseAccount(h.ctx(), h.ada))
	h.ok(h.WithdrawSplit(h.ctx(), h.dan))
	h.closed("P0002")
	want := SplitCut{Data: 571, Work: 286, Governance: 143} // 600, 300 and 150 of 1050
	cut, b := h.dividing("P0002")
	if cut != want || len(b.Said) != 3 || b.Electorate != 7 {
		t.Errorf("divided as %+v, want %+v, by %+v", cut, want, b)
	}
	if text := strings.Join(h.statement("P0002").Statement.Sentences, " "); !strings.Contains(text, "3 members had said how") {
		t.Error(text)
	}
	h.ok(appraisal.Verify(h.statement("P0002").Bundle))
	v := must[SplitView](t)(h.Split(h.ctx(), members[1]))
	if v.InForce != want || v.Period != "P0002" || !v.Voted || v.Charter != charter || *v.Said != (SplitCut{Data: 500, Work: 300, Governance: 200}) {
		t.Errorf("%+v", v)
	}
	h.says(members[3], 400, 400, 200) // said after the closing
	if again, _ := h.dividing("P0002"); again != cut {
		t.Error("a ballot changed a statement that was closed")
	}
	for _, m := range append(members, h.ada, h.dan) {
		if text := must[[]byte](t)(json.Marshal(b)); bytes.Contains(text, []byte(m)) {
			t.Errorf("the statement names %s", m)
		}
	}
}

// What was counted is held against the log and the statement.
func TestBallotsThatAreChangedAfterwardsAreFound(t *testing.T) {
	h := open(t)
	members, _ := h.earned(3)
	for _, m := range members {
		h.says(m, 600, 300, 100)
	}
	h.closed("P0001")
	if n := must[int](t)(h.VerifySplits(h.ctx())); n != 1 {
		t.Errorf("%d closings", n)
	}
	must[int](t)(h.Verify(h.ctx()))
	b := must[appraisal.Bundle](t)(appraisal.ParseBundle(h.statement("P0001").Bundle)).Params.Ballots
	b.Said[0].Data, b.Said[0].Work = b.Said[0].Data-1, b.Said[0].Work+1
	digest := must[string](t)(b.Digest())
	text := string(must[[]byte](t)(json.Marshal(b)))
	for _, statement := range []string{`UPDATE split_closings SET ballots = ?`, `UPDATE split_closings SET sha256 = ?`} {
		value := text
		if strings.Contains(statement, "sha256") {
			value = digest // now they agree with each other, but not with the log
		}
		h.ok(h.DB.Update(h.ctx(), func(tx *db.Tx) error {
			_, err := tx.Exec(statement, value)
			return err
		}))
		if _, err := h.VerifySplits(h.ctx()); err == nil {
			t.Error("other ballots than the log has passed")
		}
		if _, err := h.Verify(h.ctx()); err == nil {
			t.Error("a statement with other ballots than were counted passed")
		}
	}
}

func TestADivisionThatIsNoneIsRefused(t *testing.T) {
	h := story(t)
	m := h.members(1)[0]
	for _, c := range []SplitCut{{}, {Data: 700, Work: 200, Governance: 99}, {Data: 700, Work: 200, Governance: 101}, {Data: 1100, Work: -200, Governance: 100}} {
		_, err := h.SaySplit(h.ctx(), m, c)
		h.refused(err, split.ErrSum)
	}
	for _, c := range []SplitCut{{Data: 399, Work: 400, Governance: 201}, {Data: 900, Work: 49, Governance: 51}, {Data: 650, Work: 49, Governance: 301}} {
		_, err := h.SaySplit(h.ctx(), m, c)
		h.refused(err, split.ErrBounds)
	}
	if v := must[SplitView](t)(h.Split(h.ctx(), m)); v.Said != nil || v.Ballots != 0 || v.Voted || v.Period != "" {
		t.Errorf("%+v", v)
	}
	for _, at := range []int64{400, 900} { // the bounds themselves
		h.says(m, at, (1000-at)/2, (1000-at)/2)
	}
	h.ok(h.gov.CloseAccount(h.ctx(), m))
	_, err := h.SaySplit(h.ctx(), m, SplitCut{Data: 700, Work: 200, Governance: 100})
	h.refused(err, governance.ErrNotAMember)
	h.ok(h.DB.Update(h.ctx(), func(tx *db.Tx) error { return h.ForgetSplit(tx, m) }))
	if v := must[SplitView](t)(h.Split(h.ctx(), m)); v.Said != nil {
		t.Error("the ballot of somebody who left is kept")
	}
}
