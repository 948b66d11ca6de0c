// Package split is where members say how the members' part should be divided
// between data, work and governance.
//
// # What it is for
//
// Each member may say it at any time, in thousandths that add up to 1000 and lie
// within the charter's bounds; the last word counts, and it can be withdrawn. When
// a period closes, what current members have said then is frozen without names,
// and the median of each part divides that period's money; package appraisal says
// how, and [appraisal.Ballots] is what a statement carries of it.
//
// # What it guarantees
//
// A ballot stands until its author changes or withdraws it or leaves, so the
// table of ballots has to know whose it is. Nothing else does: no list, no leaf of
// the log, no statement. How many have said something is told only if they are at
// least as many as the smallest group. Fewer ballots than it takes are not
// published, not even without names, and not committed to. A closing is counted
// once; a statement that is computed again has the same ballots.
//
// # What it refuses
//
// Figures that do not add up, or that leave the bounds; a ballot of somebody who
// is no member.
package split

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/desk"
)

//go:embed schema/*.sql
var schema embed.FS

// Cut is a division of the members' part, in thousandths.
type Cut = appraisal.Cut

// Faults of this counter. Their codes are part of the API.
var (
	ErrSum    = fault.New(fault.Invalid, "split-sum", "The three figures must add up to the whole: 100 %, or 1000 thousandths.")
	ErrBounds = fault.New(fault.Invalid, "split-bounds", "A figure lies outside the bounds that the charter sets for it.")
)

// Poll is the counter. It is safe for concurrent use.
type Poll struct{ desk *desk.Desk }

// Migrate makes the counter's tables.
func Migrate(ctx context.Context, d *db.DB) error { return d.Migrate(ctx, "split", schema) }

// New is the counter on a desk.
func New(d *desk.Desk) *Poll { return &Poll{d} }

// View is what a member is shown.
type View struct {
	InForce     Cut           // of the last period that closed; before the first, the charter's
	Period      coop.PeriodID // that it was counted for; "" before the first
	Voted       bool          // members set it, and not the charter
	Charter     Cut           // what the charter says
	Least, Most Cut           // the charter's bounds
	Said        *Cut          // what this member wants; nil for nothing
	Ballots     int           // how many have said something; 0 if they are fewer than the smallest group
	Quorum      int64         // thousandths of the members that it takes, at least Fewest
	Fewest      int
}

// Split is how the members' part is divided, and what a member has said of it.
func (p *Poll) Split(ctx context.Context, m coop.MemberID) (View, error) {
	return desk.Read(ctx, p.desk.DB, func(tx *db.Tx) (View, error) { return p.view(tx, m) })
}

func (p *Poll) view(tx *db.Tx, m coop.MemberID) (View, error) {
	none := appraisal.BallotsOf(p.desk.Charter, 0, nil)
	v := View{InForce: none.Charter, Charter: none.Charter, Least: none.Least, Most: none.Most, Quorum: none.Approval,
		Fewest: appraisal.Needed(none.Approval, 0)}
	last, err := lastClosing(tx)
	if err == nil {
		v.InForce, v.Period, v.Voted = last.ballots.Count(string(last.period)), last.period, last.ballots.Counts()
	} else if !errors.Is(err, desk.ErrNotFound) {
		return v, err
	}
	if v.Said, err = ballotOf(tx, m); err != nil {
		return v, err
	}
	if v.Ballots, err = countBallots(tx); v.Ballots < p.group() {
		v.Ballots = 0
	}
	return v, err
}

// group is the smallest group that any pool lets be counted in public, and no
// smaller than it takes to decide.
func (p *Poll) group() int {
	n := p.desk.Charter.Pools[0].MinimumGroup
	for _, pool := range p.desk.Charter.Pools {
		n = min(n, pool.MinimumGroup)
	}
	return max(n, appraisal.Needed(0, 0))
}

// SaySplit takes a member's ballot in place of any before.
func (p *Poll) SaySplit(ctx context.Context, m coop.MemberID, c Cut) (View, error) {
	law := appraisal.BallotsOf(p.desk.Charter, 0, nil)
	switch {
	case !c.Valid():
		return View{}, ErrSum
	case !c.Within(law.Least, law.Most):
		return View{}, ErrBounds
	}
	// Saying it twice changes nothing, so no answer is kept for a retry: it would
	// outlive the ballot.
	var v View
	err := p.desk.DB.Update(ctx, func(tx *db.Tx) error {
		who, err := p.desk.Governance.Member(tx.Context(), m)
		if err == nil && !who.Open() {
			err = governance.ErrNotAMember
		}
		if err == nil {
			err = putBallot(tx, m, c)
		}
		if err == nil {
			v, err = p.view(tx, m)
		}
		return err
	})
	return v, err
}

// WithdrawSplit forgets a member's ballot; there need not be one.
func (p *Poll) WithdrawSplit(ctx context.Context, m coop.MemberID) error {
	return p.desk.DB.Update(ctx, func(tx *db.Tx) error { return dropBallot(tx, m) })
}

// ForgetSplit is that for somebody who leaves.
func (p *Poll) ForgetSplit(tx *db.Tx, m coop.MemberID) error { return dropBallot(tx, m) }

// FreezeSplit counts the ballots of the members of this moment for a period that
// closes, and commits to them in the log.
func (p *Poll) FreezeSplit(tx *db.Tx, id coop.PeriodID) error {
	ballots, err := p.frozen(tx)
	if err != nil {
		return err
	}
	c, err := sealed(id, p.desk.Now(), ballots)
	if err != nil {
		return err
	}
	c.leaf, err = p.desk.Log.Append(tx, audit.Event{Kind: "split.counted", Revision: c.sha256, Verdict: verdict(ballots), Record: record(c)})
	if err != nil {
		return fmt.Errorf("split: log: %w", err)
	}
	return insertClosing(tx, c)
}

func verdict(b appraisal.Ballots) string {
	if b.Counts() {
		return "voted"
	}
	return "charter"
}

// record is what the leaf commits to.
func record(c closing) map[string]any {
	return map[string]any{"period": string(c.period), "ballots_sha256": c.sha256}
}

func sealed(id coop.PeriodID, at int64, b appraisal.Ballots) (closing, error) {
	digest, err := b.Digest()
	return closing{period: id, at: at, ballots: b, sha256: digest}, err
}

// frozen are the ballots of current members. Where too few have said anything,
// nobody counts the members.
func (p *Poll) frozen(tx *db.Tx) (appraisal.Ballots, error) {
	all, err := allBallots(tx)
	if err != nil || len(all) < appraisal.Needed(0, 0) {
		return appraisal.BallotsOf(p.desk.Charter, 0, nil), err
	}
	var said []Cut
	electorate := 0
	for page := (governance.Page{Limit: 100}); ; {
		members, err := p.desk.Governance.Members(tx.Context(), page)
		if err != nil {
			return appraisal.Ballots{}, fmt.Errorf("split: members: %w", err)
		}
		if len(members) == 0 {
			return appraisal.BallotsOf(p.desk.Charter, electorate, said), nil
		}
		for _, m := range members {
			if c, ok := all[m.ID]; ok {
				said = append(said, c)
			}
		}
		electorate += len(members)
		page.Before = string(members[len(members)-1].ID)
	}
}

// VotedSplit are the params of a period with what members had said when it
// closed. A period that closed before anybody could has none of it.
func (p *Poll) VotedSplit(ctx context.Context, id coop.PeriodID, params appraisal.Params) (appraisal.Params, error) {
	c, err := desk.Read(ctx, p.desk.DB, func(tx *db.Tx) (closing, error) { return closingOf(tx, id) })
	switch {
	case errors.Is(err, desk.ErrNotFound):
		return params, nil
	case err != nil:
		return params, err
	}
	return params.Voted(string(id), c.ballots), nil
}

var (
	errCount = errors.New("split: the ballots that were counted are not those the log has")
	errCarry = errors.New("split: the statement's ballots are not those that were counted")
)

// HoldSplit holds the ballots of a statement against those that were counted
// when its period closed.
func (p *Poll) HoldSplit(tx *db.Tx, id coop.PeriodID, bundle []byte) error {
	b, err := appraisal.ParseBundle(bundle)
	if err != nil {
		return err
	}
	c, err := closingOf(tx, id)
	switch {
	case errors.Is(err, desk.ErrNotFound) && b.Params.Ballots == nil:
		return nil
	case err != nil:
		return err
	case b.Params.Ballots == nil || !reflect.DeepEqual(*b.Params.Ballots, c.ballots):
		return errCarry
	}
	return nil
}

// VerifySplits checks every closing against its digest and the log's leaf, and
// answers how many there are.
func (p *Poll) VerifySplits(ctx context.Context) (n int, err error) {
	list, err := desk.Read(ctx, p.desk.DB, closings)
	if err != nil {
		return 0, err
	}
	for _, c := range list {
		digest, err := c.ballots.Digest()
		if err = errors.Join(err, c.ballots.Check()); err != nil {
			return n, fmt.Errorf("split: %s: %w", c.period, err)
		}
		proof, err := p.desk.Log.Proof(ctx, c.leaf)
		if err != nil {
			return n, fmt.Errorf("split: %s: %w", c.period, err)
		}
		var leaf struct{ Kind, Revision, Verdict string }
		want, err := coop.Canonical(record(c))
		err = errors.Join(err, json.Unmarshal(proof.Leaf, &leaf))
		if err != nil || digest != c.sha256 || leaf.Kind != "split.counted" || leaf.Revision != digest || leaf.Verdict != verdict(c.ballots) || string(proof.Record) != string(want) {
			return n, fmt.Errorf("%w: %s", errCount, c.period)
		}
		n++
	}
	return n, nil
}
