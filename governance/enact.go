package governance

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

// Why a passed proposal became void.
const (
	voidStale = "Another law came into force while this one was before the members, so enacting it would undo that unnoticed. It can be proposed again."
	voidGate  = "The policy no longer passes the checks that every law must pass."
)

var errLawDamaged = errors.New("the stored law is not the text that was enacted")

// Enactment is a law coming into force.
type Enactment struct {
	Seq          int64  // 1 for the first; the highest is the law
	Revision     string // digest of the policy set in force from then on
	SourceSHA256 string // digest of the votable part
	Proposal     coop.ProposalID
	EnactedAt    int64 // Unix ms
}

func (s *Service) enactJob(ctx context.Context, payload []byte) error {
	var job about
	if err := json.Unmarshal(payload, &job); err != nil {
		return fmt.Errorf("governance: enact: %w", err)
	}
	if err := s.enact(ctx, job.Proposal); err != nil {
		return fmt.Errorf("governance: enact: %w", err)
	}
	return nil
}

func (s *Service) enact(ctx context.Context, id coop.ProposalID) error {
	s.lawmaking.Lock()
	defer s.lawmaking.Unlock()
	p, err := s.Proposal(ctx, id)
	if err != nil || p.State != Passed {
		return err
	}
	_, report, err := s.gate(ctx, p.Source)
	if err != nil {
		return err
	}
	var rev *policies.Revision
	if report.OK {
		if rev, err = policies.Compile(ctx, p.Source); err != nil {
			return err
		}
	}
	enacted := false
	err = s.DB.Update(ctx, func(tx *db.Tx) (err error) {
		enacted, err = s.promulgate(tx, p, rev, report)
		return err
	})
	if err == nil && enacted {
		s.Engine.Swap(rev)
	}
	return err
}

// promulgate stores the law, or why the proposal is void.
func (s *Service) promulgate(tx *db.Tx, p Proposal, rev *policies.Revision, report policies.Report) (enacted bool, err error) {
	if s.now() < p.ExecutableAt {
		return false, errEarly
	}
	inForce, err := lawDigest(tx)
	switch {
	case err != nil:
		return false, err
	case !report.OK:
		return false, s.void(tx, p, strings.Join(append([]string{voidGate}, report.Findings...), " "))
	case inForce != p.base:
		return false, s.void(tx, p, voidStale)
	}
	if err := s.record(tx, rev, p.Source, p.ID); err != nil {
		return false, err
	}
	return true, conclude(tx, p.ID, Enacted, p.Reason, rev.Hash())
}

func (s *Service) void(tx *db.Tx, p Proposal, why string) error {
	if err := s.logVoid(tx, p, why); err != nil {
		return err
	}
	return conclude(tx, p.ID, Void, why, p.Revision)
}

func (s *Service) logVoid(tx *db.Tx, p Proposal, why string) error {
	_, err := s.Log.Append(tx, audit.Event{
		Kind: "governance.enact", Revision: p.Revision, Verdict: string(Void),
		Record: ended{Proposal: string(p.ID), Reason: why},
	})
	return err
}

type ended struct {
	Proposal string `json:"proposal"`
	Reason   string `json:"reason"`
}

// record stores a law as the newest and logs it. proposal is empty for the law
// the co-op starts with.
func (s *Service) record(tx *db.Tx, rev *policies.Revision, source []byte, proposal coop.ProposalID) error {
	last, err := lastEnactment(tx)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	e := Enactment{
		Seq: last.Seq + 1, Revision: rev.Hash(), SourceSHA256: sha256Hex(source),
		Proposal: proposal, EnactedAt: s.now(),
	}
	_, err = s.Log.Append(tx, audit.Event{
		Kind: "governance.enact", Revision: e.Revision, Verdict: string(Enacted),
		Record: law{Proposal: string(proposal), Source: e.SourceSHA256},
	})
	if err != nil {
		return err
	}
	archive, err := rev.Archive()
	if err != nil {
		return err
	}
	if err := keepLaw(tx, e.Revision, source, archive); err != nil {
		return err
	}
	return insertEnactment(tx, e)
}

type law struct {
	Proposal string `json:"proposal"`
	Source   string `json:"source_sha256"`
}

// LoadLaw puts the last enacted law into the engine, or the embedded default
// where nothing was enacted yet; call it once before serving. If the law
// cannot be read it seals the engine, so that every request is refused, and
// returns why: the caller logs that and may go on serving refusals.
//
// A law whose digest changed because the program brought another base law is
// recorded as a new enactment of the same proposal, so that each decision's
// revision can be looked up.
func (s *Service) LoadLaw(ctx context.Context) error {
	s.lawmaking.Lock()
	defer s.lawmaking.Unlock()
	rev, err := s.readLaw(ctx)
	if err != nil {
		s.Engine.Seal()
		return fmt.Errorf("governance: load law: every request is refused: %w", err)
	}
	s.Engine.Swap(rev)
	return nil
}

func (s *Service) readLaw(ctx context.Context) (*policies.Revision, error) {
	last, source, err := s.lastLaw(ctx)
	if err != nil {
		return nil, err
	}
	rev, err := policies.Compile(ctx, source)
	if err != nil {
		return nil, err
	}
	if rev.Hash() == last.Revision {
		return rev, nil
	}
	return rev, s.DB.Update(ctx, func(tx *db.Tx) error { return s.record(tx, rev, source, last.Proposal) })
}

// lastLaw answers the zero Enactment and the default if there is none.
func (s *Service) lastLaw(ctx context.Context) (last Enactment, source []byte, err error) {
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		if last, err = lastEnactment(tx); err != nil {
			return err
		}
		source, _, err = lawText(tx, last.Revision)
		return err
	})
	switch {
	case errors.Is(err, sql.ErrNoRows) && last.Seq == 0:
		return Enactment{}, policies.Default(), nil
	case err != nil:
		return Enactment{}, nil, err
	case sha256Hex(source) != last.SourceSHA256:
		return Enactment{}, nil, errLawDamaged
	}
	return last, source, nil
}

// RevisionSource returns the votable policy of a revision that is or was in
// force, or [ErrRevisionNotFound].
func (s *Service) RevisionSource(ctx context.Context, hash string) ([]byte, error) {
	return read(ctx, s, "source of a revision", func(tx *db.Tx) ([]byte, error) {
		source, _, err := lawText(tx, hash)
		if errors.Is(err, sql.ErrNoRows) {
			err = ErrRevisionNotFound
		}
		return source, err
	})
}

// Revisions lists the laws in the order they came into force, newest first:
// those before the sequence number before (0 for all), at most limit (1 to
// 100).
func (s *Service) Revisions(ctx context.Context, before int64, limit int) ([]Enactment, error) {
	if before < 0 || limit < 1 || limit > longestPage {
		return nil, errCursor
	}
	return read(ctx, s, "revisions", func(tx *db.Tx) ([]Enactment, error) {
		return enactments(tx, before, limit)
	})
}
