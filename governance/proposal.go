package governance

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"distributed.ai/datacoop/governance/trial"
	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/once"
	"distributed.ai/datacoop/policies"
	"distributed.ai/datacoop/policies/document"
)

// State is where a proposal stands; the package comment draws the order.
type State string

// The states of a proposal.
const (
	Rehearsing State = "rehearsing" // being tried on requests; voting opens when that has ended
	Voting     State = "voting"     // ballots are taken until ClosesAt, then counted
	Rejected   State = "rejected"   // too little support
	NoQuorum   State = "no-quorum"  // supported, but by too few of all members
	Passed     State = "passed"     // waits for ExecutableAt
	Enacted    State = "enacted"    // became law
	Void       State = "void"       // passed and could not become law, or could not be rehearsed; Reason says why
)

// KindPolicy proposes an access policy, the one kind there is yet.
const KindPolicy = "policy"

// Limits of a proposal: characters, and votes one member may have open.
const (
	longestTitle  = 120
	longestText   = 4000
	mostOpenVotes = 5
)

// Draft is a proposal before it is put to the vote. Source is the whole of the
// votable policy: package coop.access in any layout, or a rule document of
// package policies/document, which is proposed as the Rego it renders to.
// policies.Default undoes every vote before it.
type Draft struct {
	Title  string
	Text   string // why, in plain words
	Source []byte
}

// Proposal is a policy before the members. Tally is nil until the vote has
// been counted, and where there was none.
type Proposal struct {
	ID           coop.ProposalID
	Author       coop.MemberID
	Class        string // electoral class of the charter
	Kind         string
	Title        string
	Text         string
	Source       []byte   // empty in lists
	Sentences    []string // what the policy says in plain English, frozen at opening
	Revision     string   // digest of the policy set it would bring into force
	State        State
	Reason       string // one sentence on how it ended; empty while open
	OpenedAt     int64  // Unix ms
	ClosesAt     int64  // Unix ms; a ballot at this moment is too late. While rehearsing, the earliest that can be
	ExecutableAt int64  // Unix ms; 0 unless passed
	Electorate   int    // members on the roll
	Rule         Rule   // frozen at opening
	Tally        *Tally

	base     string // digest of the source in force at opening; empty if no law was loaded
	roll     string // digest of the electoral roll
	timelock int64  // ms
	tried    int64  // Unix ms when its rehearsal ended and voting began; 0 before
}

func (d Draft) check() error {
	switch {
	case !coop.Line(d.Title, 1, longestTitle):
		return ErrProposalTitle
	case !coop.Prose(d.Text, 1, longestText):
		return ErrProposalText
	case len(d.Source) == 0 || len(d.Source) > policies.MaxAccess:
		return ErrPolicySize
	}
	return nil
}

// Propose puts a policy to the vote of everyone who is a member at this
// moment, once it has been rehearsed ([KindRehearse]). A policy that the gate refuses is [ErrPolicyRefused] with the gate's
// findings as detail, one that it could not try [ErrUntried]; the law in force
// is [ErrAlreadyLaw].
func (s *Service) Propose(ctx context.Context, by coop.MemberID, d Draft) (Proposal, error) {
	if err := d.check(); err != nil {
		return Proposal{}, err
	}
	source, report, err := document.Try(ctx, d.Source, s.Charter.Currency, s.gate)
	if err != nil {
		return Proposal{}, fmt.Errorf("governance: propose: %w", err)
	}
	if !report.OK {
		return Proposal{}, ErrPolicyRefused.With(report.Findings...)
	}
	d.Source = source
	return write(ctx, s, "propose", func(tx *db.Tx) (Proposal, error) {
		id, err := once.Do(tx, func() (coop.ProposalID, error) { return s.open(tx, by, d, report) })
		if err != nil {
			return Proposal{}, err
		}
		return proposal(tx, id)
	})
}

// gate is Gate under the law in force.
func (s *Service) gate(ctx context.Context, source []byte) ([]byte, policies.Report, error) {
	var present []byte
	if law := s.Engine.Current(); law != nil {
		present = law.Source()
	}
	return s.Gate(ctx, source, present)
}

// Gate lays a policy out as the law book wants it and puts it to the law
// book's gate, under the policy in force (policies.Gate). The policy laid out is empty where the report says that it is
// none.
func Gate(ctx context.Context, source, present []byte) ([]byte, policies.Report, error) {
	laid, err := policies.Format(source)
	var broken *policies.Broken
	if errors.As(err, &broken) {
		return nil, policies.Report{Findings: broken.Findings}, nil
	}
	if err != nil {
		return nil, policies.Report{}, err
	}
	report, err := policies.Gate(ctx, laid, present)
	return laid, report, err
}

func (s *Service) open(tx *db.Tx, by coop.MemberID, d Draft, r policies.Report) (coop.ProposalID, error) {
	if _, err := s.current(tx, by); err != nil {
		return "", err
	}
	base, err := lawDigest(tx)
	if err != nil {
		return "", err
	}
	if base == sha256Hex(d.Source) {
		return "", ErrAlreadyLaw
	}
	if n, err := openProposals(tx, by); err != nil {
		return "", err
	} else if n >= mostOpenVotes {
		return "", ErrTooManyOpen
	}
	p := s.draw(by, d, r)
	p.base = base
	if p.Electorate, p.roll, err = freezeRoll(tx, p.ID); err != nil {
		return "", err
	}
	if err := s.announce(tx, p); err != nil {
		return "", err
	}
	return p.ID, insertProposal(tx, p)
}

// draw writes down everything that is frozen but the roll.
func (s *Service) draw(by coop.MemberID, d Draft, r policies.Report) Proposal {
	class := s.Charter.Classes[coop.ClassPolicy]
	now := s.Clock()
	return Proposal{
		ID: coop.ProposalID(coop.NewID()), Author: by, Class: coop.ClassPolicy, Kind: KindPolicy,
		Title: d.Title, Text: d.Text, Source: d.Source,
		Sentences: r.Sentences, Revision: r.Revision, State: Rehearsing,
		OpenedAt: now.UnixMilli(), ClosesAt: now.Add(class.Window()).UnixMilli(),
		Rule: RuleOf(class), timelock: class.Timelock().Milliseconds(),
	}
}

// opening is what the log commits to when a policy is proposed: afterwards nobody
// can say that the text, the rules or the roll were others.
type opening struct {
	Proposal   string `json:"proposal"`
	Source     string `json:"source_sha256"`
	Document   string `json:"document_sha256,omitempty"` // of the rule document it is the Rego of
	Roll       string `json:"roll_sha256"`
	Electorate int    `json:"electorate"`
	Charter    string `json:"charter_sha256"`
	Support    int    `json:"support_permille"`
	Approval   int    `json:"approval_permille"`
}

func (s *Service) announce(tx *db.Tx, p Proposal) error {
	_, err := s.Log.Append(tx, audit.Event{
		Kind: "governance.propose", Revision: p.Revision, Verdict: string(Rehearsing),
		Record: opening{
			Proposal: string(p.ID), Source: sha256Hex(p.Source), Document: document.DigestOf(p.Source, s.Charter.Currency), Roll: p.roll,
			Electorate: p.Electorate, Charter: coop.Digest(s.CharterText),
			Support: p.Rule.SupportPermille, Approval: p.Rule.ApprovalPermille,
		},
	})
	if err != nil {
		return err
	}
	if err := trial.Open(tx, p.ID); err != nil {
		return err
	}
	return s.Jobs.Enqueue(tx, KindRehearse, string(p.ID), about{p.ID}, time.UnixMilli(p.OpenedAt).UTC())
}

// Proposals lists proposals without their source, newest first.
func (s *Service) Proposals(ctx context.Context, p Page) ([]Proposal, error) {
	return read(ctx, s, "proposals", func(tx *db.Tx) ([]Proposal, error) {
		return collectPage(tx, p, allProposals, scanProposal[*sql.Rows])
	})
}

// Proposal returns one proposal with its source.
func (s *Service) Proposal(ctx context.Context, id coop.ProposalID) (Proposal, error) {
	return read(ctx, s, "proposal", func(tx *db.Tx) (Proposal, error) { return proposal(tx, id) })
}

func proposal(tx *db.Tx, id coop.ProposalID) (Proposal, error) {
	p, err := proposalByID(tx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return Proposal{}, ErrProposalNotFound
	}
	return p, err
}

func sha256Hex(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
