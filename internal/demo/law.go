package demo

import (
	"context"
	"fmt"

	"distributed.ai/datacoop/web/client"
)

// narrower is the policy that the story's members propose: the one in force
// when the co-op began, and nothing kept longer than three months.
const narrower = `# METADATA
# title: Access policy
# description: |
#   The members' own law. Everything in it narrows: forbid refuses, obligation
#   adds a duty. Members change it by vote.
# scope: package
package coop.access

# METADATA
# title: Only vetted requesters
# description: Somebody of the co-op has checked who asks before anything is released.
forbid contains {
	"code": "coop-requester-unvetted",
	"sentence": "The co-op releases data only to requesters it has vetted.",
} if {
	input.request.requester.vetted == false
}

# METADATA
# title: Three months at most
# description: Copies are deleted after ninety days.
forbid contains {
	"code": "coop-kept-too-long",
	"sentence": "The co-op does not let copies be kept for more than ninety days.",
} if {
	input.request.retention_days > 90
}

# METADATA
# title: Results come back
# description: Whoever uses the data publishes what came out and tells the members.
obligation contains {
	"code": "publish-results",
	"sentence": "Publish what you found, openly, and report it to the members.",
}
`

// repeal undoes what an earlier story enacted, by vote, so that the story can
// be told again on the same data.
func (t *tour) repeal(ctx context.Context) (string, error) {
	author := t.cast.plain()[0]
	p, err := author.api.Propose(ctx, client.ProposalDraft{Title: "Back to where we began",
		Text: "Let us return to the policy that the co-op started with."})
	if client.IsStatus(err, 409, 422) {
		return "nothing to undo", nil
	}
	if err != nil {
		return "", err
	}
	if p, err = t.decide(ctx, p, 1); err != nil {
		return "", err
	}
	return "repealed by vote", must(p.State == "enacted", "the repeal is enacted")
}

func (t *tour) propose(ctx context.Context) (string, error) {
	author := t.cast.plain()[0]
	p, err := author.api.Propose(ctx, client.ProposalDraft{Title: "Delete copies after three months",
		Text: "A year is too long for copies of our days to lie around.", Policy: narrower})
	if err != nil {
		return "", err
	}
	if t.law, err = t.until(ctx, p, "rehearsing"); err != nil {
		return "", err
	}
	impact, err := author.api.Impact(ctx, p.ID)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d of %d past decisions would now be refused; %d made-up requests tried", impact.NowRefused, impact.Decisions, impact.Done),
		must(impact.State == "ended" && impact.NowRefused > 0 && impact.NowAllowed == 0, "the proposal narrows")
}

// vote casts everybody's ballot: one in six says no.
func (t *tour) vote(ctx context.Context) (string, error) {
	p, err := t.decide(ctx, t.law, 6)
	if err != nil {
		return "", err
	}
	result, err := t.cast.members[0].api.Result(ctx, p.ID)
	if err != nil {
		return "", err
	}
	policy, err := t.cast.researcher.api.Policy(ctx)
	if err != nil {
		return "", err
	}
	if err := must(p.State == "enacted" && policy.Revision == p.Revision, "what was voted is what is in force"); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d yes, %d no; revision %.12s in force", result.Yes, result.No, policy.Revision), nil
}

// decide votes on a proposal once it has been rehearsed, every nth member against it if n is over 1, and
// moves the clock past window and timelock.
func (t *tour) decide(ctx context.Context, p client.Proposal, n int) (client.Proposal, error) {
	p, err := t.until(ctx, p, "rehearsing")
	if err != nil {
		return p, err
	}
	for i, m := range t.cast.members {
		choice := "yes"
		if n > 1 && i%n == n-1 {
			choice = "no"
		}
		if _, err := m.api.Cast(ctx, p.ID, choice); err != nil {
			return p, err
		}
	}
	_, err = t.cast.members[0].api.Cast(ctx, p.ID, "no")
	if err := must(client.IsStatus(err, 409), "nobody votes twice"); err != nil {
		return p, err
	}
	if err := t.Clock.AdvanceTo(p.ClosesAt); err != nil {
		return p, err
	}
	if p, err = t.until(ctx, p, "voting"); err != nil || p.State != "passed" {
		return p, err
	}
	if err := t.Clock.AdvanceTo(p.EnactAt); err != nil {
		return p, err
	}
	return t.until(ctx, p, "passed")
}

// until waits until a proposal has left a state.
func (t *tour) until(ctx context.Context, p client.Proposal, state string) (client.Proposal, error) {
	err := await(ctx, "the end of the state "+state, func() (bool, error) {
		var err error
		p, err = t.cast.members[0].api.Proposal(ctx, p.ID)
		return p.State != state, err
	})
	return p, err
}

func (t *tour) refused(ctx context.Context) (string, error) {
	req, err := t.cast.researcher.api.SubmitRequest(ctx, t.asked)
	if err != nil {
		return "", err
	}
	if err := must(req.Granted == 0 && req.State == "closed", "the same request is refused"); err != nil {
		return "", err
	}
	for _, r := range req.Reasons {
		if r.Code == "coop-kept-too-long" {
			return fmt.Sprintf("0 granted, %d refused: %s", req.Refused, r.Sentence), nil
		}
	}
	return "", must(false, "the refusal names the new rule")
}
