package dispute

import (
	"context"
	"errors"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/desk"
	"distributed.ai/datacoop/marketplace/ledger"
	"distributed.ai/datacoop/marketplace/treasury"
)

// Disputes lists cases for a steward of appeals: all that are undecided, then the
// last 500 that were decided, each newest first. ErrOffice for anybody else.
func (c *Counter) Disputes(ctx context.Context, steward coop.MemberID) ([]Case, error) {
	if err := c.desk.Needs(ctx, steward, coop.Appeals); err != nil {
		return nil, err
	}
	return desk.Read(ctx, c.desk.DB, everything)
}

// ReviewDispute takes a case, so that others see who looks at it. ErrOffice,
// ErrNotFound, ErrInvolved, ErrState if it is not opened.
func (c *Counter) ReviewDispute(ctx context.Context, steward coop.MemberID, id string) (Case, error) {
	return desk.Duty(ctx, c.desk, steward, coop.Appeals, func(tx *db.Tx) (Case, error) {
		one, err := byID(tx, id)
		if err == nil && one.State != Opened {
			err = desk.ErrState
		}
		if err := errors.Join(err, c.uninvolved(tx, steward, one)); err != nil {
			return Case{}, err
		}
		one.State, one.Steward = InReview, steward
		return one, errors.Join(update(tx, one), c.desk.Note(tx, "dispute.reviewed", InReview, map[string]any{"dispute": id, "steward": string(steward)}))
	})
}

// uninvolved refuses a steward whose own matter a case is.
func (c *Counter) uninvolved(tx *db.Tx, steward coop.MemberID, one Case) error {
	vetted, err := vettedBy(tx, one.Researcher)
	if err == nil && (one.Member == steward || vetted == steward) {
		err = ErrInvolved
	}
	return err
}

// Decide upholds or dismisses a case in review, with a reason for both sides to
// read. It answers which closed period's statement is due anew because of it, ""
// for none. ErrOffice, ErrText, ErrNotFound, ErrInvolved, ErrState, ErrAwaiting.
func (c *Counter) Decide(ctx context.Context, steward coop.MemberID, id string, uphold bool, reason string) (Case, coop.PeriodID, error) {
	type verdict struct {
		Case   Case
		Period coop.PeriodID
	}
	out, err := desk.Duty(ctx, c.desk, steward, coop.Appeals, func(tx *db.Tx) (v verdict, err error) {
		v.Case, v.Period, err = c.decide(tx, steward, id, uphold, reason)
		return v, err
	})
	return out.Case, out.Period, err
}

func (c *Counter) decide(tx *db.Tx, steward coop.MemberID, id string, uphold bool, reason string) (one Case, due coop.PeriodID, err error) {
	if reason, err = prose(reason); err != nil {
		return Case{}, "", err
	}
	one, err = byID(tx, id)
	if err == nil {
		err = c.uninvolved(tx, steward, one)
	}
	switch {
	case err != nil:
		return Case{}, "", err
	case one.State != InReview:
		return Case{}, "", desk.ErrState
	case !one.Ripe(c.desk.Now()):
		return Case{}, "", ErrAwaiting
	}
	one.State, one.Reason, one.Steward, one.DecidedAt = Dismissed, reason, steward, c.desk.Now()
	if uphold {
		one.State = Upheld
		if due, err = c.credit(tx, &one); err != nil {
			return Case{}, "", err
		}
	}
	if err := update(tx, one); err != nil {
		return Case{}, "", err
	}
	return one, due, errors.Join(c.desk.Note(tx, "dispute.decided", one.State, map[string]any{"dispute": id, "steward": string(steward), "note": one.Note}),
		c.desk.Jobs.Tell(tx, coop.Notice{Kind: coop.NoticeDisputeDecided, Ref: id, To: []coop.Addressee{{Member: one.Member}}}))
}

// credit reverses what the file was booked as. Due is the closed period whose
// statement it changes.
func (c *Counter) credit(tx *db.Tx, one *Case) (due coop.PeriodID, err error) {
	u, err := useOf(tx, one.File)
	if err != nil {
		return "", err
	}
	period, state, err := periodOf(tx, u.firstAt)
	if err != nil {
		return "", err
	}
	out := ledger.Access
	switch state {
	case stateOpen:
	case stateClosed:
		due = period
		if err := c.reopen(tx, period, one.Steward, one.ID); err != nil {
			return "", err
		}
	default: // settled: members keep what they have
		out = ledger.Reserve
	}
	if u.price == 0 {
		return due, nil
	}
	note, err := c.till.Credit(tx, treasury.Note{Researcher: one.Researcher, Request: one.Request, File: one.File,
		Reason: treasury.ReasonDispute, Amount: u.price}, out, "dispute:"+one.ID)
	one.Note, one.Amount = note.Number, note.Amount
	return due, err
}

// Trust is what a dataset's uses count, in thousandths, after a number of upheld
// disputes about it.
func Trust(upheld int) int64 {
	steps := [...]int64{1000, 700, 400, 100}
	return steps[min(max(upheld, 0), len(steps)-1)]
}

// Record is what disputes say of the evidence.
type Record struct {
	Files    map[coop.FileID]bool   // uses that a dispute was upheld about
	Datasets map[coop.DatasetID]int // how many
}

// Upheld reads all upheld disputes.
func (c *Counter) Upheld(tx *db.Tx) (Record, error) {
	list, err := upheld(tx)
	out := Record{map[coop.FileID]bool{}, map[coop.DatasetID]int{}}
	for _, one := range list {
		out.Files[one.File] = true
		out.Datasets[one.Dataset]++
	}
	return out, err
}
