package marketplace

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/appraisal/llm"
)

// asked is a judge that answers what a test tells it to.
type asked func(appraisal.Task) (appraisal.Opinion, error)

func (a asked) Weigh(_ context.Context, t appraisal.Task) (appraisal.Opinion, error) { return a(t) }

// judged closes a period whose judge is j, through the queue.
func (h *house) judged(j appraisal.Judge) Published {
	h.t.Helper()
	h.Judge = j
	p := h.closed("P0001")
	if p.ChallengeEndsAt != 0 {
		h.t.Fatal("the statement is there before the judge was asked")
	}
	must[int](h.t)(h.queue.RunDue(h.ctx()))
	return h.statement("P0001")
}

// favour scores one dossier as high as can be and all others as low.
func favour(best string, t appraisal.Task) appraisal.Opinion {
	var op appraisal.Opinion
	for _, d := range t.Dossiers {
		score := int64(0)
		if d.ID == best {
			score = 1000
		}
		op.Scores = append(op.Scores, appraisal.Score{Dossier: d.ID, Score: score})
	}
	return op
}

func TestAJudgeMovesSharesInsideTheFence(t *testing.T) {
	h := story(t)
	members, _ := h.earned(4)
	h.worked(members[0])
	pub := h.judged(asked(func(task appraisal.Task) (appraisal.Opinion, error) {
		// Dossiers stand in the order of their pseudonyms. Only among several of one
		// kind can favour move anything, and there is one piece of work.
		best := slices.IndexFunc(task.Dossiers, func(d appraisal.Dossier) bool { return d.Kind == appraisal.KindData })
		return favour(task.Dossiers[best].ID, task), nil
	}))
	moved := int64(0)
	for _, share := range pub.Statement.Shares {
		if share.Amount < share.Floor || share.Amount > share.Ceil {
			t.Fatalf("%d is outside of %d to %d", share.Amount, share.Floor, share.Ceil)
		}
		if !strings.Contains(share.Sentence, "model") {
			t.Fatalf("the statement does not say what the model did: %q", share.Sentence)
		}
		moved += max(share.Moved, -share.Moved)
	}
	if !pub.Statement.Judged || moved == 0 {
		t.Fatal("the judge moved nothing")
	}
}

func TestTheBaselinePaysWithoutAUsableOpinion(t *testing.T) {
	for name, j := range map[string]asked{
		"a judge that cannot be heard": func(appraisal.Task) (appraisal.Opinion, error) {
			return appraisal.Opinion{}, errors.New("no answer")
		},
		"an opinion about somebody else": func(appraisal.Task) (appraisal.Opinion, error) {
			return appraisal.Opinion{Scores: []appraisal.Score{{Dossier: strings.Repeat("0", 32), Score: 900}}}, nil
		},
		"an opinion given twice": func(t appraisal.Task) (appraisal.Opinion, error) {
			op := favour("", t)
			return appraisal.Opinion{Scores: append(op.Scores, op.Scores...)}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := story(t)
			h.earned(3)
			if pub := h.judged(j); pub.Statement.Judged {
				t.Fatal("a useless opinion was heard")
			}
		})
	}
}

func TestAJudgeSeesNoMemberAndNoName(t *testing.T) {
	h := story(t)
	members, _ := h.earned(3)
	work := h.worked(members[0])
	h.judged(asked(func(task appraisal.Task) (appraisal.Opinion, error) {
		for _, d := range task.Dossiers {
			if strings.Contains(d.ID, string(work)) || slices.Contains(members, coop.MemberID(d.ID)) {
				t.Error("a dossier carries an id of the house")
			}
		}
		if len(task.Exhibits) != 1 {
			t.Errorf("%d exhibits", len(task.Exhibits))
		}
		return appraisal.Opinion{}, nil
	}))
}

func TestAModelBehindHTTPJudgesARealPeriod(t *testing.T) {
	h := story(t)
	members, _ := h.earned(4)
	h.worked(members[1])
	model := testkit.NewModel(t)
	judge, err := llm.New(llm.Config{Families: []llm.Family{{Name: "scripted", BaseURL: model.BaseURL, Model: "m"}},
		Seed: llm.NewSecret("sixteen bytes or more")})
	h.ok(err)
	pub := h.judged(judge)
	if !pub.Statement.Judged || pub.Statement.OpinionSHA256 == "" {
		t.Fatalf("no opinion was heard: %q", pub.Statement.Sentences)
	}
	h.ok(appraisal.Verify(pub.Bundle))
}

func TestAnUpheldAppealAsksNoModelAgain(t *testing.T) {
	h := story(t)
	members, _ := h.earned(3)
	calls := 0
	h.judged(asked(func(appraisal.Task) (appraisal.Opinion, error) { calls++; return appraisal.Opinion{}, nil }))
	a := must[Appeal](t)(h.Appeal(h.ctx(), members[0], "P0001", "The facts are wrong."))
	must[Appeal](t)(h.DecideAppeal(h.ctx(), h.dan, a.ID, true, "They were."))
	must[int](t)(h.queue.RunDue(h.ctx()))
	if p := h.statement("P0001").Period; calls != 1 || p.ChallengeEndsAt == 0 {
		t.Fatalf("asked %d times, challenge ends %d", calls, p.ChallengeEndsAt)
	}
}
