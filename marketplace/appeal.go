package marketplace

import (
	"context"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appeals"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/closing"
	"distributed.ai/datacoop/marketplace/ledger"
)

// The states of an appeal.
const (
	AppealOpen      = appeals.Open
	AppealUpheld    = appeals.Upheld
	AppealDismissed = appeals.Dismissed
)

// Appeal is a member's word against a statement, see package appeals.
type Appeal = appeals.Appeal

// AppealLine is the line of a share that an appeal is about.
type AppealLine = appeals.Line

// AppealCorrection is a figure that a steward has put right.
type AppealCorrection = appeals.Correction

// PanelDuty is one member's seat on a panel.
type PanelDuty = appeals.PanelDuty

// hearings is what the counter of appeals asks of the market.
type hearings struct{ s *Service }

func (h hearings) Contest(tx *db.Tx, id coop.PeriodID) (appeals.Contest, error) {
	p, err := getPeriod(tx, id)
	if err != nil {
		return appeals.Contest{}, err
	}
	f, err := closing.For(tx, id, h.s.Charter)
	if err != nil {
		return appeals.Contest{}, err
	}
	c := appeals.Contest{Open: p.State == PeriodClosed, Until: p.ChallengeEndsAt, Key: h.s.secret("blind"), Hearing: f.Hearing}
	if c.Bundle, err = getBundle(tx, id); isNotFound(err) {
		err = nil
	}
	return c, err
}

func (h hearings) Amend(tx *db.Tx, id coop.PeriodID, by coop.MemberID, appeal string) error {
	return h.s.amend(tx, id, by, appeal)
}

// amend makes a new statement of a closed period due.
func (s *Service) amend(tx *db.Tx, id coop.PeriodID, by coop.MemberID, occasion string) error {
	if err := reopenPeriod(tx, id); err != nil {
		return err
	}
	return s.appraiseLater(tx, id, by, occasion)
}

// DecideDispute upholds or dismisses a dispute; see package dispute. Where that
// changes a statement that was published already it is computed again, as after
// an appeal.
func (s *Service) DecideDispute(ctx context.Context, steward coop.MemberID, id string, uphold bool, reason string) (Dispute, error) {
	out, due, err := s.Decide(ctx, steward, id, uphold, reason)
	if err == nil && due != "" {
		_, err = s.publishOrWait(ctx, due, steward)
	}
	return out, err
}

func (h hearings) Publish(ctx context.Context, id coop.PeriodID, by coop.MemberID) error {
	_, err := h.s.publish(ctx, id, by)
	return err
}

func (h hearings) Record(ctx context.Context, id coop.PeriodID) ([]byte, error) {
	return h.s.Record(ctx, id)
}

func (h hearings) Judge() appraisal.Judge { return h.s.Judge }

func (h hearings) Secret(label string) []byte { return h.s.secret(label) }

func (h hearings) Evidence(tx *db.Tx, id coop.PeriodID) (appraisal.Evidence, error) {
	p, err := getPeriod(tx, id)
	if err != nil {
		return appraisal.Evidence{}, err
	}
	return h.s.evidence(tx.Context(), p)
}

// closeAppeals pays what panels awarded out of the reserve that the settlement
// has filled just before, and answers the digest of the appeals' record, ""
// without one. What was set aside and is not needed stays in the reserve.
func (s *Service) closeAppeals(tx *db.Tx, id coop.PeriodID) (sha256 string, err error) {
	out, err := s.Docket.Close(tx, id, func() ([]byte, error) { return getBundle(tx, id) })
	if err != nil || out.Paid == 0 {
		return out.SHA256, err
	}
	var transfers []ledger.Transfer
	for _, a := range out.Awards {
		transfers = append(transfers, ledger.Transfer{From: ledger.Member(a.Member), To: ledger.Reserve, Amount: a.Amount})
	}
	return out.SHA256, s.post(tx, "appeals", "appeals:"+string(id), transfers...)
}
