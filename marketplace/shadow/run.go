package shadow

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/appraisal/learning"
	"distributed.ai/datacoop/marketplace/desk"
	"distributed.ai/datacoop/marketplace/veil"
)

// patience is how long a run is tried, from the first time it failed, before it
// is given up.
const patience = 48 * time.Hour

// The states of a run.
const (
	runDue    = "due"
	runDone   = "done"
	runFailed = "failed"
)

// kept is a run as it is stored.
type kept struct {
	Candidate string
	Period    coop.PeriodID
	State     string
	Note      string
	Tries     int
	Run       []byte
	At        int64 // when it ended; of a run that is due, when it first failed
}

// run puts a period before a candidate. What went wrong is tried again, by the
// queue, until it is given up; the period then does not count for the candidate.
func (w *Workshop) run(ctx context.Context, payload []byte) error {
	var j job
	if err := json.Unmarshal(payload, &j); err != nil {
		return fmt.Errorf("shadow: run: %w", err)
	}
	var c Candidate
	k := kept{Candidate: j.Candidate, Period: j.Period, State: runDue}
	err := w.desk.DB.View(ctx, func(tx *db.Tx) (err error) {
		if c, err = getCandidate(tx, j.Candidate); err != nil {
			return err
		}
		k, err = getRun(tx, k)
		return err
	})
	if err != nil || c.State != Running || k.State != runDue {
		return err
	}
	out, failed := w.shadow(ctx, c, j.Period)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	now := w.desk.Now()
	if k.Tries == 0 {
		k.At = now
	}
	if k.Tries++; failed == nil {
		k.State = runDone
		if k.Run, err = encode(out); err != nil {
			return err
		}
	} else if k.Note = "The candidate could not be asked."; now-k.At >= patience.Milliseconds() {
		k.State = runFailed
	}
	if k.State != runDue {
		k.At = now
	}
	err = w.desk.DB.Update(ctx, func(tx *db.Tx) error {
		if err := putRun(tx, k); err != nil || k.State == runDue {
			return err
		}
		_, err := w.desk.Log.Append(tx, audit.Event{Kind: "shadow.ran", Revision: coop.Digest(k.Run), Verdict: k.State,
			Record: map[string]any{"candidate": c.ID, "period": string(j.Period)}})
		return err
	})
	if err == nil && k.State == runDue {
		err = failed // the queue tries again
	}
	return err
}

// shadow asks a candidate what the judge in force was asked.
func (w *Workshop) shadow(ctx context.Context, c Candidate, id coop.PeriodID) (Run, error) {
	var b appraisal.Bundle
	var names veil.Names
	var form Form
	out := Run{Candidate: c.SHA256, Period: id}
	err := w.desk.DB.View(ctx, func(tx *db.Tx) error {
		contest, err := w.market.Contest(tx, id)
		if err != nil {
			return err
		}
		out.BundleSHA256 = coop.Digest(contest.Bundle)
		if b, err = appraisal.ParseBundle(contest.Bundle); err != nil {
			return err
		}
		ev, err := w.market.Evidence(tx, id)
		if err != nil {
			return err
		}
		_, names = veil.Blind(ev, contest.Key)
		if form, err = w.inForce(tx, w.desk.Now()); err != nil {
			return err
		}
		out.InForce, err = w.standing(tx, w.desk.Now())
		return err
	})
	if err != nil {
		return Run{}, err
	}
	if b.Opinion == nil {
		return Run{}, fmt.Errorf("shadow: no judge was heard about %s", id)
	}
	judge, err := w.judge(form)
	if err != nil {
		return Run{}, err
	}
	attacked, err := w.attack(ctx, judge, id, b.Params, form.Rubric)
	if err != nil {
		return Run{}, err
	}
	out.Incumbent, out.Before = scoresOf(*b.Opinion), attacked.count(nil)
	if c.Form.Learned {
		out.Challenger = scoresOf(b.Opinion.Reweigh(b.Evidence, c.Form.Reliability))
		out.After = attacked.count(c.Form.Reliability)
		return out, nil
	}
	return out, w.challenge(ctx, c.Form.Over(form.Candidate), b, names, &out)
}

// challenge asks other judges, or asks them otherwise.
func (w *Workshop) challenge(ctx context.Context, c coop.Candidate, b appraisal.Bundle, n veil.Names, out *Run) error {
	params := b.Params
	params.Reliability = nil
	judge, err := w.make(c)
	if err != nil {
		return err
	}
	task, err := w.task(ctx, b.Evidence, n, params, c.Rubric)
	if err != nil {
		return err
	}
	op, err := ask(ctx, judge, task, b.Evidence, params)
	if err != nil {
		return err
	}
	attacked, err := w.attack(ctx, judge, out.Period, params, c.Rubric)
	if err != nil {
		return err
	}
	out.Challenger, out.Trace, out.After = scoresOf(op), op.Trace, attacked.count(nil)
	return nil
}

func scoresOf(op appraisal.Opinion) Scores {
	out := Scores{}
	for _, s := range op.Scores {
		out[s.Dossier] = s.Counts()
	}
	return out
}

//go:embed attacks.json
var attacksText []byte

// attacks are a weak text, and by family sentences that try to steer whoever
// weighs it.
var attacks = func() (out struct {
	Weak     string
	Families map[string][]string
}) {
	if err := json.Unmarshal(attacksText, &out); err != nil {
		panic(err) // it is part of the program
	}
	return out
}()

// twins are what a judge made of weak texts, each without and with an attempt to
// steer.
type twins struct {
	ev       appraisal.Evidence
	opinion  appraisal.Opinion
	dossiers map[string][][2]string // by family: the plain one, and the one that steers
}

// attack puts weak texts before a judge, each twice. They are made up, so nobody
// is paid by them.
func (w *Workshop) attack(ctx context.Context, judge appraisal.Judge, id coop.PeriodID, p appraisal.Params, rubric string) (twins, error) {
	out := twins{dossiers: map[string][][2]string{}}
	out.ev = appraisal.Evidence{Period: string(id), Currency: string(w.desk.Charter.Currency), Salt: w.salt(id)}
	exhibits, n := []appraisal.Exhibit{}, 0
	add := func(text string) string {
		n++
		work := "w" + strconv.Itoa(n)
		dossier := appraisal.DossierID(out.ev.Salt, appraisal.KindWork, work)
		out.ev.Work = append(out.ev.Work, appraisal.Work{Contribution: work, Member: "m" + strconv.Itoa(n), Kind: "document", Grade: appraisal.GradePeer, Points: 1})
		exhibits = append(exhibits, appraisal.NewExhibit(dossier, text))
		return dossier
	}
	for _, family := range slices.Sorted(maps.Keys(attacks.Families)) {
		for _, sentence := range attacks.Families[family] {
			out.dossiers[family] = append(out.dossiers[family], [2]string{add(attacks.Weak), add(attacks.Weak + " " + sentence)})
		}
	}
	task, err := appraisal.NewTask(out.ev, p, rubric, exhibits)
	if err != nil {
		return twins{}, fmt.Errorf("shadow: attacks: %w", err)
	}
	out.opinion, err = ask(ctx, judge, task, out.ev, p)
	return out, err
}

// count counts the attempts that raised a score, by family; with weights as
// these would have joined the same voices.
func (t twins) count(weights []appraisal.Reliability) learning.Attacks {
	op := t.opinion
	if weights != nil {
		op = op.Reweigh(t.ev, weights)
	}
	scores, out := scoresOf(op), learning.Attacks{}
	for family, pairs := range t.dossiers {
		tries := learning.Tries{Tried: len(pairs)}
		for _, pair := range pairs {
			if scores[pair[1]] > scores[pair[0]] {
				tries.Succeeded++
			}
		}
		out[family] = tries
	}
	return out
}

// decoded reads a stored run.
func (k kept) decoded() (Run, error) {
	var out Run
	err := json.Unmarshal(k.Run, &out)
	return out, desk.Failed("run", err)
}
