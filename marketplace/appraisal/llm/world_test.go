package llm

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/appraisal/fakellm"
)

// Texts of work, from best to none at all.
const (
	fullText = "The need was that receipts got lost. What was done: a new page. The result is in use. Members gain from it. " +
		"It was checked by a reader. Measured, questions fell from 9 to 2. Its limits are written down. A handover is written. " +
		"There are reasons for the design, with access for all, care for consent, and its sources."
	halfText  = "The need was plain. What was made is a guide. The result is on the site. Members gain from it. It was checked twice."
	emptyText = "It was a good month and everybody was content with it."
)

// period is a small co-op's quarter: four datasets, five pieces of work, two
// kinds of duty.
func period() (appraisal.Evidence, appraisal.Params) {
	use := func(request, dataset, member string, coverage, fresh int64) appraisal.DataUse {
		return appraisal.DataUse{Request: request, Dataset: dataset, Member: member, Grade: "A", Coverage: coverage, Fresh: fresh, Unique: 1000, Trust: 1000}
	}
	ev := appraisal.Evidence{
		Period: "P0001", Currency: "EUR", Salt: strings.Repeat("5a", 32), Revenue: 1000_00,
		Requests: []appraisal.Request{{Request: "r1", Revenue: 600_00}, {Request: "r2", Revenue: 400_00}},
		Data: []appraisal.DataUse{use("r1", "d-ann", "ann", 1000, 1000), use("r2", "d-ann", "ann", 1000, 1000),
			use("r1", "d-bob", "bob", 300, 500), use("r2", "d-cec", "cec", 900, 600), use("r1", "d-dan", "dan", 600, 1000)},
		Available: []appraisal.Availability{{Dataset: "d-ann", Member: "ann", Confirmed: true, Days: 30}, {Dataset: "d-bob", Member: "bob", Confirmed: true, Days: 30}},
		Duties:    []appraisal.Duty{{Member: "cec", Kind: "review", Ref: "x1", Grade: "A", Points: 2}, {Member: "dan", Kind: "panel", Grade: "A", Points: 1}},
	}
	for i, kind := range []string{"git", "document", "design", "support", "other"} {
		ev.Work = append(ev.Work, appraisal.Work{Contribution: fmt.Sprintf("w%d", i), Member: fmt.Sprintf("m%d", i), Kind: kind, Grade: "D", Points: 3})
	}
	return ev, appraisal.Params{
		Commission: 100, Reserve: 50, Purpose: 50, Members: 850, Investors: 50, Data: 500, Work: 300, Governance: 200, Stipend: 50,
		BetaData: 100, BetaWork: 250, BetaGovernance: 250, Gamma: 100,
	}
}

func workID(i int) string {
	ev, _ := period()
	return appraisal.DossierID(ev.Salt, appraisal.KindWork, fmt.Sprintf("w%d", i))
}

func dataID(dataset string) string {
	ev, _ := period()
	return appraisal.DossierID(ev.Salt, appraisal.KindData, dataset)
}

// taskOf makes the period's task with a text for each of the first pieces of work.
func taskOf(t testing.TB, works ...string) appraisal.Task {
	t.Helper()
	ev, p := period()
	var exhibits []appraisal.Exhibit
	for i, text := range works {
		exhibits = append(exhibits, appraisal.NewExhibit(workID(i), text))
	}
	task, err := appraisal.NewTask(ev, p, "Work that helps every member counts most.\nSo do data that are read.", exhibits)
	if err != nil {
		t.Fatal(err)
	}
	return task
}

func ordinary(t testing.TB) appraisal.Task { return taskOf(t, fullText, halfText, emptyText, fullText) }

// memory is a Recorder that also counts.
type memory struct {
	mu       sync.Mutex
	attempts map[string][]Attempt
	records  map[string][]byte
	broken   error
}

func newMemory() *memory {
	return &memory{attempts: map[string][]Attempt{}, records: map[string][]byte{}}
}

func (m *memory) Begin(_ context.Context, run string, _ []byte) ([]Attempt, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Attempt{}, m.attempts[run]...), nil
}

func (m *memory) Add(run string, a Attempt) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.attempts[run] = append(m.attempts[run], a)
	return m.broken
}

func (m *memory) Finish(_ string, record []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.records[digest(record)] = bytes.Clone(record)
	return nil
}

func (m *memory) only(t testing.TB) []byte {
	t.Helper()
	if len(m.records) != 1 {
		t.Fatalf("%d records", len(m.records))
	}
	for _, r := range m.records {
		return r
	}
	return nil
}

const testKey = "sk-very-secret-0123456789"

// configFor asks scripted models, quickly and with few canaries.
func configFor(models ...*fakellm.Model) Config {
	c := Config{Seed: NewSecret("0123456789abcdef"), Canaries: 20, MaxAttempts: 2, Parallel: 8, PerCall: 30 * time.Second, Backoff: time.Millisecond}
	for i, m := range models {
		c.Families = append(c.Families, Family{Name: fmt.Sprintf("family-%c", 'a'+i), BaseURL: m.BaseURL, Model: "scripted", APIKey: NewSecret(testKey)})
	}
	return c
}

func judge(t testing.TB, c Config) *Judge {
	t.Helper()
	j, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// weighed asks and returns opinion and record; the opinion must replay.
func weighed(t testing.TB, c Config, task appraisal.Task) (appraisal.Opinion, []byte) {
	t.Helper()
	m := newMemory()
	c.Recorder = m
	op, err := judge(t, c).Weigh(t.Context(), task)
	if err != nil {
		t.Fatal(err)
	}
	record := m.only(t)
	same(t, op, record, task)
	return op, record
}

// same holds an opinion to what its record gives, with and without the texts.
func same(t testing.TB, op appraisal.Opinion, record []byte, task appraisal.Task) {
	t.Helper()
	again, err := Replay(record)
	if err != nil || encode(again) != encode(op) {
		t.Errorf("replayed as %v, %v", again, err)
	}
	again, err = Audit(record, task)
	if err != nil || encode(again) != encode(op) {
		t.Errorf("audited as %v, %v", again, err)
	}
}

func score(t testing.TB, op appraisal.Opinion, id string) appraisal.Score {
	t.Helper()
	for _, s := range op.Scores {
		if s.Dossier == id {
			return s
		}
	}
	t.Fatalf("no score of %s", id)
	return appraisal.Score{}
}

// settledWith settles the period and checks every payout against the fence.
func settledWith(t testing.TB, op *appraisal.Opinion) appraisal.Statement {
	t.Helper()
	ev, p := period()
	return fenced(t, ev, p, op)
}

func fenced(t testing.TB, ev appraisal.Evidence, p appraisal.Params, op *appraisal.Opinion) appraisal.Statement {
	t.Helper()
	b, err := appraisal.NewBundle(ev, p, op)
	if err != nil {
		t.Fatalf("the opinion does not fit: %v", err)
	}
	text, err := b.JSON()
	if err != nil {
		t.Fatal(err)
	}
	if err := appraisal.Verify(text); err != nil {
		t.Errorf("the bundle does not verify: %v", err)
	}
	sum := int64(0)
	for _, share := range b.Statement.Shares {
		sum += share.Amount
		beta := p.BetaWork
		if strings.HasPrefix(share.Member, "ann") || strings.HasPrefix(share.Member, "bob") {
			beta = p.BetaData
		}
		floor, ceil := appraisal.Fence(share.Baseline, beta, p.Gamma)
		if share.Amount < max(floor, share.Floor) || share.Amount > min(ceil, share.Ceil) {
			t.Errorf("%s gets %d, outside %d to %d", share.Member, share.Amount, floor, ceil)
		}
	}
	if want := b.Statement.Step(appraisal.StepMembers); sum != want {
		t.Errorf("shares add up to %d of %d", sum, want)
	}
	return b.Statement
}

// logged collects a logger's lines.
func logged() (*bytes.Buffer, *slog.Logger) {
	var buf bytes.Buffer
	return &buf, slog.New(slog.NewTextHandler(&buf, &slog.HandlerOptions{Level: slog.LevelDebug}))
}
