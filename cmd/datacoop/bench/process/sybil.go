package process

import (
	"context"
	"fmt"
	"slices"

	"distributed.ai/datacoop/cmd/datacoop/bench/trial"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/vault"
)

// many is one way of being many. The attacker is the member of the first
// dataset, or copies that one.
type many struct {
	name, said string
	vouched    bool   // every account was let in by somebody
	banked     bool   // payouts have reached the new accounts
	named      bool   // the new accounts only name a bank account, which no payout has reached
	shared     bool   // all of them the attacker's
	exact      bool   // copies to the last byte
	of         string // whose data the new accounts hold
	held       bool
}

// attacker is the member of the first dataset, neighbour that of the second.
const (
	attacker  = "h00"
	neighbour = "h01"
)

var ways = []many{
	{name: "unverified", said: "accounts that nobody vouches for, with altered data, in an open co-op whose members are paid", of: attacker, held: true},
	{name: "unverified_copies", said: "accounts that nobody vouches for, with the same data", exact: true, of: attacker, held: true},
	{name: "made_up_numbers", said: "accounts that nobody vouches for, with altered data, each of which names a bank account that no payout has reached", named: true, of: attacker, held: true},
	{name: "one_bank_account", said: "accounts let in by friends, with altered data, all paid to one bank account", vouched: true, banked: true, shared: true, of: attacker, held: true},
	{name: "same_data", said: "verified persons with bank accounts of their own who hold the same data", vouched: true, banked: true, exact: true, of: attacker, held: true},
	{name: "neighbours_data", said: "verified persons with bank accounts of their own who hold what another member shared first", vouched: true, banked: true, exact: true, of: neighbour, held: true},
	{name: "altered_data", said: "verified persons with bank accounts of their own whose data differ by a cell: what remains possible, see SECURITY.md", vouched: true, banked: true, of: attacker},
}

func sybils(ctx context.Context, o trial.Options) (out []trial.Figure, err error) {
	for _, way := range ways {
		for _, k := range []int{1, 4, 19} {
			type result struct{ gain, loss float64 }
			played, err := trial.Every(ctx, o.Seeds, func(i int) (r result, err error) {
				r.gain, r.loss, err = way.play(world(i, 4, 10), k)
				return r, err
			})
			if err != nil {
				return nil, err
			}
			var gains, losses []float64
			for _, p := range played {
				gains, losses = append(gains, p.gain), append(losses, p.loss)
			}
			f := trial.Figure{Name: fmt.Sprintf("sybil_gain_%s_k%d", way.name, k), Value: trial.Quantile(gains, 1), Unit: "ratio", Samples: len(gains),
				Anchor: fmt.Sprintf("largest gain of all accounts of one person together, stipend included, from %d more: %s; whole cents set aside", k, way.said)}
			if way.held {
				f = trial.AtMost(0, f)
			} else {
				f = trial.Reported(f)
			}
			out = append(out, f)
			if way.of == neighbour {
				out = append(out, trial.AtMost(0, trial.Figure{Name: fmt.Sprintf("sybil_loss_%s_k%d", way.name, k), Value: trial.Quantile(losses, 1), Unit: "ratio", Samples: len(losses),
					Anchor: fmt.Sprintf("largest loss of the member whose data %d later accounts repeat; whole cents set aside", k)}))
			}
		}
	}
	return out, nil
}

// play adds k accounts and answers what all accounts of the attacker gain
// together, and what the neighbour loses, each less a cent of rounding for every
// account.
func (y many) play(w *trial.World, k int) (gained, lost float64, err error) {
	known := marketplace.Known{Vouched: y.vouched, Accounts: map[coop.MemberID]string{}, Facts: map[coop.DatasetID]vault.Facts{}}
	for i, a := range w.Ev.Available {
		known.Accounts[coop.MemberID(a.Member)] = "bank of " + a.Member
		known.Facts[coop.DatasetID(a.Dataset)] = vault.Facts{Pool: "p", Sealed: int64(i), Profile: vault.Profile{Fingerprint: "print of " + a.Dataset}}
	}
	before, after := clone(w.Ev), clone(w.Ev)
	for c := range k {
		member, dataset := fmt.Sprintf("s%02d", c), fmt.Sprintf("copy%02d", c)
		print := "print of " + dataset
		for _, u := range w.Ev.Data {
			if u.Member == y.of {
				if y.exact {
					print = "print of " + u.Dataset
				}
				u.Member, u.Dataset = member, dataset
				after.Data = append(after.Data, u)
			}
		}
		after.Available = append(after.Available, appraisal.Availability{Dataset: dataset, Member: member, Confirmed: true, Days: 30})
		known.Facts[coop.DatasetID(dataset)] = vault.Facts{Pool: "p", Sealed: int64(100 + c), Profile: vault.Profile{Fingerprint: print}}
		switch {
		case y.shared:
			known.Accounts[coop.MemberID(member)] = "bank of " + attacker
		case y.banked:
			known.Accounts[coop.MemberID(member)] = "bank of " + member
		}
	}
	marketplace.Together(&before, known)
	marketplace.Together(&after, known)
	was, err := appraisal.Close(before, w.Params, nil)
	if err != nil {
		return 0, 0, err
	}
	is, err := appraisal.Close(after, w.Params, nil)
	if err != nil {
		return 0, 0, err
	}
	own := func(s appraisal.Statement) (sum int64) {
		for _, share := range s.Shares {
			if share.Member == attacker || share.Member[0] == 's' {
				sum += share.Amount
			}
		}
		return sum
	}
	a, _ := was.Share(neighbour)
	b, _ := is.Share(neighbour)
	cents := int64(k) + 1
	return aside(own(is)-own(was), cents, own(was)), aside(a.Amount-b.Amount, cents, a.Amount), nil
}

// aside is a change relative to an amount, less so many cents of rounding.
func aside(change, cents, of int64) float64 {
	if change > 0 {
		change = max(0, change-cents)
	}
	return float64(change) / float64(max(1, of))
}

func clone(ev appraisal.Evidence) appraisal.Evidence {
	ev.Data, ev.Available = slices.Clone(ev.Data), slices.Clone(ev.Available)
	return ev
}
