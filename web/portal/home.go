package portal

import (
	"context"
	"slices"
	"time"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/vault"
)

// overview is a member's own front page: what to do first, then where they
// stand.
type overview struct {
	Tasks    []task
	New      bool // something of the first steps is left to do
	Shared   int  // datasets that can be asked for
	Uses     int  // requests that read them in the last thirty days
	Refusals int  // requests refused in that time
	Earned   coop.Money
	Ballots  []ballotDue
	Waiting  int // granted requests that wait for the member's own key
	Asked    []asked
	Panels   int // panels that wait for the member's answer
	Checks   int // pairs that the member is asked to compare
	Trials   []marketplace.CandidateView
	Models   []marketplace.AdoptionVote // votes on periods' models that wait for the member
	Reviews  int                        // requests that wait for a steward, if the member is one
	Disputed int                        // disputes about the member's data that wait for their answer
	Cases    int                        // disputes that wait for a steward, if the member is one
	Silent   []silent                   // pools asked for without an answer, where the charter asks for one
}

// silent is a pool that the member shares in and has not answered for, with how
// many requests were refused for that.
type silent struct {
	coop.Pool
	Requests int
}

// task is one first step.
type task struct {
	Title, Why, Path string
	Done             bool
}

// ballotDue is a vote that waits for the member.
type ballotDue struct {
	governance.Proposal
	Left string
}

const recent = 30 * 24 * time.Hour

func (p *Portal) overview(v *visit) error {
	o := overview{}
	mine, err := p.mine(v.ctx(), v.me.ID)
	if err != nil {
		return err
	}
	for _, d := range mine {
		if d.State == vault.StateAvailable {
			o.Shared++
		}
		o.Earned += d.Earned
	}
	of, err := p.reader().Since(v.ctx(), v.me.ID, p.Clock().Add(-recent).UnixMilli())
	if err != nil {
		return err
	}
	o.Uses, o.Refusals = len(of.Read), len(of.Refused)
	if o.Silent, err = p.silent(v.ctx(), v.me.ID, of.Unanswered); err != nil {
		return err
	}
	if o.Asked, _, err = p.asked(v.ctx(), v.me.ID); err != nil {
		return err
	}
	if slices.Contains(v.me.Offices, coop.Vetting) {
		list, err := p.Market.ToReview(v.ctx(), v.me.ID)
		if err != nil {
			return err
		}
		o.Reviews = len(list)
	}
	if o.Disputed, o.Cases, err = p.disputed(v); err != nil {
		return err
	}
	if o.Waiting, err = p.Market.Waiting(v.ctx(), v.me.ID); err != nil {
		return err
	}
	if o.Panels, err = p.Market.PanelsWaiting(v.ctx(), v.me.ID); err != nil {
		return err
	}
	if o.Models, err = p.Market.AdoptionDue(v.ctx(), v.me.ID); err != nil {
		return err
	}
	if o.Checks, err = p.Market.SpotChecksWaiting(v.ctx(), v.me.ID); err != nil {
		return err
	}
	if o.Trials, err = p.Market.CandidatesDue(v.ctx(), v.me.ID); err != nil {
		return err
	}
	if o.Ballots, err = p.ballotsDue(v.ctx(), v.me.ID); err != nil {
		return err
	}
	if o.Tasks, err = p.tasks(v, len(mine) > 0); err != nil {
		return err
	}
	o.New = slices.ContainsFunc(o.Tasks, func(t task) bool { return !t.Done })
	return v.show("home", o)
}

func (p *Portal) tasks(v *visit, uploaded bool) ([]task, error) {
	records, err := p.Consent.List(v.ctx(), v.me.ID)
	if err != nil {
		return nil, err
	}
	account, err := p.Market.PayoutAccount(v.ctx(), v.me.ID)
	if err != nil {
		return nil, err
	}
	return []task{
		{"Say what your data may be used for", "Nobody gets anything until you answer.", "/consent", len(records) > 0},
		{"Add data", "It is encrypted in your browser before it leaves.", "/data/add", uploaded},
		{"Say where your money goes", "What your data earn is paid to this account.", "/money/account", account.IBAN != ""},
	}, nil
}

// silent lists the pools that were asked for in which the member has still said
// nothing and the charter has them asked.
func (p *Portal) silent(ctx context.Context, m coop.MemberID, asked map[coop.PoolID]map[coop.RequestID]bool) (out []silent, err error) {
	for _, pool := range p.Charter.Pools {
		if len(asked[pool.ID]) == 0 || p.Charter.Default(pool.ID).Answer != coop.DefaultAsk {
			continue
		}
		_, found, err := p.Consent.Pool(ctx, m, pool.ID)
		if err != nil {
			return nil, err
		}
		if !found {
			out = append(out, silent{pool, len(asked[pool.ID])})
		}
	}
	return out, nil
}

func (p *Portal) ballotsDue(ctx context.Context, m coop.MemberID) ([]ballotDue, error) {
	open, err := p.openVotes(ctx, m)
	if err != nil {
		return nil, err
	}
	var out []ballotDue
	for _, o := range open {
		if !o.Voted {
			out = append(out, ballotDue{o.Proposal, o.Left})
		}
	}
	return out, nil
}

func (p *Portal) pause(v *visit) error {
	if err := p.Consent.Pause(v.ctx(), v.me.ID); err != nil {
		return err
	}
	return v.done("/", note{Title: "Everything is paused", Text: "From now on nobody gets any of your data. Nothing was lost: resume when you like."})
}

func (p *Portal) resume(v *visit) error {
	if err := p.Consent.Resume(v.ctx(), v.me.ID); err != nil {
		return err
	}
	return v.done("/", note{Title: "Sharing goes on", Text: "Your answers count again, as they did before."})
}
