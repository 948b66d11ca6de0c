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

	"golang.org/x/mod/sumdb/note"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/marketplace/appeals"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/appraisal/checklist"
	"distributed.ai/datacoop/marketplace/appraisal/jury"
	"distributed.ai/datacoop/marketplace/ledger"
)

// run has the queue do what is due.
func (h *house) run() {
	h.t.Helper()
	must[int](h.t)(h.queue.RunDue(h.ctx()))
}

// harsh is a judge that scores work and duties as low as can be.
func harsh(t appraisal.Task) (appraisal.Opinion, error) {
	op := appraisal.Opinion{}
	for _, d := range t.Dossiers {
		score := int64(500)
		if d.Kind == appraisal.KindWork {
			score = 0
		}
		op.Scores = append(op.Scores, appraisal.Score{Dossier: d.ID, Score: score, Reason: "Questions answered yes: 0."})
	}
	return op, nil
}

// contested is a closed period in which one member's work was judged harshly
// and another's was not, with enough members for a panel.
func (h *house) contested() (appellant coop.MemberID, work coop.ContributionID) {
	h.t.Helper()
	members, _ := h.earned(12)
	appellant = members[0]
	work = h.worked(appellant)
	h.worked(members[1])
	first := true
	h.judged(asked(func(t appraisal.Task) (appraisal.Opinion, error) {
		op, err := harsh(t)
		for i, d := range t.Dossiers {
			if d.Kind == appraisal.KindWork && first != (d.ID == h.dossier(work)) { // only the appellant's is scored low
				op.Scores[i].Score = 500
			}
		}
		return op, err
	}))
	return appellant, work
}

// dossier is the pseudonym of a piece of work in the first period.
func (h *house) dossier(work coop.ContributionID) string {
	return appraisal.DossierID(h.salt("P0001"), appraisal.KindWork, appraisal.Pseudonym(h.secret("blind"), "P0001", "contribution", string(work)))
}

// panel is the members who are asked about an appeal and have not answered.
func (h *house) panel(appeal string) (out []coop.MemberID) {
	h.t.Helper()
	for m, before := range h.everybody() {
		_ = before
		for _, d := range must[[]PanelDuty](h.t)(h.PanelDuties(h.ctx(), m)) {
			if d.Appeal == appeal && d.State == jury.Waiting {
				out = append(out, m)
			}
		}
	}
	slices.Sort(out)
	return out
}

func (h *house) everybody() map[coop.MemberID]bool {
	h.t.Helper()
	out := map[coop.MemberID]bool{}
	for _, m := range must[[]governance.Member](h.t)(h.gov.Members(h.ctx(), governance.Page{Limit: 100})) {
		out[m.ID] = true
	}
	return out
}

func about(work coop.ContributionID) AppealLine {
	return AppealLine{Kind: appraisal.KindWork, Ref: string(work)}
}

// answers says yes to the first n questions.
func (h *house) answers(m coop.MemberID, appeal string, n int) {
	h.t.Helper()
	ids := checklist.IDs(checklist.For(appraisal.KindWork, "document"))
	must[PanelDuty](h.t)(h.AnswerPanel(h.ctx(), m, appeal, ids[:n]))
}

func TestAPanelDrawnByLotAddsWhatAHarshModelTook(t *testing.T) {
	h := story(t)
	member, work := h.contested()
	before := must[MemberStatement](t)(h.MemberStatement(h.ctx(), member, "P0001")).Share
	a := must[Appeal](t)(h.Appeal(h.ctx(), member, "P0001", "The leaflet is used in three towns.", about(work)))
	if a.Tier != appeals.Judgement || a.State != AppealOpen || a.Paid != before.Amount {
		t.Fatalf("%+v", a)
	}
	h.run()
	seated := h.panel(a.ID)
	if len(seated) != jury.Seats {
		t.Fatalf("%d seats", len(seated))
	}
	for _, m := range seated {
		if slices.Contains([]coop.MemberID{member, h.ada, h.bea, h.cem, h.dan}, m) { // ada and dan reviewed the work
			t.Error("somebody with an interest was drawn")
		}
	}
	n := len(checklist.For(appraisal.KindWork, "document"))
	for i, m := range seated {
		h.answers(m, a.ID, n-i)
	}
	got := must[[]Appeal](t)(h.Appeals(h.ctx(), member))[0]
	if got.State != AppealUpheld || !strings.Contains(got.Answer, "5 answered") || !strings.Contains(got.Answer, "without seeing the model's answer") {
		t.Fatalf("%+v", got)
	}
	reserve := h.statement("P0001").Statement.Step(appraisal.StepReserve)
	others := h.statement("P0001").Statement
	h.adopted()
	award := must[[]Appeal](t)(h.Appeals(h.ctx(), member))[0].Award
	if award <= 0 {
		t.Fatal("an upheld appeal is paid nothing")
	}
	h.holds(ledger.Member(member), before.Amount+award)
	h.holds(ledger.Reserve, coop.Money(reserve)-award)
	h.holds(ledger.Access, 0)
	for _, share := range others.Shares { // nobody's amount shrank
		if m := h.nameOf(share.Member); m != member && m != "" {
			h.holds(ledger.Member(m), coop.Money(share.Amount))
		}
	}
	record := must[[]byte](t)(h.Record(h.ctx(), "P0001"))
	r := must[jury.Record](t)(appraisal.VerifyAppeals(h.statement("P0001").Bundle, record))
	if r.Paid != int64(award) || r.Cases[0].Excluded != 5 || len(r.Cases[0].Roll) != 11 {
		t.Errorf("%+v", r)
	}
	told := map[string]int{} // bea, cem and dan hold an office; ada and dan reviewed the work
	for _, p := range r.Cases[0].PassedOver {
		told[p.Reason]++
	}
	if told[jury.Appellant] != 1 || told[jury.Office] != 3 || told[jury.Made] != 1 || !h.logged("appeal.filed", jury.CallSHA256(r.Cases[0].Roll, r.Cases[0].PassedOver)) {
		t.Errorf("left out: %v", told)
	}
	for m := range h.everybody() {
		if bytes.Contains(record, []byte(m)) {
			t.Error("the record names a member")
		}
	}
	h.clock.Advance(time.Hour)
	h.closed("P0002")
	ev := must[appraisal.Evidence](t)(h.evidence(h.ctx(), must[[]Period](t)(h.Periods(h.ctx()))[1]))
	if len(ev.Duties) != jury.Seats || ev.Duties[0].Kind != "panel" || ev.Duties[0].Points != appeals.PanelPoints {
		t.Errorf("panel service is worth %+v", ev.Duties)
	}
}

// nameOf finds the member behind a pseudonym of the first period.
func (h *house) nameOf(name string) coop.MemberID {
	for m := range h.everybody() {
		if appraisal.Pseudonym(h.secret("blind"), "P0001", "member", string(m)) == name {
			return m
		}
	}
	return ""
}

func TestAnybodyCanDrawThePanelAgain(t *testing.T) {
	h := story(t)
	member, work := h.contested()
	a := must[Appeal](t)(h.Appeal(h.ctx(), member, "P0001", "Look again.", about(work)))
	h.run()
	for _, m := range h.panel(a.ID) {
		h.answers(m, a.ID, 2)
	}
	h.adopted()
	r := must[jury.Record](t)(jury.Parse(must[[]byte](t)(h.Record(h.ctx(), "P0001"))))
	c := r.Cases[0]
	// What is public: the leaf names the roll, and the checkpoint is signed and covers it.
	tile := must[[]byte](t)(h.log.Tile(h.ctx(), fmt.Sprint("tile/entries/000.p/", must[int64](t)(h.log.Verify(h.ctx())))))
	if !bytes.Contains(tile, []byte(`"kind":"appeal.filed","revision":"`+jury.CallSHA256(c.Roll, c.PassedOver)+`"`)) {
		t.Error("the log does not name the roll")
	}
	order := must[[]string](t)(jury.Draw(c.Checkpoint, c.Leaf, c.Roll))
	for i, s := range c.Seats {
		if s.Name != order[i] {
			t.Errorf("seat %d was not drawn", i)
		}
	}
	h.forgedPanel(r)
}

// forgedPanel draws the panel by a checkpoint that the log's key signed and the log
// never had: the record is what its own contents give, and the log is not its seed.
func (h *house) forgedPanel(r jury.Record) {
	h.t.Helper()
	skey, _, err := note.GenerateKey(bytes.NewReader(testkit.Key().Seed()), "coop.test/log")
	h.ok(err)
	signer := must[note.Signer](h.t)(note.NewSigner(skey))
	whole := must[[]byte](h.t)(h.Record(h.ctx(), "P0001"))
	store := func(text []byte) {
		h.ok(h.DB.Update(h.ctx(), func(tx *db.Tx) error {
			return tx.ExecOne(`UPDATE appeals_records SET record = ?, sha256 = ? WHERE period = 'P0001'`, text, coop.Digest(text))
		}))
	}
	lines, c := strings.SplitN(r.Cases[0].Checkpoint, "\n", 4), &r.Cases[0]
	forged := lines[0] + "\n" + lines[1] + "\n" + strings.Repeat("A", 43) + "=\n"
	c.Checkpoint = string(must[[]byte](h.t)(note.Sign(&note.Note{Text: forged}, signer)))
	order := must[[]string](h.t)(jury.Draw(c.Checkpoint, c.Leaf, c.Roll))
	for i := range c.Seats {
		c.Seats[i].Name = order[i]
	}
	text := must[[]byte](h.t)(r.JSON())
	must[jury.Record](h.t)(appraisal.VerifyAppeals(h.statement("P0001").Bundle, text))
	store(text)
	if _, err := h.Verify(h.ctx()); !errors.Is(err, audit.ErrFork) {
		h.t.Errorf("a panel drawn by a checkpoint of no log: %v", err)
	}
	store(whole)
}

func TestWhoDoesNotAnswerIsFollowedByTheNext(t *testing.T) {
	h := story(t)
	member, work := h.contested()
	a := must[Appeal](t)(h.Appeal(h.ctx(), member, "P0001", "Look again.", about(work)))
	h.run()
	first := h.panel(a.ID)
	must[PanelDuty](t)(h.StepBack(h.ctx(), first[0], a.ID))
	_, err := h.AnswerPanel(h.ctx(), first[0], a.ID, nil)
	h.refused(err, appeals.ErrPanelClosed)
	for _, m := range first[1:4] {
		h.answers(m, a.ID, 8)
	}
	second := h.panel(a.ID)
	if len(second) != 2 || slices.Contains(second, first[0]) {
		t.Fatalf("%d are asked", len(second))
	}
	h.clock.Advance(120 * time.Hour)
	_, err = h.AnswerPanel(h.ctx(), first[4], a.ID, nil)
	h.refused(err, appeals.ErrPanelClosed)
	h.run()
	h.run() // and nothing more happens
	third := h.panel(a.ID)
	if len(third) != 2 || slices.Contains(third, first[4]) {
		t.Fatalf("%d are asked, %v after %v", len(third), third, second)
	}
	_, err = h.Settle(h.ctx(), h.bea, "P0001")
	h.refused(err, ErrChallengeOpen)
	h.clock.Advance(120 * time.Hour)
	h.run()
	h.clock.Advance(120 * time.Hour)
	h.run() // three members were asked for each seat; those who answered decide
	got := must[[]Appeal](t)(h.Appeals(h.ctx(), member))[0]
	if got.State != AppealUpheld || !strings.Contains(got.Answer, "3 answered") {
		t.Fatalf("%+v", got)
	}
	h.adopted()
}

func TestAPanelThatNobodyServesOnLeavesTheFormulasAmount(t *testing.T) {
	h := story(t)
	members, _ := h.earned(3)
	work := h.worked(members[0])
	h.worked(members[1])
	h.judged(asked(func(t appraisal.Task) (appraisal.Opinion, error) {
		op := appraisal.Opinion{Scores: []appraisal.Score{{Dossier: h.dossier(work), Score: 0}}}
		return op, nil
	}))
	mine := must[MemberStatement](t)(h.MemberStatement(h.ctx(), members[0], "P0001")).Share
	must[Appeal](t)(h.Appeal(h.ctx(), members[0], "P0001", "Look again.", about(work)))
	h.run() // two members have no interest in it, which is no panel
	got := must[[]Appeal](t)(h.Appeals(h.ctx(), members[0]))[0]
	if got.State != AppealUpheld || !strings.Contains(got.Answer, "the formula's own amount counts") {
		t.Fatalf("%+v", got)
	}
	h.adopted()
	lost := int64(0)
	for _, line := range mine.Lines {
		if line.Kind == appraisal.KindWork {
			lost += line.Baseline - line.Amount
		}
	}
	if award := must[[]Appeal](t)(h.Appeals(h.ctx(), members[0]))[0].Award; int64(award) != lost || lost <= 0 {
		t.Errorf("awarded %d of %d lost", award, lost)
	}
}

func TestAPanellistSeesNeitherNamesNorTheModelsAnswer(t *testing.T) {
	h := story(t)
	member, work := h.contested()
	a := must[Appeal](t)(h.Appeal(h.ctx(), member, "P0001", "I am the one who wrote it.", about(work)))
	h.run()
	m := h.panel(a.ID)[0]
	d := must[[]PanelDuty](t)(h.PanelDuties(h.ctx(), m))[0]
	if d.Text != "A leaflet" || len(d.Questions) == 0 || len(d.Facts) != 1 || d.Decided || d.Score != 0 || d.Class != "document" {
		t.Errorf("%+v", d)
	}
	if must[int](t)(h.PanelsWaiting(h.ctx(), m)) != 1 || must[int](t)(h.PanelsWaiting(h.ctx(), member)) != 0 {
		t.Error("the wrong members are asked")
	}
	_, err := h.AnswerPanel(h.ctx(), member, a.ID, nil)
	h.refused(err, appeals.ErrNotOnPanel)
	for _, bad := range [][]string{{"charm"}, {d.Questions[0].ID, d.Questions[0].ID}} {
		_, err = h.AnswerPanel(h.ctx(), m, a.ID, bad)
		h.refused(err, appeals.ErrAnswer)
	}
	if others := must[[]Appeal](t)(h.Appeals(h.ctx(), m)); len(others) != 0 {
		t.Error("a panellist reads the appeal")
	}
}

func TestAMendedFactIsComputedAgainFromTheRecordedAnswers(t *testing.T) {
	h := story(t)
	member, work := h.contested()
	calls := 0
	h.Judge = asked(func(appraisal.Task) (appraisal.Opinion, error) { calls++; return appraisal.Opinion{}, nil })
	before := h.statement("P0001")
	mine := must[MemberStatement](t)(h.MemberStatement(h.ctx(), member, "P0001")).Share.Amount
	a := must[Appeal](t)(h.Appeal(h.ctx(), member, "P0001", "It was reviewed as size 5."))
	fix := AppealCorrection{Line: about(work), Field: "points", Value: 8, Source: "minutes of 3 May, page 2"}
	for name, bad := range map[string]AppealCorrection{
		"no source":      {Line: about(work), Field: "points", Value: 8},
		"no such figure": {Line: about(work), Field: "charm", Value: 8, Source: "s"},
		"out of range":   {Line: about(work), Field: "points", Value: -1, Source: "s"},
		"too large":      {Line: about(work), Field: "points", Value: 1 << 40, Source: "s"},
		"not theirs":     {Line: AppealLine{Kind: "data", Ref: "x"}, Field: "coverage", Value: 8, Source: "s"},
	} {
		_, err := h.DecideAppeal(h.ctx(), h.dan, a.ID, true, "Yes.", bad)
		if !errors.Is(err, appeals.ErrCorrection) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := h.DecideAppeal(h.ctx(), h.dan, a.ID, false, "No.", fix)
	h.refused(err, appeals.ErrCorrection)
	must[Appeal](t)(h.DecideAppeal(h.ctx(), h.dan, a.ID, true, "The minutes say so.", fix))
	h.run()
	after := h.statement("P0001")
	now := must[MemberStatement](t)(h.MemberStatement(h.ctx(), member, "P0001")).Share.Amount
	if calls != 0 || after.Statement.OpinionSHA256 != before.Statement.OpinionSHA256 || now <= mine {
		t.Errorf("asked %d times, %d became %d", calls, mine, now)
	}
	if after.Period.ChallengeEndsAt != h.now()+240*3600*1000 {
		t.Error("there is no new window to contest it")
	}
	if got := must[[]Appeal](t)(h.Appeals(h.ctx(), member))[0]; got.Paid != mine || got.State != AppealUpheld {
		t.Errorf("%+v", got)
	}
	must[Appeal](t)(h.Appeal(h.ctx(), member, "P0001", "An upheld appeal restores the free one.", about(work)))
	h.unanswered()
	h.adopted()
	r := must[jury.Record](t)(appraisal.VerifyAppeals(h.statement("P0001").Bundle, must[[]byte](t)(h.Record(h.ctx(), "P0001"))))
	if len(r.Corrections) != 1 || r.Corrections[0].To != 8 || r.Corrections[0].From != 3 || r.Corrections[0].Dossier != h.dossier(work) {
		t.Errorf("%+v", r.Corrections)
	}
}

func TestAStewardsNoCanBeTakenToAPanel(t *testing.T) {
	h := story(t)
	member, work := h.contested()
	a := must[Appeal](t)(h.Appeal(h.ctx(), member, "P0001", "It is worth more."))
	h.clock.Advance(240 * time.Hour)
	got := must[Appeal](t)(h.DecideAppeal(h.ctx(), h.dan, a.ID, false, "That is no fact."))
	if got.Escalates != h.now()+appeals.Escalation.Milliseconds() {
		t.Fatalf("%+v", got)
	}
	_, err := h.Settle(h.ctx(), h.bea, "P0001")
	h.refused(err, ErrAppealOpen)
	_, err = h.Escalate(h.ctx(), h.dan, a.ID, about(work))
	h.refused(err, ErrNotFound)
	_, err = h.Escalate(h.ctx(), member, a.ID, AppealLine{Kind: "work", Ref: "x"})
	h.refused(err, appeals.ErrLine)
	must[Appeal](t)(h.Escalate(h.ctx(), member, a.ID, about(work)))
	_, err = h.Escalate(h.ctx(), member, a.ID, about(work))
	h.refused(err, appeals.ErrPanelClosed)
	_, err = h.DecideAppeal(h.ctx(), h.dan, a.ID, true, "After all.")
	h.refused(err, ErrState)
	h.run()
	for _, m := range h.panel(a.ID) {
		h.answers(m, a.ID, 0)
	}
	if got := must[[]Appeal](t)(h.Appeals(h.ctx(), member))[0]; got.State != AppealDismissed || got.Escalates != 0 {
		t.Fatalf("%+v", got)
	}
	h.adopted()
}

func TestAPanelLooksAtOnesOwnLinesOnly(t *testing.T) {
	h := story(t)
	member, work := h.contested()
	other := must[[]governance.Contribution](t)(h.gov.Contributions(h.ctx(), governance.Filter{}, governance.Page{}))[0].ID
	if other == work {
		t.Fatal("the other's work was wanted")
	}
	for name, line := range map[string]AppealLine{
		"somebody else's": about(other), "the stipend, which nobody judges": {Kind: "stipend", Ref: "x"}, "nothing": {},
		"no such dataset": {Kind: "data", Ref: "x"}, "no such duty": {Kind: "governance", Ref: "review"},
	} {
		if _, err := h.Appeal(h.ctx(), member, "P0001", "Look.", line); !errors.Is(err, appeals.ErrLine) {
			t.Errorf("%s: %v", name, err)
		}
	}
	dataset := must[MemberStatement](t)(h.MemberStatement(h.ctx(), member, "P0001")).Share.Lines[0]
	if dataset.Kind != appraisal.KindData {
		t.Fatalf("%+v", dataset)
	}
	must[Appeal](t)(h.Appeal(h.ctx(), member, "P0001", "Look.", AppealLine{Kind: "data", Ref: dataset.Ref}))
	must[Appeal](t)(h.Appeal(h.ctx(), h.ada, "P0001", "Look.", AppealLine{Kind: "governance", Ref: "review:" + string(work)}))
	_, err := h.Appeal(h.ctx(), member, "P0001", "Again.", about(work))
	h.refused(err, ErrAppealTwice)
	h.unanswered()
	h.adopted()
}

// unanswered lets the time of everybody who is asked pass.
func (h *house) unanswered() {
	h.t.Helper()
	h.run()
	for range 3 {
		h.clock.Advance(120 * time.Hour)
		h.run()
	}
}

func TestWhoHasAnInterestIsNotDrawn(t *testing.T) {
	h := story(t)
	members, _ := h.earned(12)
	h.worked(members[0]) // reviewed by ada and dan
	other := must[governance.Contribution](t)(h.gov.Submit(h.ctx(), members[1], governance.Work{Kind: governance.WorkDocument, Title: "A poster", Evidence: "poster.pdf"}))
	for _, m := range []coop.MemberID{members[0], members[2]} {
		must[governance.Contribution](t)(h.gov.Review(h.ctx(), m, other.ID, governance.Verdict{Accept: true, Size: 1}))
	}
	h.closed("P0001")
	must[Appeal](t)(h.Appeal(h.ctx(), members[3], "P0001", "I have an appeal of my own."))
	line := must[MemberStatement](t)(h.MemberStatement(h.ctx(), members[0], "P0001")).Share.Lines[0]
	must[Appeal](t)(h.Appeal(h.ctx(), members[0], "P0001", "My data were fresh.", AppealLine{Kind: line.Kind, Ref: line.Ref}))
	h.run()
	// Out are the appellant; bea, cem and dan for their offices; ada, who reviewed
	// the appellant's work; the first, whose work the appellant reviewed; and the
	// third, who appeals too.
	h.ok(h.DB.View(h.ctx(), func(tx *db.Tx) error {
		got, err := testkit.Dump(tx, `SELECT excluded, passed FROM appeals_cases WHERE tier = 2`)
		for reason, n := range map[string]int{jury.Appellant: 1, jury.Office: 3, jury.Rival: 1, jury.Ties: 2} {
			if strings.Count(got, `"`+reason+`"`) != n {
				t.Errorf("%d are not left out as %q: %s", n, reason, got)
			}
		}
		if !strings.Contains(got, "7") {
			t.Errorf("excluded: %s", got)
		}
		seated, failed := testkit.Dump(tx, `SELECT member FROM appeals_seats`)
		for _, m := range []coop.MemberID{members[0], members[1], members[3], h.ada, h.bea, h.cem, h.dan} {
			if strings.Contains(seated, string(m)) {
				t.Error("somebody with an interest was drawn")
			}
		}
		return errors.Join(err, failed)
	}))
}

// A process that dies between the checkpoint and the seats, or does a job
// twice, leaves one panel and one outcome.
func TestJobsOfAPanelDoneTwiceDoNothingMore(t *testing.T) {
	h := story(t)
	member, work := h.contested()
	a := must[Appeal](t)(h.Appeal(h.ctx(), member, "P0001", "Look again.", about(work)))
	payload := []byte(`{"appeal":"` + a.ID + `","place":0}`)
	h.run()
	seated := h.panel(a.ID)
	if err := h.again("first", payload); err == nil || !strings.Contains(err.Error(), "too early") {
		t.Errorf("a seat that is not overdue: %v", err) // an error is tried again; without one nobody would look after the seat
	}
	if again := h.panel(a.ID); !slices.Equal(again, seated) {
		t.Fatal("a second draw seated others")
	}
	for _, m := range seated {
		h.answers(m, a.ID, 9)
	}
	before := must[[]Appeal](t)(h.Appeals(h.ctx(), member))[0]
	h.clock.Advance(500 * time.Hour)
	h.ok(h.again("second", payload))
	h.run()
	if after := must[[]Appeal](t)(h.Appeals(h.ctx(), member))[0]; after != before {
		t.Errorf("%+v became %+v", before, after)
	}
	h.adopted()
}

// again does the jobs of a panel once more, as a queue does whose process died
// before it could note that they were done, and answers what failed.
func (h *house) again(key string, payload []byte) error {
	h.t.Helper()
	h.ok(h.DB.Update(h.ctx(), func(tx *db.Tx) error {
		return errors.Join(h.queue.Enqueue(tx, "appeals.draw", key, json.RawMessage(payload), h.clock.Now()),
			h.queue.Enqueue(tx, "appeals.overdue", key, json.RawMessage(payload), h.clock.Now()))
	}))
	_, err := h.queue.RunDue(h.ctx())
	return err
}

func TestATamperedRecordOfAppealsIsFound(t *testing.T) {
	h := open(t)
	member, work := h.contested()
	a := must[Appeal](t)(h.Appeal(h.ctx(), member, "P0001", "Look again.", about(work)))
	h.run()
	for _, m := range h.panel(a.ID) {
		h.answers(m, a.ID, 9)
	}
	h.adopted()
	h.sound()
	h.ok(h.DB.Update(context.Background(), func(tx *db.Tx) error {
		_, err := testkit.Tamper(tx, "appeals_records", "record", "period = 'P0001'", func(b []byte) []byte {
			return bytes.Replace(b, []byte(`"state":"scored"`), []byte(`"state":"silent"`), 1)
		})
		return err
	}))
	if _, err := h.Verify(h.ctx()); err == nil {
		t.Error("nobody noticed")
	}
}
