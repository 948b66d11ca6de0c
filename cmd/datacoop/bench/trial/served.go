package trial

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"

	"distributed.ai/datacoop/marketplace/appraisal/fakellm"
	"distributed.ai/datacoop/marketplace/appraisal/llm"
)

// served plays a sample over HTTP, and lets an operator try for better answers.
func served(ctx context.Context, o Options) ([]Figure, error) {
	n, differ := max(2, o.Seeds/20), 0
	for i := range n {
		w := NewWorld(uint64(i), 8, 8)
		panel := Each(3, func(f int) []fakellm.Mood {
			return []fakellm.Mood{fakellm.Noisy(f, tenPercent), fakellm.Misreading(f, tenPercent), fakellm.Swayed("all", weakness, true)}
		})
		inside, err := w.Weigh(ctx, "served", panel)
		if err != nil {
			return nil, err
		}
		outside, err := w.WeighServed(ctx, "served", panel)
		if err != nil {
			return nil, err
		}
		if (inside == nil) != (outside == nil) || inside != nil && !sameScores(inside, outside) {
			differ++
		}
	}
	calls, opinions, err := reruns(ctx, o, max(2, o.Seeds/20))
	return []Figure{
		None("served_differs_from_in_process", differ, n, "periods whose scores came out otherwise over HTTP, eight questions at a time, than in this process, one at a time"),
		None("operator_rerun_calls", calls, n, "questions asked again when an operator has a weighed period weighed once more"),
		None("operator_rerun_opinions", opinions, n, "other opinions that this gave, or that its record does not replay to"),
	}, err
}

// reruns weighs periods twice with one recorder.
func reruns(ctx context.Context, o Options, n int) (calls, opinions int, err error) {
	folder, err := llm.OpenFolder(filepath.Join(o.Dir, "records"))
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = folder.Close() }() // it is removed with the directory
	for i := range n {
		w := NewWorld(uint64(i), 6, 6)
		var turn atomic.Int64
		m := &fakellm.Model{Table: w.Table, Moods: []fakellm.Mood{func(t *fakellm.Turn) {
			fakellm.Noisy(int(turn.Add(1)), asMeasured)(t) // another answer to the same question
		}}}
		c := w.config("rerun")
		c.Transport, c.Recorder, c.Families = m, folder, []llm.Family{family(0, "http://127.0.0.1:1/v1")}
		judge, err := llm.New(c)
		if err != nil {
			return 0, 0, err
		}
		task, err := w.Task()
		if err != nil {
			return 0, 0, err
		}
		first, err := judge.Weigh(ctx, task)
		if err != nil {
			return 0, 0, fmt.Errorf("a family that errs a little was not heard: %w", err)
		}
		asked := m.Asked()
		second, err := judge.Weigh(ctx, task)
		if err != nil {
			return 0, 0, err
		}
		calls += m.Asked() - asked
		record, err := folder.Record(first.Trace)
		if err != nil && !os.IsNotExist(err) {
			return 0, 0, err
		}
		replayed, err := llm.Audit(record, task)
		if err != nil || !sameScores(&first, &second) || first.Trace != second.Trace || !sameScores(&first, &replayed) {
			opinions++
		}
	}
	return calls, opinions, nil
}
