package shadow

import (
	"context"
	"encoding/json"
	"errors"
	"math"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/adoption"
	"distributed.ai/datacoop/marketplace/appraisal/learning"
	"distributed.ai/datacoop/marketplace/desk"
)

// View is a candidate as members may read it.
type View struct {
	Candidate
	Runs       []RunView
	Answer     string // of its comparison; "" before there is one
	Comparison []byte // the document
	Verdict    learning.Verdict
	Vote       *adoption.Vote // nil before it is offered
	Voted      bool
	InForce    int64 // since when, or from when (Unix ms); 0 if it was not adopted
}

// RunView says how a run went, and nothing of what it found before there is a
// comparison.
type RunView struct {
	Period coop.PeriodID
	State  string
	Note   string
}

// Candidates lists all candidates as a member sees them, newest first.
func (w *Workshop) Candidates(ctx context.Context, m coop.MemberID) ([]View, error) {
	return desk.Read(ctx, w.desk.DB, func(tx *db.Tx) ([]View, error) {
		list, err := allCandidates(tx)
		out := make([]View, len(list))
		for i, c := range list {
			if err == nil {
				out[i], err = w.view(tx, m, c)
			}
		}
		return out, err
	})
}

// CandidateOf finds one candidate as a member sees it.
func (w *Workshop) CandidateOf(ctx context.Context, m coop.MemberID, id string) (View, error) {
	return desk.Read(ctx, w.desk.DB, func(tx *db.Tx) (View, error) {
		c, err := getCandidate(tx, id)
		if err != nil {
			return View{}, err
		}
		return w.view(tx, m, c)
	})
}

func (w *Workshop) view(tx *db.Tx, m coop.MemberID, c Candidate) (View, error) {
	out := View{Candidate: c, Runs: []RunView{}}
	list, err := listRuns(tx, c.ID)
	if err != nil {
		return View{}, err
	}
	for _, k := range list {
		out.Runs = append(out.Runs, RunView{k.Period, k.State, k.Note})
	}
	out.Comparison, out.Answer, err = getComparison(tx, c.ID)
	if err == nil {
		var read Comparison
		if err := json.Unmarshal(out.Comparison, &read); err != nil {
			return View{}, desk.Failed("comparison", err)
		}
		out.Verdict = read.Verdict
	} else if !errors.Is(err, desk.ErrNotFound) {
		return View{}, err
	}
	vote, voted, err := w.booth.Vote(tx, m, coop.PeriodID(c.ID))
	if errors.Is(err, desk.ErrNotFound) {
		return out, nil
	}
	out.Vote, out.Voted = &vote, voted
	if err != nil {
		return View{}, err
	}
	from, adopted, err := w.booth.Effective(tx, coop.PeriodID(c.ID))
	if adopted {
		out.InForce = from
	}
	return out, err
}

// Offer puts a candidate to the vote of everybody who is a member then. Faults:
// ErrNotBetter unless its newest comparison says that it is better than what is
// in force, or will be; desk.ErrState where it does not run any more or another
// candidate is voted on.
func (w *Workshop) Offer(ctx context.Context, m coop.MemberID, id string) (View, error) {
	return desk.Write(ctx, w.desk.DB, func(tx *db.Tx) (View, error) {
		c, err := getCandidate(tx, id)
		if err != nil {
			return View{}, err
		}
		if c.State != Running {
			return View{}, desk.ErrState
		}
		if err := w.ripe(tx, m, id); err != nil {
			return View{}, err
		}
		c.State = Offered
		if err := setState(tx, c); err != nil {
			return View{}, err
		}
		if err := w.booth.Await(tx, coop.PeriodID(id), w.desk.Now()); err != nil {
			return View{}, err
		}
		if err := w.desk.Note(tx, "shadow.offered", Offered, map[string]any{"candidate": id, "member": string(m)}); err != nil {
			return View{}, err
		}
		return w.view(tx, m, c)
	})
}

// ripe refuses to offer what is not proven against what will be in force once
// everything adopted so far is, or what would be voted on beside another.
func (w *Workshop) ripe(tx *db.Tx, m coop.MemberID, id string) error {
	text, answer, err := getComparison(tx, id)
	if err != nil && !errors.Is(err, desk.ErrNotFound) {
		return err
	}
	if answer != learning.Better {
		return ErrNotBetter
	}
	var given Comparison
	if err := json.Unmarshal(text, &given); err != nil {
		return desk.Failed("comparison", err)
	}
	switch now, err := w.standing(tx, math.MaxInt64); {
	case err != nil:
		return err
	case now != given.InForce:
		return ErrNotBetter.With("it was compared with what is being replaced, or was")
	}
	others, err := offered(tx)
	if err != nil {
		return err
	}
	for _, o := range others {
		vote, _, err := w.booth.Vote(tx, m, coop.PeriodID(o.ID))
		if err != nil {
			return err
		}
		if vote.State == adoption.Waiting || vote.State == adoption.Voting {
			return desk.ErrState.With("another candidate is voted on")
		}
	}
	return nil
}

// CastCandidate takes a member's one ballot on a candidate and answers the
// receipt that finds it among those counted.
func (w *Workshop) CastCandidate(ctx context.Context, m coop.MemberID, id, choice string) (receipt string, err error) {
	return w.booth.CastAdoption(ctx, m, coop.PeriodID(id), choice)
}

// CandidateBallots lists the ballots on a candidate once they are counted.
func (w *Workshop) CandidateBallots(ctx context.Context, id string) ([]adoption.Ballot, error) {
	return w.booth.AdoptionBallots(ctx, coop.PeriodID(id))
}

// CandidatesDue lists the candidates whose vote waits for a member's ballot.
func (w *Workshop) CandidatesDue(ctx context.Context, m coop.MemberID) ([]View, error) {
	votes, err := w.booth.AdoptionDue(ctx, m)
	if err != nil {
		return nil, err
	}
	out := make([]View, 0, len(votes))
	for _, v := range votes {
		one, err := w.CandidateOf(ctx, m, string(v.Period))
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}
