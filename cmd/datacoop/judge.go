package main

import (
	"context"
	"encoding/hex"
	"path/filepath"

	"distributed.ai/datacoop/cmd/datacoop/treasury"
	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/appraisal/llm"
)

// judges sets up the models that the charter names, and what sets up those of
// candidates. Without any there is no judge, and the baseline pays. A model's key
// is read from DATACOOP_JUDGE_KEY_FAMILY; what was asked and answered is kept in
// the data directory's "judge" folder.
func (a *app) judges() (appraisal.Judge, shadow, error) {
	if len(a.Charter.Judges) == 0 {
		return nil, nil, nil
	}
	folder, err := llm.OpenFolder(filepath.Join(a.Data, "judge"))
	if err != nil {
		return nil, nil, err
	}
	a.closers = append(a.closers, folder.Close)
	models := treasury.Models{Charter: a.Charter, Seed: llm.NewSecret(hex.EncodeToString(a.Keys.ReceiptSeed)), Recorder: folder, Commit: a.commitJudge, Logger: a.Logger}
	judge, err := models.Make(a.Charter.Candidate())
	return judge, models.Make, err
}

// shadow sets up the judge of a candidate.
type shadow = func(coop.Candidate) (appraisal.Judge, error)

// commitJudge logs what is going to be asked before the first question, so
// that nobody shops for answers.
func (a *app) commitJudge(ctx context.Context, p llm.Plan) error {
	return a.db.Update(ctx, func(tx *db.Tx) error {
		_, err := a.log.Append(tx, audit.Event{Kind: "judge.committed", Verdict: "asking",
			Record: map[string]any{"commitment": p.Commitment, "run": p.Run, "dossiers": p.Dossiers}})
		return err
	})
}
