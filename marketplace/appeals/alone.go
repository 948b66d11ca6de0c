package appeals

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/treasury"
)

// fieldAlone is the figure that says whether a dataset counts by itself.
const fieldAlone = "alone"

// basis is what joins a member's account with others, under a key: the bank account
// that their payouts reach and everybody who is paid there. It is "" of somebody
// whom no payout has reached. A payout to another account, or a further member who
// is paid to the same one, makes it another.
func basis(key []byte, accounts map[coop.MemberID]string, m coop.MemberID) string {
	account := accounts[m]
	if account == "" {
		return ""
	}
	mac := hmac.New(sha256.New, key)
	_, _ = fmt.Fprintln(mac, account) // a digest never fails
	for _, other := range slices.Sorted(maps.Keys(accounts)) {
		if accounts[other] == account {
			_, _ = fmt.Fprintln(mac, other)
		}
	}
	return hex.EncodeToString(mac.Sum(nil))
}

// basisOf is what joined an appellant's account with others when the period of
// their appeal closed: of a correction that takes data out of a cluster that they
// are in. Any other leaves it "", and so decides nothing about the member.
func (d *Docket) basisOf(tx *db.Tx, ev *appraisal.Evidence, a Appeal, f Correction) (string, error) {
	if f.Field != fieldAlone || f.Value != 1 || !clustered(ev, a.Member, f.Line) {
		return "", nil
	}
	closed, err := closedAt(tx, a.Period)
	if err != nil {
		return "", err
	}
	accounts, err := treasury.Reached(tx, closed)
	return basis(d.market.Secret(fieldAlone), accounts, a.Member), err
}

// clustered reports whether a line of a member's counts as one with other accounts'.
func clustered(ev *appraisal.Evidence, m coop.MemberID, l Line) bool {
	if l.Kind == appraisal.KindStipend {
		return slices.ContainsFunc(ev.Available, func(v appraisal.Availability) bool {
			return v.Member == string(m) && v.Dataset == l.Ref && v.Cluster != ""
		})
	}
	return slices.ContainsFunc(ev.Data, func(u appraisal.DataUse) bool {
		return u.Member == string(m) && u.Dataset == l.Ref && u.Cluster != ""
	})
}

// Apart lists who counts as a person of their own in a period, although others are
// paid to the same bank account: whose data a steward took out of a cluster, in this
// period or, before this one closed, in an earlier one, while what is known of the
// accounts is what it was then. It names the earlier period whose appeal it rests on,
// and "" for one about this period, and answers the accounts that payouts had reached.
func (d *Docket) Apart(tx *db.Tx, id coop.PeriodID, closed int64) (apart map[coop.MemberID]coop.PeriodID, accounts map[coop.MemberID]string, err error) {
	if accounts, err = treasury.Reached(tx, closed); err == nil {
		apart, err = d.apart(tx, id, closed, accounts)
	}
	return apart, accounts, err
}

func (d *Docket) apart(tx *db.Tx, id coop.PeriodID, closed int64, accounts map[coop.MemberID]string) (map[coop.MemberID]coop.PeriodID, error) {
	list, err := verdicts(tx, id, closed)
	if err != nil {
		return nil, err
	}
	out := map[coop.MemberID]coop.PeriodID{}
	for _, v := range list {
		if _, known := out[v.member]; known || v.basis != basis(d.market.Secret(fieldAlone), accounts, v.member) {
			continue
		}
		if v.period == id {
			v.period = ""
		}
		out[v.member] = v.period
	}
	return out, nil
}
