package shadow

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/appraisal/learning"
	"distributed.ai/datacoop/marketplace/calibration"
	"distributed.ai/datacoop/marketplace/desk"
	"distributed.ai/datacoop/marketplace/veil"
)

// Form is what a candidate changes.
type Form struct {
	coop.Candidate
	Reliability []appraisal.Reliability `json:"reliability,omitempty"` // where weights are learned
	From        []Source                `json:"from,omitempty"`        // what they were learned from
}

// plain is a form without what makes no difference to whoever reads its texts:
// spaces, line breaks, characters that are not shown, and the case of letters.
// Names and addresses of judges stay as they are, because there it can be the
// difference between two.
func (f Form) plain() (string, error) {
	f.Rubric, f.Prompt = plain(f.Rubric), plain(f.Prompt)
	text, err := encode(f)
	return string(text), err
}

// tried refuses a form that reads like one of those entered before.
func (f Form) tried(ever []Candidate) error {
	own, err := f.plain()
	if err != nil {
		return err
	}
	for _, c := range ever {
		switch other, err := c.Form.plain(); {
		case err != nil:
			return err
		case other == own:
			return ErrTried.With("it is " + c.ID + ", " + c.Title)
		}
	}
	return nil
}

func plain(text string) string {
	shown := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, text)
	return strings.Join(strings.Fields(strings.ToLower(strings.ToUpper(shown))), " ")
}

// Candidate is judges, or a way of asking them, that is being tried.
type Candidate struct {
	ID        string
	Title     string
	Why       string
	Form      Form
	SHA256    string // of the form
	State     string
	EnteredAt int64
	author    coop.MemberID
}

// Entry is a candidate before it is entered; Form is TOML in a charter's keys,
// see coop.ParseCandidate.
type Entry struct {
	Title, Why string
	Form       []byte
}

// Limits of an entry, in characters.
const (
	longestTitle = 120
	longestWhy   = 4000
	longestForm  = 32 << 10
)

// Enter has a candidate run in shadow from the next statement on. It needs the
// office of treasury: a candidate is asked about members' dossiers, and costs.
// Faults: desk.ErrOffice, ErrWords, ErrForm with what is wrong as detail,
// ErrNoJudge, ErrFewPairs, ErrRuns, ErrTried.
func (w *Workshop) Enter(ctx context.Context, steward coop.MemberID, e Entry) (Candidate, error) {
	if !coop.Line(e.Title, 1, longestTitle) || !coop.Prose(e.Why, 1, longestWhy) {
		return Candidate{}, ErrWords
	}
	if len(e.Form) > longestForm {
		return Candidate{}, ErrForm.With("it is too long")
	}
	parsed, err := coop.ParseCandidate(e.Form)
	if err != nil {
		return Candidate{}, ErrForm.With(err.Error())
	}
	if err := w.desk.Needs(ctx, steward, coop.Treasury); err != nil {
		return Candidate{}, err
	}
	if w.market.Judge() == nil {
		return Candidate{}, ErrNoJudge
	}
	form := Form{Candidate: parsed}
	if parsed.Learned {
		if err := w.learn(ctx, &form); err != nil {
			return Candidate{}, err
		}
	} else if _, err := w.set(ctx, parsed); err != nil {
		return Candidate{}, ErrForm.With(err.Error())
	}
	text, err := encode(form)
	if err != nil {
		return Candidate{}, err
	}
	return desk.Duty(ctx, w.desk, steward, coop.Treasury, func(tx *db.Tx) (Candidate, error) {
		c := Candidate{ID: coop.NewID(), Title: e.Title, Why: e.Why, Form: form, SHA256: coop.Digest(text), State: Running, EnteredAt: w.desk.Now(), author: steward}
		list, err := running(tx)
		if err != nil {
			return Candidate{}, err
		}
		ever, err := allCandidates(tx)
		if err != nil {
			return Candidate{}, err
		}
		if err := form.tried(ever); err != nil {
			return Candidate{}, err
		}
		if len(list) >= mostRunning {
			return Candidate{}, ErrRuns
		}
		_, err = w.desk.Log.Append(tx, audit.Event{Kind: "shadow.entered", Revision: c.SHA256, Verdict: Running,
			Record: map[string]any{"candidate": c.ID, "steward": string(steward)}})
		if err != nil {
			return Candidate{}, fmt.Errorf("shadow: log: %w", err)
		}
		return c, insertCandidate(tx, c, string(text))
	})
}

// Withdraw ends a candidate that was not offered.
func (w *Workshop) Withdraw(ctx context.Context, steward coop.MemberID, id string) (Candidate, error) {
	return desk.Duty(ctx, w.desk, steward, coop.Treasury, func(tx *db.Tx) (Candidate, error) {
		c, err := getCandidate(tx, id)
		switch {
		case err != nil:
			return Candidate{}, err
		case c.State != Running:
			return Candidate{}, desk.ErrState
		}
		c.State = Withdrawn
		if err := setState(tx, c); err != nil {
			return Candidate{}, err
		}
		return c, w.desk.Note(tx, "shadow.withdrawn", Withdrawn, map[string]any{"candidate": id, "steward": string(steward)})
	})
}

// set makes the judge of a candidate laid over what is in force now.
func (w *Workshop) set(ctx context.Context, c coop.Candidate) (appraisal.Judge, error) {
	now, err := desk.Read(ctx, w.desk.DB, func(tx *db.Tx) (Form, error) { return w.inForce(tx, w.desk.Now()) })
	if err != nil {
		return nil, err
	}
	return w.make(c.Over(now.Candidate))
}

// inForce is what holds at a time (Unix ms): the charter's, and over it what
// members have adopted since. Learned weights are of certain families; they end
// when other judges come into force.
func (w *Workshop) inForce(tx *db.Tx, at int64) (Form, error) {
	out := Form{Candidate: w.desk.Charter.Candidate()}
	list, err := w.adopted(tx, at)
	if err != nil {
		return Form{}, err
	}
	for _, c := range list {
		out.Candidate = c.Form.Over(out.Candidate)
		if c.Form.Learned {
			out.Reliability, out.From = c.Form.Reliability, c.Form.From
		} else if len(c.Form.Judges) > 0 {
			out.Reliability, out.From = nil, nil
		}
	}
	return out, nil
}

// standing is the digest of what is in force at a time (Unix ms).
func (w *Workshop) standing(tx *db.Tx, at int64) (string, error) {
	f, err := w.inForce(tx, at)
	if err != nil {
		return "", err
	}
	text, err := encode(f)
	return coop.Digest(text), err
}

// Asked lists the models that are asked anything now: those in force, and those
// of candidates that run or were offered.
func (w *Workshop) Asked(ctx context.Context) ([]coop.Model, error) {
	return desk.Read(ctx, w.desk.DB, func(tx *db.Tx) ([]coop.Model, error) {
		now, err := w.inForce(tx, w.desk.Now())
		if err != nil {
			return nil, err
		}
		out := slices.Clone(now.Judges)
		for _, list := range []func(*db.Tx) ([]Candidate, error){running, offered} {
			some, err := list(tx)
			if err != nil {
				return nil, err
			}
			for _, c := range some {
				out = append(out, c.Form.Judges...)
			}
		}
		return out, nil
	})
}

// adopted lists the candidates in force at a time, in the order in which they
// came into force.
func (w *Workshop) adopted(tx *db.Tx, at int64) ([]Candidate, error) {
	list, err := offered(tx)
	if err != nil {
		return nil, err
	}
	since := map[string]int64{}
	out := []Candidate{}
	for _, c := range list {
		from, yes, err := w.booth.Effective(tx, coop.PeriodID(c.ID))
		if err != nil {
			return nil, err
		}
		if yes && from <= at {
			since[c.ID] = from
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b Candidate) int { return int(since[a.ID] - since[b.ID]) })
	return out, nil
}

// Reliability is how much each family counts in a period that closed at a time
// (Unix ms), as members adopted it before; nil is all alike.
func (w *Workshop) Reliability(ctx context.Context, closed int64) ([]appraisal.Reliability, error) {
	return desk.Read(ctx, w.desk.DB, func(tx *db.Tx) ([]appraisal.Reliability, error) {
		f, err := w.inForce(tx, closed)
		return f.Reliability, err
	})
}

// Weigh asks the judge in force when a period closed about its blinded evidence.
func (w *Workshop) Weigh(ctx context.Context, closed int64, ev appraisal.Evidence, n veil.Names, p appraisal.Params) (appraisal.Opinion, error) {
	form, err := desk.Read(ctx, w.desk.DB, func(tx *db.Tx) (Form, error) { return w.inForce(tx, closed) })
	if err != nil {
		return appraisal.Opinion{}, err
	}
	judge, err := w.judge(form)
	if err != nil {
		return appraisal.Opinion{}, err
	}
	task, err := w.task(ctx, ev, n, p, form.Rubric)
	if err != nil {
		return appraisal.Opinion{}, err
	}
	return ask(ctx, judge, task, ev, p)
}

// judge is the charter's, as long as members adopted no other.
func (w *Workshop) judge(f Form) (appraisal.Judge, error) {
	own := w.desk.Charter.Candidate()
	if slices.Equal(f.Judges, own.Judges) && f.Prompt == own.Prompt {
		return w.market.Judge(), nil
	}
	return w.make(f.Candidate)
}

func ask(ctx context.Context, judge appraisal.Judge, t appraisal.Task, ev appraisal.Evidence, p appraisal.Params) (appraisal.Opinion, error) {
	op, err := judge.Weigh(ctx, t)
	if err != nil {
		return appraisal.Opinion{}, fmt.Errorf("shadow: weigh: %w", err)
	}
	if _, err := appraisal.Close(ev, p, &op); err != nil {
		return appraisal.Opinion{}, fmt.Errorf("shadow: opinion: %w", err)
	}
	return op, nil
}

// task is what a judge is asked about blinded evidence, with the texts of its
// work.
func (w *Workshop) task(ctx context.Context, ev appraisal.Evidence, n veil.Names, p appraisal.Params, rubric string) (appraisal.Task, error) {
	exhibits := []appraisal.Exhibit{}
	seen := map[string]bool{}
	for _, one := range ev.Work {
		id := appraisal.DossierID(ev.Salt, appraisal.KindWork, one.Contribution)
		if seen[id] {
			continue
		}
		seen[id] = true
		c, err := w.desk.Governance.Contribution(ctx, coop.ContributionID(n.Resolve(one.Contribution)))
		if err != nil {
			return appraisal.Task{}, fmt.Errorf("shadow: exhibit: %w", err)
		}
		exhibits = append(exhibits, appraisal.NewExhibit(id, c.Title+"\n"+c.Text))
	}
	t, err := appraisal.NewTask(ev, p, rubric, exhibits)
	if err != nil {
		return appraisal.Task{}, fmt.Errorf("shadow: task: %w", err)
	}
	return t, nil
}

// learn computes how much each family counts from the open halves of all sealed
// sets, and what families said of their dossiers.
func (w *Workshop) learn(ctx context.Context, f *Form) error {
	return w.desk.DB.View(ctx, func(tx *db.Tx) error {
		halves, err := w.gauge.Halves(tx)
		if err != nil {
			return err
		}
		counts, pairs := map[string]learning.Agreement{}, 0
		for _, h := range halves {
			c, err := w.market.Contest(tx, h.Period)
			if err != nil {
				return err
			}
			b, err := appraisal.ParseBundle(c.Bundle)
			if err != nil {
				return fmt.Errorf("shadow: bundle: %w", err)
			}
			if n := tallyVoices(b, h.Open, counts); n > 0 {
				f.From = append(f.From, Source{Period: h.Period, Commitment: h.Commitment, Pairs: n})
				pairs += n
			}
		}
		if pairs < FewestPairs {
			return ErrFewPairs
		}
		families := []learning.Agreement{}
		for _, a := range counts {
			families = append(families, a)
		}
		f.Reliability = appraisal.Reliabilities(families)
		return nil
	})
}

// tallyVoices counts how often each family agreed with people on pairs drawn by
// lot, and how many pairs any family spoke about.
func tallyVoices(b appraisal.Bundle, pairs []learning.Pair, counts map[string]learning.Agreement) (n int) {
	said := map[string]map[string]int64{} // by dossier and family
	if b.Opinion == nil {
		return 0
	}
	for _, s := range b.Opinion.Scores {
		said[s.Dossier] = map[string]int64{}
		for _, v := range s.Voices {
			if v.Told {
				said[s.Dossier][v.Family] = v.Score
			}
		}
	}
	for _, p := range pairs {
		if p.Second == calibration.Middle {
			continue
		}
		heard := false
		for family, first := range said[p.First] {
			second, ok := said[p.Second][family]
			if !ok {
				continue
			}
			heard = true
			a := counts[family]
			a.Family, a.Pairs = family, a.Pairs+1
			if learning.Of(first, second) == p.Truth() {
				a.Agreed++
			}
			counts[family] = a
		}
		if heard {
			n++
		}
	}
	return n
}

// salt is for the pseudonyms of made-up dossiers.
func (w *Workshop) salt(id coop.PeriodID) string {
	return hex.EncodeToString(w.market.Secret("attacks/" + string(id)))
}
