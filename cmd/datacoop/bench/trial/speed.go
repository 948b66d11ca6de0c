package trial

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/appraisal/fakellm"
	"distributed.ai/datacoop/marketplace/appraisal/llm"
)

// thinking is how long the scripted server takes for an answer, which is very
// little for a model, and atOnce how many questions it is asked at a time.
const (
	thinking = 20 * time.Millisecond
	atOnce   = 8
	rounds   = 3
)

// speed measures an appraisal of many dossiers over HTTP beside a bare client
// that posts the same bodies, and the recomputation of its statement beside
// hashing and parsing the bundle.
func speed(ctx context.Context, o Options) ([]Figure, error) {
	w := NewWorld(1, 0, 0)
	crowd(w, o.Dossiers)
	task, err := w.Task()
	if err != nil {
		return nil, err
	}
	bodies := &copyist{}
	op, _, err := appraise(ctx, w, task, func(c *llm.Config) { c.Transport = bodies })
	if err != nil {
		return nil, err
	}
	m := &fakellm.Model{Moods: []fakellm.Mood{fakellm.Slow(thinking)}}
	if err := m.Start(ctx); err != nil {
		return nil, err
	}
	defer m.Stop()
	var ours, bare []float64
	calls := len(bodies.all)
	for round := range rounds {
		o.Say("appraisal of %d dossiers, round %d of %d", o.Dossiers, round+1, rounds)
		before := m.Asked()
		folder, err := llm.OpenFolder(filepath.Join(o.Dir, fmt.Sprintf("speed-%d", round)))
		if err != nil {
			return nil, err
		}
		_, took, err := appraise(ctx, w, task, func(c *llm.Config) { c.Families[0].BaseURL, c.Recorder = m.BaseURL, folder })
		if err = errors.Join(err, folder.Close()); err != nil {
			return nil, err
		}
		ours = append(ours, float64(m.Asked()-before)/took.Seconds())
		if took, err = post(ctx, m.BaseURL+"/chat/completions", bodies.all); err != nil {
			return nil, err
		}
		bare = append(bare, float64(calls)/took.Seconds())
	}
	ratio := Quantile(ours, 0.5) / Quantile(bare, 0.5)
	f := AtLeast(0.8, Figure{Name: "appraisal_calls_vs_bare_client", Value: ratio, Unit: "ratio", Samples: rounds,
		Anchor: fmt.Sprintf("calls a second of an appraisal of %d dossiers, recorded on the disk, to a bare client posting the same %d bodies, %d at a time; the scripted server thinks for %v; %.0f to %.0f",
			o.Dossiers, calls, atOnce, thinking, Quantile(ours, 0.5), Quantile(bare, 0.5))})
	v, err := recompute(w, op, o)
	return []Figure{f, v}, err
}

// crowd is a period of n datasets, of a member each.
func crowd(w *World, n int) {
	rnd := w.chance(7)
	for i := range n {
		r := rnd.IntN(requests)
		w.Ev.Data = append(w.Ev.Data, appraisal.DataUse{Request: fmt.Sprintf("r%02d", r), Dataset: fmt.Sprintf("d%06d", i), Member: fmt.Sprintf("m%06d", i),
			Grade: appraisal.GradeServer, Coverage: rnd.Int64N(1001), Fresh: 500 + rnd.Int64N(501), Unique: 1000, Trust: 1000})
	}
}

// appraise weighs a task by one family and says how long that took.
func appraise(ctx context.Context, w *World, t appraisal.Task, set func(*llm.Config)) (appraisal.Opinion, time.Duration, error) {
	c := w.config("speed")
	c.Parallel = atOnce
	c.Families = []llm.Family{family(0, "http://127.0.0.1:1/v1")}
	set(&c)
	judge, err := llm.New(c)
	if err != nil {
		return appraisal.Opinion{}, 0, err
	}
	begun := time.Now()
	op, err := judge.Weigh(ctx, t)
	return op, time.Since(begun), err
}

// copyist keeps the bodies it is asked to post, and has an honest model answer.
type copyist struct {
	mu    sync.Mutex
	all   [][]byte
	model fakellm.Model
}

// RoundTrip makes copyist an http.RoundTripper.
func (c *copyist) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil && strings.HasSuffix(r.URL.Path, "/chat/completions") {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		c.mu.Lock()
		c.all = append(c.all, body)
		c.mu.Unlock()
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	return c.model.RoundTrip(r)
}

// post sends all bodies and reads all answers, with nothing around it.
func post(ctx context.Context, to string, bodies [][]byte) (time.Duration, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: atOnce}}
	defer client.CloseIdleConnections()
	begun := time.Now()
	var failed error
	var once sync.Once
	var wg sync.WaitGroup
	queue := make(chan []byte)
	for range atOnce {
		wg.Go(func() {
			for body := range queue {
				if err := postOne(ctx, client, to, body); err != nil {
					once.Do(func() { failed = err })
				}
			}
		})
	}
	for _, body := range bodies {
		queue <- body
	}
	close(queue)
	wg.Wait()
	return time.Since(begun), failed
}

func postOne(ctx context.Context, client *http.Client, to string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the scripted server answered %d", resp.StatusCode)
	}
	return nil
}

// recompute times the check of a statement bundle beside hashing the same bytes
// and parsing them as JSON.
func recompute(w *World, op appraisal.Opinion, o Options) (Figure, error) {
	b, err := appraisal.NewBundle(w.Ev, w.Params, &op)
	if err != nil {
		return Figure{}, err
	}
	text, err := b.JSON()
	if err != nil {
		return Figure{}, err
	}
	var check, anchor []time.Duration
	for range 2*rounds + 1 {
		begun := o.Processor()
		if err := appraisal.Verify(text); err != nil {
			return Figure{}, err
		}
		check = append(check, o.Processor()-begun)
		begun = o.Processor()
		var doc any
		_ = sha256.Sum256(text)
		if err := json.Unmarshal(text, &doc); err != nil {
			return Figure{}, err
		}
		anchor = append(anchor, o.Processor()-begun)
	}
	slices.Sort(check)
	slices.Sort(anchor)
	return AtMost(2, Figure{Name: "verify_statement_vs_hash_and_parse", Value: check[rounds].Seconds() / anchor[rounds].Seconds(), Unit: "ratio", Samples: len(check),
		Anchor: fmt.Sprintf("processor time: recomputing the statement of %d members from its bundle of %.1f MB, to hashing the bundle and parsing its JSON; %v to %v",
			len(b.Statement.Shares), float64(len(text))/1e6, check[rounds].Round(time.Millisecond), anchor[rounds].Round(time.Millisecond))}), nil
}
