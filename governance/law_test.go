package governance

import (
	"context"
	"errors"
	"strings"
	"testing"

	"distributed.ai/datacoop/policies"
)

func TestANewCoopStartsWithTheDefaultLaw(t *testing.T) {
	w := newWorld(t)
	want, err := policies.Compile(t.Context(), policies.Default())
	must(t, err)
	if got := w.Engine.Current().Hash(); got != want.Hash() {
		t.Errorf("in force %s, want %s", got, want.Hash())
	}
	if _, err := w.RevisionSource(t.Context(), want.Hash()); err != nil {
		t.Errorf("its source is not kept: %v", err)
	}
	w.restart()
	must(t, w.LoadLaw(t.Context()))
	if laws, err := w.Revisions(t.Context(), 0, 10); err != nil || len(laws) != 1 {
		t.Errorf("after a restart there are %d laws, %v", len(laws), err)
	}
}

func TestTheLastLawIsInForceAfterARestart(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(4)
	p := w.enact(narrower("no-companies"), ids...)
	w.restart()
	if w.Engine.Current() != nil {
		t.Fatal("a new engine has law before it was loaded")
	}
	must(t, w.LoadLaw(t.Context()))
	if got := w.Engine.Current().Hash(); got != p.Revision {
		t.Errorf("in force %s, want %s", got, p.Revision)
	}
}

func TestALawThatCannotBeReadRefusesEverything(t *testing.T) {
	w := newWorld(t)
	nonsense, wider := "nonsense", "package coop.decision"
	for name, damage := range map[string][]string{
		"another text":   {`UPDATE governance_laws SET source = 'x'`},
		"no text":        {`DELETE FROM governance_laws`},
		"no policy":      breakLaw(nonsense),
		"a wider policy": breakLaw(wider),
	} {
		must(t, w.LoadLaw(t.Context()))
		w.imagine(func(ctx context.Context) {
			if err := w.LoadLaw(ctx); err == nil {
				t.Errorf("%s: loading it was no error", name)
			}
			if _, err := w.Verify(ctx); err == nil {
				t.Errorf("%s: verify did not notice", name)
			}
		}, damage...)
		if w.Engine.Current() != nil {
			t.Errorf("%s: the engine is not sealed", name)
		}
		out, _, err := w.Engine.Decide(t.Context(), policies.Input{})
		if out.Allow || !errors.Is(err, policies.ErrSealed) {
			t.Errorf("%s: allow %v, %v", name, out.Allow, err)
		}
	}
}

// breakLaw replaces the text in force and its digest alike.
func breakLaw(source string) []string {
	return []string{
		`UPDATE governance_laws SET source = '` + source + `'`,
		`UPDATE governance_enactments SET source_sha256 = '` + sha256Hex([]byte(source)) + `'`,
	}
}

func TestALawIsRecordedAgainUnderANewBase(t *testing.T) {
	w := newWorld(t)
	p := w.enact(narrower("no-companies"), w.joinMany(4)...)
	// As if an older program, with another base law, had enacted it.
	older := strings.Repeat("0", 64)
	w.tamper(`UPDATE governance_enactments SET revision = ? WHERE revision = ?`, older, p.Revision)
	w.tamper(`UPDATE governance_laws SET revision = ? WHERE revision = ?`, older, p.Revision)
	w.restart()
	must(t, w.LoadLaw(t.Context()))
	laws, err := w.Revisions(t.Context(), 0, 10)
	must(t, err)
	if len(laws) != 3 || laws[0].Revision != p.Revision || laws[0].Proposal != p.ID || laws[1].Revision != older {
		t.Errorf("laws: %+v", laws)
	}
	if _, err := w.RevisionSource(t.Context(), p.Revision); err != nil {
		t.Errorf("the source under the new base is not kept: %v", err)
	}
}

func TestVerifyNoticesWhatWasChanged(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(5)
	p := w.propose(ids[0], narrower("no-companies"))
	w.vote(p, Yes, ids[:4]...)
	w.vote(p, No, ids[4])
	w.pass(week)
	w.pass(pause)
	_, err := w.Verify(t.Context())
	must(t, err)
	for name, damage := range map[string]string{
		"a ballot turned":       `UPDATE governance_ballots SET choice = 'yes' WHERE choice = 'no'`,
		"a ballot removed":      `DELETE FROM governance_ballots WHERE choice = 'no'`,
		"a ballot stuffed":      `INSERT INTO governance_ballots SELECT id, '` + strings.Repeat("0", 64) + `', 'yes', 0 FROM governance_proposals`,
		"a voter added":         `INSERT INTO governance_roll SELECT id, 'x', 1 FROM governance_proposals`,
		"a voter removed":       `DELETE FROM governance_roll WHERE member = (SELECT MAX(member) FROM governance_roll)`,
		"a tally changed":       `UPDATE governance_proposals SET yes_count = yes_count + 1`,
		"an outcome changed":    `UPDATE governance_proposals SET state = 'rejected'`,
		"a law without a vote":  `UPDATE governance_enactments SET proposal = 'x' WHERE seq = 2`,
		"a law left out":        `DELETE FROM governance_enactments WHERE seq = 1`,
		"a law's text changed":  `UPDATE governance_laws SET source = 'x'`,
		"a law's archive":       `UPDATE governance_laws SET archive = '{}'`,
		"a proposal's text":     `UPDATE governance_proposals SET source = 'x'`,
		"thresholds afterwards": `UPDATE governance_proposals SET support_permille = 900`,
	} {
		w.imagine(func(ctx context.Context) {
			if _, err := w.Verify(ctx); err == nil {
				t.Errorf("verify did not notice %s", name)
			}
		}, damage)
	}
}

// A machine that is short of memory for a moment takes no vote back.
func TestALawThatCouldNotBeTriedAgainWaitsAndIsNotVoid(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(4)
	p := w.propose(ids[0], narrower("no-companies"))
	w.vote(p, Yes, ids...)
	w.pass(week)
	w.clock.Advance(pause)
	gate := w.Service.Gate
	w.Service.Gate = func(context.Context, []byte, []byte) ([]byte, policies.Report, error) {
		return nil, policies.Report{}, ErrUntried
	}
	if _, err := w.queue.RunDue(t.Context()); !errors.Is(err, ErrUntried) {
		t.Errorf("not tried is no failure: %v", err)
	}
	if _, err := w.Propose(t.Context(), ids[1], Draft{Title: "Another", Text: "Why not.", Source: narrower("no-others")}); !errors.Is(err, ErrUntried) {
		t.Errorf("proposed untried: %v", err)
	}
	if got := w.state(p.ID).State; got != Passed {
		t.Errorf("state %s", got)
	}
	w.Service.Gate = gate
	must(t, w.Service.enact(t.Context(), p.ID))
	if got := w.state(p.ID); got.State != Enacted || w.Engine.Current().Hash() != got.Revision {
		t.Errorf("tried again: %s", got.State)
	}
}

func TestALawIsInForceOnlyOnceItIsStored(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(4)
	before := w.Engine.Current().Hash()
	p := w.propose(ids[0], narrower("no-companies"))
	w.vote(p, Yes, ids...)
	w.pass(week)
	w.clock.Advance(pause)
	w.tamper(`ALTER TABLE governance_laws RENAME TO governance_lost`)
	if _, err := w.queue.RunDue(t.Context()); err == nil {
		t.Error("a law that cannot be stored is no failure")
	}
	if got := w.state(p.ID).State; got != Passed || w.Engine.Current().Hash() != before {
		t.Errorf("state %s, and the engine took the law", got)
	}
	w.tamper(`ALTER TABLE governance_lost RENAME TO governance_laws`)
	must(t, w.Service.enact(t.Context(), p.ID))
	if got := w.state(p.ID); got.State != Enacted || w.Engine.Current().Hash() != got.Revision {
		t.Errorf("tried again: %s", got.State)
	}
}
