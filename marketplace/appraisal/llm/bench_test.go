package llm

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/marketplace/appraisal"
)

// wide is a period of n datasets, which is all that limits a judge's speed.
func wide(b *testing.B, n int) appraisal.Task {
	b.Helper()
	ev, p := period()
	ev.Data, ev.Work = nil, nil
	for i := range n {
		ev.Data = append(ev.Data, appraisal.DataUse{Request: "r1", Dataset: fmt.Sprintf("d%d", i), Member: fmt.Sprintf("m%d", i), Grade: "A",
			Coverage: int64(i % 1000), Fresh: int64(i % 999), Unique: 1000, Trust: 1000})
	}
	task, err := appraisal.NewTask(ev, p, "Data that are read.", nil)
	if err != nil {
		b.Fatal(err)
	}
	return task
}

// thinking is how long the scripted server takes for an answer, which is very
// little for a model.
const thinking = 20 * time.Millisecond

// BenchmarkWeigh and BenchmarkBareClient put the same questions to the same
// scripted server; their calls a second are to be compared.
func BenchmarkWeigh(b *testing.B) {
	task, calls := wide(b, 10_000), 0
	for b.Loop() {
		m := testkit.NewModel(b, testkit.Slow(thinking))
		c := configFor(m)
		folder, err := OpenFolder(b.TempDir())
		if err != nil {
			b.Fatal(err)
		}
		c.Recorder = folder
		if _, err := judge(b, c).Weigh(b.Context(), task); err != nil {
			b.Fatal(err)
		}
		calls += len(m.Turns())
	}
	b.ReportMetric(float64(calls)/b.Elapsed().Seconds(), "calls/s")
}

func BenchmarkBareClient(b *testing.B) {
	task := wide(b, 10_000)
	c := configFor(testkit.NewModel(b, testkit.Slow(thinking)))
	h, p, err := judge(b, c).prepare(task)
	if err != nil {
		b.Fatal(err)
	}
	r := newRunner(c.Families[0], newJournal(nil, h.run()), nil, 1)
	var bodies [][]byte
	for i, batch := range batchesOf(p.groups[0].subjects, p.batch) {
		for order := 1; order <= 2; order++ {
			name := fmt.Sprint(i, order)
			q := p.askJudge(r, p.groups[0], batch, order, p.aliases("f", name, batch), name)
			bodies = append(bodies, []byte(encode(q.request(formatSchema))))
		}
	}
	e := newEndpoint(c.Families[0], c)
	b.ResetTimer()
	for b.Loop() {
		var wg sync.WaitGroup
		work := make(chan []byte)
		for range c.Parallel {
			wg.Go(func() {
				for body := range work {
					resp, err := e.http.Post(c.Families[0].BaseURL+"/chat/completions", "application/json", bytes.NewReader(body))
					if err != nil || resp.StatusCode != http.StatusOK {
						b.Error(err)
						continue
					}
					_, _ = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
				}
			})
		}
		for _, body := range bodies {
			work <- body
		}
		close(work)
		wg.Wait()
	}
	b.ReportMetric(float64(len(bodies))*float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}
