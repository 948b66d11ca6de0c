// Package complaints puts disputes about files, and what moves a member's
// balance, into the words of the members' pages.
//
// # What it is for
//
// A member reads what a researcher says of their dataset and answers; a steward
// reads both sides and decides. Both read the same cases, sorted into those that
// are open and those that are decided, with what can be done next.
//
// # What it guarantees
//
// It names states, faults and movements in a member's words, each that the
// market knows.
//
// # What it refuses
//
// A decision that is none ([ErrDecision]); every other rule is the market's.
package complaints

import (
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/marketplace"
)

// ErrDecision says that a form names no decision.
var ErrDecision = fault.New(fault.Invalid, "dispute-decision-missing", "Say whether you take, uphold or dismiss it.")

// Case is a dispute with who asked and what for.
type Case struct {
	marketplace.Dispute
	Ask     marketplace.Asking
	Pending bool // the member has not answered and still has time
	Ripe    bool // it can be decided
	Own     bool // of whoever looks
}

// Page is what a page shows. At is the case whose form has to be sent again.
type Page struct {
	Open, Decided []Case
	At            string
}

// Of sorts disputes for whoever looks at them at a time.
func Of(who coop.MemberID, list []marketplace.Dispute, asks func(coop.RequestID) (marketplace.Asking, error), now int64, at string) (Page, error) {
	out := Page{At: at}
	for _, d := range list {
		ask, err := asks(d.Request)
		if err != nil {
			return Page{}, err
		}
		c := Case{Dispute: d, Ask: ask, Pending: d.AnsweredAt == 0 && now < d.AnswerUntil(), Ripe: d.Ripe(now), Own: d.Member == who}
		if d.DecidedAt > 0 {
			out.Decided = append(out.Decided, c)
		} else {
			out.Open = append(out.Open, c)
		}
	}
	return out, nil
}

// Unanswered counts the disputes that wait for their member.
func Unanswered(list []marketplace.Dispute) (n int) {
	for _, d := range list {
		if d.AnsweredAt == 0 && d.DecidedAt == 0 {
			n++
		}
	}
	return n
}

// Undecided counts the disputes that wait for a steward.
func Undecided(list []marketplace.Dispute) (n int) {
	for _, d := range list {
		if d.DecidedAt == 0 {
			n++
		}
	}
	return n
}

// Said is what a steward reads after a decision.
func Said(d marketplace.Dispute, c coop.Currency) (title, text string) {
	if d.State == marketplace.DisputeUpheld {
		return "The dispute is upheld", "Both sides read your reason. " + d.Amount.Format(c) + " is credited to the researcher."
	}
	return "The dispute is dismissed", "Both sides read your reason; no money moves."
}

// State names a state and its tone.
func State(state string) (text, tone string) {
	switch state {
	case marketplace.DisputeInReview:
		return "A steward looks at it", "wait"
	case marketplace.DisputeUpheld:
		return "Upheld: the price is credited", "off"
	case marketplace.DisputeDismissed:
		return "Dismissed", "good"
	}
	return "A steward will look at it", "wait"
}

var words = map[string]string{
	"undecryptable": "it cannot be decrypted", "not-as-described": "it is not as described",
	"share": "Your share of", "award": "Awarded by a panel, of", "payout": "Paid out", "returned": "Sent back by the bank",
	"gift": "Given to the common purpose",
}

// Words names what is said of a file, or what moved a balance.
func Words(kind string) string {
	if w := words[kind]; w != "" {
		return w
	}
	return kind
}
