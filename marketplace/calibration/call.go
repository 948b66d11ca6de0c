package calibration

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/appraisal/checklist"
	"distributed.ai/datacoop/marketplace/appraisal/spotcheck"
	"distributed.ai/datacoop/marketplace/desk"
)

// set is a period's row.
type set struct {
	Period     coop.PeriodID
	State      string
	Call       spotcheck.Call
	Leaf       int64
	Checkpoint string
	Pairs      int
	Why        string
	record     []byte
	open       []byte
	holdout    []byte
	commitment string
	asked      int64
	sealed     int64
	sealedLeaf int64
	disclosed  int64

	seals          *spotcheck.Seals // of the rolls; nil before, and of a set with one roll for all pairs
	seatLeaf       int64
	seatCheckpoint string
}

// scene is what a draw is made from, read outside of any write.
type scene struct {
	bundle   appraisal.Bundle
	digest   string
	key      []byte
	members  []coop.MemberID
	interest map[string]map[coop.MemberID]string // by dossier; why, see spotcheck.Reasons
	works    map[string]string                   // contribution by dossier
}

// nameOf is a member's pseudonym in one spot check, and in no other.
func nameOf(key []byte, id coop.PeriodID, p spotcheck.Pair, m coop.MemberID) string {
	return appraisal.Pseudonym(key, string(id), "panellist of "+p.First+" "+p.Second, string(m))
}

// look reads a period as it can be compared now.
func (s *Gauge) look(ctx context.Context, id coop.PeriodID) (out scene, err error) {
	var ev appraisal.Evidence
	err = s.desk.DB.View(ctx, func(tx *db.Tx) error {
		c, err := s.market.Contest(tx, id)
		if err != nil {
			return err
		}
		out.key, out.digest = c.Key, coop.Digest(c.Bundle)
		if out.bundle, err = appraisal.ParseBundle(c.Bundle); err != nil {
			return fmt.Errorf("calibration: bundle: %w", err)
		}
		ev, err = s.market.Evidence(tx, id)
		return err
	})
	if err != nil {
		return scene{}, err
	}
	out.interests(id, ev)
	for before := ""; ; {
		page, err := s.desk.Governance.Members(ctx, governance.Page{Before: before, Limit: 100})
		if err != nil {
			return scene{}, fmt.Errorf("calibration: members: %w", err)
		}
		for _, m := range page {
			out.members = append(out.members, m.ID)
		}
		if len(page) < 100 {
			return out, nil
		}
		before = string(page[len(page)-1].ID)
	}
}

// interests notes whose every dossier is, and who reviewed it.
func (v *scene) interests(id coop.PeriodID, ev appraisal.Evidence) {
	v.interest, v.works = map[string]map[coop.MemberID]string{}, map[string]string{}
	note := func(kind, ref, member, why string) string {
		dossier := appraisal.DossierID(ev.Salt, kind, ref)
		if v.interest[dossier] == nil {
			v.interest[dossier] = map[coop.MemberID]string{}
		}
		if v.interest[dossier][coop.MemberID(member)] != spotcheck.Own {
			v.interest[dossier][coop.MemberID(member)] = why
		}
		return dossier
	}
	name := func(kind, ref string) string { return appraisal.Pseudonym(v.key, string(id), kind, ref) }
	for _, u := range ev.Data {
		note(appraisal.KindData, name("dataset", u.Dataset), u.Member, spotcheck.Own)
	}
	for _, w := range ev.Work {
		v.works[note(appraisal.KindWork, name("contribution", w.Contribution), w.Member, spotcheck.Own)] = w.Contribution
	}
	for _, d := range ev.Duties {
		note(appraisal.KindGovernance, appraisal.DutyRef(name("member", d.Member), d.Kind), d.Member, spotcheck.Own)
		if d.Ref != "" { // a review is an interest in what was reviewed
			note(appraisal.KindWork, name("contribution", d.Ref), d.Member, spotcheck.Reviewed)
		}
	}
}

// why keeps a member from a pair; "" where nothing does.
func (v *scene) why(p spotcheck.Pair, m coop.MemberID) string {
	first, second := v.interest[p.First][m], v.interest[p.Second][m]
	if first == spotcheck.Own || second == spotcheck.Own {
		return spotcheck.Own
	}
	return cmp.Or(first, second)
}

// call fixes how many may be drawn and what can be compared.
func (s *Gauge) call(ctx context.Context, payload []byte) error {
	var j job
	if err := json.Unmarshal(payload, &j); err != nil {
		return fmt.Errorf("calibration: call: %w", err)
	}
	v, err := s.look(ctx, j.Period)
	if err != nil {
		return err
	}
	c := spotcheck.Call{BundleSHA256: v.digest, Members: len(v.members), Period: string(j.Period), Subjects: []spotcheck.Subject{}}
	for id := range v.interest {
		if d, ok := v.bundle.Dossier(id); ok {
			c.Subjects = append(c.Subjects, spotcheck.Subject{Dossier: id, Sheet: checklist.Name(d.Kind, d.Class)})
		}
	}
	slices.SortFunc(c.Subjects, func(a, b spotcheck.Subject) int { return cmp.Compare(a.Dossier, b.Dossier) })
	listed, err := json.Marshal(paired{Members: v.members}) // the rolls are of these, who joins meanwhile is on none
	if err != nil {
		return fmt.Errorf("calibration: roll: %w", err)
	}
	return s.desk.DB.Update(ctx, func(tx *db.Tx) error {
		if _, err := getSet(tx, j.Period); !errors.Is(err, desk.ErrNotFound) {
			return err
		}
		leaf, err := s.desk.Log.Append(tx, audit.Event{Kind: "calibration.called", Revision: c.SHA256(), Verdict: stateCalled,
			Record: map[string]any{"period": string(j.Period), "roll": c.Members, "dossiers": len(c.Subjects)}})
		if err != nil {
			return fmt.Errorf("calibration: log: %w", err)
		}
		if err := insertSet(tx, set{Period: j.Period, State: stateCalled, Call: c, Leaf: leaf}); err != nil {
			return err
		}
		if err := putRoll(tx, j.Period, listed); err != nil {
			return err
		}
		if err := s.discloseBefore(tx, j.Period); err != nil {
			return err
		}
		return s.later(tx, kindDraw, string(j.Period), j, s.desk.Clock())
	})
}
