// Package cluster says which data of a period count once, although several
// accounts hold them. It is an annex of the market, pure and without tables.
//
// # What it is for
//
// Money for data goes by datasets, and accounts and copies cost nothing to make.
// What the market can know without seeing any data, it writes into the evidence
// before a period is appraised, where everybody can recompute what follows from
// it:
//
//   - Accounts whose last payout was carried to the same bank account count as
//     one person: their data have one cluster, which weighs as much as the best
//     of them. A number that is only named says nothing: anybody can make one up,
//     or name another member's. Somebody whom a steward of appeals found to be a
//     person of their own is left out of that, with all their data and before copies
//     are looked for.
//   - A dataset with the fingerprint of one that a different person shared first
//     repeats it. Of two that a request read, the later is no addition, so its
//     non-duplication is nothing; and of two kept available, the later earns no
//     stipend. The first loses nothing by being copied.
//   - An account that nobody vouches for has only its own word (grade E), which
//     weighs nothing: neither did anybody let it in by an invitation, nor does the
//     co-op's identity provider tell persons apart, nor has a payout ever been
//     carried to a bank account for it.
//
// # What it guarantees
//
// The same facts give the same evidence, in any order. Data of accounts that
// nobody vouches for gain nothing, however many there are and whatever they hold:
// in a co-op that is open and tells nobody apart, those of a new member neither,
// until money for work or for a duty has reached them. What it decided stands on the statement of whom it concerns, and an appeal about a
// fact can undo it.
//
// # What it cannot know
//
// A fingerprint is what the member's own client says about the file: one changed
// cell gives another, and a client can leave it out. One person can have several
// bank accounts, and be let in twice by friends; accounts that no payout was
// carried to yet are not joined. Who vouches for whom is not
// kept and not used: families and villages invite each other. SECURITY.md says
// what remains possible, and the bench of appraisals how much it would bring.
package cluster

import (
	"cmp"
	"slices"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/vault"
)

// Known is what the co-op knows beside the evidence.
type Known struct {
	Accounts map[coop.MemberID]string        // the bank account that a member's last payout was carried to, if any
	Apart    map[coop.MemberID]coop.PeriodID // who is a person of their own whoever is paid there, and the earlier period whose appeal says so, if any
	Vouched  bool                            // every account was let in by somebody, or is one person by the identity provider's word
	Facts    map[coop.DatasetID]vault.Facts
}

// Assign enters into evidence, which is not blinded yet, what counts as one.
func Assign(ev *appraisal.Evidence, k Known) {
	shared, alone := k.shared(ev)
	for i := range ev.Data {
		u := &ev.Data[i]
		u.Cluster, u.Alone = shared[u.Member], alone[u.Member]
		if !k.vouched(u.Member) {
			u.Grade = appraisal.GradeSelf
		}
	}
	for i := range ev.Available {
		a := &ev.Available[i]
		a.Cluster, a.Alone = shared[a.Member], alone[a.Member]
		if !k.vouched(a.Member) {
			a.Grade = appraisal.GradeSelf
		}
	}
	k.repeatedUses(ev)
	k.repeatedStock(ev)
}

func (k Known) vouched(member string) bool {
	return k.Vouched || k.Accounts[coop.MemberID(member)] != ""
}

// shared names the cluster of every member of the evidence whose payouts
// reach the same bank account as another's: by the first of them, so that it tells
// no account. Who is apart is in none, and makes none; alone names the period by
// which they would be in one otherwise.
func (k Known) shared(ev *appraisal.Evidence) (clusters, alone map[string]string) {
	holders := map[string]map[string]bool{}
	add := func(member string) {
		account := k.Accounts[coop.MemberID(member)]
		if account == "" {
			return
		}
		if holders[account] == nil {
			holders[account] = map[string]bool{}
		}
		holders[account][member] = true
	}
	for _, u := range ev.Data {
		add(u.Member)
	}
	for _, a := range ev.Available {
		add(a.Member)
	}
	clusters, alone = map[string]string{}, map[string]string{}
	for _, all := range holders {
		var one []string
		for m := range all {
			since, apart := k.Apart[coop.MemberID(m)]
			if !apart {
				one = append(one, m)
			} else if len(all) > 1 {
				alone[m] = string(since)
			}
		}
		if len(one) < 2 {
			continue
		}
		first := slices.Min(one)
		for _, m := range one {
			clusters[m] = first
		}
	}
	return clusters, alone
}

// seen is one dataset among those that are compared.
type seen struct {
	dataset, person, group string
	repeats                func()
}

// repeated calls repeats of every dataset whose fingerprint an earlier one of
// another person in its group has.
func (k Known) repeated(list []seen) {
	slices.SortFunc(list, func(a, b seen) int {
		return cmp.Or(cmp.Compare(k.fact(a).Sealed, k.fact(b).Sealed), cmp.Compare(a.dataset, b.dataset))
	})
	type data struct{ group, print string }
	first := map[data]string{}
	for _, s := range list {
		at := data{s.group + " " + string(k.fact(s).Pool), k.fact(s).Profile.Fingerprint}
		if at.print == "" {
			continue
		}
		if owner, known := first[at]; !known {
			first[at] = s.person
		} else if owner != s.person {
			s.repeats()
		}
	}
}

func (k Known) fact(s seen) vault.Facts { return k.Facts[coop.DatasetID(s.dataset)] }

// repeatedUses looks at what each request read. A use that counts for nothing
// anyway takes nothing from another.
func (k Known) repeatedUses(ev *appraisal.Evidence) {
	var list []seen
	for i := range ev.Data {
		if u := &ev.Data[i]; u.Grade != appraisal.GradeSelf && min(u.Coverage, u.Fresh, u.Unique, u.Trust) > 0 {
			list = append(list, seen{u.Dataset, cmp.Or(u.Cluster, u.Member), u.Request, func() { u.Unique = 0 }})
		}
	}
	k.repeated(list)
}

func (k Known) repeatedStock(ev *appraisal.Evidence) {
	var list []seen
	for i := range ev.Available {
		if a := &ev.Available[i]; a.Grade != appraisal.GradeSelf && a.Confirmed && a.Days > 0 {
			list = append(list, seen{a.Dataset, cmp.Or(a.Cluster, a.Member), "", func() { a.Copy = true }})
		}
	}
	k.repeated(list)
}
