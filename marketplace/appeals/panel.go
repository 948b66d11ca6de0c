package appeals

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/appraisal/checklist"
	"distributed.ai/datacoop/marketplace/appraisal/jury"
	"distributed.ai/datacoop/marketplace/closing"
)

// The jobs of this counter: drawing a panel, and looking after a seat when its
// time is over.
const (
	kindDraw    = "appeals.draw"
	kindOverdue = "appeals.overdue"
)

type drawJob struct {
	Appeal string `json:"appeal"`
}

type overdueJob struct {
	Appeal string `json:"appeal"`
	Place  int    `json:"place"`
}

// turns is how many members one after the other may be asked for one seat.
const turns = 3

// The states of a case.
const (
	stateSteward = "steward"
	stateDrawing = "drawing"
	stateScoring = "scoring"
	stateDecided = "decided"
)

// hearing is the case of an appeal.
type hearing struct {
	Appeal     string
	Period     coop.PeriodID
	Member     coop.MemberID
	Tier       int
	State      string
	About      Line
	Paid       coop.Money
	Name       string // the member's pseudonym in the statement
	Dossier    string
	Questions  []string
	Roll       []string
	Excluded   int
	Passed     []jury.Passed
	Leaf       int64
	Checkpoint string
	Score      int64
	Award      coop.Money
}

// seat is a panellist's place.
type seat struct {
	Appeal   string
	Place    int // in the order of the draw, from 0
	Turn     int
	Member   coop.MemberID
	Name     string
	State    string
	Yes      []string
	Deadline int64
}

// DossierOf is the dossier that a line of a member's statement belongs to, as a
// period's opinion and record name it. Key and salt are those that the period
// was blinded with. Nobody judges the stipend or what is unknown: "" for those.
func DossierOf(key []byte, salt string, id coop.PeriodID, m coop.MemberID, about Line) string {
	if about.Kind != appraisal.KindData && about.Kind != appraisal.KindWork && about.Kind != appraisal.KindGovernance || about.Ref == "" {
		return ""
	}
	return dossierOf(key, salt, id, appraisal.Pseudonym(key, string(id), "member", string(m)), about)
}

// dossierOf is the dossier that a line of a member's statement belongs to.
func dossierOf(key []byte, salt string, id coop.PeriodID, name string, about Line) string {
	kinds := map[string]string{appraisal.KindData: "dataset", appraisal.KindWork: "contribution"}
	if about.Kind == appraisal.KindGovernance {
		duty, _, _ := strings.Cut(about.Ref, ":") // all duties of a kind are one dossier
		return appraisal.DossierID(salt, about.Kind, appraisal.DutyRef(name, duty))
	}
	return appraisal.DossierID(salt, about.Kind, appraisal.Pseudonym(key, string(id), kinds[about.Kind], about.Ref))
}

// impanel fixes what a panel will be asked and who may be drawn into it, and
// has the queue draw it.
func (d *Docket) impanel(tx *db.Tx, k *hearing, b appraisal.Bundle, key []byte, room crowd) error {
	if k.About.Kind != appraisal.KindData && k.About.Kind != appraisal.KindWork && k.About.Kind != appraisal.KindGovernance {
		return ErrLine
	}
	k.Dossier = dossierOf(key, b.Evidence.Salt, k.Period, k.Name, k.About)
	heard, err := countHeard(tx, *k)
	if err == nil && heard > 0 {
		err = ErrAppealTwice
	}
	if err != nil {
		return err
	}
	shown, known := b.Dossier(k.Dossier)
	if _, ok := b.Standing(k.Name, k.Dossier); !ok || !known {
		return ErrLine
	}
	k.State, k.Questions = stateDrawing, checklist.IDs(checklist.For(shown.Kind, shown.Class))
	if err := d.enroll(tx, k, key, room); err != nil {
		return err
	}
	k.Leaf, err = d.desk.Log.Append(tx, audit.Event{Kind: "appeal.filed", Revision: jury.CallSHA256(k.Roll, k.Passed), Verdict: "judgement",
		Record: map[string]any{"appeal": k.Appeal, "period": string(k.Period), "member": string(k.Member), "dossier": k.Dossier}})
	if err != nil {
		return fmt.Errorf("appeals: log: %w", err)
	}
	if err := dropSeats(tx, k.Appeal); err != nil {
		return err
	}
	return d.later(tx, kindDraw, k.Appeal, drawJob{k.Appeal}, d.desk.Clock())
}

func (d *Docket) later(tx *db.Tx, kind, key string, payload any, at time.Time) error {
	if err := d.jobs.Enqueue(tx, kind, key, payload, at); err != nil {
		return fmt.Errorf("appeals: later: %w", err)
	}
	return nil
}

// nameOf is a panellist's pseudonym, which belongs to one appeal alone.
func nameOf(key []byte, k hearing, m coop.MemberID) string {
	return appraisal.Pseudonym(key, string(k.Period), "panellist of "+k.Appeal, string(m))
}

// crowd is what a draw is made from. It is read before anything is written,
// because it is as long as the co-op is large.
type crowd struct {
	members []governance.Member
	ev      appraisal.Evidence
}

func (d *Docket) crowd(ctx context.Context, id coop.PeriodID) (out crowd, err error) {
	err = d.desk.DB.View(ctx, func(tx *db.Tx) (err error) {
		out.ev, err = d.market.Evidence(tx, id)
		return err
	})
	if err != nil {
		return crowd{}, err
	}
	for before := ""; ; {
		page, err := d.desk.Governance.Members(ctx, governance.Page{Before: before, Limit: 100})
		if err != nil {
			return crowd{}, fmt.Errorf("appeals: members: %w", err)
		}
		out.members = append(out.members, page...)
		if len(page) < 100 {
			return out, nil
		}
		before = string(page[len(page)-1].ID)
	}
}

// enroll puts every member on the roll of a case, or among those left out of it
// with the reason.
func (d *Docket) enroll(tx *db.Tx, k *hearing, key []byte, room crowd) error {
	interested, err := d.conflicts(tx, *k, room.ev)
	if err != nil {
		return err
	}
	k.Roll, k.Passed = nil, []jury.Passed{}
	for _, m := range room.members {
		why := interested[m.ID]
		if why != jury.Appellant && (slices.Contains(m.Offices, coop.Appeals) || slices.Contains(m.Offices, coop.Treasury)) {
			why = jury.Office
		}
		if name := nameOf(key, *k, m.ID); why != "" {
			k.Passed = append(k.Passed, jury.Passed{Name: name, Reason: why})
		} else {
			k.Roll = append(k.Roll, name)
		}
	}
	slices.Sort(k.Roll)
	slices.SortFunc(k.Passed, func(a, b jury.Passed) int { return strings.Compare(a.Name, b.Name) })
	k.Excluded = len(k.Passed)
	return nil
}

// conflicts are the members with an interest in an appeal and what it is, offices
// aside.
func (d *Docket) conflicts(tx *db.Tx, k hearing, ev appraisal.Evidence) (map[coop.MemberID]string, error) {
	out := map[coop.MemberID]string{k.Member: jury.Appellant}
	note := func(m coop.MemberID, why string) {
		if out[m] == "" {
			out[m] = why
		}
	}
	if k.About.Kind == appraisal.KindWork {
		c, err := d.desk.Governance.Contribution(tx.Context(), coop.ContributionID(k.About.Ref))
		if err != nil {
			return nil, fmt.Errorf("appeals: contested work: %w", err)
		}
		for _, r := range c.Reviews {
			note(r.Reviewer, jury.Made)
		}
		note(c.Member, jury.Made)
		if c.Git != nil {
			for _, m := range c.Git.Members {
				note(m, jury.Made)
			}
		}
	}
	rivals, err := appellants(tx, k.Period)
	if err != nil {
		return nil, err
	}
	for _, m := range rivals {
		note(m, jury.Rival)
	}
	makers := map[string][]string{}
	for _, w := range ev.Work {
		makers[w.Contribution] = append(makers[w.Contribution], w.Member)
	}
	for _, v := range ev.Duties {
		by := makers[v.Ref]
		if slices.Contains(by, string(k.Member)) { // reviewed what the appellant made
			note(coop.MemberID(v.Member), jury.Ties)
		}
		if v.Member == string(k.Member) { // made what the appellant reviewed
			for _, m := range by {
				note(coop.MemberID(m), jury.Ties)
			}
		}
	}
	return out, nil
}

// draw seats a panel by a checkpoint taken now, after the appeal was filed.
func (d *Docket) draw(ctx context.Context, payload []byte) error {
	var job drawJob
	if err := json.Unmarshal(payload, &job); err != nil {
		return fmt.Errorf("appeals: draw: %w", err)
	}
	checkpoint, err := d.desk.Log.Checkpoint(ctx)
	if err != nil {
		return fmt.Errorf("appeals: draw: %w", err)
	}
	ready, err := d.ready(ctx, job.Appeal, string(checkpoint))
	if err != nil {
		return err
	}
	return d.desk.DB.Update(ctx, func(tx *db.Tx) error {
		k, err := getCase(tx, job.Appeal)
		if err != nil || k.State != stateDrawing {
			return err
		}
		k.State, k.Checkpoint = stateScoring, string(checkpoint)
		if err := putReady(tx, k.Appeal, ready); err != nil {
			return err
		}
		for range jury.SeatsFor(len(k.Roll)) {
			if err := d.seatNext(tx, k, 1); err != nil {
				return err
			}
		}
		if err := putCase(tx, k); err != nil {
			return err
		}
		if err := d.desk.Note(tx, "panel.drawn", "drawn", map[string]any{"appeal": k.Appeal, "roll": len(k.Roll)}); err != nil {
			return err
		}
		return d.conclude(tx, k)
	})
}

// seatNext asks the next member of the draw, if there is one.
func (d *Docket) seatNext(tx *db.Tx, k hearing, turn int) error {
	order, err := jury.Draw(k.Checkpoint, k.Leaf, k.Roll)
	if err != nil {
		return err
	}
	taken, err := seats(tx, k.Appeal)
	if err != nil || len(taken) == len(order) || turn > turns {
		return err
	}
	who, err := getReady(tx, k.Appeal, order[len(taken)])
	if err != nil {
		return err
	}
	f, err := closing.For(tx, k.Period, d.desk.Charter)
	if err != nil {
		return err
	}
	s := seat{Appeal: k.Appeal, Place: len(taken), Turn: turn, Member: who, Name: order[len(taken)], State: jury.Waiting, Yes: []string{},
		Deadline: d.desk.Now() + f.Hearing.AnswerHours*time.Hour.Milliseconds()}
	asked := coop.Notice{Kind: coop.NoticePanel, Ref: k.Appeal, Occasion: strconv.FormatInt(k.Leaf, 10), Until: s.Deadline, To: []coop.Addressee{{Member: who}}}
	if err := errors.Join(insertSeat(tx, s), d.desk.Jobs.Tell(tx, asked)); err != nil {
		return err
	}
	return d.later(tx, kindOverdue, k.Appeal+"/"+strconv.FormatInt(k.Leaf, 10)+"/"+strconv.Itoa(s.Place), overdueJob{k.Appeal, s.Place}, time.UnixMilli(s.Deadline))
}

// ready finds the members behind the first names of a draw: those who are seated,
// and as many as can follow them. No more can be needed.
func (d *Docket) ready(ctx context.Context, appeal, checkpoint string) (map[string]coop.MemberID, error) {
	var k hearing
	var key []byte
	err := d.desk.DB.View(ctx, func(tx *db.Tx) (err error) {
		if k, err = getCase(tx, appeal); err != nil {
			return err
		}
		c, err := d.market.Contest(tx, k.Period)
		key = c.Key
		return err
	})
	if err != nil || k.State != stateDrawing {
		return nil, err
	}
	order, err := jury.Draw(checkpoint, k.Leaf, k.Roll)
	if err != nil {
		return nil, err
	}
	out := map[string]coop.MemberID{} // accounts that were closed since stay silent
	for _, name := range order[:min(len(order), jury.Seats*turns)] {
		out[name] = coop.MemberID("gone-" + name)
	}
	for before := ""; ; {
		page, err := d.desk.Governance.Members(ctx, governance.Page{Before: before, Limit: 100})
		if err != nil {
			return nil, fmt.Errorf("appeals: members: %w", err)
		}
		for _, m := range page {
			if name := nameOf(key, k, m.ID); out[name] != "" {
				out[name] = m.ID
			}
		}
		if len(page) < 100 {
			return out, nil
		}
		before = string(page[len(page)-1].ID)
	}
}

var errEarly = errors.New("appeals: too early by the domain clock")

// overdue takes the seat of somebody who let the time pass.
func (d *Docket) overdue(ctx context.Context, payload []byte) error {
	var job overdueJob
	if err := json.Unmarshal(payload, &job); err != nil {
		return fmt.Errorf("appeals: overdue: %w", err)
	}
	return d.desk.DB.Update(ctx, func(tx *db.Tx) error {
		s, err := getSeat(tx, job.Appeal, job.Place)
		if err != nil || s.State != jury.Waiting {
			return err
		}
		if s.Deadline > d.desk.Now() {
			return errEarly
		}
		s.State = jury.Silent
		return d.vacate(tx, s)
	})
}

// vacate closes a seat without an answer and asks the next.
func (d *Docket) vacate(tx *db.Tx, s seat) error {
	if err := answerSeat(tx, s, d.desk.Now()); err != nil {
		return err
	}
	k, err := getCase(tx, s.Appeal)
	if err != nil {
		return err
	}
	if err := d.seatNext(tx, k, s.Turn+1); err != nil {
		return err
	}
	return d.conclude(tx, k)
}
