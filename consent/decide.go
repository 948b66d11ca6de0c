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
	Stage       string                `json:"stage"` // StageRequest or StageDelivery
	Allow       bool                  `json:"allow"`
	NeedsReview bool                  `json:"needs_review"` // refused until people have reviewed the request
	Reasons     []policies.Reason     `json:"reasons"`      // empty exactly if Allow
	Obligations []policies.Obligation `json:"obligations"`
	Revision    string                `json:"revision"`     // hash of the law; "" while none was in force
	InputSHA256 string                `json:"input_sha256"` // of the canonical question, in hex
	At          int64                 `json:"at"`           // Unix milliseconds
	ConsentSeq  int64                 `json:"consent_seq"`  // newest record or pause it was based on

	input []byte // the canonical question
}

// Decide asks the law in force about one dataset and records the answer in tx
// together with its audit entry. If the law says no the permit is its zero
// value and err is nil: the caller commits the refusal. An error means that no
// decision was made and nothing may be released: ErrAsk, ErrNoDataset, or a
// fault of ours.
func (s *Service) Decide(tx *db.Tx, a Ask, ds coop.DatasetID) (Decision, Permit, error) {
	if err := a.check(); err != nil {
		return Decision{}, Permit{}, err
	}
	if a.Recipient == "" {
		return Decision{}, Permit{}, ErrAsk
	}
	e, err := datasetByID(tx, ds)
	if err != nil {
		return Decision{}, Permit{}, err
	}
	now := s.c.Clock()
	d, err := s.decide(tx, a, e, now.UnixMilli())
	if err != nil {
		return Decision{}, Permit{}, fmt.Errorf("consent: deciding: %w", err)
	}
	if !d.Allow {
		return d, Permit{}, nil
	}
	return d, Permit{
		decision: d.ID, request: d.Request, dataset: d.Dataset, purpose: d.Purpose,
		recipient: a.Recipient, issued: now, expires: now.Add(s.c.PermitFor), tx: tx,
	}, nil
}

func (s *Service) decide(tx *db.Tx, a Ask, e enrolled, now int64) (Decision, error) {
	in, err := questionFor(tx, a, e, now)
	if err != nil {
		return Decision{}, err
	}
	bench := s.bench(s.c.Engine.Current())
	d, err := bench.decide(tx.Context(), a, in, StageDelivery)
	if err != nil {
		return Decision{}, err
	}
	if d.ConsentSeq, err = headSeq(tx); err != nil {
		return Decision{}, err
	}
	if err := keepRevision(tx, bench.law, now); err != nil {
		return Decision{}, err
	}
	leaf, err := s.c.Log.Append(tx, audit.Event{
		Kind: "consent.decision", Revision: d.Revision, Verdict: verdict(d.Allow), Record: d,
	})
	if err != nil {
		return Decision{}, err
	}
	return d, insertDecisions(tx, "", leaf, d)
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
	fail  func(ctx context.Context, err error)
}

// maxKnown bounds the memory of a bench.
const maxKnown = 10_000

func (s *Service) bench(law *policies.Revision) *bench {
	return &bench{law: law, known: map[string]policies.Outcome{}, fail: func(ctx context.Context, err error) {
		s.c.Logger.ErrorContext(ctx, "consent: refused because the law gave no answer", "error", err)
	}}
}

// ask answers one question. Whatever goes wrong is a refusal, told to the
// operator and not remembered.
func (b *bench) ask(ctx context.Context, in policies.Input) (policies.Outcome, error) {
	class, err := in.Class()
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
	if b.law.Classes() {
		b.known[class] = out
	}
	return out, nil
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
		Allow: out.Allow, NeedsReview: out.NeedsReview, Reasons: out.Reasons, Obligations: out.Obligations,
		InputSHA256: digest(text), At: in.Request.Time, input: text,
	}
	if b.law != nil {
		d.Revision = b.law.Hash()
	}
	return d, nil
}

func digest(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
