package marketplace

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/marketplace/adoption"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/appraisal/jury"
	"distributed.ai/datacoop/marketplace/appraisal/learning"
	"distributed.ai/datacoop/marketplace/appraisal/spotcheck"
	"distributed.ai/datacoop/marketplace/calibration"
	"distributed.ai/datacoop/marketplace/shadow"
	"distributed.ai/datacoop/vault"
)

// covered is how much of a dossier's table is filled, -1 where it has none.
func covered(facts []appraisal.Fact) int64 {
	for _, f := range facts {
		if f.Name == "coverage" {
			return f.Value
		}
	}
	return -1
}

// likes is a judge of three families that scores tables the higher, or the
// lower, the more of them is filled; texts it finds all alike.
func likes(full bool) asked {
	return func(t appraisal.Task) (appraisal.Opinion, error) {
		var op appraisal.Opinion
		for _, d := range t.Dossiers {
			s := appraisal.Score{Dossier: d.ID, Score: 500}
			if c := covered(d.Facts); c >= 0 {
				if s.Score = c; !full {
					s.Score = 1000 - c
				}
				for i := range 3 {
					s.Voices = append(s.Voices, appraisal.Voice{Family: fmt.Sprintf("f%d", i), Score: s.Score, Told: true})
				}
			}
			op.Scores = append(op.Scores, s)
		}
		op.Models = []appraisal.Model{{Family: "f0", Name: "m"}}
		return op, nil
	}
}

// lab is a co-op whose members share tables that are more and less filled, and
// whose judge is wrong about what that is worth.
func lab(t *testing.T, members int) (*house, scientist) {
	t.Helper()
	h := apart(t, members)
	t.Cleanup(func() {
		if !t.Failed() {
			h.sound()
		}
	})
	return h, h.scientist()
}

// apart is a lab without the check at its end.
func apart(t *testing.T, members int) *house {
	t.Helper()
	h := open(t, func(c *coop.Charter) {
		c.Judges = []coop.Model{{Family: "f0", BaseURL: "http://localhost:1/v1", Name: "m"}}
	})
	h.Judge = likes(false)
	h.challenger = func(coop.Candidate) (appraisal.Judge, error) { return likes(true), nil }
	for i, m := range h.members(members) {
		h.share(m, yes(), func(in *vault.SealInput) { in.Profile.Coverage = 100 + 50*(i%18) })
	}
	return h
}

// held has data fetched and the period closed and published.
func (h *house) held(id coop.PeriodID, s scientist) Period {
	h.t.Helper()
	_, files := h.paid(s)
	h.fetchAll(s, files)
	h.closed(id)
	h.run()
	return h.statement(id).Period
}

// checked has every member who is asked prefer the fuller table.
func (h *house) checked() (answers int) {
	h.t.Helper()
	for m := range h.everybody() {
		for _, d := range must[[]calibration.Duty](h.t)(h.SpotChecks(h.ctx(), m)) {
			if d.State != jury.Waiting {
				continue
			}
			said := calibration.Same
			if l, r := covered(d.Left.Facts), covered(d.Right.Facts); l > r {
				said = calibration.Left
			} else if r > l {
				said = calibration.Right
			}
			d = must[calibration.Duty](h.t)(h.AnswerSpotCheck(h.ctx(), m, d.ID, said))
			if d.Said != said || d.State != jury.Scored {
				h.t.Fatalf("%+v", d)
			}
			answers++
		}
	}
	return answers
}

// ended lets a period's window and vote pass, settles it and seals its set.
func (h *house) ended(id coop.PeriodID, choice string) {
	h.t.Helper()
	for range 60 {
		v, _, err := h.AdoptionVote(h.ctx(), h.ada, id)
		h.ok(err)
		if v.State == adoption.Voting {
			break
		}
		h.clock.Advance(24 * time.Hour)
		h.run()
	}
	for m := range h.everybody() {
		must[string](h.t)(h.CastAdoption(h.ctx(), m, id, choice))
	}
	h.clock.Advance(168 * time.Hour)
	h.run()
	must[Period](h.t)(h.Settle(h.ctx(), h.bea, id))
	h.clock.Advance(7 * time.Hour)
	h.run()
}

func (h *house) calibration(id coop.PeriodID) calibration.View {
	h.t.Helper()
	return must[calibration.View](h.t)(h.Calibration(h.ctx(), id))
}

func TestSpotChecksFillACalibrationSetHalfOfWhichIsSealed(t *testing.T) {
	h, s := lab(t, 12)
	h.held("P0001", s)
	if v := h.calibration("P0001"); v.State != "asking" || v.Asked != 6 || v.Of != 6 || v.Why != "" {
		t.Fatalf("%+v", v)
	}
	asked := 0
	for m := range h.everybody() {
		n := must[int](t)(h.SpotChecksWaiting(h.ctx(), m))
		asked += n
		for _, d := range must[[]calibration.Duty](t)(h.SpotChecks(h.ctx(), m)) {
			if l, r := covered(d.Left.Facts), covered(d.Right.Facts); l < 0 || r < 0 || len(d.Questions) == 0 {
				t.Fatalf("%+v", d)
			}
			own := must[[]vault.Dataset](t)(h.vault.Mine(h.ctx(), m))
			for _, o := range own {
				if c := int64(o.Profile.Coverage); c == covered(d.Left.Facts) || c == covered(d.Right.Facts) {
					t.Error("a member is asked about their own data")
				}
			}
		}
	}
	if asked != 18 {
		t.Fatalf("%d are asked", asked)
	}
	if n := h.checked(); n != 18 {
		t.Fatalf("%d answers", n)
	}
	h.ended("P0001", governance.Yes)
	v := h.calibration("P0001")
	if v.State != "sealed" || len(v.Open) != 3 || len(v.Commitment) != 64 || v.Holdout != nil || !h.logged("calibration.sealed", v.Commitment) {
		t.Fatalf("%+v", v)
	}
	record := must[spotcheck.Record](t)(spotcheck.Parse(v.Record))
	h.ok(record.Recompute())
	if !h.logged("calibration.called", record.Call.SHA256()) || bytes.Contains(v.Record, []byte(`"said"`)) {
		t.Error("the log does not name what was fixed before the draw, or the record tells what was said")
	}
	if !h.logged("calibration.paired", record.Seals().SHA256()) || h.rows("calibration_rolls") != 0 {
		t.Error("the log does not name the rolls that people were drawn from, or they are still kept")
	}
	h.unlinked(record)
	for _, p := range v.Open {
		if len(p.Said) != 3 || !slices.IsSorted(p.Said) || p.Truth() == learning.Tie {
			t.Errorf("%+v", p)
		}
	}
	for _, id := range []coop.PeriodID{"P0002", "P0003"} {
		if h.calibration("P0001").Holdout != nil {
			t.Fatal("disclosed too early")
		}
		h.held(id, s)
		h.checked()
		h.ended(id, governance.Yes)
	}
	v = h.calibration("P0001")
	held, err := learning.Disclose(v.Commitment, v.Holdout, v.Open)
	h.ok(err)
	if len(held.Pairs) != 3 || h.calibration("P0002").Holdout != nil || !h.logged("calibration.disclosed", v.Commitment) {
		t.Error("the sealed half is not what was disclosed, or another is disclosed too")
	}
	points, sums := int64(0), map[string]bool{} // an answer is a duty of the period it is given in
	for _, d := range must[appraisal.Bundle](t)(appraisal.ParseBundle(h.statement("P0002").Bundle)).Evidence.Duties {
		if d.Kind == calibration.DutyKind {
			if points += d.Points; sums[d.Member] {
				t.Error("a member's answers are duties of their own, so that who sat together shows")
			}
			sums[d.Member] = true
		}
	}
	if points != 18 {
		t.Errorf("%d points for 18 answers", points)
	}
}

// unlinked wants nobody's name twice in a record, and whoever owns one of a pair
// passed over for that reason where the draw found them.
func (h *house) unlinked(r spotcheck.Record) {
	h.t.Helper()
	names, asked := map[string]bool{}, 0
	for _, c := range r.Checks {
		for _, d := range c.Drawn {
			if names[d.Name] {
				h.t.Errorf("%s is followed from one pair to another", d.Name)
			}
			names[d.Name] = true
			if d.Reason == "" {
				asked++
			}
		}
	}
	passed := r.PassedOver[0].Times // each owns one dataset; nobody reviewed any
	if len(names) != asked+passed || r.PassedOver[1].Times != 0 {
		h.t.Errorf("%d names, %d asked, passed over %+v", len(names), asked, r.PassedOver)
	}
	in := map[string]int{}
	for m := range h.everybody() {
		for _, d := range must[[]calibration.Duty](h.t)(h.SpotChecks(h.ctx(), m)) {
			in[string(m)+d.ID]++
		}
	}
	if len(in) != asked {
		h.t.Errorf("%d were asked and %d places are open", len(in), asked)
	}
}

// logged reports whether the log's public leaves hold an event with that revision.
func (h *house) logged(kind, revision string) bool {
	h.t.Helper()
	found := false
	for n := 0; ; n++ {
		tile, err := h.log.Tile(h.ctx(), fmt.Sprintf("tile/entries/%03d", n))
		if err != nil {
			break
		}
		found = found || bytes.Contains(tile, []byte(kind)) && bytes.Contains(tile, []byte(revision))
	}
	cp := must[[]byte](h.t)(h.log.Checkpoint(h.ctx()))
	var size int
	must[int](h.t)(fmt.Sscan(strings.Split(string(cp), "\n")[1], &size))
	tile := must[[]byte](h.t)(h.log.Tile(h.ctx(), fmt.Sprintf("tile/entries/%03d.p/%d", size/256, size%256)))
	return found || bytes.Contains(tile, []byte(kind)) && bytes.Contains(tile, []byte(revision))
}

// TestWhoJoinsBetweenTheCallAndTheDrawIsOnNoRoll: the rolls are of the members that
// the call counted, or a stranger would find a roll of another length than it said.
func TestWhoJoinsBetweenTheCallAndTheDrawIsOnNoRoll(t *testing.T) {
	h, s := lab(t, 12)
	var joined coop.MemberID
	turn := func(tx *db.Tx, n int) error {
		return h.queue.Enqueue(tx, "test.join", fmt.Sprint(n), n, h.clock.Now())
	}
	h.queue.Handle("test.join", func(ctx context.Context, payload []byte) error {
		n, called := 0, false
		err := h.DB.Update(ctx, func(tx *db.Tx) (err error) {
			if err = json.Unmarshal(payload, &n); err != nil {
				return err
			}
			if called, err = h.Called(tx, "P0001"); err != nil || called || n > 1000 {
				return err
			}
			return turn(tx, n+1)
		})
		if called {
			joined = h.member("late")
		}
		return err
	})
	_, files := h.paid(s)
	h.fetchAll(s, files)
	h.closed("P0001")
	h.ok(h.DB.Update(h.ctx(), func(tx *db.Tx) error { return turn(tx, 0) }))
	h.run()
	if joined == "" || h.calibration("P0001").State != "asking" || len(must[[]calibration.Duty](t)(h.SpotChecks(h.ctx(), joined))) != 0 {
		t.Fatalf("%q joined: %+v", joined, h.calibration("P0001"))
	}
	h.checked()
	h.ended("P0001", governance.Yes)
	record := must[spotcheck.Record](t)(spotcheck.Parse(h.calibration("P0001").Record))
	if n := len(h.everybody()); record.Members != n-1 || record.Call.Members != n-1 {
		t.Errorf("%d places, %d called, %d members", record.Members, record.Call.Members, n)
	}
}

func TestWhoCannotAnswerIsFollowedByTheNextAndNobodyAnswersTwice(t *testing.T) {
	h, s := lab(t, 8)
	h.held("P0001", s)
	waiting := func() (out []coop.MemberID, ids []string) {
		for m := range h.everybody() {
			for _, d := range must[[]calibration.Duty](t)(h.SpotChecks(h.ctx(), m)) {
				if d.State == jury.Waiting && h.clock.Now().UnixMilli() < d.Deadline {
					out, ids = append(out, m), append(ids, d.ID)
				}
			}
		}
		return out, ids
	}
	members, ids := waiting()
	if len(members) != 12 {
		t.Fatalf("%d", len(members))
	}
	first, id := members[0], ids[0]
	stranger := h.member("stranger")
	_, err := h.AnswerSpotCheck(h.ctx(), stranger, id, calibration.Left)
	h.refused(err, calibration.ErrNotAsked)
	for _, bad := range []string{"", "P0001", "P0001-x", "P0009-0", "P0001-99"} {
		_, err = h.AnswerSpotCheck(h.ctx(), first, bad, calibration.Left)
		h.refused(err, calibration.ErrNotAsked)
	}
	_, err = h.AnswerSpotCheck(h.ctx(), first, id, "both")
	h.refused(err, calibration.ErrAnswer)
	must[calibration.Duty](t)(h.PassSpotCheck(h.ctx(), first, id))
	_, err = h.AnswerSpotCheck(h.ctx(), first, id, calibration.Left)
	h.refused(err, calibration.ErrOver)
	if again, _ := waiting(); len(again) != 12 {
		t.Fatalf("%d wait after one stepped back", len(again))
	}
	h.clock.Advance(121 * time.Hour) // everybody lets the time pass
	_, err = h.AnswerSpotCheck(h.ctx(), members[1], ids[1], calibration.Left)
	h.refused(err, calibration.ErrOver)
	h.run()
	if again, _ := waiting(); len(again) != 11 { // three stand ready for each of four pairs, and one is used up
		t.Fatalf("%d wait after all were silent", len(again))
	}
	h.ended("P0001", governance.Yes)
	v := h.calibration("P0001")
	if v.State != "sealed" || len(v.Open) != 0 || len(v.Commitment) != 64 {
		t.Fatalf("%+v", v)
	}
}

// Whose turn it is learns of it once for each pair: at the draw, and when a seat
// becomes theirs later. Who stands ready learns nothing.
func TestWhoIsDrawnToCompareIsTold(t *testing.T) {
	h, s := lab(t, 8)
	told := h.told()
	asked := func() (out []string) {
		for m := range h.everybody() {
			for _, d := range must[[]calibration.Duty](t)(h.SpotChecks(h.ctx(), m)) {
				out = append(out, fmt.Sprint(m, d.ID, d.Deadline))
			}
		}
		slices.Sort(out)
		return out
	}
	heard := func() (out []string) {
		for _, n := range told(coop.NoticeSpotCheck) {
			for _, to := range n.To {
				out = append(out, fmt.Sprint(to.Member, n.Ref, n.Until))
			}
		}
		slices.Sort(out)
		return out
	}
	h.held("P0001", s)
	if got, want := heard(), asked(); len(got) != 12 || !slices.Equal(got, want) {
		t.Fatalf("asked are\n%q, told\n%q", want, got)
	}
	for m := range h.everybody() {
		if list := must[[]calibration.Duty](t)(h.SpotChecks(h.ctx(), m)); len(list) > 0 {
			must[calibration.Duty](t)(h.PassSpotCheck(h.ctx(), m, list[0].ID))
			break
		}
	}
	if got, want := heard(), asked(); len(got) != 13 || !slices.Equal(got, want) {
		t.Errorf("after one stepped back, asked are\n%q, told\n%q", want, got)
	}
}

func TestACoopThatIsTooSmallIsToldSo(t *testing.T) {
	h := story(t)
	h.worked(h.bea)
	h.closed("P0001") // four members, of whom two reviewed
	h.run()
	if v := h.calibration("P0001"); v.Asked != 0 || v.Why != spotcheck.FewMembers {
		t.Fatalf("%+v", v)
	}
	for m := range h.everybody() {
		if len(must[[]calibration.Duty](t)(h.SpotChecks(h.ctx(), m))) > 0 {
			t.Error("somebody is asked although there are too few")
		}
	}
	h.closed("P0002")
	h.run()
	if v := h.calibration("P0002"); v.Asked != 0 || v.Why != spotcheck.FewDossiers {
		t.Fatalf("%+v", v)
	}
	_, err := h.Calibration(h.ctx(), "P0003")
	h.refused(err, ErrNotFound)
}

// A candidate that people agree with more runs in shadow beside the judge in
// force, is compared, offered, voted in, and only then judges.
func TestAShadowJudgeComesIntoForceByProofAndVote(t *testing.T) {
	h, s := lab(t, 14)
	entry := shadow.Entry{Title: "Fuller tables count", Why: "People say so.", Form: []byte(`rubric = "Count how much of a table is filled."`)}
	_, err := h.Enter(h.ctx(), h.ada, entry)
	h.refused(err, ErrOffice)
	c := must[shadow.Candidate](t)(h.Enter(h.ctx(), h.bea, entry))
	_, err = h.Enter(h.ctx(), h.bea, entry)
	h.refused(err, shadow.ErrTried)
	other := entry
	other.Form = []byte(`rubric = "Count how full a table is."`)
	second := must[shadow.Candidate](t)(h.Enter(h.ctx(), h.bea, other))
	if !h.logged("shadow.entered", c.SHA256) {
		t.Error("the log does not name the candidate")
	}
	for n, id := range []coop.PeriodID{"P0001", "P0002"} {
		h.held(id, s)
		h.checked()
		_, err = h.Offer(h.ctx(), h.ada, c.ID)
		h.refused(err, shadow.ErrNotBetter)
		paid := h.statement(id).Statement
		h.ended(id, governance.Yes)
		if h.statement(id).Statement.OpinionSHA256 != paid.OpinionSHA256 {
			t.Fatal("a shadow moved money")
		}
		v := must[shadow.View](t)(h.CandidateOf(h.ctx(), h.ada, c.ID))
		if len(v.Runs) != n+1 || v.Runs[n].State != "done" || (v.Answer == "") != (n == 0) {
			t.Fatalf("%+v", v)
		}
	}
	v := must[shadow.View](t)(h.CandidateOf(h.ctx(), h.ada, c.ID))
	if v.Answer != learning.Better || v.Verdict.Pairs < 14 || v.Verdict.Gained != 14 || v.Verdict.Lost != 0 {
		t.Fatalf("%+v", v.Verdict)
	}
	h.offered(c.ID, governance.Yes)
	_, err = h.Offer(h.ctx(), h.ada, second.ID) // it was better than what is being replaced
	h.refused(err, shadow.ErrNotBetter)
	if doc := must[shadow.View](t)(h.CandidateOf(h.ctx(), h.ada, second.ID)).Comparison; !bytes.Contains(doc, []byte(`"try":2`)) {
		t.Errorf("the document does not say that it is the second try: %s", doc)
	}
	if h.inForce(c.ID) <= h.now() {
		t.Error("there is no pause after the vote")
	}
	h.clock.Advance(73 * time.Hour)
	rubric := ""
	h.Judge = asked(func(t appraisal.Task) (appraisal.Opinion, error) {
		rubric = t.Rubric
		return likes(false)(t)
	})
	h.held("P0003", s)
	if !strings.HasPrefix(rubric, "Count how much") {
		t.Errorf("the rubric in force is %q", rubric)
	}
}

// offered puts a candidate to the vote and counts it.
func (h *house) offered(id, choice string) {
	h.t.Helper()
	v := must[shadow.View](h.t)(h.Offer(h.ctx(), h.ada, id))
	_, err := h.Offer(h.ctx(), h.ada, id)
	h.refused(err, ErrState)
	for _, o := range must[[]shadow.View](h.t)(h.Candidates(h.ctx(), h.ada)) {
		if o.ID != id && o.Answer == learning.Better {
			_, err := h.Offer(h.ctx(), h.ada, o.ID)
			h.refused(err, ErrState)
		}
	}
	if v.Vote == nil || v.Vote.State != adoption.Waiting {
		h.t.Fatalf("%+v", v)
	}
	h.run()
	for m := range h.everybody() {
		due := must[[]shadow.View](h.t)(h.CandidatesDue(h.ctx(), m))
		if len(due) != 1 || due[0].Answer != learning.Better || len(due[0].Comparison) == 0 {
			h.t.Fatalf("the ballot does not show the comparison: %+v", due)
		}
		for _, p := range must[[]AdoptionVote](h.t)(h.AdoptionDue(h.ctx(), m)) {
			if string(p.Period) == id {
				h.t.Error("a candidate stands among the periods")
			}
		}
		must[string](h.t)(h.CastCandidate(h.ctx(), m, id, choice))
		_, err := h.CastCandidate(h.ctx(), m, id, choice)
		h.refused(err, governance.ErrAlreadyVoted)
	}
	h.clock.Advance(168 * time.Hour)
	h.run()
	if n := len(must[[]adoption.Ballot](h.t)(h.CandidateBallots(h.ctx(), id))); n != len(h.everybody()) {
		h.t.Errorf("%d ballots", n)
	}
}

func (h *house) inForce(id string) int64 {
	h.t.Helper()
	return must[shadow.View](h.t)(h.CandidateOf(h.ctx(), h.ada, id)).InForce
}

// Who tries one text again and again, each time with another space, finds a lucky
// comparison in the end. Another word, or a judge whose name is written in
// another case, is another candidate.
func TestASpaceOrACapitalMakesNoNewCandidate(t *testing.T) {
	h := apart(t, 4)
	enter := func(form string) error {
		_, err := h.Enter(h.ctx(), h.bea, shadow.Entry{Title: "Care", Why: "To see.", Form: []byte(form)})
		return err
	}
	h.ok(enter("rubric = \"Count how full a table is.\"\nprompt = \"Look twice.\""))
	for _, again := range []string{
		"rubric = \"Count how full a table is.\"\nprompt = \"Look twice.\"",
		"rubric = \" count  How full a TABLE is.\"\nprompt = \"Look twice. \"",
		"rubric = \"Count how\\nfull\\ta\\u00a0table is.\"\nprompt = \"Look\\u200b twice.\"",
	} {
		err := enter(again)
		h.refused(err, shadow.ErrTried)
		var tried *fault.Error
		if !errors.As(err, &tried) || !strings.Contains(strings.Join(tried.Detail, " "), "Care") {
			t.Errorf("it is not said which was tried: %v", err)
		}
	}
	h.ok(enter("rubric = \"Count how full a table is.\"\nprompt = \"Look thrice.\""))
	judge := "[[judges]]\nfamily = \"f1\"\nbase_url = \"http://localhost:1/v1\"\nname = \"%s\""
	h.ok(enter(fmt.Sprintf(judge, "m")))
	h.refused(enter(fmt.Sprintf(judge, "m")), shadow.ErrTried)
	h.refused(enter(fmt.Sprintf(judge, "M")), shadow.ErrRuns) // another, but three run already
}

func TestACandidateThatIsNotBetterIsNeverOffered(t *testing.T) {
	h, s := lab(t, 14)
	h.challenger = func(coop.Candidate) (appraisal.Judge, error) { return likes(false), nil }
	same := must[shadow.Candidate](t)(h.Enter(h.ctx(), h.bea, shadow.Entry{Title: "As before", Why: "To see.", Form: []byte(`prompt = "Look twice."`)}))
	gone := must[shadow.Candidate](t)(h.Enter(h.ctx(), h.bea, shadow.Entry{Title: "Nothing", Why: "To see.", Form: []byte(`prompt = "Look."`)}))
	_, err := h.Withdraw(h.ctx(), h.ada, gone.ID)
	h.refused(err, ErrOffice)
	must[shadow.Candidate](t)(h.Withdraw(h.ctx(), h.bea, gone.ID))
	_, err = h.Withdraw(h.ctx(), h.bea, gone.ID)
	h.refused(err, ErrState)
	_, err = h.Enter(h.ctx(), h.bea, shadow.Entry{Title: "Again", Why: "Until it passes.", Form: []byte(`prompt = "Look."`)})
	h.refused(err, shadow.ErrTried)
	for _, id := range []coop.PeriodID{"P0001", "P0002"} {
		h.held(id, s)
		h.checked()
		h.ended(id, governance.Yes)
	}
	late := must[shadow.Candidate](t)(h.Enter(h.ctx(), h.bea, shadow.Entry{Title: "Late", Why: "The pairs are known.", Form: []byte(`prompt = "Look at these."`)}))
	h.ok(h.DB.Update(h.ctx(), func(tx *db.Tx) error { return h.Shadow(tx, "P0002") })) // as when a statement is computed again
	h.run()
	if v := must[shadow.View](t)(h.CandidateOf(h.ctx(), h.ada, late.ID)); len(v.Runs) != 0 {
		t.Errorf("a candidate ran on a period whose pairs had been drawn: %+v", v.Runs)
	}
	if v := must[shadow.View](t)(h.CandidateOf(h.ctx(), h.ada, same.ID)); v.Answer != learning.NotProven || v.Vote != nil {
		t.Fatalf("%+v", v)
	}
	_, err = h.Offer(h.ctx(), h.ada, same.ID)
	h.refused(err, shadow.ErrNotBetter)
	if v := must[shadow.View](t)(h.CandidateOf(h.ctx(), h.ada, gone.ID)); len(v.Runs) != 0 || v.State != shadow.Withdrawn {
		t.Errorf("a candidate that was withdrawn ran: %+v", v)
	}
	_, err = h.Enter(h.ctx(), h.bea, shadow.Entry{Title: "Weights", Why: "To see.", Form: []byte(`learned_weights = true`)})
	h.refused(err, shadow.ErrFewPairs)
}

func TestACandidateThatCannotBeTriedIsRefused(t *testing.T) {
	h, _ := lab(t, 3)
	for form, want := range map[string]error{`commission_permille = 1`: shadow.ErrForm, ``: shadow.ErrForm, "rubric = \"\x00": shadow.ErrForm,
		strings.Repeat("#", 40<<10): shadow.ErrForm} {
		_, err := h.Enter(h.ctx(), h.bea, shadow.Entry{Title: "T", Why: "W", Form: []byte(form)})
		if !errors.Is(err, want) {
			t.Errorf("%q: %v", form[:min(len(form), 20)], err)
		}
	}
	_, err := h.Enter(h.ctx(), h.bea, shadow.Entry{Title: "two\nlines", Why: "W", Form: []byte(`rubric = "x"`)})
	h.refused(err, shadow.ErrWords)
	h.challenger = func(coop.Candidate) (appraisal.Judge, error) { return nil, errors.New("no such address") }
	_, err = h.Enter(h.ctx(), h.bea, shadow.Entry{Title: "T", Why: "W", Form: []byte(`rubric = "x"`)})
	h.refused(err, shadow.ErrForm)
	_, err = h.Enter(h.ctx(), h.ada, shadow.Entry{Title: "T", Why: "W", Form: []byte(`rubric = "x"`)})
	h.refused(err, ErrOffice) // before anything is set up for it
	h.Judge = nil
	_, err = h.Enter(h.ctx(), h.bea, shadow.Entry{Title: "T", Why: "W", Form: []byte(`rubric = "x"`)})
	h.refused(err, shadow.ErrNoJudge)
}

// A run that fails is tried again and then given up; the period does not count.
func TestAShadowRunThatFailsIsGivenUp(t *testing.T) {
	h, s := lab(t, 6)
	tries := 0
	h.challenger = func(coop.Candidate) (appraisal.Judge, error) {
		return asked(func(appraisal.Task) (appraisal.Opinion, error) {
			tries++
			return appraisal.Opinion{}, errors.New("no answer")
		}), nil
	}
	c := must[shadow.Candidate](t)(h.Enter(h.ctx(), h.bea, shadow.Entry{Title: "T", Why: "W", Form: []byte(`rubric = "x"`)}))
	_, files := h.paid(s)
	h.fetchAll(s, files)
	h.closed("P0001")
	for n := range 12 {
		if n == 10 { // an outage of a day is waited for, one of two is not
			if v := must[shadow.View](t)(h.CandidateOf(h.ctx(), h.ada, c.ID)); v.Runs[0].State != "due" {
				t.Fatalf("given up too early: %+v", v.Runs)
			}
			h.clock.Advance(48 * time.Hour)
		}
		_, err := h.queue.RunDue(h.ctx())
		if n == 0 && err == nil {
			t.Fatal("a failure is not told")
		}
		h.ok(h.DB.Update(h.ctx(), func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE jobs_queue SET not_before = 0`)
			return err
		}))
	}
	v := must[shadow.View](t)(h.CandidateOf(h.ctx(), h.ada, c.ID))
	if len(v.Runs) != 1 || v.Runs[0].State != "failed" || tries != 11 {
		t.Fatalf("%+v after %d tries", v.Runs, tries)
	}
}

// What families count is learned from the open halves, costs no new answer in
// shadow, and once it is voted in it stands in the statement, which is computed
// again by it.
func TestWeightsAreLearnedFromPeopleAndStandInTheStatement(t *testing.T) {
	h := apart(t, 42)
	h.Judge = divided
	s := h.scientist()
	for _, id := range []coop.PeriodID{"P0001", "P0002"} {
		h.held(id, s)
		h.checked()
		h.ended(id, governance.Yes)
	}
	asks := 0
	h.challenger = func(coop.Candidate) (appraisal.Judge, error) { asks++; return divided, nil }
	c := must[shadow.Candidate](t)(h.Enter(h.ctx(), h.bea, shadow.Entry{Title: "Weights", Why: "People know.", Form: []byte(`learned_weights = true`)}))
	r := c.Form.Reliability
	if len(r) != 3 || r[0].Family != "agrees" || r[0].Weight != learning.Cap || r[0].Agreed <= r[1].Agreed || 2*r[1].Agreed >= r[1].Pairs || r[1].Weight >= r[0].Weight || len(c.Form.From) != 2 {
		t.Fatalf("%+v", c.Form)
	}
	h.held("P0003", s)
	if v := must[shadow.View](t)(h.CandidateOf(h.ctx(), h.ada, c.ID)); v.Runs[0].State != "done" || asks != 0 {
		t.Fatalf("%+v, %d asked", v.Runs, asks)
	}
	if b := must[appraisal.Bundle](t)(appraisal.ParseBundle(h.statement("P0003").Bundle)); b.Params.Reliability != nil {
		t.Fatal("weights count that nobody has voted for")
	}
	h.ok(h.DB.Update(h.ctx(), func(tx *db.Tx) error { // as if it had been proven and voted in
		_, err := tx.Exec(`UPDATE shadow_candidates SET state = 'offered'`)
		if err == nil {
			_, err = tx.Exec(`INSERT INTO adoption_votes (period, state, opened_at, closes_at, electorate, roll_sha256, yes_count, no_count, abstain_count, subject)
				VALUES (?, 'adopted', 0, 1, 0, '', 0, 0, 0, 'candidate')`, c.ID)
		}
		return err
	}))
	h.held("P0004", s)
	pub := h.statement("P0004")
	if b := must[appraisal.Bundle](t)(appraisal.ParseBundle(pub.Bundle)); !pub.Statement.Judged || len(b.Params.Reliability) != 3 {
		t.Fatalf("%+v", b.Params)
	}
	h.ok(appraisal.Verify(pub.Bundle))
}

// divided is three families: one that agrees with people, and two that do not.
var divided = asked(func(t appraisal.Task) (appraisal.Opinion, error) {
	var op appraisal.Opinion
	for _, d := range t.Dossiers {
		c := covered(d.Facts)
		if c < 0 {
			c = 500 // of duties all say the same
		}
		s := appraisal.Score{Dossier: d.ID, Voices: []appraisal.Voice{{Family: "agrees", Score: 450 + c/10, Told: true},
			{Family: "contrary", Score: 550 - c/10, Told: true}, {Family: "opposite", Score: 550 - c/10, Told: true}}}
		s.Score, s.Flag = appraisal.Combine(d.Kind, s.Voices, t.Params.Reliability)
		op.Scores = append(op.Scores, s)
	}
	return op, nil
})

// Whoever changes what was sealed, compared or counted is found out.
func TestTamperedLearningIsFoundOut(t *testing.T) {
	h := tampered(t)
	for _, table := range [][3]string{{"calibration_periods", "holdout", "period = 'P0001'"}, {"calibration_periods", "halves", "period = 'P0001'"},
		{"calibration_periods", "record", "period = 'P0001'"}, {"shadow_comparisons", "document", "answer <> ''"}, {"shadow_runs", "run", "period = 'P0001'"}} {
		h.noticed(table[1], func(tx *db.Tx) (int64, error) {
			return testkit.Tamper(tx, table[0], table[1], table[2], func(b []byte) []byte {
				b = bytes.Clone(b)
				b[len(b)/2] ^= 1
				return b
			})
		})
	}
	for name, query := range map[string]string{
		"the call's leaf":  `UPDATE calibration_periods SET leaf = leaf + CASE leaf % 2 WHEN 0 THEN 1 ELSE -1 END WHERE period = 'P0001'`,
		"the rolls' leaf":  `UPDATE calibration_periods SET seat_leaf = seat_leaf + CASE seat_leaf % 2 WHEN 0 THEN 1 ELSE -1 END WHERE period = 'P0001'`,
		"both checkpoints": `UPDATE calibration_periods SET checkpoint = seat_checkpoint, seat_checkpoint = checkpoint WHERE period = 'P0001'`,
		"a place drawn":    toggle("calibration_draws", "drawn", `"name":"p-`, `"name":"q-`),
		"the rolls' seals": toggle("calibration_periods", "seals", `"members":`, `"others":`),
		"the seal's leaf":  `UPDATE calibration_periods SET sealed_leaf = sealed_leaf + CASE sealed_leaf % 2 WHEN 0 THEN 1 ELSE -1 END WHERE period = 'P0001'`,
		"an answer":        `UPDATE calibration_seats SET said = CASE said WHEN 'first' THEN 'second' ELSE 'first' END WHERE period = 'P0001' AND said <> 'tie' AND seat = 0 AND state = 'scored'`,
		"who was asked":    `UPDATE calibration_seats SET state = CASE state WHEN 'reserve' THEN 'silent' ELSE 'reserve' END WHERE period = 'P0001' AND seat = 4`,
		"a counted ballot": `UPDATE adoption_ballots SET choice = CASE choice WHEN 'yes' THEN 'no' ELSE 'yes' END WHERE period = 'P0001'`,
		"a roll":           `UPDATE adoption_roll SET voted = 1 - voted WHERE period = 'P0001'`,
		"a vote's outcome": `UPDATE adoption_votes SET yes_count = no_count, no_count = yes_count WHERE period = 'P0001'`,
	} {
		h.noticed(name, func(tx *db.Tx) (int64, error) { return tx.Exec(query) })
	}
}

// toggle is a query that puts one text in the place of another in a column of the
// first period's, or the other way about.
func toggle(table, column, a, b string) string {
	return fmt.Sprintf(`UPDATE %s SET %s = CASE WHEN %[2]s LIKE '%%%[3]s%%' THEN replace(%[2]s, '%[3]s', '%[4]s') ELSE replace(%[2]s, '%[4]s', '%[3]s') END WHERE period = 'P0001'`,
		table, column, a, b)
}

// noticed makes a change that undoes itself when it is made again, and wants it
// found out in between.
func (h *house) noticed(what string, change func(*db.Tx) (int64, error)) {
	h.t.Helper()
	for _, wrong := range []bool{true, false} {
		h.ok(h.DB.Update(h.ctx(), func(tx *db.Tx) error {
			n, err := change(tx)
			if n == 0 {
				h.t.Errorf("%s: nothing was changed", what)
			}
			return err
		}))
		if _, err := h.Verify(context.Background()); (err != nil) != wrong {
			h.t.Errorf("%s: changed %v, found %v", what, wrong, err)
		}
	}
}

// tampered is a lab after two compared periods, without the check at its end.
func tampered(t *testing.T) *house {
	t.Helper()
	h := apart(t, 6)
	s := h.scientist()
	must[shadow.Candidate](t)(h.Enter(h.ctx(), h.bea, shadow.Entry{Title: "T", Why: "W", Form: []byte(`rubric = "x"`)}))
	for _, id := range []coop.PeriodID{"P0001", "P0002"} {
		h.held(id, s)
		h.checked()
		h.ended(id, governance.Yes)
	}
	must[int](t)(h.Verify(h.ctx()))
	return h
}
