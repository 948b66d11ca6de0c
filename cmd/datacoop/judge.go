package main

import (
	"context"
	"encoding/hex"
	"path/filepath"

	"distributed.ai/datacoop/cmd/datacoop/treasury"
	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/appraisal/llm"
)

// judge sets up the models that the charter names. Without any there is none,
// and the baseline pays. A model's key is read from DATACOOP_JUDGE_KEY_FAMILY;
// what was asked and answered is kept in the data directory's "judge" folder.
func (a *app) judge() (appraisal.Judge, error) {
	if len(a.Charter.Judges) == 0 {
		return nil, nil
	}
	folder, err := llm.OpenFolder(filepath.Join(a.Data, "judge"))
	if err != nil {
		return nil, err
	}
	a.closers = append(a.closers, folder.Close)
	config := llm.Config{AllowRemote: a.Charter.RemoteJudges, Seed: llm.NewSecret(hex.EncodeToString(a.Keys.ReceiptSeed)),
		Recorder: folder, Commit: a.commitJudge, Logger: a.Logger}
	for _, m := range a.Charter.Judges {
		config.Families = append(config.Families, treasury.Family(m))
	}
	judge, err := llm.New(config)
	if err != nil {
		return nil, err
	}
	return judge, nil
}

// commitJudge logs what is going to be asked before the first question, so
// that nobody shops for answers.
func (a *app) commitJudge(ctx context.Context, p llm.Plan) error {
	return a.db.Update(ctx, func(tx *db.Tx) error {
		_, err := a.log.Append(tx, audit.Event{Kind: "judge.committed", Verdict: "asking",
			Record: map[string]any{"commitment": p.Commitment, "run": p.Run, "dossiers": p.Dossiers}})
		return err
	})
}
