package marketplace

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/adoption"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/ledger"
)

// voted lets the first period's window pass and has everybody say the same.
func (h *house) voted(choice string) {
	h.t.Helper()
	h.run()
	for range 20 {
		if v, _, err := h.AdoptionVote(h.ctx(), h.ada, "P0001"); err != nil || v.State == adoption.Voting {
			h.ok(err)
			break
		}
		h.clock.Advance(24 * time.Hour)
		h.run()
	}
	for m := range h.everybody() {
		must[string](h.t)(h.CastAdoption(h.ctx(), m, "P0001", choice))
	}
	h.clock.Advance(168 * time.Hour)
	h.run()
}

// adopted has everybody adopt the first period's model, and settles it.
func (h *house) adopted() {
	h.t.Helper()
	h.voted(governance.Yes)
	must[Period](h.t)(h.Settle(h.ctx(), h.bea, "P0001"))
}

func TestMembersDecideWhetherAModelCounts(t *testing.T) {
	h := story(t)
	member, _ := h.contested()
	_, _, err := h.AdoptionVote(h.ctx(), member, "P0002")
	h.refused(err, ErrNotFound)
	_, err = h.CastAdoption(h.ctx(), member, "P0001", governance.Yes)
	h.refused(err, governance.ErrVotingClosed)
	h.clock.Advance(240 * time.Hour)
	_, err = h.Settle(h.ctx(), h.bea, "P0001")
	h.refused(err, adoption.ErrUndecided)
	h.run()
	v, done, err := h.AdoptionVote(h.ctx(), member, "P0001")
	h.ok(err)
	if v.State != adoption.Voting || done || v.Electorate != 16 || v.Needed != 3 || v.ClosesAt != h.now()+168*3600*1000 {
		t.Fatalf("%+v", v)
	}
	late := h.member("late")
	_, err = h.CastAdoption(h.ctx(), late, "P0001", governance.Yes)
	h.refused(err, governance.ErrNotOnRoll)
	_, err = h.CastAdoption(h.ctx(), member, "P0001", "perhaps")
	h.refused(err, governance.ErrChoice)
	var receipts []string
	for _, m := range []coop.MemberID{member, h.ada, h.bea} {
		receipts = append(receipts, must[string](t)(h.CastAdoption(h.ctx(), m, "P0001", governance.Yes)))
	}
	_, err = h.AdoptionBallots(h.ctx(), "P0001")
	h.refused(err, governance.ErrVotingOpen)
	_, err = h.CastAdoption(h.ctx(), member, "P0001", governance.No)
	h.refused(err, governance.ErrAlreadyVoted)
	if v, done, _ = h.AdoptionVote(h.ctx(), member, "P0001"); v.Yes != 0 || !done {
		t.Errorf("the vote tells how it goes: %+v", v)
	}
	if len(must[[]AdoptionVote](t)(h.AdoptionDue(h.ctx(), h.cem))) != 1 || len(must[[]AdoptionVote](t)(h.AdoptionDue(h.ctx(), member))) != 0 {
		t.Error("the wrong members are asked")
	}
	_, err = h.Settle(h.ctx(), h.bea, "P0001")
	h.refused(err, adoption.ErrUndecided)
	h.clock.Advance(168 * time.Hour)
	_, err = h.CastAdoption(h.ctx(), h.cem, "P0001", governance.No)
	h.refused(err, governance.ErrVotingClosed)
	before := h.statement("P0001")
	h.run()
	h.run()
	if v, _, _ := h.AdoptionVote(h.ctx(), member, "P0001"); v.State != adoption.Adopted || v.Yes != 3 {
		t.Fatalf("%+v", v)
	}
	counted := must[[]adoption.Ballot](t)(h.AdoptionBallots(h.ctx(), "P0001"))
	for _, r := range receipts {
		if !slices.Contains(counted, adoption.Ballot{ReceiptSHA256: coop.Digest([]byte(r)), Choice: governance.Yes}) {
			t.Errorf("a receipt finds no ballot in %v", counted)
		}
	}
	must[Period](t)(h.Settle(h.ctx(), h.bea, "P0001"))
	if after := h.statement("P0001"); after.Period.BundleSHA256 != before.Period.BundleSHA256 {
		t.Error("an adopted statement changed")
	}
}

func TestWhatMembersDoNotAdoptIsNotPaid(t *testing.T) {
	for name, vote := range map[string]func(h *house){
		"they say no":  func(h *house) { h.voted(governance.No) },
		"nobody votes": func(h *house) { h.clock.Advance(240 * time.Hour); h.run(); h.clock.Advance(168 * time.Hour); h.run() },
		"they abstain": func(h *house) { h.voted(governance.Abstain) },
		"too few say yes": func(h *house) {
			h.clock.Advance(240 * time.Hour)
			h.run()
			must[string](h.t)(h.CastAdoption(h.ctx(), h.ada, "P0001", governance.Yes))
			h.clock.Advance(168 * time.Hour)
			h.run()
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := story(t)
			member, _ := h.contested()
			before := must[MemberStatement](t)(h.MemberStatement(h.ctx(), member, "P0001")).Share
			if before.Moved >= 0 {
				t.Fatal("the model moved nothing")
			}
			vote(h)
			h.run()
			pub := h.statement("P0001")
			if pub.Statement.Judged || pub.Period.ChallengeEndsAt >= h.now() {
				t.Fatalf("%+v", pub.Period)
			}
			h.ok(appraisal.Verify(pub.Bundle))
			must[Period](t)(h.Settle(h.ctx(), h.bea, "P0001"))
			h.holds(ledger.Member(member), coop.Money(before.Baseline))
			h.holds(ledger.Access, 0)
		})
	}
}

// counts has the queue do a job of the first period's vote again, now.
func (h *house) counts(key, payload string) error {
	h.t.Helper()
	h.ok(h.DB.Update(h.ctx(), func(tx *db.Tx) error {
		return h.queue.Enqueue(tx, "adoption.tally", key, json.RawMessage(payload), h.clock.Now())
	}))
	_, err := h.queue.RunDue(h.ctx())
	return err
}

// vote finds the first period's vote.
func (h *house) vote() AdoptionVote {
	h.t.Helper()
	v, _, err := h.AdoptionVote(h.ctx(), h.ada, "P0001")
	h.ok(err)
	return v
}

// A dispute that is upheld late has the statement computed again; what members
// said about the one before is no vote on it.
func TestAStatementComputedAgainIsVotedOnAgain(t *testing.T) {
	for name, before := range map[string]func(h *house){
		"while they vote": func(h *house) {
			h.clock.Advance(240 * time.Hour)
			h.run()
			for m := range h.everybody() {
				must[string](h.t)(h.CastAdoption(h.ctx(), m, "P0001", governance.Yes))
			}
		},
		"after they adopted": func(h *house) { h.voted(governance.Yes) },
	} {
		t.Run(name, func(t *testing.T) {
			h := story(t)
			members, _ := h.shared(12)
			s := h.scientist()
			_, files := h.fetched(s)
			h.worked(members[0])
			h.worked(members[1])
			h.judged(asked(harsh))
			d := h.disputed(s, files[0].ID)
			must[Dispute](t)(h.ReviewDispute(h.ctx(), h.dan, d.ID))
			before(h)
			must[Dispute](t)(h.DecideDispute(h.ctx(), h.dan, d.ID, true, "It does not open."))
			h.run()
			if v := h.vote(); v.State != adoption.Waiting || v.Electorate != 0 || v.Yes != 0 || v.OpenedAt != 0 || v.ClosesAt != 0 {
				t.Fatalf("the vote on another statement stands: %+v", v)
			}
			h.late(members)
		})
	}
}

// late has the second vote, which nothing of the first is counted in.
func (h *house) late(members []coop.MemberID) {
	h.t.Helper()
	h.member("late")
	h.clock.Advance(239 * time.Hour)
	h.run() // the first vote's count is due by now
	_, err := h.Settle(h.ctx(), h.bea, "P0001")
	h.refused(err, ErrChallengeOpen)
	h.clock.Advance(time.Hour)
	_, err = h.Settle(h.ctx(), h.bea, "P0001")
	h.refused(err, adoption.ErrUndecided)
	h.run()
	if v := h.vote(); v.State != adoption.Voting || v.Electorate != 17 {
		h.t.Fatalf("%+v", v)
	}
	must[string](h.t)(h.CastAdoption(h.ctx(), members[0], "P0001", governance.No)) // who voted before votes again
	h.ok(h.counts("stale", `{"period":"P0001","round":0}`))
	h.clock.Advance(168 * time.Hour)
	h.run()
	if v := h.vote(); v.State != adoption.Baseline || v.Yes != 0 || v.No != 1 {
		h.t.Fatalf("%+v", v)
	}
	must[Period](h.t)(h.Settle(h.ctx(), h.bea, "P0001"))
	if h.statement("P0001").Statement.Judged {
		h.t.Error("a model counts that nobody adopted")
	}
}

func TestACountThatComesTooEarlyIsTriedAgain(t *testing.T) {
	h := story(t)
	h.contested()
	h.clock.Advance(240 * time.Hour)
	h.run()
	for _, key := range []string{"early", "earlier"} {
		if err := h.counts(key, `{"period":"P0001"}`); err == nil || !strings.Contains(err.Error(), "too early") {
			t.Errorf("done for good, before anything was counted: %v", err)
		}
	}
	if v := h.vote(); v.State != adoption.Voting {
		t.Fatalf("%+v", v)
	}
}

func TestAVoteWaitsForTheLastAppeal(t *testing.T) {
	h := story(t)
	member, work := h.contested()
	a := must[Appeal](t)(h.Appeal(h.ctx(), member, "P0001", "Look again.", about(work)))
	h.run()
	h.clock.Advance(240 * time.Hour)
	h.run()
	if v, _, err := h.AdoptionVote(h.ctx(), member, "P0001"); err != nil || v.State != adoption.Waiting {
		t.Fatalf("%+v, %v", v, err)
	}
	for range 3 {
		h.clock.Advance(120 * time.Hour)
		h.run()
	}
	if got := must[[]Appeal](t)(h.Appeals(h.ctx(), member))[0]; got.ID != a.ID || got.State == AppealOpen {
		t.Fatalf("%+v", got)
	}
	h.clock.Advance(6 * time.Hour)
	h.run()
	if v, _, _ := h.AdoptionVote(h.ctx(), member, "P0001"); v.State != adoption.Voting {
		t.Fatalf("%+v", v)
	}
	h.voted(governance.No)
	must[Period](t)(h.Settle(h.ctx(), h.bea, "P0001")) // the panel's award is held against what is paid now
}
