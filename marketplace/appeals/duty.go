package appeals

import (
	"context"
	"fmt"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/appraisal/checklist"
	"distributed.ai/datacoop/marketplace/appraisal/jury"
	"distributed.ai/datacoop/marketplace/desk"
)

// PanelDuty is what a panellist sees of an appeal: what a model saw of the
// dossier, and the questions. Neither who appealed, nor what they wrote, nor
// what a model answered; the outcome only once the panel has decided.
type PanelDuty struct {
	Appeal    string
	Period    coop.PeriodID
	Kind      string
	Class     string
	Facts     []appraisal.Fact
	Text      string // of work, cleaned as for a model
	Rubric    string // what members want weighed, in their words
	Questions []checklist.Question
	Deadline  int64
	State     string // of the seat, see package jury
	Yes       []string

	Decided bool
	Score   int64 // the panel's
}

// PanelDuties lists what a member is or was asked, newest first.
func (d *Docket) PanelDuties(ctx context.Context, m coop.MemberID) ([]PanelDuty, error) {
	return desk.Read(ctx, d.desk.DB, func(tx *db.Tx) ([]PanelDuty, error) {
		mine, err := seatsOf(tx, m)
		if err != nil {
			return nil, err
		}
		out := make([]PanelDuty, 0, len(mine))
		for _, s := range mine {
			duty, err := d.dutyOf(tx, s)
			if err != nil {
				return nil, err
			}
			out = append(out, duty)
		}
		return out, nil
	})
}

// PanelsWaiting counts the panels that wait for a member's answer.
func (d *Docket) PanelsWaiting(ctx context.Context, m coop.MemberID) (int, error) {
	return desk.Read(ctx, d.desk.DB, func(tx *db.Tx) (int, error) { return countWaiting(tx, m, d.desk.Now()) })
}

func (d *Docket) dutyOf(tx *db.Tx, s seat) (PanelDuty, error) {
	k, err := getCase(tx, s.Appeal)
	if err != nil {
		return PanelDuty{}, err
	}
	c, err := d.market.Contest(tx, k.Period)
	if err != nil {
		return PanelDuty{}, err
	}
	b, err := appraisal.ParseBundle(c.Bundle)
	if err != nil {
		return PanelDuty{}, fmt.Errorf("appeals: bundle: %w", err)
	}
	shown, _ := b.Dossier(k.Dossier)
	out := PanelDuty{Appeal: s.Appeal, Period: k.Period, Kind: k.About.Kind, Class: shown.Class, Facts: shown.Facts,
		Rubric: d.desk.Charter.Rubric, Questions: checklist.For(k.About.Kind, shown.Class), Deadline: s.Deadline, State: s.State, Yes: s.Yes, Decided: k.State == stateDecided}
	if out.Decided {
		out.Score = k.Score
	}
	if k.About.Kind != appraisal.KindWork {
		return out, nil
	}
	w, err := d.desk.Governance.Contribution(tx.Context(), coop.ContributionID(k.About.Ref))
	if err != nil {
		return PanelDuty{}, fmt.Errorf("appeals: contested work: %w", err)
	}
	out.Text = appraisal.NewExhibit(k.Dossier, w.Title+"\n"+w.Text).Text
	return out, nil
}

// AnswerPanel takes a panellist's answers: the ids of the questions to answer
// yes, in any order. An answer stands; it cannot be changed. Faults:
// ErrNotOnPanel, ErrPanelClosed, ErrAnswer.
func (d *Docket) AnswerPanel(ctx context.Context, m coop.MemberID, appeal string, yes []string) (PanelDuty, error) {
	return d.speak(ctx, m, appeal, func(tx *db.Tx, k hearing, s seat) error {
		said := map[string]bool{}
		for _, id := range yes {
			said[id] = true
		}
		for _, id := range k.Questions {
			if said[id] {
				s.Yes = append(s.Yes, id)
			}
		}
		if len(s.Yes) != len(yes) {
			return ErrAnswer
		}
		s.State = jury.Scored
		if err := answerSeat(tx, s, d.desk.Now()); err != nil {
			return err
		}
		return d.conclude(tx, k)
	})
}

// StepBack gives a seat to the next in the draw: for somebody with a conflict of
// interest, or who cannot tell.
func (d *Docket) StepBack(ctx context.Context, m coop.MemberID, appeal string) (PanelDuty, error) {
	return d.speak(ctx, m, appeal, func(tx *db.Tx, _ hearing, s seat) error {
		s.State = jury.Stepped
		return d.vacate(tx, s)
	})
}

func (d *Docket) speak(ctx context.Context, m coop.MemberID, appeal string, say func(*db.Tx, hearing, seat) error) (PanelDuty, error) {
	return desk.Write(ctx, d.desk.DB, func(tx *db.Tx) (PanelDuty, error) {
		s, err := seatOf(tx, appeal, m)
		switch {
		case err != nil:
			return PanelDuty{}, err
		case s.State != jury.Waiting || d.desk.Now() >= s.Deadline:
			return PanelDuty{}, ErrPanelClosed
		}
		k, err := getCase(tx, appeal)
		if err != nil {
			return PanelDuty{}, err
		}
		if err := say(tx, k, s); err != nil {
			return PanelDuty{}, err
		}
		if s, err = seatOf(tx, appeal, m); err != nil {
			return PanelDuty{}, err
		}
		return d.dutyOf(tx, s)
	})
}

// Served is a panellist's answer as evidence for a statement.
type Served struct {
	Appeal string
	Member coop.MemberID
}

// Served lists answers given in [from, to) (Unix ms), by appeal and member.
// Stepping back and silence earn nothing.
func (d *Docket) Served(tx *db.Tx, from, to int64) ([]Served, error) { return served(tx, from, to) }
