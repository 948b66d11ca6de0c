package consent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

// Stages at which a decision is made.
const (
	StageRequest  = "request"  // for a cohort, when the request is submitted
	StageApproval = "approval" // for one dataset, when the member who keeps its only key answers
	StageDelivery = "delivery" // for one dataset, in the transaction that releases it
)

// Decision is what the law answered about one dataset, as recorded. It never
// changes.
type Decision struct {
	ID          coop.DecisionID       `json:"id"`
	Request     coop.RequestID        `json:"request"`
	Researcher  coop.ResearcherID     `json:"researcher"`
	Dataset     coop.DatasetID        `json:"dataset"`
	Member      coop.MemberID         `json:"member"`
	Pool        coop.PoolID           `json:"pool"`
	Purpose     coop.Purpose          `json:"purpose"`
	Stage       string                `json:"stage"` // one of the stages
	Allow       bool                  `json:"allow"`
	NeedsReview bool                  `json:"needs_review"`   // refused until the people it asks have said yes
	Asks        []string              `json:"asks,omitempty"` // policies.AskSteward, AskMember; known when it is made, not stored
	Reasons     []policies.Reason     `json:"reasons"`        // empty exactly if Allow
	Obligations []policies.Obligation `json:"obligations"`
	Rules       []string              `json:"rules,omitempty"` // of the law that fired, by name; nil in a cohort, and from before they were recorded
	Revision    string                `json:"revision"`        // hash of the law; "" while none was in force
	InputSHA256 string                `json:"input_sha256"`    // of the canonical question, in hex
	At          int64                 `json:"at"`              // Unix milliseconds
	ConsentSeq  int64                 `json:"consent_seq"`     // newest record or pause it was based on

	input []byte   // the canonical question
	once  []string // ids of the one-time consents a release rests on; known when it is made
}

// Decide asks the law in force about one dataset and records the answer in tx
// together with its audit entry. If the law says no the permit is its zero
// value and err is nil: the caller commits the refusal. An error means that no
// decision was made and nothing may be released: ErrAsk, ErrNoDataset,
// freeze.ErrFrozen, or a fault of ours.
func (s *Service) Decide(tx *db.Tx, a Ask, ds coop.DatasetID) (Decision, Permit, error) {
	return s.release(tx, a, ds, StageDelivery)
}

func (s *Service) release(tx *db.Tx, a Ask, ds coop.DatasetID, stage string) (Decision, Permit, error) {
	err := a.Check()
	if err == nil && a.Recipient == "" {
		err = ErrAsk
	}
	if err == nil {
		err = s.Thawed(tx)
	}
	if err != nil {
		return Decision{}, Permit{}, err
	}
	now := s.c.Clock()
	m, err := s.matter(tx, ds)
	if err != nil {
		return Decision{}, Permit{}, err
	}
	d, err := s.answer(tx, a, m, now.UnixMilli(), stage)
	if err == nil {
		err = s.keep(tx, d, m)
	}
	if err != nil {
		return Decision{}, Permit{}, fmt.Errorf("consent: deciding: %w", err)
	}
	if !d.Allow {
		return d, Permit{}, nil
	}
	if stage == StageDelivery {
		if err := useUp(tx, d); err != nil {
			return Decision{}, Permit{}, err
		}
	}
	return d, Permit{
		decision: d.ID, request: d.Request, dataset: d.Dataset, purpose: d.Purpose,
		recipient: a.Recipient, issued: now, expires: now.Add(s.c.PermitFor), tx: tx,
	}, nil
}

// matter is what a decision about one dataset rests on beside the records.
type matter struct {
	enrolled
	law     *policies.Revision // nil while the engine is sealed
	lawKept bool               // its archive is stored already
	paused  bool               // the dataset's member has paused
	head    int64              // position of the newest record or pause
}

func (s *Service) matter(tx *db.Tx, ds coop.DatasetID) (matter, error) {
	return matterOf(tx, s.c.Engine.Current(), ds)
}

// answer asks the law about one dataset and writes nothing down.
func (s *Service) answer(tx *db.Tx, a Ask, m matter, now int64, stage string) (Decision, error) {
	in, err := questionFor(tx, a, m, now)
	if err != nil {
		return Decision{}, err
	}
	d, err := s.once(m.law).decide(tx.Context(), a, in, stage)
	d.ConsentSeq = m.head
	return d, err
}

// keep writes down what was decided about one dataset, with its audit entry.
func (s *Service) keep(tx *db.Tx, d Decision, m matter) error {
	if !m.lawKept {
		if err := keepRevision(tx, m.law, d.At); err != nil {
			return err
		}
	}
	leaf, err := s.c.Log.Append(tx, audit.Event{
		Kind: "consent.decision", Revision: d.Revision, Verdict: verdict(d.Allow), Record: d,
	})
	if err != nil {
		return err
	}
	return insertDecisions(tx, "", leaf, d)
}

func verdict(allow bool) string {
	if allow {
		return "allowed"
	}
	return "refused"
}

// bench decides many questions under one revision. Questions that differ only
// in ids have one answer, so each class is evaluated once.
type bench struct {
	law   *policies.Revision // nil while the engine is sealed
	known map[string]policies.Outcome
	yes   map[string]bool // whether it would be allowed, where nobody has asked why
	fail  func(ctx context.Context, err error)
}

// maxKnown bounds the memory of a bench.
const maxKnown = 10_000

func (s *Service) bench(law *policies.Revision) *bench {
	b := s.once(law)
	b.known, b.yes = map[string]policies.Outcome{}, map[string]bool{}
	return b
}

// once is a bench for a single question, which remembers nothing.
func (s *Service) once(law *policies.Revision) *bench {
	return &bench{law: law, fail: func(ctx context.Context, err error) {
		s.c.Logger.ErrorContext(ctx, "consent: refused because the law gave no answer", "error", err)
	}}
}

// ask answers one question. Whatever goes wrong is a refusal, told to the
// operator and not remembered.
func (b *bench) ask(ctx context.Context, in policies.Input) (policies.Outcome, error) {
	if b.known == nil {
		return b.anew(ctx, in)
	}
	class, err := b.classOf(in)
	if err != nil {
		return policies.Outcome{}, err
	}
	if out, ok := b.known[class]; ok {
		return out, nil
	}
	out, err := b.law.Decide(ctx, in)
	if err != nil {
		b.fail(ctx, err)
		return out, nil
	}
	if len(b.known) >= maxKnown {
		clear(b.known)
	}
	b.known[class] = out
	return out, nil
}

func (b *bench) anew(ctx context.Context, in policies.Input) (policies.Outcome, error) {
	out, err := b.law.Decide(ctx, in)
	if err != nil {
		b.fail(ctx, err)
	}
	return out, nil
}

// allows answers whether ask would allow, which costs a part of it.
func (b *bench) allows(ctx context.Context, in policies.Input) (bool, error) {
	class, err := b.classOf(in)
	if err != nil {
		return false, err
	}
	if yes, ok := b.yes[class]; ok {
		return yes, nil
	}
	yes, err := b.law.Allows(ctx, in)
	if err != nil {
		b.fail(ctx, err)
		return false, nil
	}
	if len(b.yes) >= maxKnown {
		clear(b.yes)
	}
	b.yes[class] = yes
	return yes, nil
}

// classOf names the questions that have the answer of this one: those of its
// class, or under law of another release itself alone.
func (b *bench) classOf(in policies.Input) (string, error) {
	if b.law == nil || b.law.Classes() {
		return in.Class()
	}
	text, err := in.Canonical()
	return digest(text), err
}

func (b *bench) decide(ctx context.Context, a Ask, in policies.Input, stage string) (Decision, error) {
	text, err := in.Canonical()
	if err != nil {
		return Decision{}, err
	}
	out, err := b.ask(ctx, in)
	if err != nil {
		return Decision{}, err
	}
	d := Decision{
		ID: coop.DecisionID(coop.NewID()), Request: a.Request, Researcher: a.Researcher.ID,
		Dataset: coop.DatasetID(in.Dataset.ID), Member: coop.MemberID(in.Dataset.Member), Pool: coop.PoolID(in.Dataset.Pool),
		Purpose: a.Purpose, Stage: stage,
		Allow: out.Allow, NeedsReview: out.NeedsReview, Reasons: out.Reasons, Obligations: out.Obligations, Rules: out.Rules,
		InputSHA256: digest(text), At: in.Request.Time, input: text, once: onceIn(in),
	}
	if len(out.Asks) > 0 {
		d.Asks = out.Asks
	}
	d.Revision = hashOf(b.law)
	return d, nil
}

// hashOf names a law; "" while none is in force.
func hashOf(law *policies.Revision) string {
	if law == nil {
		return ""
	}
	return law.Hash()
}

func digest(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
