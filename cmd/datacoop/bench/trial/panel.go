package trial

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/appraisal/fakellm"
	"distributed.ai/datacoop/marketplace/appraisal/llm"
)

// Panel is a committee of scripted families; each is a list of moods.
type Panel [][]fakellm.Mood

// Of is a panel of n families that all have these moods.
func Of(n int, moods ...fakellm.Mood) Panel {
	out := make(Panel, n)
	for i := range out {
		out[i] = moods
	}
	return out
}

// Each is a panel of n families with moods of their own.
func Each(n int, moods func(family int) []fakellm.Mood) Panel {
	out := make(Panel, n)
	for i := range out {
		out[i] = moods(i)
	}
	return out
}

// config asks families in this process, one question at a time, so that what
// comes out does not depend on the machine.
func (w *World) config(lot string) llm.Config {
	return llm.Config{Seed: llm.NewSecret(fmt.Sprintf("bench of judges %08d %s", w.Seed, lot)), MaxAttempts: 2, Parallel: 1, Canaries: w.Canaries,
		PerCall: time.Minute, Backoff: time.Nanosecond}
}

// Weigh puts the period before a panel: prompts, answers, parser, aggregation
// and canaries are those of the product, only the connection is left out. Lot
// seeds what is left to chance in asking. Without anybody to hear the opinion
// is nil, and the baseline pays.
func (w *World) Weigh(ctx context.Context, lot string, panel Panel) (*appraisal.Opinion, error) {
	c, at := w.config(lot), switchboard{}
	for i, moods := range panel {
		host := "127.0.0.1:" + strconv.Itoa(i+1)
		at[host] = &fakellm.Model{Moods: moods, Table: w.Table}
		c.Families = append(c.Families, family(i, "http://"+host+"/v1"))
	}
	c.Transport = at
	return w.ask(ctx, c)
}

// WeighServed does the same over HTTP.
func (w *World) WeighServed(ctx context.Context, lot string, panel Panel) (*appraisal.Opinion, error) {
	c := w.config(lot)
	c.Parallel = 8
	for i, moods := range panel {
		m := &fakellm.Model{Moods: moods, Table: w.Table}
		if err := m.Start(ctx); err != nil {
			return nil, err
		}
		defer m.Stop()
		c.Families = append(c.Families, family(i, m.BaseURL))
	}
	return w.ask(ctx, c)
}

func family(i int, at string) llm.Family {
	return llm.Family{Name: fmt.Sprintf("family-%c", 'a'+i), BaseURL: at, Model: "scripted"}
}

func (w *World) ask(ctx context.Context, c llm.Config) (*appraisal.Opinion, error) {
	task, err := w.Task()
	if err != nil {
		return nil, err
	}
	judge, err := llm.New(c)
	if err != nil {
		return nil, err
	}
	op, err := judge.Weigh(ctx, task)
	switch {
	case errors.Is(err, llm.ErrUnavailable):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return &op, nil
}

// switchboard connects by host and port to models in this process.
type switchboard map[string]*fakellm.Model

// RoundTrip makes switchboard an http.RoundTripper.
func (s switchboard) RoundTrip(r *http.Request) (*http.Response, error) {
	m := s[r.URL.Host]
	if m == nil {
		return nil, errors.New("nobody there")
	}
	return m.RoundTrip(r)
}
