package appeals

import (
	"context"
	"errors"
	"fmt"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/desk"
)

// Correction mends one figure of the appellant's own evidence.
type Correction struct {
	Line          // of the appellant's statement; also of the kind stipend
	Field  string // data: coverage, fresh, unique, trust, alone; stipend: days, alone; work, governance: points
	Value  int64
	From   int64  // what it was; set by the counter
	Source string // where anybody can see that it is so, one line; all members read it
}

// DecideAppeal answers an appeal about a fact. Upholding it enters the
// corrections and has the statement computed again, from the facts as they
// stand now and the judges' recorded answers, and opens a new window to contest
// it; dismissing it leaves the statement as it is, and the member can go to a
// panel. Nobody decides their own appeal (ErrOwnAppeal), and none is decided
// twice (desk.ErrState). If the computation is interrupted the period cannot be
// settled before Close has finished it.
func (d *Docket) DecideAppeal(ctx context.Context, steward coop.MemberID, id string, uphold bool, answer string, fixes ...Correction) (Appeal, error) {
	a, err := desk.Duty(ctx, d.desk, steward, coop.Appeals, func(tx *db.Tx) (Appeal, error) {
		return d.decide(tx, steward, id, uphold, answer, fixes)
	})
	if err == nil && a.State == Upheld {
		err = d.market.Publish(ctx, a.Period, steward)
	}
	return a, err
}

func (d *Docket) decide(tx *db.Tx, steward coop.MemberID, id string, uphold bool, answer string, fixes []Correction) (Appeal, error) {
	answer, err := prose(answer)
	if err != nil {
		return Appeal{}, err
	}
	a, err := getAppeal(tx, id)
	switch {
	case err != nil:
		return Appeal{}, err
	case a.State != Open || a.Tier != Fact:
		return Appeal{}, desk.ErrState
	case a.Member == steward:
		return Appeal{}, ErrOwnAppeal
	case !uphold && len(fixes) > 0:
		return Appeal{}, ErrCorrection
	}
	a.Answer, a.State, a.DecidedAt = answer, Dismissed, d.desk.Now()
	if uphold {
		a.State = Upheld
		if err := d.mend(tx, a, steward, fixes); err != nil {
			return Appeal{}, err
		}
		if err := d.market.Amend(tx, a.Period, steward, a.ID); err != nil {
			return Appeal{}, err
		}
	} else {
		a.Escalates = a.DecidedAt + Escalation.Milliseconds()
	}
	if err := answerAppeal(tx, a); err != nil {
		return Appeal{}, err
	}
	return a, errors.Join(d.desk.Note(tx, "appeal.decided", a.State,
		map[string]any{"appeal": a.ID, "period": string(a.Period), "steward": string(steward), "corrections": len(fixes)}),
		d.desk.Jobs.Tell(tx, coop.Notice{Kind: coop.NoticeAppealDecided, Ref: string(a.Period), Occasion: a.ID, Until: a.Escalates, To: []coop.Addressee{{Member: a.Member}}}))
}

// mend checks corrections against the evidence as it stands and keeps them.
func (d *Docket) mend(tx *db.Tx, a Appeal, steward coop.MemberID, fixes []Correction) error {
	if len(fixes) == 0 {
		return nil
	}
	ev, err := d.market.Evidence(tx, a.Period)
	if err != nil {
		return err
	}
	for _, f := range fixes {
		if !coop.Line(f.Source, 1, 200) {
			return ErrCorrection.With("source")
		}
		spots := figures(&ev, a.Member, f)
		if len(spots) == 0 || f.Value < 0 || f.Value > limits[f.Field] {
			return ErrCorrection.With(f.Kind + ": " + f.Field)
		}
		joined, err := d.basisOf(tx, &ev, a, f)
		if err != nil {
			return err
		}
		f.From = spots[0](f.Value)
		for _, set := range spots[1:] {
			set(f.Value)
		}
		if err := insertCorrection(tx, a, steward, f, d.desk.Now(), joined); err != nil {
			return err
		}
	}
	return nil
}

// limits are the largest values of figures that can be mended.
var limits = map[string]int64{"coverage": 1000, "fresh": 1000, "unique": 1000, "trust": 1000, fieldAlone: 1, "days": 3660, "points": 1_000_000}

// spot sets a figure and answers what it was.
type spot func(to int64) (was int64)

func number(at *int64) spot {
	return func(to int64) int64 {
		was := *at
		*at = to
		return was
	}
}

// alone is 1 where a dataset counts by itself, and 0 where it counts as one with
// others. A steward can take it out of a cluster and not put it into another; that
// decides for all of the member's data, see Apart.
func alone(cluster *string, repeats *bool) spot {
	return func(to int64) (was int64) {
		if *cluster == "" && !*repeats {
			was = 1
		}
		if to == 1 {
			*cluster, *repeats = "", false
		}
		return was
	}
}

// figures finds what a correction is about in evidence that is not blinded: of
// a dataset that several requests read, the figure of each reading.
func figures(ev *appraisal.Evidence, m coop.MemberID, f Correction) (out []spot) {
	who := string(m)
	add := func(mine bool, named map[string]spot) {
		if at := named[f.Field]; mine && at != nil {
			out = append(out, at)
		}
	}
	switch f.Kind {
	case appraisal.KindData:
		for i := range ev.Data {
			u := &ev.Data[i]
			add(u.Member == who && u.Dataset == f.Ref, map[string]spot{"coverage": number(&u.Coverage), "fresh": number(&u.Fresh),
				"unique": number(&u.Unique), "trust": number(&u.Trust), fieldAlone: alone(&u.Cluster, new(bool))})
		}
	case appraisal.KindStipend:
		for i := range ev.Available {
			v := &ev.Available[i]
			add(v.Member == who && v.Dataset == f.Ref, map[string]spot{"days": number(&v.Days), fieldAlone: alone(&v.Cluster, &v.Copy)})
		}
	case appraisal.KindWork:
		for i := range ev.Work {
			w := &ev.Work[i]
			add(w.Member == who && w.Contribution == f.Ref, map[string]spot{"points": number(&w.Points)})
		}
	case appraisal.KindGovernance:
		for i := range ev.Duties {
			v := &ev.Duties[i]
			add(v.Member == who && v.Kind+":"+v.Ref == f.Ref, map[string]spot{"points": number(&v.Points)})
		}
	}
	return out
}

// Correct enters what stewards have mended into a period's evidence, which is
// not blinded yet, in the order in which they did. Who counts as a person of their
// own is in it already; see Apart.
func (d *Docket) Correct(tx *db.Tx, id coop.PeriodID, ev *appraisal.Evidence) error {
	fixes, err := corrections(tx, id)
	if err != nil {
		return fmt.Errorf("appeals: correct: %w", err)
	}
	for _, f := range fixes {
		if f.person {
			continue
		}
		for _, set := range figures(ev, f.Member, f.Correction) {
			set(f.Value)
		}
	}
	return nil
}
