package consent

import (
	"crypto/ed25519"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/policies"
)

// house is a co-op with a law, a clock and nobody in it yet.
type house struct {
	*Service
	t      testing.TB
	db     *db.DB
	clock  *testkit.Clock
	engine *policies.Engine
	log    *audit.Log
}

const permitFor = 10 * time.Minute

func open(t testing.TB) *house {
	t.Helper()
	law, err := policies.Compile(t.Context(), policies.Default())
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, db: testkit.DB(t), clock: testkit.NewClock(), engine: policies.NewEngine(law)}
	h.log = testkit.Audit(t, h.db)
	h.Service, err = New(t.Context(), h.config())
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) config() Config {
	return Config{
		DB: h.db, Engine: h.engine, Log: h.log, Clock: h.clock.Now, Key: testkit.Key(), PermitFor: permitFor,
		Charter: coop.Charter{Name: "Test co-op", Contact: "https://coop.test/complain", Currency: "EUR"},
		Logger:  slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
}

// vote puts a law in force that refuses under a condition.
func (h *house) vote(condition string) {
	h.t.Helper()
	h.engine.Swap(lawWith(h.t, "forbid", condition))
}

func lawWith(t testing.TB, rule, condition string) *policies.Revision {
	t.Helper()
	text, err := policies.Format([]byte("package coop.access\n\n" + rule + " contains {\n\t\"code\": \"voted\",\n\t\"sentence\": \"The members voted about this.\",\n} if " + condition + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	if rule != "forbid" {
		text = append(text, "\nforbid contains {\n\t\"code\": \"never\",\n\t\"sentence\": \"This is never asked.\",\n} if input.request.pool == \"never\"\n"...)
	}
	law, err := policies.Compile(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	return law
}

func newMember() coop.MemberID { return coop.MemberID(coop.NewID()) }

// share enrols one dataset of the member in the pool, without any consent.
func (h *house) share(m coop.MemberID, p coop.PoolID) coop.DatasetID {
	h.t.Helper()
	ds := coop.DatasetID(coop.NewID())
	h.update(func(tx *db.Tx) error {
		return h.Enrol(tx, Enrolment{Dataset: ds, Member: m, Pool: p, Categories: []string{"HealthRecord"}, Region: "DE", Sealed: h.now()})
	})
	return ds
}

func (h *house) update(fn func(tx *db.Tx) error) {
	h.t.Helper()
	if err := h.db.Update(h.t.Context(), fn); err != nil {
		h.t.Fatal(err)
	}
}

// agree is consent to health research by universities.
func agree() Terms {
	return Terms{Effect: Given, Purposes: []string{"DUO:0000006"}, RequesterKinds: []string{"university"}}
}

// study asks for what agree allows.
func study() Ask {
	return Ask{
		Request:    coop.RequestID(coop.NewID()),
		Researcher: Requester{ID: coop.ResearcherID(coop.NewID()), Kind: "university", Vetted: true, Region: "DE"},
		Pool:       "wearables", Purpose: coop.Purpose{DUO: "DUO:0000006", DPV: "AcademicResearch"},
		Price: 500, RetentionDays: 365, Recipient: "age1recipient", Study: policies.Study{Disease: "MONDO:0005015"},
	}
}

// deliver decides one delivery.
func (h *house) deliver(a Ask, ds coop.DatasetID) (Decision, Permit) {
	h.t.Helper()
	var d Decision
	var p Permit
	h.update(func(tx *db.Tx) (err error) {
		d, p, err = h.Decide(tx, a, ds)
		return err
	})
	return d, p
}

// released fails unless the delivery is permitted.
func (h *house) released(a Ask, ds coop.DatasetID) Permit {
	h.t.Helper()
	d, p := h.deliver(a, ds)
	if !d.Allow || len(d.Reasons) != 0 || !p.Valid(h.clock.Now()) {
		h.t.Errorf("refused: %v", d.Reasons)
	}
	return p
}

// refused fails unless the delivery is refused for exactly these reasons.
func (h *house) refused(a Ask, ds coop.DatasetID, codes ...string) Decision {
	h.t.Helper()
	d, p := h.deliver(a, ds)
	if d.Allow || p != (Permit{}) || p.Valid(h.clock.Now()) {
		h.t.Errorf("released")
	}
	if got := reasonCodes(d); !slices.Equal(got, codes) {
		h.t.Errorf("refused for %v, not for %v", got, codes)
	}
	return d
}

func reasonCodes(d Decision) []string {
	out := []string{}
	for _, r := range d.Reasons {
		out = append(out, r.Code)
	}
	return out
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// wants fails unless err is the fault target.
func wants(t testing.TB, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Errorf("got %v, want %v", err, target)
	}
}

func TestRoomDoesNotOpenWithoutWhatItNeeds(t *testing.T) {
	h := open(t)
	for name, change := range map[string]func(*Config){
		"a database":        func(c *Config) { c.DB = nil },
		"an engine":         func(c *Config) { c.Engine = nil },
		"a log":             func(c *Config) { c.Log = nil },
		"a clock":           func(c *Config) { c.Clock = nil },
		"a key":             func(c *Config) { c.Key = nil },
		"a whole key":       func(c *Config) { c.Key = ed25519.PrivateKey("short") },
		"a permit lifetime": func(c *Config) { c.PermitFor = 0 },
		"a positive one":    func(c *Config) { c.PermitFor = -time.Minute },
		"one of an hour":    func(c *Config) { c.PermitFor = time.Hour + 1 },
	} {
		c := h.config()
		change(&c)
		if _, err := New(t.Context(), c); err == nil {
			t.Errorf("opened without %s", name)
		}
	}
}

// Nothing a member or researcher wrote, and no id, may stand in a sentence.
func sentencesAreConstant(t testing.TB, reasons []policies.Reason, secrets ...string) {
	t.Helper()
	for _, r := range reasons {
		for _, s := range secrets {
			if strings.Contains(r.Sentence, s) {
				t.Errorf("%q repeats what was submitted", r.Sentence)
			}
		}
	}
}

func kindOf(err error) fault.Kind { return fault.KindOf(err) }

func codes(terms []coop.Term) []string {
	out := make([]string, 0, len(terms))
	for _, t := range terms {
		out = append(out, t.Code)
	}
	return out
}
