package marketplace

import (
	"testing"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appeals"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/appraisal/jury"
)

// An upheld appeal restores the free one, but not for the same money.
func TestAPanelAwardsADossierOnce(t *testing.T) {
	for name, members := range map[string]int{"a panel": 12, "too few for a panel": 3} {
		t.Run(name, func(t *testing.T) {
			h := story(t)
			all, _ := h.earned(members)
			work := h.worked(all[0])
			h.worked(all[1])
			h.judged(asked(func(appraisal.Task) (appraisal.Opinion, error) {
				return appraisal.Opinion{Scores: []appraisal.Score{{Dossier: h.dossier(work), Score: 0}}}, nil
			}))
			first := must[Appeal](t)(h.Appeal(h.ctx(), all[0], "P0001", "Look again.", about(work)))
			h.run()
			for _, m := range h.panel(first.ID) {
				h.answers(m, first.ID, 9)
			}
			if got := must[[]Appeal](t)(h.Appeals(h.ctx(), all[0]))[0]; got.State != AppealUpheld {
				t.Fatalf("%+v", got)
			}
			_, err := h.Appeal(h.ctx(), all[0], "P0001", "And once more.", about(work))
			h.refused(err, ErrAppealTwice)
			detour := must[Appeal](t)(h.Appeal(h.ctx(), all[0], "P0001", "It is a fact."))
			must[Appeal](t)(h.DecideAppeal(h.ctx(), h.dan, detour.ID, false, "It is none."))
			_, err = h.Escalate(h.ctx(), all[0], detour.ID, about(work))
			h.refused(err, ErrAppealTwice)
			h.clock.Advance(appeals.Escalation)
			h.adopted()
			r := must[jury.Record](t)(jury.Parse(must[[]byte](t)(h.Record(h.ctx(), "P0001"))))
			if len(r.Cases) != 1 || r.Cases[0].Award <= 0 || r.Cases[0].Award != r.Paid {
				t.Errorf("%d cases, %d paid", len(r.Cases), r.Paid)
			}
		})
	}
}

// All duties of a kind are one dossier, so naming another of them is no way
// to a second panel; another dossier is.
func TestADossierIsHeardOnceWhateverLineNamesIt(t *testing.T) {
	h := story(t)
	members, _ := h.earned(3)
	works := []coop.ContributionID{h.worked(members[0]), h.worked(members[1])} // ada and dan review both
	own := h.worked(h.bea)
	h.closed("P0001")
	duty := func(work coop.ContributionID) AppealLine {
		return AppealLine{Kind: appraisal.KindGovernance, Ref: "review:" + string(work)}
	}
	must[Appeal](t)(h.Appeal(h.ctx(), h.ada, "P0001", "I read it with care.", duty(works[0])))
	must[Appeal](t)(h.Appeal(h.ctx(), h.bea, "P0001", "It is long.", about(own)))
	h.ok(h.DB.Update(h.ctx(), func(tx *db.Tx) error { // as if panels had upheld them
		_, err := tx.Exec(`UPDATE marketplace_appeals SET state = 'upheld'`)
		return err
	}))
	err := h.DB.Update(h.ctx(), func(tx *db.Tx) error { // the tables hold no second case
		_, err := tx.Exec(`INSERT INTO appeals_cases (appeal, period, member, tier, state, kind, ref, paid, name, dossier, questions, roll, excluded, leaf, checkpoint, score, award)
			SELECT 'other', period, member, tier, state, kind, 'other', paid, name, dossier, questions, roll, excluded, leaf, checkpoint, score, award
			FROM appeals_cases WHERE kind = 'work' ON CONFLICT (appeal) DO NOTHING`)
		return err
	})
	if !db.IsUnique(err) {
		t.Errorf("a second case of a dossier: %v", err)
	}
	h.ok(h.DB.Update(h.ctx(), func(tx *db.Tx) error { // and are not what the refusal rests on
		_, err := tx.Exec(`DROP INDEX appeals_cases_once`)
		return err
	}))
	_, err = h.Appeal(h.ctx(), h.ada, "P0001", "This one too.", duty(works[1]))
	h.refused(err, ErrAppealTwice)
	_, err = h.Appeal(h.ctx(), h.bea, "P0001", "It is long.", about(own))
	h.refused(err, ErrAppealTwice)
}
