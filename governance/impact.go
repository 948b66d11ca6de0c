package governance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"distributed.ai/datacoop/governance/trial"
	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
	"distributed.ai/datacoop/policies/document"
)

// KindRehearse is the job that tries a proposal on requests, keyed by proposal.
// Voting opens when it has ended.
const KindRehearse = "governance.rehearse"

// Impact is what a policy would have meant and would change.
type Impact struct {
	trial.Rehearsal // how far the trial is that found this
	trial.Impact
}

// The parts of an impact.
type (
	// RequestImpact concerns one access request of the past.
	RequestImpact = trial.RequestImpact
	// CohortImpact concerns the open datasets of a pool.
	CohortImpact = trial.Cohort
)

func (s *Service) bench() trial.Bench {
	return trial.Bench{DB: s.DB, Consent: s.Consent, Engine: s.Engine, Clock: s.Clock, Charter: s.Charter, Trier: s.Trier}
}

// Impact is what the rehearsal of a proposal found, or how far it is. It counts
// members and names none.
func (s *Service) Impact(ctx context.Context, id coop.ProposalID) (Impact, error) {
	return read(ctx, s, "impact", func(tx *db.Tx) (Impact, error) {
		p, err := proposal(tx, id)
		if err != nil {
			return Impact{}, err
		}
		r, err := trial.Of(tx, id)
		im := Impact{r, r.Impact()}
		law := s.Engine.Current()
		if open := p.State == Voting || p.State == Passed; open && r.State == trial.Ended && (law == nil || law.Hash() != r.Law) {
			im.Sentences = append(im.Sentences, changedSince)
		}
		return im, err
	})
}

const changedSince = "The law has changed since this was found out; compared was the law before it."

// Preview is Impact before anything is proposed, with made-up requests that
// change one thing at a time. The impact is zero if the report says that the
// gate refuses the policy.
func (s *Service) Preview(ctx context.Context, source []byte) (policies.Report, Impact, error) {
	if len(source) == 0 || len(source) > policies.MaxAccess {
		return policies.Report{}, Impact{}, ErrPolicySize
	}
	laid, report, err := document.Try(ctx, source, s.Charter.Currency, s.gate)
	if err != nil {
		return policies.Report{}, Impact{}, fmt.Errorf("governance: preview: %w", err)
	}
	if !report.OK {
		return report, Impact{Rehearsal: trial.Rehearsal{State: trial.Untried}}, nil
	}
	rev, err := policies.Compile(ctx, laid)
	if err != nil {
		return policies.Report{}, Impact{}, fmt.Errorf("governance: preview: %w", err)
	}
	im := Impact{Rehearsal: trial.Rehearsal{State: trial.Ended}}
	if im.Impact, err = s.bench().Replay(ctx, rev); err == nil {
		err = s.compare(ctx, laid, &im)
	}
	return report, im, err
}

// compare asks the law in force, if there is one, and a policy the same.
func (s *Service) compare(ctx context.Context, source []byte, im *Impact) error {
	law := s.Engine.Current()
	if law == nil {
		return nil
	}
	found, err := s.Rehearse(ctx, law.Source(), source, s.Charter.Currency)
	if err != nil {
		return fmt.Errorf("governance: impact: %w", err)
	}
	im.Law, im.Changes = law.Hash(), found.Sentences()
	im.Done, im.Total = int64(found.Asked), int64(found.Asked)
	return nil
}

func (s *Service) rehearseJob(ctx context.Context, payload []byte) error {
	var job about
	if err := json.Unmarshal(payload, &job); err != nil {
		return fmt.Errorf("governance: rehearse: %w", err)
	}
	p, err := s.Proposal(ctx, job.Proposal)
	if err != nil || p.State != Rehearsing {
		return err
	}
	r, err := s.bench().Run(ctx, p.ID, p.Source)
	if err == nil {
		err = s.DB.Update(ctx, func(tx *db.Tx) error { return s.rehearsed(tx, p.ID, r) })
	}
	if err != nil {
		return fmt.Errorf("governance: rehearse: %w", err)
	}
	return nil
}

// voidUntried is why a proposal that could not be rehearsed is void.
const voidUntried = "It could not be tried on past requests, so nobody could have known what they voted on. It can be proposed again. "

// opened is what the log commits to when voting begins.
type opened struct {
	Proposal  string `json:"proposal"`
	Rehearsal string `json:"rehearsal_sha256"`
	ClosesAt  int64  `json:"closes_at"`
}

// rehearsed opens the vote on a proposal whose rehearsal has ended, for as long
// as its class says, or ends it if the rehearsal failed.
func (s *Service) rehearsed(tx *db.Tx, id coop.ProposalID, r trial.Rehearsal) error {
	p, err := proposal(tx, id)
	if err != nil || p.State != Rehearsing {
		return err
	}
	if r.State == trial.Failed {
		why := voidUntried + r.Reason
		if err := s.logVoid(tx, p, why); err != nil {
			return err
		}
		return abandon(tx, id, why)
	}
	digest, err := r.Digest()
	if err != nil {
		return err
	}
	p.tried, p.ClosesAt = s.now(), s.now()+p.ClosesAt-p.OpenedAt
	_, err = s.Log.Append(tx, audit.Event{
		Kind: "governance.open", Revision: p.Revision, Verdict: string(Voting),
		Record: opened{string(id), digest, p.ClosesAt},
	})
	opens := coop.Notice{Kind: coop.NoticeVoteOpened, Ref: string(id), About: p.Title, Until: p.ClosesAt}
	closing := coop.Notice{Kind: coop.NoticeVoteClosing, Ref: string(id), About: p.Title, Until: p.ClosesAt, At: coop.ClosesSoon(p.tried, p.ClosesAt)}
	return errors.Join(err, openVote(tx, p), s.Jobs.Tell(tx, opens), s.Jobs.Tell(tx, closing),
		s.Jobs.Enqueue(tx, KindTally, string(id), about{id}, time.UnixMilli(p.ClosesAt).UTC()))
}
