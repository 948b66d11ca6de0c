package governance

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/policies"
)

// impactWindow is how far back an impact looks.
const impactWindow = 365 * 24 * time.Hour

// Impact is what a policy would have meant for the decisions of the last year,
// and what it would change for requests nobody has made yet.
type Impact struct {
	Decisions  int // replayed
	Flips      int // that would have come out otherwise
	NowRefused int // flips from granted to refused
	NowAllowed int // flips from refused to granted
	Requests   int // access requests with a flip
	Members    int // members with a flip
	Sentences  []string
	Changes    []string        // who would newly get data, and who no longer; empty where the vote is over
	PerRequest []RequestImpact // by request, oldest first
}

// RequestImpact is the part of an impact that concerns one access request.
type RequestImpact struct {
	Request    coop.RequestID
	Pool       coop.PoolID
	Purpose    coop.Purpose
	NowRefused int
	NowAllowed int
	Reasons    []string // why refused, in plain words, each once
}

// Impact replays a proposal on past decisions. It counts members and names
// none.
func (s *Service) Impact(ctx context.Context, id coop.ProposalID) (Impact, error) {
	p, err := s.Proposal(ctx, id)
	if err != nil {
		return Impact{}, err
	}
	im, err := s.replay(ctx, p.Source)
	if err == nil && (p.State == Voting || p.State == Passed) {
		im.Changes, err = s.changes(ctx, p.Source)
	}
	return im, err
}

// Preview is Impact before anything is proposed. The impact is zero if the
// report says that the gate refuses the policy.
func (s *Service) Preview(ctx context.Context, source []byte) (policies.Report, Impact, error) {
	if len(source) == 0 || len(source) > policies.MaxAccess {
		return policies.Report{}, Impact{}, ErrPolicySize
	}
	laid, report, err := s.Gate(ctx, source)
	if err != nil {
		return policies.Report{}, Impact{}, fmt.Errorf("governance: preview: %w", err)
	}
	if !report.OK {
		return report, Impact{}, nil
	}
	impact, err := s.replay(ctx, laid)
	if err == nil {
		impact.Changes, err = s.changes(ctx, laid)
	}
	return report, impact, err
}

// changes compares a policy with the law in force, if there is one.
func (s *Service) changes(ctx context.Context, source []byte) ([]string, error) {
	law := s.Engine.Current()
	if law == nil {
		return nil, nil
	}
	found, err := s.Rehearse(ctx, law.Source(), source, s.Charter.Currency)
	if err != nil {
		return nil, fmt.Errorf("governance: impact: %w", err)
	}
	return found.Sentences(), nil
}

func (s *Service) replay(ctx context.Context, source []byte) (Impact, error) {
	rev, err := policies.Compile(ctx, source)
	if err != nil {
		return Impact{}, fmt.Errorf("governance: impact: %w", err)
	}
	flips, total, err := s.Consent.Replay(ctx, rev, s.Clock().Add(-impactWindow).UnixMilli())
	if err != nil {
		return Impact{}, fmt.Errorf("governance: impact: %w", err)
	}
	return summarise(flips, total), nil
}

func summarise(flips []consent.Flip, total int) Impact {
	im := Impact{Decisions: total, Flips: len(flips), PerRequest: []RequestImpact{}}
	members, requests := map[coop.MemberID]bool{}, map[coop.RequestID]*RequestImpact{}
	for _, f := range flips {
		members[f.Decision.Member] = true
		r, ok := requests[f.Decision.Request]
		if !ok {
			r = &RequestImpact{
				Request: f.Decision.Request, Pool: f.Decision.Pool,
				Purpose: f.Decision.Purpose, Reasons: []string{},
			}
			requests[f.Decision.Request] = r
		}
		r.add(f)
	}
	for _, r := range requests {
		im.NowRefused += r.NowRefused
		im.NowAllowed += r.NowAllowed
		im.PerRequest = append(im.PerRequest, *r)
	}
	slices.SortFunc(im.PerRequest, func(a, b RequestImpact) int { return cmp.Compare(a.Request, b.Request) })
	im.Requests, im.Members = len(requests), len(members)
	im.Sentences = im.sentences()
	return im
}

func (r *RequestImpact) add(f consent.Flip) {
	if f.Now {
		r.NowAllowed++
		return
	}
	r.NowRefused++
	for _, reason := range f.Reasons {
		if !slices.Contains(r.Reasons, reason.Sentence) {
			r.Reasons = append(r.Reasons, reason.Sentence)
		}
	}
}

func (im Impact) sentences() []string {
	past := fmt.Sprintf("of %s", plural(im.Decisions, "past decision", "past decisions"))
	switch {
	case im.Decisions == 0:
		return []string{"Nothing has been decided in the past year, so there is nothing to compare with."}
	case im.Flips == 0:
		return []string{fmt.Sprintf("None %s would have come out otherwise.", past)}
	}
	var out []string
	if im.NowRefused > 0 {
		out = append(out, fmt.Sprintf("%d %s would now be refused.", im.NowRefused, past))
	}
	if im.NowAllowed > 0 {
		out = append(out, fmt.Sprintf("%d %s would now be granted.", im.NowAllowed, past))
	}
	out = append(out, fmt.Sprintf("This concerns %s and the data of %s.",
		plural(im.Requests, "access request", "access requests"), plural(im.Members, "member", "members")))
	return append(out, im.reasons()...)
}

// reasons lists why requests would now be refused, each reason once.
func (im Impact) reasons() []string {
	var out []string
	for _, r := range im.PerRequest {
		for _, reason := range r.Reasons {
			if !slices.Contains(out, reason) {
				out = append(out, reason)
			}
		}
	}
	return out
}
